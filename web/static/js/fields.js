// Form fields to JSON. Empty is null (not yet known), never 0. No figure passes through a float.
//
//   data-type   text (default) · int → number · decimal → "12.50" · money → fen · datetime → China time
//               · bool (a checkbox) · uuid (hidden: made here, kept until success)
//               · now (hidden: the store's time when the button is pressed)
//   data-empty  "omit": an empty field is left out
//   name        dots nest: figures.deaths; digits make a list: members.0.name

import { storeNow } from "./clock.js";
import { text } from "./text.js";

const WIDE = /[０-９．，－]/g;
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

const READERS = {
  text: (value) => value,
  int(value) {
    const figure = plain(value);
    if (figure === "") return null;
    if (!/^\d{1,15}$/.test(figure)) throw text("whole_number", { value: shown(value) });
    return Number(figure);
  },
  decimal(value) {
    const figure = plain(value);
    if (figure === "") return null;
    if (!/^\d{1,15}(\.\d{1,4})?$/.test(figure)) throw text("decimal_number", { value: shown(value) });
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
  now: () => storeNow().toISOString(),
};

function put(target, path, value) {
  const last = path.length - 1;
  path.forEach((step, at) => {
    if (at === last) target[step] = value;
    else target = target[step] ??= /^\d+$/.test(path[at + 1]) ? [] : {};
  });
}

/** The command of a form, and the names of what the pressing itself filled in (data-type="now").
 *  Throws BadField with all bad fields at once. */
export function collect(form, button, makeId) {
  const body = {};
  const nows = [];
  const errors = [];
  for (const element of form.elements) {
    const { name, type, dataset } = element;
    if (!name || element.disabled || name === "csrf_token") continue;
    if (element.tagName === "BUTTON" ? element !== button : type === "radio" && !element.checked) continue;
    if (dataset.empty === "omit" && element.value.trim() === "") continue;
    try {
      let value;
      if (dataset.type === "uuid") value = element.value || makeId(name);
      else if (type === "checkbox") value = element.checked;
      else if (element.multiple) value = [...element.selectedOptions].map((option) => option.value);
      else value = READERS[dataset.type ?? "text"](element.value);
      if (dataset.type === "now") nows.push(name);
      put(body, name.split("."), value);
    } catch (sentence) {
      if (typeof sentence !== "string") throw sentence;
      errors.push({ field: name, zh: sentence, en: sentence });
    }
  }
  if (errors.length) throw new BadField(errors);
  return [body, nows];
}
