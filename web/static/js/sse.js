// Server-sent events over fetch.
//
// EventSource is not enough for a board that must never lie: it gives up for good when a restarting
// server answers 503, cannot tell "logged out" from "no network", and a new one cannot say
// Last-Event-ID. The parser follows the HTML standard, "Server-sent events", 9.2.6.

/** Feed it text in any pieces; it calls onEvent({type, data, id}) and onAnything() for each line. */
export class EventParser {
  constructor({ onEvent, onRetry = () => {}, onAnything = () => {} }) {
    this.onEvent = onEvent;
    this.onRetry = onRetry;
    this.onAnything = onAnything;
    this.rest = "";
    this.first = true;
    this.lastId = "";
    this.clear();
  }

  clear() {
    this.type = "";
    this.data = [];
  }

  feed(piece) {
    if (this.first && piece !== "") {
      piece = piece.replace(/^\uFEFF/, "");
      this.first = false;
    }
    const all = this.rest + piece;
    // A CR at the very end may be half of a CRLF: wait for what follows.
    const lines = all.split(/\r\n|\n|\r(?!$)/);
    this.rest = lines.pop();
    for (const line of lines) this.line(line);
  }

  line(line) {
    this.onAnything();
    if (line === "") {
      if (this.data.length) {
        this.onEvent({ type: this.type || "message", data: this.data.join("\n"), id: this.lastId });
      }
      this.clear();
      return;
    }
    if (line.startsWith(":")) return;
    const colon = line.indexOf(":");
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "data") this.data.push(value);
    else if (name === "event") this.type = value;
    else if (name === "id" && !value.includes("\0")) this.lastId = value;
    else if (name === "retry" && /^\d+$/.test(value)) this.onRetry(Number(value));
  }
}

const LONGEST_WAIT_MS = 10_000;

/** A stream that comes back by itself, from where it was.
 *
 * onEvent({type, data, id}), onOpen(), onAnything() for each line (comments too),
 * onLost() when a connection ended, onRefused(status) when the server says who are you (401, 403)
 * or there is no such thing (404, 410): then it stops.
 */
export class EventStream {
  constructor(url, { lastId = "", retryMs = 500, ...handlers }) {
    this.url = url;
    this.lastId = lastId;
    this.retryMs = retryMs;
    this.failures = 0;
    this.startedAt = 0;
    this.handlers = handlers;
    this.connection = null;
    this.timer = 0;
  }

  get running() {
    return this.connection !== null || this.timer !== 0;
  }

  start() {
    if (this.connection) return;
    clearTimeout(this.timer);
    this.timer = 0;
    this.startedAt = Date.now();
    this.connection = new AbortController();
    this.read(this.connection).catch(() => {});
  }

  stop() {
    clearTimeout(this.timer);
    this.timer = 0;
    this.connection?.abort();
    this.connection = null;
  }

  /** Drop a connection that went dumb, and try anew at once. */
  restart() {
    this.stop();
    this.start();
  }

  async read(connection) {
    let refused = 0;
    try {
      const headers = { Accept: "text/event-stream" };
      if (this.lastId) headers["Last-Event-ID"] = this.lastId;
      const response = await fetch(this.url, {
        headers,
        signal: connection.signal,
        cache: "no-store",
        credentials: "same-origin",
      });
      if ([401, 403, 404, 410].includes(response.status)) refused = response.status;
      const type = response.headers.get("Content-Type") ?? "";
      if (response.ok && type.startsWith("text/event-stream")) await this.follow(response, connection);
    } catch {
      // Lost on the way: told below, and tried again.
    }
    if (connection !== this.connection) return; // stopped or restarted meanwhile
    this.connection = null;
    if (refused) {
      this.handlers.onRefused?.(refused);
      return;
    }
    this.handlers.onLost?.();
    this.again();
  }

  async follow(response, connection) {
    this.handlers.onOpen?.();
    const parser = new EventParser({
      onEvent: (event) => {
        if (connection !== this.connection) return;
        if (event.id) this.lastId = event.id;
        this.handlers.onEvent(event);
      },
      onRetry: (milliseconds) => (this.retryMs = milliseconds),
      onAnything: () => {
        this.failures = 0;
        this.handlers.onAnything?.();
      },
    });
    const decoder = new TextDecoder();
    const reader = response.body.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done || connection !== this.connection) return;
      parser.feed(decoder.decode(value, { stream: true }));
    }
  }

  again() {
    // Doubling, and a little apart: a hundred boards must not come back in the same instant.
    const wait = Math.min(LONGEST_WAIT_MS, this.retryMs * 2 ** this.failures);
    this.failures = Math.min(this.failures + 1, 10);
    this.timer = setTimeout(() => this.start(), wait * (0.7 + 0.6 * Math.random()));
  }
}
