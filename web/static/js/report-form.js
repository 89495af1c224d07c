// The arithmetic of a report, as it is typed. It asks, it never blocks: a first report with a slip in
// it is worth more than none.
//
//   <form data-rules="report-rules" data-rules-prefix="figures.">
//   <script type="application/json" id="report-rules">
//     [{"id": "…", "level": "error|warning", "kind": "sum|le|pair",
//       "left": ["a"], "right": ["b", "c"], "zh": "…", "en": "…"}]
//
//   sum   Σ left = Σ right        le   Σ left ≤ Σ right
//   pair  left[i] ≤ right[i], one by one (real-time against cumulative)
//   falls left[0] ≥ before (a cumulative figure; the last version's is in "before")
//   jump  left[0] differs from before by "factor" times and by "absolute": wants a reason, for which
//         the form shows its part [data-jump-reason]
//
// An empty field is not known, so it breaks nothing; but parts that exceed their whole already do.

import { scaled } from "./fields.js";
import { language, text } from "./text.js";

function total(names, values) {
  let known = 0n;
  let complete = names.length > 0;
  for (const name of names) {
    const value = values.get(name) ?? null;
    if (value === null) complete = false;
    else known += value;
  }
  return { known, complete };
}

const SCALE = 10_000n;

const exceeds = (left, right) => right.complete && left.known > right.known;

/** Whether the figures break the rule. values: field → ten-thousandths, or null. */
export function isBroken(rule, values) {
  if (rule.kind === "pair") {
    return rule.left.some((name, at) => exceeds(total([name], values), total([rule.right[at]], values)));
  }
  if (rule.kind === "falls" || rule.kind === "jump") {
    const value = values.get(rule.left[0]) ?? null;
    const before = scaled(rule.before);
    if (rule.kind === "falls") return value === null || value < before;
    if (value === null) return false;
    const [low, high] = value < before ? [value, before] : [before, value];
    return high - low >= BigInt(rule.absolute) * SCALE && high >= low * BigInt(rule.factor);
  }
  const left = total(rule.left, values);
  const right = total(rule.right, values);
  if (rule.kind === "le") return exceeds(left, right);
  if (rule.kind === "sum") {
    const differ = left.complete && right.complete && left.known !== right.known;
    return differ || exceeds(left, right) || exceeds(right, left);
  }
  throw new Error(`rule ${rule.id}: unknown kind ${rule.kind}`);
}

function written(value) {
  if (value === null) return "—";
  const digits = String(value).padStart(5, "0");
  const part = digits.slice(-4).replace(/0+$/, "");
  return digits.slice(0, -4) + (part ? `.${part}` : "");
}

class CheckedForm {
  constructor(form) {
    this.form = form;
    this.prefix = form.dataset.rulesPrefix ?? "";
    this.rules = JSON.parse(document.getElementById(form.dataset.rules).textContent);
    this.summary = form.querySelector("[data-rules-summary]");
    this.reason = form.querySelector("[data-jump-reason]");
    this.notes = new Map();
    // At once with each key, never later or when a field is left: a note that appears between
    // pressing and releasing the button moves it away, and the report is not sent.
    form.addEventListener("input", () => this.check());
    this.check();
  }

  input(name) {
    return this.form.elements.namedItem(this.prefix + name);
  }

  values() {
    const values = new Map();
    for (const name of new Set(this.rules.flatMap((rule) => [...rule.left, ...rule.right]))) {
      values.set(name, scaled(this.input(name)?.value ?? ""));
    }
    return values;
  }

  check() {
    const read = this.values();
    const values = new Map([...read].map(([name, value]) => [name, value ?? null]));
    const unread = [...read.values()].some((value) => value === undefined || value < 0n);
    const questioned = new Set();
    let broken = 0;
    let jumps = 0;
    for (const rule of this.rules) {
      if (isBroken(rule, values)) {
        if (rule.kind === "jump") jumps += 1;
        else broken += 1;
        this.tell(rule, values);
        for (const name of [...rule.left, ...rule.right]) questioned.add(this.prefix + name);
      } else this.untell(rule);
    }
    for (const field of this.form.querySelectorAll("[data-field]")) {
      field.classList.toggle("is-questioned", questioned.has(field.dataset.field));
    }
    if (this.reason && !this.reason.hasAttribute("data-always")) {
      this.reason.hidden = jumps === 0 && !this.reason.querySelector("textarea").value;
    }
    // The table of the parts (split-table.js) has looked at the same keystroke already.
    broken += this.form.querySelectorAll(".split-table .differs").length;
    this.summarize(broken, [...values.values()].some((value) => value !== null), unread);
  }

  tell(rule, values) {
    const place = rule.left.map((name) => this.input(name)).find(Boolean);
    if (!place) return;
    const note = this.notes.get(rule.id) ?? document.createElement("p");
    note.className = `rule-${rule.level}`;
    note.dataset.rule = rule.id;
    const side = (names) => names.map((name) => written(values.get(name) ?? null)).join(" + ");
    const sentence = rule[language];
    if (rule.right.length === 0) note.textContent = text("rule_note", { sentence });
    else {
      note.textContent = text(rule.level === "error" ? "rule_error" : "rule_warning", {
        sentence, left: side(rule.left), right: side(rule.right),
      });
    }
    if (!note.isConnected) (place.closest(".field") ?? place.parentElement).append(note);
    this.notes.set(rule.id, note);
    const folded = place.closest("details");
    if (folded) folded.open = true;
  }

  untell(rule) {
    this.notes.get(rule.id)?.remove();
    this.notes.delete(rule.id);
  }

  /** Nothing is said to add up while one of the figures cannot be read. */
  summarize(broken, started, unread) {
    if (!this.summary) return;
    this.summary.hidden = !started || (unread && !broken);
    this.summary.toggleAttribute("data-broken", broken > 0);
    const sentence = broken ? text("rules_broken", { n: broken }) : text("rules_kept");
    if (this.summary.textContent !== sentence) this.summary.textContent = sentence;
  }
}

/** "Half an hour ago" fills in the store's time, which need not be this device's. */
function offerTimes(place) {
  const input = document.getElementById(place.dataset.times);
  const ahead = Date.parse(place.dataset.now) - Date.now();
  place.addEventListener("click", (event) => {
    const { minutes } = event.target.dataset;
    if (minutes === undefined) return;
    const china = new Date(Date.now() + ahead - minutes * 60_000 + 8 * 3_600_000);
    input.value = china.toISOString().slice(0, 16);
    input.dispatchEvent(new Event("input", { bubbles: true }));
  });
}

/** A field that says something else than last time is marked. */
function markChanges(form) {
  const told = [...form.querySelectorAll("input[data-last]")];
  const update = () => {
    for (const input of told) {
      const same = scaled(input.value) === scaled(input.dataset.last);
      input.closest("[data-field]").classList.toggle("is-changed", !same);
    }
  };
  form.addEventListener("input", update);
  update();
}

export function startReportForms() {
  for (const place of document.querySelectorAll("[data-times]")) offerTimes(place);
  for (const form of document.querySelectorAll(".report-form")) markChanges(form);
  for (const form of document.querySelectorAll("form[data-rules]")) new CheckedForm(form);
}
