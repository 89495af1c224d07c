// What this tab remembers of a form: the values a person typed, and the try that has no answer yet.
//
// One memory a subject: officer + form + what the form is about (data-subject: a village, a report;
// else its address, in which the subject's id stands), and in a table of rows that a page brings by
// what a row is about (keptAs of rows.js). What was typed for one village is never
// another's, and what one officer typed is never shown to another.
//
//   ids     the ids made here (data-type="uuid"): one a form, until it is booked
//   pending {url, body, ifMatch, key, fields, again}: sent (again: more than once), no definite answer yet;
//           the body without what no browser keeps (data-unkept: an ID number)
//   earlier tries without an answer whose wish was changed since: [{key, ifMatch, fields}]
//   draft   {fields: {name: {value, was}}, version, at}: see draft.js
//
// It lives in sessionStorage: it survives a reload and a new log-in, and ends with the tab, because
// a county's computers are shared.

import { uuid } from "./csrf.js";

const UNDECIDED = new Set([0, 401, 403, 408, 425, 429, 500, 502, 503, 504]);

/** Refused at the door: what was sent for the first time was booked by nobody. */
const AT_THE_DOOR = new Set([401, 403, 429]);

const MOST_EARLIER = 8; // older ones have long been asked about

const officer = () => document.querySelector('meta[name="officer"]')?.content ?? "";

/** Whether the server may have booked it, or may still: only then the same key is sent again. */
export const undecided = (status) => UNDECIDED.has(status);

export class Instance {
  constructor(form, subject, elements = []) {
    this.place = `relief:${officer()}:${form}:${subject}`;
    this.elements = elements;
  }

  static of(form) {
    const action = form.getAttribute("action");
    return new Instance(form.getAttribute("id") || action, form.dataset.subject ?? action, form.elements);
  }

  read() {
    return JSON.parse(sessionStorage.getItem(this.place) ?? "{}");
  }

  write(change) {
    sessionStorage.setItem(this.place, JSON.stringify({ ...this.read(), ...change }));
  }

  forget() {
    sessionStorage.removeItem(this.place);
  }

  /** The id of a field: made once, and the same until the form is booked. */
  id(field) {
    const ids = this.read().ids ?? {};
    if (!ids[field]) this.write({ ids: { ...ids, [field]: uuid() } });
    return this.read().ids[field];
  }

  ids() {
    return this.read().ids ?? {};
  }

  /** The try to send now. The same wish as the one without an answer is that one again, with its
   *  key and with the moment of its first press; another wish is a command of its own, and what
   *  became of the one before it must be asked (earlier). fields: what the form says with it. */
  attempt(url, body, nows, ifMatch, fields) {
    const secret = [...this.elements].filter((one) => "unkept" in one.dataset).map((one) => one.name.split("."));
    const kept = without(body, secret);
    const whole = (attempt) => ({ ...attempt, body: withThese(attempt.body, body, secret) });
    const known = this.read().pending;
    if (known && known.url === url && same(known.body, kept, nows)) {
      this.write({ pending: { ...known, again: true } });
      return whole(known);
    }
    const pending = { url, body: kept, ifMatch, key: uuid(), fields };
    this.write({ pending, earlier: this.unanswered() });
    return whole(pending);
  }

  /** All tries without an answer, as those that must be asked about. */
  unanswered() {
    const { pending: known, earlier = [] } = this.read();
    const left = known && { key: known.key, ifMatch: known.ifMatch, fields: known.fields };
    return (left ? [...earlier, left] : earlier).slice(-MOST_EARLIER);
  }

  /** What was typed is dropped. What was sent without an answer may be booked all the same: its key
   *  and its ids stay, so that the next try asks first. */
  discard() {
    const earlier = this.unanswered();
    if (earlier.length === 0) this.forget();
    else this.write({ draft: undefined, pending: undefined, earlier });
  }

  earlier() {
    return this.read().earlier ?? [];
  }

  /** The server has decided. 2xx: all is forgotten; a refusal: the next try is a new command. */
  answered(status) {
    const again = this.read().pending?.again ?? false;
    if (undecided(status) && (again || !AT_THE_DOOR.has(status))) return;
    if (status < 400) this.forget();
    else this.write({ pending: undefined });
  }
}

/** Where a dotted name leads to in a body: what holds the value, if anything does. */
const holder = (body, path) => path.slice(0, -1).reduce((at, step) => at?.[step], body);

/** A body without what stands at these paths. */
function without(body, paths) {
  const left = structuredClone(body);
  for (const path of paths) delete holder(left, path)?.[path.at(-1)];
  return left;
}

/** A kept body with what a form says at these paths. */
function withThese(kept, body, paths) {
  const whole = structuredClone(kept);
  for (const path of paths) {
    const value = holder(body, path)?.[path.at(-1)];
    const place = holder(whole, path);
    if (place && value !== undefined) place[path.at(-1)] = value;
  }
  return whole;
}

/** Whether two bodies wish the same. When the button was pressed is no part of the wish. */
function same(one, other, nows) {
  const wish = (body) => JSON.stringify(body, (name, value) => (nows.includes(name) ? null : value));
  return wish(one) === wish(other);
}
