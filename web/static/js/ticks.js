// Many of a list are ticked: all of them by one box, and how many they are and what they sum up to.
//
//   <form data-ticks> … <input type="checkbox" name="list" data-fen="12000">
//   <input type="checkbox" data-tick-all hidden>   shown where there are scripts
//   <p data-ticked hidden aria-live="polite">
//
// The sum is what the page was made with; the server pays what is due when it is asked.

import { text } from "./text.js";

function yuan(fen) {
  const whole = String(fen / 100n).replace(/\B(?=(\d{3})+$)/g, ",");
  return `${whole}.${String(fen % 100n).padStart(2, "0")}`;
}

function startTicksOf(form) {
  const boxes = [...form.querySelectorAll("input[type=checkbox][name]")];
  const all = form.querySelector("[data-tick-all]");
  const said = form.querySelector("[data-ticked]");
  const tell = () => {
    const ticked = boxes.filter((one) => one.checked);
    all.checked = ticked.length === boxes.length;
    all.indeterminate = ticked.length > 0 && !all.checked;
    const money = ticked.filter((one) => one.dataset.fen !== undefined);
    const sum = money.reduce((total, one) => total + BigInt(one.dataset.fen), 0n);
    const words = { n: ticked.length, amount: yuan(sum) };
    said.hidden = !ticked.length;
    said.textContent = ticked.length ? text(money.length ? "ticked_money" : "ticked", words) : "";
  };
  all.addEventListener("change", () => {
    for (const one of boxes) one.checked = all.checked;
    tell();
  });
  form.addEventListener("change", tell);
  all.closest("[hidden]").hidden = false;
  tell();
}

export function startTicks() {
  for (const form of document.querySelectorAll("form[data-ticks]")) startTicksOf(form);
}
