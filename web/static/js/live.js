// A live page: one stream, its banner, and the boards that follow it.
//
//   <section data-live="/live/situation" data-position="120" data-silent-ms="10000"> (macro live)
//   <div data-board hx-get="/situation/board" hx-trigger="relief:change">            (macro board)
//     <… data-position="120"> …
//
// The stream (api/live.py) sends, each with the view's position:
//   change  {position, tables, rows}                  something this board shows has changed
//   beat    {position, head, lag, at, behind_seconds?, trouble?, failure?}
//                                                     nothing has; the log's head, the store's time,
//                                                     since when the view's next fact is waiting
//   reset   {position}                                something may have, while nobody was listening
// What the banner calls its position is that of the figures on the page, not of the stream: after
// a change it moves on only when the new figures are there.

import { focusAgain, placeOfFocus } from "./focus.js";
import { logInAndBack } from "./csrf.js";
import { EventStream } from "./sse.js";
import { ago, announce, text } from "./text.js";

const THROTTLE_MS = 300;
const TICK_MS = 250;
const EDITING_MS = 1000;
const LATE_MS = 5000;
const RETRY_MS = [500, 1000, 2000, 5000, 10_000];
const CHINA_CLOCK = new Intl.DateTimeFormat("en-GB", {
  timeZone: "Asia/Shanghai",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
});

/** The boards of a page, and how far their figures reach. */
class Boards {
  constructor(position) {
    this.shown = position; // all boards show at least this position
    this.wanted = null; // a change at this position is not on the page yet
    this.asked = 0; // the change the last refresh was for
    this.busy = 0;
    this.failures = 0;
    this.lastAt = 0;
    this.timer = 0;
    this.before = new Map();
    this.listen();
  }

  elements() {
    return [...document.querySelectorAll("[data-board]")];
  }

  listen() {
    document.addEventListener("htmx:configRequest", (event) => {
      if (event.target.matches?.("[data-board]") && event.detail.verb === "get") {
        event.detail.parameters.after = String(this.wanted ?? this.shown);
      }
    });
    document.addEventListener("htmx:beforeSwap", (event) => {
      if (event.detail.target.matches?.("[data-board]")) this.remember(event.detail.target);
    });
    document.addEventListener("htmx:afterRequest", (event) => {
      if (event.target.matches?.("[data-board]")) this.finished(event.detail.successful === true);
    });
    document.addEventListener("htmx:afterSettle", (event) => {
      if (event.detail.target.matches?.("[data-board]")) this.highlight(event.detail.target);
    });
  }

  changed(position) {
    if (this.elements().length === 0) return this.unchanged(position);
    this.wanted = Math.max(this.wanted ?? 0, position);
    this.schedule(0);
  }

  unchanged(position) {
    if (this.wanted === null) this.shown = Math.max(this.shown, position);
  }

  schedule(delay) {
    if (this.timer || this.busy) return;
    const wait = Math.max(delay, this.lastAt + THROTTLE_MS - Date.now(), 0);
    this.timer = setTimeout(() => this.refresh(), wait);
  }

  refresh() {
    this.timer = 0;
    const boards = this.elements();
    // Who writes inside a board (why a report is returned) must not lose the words: it waits.
    if (boards.some((board) => board.querySelector("textarea:focus, input:not([type=checkbox]):focus"))) {
      return this.schedule(EDITING_MS);
    }
    this.lastAt = Date.now();
    this.busy = boards.length;
    this.failed = false;
    this.asked = this.wanted;
    for (const board of boards) {
      board.dispatchEvent(new CustomEvent("relief:change", { detail: { position: this.wanted } }));
    }
  }

  finished(successful) {
    this.busy = Math.max(0, this.busy - 1);
    this.failed = this.failed || !successful;
    // The swap comes after this event: look at the new figures once it is done.
    if (this.busy === 0) setTimeout(() => (this.failed ? this.retry() : this.arrived()), 0);
  }

  retry() {
    const wait = RETRY_MS[Math.min(this.failures, RETRY_MS.length - 1)];
    this.failures += 1;
    this.schedule(wait);
  }

  arrived() {
    const positions = this.elements().map((board) =>
      Number(board.querySelector("[data-position]")?.dataset.position ?? 0),
    );
    const reached = Math.min(...positions);
    this.shown = Math.max(this.shown, reached);
    if (reached < this.asked) return this.retry();
    this.failures = 0;
    if (this.wanted > reached) this.schedule(0); // more came in the meantime
    else this.wanted = null;
    announce(`${text("updated")} ${this.shown}`);
  }

  /** What changed by itself must be seen: rows (by id) whose words differ are marked for a while.
   *  What a reader had unfolded stays so. */
  remember(board) {
    const rows = new Map();
    for (const row of board.querySelectorAll("[data-row][id]")) rows.set(row.id, row.textContent);
    const unfolded = board.querySelectorAll("details[id][open], input[type=checkbox][id]:checked");
    const focus = placeOfFocus(board);
    this.before.set(board, { rows, unfolded: [...unfolded].map((one) => one.id), focus });
  }

  highlight(board) {
    const before = this.before.get(board);
    if (!before) return;
    for (const row of board.querySelectorAll("[data-row][id]")) {
      if (before.rows.get(row.id) !== row.textContent) row.classList.add("is-fresh");
    }
    for (const id of before.unfolded) {
      const one = document.getElementById(id);
      if (one) one[one.tagName === "DETAILS" ? "open" : "checked"] = true;
    }
    focusAgain(board, before.focus);
  }
}

