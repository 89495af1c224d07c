// What Enter does in a field of a form that sends a command. A browser presses the first button of the
// form: where each button says another thing (a priority, a unit) that is one which nobody chose, and a
// sheet of figures it sends filled in to the first of them. Here Enter goes on instead: to the buttons to
// choose from, in a table to the field below, in a report to the next figure.

const FIELDS = "form[data-form] :is(input, select, textarea)";

const choices = (form) => form.querySelectorAll("button[type=submit][name]");

const isShown = (one) => one.type !== "hidden" && one.getClientRects().length > 0;

const fieldsOf = (row) => [...row.querySelectorAll("input, select, textarea")].filter(isShown);

/** What stands below a field of a table; below its last row what comes after the table. */
function below(field, row) {
  const at = fieldsOf(row).indexOf(field);
  for (let next = row.nextElementSibling; next; next = next.nextElementSibling) {
    const found = fieldsOf(next)[at];
    if (found) return found;
  }
  return row.closest("[data-rows]")?.querySelector("[data-add-row]") ?? field.form.querySelector("button[type=submit]");
}

/** What comes after one figure of a report: the next field that is there to be filled in, or the button. */
function after(field) {
  const all = [...field.form.elements].filter((one) => isShown(one) && one.matches("input, select, textarea, button[type=submit]"));
  return all[all.indexOf(field) + 1];
}

function whereTo(field) {
  const row = field.closest("tr");
  if (row) return below(field, row);
  return field.name.startsWith("figures.") ? after(field) : choices(field.form)[0];
}

/** Ctrl and Enter send from wherever one is: the button of a long table is hundreds of stops away. */
function send(form) {
  const [only, ...others] = form.querySelectorAll("button[type=submit]");
  if (only && others.length === 0) form.requestSubmit(only);
}

function onEnter(event) {
  const field = event.target;
  if (event.key !== "Enter" || event.isComposing || !field.matches(FIELDS)) return;
  if (event.ctrlKey || event.metaKey) return send(field.form);
  if (!field.matches("input") || field.type === "file") return;
  const next = whereTo(field);
  if (!next) return;
  event.preventDefault();
  next.focus();
  if (next.matches("input")) next.select();
}

export function startEnter() {
  document.addEventListener("keydown", onEnter);
}
