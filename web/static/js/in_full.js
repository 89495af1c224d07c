// A page with names in full that is left open hides them when the time is over: they leave the page,
// not only the screen.

import { storeNow } from "./clock.js";

const LOOK_MS = 1000;

const until = document.querySelector("[data-open-until]");

function hideWhenOver() {
  if (storeNow() < new Date(until.dataset.openUntil)) return;
  clearInterval(looking);
  document.querySelector("[data-in-full]").remove();
  until.remove();
  document.querySelector("[data-over]").hidden = false;
}

const looking = until ? setInterval(hideWhenOver, LOOK_MS) : undefined;
