// The accepted figures of the areas below, put into the form of the area above when an officer asks
// for them. What somebody typed stays as it is; so does a last figure that is more than the sum and was
// not made of the parts, for the area itself may know more than they do.
//
//   <section data-take-over="id of the JSON {totals, split, before, names, hazard, …}">
//     <button data-take> … <p data-taken role="status">
//
// before: the split of the version before, by area; a total that was its sum follows the parts.

import { scaled } from "./fields.js";
import { text } from "./text.js";

const CASUALTIES = new Set(["dead", "missing"]);

/** A person (or this button) has put something else there than the page had. */
const typed = (input) => input.value !== input.defaultValue;

function put(input, value) {
  input.value = value;
  input.dispatchEvent(new Event("input", { bubbles: true }));
  input.dispatchEvent(new Event("change", { bubbles: true }));
  const folded = input.closest("details");
  if (folded) folded.open = true;
}

class TakeOver {
  constructor(place) {
    this.place = place;
    this.form = document.getElementById(place.dataset.form);
    this.told = JSON.parse(document.getElementById(place.dataset.takeOver).textContent);
    place.querySelector("[data-take]")?.addEventListener("click", () => this.take());
  }

  input(name) {
    return this.form.elements.namedItem(name);
  }

  /** The sum of the shares that the version before gave the parts, null if it gave none. */
  sumBefore(key) {
    const shares = Object.values(this.told.before).map((share) => scaled(share[key] ?? ""));
    const known = shares.filter((value) => value != null);
    return known.length ? known.reduce((all, value) => all + value, 0n) : null;
  }

  /** Whether the sum of the parts may stand in this total. */
  mayStand(key, input, sum) {
    if (typed(input)) return false;
    const last = scaled(input.value) ?? null;
    return last === null || sum > last || (!CASUALTIES.has(key) && last === this.sumBefore(key));
  }

  take() {
    this.begin();
    const kept = [];
    let taken = 0;
    for (const [key, value] of Object.entries(this.told.totals)) {
      const input = this.input(`figures.${key}`);
      if (!input) continue;
      if (scaled(input.value) === scaled(value)) taken += 1;
      else if (this.mayStand(key, input, scaled(value))) {
        put(input, value);
        taken += 1;
      } else kept.push(this.told.names[key]);
    }
    for (const [area, share] of Object.entries(this.told.split)) {
      for (const [key, value] of Object.entries(share)) {
        const input = this.input(`split.${area}.${key}`);
        if (input && !typed(input)) put(input, value);
      }
    }
    const told = this.place.querySelector("[data-taken]");
    told.textContent = text("taken_over", { n: taken })
      + (kept.length ? text("taken_over_kept", { names: kept.join(text("comma")) }) : "");
    told.hidden = false;
  }

  /** What happened, when and in which disaster, where the form asks and nobody has said. */
  begin() {
    for (const [name, value] of Object.entries(this.told.begin)) {
      const input = this.input(name);
      if (!input || !value) continue;
      const untouched = input.tagName === "SELECT"
        ? input.selectedIndex === Math.max(0, [...input.options].findIndex((one) => one.defaultSelected))
        : !typed(input);
      if (untouched && input.value !== value) put(input, value);
    }
  }
}

export function startTakingOver() {
  for (const place of document.querySelectorAll("[data-take-over]")) new TakeOver(place);
}
