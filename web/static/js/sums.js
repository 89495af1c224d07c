// The sums of a table's columns while they are typed, against what there is of what was picked.
//
//   <td data-sum="grants.N.cash_fen">    the sum of grants.0.cash_fen, grants.1.cash_fen …
//   <option data-most='{"grants.cash_fen": 120000}'>    once it is picked, no more than that is there
//
// The server counts again, and refuses what is not there.

import { scaled } from "./fields.js";
import { text } from "./text.js";

const UNIT = 10_000n;
const CHOSEN = "option:checked[data-most], input:checked[data-most]";

/** The inputs of a column, in its rows. */
function column(form, name) {
  const [before, after] = name.split(".N.");
  const wanted = (one) => one.name.startsWith(`${before}.`) && one.name.slice(before.length + 1).replace(/^\d+\./, "") === after;
  return [...form.querySelectorAll("tbody [data-acting-row] input")].filter(wanted);
}

function most(form, name, money) {
  const key = name.replace(".N.", ".");
  for (const one of form.querySelectorAll(CHOSEN)) {
    const found = JSON.parse(one.dataset.most)[key];
    if (found !== undefined) return BigInt(found) * (money ? UNIT / 100n : UNIT);
  }
  return null;
}

function shown(value, money) {
  const whole = String(value / UNIT).replace(/\B(?=(\d{3})+$)/g, ",");
  return money ? `${whole}.${String((value % UNIT) / 100n).padStart(2, "0")}` : whole;
}

function tell(form) {
  for (const cell of form.querySelectorAll("[data-sum]")) {
    const inputs = column(form, cell.dataset.sum);
    const money = inputs.some((one) => one.dataset.type === "money");
    const sum = inputs.reduce((all, one) => all + (scaled(one.value) ?? 0n), 0n);
    const there = most(form, cell.dataset.sum, money);
    const words = { sum: shown(sum, money), most: there === null ? "" : shown(there, money) };
    const over = there !== null && sum > there;
    const said = there === null ? words.sum : text(over ? "sum_over" : "sum_within", words);
    if (cell.textContent !== said) cell.textContent = said;
    cell.classList.toggle("short", over);
  }
}

export function startSums() {
  const cells = [...document.querySelectorAll("[data-sum]")];
  for (const form of new Set(cells.map((cell) => cell.closest("form")))) {
    for (const type of ["input", "change"]) form.addEventListener(type, () => tell(form));
    tell(form);
  }
}
