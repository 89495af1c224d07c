// Tables of a form whose rows are typed: goods of an order, counts of an arrival.
//
//   <div data-rows="lines">  <table><tbody><tr data-acting-row>…</tr></tbody></table>
//     <template><tr data-acting-row>… name="lines.N.item" …</tr></template>
//     <button type="button" data-add-row>
//
// A row that says nothing is not sent, and those that are sent are counted without a gap: what the
// server says of lines.1 stands at the second row that was filled in. With data-kept all rows are
// there from the beginning, and every one of them is sent.
//
//   <tr data-acting-row data-head="…">  the page brings the row: what it is about, not where it stands

const NUMBERED = ["name", "id", "for", "aria-labelledby", "aria-describedby"];

const boxes = (form) => form.querySelectorAll("[data-rows]");
const rowsOf = (box) => [...box.querySelectorAll("tbody > [data-acting-row]")];
const fieldsOf = (row) => [...row.querySelectorAll("input, select, textarea")];

const isBox = (element) => ["checkbox", "radio"].includes(element.type);

/** What the page itself had put into a field. */
function before(element) {
  if (element.tagName !== "SELECT") return element.defaultValue;
  const chosen = [...element.options].find((option) => option.defaultSelected) ?? element.options[0];
  return chosen?.value ?? "";
}

/** Whether somebody said something here. In a row that the page brought (data-begun) what it brought
 *  counts, in a new one it does not. */
function says(element, begun) {
  if (element.type === "hidden") return false;
  if (isBox(element)) return element.checked && (begun || !element.defaultChecked);
  return element.value.trim() !== "" && (begun || element.value !== before(element));
}

function isBlank(row) {
  if (row.closest("[data-kept]")) return false;
  return !fieldsOf(row).some((element) => says(element, "begun" in row.dataset));
}

/** The name by which this tab remembers a field. Where a row stands that the page brought says
 *  nothing: another page, or the next application, brings another household there. */
export function keptAs(element) {
  const row = element.closest("[data-acting-row][data-head]");
  if (!row) return element.name;
  const table = row.closest("[data-rows]").dataset.rows;
  const rest = element.name.slice(table.length + 1);
  return `${table}[${row.dataset.head}]${rest.slice(rest.indexOf("."))}`;
}

/** Whether a remembered name is of a row that a page brings. */
export const isOfHead = (name) => name.includes("[");

/** Whether a field stands in a row that says nothing, or in a group that may be empty and is. */
export function isSkipped(element) {
  const row = element.closest?.("[data-acting-row]");
  const group = element.closest?.("[data-may-be-empty]");
  if (group && !fieldsOf(group).some((one) => says(one, false))) return true;
  return Boolean(row) && isBlank(row);
}

function number(box, row, at) {
  const name = `${box.dataset.rows}.`;
  for (const element of fieldsOf(row)) {
    if (!element.name.startsWith(name)) continue;
    const rest = element.name.slice(name.length);
    element.name = `${name}${at}${rest.slice(rest.indexOf("."))}`;
    const field = element.closest("[data-field]");
    if (field && row.contains(field)) field.dataset.field = element.name.split(":")[0];
  }
}

/** Count the rows anew: first those that say something, then the others. */
export function countRows(form) {
  for (const box of boxes(form)) {
    const rows = rowsOf(box);
    const said = rows.filter((row) => !isBlank(row));
    [...said, ...rows.filter((row) => !said.includes(row))].forEach((row, at) => number(box, row, at));
  }
}

function nextNumber(box) {
  const start = `${box.dataset.rows}.`;
  const known = rowsOf(box).flatMap(fieldsOf).filter((one) => one.name.startsWith(start));
  return 1 + Math.max(-1, ...known.map((one) => Number(one.name.slice(start.length).split(".")[0])));
}

function add(box) {
  const made = box.querySelector("template").content.firstElementChild.cloneNode(true);
  const at = nextNumber(box);
  for (const element of [made, ...made.querySelectorAll("*")]) {
    for (const attribute of NUMBERED) {
      const value = element.getAttribute(attribute);
      if (value) element.setAttribute(attribute, value.replace(/([.-])N(?=[.-])/g, `$1${at}`));
    }
  }
  made.querySelector("[data-row-name]").textContent = String(rowsOf(box).length + 1);
  box.querySelector("tbody").append(made);
  return made;
}

function take(box, row) {
  const next = row.nextElementSibling ?? row.previousElementSibling;
  for (const element of fieldsOf(row)) {
    if (isBox(element)) element.checked = element.defaultChecked;
    else if (element.type !== "hidden") element.value = before(element);
    element.dispatchEvent(new Event("input", { bubbles: true })); // draft.js forgets it
  }
  row.remove();
  rowsOf(box).forEach((one, at) => (one.querySelector("[data-row-name]").textContent = String(at + 1)));
  (next?.querySelector("[data-take-row]") ?? box.querySelector("[data-add-row]")).focus();
}

/** Ready the tables of a form. kept: names of fields that were typed before and are put back: their
 *  rows are made first. */
export function startRows(form, kept) {
  for (const box of boxes(form)) {
    const button = box.querySelector("[data-add-row]");
    if (!button) continue;
    const start = `${box.dataset.rows}.`;
    const wanted = kept.filter((name) => name.startsWith(start)).map((name) => Number(name.slice(start.length).split(".")[0]));
    while (wanted.some((at) => at >= nextNumber(box))) add(box);
    button.addEventListener("click", () => {
      fieldsOf(add(box)).find((one) => one.type !== "hidden")?.focus();
    });
    box.addEventListener("click", (event) => {
      const pressed = event.target.closest("[data-take-row]");
      if (pressed) take(box, pressed.closest("[data-acting-row]"));
    });
  }
}
