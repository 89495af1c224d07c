// Forms that send a command and show what came back.
//
//   <form id="report" data-form data-subject="…" action="/reports" method="post" data-next="/report/{report}">
//
// Fields become JSON by their data-type (see fields.js). What is typed is kept until it is booked
// (draft.js). A try without a definite answer is repeated with its key, so that it is booked once;
// a changed body is a new command with a key of its own (instance.js). A refusal is an answer, so
// after it the next try has a new key too. Ids made here (data-type="uuid") stay until success. Who
// corrects a form whose answer was lost is not guessed about: the server is asked for the receipt of
// the earlier try (before the new one is sent, and again if that is refused, for the earlier one may
// still have been on its way). If it was booked, its writer is brought to what was booked:
//
//   data-booked="/report/{report}"            where that is, if not here; {names} are the ids made here
//   data-carry="report-follow_up"             the form that takes what was typed since, for that subject
//
// A place in the address, {number}, takes the field of that name, which is then in no body.
//
// data-next is where to go after success; {names} are filled in from the result. data-done is the
// sentence that is said there (told.js).
// data-if-match is the version a person saw: the server refuses (412) if there is a newer one.

import { logInAndBack, send } from "./csrf.js";
import { Draft, tellDrafts } from "./draft.js";
import { BadField, collect } from "./fields.js";
import { Instance, undecided } from "./instance.js";
import { clearProblem, showProblem } from "./problem.js";
import { startRows } from "./rows.js";
import { announce, text } from "./text.js";
import { keepTold } from "./told.js";

const TIMEOUT_MS = 30_000;
const SEE_NOW = { words: text("see_now"), act: () => location.reload() };

const filled = (address, values) =>
  address.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(values?.[name] ?? ""));

/** The address, with fields of the body in its places; they leave the body. */
function placed(address, body) {
  return address.replace(/\{(\w+)\}/g, (_, name) => {
    const value = body[name] ?? "";
    if (value === "") throw new BadField([{ field: name, zh: text("choose"), en: text("choose") }]);
    delete body[name];
    return encodeURIComponent(value);
  });
}

/** What was done, in words: what the button says, or, where the buttons are what can be chosen, the form. */
function actOf(form, button) {
  const said = button?.textContent.trim() ?? "";
  if (!button?.name) return { act: said, choice: "" };
  const choice = button.querySelector("b")?.textContent.trim() ?? said;
  return { act: form.getAttribute("aria-label") ?? "", choice };
}

