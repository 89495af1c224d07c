// Form fields to JSON. Empty is null (not yet known), never 0. No figure passes through a float.
//
//   data-type   text (default) · int → number · decimal → "12.50" · money → fen · datetime → China time
//               (data-now: left as the page had it, it is the moment of the press) · date · pick (one
//               of a list) · bool (a checkbox) · many (a checkbox "kinds:coat": kinds holds what is
//               ticked) · uuid (hidden: made here, kept until success)
//               · spread (a column for one of the things that a table inside a table counts:
//               "grants.0.goods:quilt" with data-spread="item units": grants.0.goods holds
//               {item: "quilt", units: 2}; nothing where it is empty or 0)
//               · coded (a textarea, one a line: "03 柳树组" or "柳树组" → [{code, name}, {name}])
//               · now (hidden: the store's time when the button is pressed)
//   data-empty  "omit": an empty field is left out
//   name        dots nest: figures.deaths; digits make a list: members.0.name

import { storeNow } from "./clock.js";
import { countRows, isSkipped, keptAs } from "./rows.js";
import { text } from "./text.js";

const WIDE = /[０-９．，－]/g;
const CODED = /^(\d{1,2})\s+(?!组|小组|村|社|队)(.+)$/; // 12 组 is a name
const GROUPED = /^-?\d{1,3}(,\d{3})+(\.\d+)?$/;

/** A figure as people type it: full-width digits, and commas where thousands end. Everything else
 *  stays as it is, so that it is asked about: 12⇥30 is not 1230, 1,5 not 15, 10² not 102, and 3 4
 *  is not 34. */
export function plain(value) {
  const figure = value.trim().replace(WIDE, (sign) => String.fromCharCode(sign.charCodeAt(0) - 0xfee0));
  return GROUPED.test(figure) ? figure.replaceAll(",", "") : figure;
}

/** "12.5" → 125000n (ten-thousandths), null if empty, undefined if it is no figure. */
export function scaled(value) {
  const figure = plain(value);
  if (figure === "") return null;
  const match = /^(-?)(\d+)(?:\.(\d{1,4}))?$/.exec(figure);
  if (!match) return undefined;
  const [, sign, whole, part = ""] = match;
  const size = BigInt(whole + part.padEnd(4, "0"));
  return sign ? -size : size;
}

export class BadField extends Error {
  constructor(errors) {
    super(errors.map((error) => error.field).join(", "));
    this.errors = errors;
  }
}

/** What cannot be seen in a field (a tab) is shown, so that people see why it is asked about. */
const shown = (value) => value.trim().replace(/\t/g, "⇥").slice(0, 30);

/** What is not known may be left out, but not of a field that must be filled in. */
const orEmpty = (required) => (required ? "" : text("or_empty"));

const READERS = {
  text: (value) => value,
  int(value, required = false) {
    const figure = plain(value);
    if (figure === "") return null;
    if (!/^\d{1,15}$/.test(figure)) throw text("whole_number", { value: shown(value) }) + orEmpty(required);
    return Number(figure);
  },
  decimal(value, required = false) {
    const figure = plain(value);
    if (figure === "") return null;
    if (!/^\d{1,15}(\.\d{1,4})?$/.test(figure)) throw text("decimal_number", { value: shown(value) }) + orEmpty(required);
    return figure;
  },
  money(value) {
    const figure = plain(value);
    if (figure === "") return null;
    const match = /^(\d{1,13})(?:\.(\d{1,2}))?$/.exec(figure);
    if (!match) throw text("money", { value: shown(value) });
    return Number(match[1] + (match[2] ?? "").padEnd(2, "0"));
  },
  // A datetime-local has no zone: whatever the device thinks, the field means China time.
  datetime: (value) => (value === "" ? null : `${value.length === 16 ? `${value}:00` : value}+08:00`),
  date: (value) => (value === "" ? null : value),
  pick: (value) => (value === "" ? null : value),
  coded: (value) => value.split("\n").map((line) => line.trim()).filter(Boolean).map((line) => {
    const match = CODED.exec(line);
    return match ? { code: match[1].padStart(2, "0"), name: match[2] } : { name: line };
  }),
  now: () => storeNow().toISOString(),
};

function put(target, path, value) {
  const last = path.length - 1;
  path.forEach((step, at) => {
    if (at === last && value instanceof Ticked) target[step] = [...(target[step] ?? []), ...value.values];
    else if (at === last) target[step] = value;
    else target = target[step] ??= /^\d+$/.test(path[at + 1]) ? [] : {};
  });
}

/** What one checkbox of many adds to their list. */
class Ticked {
  constructor(element) {
    this.values = element.checked ? [element.value] : [];
  }
}

/** What one column adds to the table inside a row. */
class Spread extends Ticked {
  constructor({ name, dataset, value }) {
    super({ checked: false });
    const units = READERS.int(value);
    const [what, number] = dataset.spread.split(" ");
    if (units) this.values = [{ [what]: name.slice(name.indexOf(":") + 1), [number]: units }];
  }
}

/** A time that nobody touched is that of the press. */
const isNow = (element) =>
  element.dataset.type === "now" || ("now" in element.dataset && element.value === element.defaultValue);

/** The command of a form, and the names of what the pressing itself filled in (data-type="now").
 *  Throws BadField with all bad fields at once. */
export function collect(form, button, makeId) {
  const body = {};
  const nows = [];
  const errors = [];
  countRows(form);
  for (const element of form.elements) {
    const { name, type, dataset } = element;
    if (!name || element.disabled || name === "csrf_token") continue;
    if (element.tagName === "BUTTON" ? element !== button : type === "radio" && !element.checked) continue;
    if (isSkipped(element)) continue;
    if (dataset.empty === "omit" && element.value.trim() === "") continue;
    try {
      let value;
      if (dataset.type === "uuid") value = element.value || makeId(keptAs(element));
      else if (dataset.type === "many") value = new Ticked(element);
      else if (dataset.type === "spread") value = new Spread(element);
      else if (type === "checkbox") value = element.checked;
      else if (isNow(element)) value = READERS.now();
      else if (element.multiple) value = [...element.selectedOptions].map((option) => option.value);
      else if (element.required && element.value.trim() === "") throw text("fill_in");
      else value = READERS[dataset.type ?? "text"](element.value, element.required);
      if (isNow(element)) nows.push(name);
      put(body, name.split(":")[0].split("."), value);
    } catch (sentence) {
      if (typeof sentence !== "string") throw sentence;
      errors.push({ field: name, zh: sentence, en: sentence });
    }
  }
  if (errors.length) throw new BadField(errors);
  return [body, nows];
}
