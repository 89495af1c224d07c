// What somebody typed and did not send: kept in this tab, told with its age, and never put over
// figures that are newer than it without asking.
//
// Only what a person touched is kept, each with the value the page had then (was), and the version
// of the subject the page was made from (data-version, else If-Match). On a page of a later version
// a field that says something else now is not filled in: both values are shown, and a person chooses.

import { isOfHead, keptAs } from "./rows.js";
import { ago, announce, text } from "./text.js";

// An ID number (data-unkept) is not: it stays in no browser, and is typed again. Nor is what only the
// page says, in a field that nobody sees: the next page says it anew.
const isKept = (element) =>
  element.name &&
  element.tagName !== "BUTTON" &&
  !("unkept" in element.dataset) &&
  !element.hidden &&
  !["hidden", "password", "file"].includes(element.type);

/** What an element says, as something to keep; a radio group speaks through its checked button. */
function valueOf(element) {
  if (element.type === "checkbox") return element.checked;
  if (element.multiple) return [...element.selectedOptions].map((option) => option.value);
  return element.value;
}

/** What the page itself put there. */
function pageValue(form, element) {
  if (element.type === "checkbox") return element.defaultChecked;
  if (element.type === "radio") {
    const group = [...form.elements].filter((one) => one.name === element.name);
    return group.find((one) => one.defaultChecked)?.value ?? "";
  }
  if (element.tagName === "SELECT") {
    const chosen = [...element.options].filter((option) => option.defaultSelected);
    if (element.multiple) return chosen.map((option) => option.value);
    return (chosen[0] ?? element.options[0])?.value ?? "";
  }
  return element.defaultValue;
}

const equal = (one, other) => JSON.stringify(one) === JSON.stringify(other);

function put(element, value) {
  if (element.type === "checkbox") element.checked = value;
  else if (element.type === "radio") element.checked = element.value === value;
  else if (element.multiple) {
    for (const option of element.options) option.selected = value.includes(option.value);
  } else element.value = value;
}

/** Others listen to a field, not to us. */
function tellOthers(element) {
  for (const type of ["input", "change"]) {
    element.dispatchEvent(new CustomEvent(type, { bubbles: true, detail: { kept: true } }));
  }
}

function button(words, press) {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = words;
  made.addEventListener("click", press);
  return made;
}

function said(element, value) {
  if (value === true || value === false) return text(value ? "yes" : "no");
  if (element.type === "radio") {
    const named = element.form.querySelector(`[name="${CSS.escape(element.name)}"][value="${CSS.escape(value)}"]`);
    return named?.labels?.[0]?.textContent.trim() ?? value;
  }
  const option = [...(element.options ?? [])].find((one) => one.value === value);
  const words = option ? option.textContent.trim() : String(value).replace("T", " ");
  return words === "" ? text("left_empty") : words;
}

function nameOf(element) {
  const legend = element.type === "radio" ? element.closest("fieldset")?.querySelector("legend") : null;
  const label = legend ?? element.labels?.[0];
  return (element.getAttribute("aria-label") ?? label?.textContent ?? element.name).trim().replace(/\s+/g, " ");
}

export class Draft {
  constructor(form, instance) {
    this.form = form;
    this.instance = instance;
    this.version = form.dataset.version ?? form.dataset.ifMatch ?? null;
    this.open = new Map(); // name → its row: not chosen yet
    this.begin();
    form.addEventListener("input", (event) => {
      if (!event.detail?.kept && isKept(event.target)) this.keep([event.target]);
    });
    form.addEventListener("relief:grown", (event) => this.restore(event.detail));
  }

  elements() {
    return [...this.form.elements].filter(isKept);
  }

  known() {
    return this.instance.read().draft ?? null;
  }

  /** What was typed before is put back, or asked about; then it is based on this page's version. */
  begin() {
    this.dropAbsent();
    const draft = this.known();
    if (!draft) return;
    this.before = draft;
    this.restore(this.elements());
    if (Object.values(draft.fields).some(({ was }) => was === undefined)) this.settle();
    this.before = this.known() ?? this.before;
    if (this.known()) this.tell();
  }

  /** What was typed for a row that this page does not bring is of no row here. */
  dropAbsent() {
    const draft = this.known();
    if (!draft) return;
    const here = new Set(this.elements().map(keptAs));
    const left = Object.entries(draft.fields).filter(([name]) => !isOfHead(name) || here.has(name));
    if (left.length === Object.keys(draft.fields).length) return;
    this.instance.write({ draft: left.length ? { ...draft, fields: Object.fromEntries(left) } : undefined });
  }

  /** Carried from another form: what this one has no field for, or says anyway, is no draft. */
  settle() {
    const here = this.elements().filter((one) => {
      const name = keptAs(one);
      return this.before.fields[name] && !this.open.has(name);
    });
    const waiting = ([name]) => this.open.has(name) || name.startsWith("split.");
    const fields = Object.fromEntries(Object.entries(this.before.fields).filter(waiting));
    this.instance.write({ draft: { ...this.before, fields } });
    this.keep(here);
  }

  /** Refused: what the page itself had put there is no longer worth keeping; all the same it is kept
   *  for who is asked to log in again (whole) and typed something. */
  prune(whole = false) {
    const draft = this.known();
    if (!draft) return;
    const touched = Object.entries(draft.fields).filter(([, { value, was }]) => !equal(value, was));
    if (whole && touched.length) return;
    const fields = Object.fromEntries(touched);
    this.instance.write({ draft: touched.length ? { ...draft, fields } : undefined });
  }

