// Forms that send a command and show what came back.
//
//   <form id="report" data-form action="/reports" method="post" data-next="/report/{report}" data-keep>
//
// Fields become JSON by their data-type (see fields.js). One form instance has one Idempotency-Key, kept
// in this tab until a definite answer came: who presses again after a broken connection repeats
// the same command, and it is booked once. A refusal is an answer (the server repeats a stored
// one), so after it the next try has a new key. Ids made here (data-type="uuid") stay until success.
// data-next is where to go then; {names} are filled in from the result. data-keep keeps the unsent entries of this tab over a reload or a new log-in.

import { send, uuid } from "./csrf.js";
import { BadField, collect } from "./fields.js";
import { clearProblem, showProblem } from "./problem.js";
import { announce, text } from "./text.js";

const TIMEOUT_MS = 30_000;
const UNDECIDED = new Set([0, 401, 403, 408, 425, 429, 500, 502, 503, 504]);

const officer = () => document.querySelector('meta[name="officer"]')?.content ?? "";

/** What this tab remembers of a form that has not got its answer yet. */
export class Instance {
  constructor(element) {
    const name = element.id || element.getAttribute("action") || element.getAttribute("hx-post");
    this.place = `relief:${officer()}:${location.pathname}:${name}`;
  }

  read() {
    return JSON.parse(sessionStorage.getItem(this.place) ?? "{}");
  }

  write(change) {
    sessionStorage.setItem(this.place, JSON.stringify({ ...this.read(), ...change }));
  }

  key() {
    const known = this.read().key;
    if (known) return known;
    const key = uuid();
    this.write({ key });
    return key;
  }

  id(field) {
    const ids = this.read().ids ?? {};
    if (!ids[field]) this.write({ ids: { ...ids, [field]: uuid() } });
    return this.read().ids[field];
  }

  /** The server has decided. 2xx: all is forgotten; a refusal: the next try is a new command. */
  answered(status) {
    if (UNDECIDED.has(status)) return;
    if (status < 400) sessionStorage.removeItem(this.place);
    else this.write({ key: undefined });
  }
}

class CommandForm {
  constructor(form) {
    this.form = form;
    this.instance = new Instance(form);
    this.sending = false;
    form.noValidate = true; // the server's sentences and ours, not the browser's bubbles
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit(event.submitter);
    });
    if ("keep" in form.dataset) this.keepDraft();
  }

  async submit(button) {
    if (this.sending) return;
    clearProblem(this.form);
    let body;
    try {
      body = collect(this.form, button, (field) => this.instance.id(field));
    } catch (error) {
      if (!(error instanceof BadField)) throw error;
      showProblem(this.form, { sentence: text("refused"), errors: error.errors });
      return;
    }
    this.busy(true);
    try {
      await this.exchange(body, button);
    } finally {
      this.busy(false);
    }
  }

  async exchange(body, button) {
    const headers = { "Idempotency-Key": this.instance.key() };
    if (this.form.dataset.ifMatch) headers["If-Match"] = this.form.dataset.ifMatch;
    let response;
    let answer;
    try {
      response = await send(button?.getAttribute("formaction") ?? this.form.getAttribute("action"), {
        method: (this.form.dataset.method ?? "POST").toUpperCase(),
        body,
        headers,
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      answer = await response.json().catch(() => ({}));
    } catch {
      showProblem(this.form, { sentence: text("offline") });
      return;
    }
    this.instance.answered(response.status);
    if (response.ok) this.done(answer);
    else this.failed(response.status, answer);
  }

  done(answer) {
    const happened = new CustomEvent("relief:done", { bubbles: true, cancelable: true, detail: answer });
    if (!this.form.dispatchEvent(happened)) return;
    announce(text("sent"));
    const given = (_, name) => encodeURIComponent(answer.result?.[name] ?? "");
    const next = new URL((this.form.dataset.next ?? location.href).replace(/\{(\w+)\}/g, given), location.href);
    if (answer.position !== undefined) next.searchParams.set("after", answer.position);
    location.assign(next);
  }

  failed(status, problem) {
    if (status === 401) showProblem(this.form, { sentence: text("log_in_again"), logIn: true });
    else if (UNDECIDED.has(status) && !problem.type) {
      showProblem(this.form, { sentence: text("try_again") });
    } else showProblem(this.form, problem);
  }

  busy(on) {
    this.sending = on;
    this.form.setAttribute("aria-busy", String(on));
    for (const button of this.form.querySelectorAll("button[type=submit]")) {
      button.disabled = on;
      if (on) button.dataset.words ??= button.textContent;
      button.textContent = on ? text("sending") : button.dataset.words;
    }
    if (on) announce(text("sending"));
  }

  keepDraft() {
    const kept = () =>
      [...this.form.elements].filter((e) => e.name && !["hidden", "password", "file"].includes(e.type));
    const restore = (elements) => {
      const draft = this.instance.read().draft ?? {};
      for (const element of elements) {
        const value = draft[element.name];
        if (value === undefined) continue;
        if (element.type === "checkbox") element.checked = value;
        else if (element.type === "radio") element.checked = element.value === value;
        else element.value = value;
      }
    };
    if (this.instance.read().draft) {
      restore(kept());
      announce(text("draft_kept"));
    }
    this.form.addEventListener("relief:grown", (event) => restore(event.detail));
    this.form.addEventListener("input", () => {
      const values = {};
      for (const element of kept()) {
        if (element.type === "checkbox") values[element.name] = element.checked;
        else if (element.type !== "radio" || element.checked) values[element.name] = element.value;
      }
      this.instance.write({ draft: values });
    });
  }
}

/** Forms and buttons that htmx sends repeat their key in the same way. */
function keyHtmxWrites() {
  const isWrite = (event) => event.detail.requestConfig?.verb !== "get";
  document.addEventListener("htmx:configRequest", (event) => {
    if (event.detail.verb !== "get") {
      event.detail.headers["Idempotency-Key"] = new Instance(event.detail.elt).key();
    }
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    if (isWrite(event)) new Instance(event.detail.elt).answered(event.detail.xhr.status);
  });
}

/** A plain form (log-in) must not be sent twice by an impatient thumb. */
function guardPlain(form) {
  const set = (on) => {
    for (const button of form.querySelectorAll("button[type=submit]")) button.disabled = on;
  };
  form.addEventListener("submit", () => setTimeout(() => set(true), 0));
  addEventListener("pageshow", () => set(false));
}

/** Commands under an element that are not forms of ours yet: a board brings new ones. */
function startCommands(root) {
  for (const form of root.querySelectorAll("form[data-form]:not([data-ready])")) {
    form.dataset.ready = "";
    new CommandForm(form);
    const { pressedEarly } = form; // hold.js kept a press that came before us
    if (pressedEarly) form.requestSubmit(pressedEarly === true ? undefined : pressedEarly);
  }
}

export function startForms() {
  startCommands(document);
  document.addEventListener("htmx:afterSettle", () => startCommands(document));
  for (const form of document.querySelectorAll("form[data-plain]")) guardPlain(form);
  keyHtmxWrites();
}
