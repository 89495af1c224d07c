// What became of a decision, in words on the page that follows it (base.html has the place). A form says
// the sentence in data-done (web/did.py): what was done, or whose, where and what comes next.
//
// It is kept for the next page of this tab only, and names areas, never people.

import { text } from "./text.js";

const KEPT = "relief:told";
const LASTS_MS = 60_000;

/** To be said on the next page: the form's own sentence, or that this was done; with what was chosen
 *  by the button, before the sentence ends. */
export function keepTold(form, { act, choice }) {
  const done = form.dataset.done ?? (act ? text("done", { act }) : "");
  const sentence = choice ? done.replace(/[。.]?$/, (stop) => text("chosen", { choice }) + stop) : done;
  if (sentence) sessionStorage.setItem(KEPT, JSON.stringify({ sentence, at: Date.now() }));
}

export function startTold() {
  const kept = sessionStorage.getItem(KEPT);
  const place = document.querySelector("[data-told]");
  sessionStorage.removeItem(KEPT);
  if (kept === null || !place) return;
  const { sentence, at } = JSON.parse(kept);
  if (Date.now() - at > LASTS_MS) return;
  place.hidden = false;
  place.textContent = sentence;
}

/** Buttons that print the page they stand on. */
export function startPrinting() {
  for (const button of document.querySelectorAll("[data-print]")) button.addEventListener("click", () => print());
}