  restore(elements) {
    if (!this.before) return;
    const { fields, version } = this.before;
    const later = version !== null && this.version !== null && version !== this.version;
    const seen = new Set();
    for (const element of elements) {
      const name = keptAs(element);
      const kept = fields[name];
      if (kept === undefined) continue;
      const now = pageValue(this.form, element);
      const untouched = equal(kept.value, kept.was);
      if (later && untouched) continue; // sent as the page had it: the page has it better now
      if (untouched && "now" in element.dataset) continue; // the moment of another press
      if (later && !equal(kept.was, now) && !equal(kept.value, now)) {
        if (!seen.has(name)) this.ask(element, kept.value, now);
      } else {
        put(element, kept.value);
        if (!seen.has(name)) tellOthers(element);
      }
      seen.add(name);
      const folded = untouched ? null : element.closest("details");
      if (folded) folded.open = true;
    }
  }

  /** Keep what these elements say, each beside what the page had. */
  keep(elements) {
    const draft = this.known() ?? { fields: {} };
    const fields = { ...draft.fields };
    for (const element of elements) {
      if (element.type === "radio" && !element.checked) continue;
      const value = valueOf(element);
      const was = pageValue(this.form, element);
      if (equal(value, was) && !this.instance.read().pending) delete fields[keptAs(element)];
      else fields[keptAs(element)] = { value, was };
    }
    if (Object.keys(fields).length === 0) this.instance.write({ draft: undefined });
    else this.instance.write({ draft: { fields, version: this.stillBased(), at: Date.now() } });
  }

  /** While something is undecided the draft stays one of the version it was typed on. */
  stillBased() {
    return this.open.size > 0 ? this.before.version : this.version;
  }

  /** All that is sent, touched or not: a reload must be able to send the same again. */
  keepAll() {
    this.instance.write({ draft: { fields: this.said(), version: this.version, at: Date.now() } });
  }

  /** What every field says now, beside what the page had. */
  said() {
    const fields = {};
    for (const element of this.elements()) {
      if (element.type === "radio" && !element.checked) continue;
      fields[keptAs(element)] = { value: valueOf(element), was: pageValue(this.form, element) };
    }
    return fields;
  }

  /** What a person typed, without what the fields of an earlier try said already. */
  since(earlier) {
    const typed = Object.entries(this.known()?.fields ?? {});
    const changed = typed.filter(([name, { value }]) => !equal(value, earlier?.[name]?.value));
    return Object.fromEntries(changed.map(([name, { value }]) => [name, { value }]));
  }

  tell() {
    const count = Object.values(this.before.fields).filter((one) => !equal(one.value, one.was)).length;
    const told = document.createElement("div");
    told.className = "draft";
    told.dataset.draft = "";
    told.setAttribute("role", "status");
    const sentence = document.createElement("p");
    const age = ago(Date.now() - this.before.at);
    sentence.textContent = text(this.instance.read().pending ? "draft_unanswered" : "draft_kept", { age, n: count });
    told.append(sentence, button(text("draft_discard"), () => this.discard()));
    this.told?.remove();
    this.told = told;
    this.form.prepend(told);
  }

  discard() {
    this.instance.discard();
    this.before = null;
    for (const row of this.open.values()) row.remove();
    this.open.clear();
    this.asked?.remove();
    this.told?.remove();
    this.form.reset();
    for (const element of this.elements()) tellOthers(element);
    announce(text("draft_discarded"));
    this.elements()[0]?.focus();
  }

  /** Both values of a field, and a button for each. */
  ask(element, mine, now) {
    if (!this.asked) {
      this.asked = document.createElement("div");
      this.asked.className = "draft draft-asks";
      this.asked.dataset.draftAsks = "";
      this.asked.tabIndex = -1;
      const sentence = document.createElement("p");
      sentence.textContent = text("draft_newer");
      this.asked.append(sentence);
      this.form.prepend(this.asked);
    }
    const row = document.createElement("div");
    row.className = "buttons";
    const name = document.createElement("b");
    name.textContent = nameOf(element);
    const choose = (value) => () => this.chosen(element, value);
    row.append(
      name,
      button(text("draft_mine", { value: said(element, mine) }), choose(mine)),
      button(text("draft_now", { value: said(element, now) }), choose(now)),
    );
    this.asked.append(row);
    this.open.set(keptAs(element), row);
  }

  chosen(element, value) {
    const name = keptAs(element);
    for (const one of this.elements()) if (keptAs(one) === name) put(one, value);
    this.open.get(name)?.remove();
    this.open.delete(name);
    tellOthers(element);
    this.keep(this.elements().filter((one) => keptAs(one) === name));
    const next = this.open.values().next().value?.querySelector("button");
    if (next) next.focus();
    else {
      this.asked.remove();
      this.asked = null;
      element.focus();
    }
  }

  /** Whether something must be chosen first; if so the reader is brought there. */
  asks() {
    if (this.open.size === 0) return false;
    this.asked.focus();
    return true;
  }
}

/** Elsewhere: a page says that something typed for a form of this subject was not sent.
 *
 *  <p data-draft-of="report-follow_up" data-subject="…" hidden>…<b data-draft-age></b>…</p>
 */
export function tellDrafts(Instance) {
  for (const place of document.querySelectorAll("[data-draft-of]")) {
    const { draft } = new Instance(place.dataset.draftOf, place.dataset.subject).read();
    if (!draft) continue;
    place.querySelector("[data-draft-age]").textContent = ago(Date.now() - draft.at);
    place.hidden = false;
  }
}