/** The banner: says how old the figures are, and cries out when it does not know. */
class Banner {
  constructor(root) {
    this.root = root;
    this.silentMs = Number(root.dataset.silentMs);
    this.heardAt = Date.now();
    this.freshAt = Date.now();
    this.head = Number(root.dataset.position);
    this.open = false;
    this.refused = 0;
    this.failed = false;
    this.trouble = false;
    this.late = null; // {head, since}: what the log had then is not in the view yet
  }

  part(name) {
    return this.root.querySelector(`[data-live-${name}]`);
  }

  put(name, words) {
    const place = this.part(name);
    if (place.textContent !== words) place.textContent = words;
  }

  heard() {
    this.heardAt = Date.now();
    this.open = true;
  }

  told({ position, head = position, lag = 0, at, ...rest }) {
    const { behind_seconds: behind = 0, trouble = false, failure = false } = rest;
    if (lag === 0) this.freshAt = Date.now();
    if (behind > 0) this.freshAt = Math.min(this.freshAt, Date.now() - behind * 1000);
    this.head = Math.max(this.head, head);
    this.failed = failure;
    if (this.late && position >= this.late.head) this.late = null;
    if (at === undefined) return;
    this.trouble = trouble;
    if (lag > 0) this.late ??= { head, since: Date.now() - behind * 1000 };
    // All that the log had at this moment is on the board, and not all that came after it.
    const asOf = new Date(Date.parse(at) - behind * 1000);
    this.part("as-of").dateTime = asOf.toISOString();
    this.put("as-of", CHINA_CLOCK.format(asOf));
  }

  lateMs() {
    return this.late ? Date.now() - this.late.since : 0;
  }

  state(boards) {
    if (this.refused) return "ended";
    if (this.failed) return "stopped";
    if (Date.now() - this.heardAt >= this.silentMs) return "silent";
    if (this.trouble || this.lateMs() >= LATE_MS) return "late";
    if (boards.failures > 0) return "stale"; // the stream lives, the figures do not follow it
    return this.open ? "live" : "connecting";
  }

  paint(boards) {
    const state = this.state(boards);
    const red = ["ended", "stopped", "late", "stale"].includes(state);
    this.root.dataset.state = red ? "silent" : state;
    const names = { live: "live", connecting: "connecting", late: "late_state", stale: "stale_state" };
    this.put("state", text(names[state] ?? "silent_state"));
    this.put("age", ago(Date.now() - this.freshAt));
    this.put("position", String(boards.shown));
    // How far the log has gone on is known only while it is heard: no "0 behind" on a dead line.
    const heard = ["live", "late", "stale"].includes(state);
    this.put("lag", heard ? String(Math.max(0, this.head - boards.shown)) : "—");
    const sentence = {
      ended: () => text("session_ended"),
      stopped: () => text("views_stopped"),
      silent: () => text("silent"),
      late: () => text("late"),
      stale: () => text("refresh_failed"),
    }[state]?.() ?? "";
    this.put("sentence", sentence);
    const since = {
      silent: () => text("silent_since", { n: Math.floor((Date.now() - this.heardAt) / 1000) }),
      late: () => (this.late ? text("late_since", { n: Math.floor(this.lateMs() / 1000) }) : ""),
    }[state]?.() ?? "";
    this.put("since", since);
    this.part("login").hidden = state !== "ended";
    this.part("login").href = logInAndBack();
    this.part("alarm").hidden = sentence === "";
  }
}

/** Start the live page, if this is one. Answers how to stop it. */
export function startLive(root = document.querySelector("[data-live]")) {
  if (!root) return () => {};
  const position = Number(root.dataset.position);
  const boards = new Boards(position);
  const banner = new Banner(root);
  const stream = new EventStream(root.dataset.live, {
    lastId: root.dataset.position,
    onAnything: () => banner.heard(),
    onLost: () => (banner.open = false),
    onRefused: (status) => (banner.refused = status),
    onEvent: ({ type, data }) => {
      if (!["change", "beat", "reset"].includes(type)) return;
      const message = JSON.parse(data);
      banner.told(message);
      if (type === "beat") boards.unchanged(message.position);
      else boards.changed(message.position);
    },
  });
  stream.start();

  const tick = setInterval(() => {
    // A connection can be dead without anybody saying so (a phone between two cells).
    const quiet = Date.now() - Math.max(banner.heardAt, stream.startedAt);
    if (quiet >= banner.silentMs && stream.connection && !document.hidden) {
      banner.open = false;
      stream.restart();
    }
    banner.paint(boards);
  }, TICK_MS);

  // A page nobody sees gives its connection back (a browser has six for a host) and catches up.
  let hidden = 0;
  const onVisibility = () => {
    clearTimeout(hidden);
    if (document.hidden) hidden = setTimeout(() => stream.stop(), Number(root.dataset.hiddenMs));
    else if (!stream.running && !banner.refused) stream.start();
  };
  document.addEventListener("visibilitychange", onVisibility);
  const stop = () => {
    clearInterval(tick);
    stream.stop();
    document.removeEventListener("visibilitychange", onVisibility);
  };
  addEventListener("pagehide", stop, { once: true });
  banner.paint(boards);
  return stop;
}
