// What the server says when it refuses: RFC 9457 problem details, with a sentence in both languages and
// the fields it is about: {type, title, status, detail, zh, en,
// errors: [{field | pointer, zh, en, name_zh, name_en}], facts: {field}}.

import { language, text } from "./text.js";

let made = 0;

const say = (thing) => thing[language] ?? thing.sentence ?? thing.detail ?? thing.title ?? "";

function nameOf(error) {
  if (error.field) return error.field;
  return (error.pointer ?? "").replace(/^#?\//, "").replaceAll("/", ".");
}

/** What is wrong, with the words for its field: no input stands beside it. */
function named(error) {
  const name = error[`name_${language}`];
  return name ? text("field_said", { name, sentence: say(error) }) : say(error);
}

function inputOf(form, name) {
  const found = form.elements.namedItem(name);
  return found instanceof RadioNodeList ? found[0] : found;
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

/** Several fields are wrong: a list that leads to each of them, for who does not see the whole form. */
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
  const homeless = [];
  const told = [];
  for (const error of problem.errors ?? []) {
    const input = inputOf(form, nameOf(error));
    if (input && input.type !== "hidden") {
      tellField(input, say(error));
      told.push([input, named(error)]);
    } else homeless.push(named(error));
  }
  // A rule about one value names its field among the facts: told there as well, and the reader is
  // led to it. The sentence stays above the form, too: it may be about another thing's field.
  const about = problem.facts?.field && inputOf(form, problem.facts.field);
  if (about && about.type !== "hidden" && !problem.errors?.length) tellField(about, say(problem));
  const box = boxOf(form);
  box.textContent = [say(problem) || text("try_again"), ...homeless].join(" ");
  if (told.length > 1) box.append(waysTo(told));
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
