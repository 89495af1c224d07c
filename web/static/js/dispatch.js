// The dispatch board: a step taken on a board stays on it. The stream brings the new picture; the page
// is not loaded anew under the dispatcher's thumb.

import { announce, text } from "./text.js";

document.addEventListener("relief:done", (event) => {
  if (!event.target.closest("[data-board]")) return;
  event.preventDefault();
  announce(text("sent"));
});
