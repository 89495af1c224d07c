// The dispatch board: a step taken on it stays on it. The stream brings the new picture; the page is not
// loaded anew under the dispatcher's thumb. (The page of one incident is: its actions change too.)

import { announce, text } from "./text.js";

document.addEventListener("relief:done", (event) => {
  if (!event.target.closest("#dispatch-board")) return;
  event.preventDefault();
  announce(text("sent"));
});
