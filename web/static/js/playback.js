// A board of the past that is moved along the log by a slider, or let run.
//
//   <section data-playback data-board="/playback/situation/board" data-ticks="[[position, seconds] …]">
//   <div data-playback-picture> the board as it was known at the slider's record </div>
//
// While time runs, the record that is shown is the last one of the ticks that had been made by then:
// never one of later. One picture is asked for at a time; the newest wish is the next.

import { announce } from "./text.js";

const TICK_MS = 250;
const RETRY_MS = 2000;
const CHINA = new Intl.DateTimeFormat("sv-SE", {
  timeZone: "Asia/Shanghai",
  dateStyle: "short",
  timeStyle: "short",
});

const root = document.querySelector("[data-playback]");
const slider = root.querySelector("input[type=range]");
const picture = document.querySelector("[data-playback-picture]");
const run = root.querySelector("[data-playback-run]");
const speed = root.querySelector("[data-playback-speed]");
const told = root.querySelector("[data-playback-told]");
const ticks = JSON.parse(root.dataset.ticks);
const [first, last] = [Number(slider.min), Number(slider.max)];
const stretch = Math.max(1, Math.floor((last - first) / 20));

let asking = false;
let wanted = null; // the record that is to be shown next
let timer = 0;
let clock = timeOf(Number(slider.value)); // seconds since 1970

/** About when a record was made; exactly for a tick. */
function timeOf(position) {
  const next = ticks.findIndex(([at]) => at >= position);
  if (next <= 0) return ticks[next < 0 ? ticks.length - 1 : 0][1];
  const [[before, since], [after, until]] = [ticks[next - 1], ticks[next]];
  return since + ((until - since) * (position - before)) / (after - before);
}

/** The last tick that had been made by then. */
function recordAt(seconds) {
  let found = ticks[0][0];
  for (const [position, at] of ticks) if (at <= seconds) found = position;
  return Math.max(found, first);
}

function say(time, position) {
  const record = root.dataset.record.replace("{n}", position.toLocaleString("en"));
  root.querySelector("[data-playback-time]").textContent = time;
  root.querySelector("[data-playback-record]").textContent = record;
  slider.setAttribute("aria-valuetext", `${time} ${record}`);
}

function show(position) {
  slider.value = String(position);
  say(CHINA.format(clock * 1000), position);
  wanted = position;
  if (!asking) ask();
}

async function ask() {
  asking = true;
  while (wanted !== null) {
    const position = wanted;
    wanted = null;
    const address = new URL(root.dataset.board, location.href);
    address.searchParams.set("known_at", String(position));
    let answer;
    try {
      answer = await fetch(address, { headers: { "HX-Request": "true" } });
    } catch {
      answer = null;
    }
    if (answer?.ok && !answer.redirected) take(await answer.text());
    else if (answer === null || answer.status === 503) {
      told.textContent = root.dataset.waiting;
      await new Promise((go) => setTimeout(go, RETRY_MS));
      wanted ??= position;
    } else return location.reload(); // logged out, or not to be seen any more
  }
  asking = false;
}

function take(page) {
  picture.innerHTML = page;
  told.textContent = "";
  const shown = picture.querySelector("[data-picture]");
  const bar = document.querySelector("[data-known-words]");
  if (bar) bar.textContent = shown.dataset.known;
  if (timer === 0 && wanted === null) {
    say(shown.dataset.at, Number(shown.dataset.picture));
    keep(shown.dataset.picture);
  }
}

/** So that the page shows the same record when it is loaded again. */
function keep(position) {
  const address = new URL(location.href);
  address.searchParams.set("known_at", position);
  history.replaceState(history.state, "", address);
}

function go(position) {
  const to = Math.min(Math.max(position, first), last);
  clock = timeOf(to);
  show(to);
}

function hold() {
  clearInterval(timer);
  timer = 0;
  run.textContent = run.dataset.play;
  announce(slider.getAttribute("aria-valuetext") ?? "");
}

function play() {
  if (Number(slider.value) >= last) go(first);
  run.textContent = run.dataset.hold;
  timer = setInterval(() => {
    clock += (Number(speed.value) * TICK_MS) / 1000;
    const position = recordAt(clock);
    if (position > Number(slider.value)) show(position);
    else say(CHINA.format(clock * 1000), Number(slider.value));
    if (clock >= timeOf(last)) {
      show(last);
      hold();
    }
  }, TICK_MS);
}

const turn = () => (timer === 0 ? play() : hold());

const STEPS = {
  begin: () => first,
  far_back: () => Number(slider.value) - stretch,
  back: () => Number(slider.value) - 1,
  on: () => Number(slider.value) + 1,
  far_on: () => Number(slider.value) + stretch,
  end: () => last,
};

slider.addEventListener("input", () => go(Number(slider.value)));
slider.addEventListener("keydown", (event) => {
  const step = { PageUp: "far_on", PageDown: "far_back", " ": "turn" }[event.key];
  if (!step) return;
  event.preventDefault();
  if (step === "turn") turn();
  else go(STEPS[step]());
});
slider.form.addEventListener("submit", (event) => event.preventDefault());
run.addEventListener("click", turn);
for (const link of root.querySelectorAll("[data-step]")) {
  link.addEventListener("click", (event) => {
    event.preventDefault();
    go(STEPS[link.dataset.step]());
  });
}
for (const one of [run, root.querySelector("[data-playback-speeds]"), root.querySelector("[data-playback-keys]")]) one.hidden = false;
root.querySelector("[data-playback-plain]").hidden = true;
say(root.querySelector("[data-playback-time]").textContent, Number(slider.value));
