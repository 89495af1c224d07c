// Every write carries the session's CSRF token in a header that no foreign page can set.

export const CSRF_HEADER = "X-CSRF-Token";
const READS = new Set(["GET", "HEAD", "OPTIONS"]);

export function csrfToken() {
  return document.querySelector('meta[name="csrf-token"]')?.content ?? "";
}

/** The search boxes of all pages by name: what somebody typed there may be a name, in pinyin too. */
const TYPED = new Set(["place", "q", "search"]);
/** What else a query may say: an id, a day, a number or one of the program's own words. */
const PLAIN = /^[a-z0-9_-]+$/;

/** Where to log in and come back to this page: without what was searched for, which has no place in
 *  the address of the log-in page. */
export function logInAndBack() {
  const asked = [...new URLSearchParams(location.search)];
  const kept = new URLSearchParams(asked.filter(([name, value]) => !TYPED.has(name) && PLAIN.test(value)));
  const query = String(kept);
  return `/login?next=${encodeURIComponent(location.pathname + (query && `?${query}`))}`;
}

/** A random UUID. Not crypto.randomUUID: that is missing on plain http in a county's own network. */
export function uuid() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return [8, 12, 16, 20].reduceRight((id, at) => `${id.slice(0, at)}-${id.slice(at)}`, hex);
}

/** fetch a JSON answer; a write gets the token, a body becomes JSON. Same origin only. */
export function send(url, { method = "GET", body, headers = {}, signal } = {}) {
  const all = { Accept: "application/json, application/problem+json", ...headers };
  if (!READS.has(method)) all[CSRF_HEADER] = csrfToken();
  if (body !== undefined) all["Content-Type"] = "application/json";
  return fetch(url, {
    method,
    headers: all,
    body: body === undefined ? undefined : JSON.stringify(body),
    credentials: "same-origin",
    mode: "same-origin",
    signal,
  });
}

/** htmx writes would carry the token too. (Commands do not go through htmx: form.js sends them.) */
export function guardHtmx(root) {
  root.addEventListener("htmx:configRequest", (event) => {
    const { verb, headers } = event.detail;
    if (READS.has(verb.toUpperCase())) return;
    headers[CSRF_HEADER] = csrfToken();
    const box = event.target; // one that asks by itself sends what stands in it, not the boxes beside it
    if (box.matches("input[hx-post]")) event.detail.parameters = { csrf_token: csrfToken(), [box.name]: box.value };
  });
}
