// The figures of a report by the areas below: a row an area, a column a figure. A column is there
// when its total is filled in (or was before), so that the table stays as small as the disaster.
//
//   <div data-split="id of the JSON {areas, columns, values}" data-total="…" data-part="…">
//
// On a phone an area is a card that opens, so that nothing scrolls sideways.
//
// Fields are split.<area>.<figure>; an empty one is left out. The foot says whether the parts and the
// total agree: it asks, it never blocks.

import { scaled } from "./fields.js";
import { language, text } from "./text.js";

function element(name, attributes = {}, words = "") {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.textContent = words;
  return made;
}

const figure = (value) => {
  const digits = String(value).padStart(5, "0");
  const part = digits.slice(-4).replace(/0+$/, "");
  return digits.slice(0, -4) + (part ? `.${part}` : "");
};

class SplitTable {
  constructor(place) {
    this.place = place;
    this.form = place.closest("form");
    const { areas, columns, values } = JSON.parse(document.getElementById(place.dataset.split).textContent);
    Object.assign(this, { areas, columns, values, shown: new Map(), growing: false });
    this.table = element("table", { class: "split-table" });
    this.head = element("tr");
    this.head.append(element("th", { scope: "col" }, place.dataset.part));
    this.rows = areas.map((area) => {
      const row = element("tr");
      const name = element("th", { scope: "row" }, area.name);
      name.append(this.opener(row, area.name));
      row.append(name);
      return row;
    });
    this.foot = element("tr");
    this.foot.append(element("th", { scope: "row" }, place.dataset.total));
    const parts = ["thead", "tbody", "tfoot"].map((name) => element(name));
    parts[0].append(this.head);
    parts[1].append(...this.rows);
    parts[2].append(this.foot);
    this.table.append(...parts);
    place.append(this.table);
    for (const type of ["input", "relief:told"]) {
      this.table.addEventListener(type, (event) => this.open(event.target.closest("tr"), true));
    }
    this.form.addEventListener("input", () => this.update());
    this.form.querySelector("[data-split-sum]")?.addEventListener("click", () => this.sumUp());
    this.update();
  }

  /** On a phone a row is folded: its fields are shown when asked, when filled in again, when refused. */
  opener(row, name) {
    const words = text("split_open");
    const made = element("button", { type: "button", class: "phone-only", "aria-label": `${words} ${name}` }, words);
    made.setAttribute("aria-expanded", "false");
    made.addEventListener("click", () => this.open(row, !row.classList.contains("is-open")));
    return made;
  }

  open(row, on) {
    row.classList.toggle("is-open", on);
    row.querySelector("button")?.setAttribute("aria-expanded", String(on));
  }

  total(key) {
    return this.form.elements.namedItem(`figures.${key}`);
  }

  wanted(column) {
    const told = Object.values(this.values).some((figures) => figures[column.key] != null);
    return column.common || told || Boolean(scaled(this.total(column.key)?.value ?? ""));
  }

  update() {
    // What draft.js puts into a new column is input again: nested, seventy columns end the stack.
    if (this.growing) return;
    this.growing = true;
    for (const column of this.columns) {
      if (!this.shown.has(column.key) && this.wanted(column)) this.grow(column);
    }
    this.growing = false;
    for (const [key, { inputs, foot }] of this.shown) this.check(key, inputs, foot);
  }

  grow(column) {
    const name = column[language];
    const head = element("th", { scope: "col", class: "num" }, name);
    const foot = element("td", { class: "num", "data-label": name });
    const inputs = this.areas.map((area, at) => {
      const input = element("input", {
        name: `split.${area.id}.${column.key}`, "data-type": column.type, "data-empty": "omit",
        inputmode: column.type === "int" ? "numeric" : "decimal", autocomplete: "off",
        "aria-label": `${area.name} ${name}`,
      });
      input.defaultValue = this.values[area.id]?.[column.key] ?? "";
      const cell = element("td", { "data-label": name });
      cell.append(input);
      this.rows[at].append(cell);
      return input;
    });
    this.head.append(head);
    this.foot.append(foot);
    this.shown.set(column.key, { inputs, foot });
    this.form.dispatchEvent(new CustomEvent("relief:grown", { detail: inputs }));
  }

  sum(inputs) {
    const values = inputs.map((input) => scaled(input.value)).filter((value) => value != null);
    return values.length ? values.reduce((all, value) => all + value, 0n) : null;
  }

  check(key, inputs, foot) {
    const sum = this.sum(inputs);
    const total = scaled(this.total(key)?.value ?? "") ?? null;
    const differs = sum !== null && total !== null && sum !== total;
    foot.textContent = sum === null ? "—" : figure(sum) + (differs ? ` ≠ ${figure(total)}` : "");
    foot.classList.toggle("differs", differs);
  }

  /** The parts are known, the total is not: take their sum. */
  sumUp() {
    for (const [key, { inputs }] of this.shown) {
      const sum = this.sum(inputs);
      const total = this.total(key);
      if (sum === null || !total) continue;
      total.value = figure(sum);
      total.dispatchEvent(new Event("input", { bubbles: true }));
    }
  }
}

export function startSplitTables() {
  for (const place of document.querySelectorAll("[data-split]")) new SplitTable(place);
}
