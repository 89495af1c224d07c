// The sum of a count while it is typed: good + damaged + missing of a lot against what was shipped.
//
// A form of an arrival stands there with every lot as it left, so what its row began with is what
// the row must come to. The server checks the same.

import { scaled } from "./fields.js";
import { text } from "./text.js";

const FORMS = 'form[data-command="ArriveConsignment"], form[data-command="TurnBackConsignment"]';
const UNIT = 10_000n;

const numbersOf = (row) => [...row.querySelectorAll('input[data-type="int"]')];
const sumOf = (values) => values.reduce((sum, value) => sum + (scaled(value) ?? 0n), 0n) / UNIT;

function tell(row) {
  const numbers = numbersOf(row);
  const wanted = sumOf(numbers.map((one) => one.defaultValue));
  const sum = sumOf(numbers.map((one) => one.value));
  const told = row.querySelector("[data-row-sum]");
  told.textContent = text("sums_to", { sum: String(sum), wanted: String(wanted) });
  told.hidden = sum === wanted;
}

function start(form) {
  for (const row of form.querySelectorAll("[data-acting-row]")) {
    const told = document.createElement("p");
    told.dataset.rowSum = "";
    told.className = "short";
    told.setAttribute("role", "status");
    told.hidden = true;
    row.querySelector("th").append(told);
    row.addEventListener("input", () => tell(row));
    tell(row);
  }
}

for (const form of document.querySelectorAll(FORMS)) start(form);
