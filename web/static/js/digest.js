// The SHA-256 of a paper or a photo: the file itself stays on this device.
//
//   <input type="file" data-digest>  <input type="hidden" data-digested name="minutes.document_sha256">
//
// A browser has crypto.subtle on encrypted pages only, and a county's machine may be reached by plain
// http (decision 0007): there it is counted here.

const PRIMES = [...Array(312).keys()].filter((n) => n > 1 && ![...Array(n).keys()].some((d) => d > 1 && n % d === 0));
const fraction = (root) => Math.floor((root - Math.floor(root)) * 2 ** 32) | 0;
const START = PRIMES.slice(0, 8).map((prime) => fraction(Math.sqrt(prime)));
const ROUND = PRIMES.slice(0, 64).map((prime) => fraction(Math.cbrt(prime)));

const turn = (word, by) => (word >>> by) | (word << (32 - by));

const words = new Int32Array(64);

function block(state, view, start) {
  for (let t = 0; t < 16; t += 1) words[t] = view.getInt32(start + 4 * t);
  for (let t = 16; t < 64; t += 1) {
    const x = words[t - 15];
    const y = words[t - 2];
    const first = turn(x, 7) ^ turn(x, 18) ^ (x >>> 3);
    const second = turn(y, 17) ^ turn(y, 19) ^ (y >>> 10);
    words[t] = words[t - 16] + first + words[t - 7] + second;
  }
  let [a, b, c, d, e, f, g, h] = state;
  for (let t = 0; t < 64; t += 1) {
    const one = (h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & f) ^ (~e & g)) + ROUND[t] + words[t]) | 0;
    const two = ((turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + one) | 0;
    d = c;
    c = b;
    b = a;
    a = (one + two) | 0;
  }
  [a, b, c, d, e, f, g, h].forEach((word, at) => (state[at] += word));
}

/** SHA-256 of bytes (an ArrayBuffer), as 64 hexadecimal digits. */
export function sha256(bytes) {
  const padded = new Uint8Array(Math.ceil((bytes.byteLength + 9) / 64) * 64);
  padded.set(new Uint8Array(bytes));
  padded[bytes.byteLength] = 0x80;
  const view = new DataView(padded.buffer);
  view.setBigUint64(padded.length - 8, BigInt(bytes.byteLength) * 8n);
  const state = Int32Array.from(START);
  for (let at = 0; at < padded.length; at += 64) block(state, view, at);
  return [...state].map((word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
}

const hexOf = (bytes) => [...new Uint8Array(bytes)].map((one) => one.toString(16).padStart(2, "0")).join("");

async function counted(bytes) {
  const own = globalThis.crypto?.subtle;
  return own ? hexOf(await own.digest("SHA-256", bytes)) : sha256(bytes);
}

export function startDigests() {
  document.addEventListener("change", async ({ target }) => {
    if (!target.matches?.("[data-digest]")) return;
    const kept = target.parentElement.querySelector("[data-digested]");
    const [file] = target.files;
    kept.value = ""; // until it is counted, or where the choice was taken back
    if (!file) return;
    const found = await counted(await file.arrayBuffer());
    if (target.files[0] === file) kept.value = found;
  });
}
