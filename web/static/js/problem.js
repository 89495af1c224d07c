// What the server says when it refuses: RFC 9457 problem details, with a sentence in both languages and
// the fields it is about: {type, title, status, detail, zh, en,
// errors: [{field | pointer, zh, en, name_zh, name_en}], facts: {field}, name_zh, name_en}.
// A field is called as the form calls it, with the row it stands in; only what the form does not show
// is called as the server calls it.

import { language, text } from "./text.js";

let made = 0;

const say = (thing) => thing[language] ?? thing.sentence ?? thing.detail ?? thing.title ?? "";

function nameOf(error) {
  if (error.field) return plainName(error.field);
  return (error.pointer ?? "").replace(/^#?\//, "").replaceAll("/", ".");
}

/** members[1].name and body.members.1.name: as the form counts, members.1.name. */
const plainName = (name) => name.replace(/\[(\d+)\]/g, ".$1");

const boxOfField = (form, name) => form.querySelector(`[data-field="${CSS.escape(name)}"]`);

/** Where a field is filled in: its input, or what is pressed or filled in first in its table, its
 *  group or its choices. null: the form does not ask for it. */
function inputOf(form, name) {
  const found = form.elements.namedItem(name);
  const input = found instanceof RadioNodeList ? found[0] : found;
  if (input && input.type !== "hidden") return input;
  const inside = "input:not([type=hidden]), select, textarea, button";
  return boxOfField(form, name)?.querySelector(inside) ?? null;
}

/** The words of a label, without those that tell its unit or that it may be empty. */
function wordsOf(label) {
  const copy = label.cloneNode(true);
  for (const beside of copy.querySelectorAll(".optional, .unit, .hint, small, select")) beside.remove();
  return copy.textContent.replace(/\s+/g, " ").trim();
}

/** Row 2 of the table, and its column, as the form shows them. */
function labelInRow(row, cell) {
  const title = row.closest("[data-rows]").querySelector(".rows-title");
  const which = row.querySelector("[data-row-name]").textContent.trim();
  const values = { table: title ? wordsOf(title) : "", row: which };
  const isNamed = row.dataset.head !== undefined;
  const place = isNamed ? text("row_of", values) : text("row_numbered", values);
  const column = cell?.dataset.label;
  return column ? text("cell_of", { place, column }) : place;
}

/** What the form itself calls a field; "" if it does not show it. */
function labelOf(form, name) {
  const input = inputOf(form, name);
  const row = input?.closest("[data-acting-row]");
  if (row && form.contains(row) && /\.\d+(\.|$)/.test(name)) {
    return labelInRow(row, input.closest("td"));
  }
  const box = boxOfField(form, name);
  const title = box?.querySelector(":scope > legend, :scope > .rows-title");
  if (title) return wordsOf(title);
  if (!input) return box ? wordsOf(box.querySelector("label") ?? box) : "";
  const group = input.closest("fieldset.acting-group")?.querySelector(":scope > legend");
  const choice = ["radio", "checkbox"].includes(input.type) && input.closest("fieldset.choices");
  const label = (choice && choice.querySelector("legend")) || input.labels?.[0];
  const told = input.tagName === "BUTTON" ? input.closest("[role=group]") : input;
  const own = label ? wordsOf(label) : (told?.getAttribute("aria-label") ?? "");
  return group && own ? text("cell_of", { place: wordsOf(group), column: own }) : own;
}

/** What is wrong, with the words for its field. */
function named(form, error) {
  const name = labelOf(form, nameOf(error)) || error[`name_${language}`];
  return name ? text("field_said", { name, sentence: say(error) }) : say(error);
}

/** The sentence of a rule about one value, which calls the field as the form does. */
function sayAbout(form, problem, field) {
  const [known, label] = [problem[`name_${language}`], labelOf(form, field)];
  return known && label ? say(problem).replace(known, () => label) : say(problem);
}

export function clearProblem(form) {
  for (const old of form.querySelectorAll(".field-error")) old.remove();
  for (const input of form.querySelectorAll("[data-told]")) {
    input.removeAttribute("aria-invalid");
    const others = (input.getAttribute("aria-describedby") ?? "").split(" ");
    const kept = others.filter((id) => id !== input.dataset.told).join(" ");
    if (kept) input.setAttribute("aria-describedby", kept);
    else input.removeAttribute("aria-describedby");
    delete input.dataset.told;
  }
  const box = form.querySelector("[data-problem]");
  if (box) box.hidden = true;
}

function tellField(input, sentence) {
  const note = document.createElement("p");
  note.className = "field-error";
  note.id = `field-error-${++made}`;
  note.textContent = sentence;
  (input.closest(".field") ?? input.parentElement).append(note);
  input.setAttribute("aria-invalid", "true");
  input.dataset.told = note.id;
  input.dispatchEvent(new CustomEvent("relief:told", { bubbles: true })); // it may be folded away
  const others = input.getAttribute("aria-describedby");
  input.setAttribute("aria-describedby", others ? `${others} ${note.id}` : note.id);
}

function boxOf(form) {
  const known = form.querySelector("[data-problem]");
  if (known) return known;
  const box = document.createElement("div");
  box.className = "problem";
  box.dataset.problem = "";
  box.tabIndex = -1;
  box.setAttribute("role", "alert");
  form.prepend(box);
  return box;
}

/** A list that names each wrong field and leads to it, for who does not see the whole form. */
function waysTo(told) {
  const list = document.createElement("ul");
  for (const [input, sentence] of told) {
    const link = document.createElement("a");
    link.href = `#${input.id}`;
    link.textContent = sentence;
    link.addEventListener("click", (event) => {
      event.preventDefault();
      input.focus();
    });
    const item = document.createElement("li");
    item.append(link);
    list.append(item);
  }
  return list;
}

/** Say it above the form and at its fields, and bring the reader there. What to do next may follow
 *  it: a link {href, words}, a button press {words, act}. */
export function showProblem(form, problem) {
  clearProblem(form);
  // What an earlier step has done is no answer to this one.
  for (const told of document.querySelectorAll("p[data-told]")) told.hidden = true;
  const homeless = [];
  const told = [];
  for (const error of problem.errors ?? []) {
    const input = inputOf(form, nameOf(error));
    if (input) {
      tellField(input, say(error));
      told.push([input, named(form, error)]);
    } else homeless.push(named(form, error));
  }
  // A rule about one value names its field among the facts: told there as well, and the reader is
  // led to it. The sentence stays above the form, too: it may be about another thing's field.
  const field = plainName(problem.facts?.field ?? "");
  const sentence = field ? sayAbout(form, problem, field) : say(problem);
  const about = field && inputOf(form, field);
  if (about && !problem.errors?.length) tellField(about, sentence);
  const box = boxOf(form);
  box.textContent = [sentence || text("try_again"), ...homeless].join(" ");
  if (told.length > 0) box.append(waysTo(told));
  if (problem.link) {
    const link = document.createElement("a");
    link.href = problem.link.href;
    link.textContent = problem.link.words;
    box.append(" ", link);
  }
  if (problem.press) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = problem.press.words;
    button.addEventListener("click", problem.press.act);
    box.append(" ", button);
  }
  box.hidden = false;
  const first = form.querySelector("[data-told]");
  (first ?? box).focus();
}