class CommandForm {
  constructor(form) {
    this.form = form;
    this.instance = Instance.of(form);
    this.sending = false;
    this.words = new Map(); // what stands on its buttons while they say that it is sent
    form.noValidate = true; // the server's sentences and ours, not the browser's bubbles
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit(event.submitter);
    });
    this.draft = new Draft(form, this.instance);
  }

  async submit(button) {
    if (this.sending) return;
    clearProblem(this.form);
    if (this.draft.asks() && !this.instance.read().pending) return;
    let body;
    let nows;
    let address;
    try {
      [body, nows] = collect(this.form, button, (field) => this.instance.id(field));
      address = placed(button?.getAttribute("formaction") ?? this.form.getAttribute("action"), body);
    } catch (error) {
      if (!(error instanceof BadField)) throw error;
      showProblem(this.form, { sentence: text("refused"), errors: error.errors });
      return;
    }
    const act = actOf(this.form, button);
    this.busy(true);
    try {
      await this.exchange(address, body, nows, act);
    } finally {
      this.busy(false);
    }
  }

  async exchange(address, body, nows, act) {
    const { ifMatch } = this.form.dataset;
    const attempt = this.instance.attempt(address, body, nows, ifMatch, this.draft.said());
    if (await this.wasBooked()) return;
    if (this.draft.asks()) return;
    this.draft.keepAll();
    const headers = { "Idempotency-Key": attempt.key };
    if (attempt.ifMatch) headers["If-Match"] = attempt.ifMatch;
    let response;
    let answer;
    try {
      response = await send(address, {
        method: (this.form.dataset.method ?? "POST").toUpperCase(),
        body: attempt.body,
        headers,
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      answer = await response.json().catch(() => ({}));
    } catch {
      showProblem(this.form, { sentence: text("offline") });
      return;
    }
    if (response.status >= 400 && (await this.wasBooked())) return;
    this.instance.answered(response.status);
    if (!response.ok && !this.instance.read().pending) this.draft.prune(undecided(response.status));
    if (response.ok) this.done(answer, act);
    else if (response.status === 409 && (await this.isOver())) this.failed(409, { ...answer, press: SEE_NOW });
    else this.failed(response.status, answer);
  }

  /** Whether somebody has done this step, or another, since the page was made: it is not open now. */
  async isOver() {
    const { command, subject } = this.form.dataset;
    const kind = this.form.closest("[data-acts]")?.dataset.acts;
    if (!kind) return false;
    try {
      const asked = await send(`/v1/actions/${kind}/${subject.split(" ")[0]}`, { signal: AbortSignal.timeout(TIMEOUT_MS) });
      const { actions } = await asked.json();
      return actions.some((one) => one.command === command && !one.open);
    } catch {
      return false; // the refusal is said without it
    }
  }

  /** Whether a try before this one was booked: then that is told here. Also true if nobody can say
   *  so now: nothing more is sent before that is known. */
  async wasBooked() {
    for (const earlier of this.instance.earlier()) {
      let answer;
      try {
        answer = await send(`/v1/receipts/${earlier.key}`, { signal: AbortSignal.timeout(TIMEOUT_MS) });
      } catch {
        showProblem(this.form, { sentence: text("offline") });
        return true;
      }
      if (answer.ok) {
        this.booked(earlier, (await answer.json().catch(() => ({}))).position);
        return true;
      }
      if (answer.status !== 404) {
        this.failed(answer.status, {});
        return true;
      }
    }
    return false;
  }

  done(answer, act) {
    const happened = new CustomEvent("relief:done", { bubbles: true, cancelable: true, detail: answer });
    if (!this.form.dispatchEvent(happened)) return;
    announce(text("sent"));
    keepTold(this.form, act);
    const next = new URL(filled(this.form.dataset.next ?? location.href, answer.result), location.href);
    if (answer.position !== undefined) next.searchParams.set("after", answer.position);
    location.assign(next);
  }

  /** An earlier try was booked, and its answer lost. What was typed since is carried to the form for
   *  the next version, or stays here to be sent as another one. */
  booked(earlier, position) {
    const { booked = location.href, carry, subject } = this.form.dataset;
    const ids = this.instance.ids();
    const there = new URL(filled(booked, ids), location.href);
    if (position !== undefined) there.searchParams.set("after", position);
    if (carry) {
      const fields = this.draft.since(earlier.fields);
      const version = String(Number(earlier.ifMatch ?? 0) + 1);
      this.instance.forget();
      if (Object.keys(fields).length > 0) {
        const next = new Instance(carry, Object.values(ids)[0] ?? subject);
        next.write({ draft: { fields, version, at: Date.now() } });
      }
      location.assign(there);
      return;
    }
    showProblem(this.form, {
      sentence: text("booked"),
      link: { href: there.pathname + there.search, words: text("booked_open") },
      press: {
        words: text("booked_another"),
        act: () => {
          this.instance.write({ ids: {}, pending: undefined, earlier: [] });
          this.submit();
        },
      },
    });
  }

  failed(status, problem) {
    if (status === 401) {
      const link = { href: logInAndBack(), words: text("log_in") };
      showProblem(this.form, { sentence: text("log_in_again"), link });
    } else if (status === 403 && problem.type?.endsWith("/csrf-token-missing")) {
      // Somebody logged in since in another tab: who it is, the page says that is read again.
      const press = { words: text("read_again"), act: () => location.reload() };
      showProblem(this.form, { sentence: text("page_old"), press });
    } else if (status === 412) {
      const press = { words: text("see_newer"), act: () => location.reload() };
      showProblem(this.form, { sentence: text("newer"), press });
    } else if (undecided(status) && !problem.type) {
      showProblem(this.form, { sentence: text("try_again") });
    } else showProblem(this.form, problem);
  }

  busy(on) {
    this.sending = on;
    this.form.setAttribute("aria-busy", String(on));
    for (const button of this.form.querySelectorAll("button[type=submit]")) {
      button.disabled = on;
      if (on) this.words.set(button, [...button.childNodes]);
      button.replaceChildren(...(on ? [text("sending")] : this.words.get(button)));
    }
    if (on) announce(text("sending"));
  }
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
    form.autocomplete = "off"; // draft.js keeps it, for its writer: the browser would, for anybody
    startRows(form, Object.keys(Instance.of(form).read().draft?.fields ?? {}));
    new CommandForm(form);
    const { pressedEarly } = form; // hold.js kept a press that came before us
    if (pressedEarly) form.requestSubmit(pressedEarly === true ? undefined : pressedEarly);
  }
}

export function startForms() {
  startCommands(document);
  document.addEventListener("htmx:afterSettle", () => startCommands(document));
  // A page that was left comes back as it was, with whatever its reader of then had typed.
  addEventListener("pageshow", (event) => event.persisted && location.reload());
  for (const form of document.querySelectorAll("form[data-plain]")) guardPlain(form);
  tellDrafts(Instance);
}
