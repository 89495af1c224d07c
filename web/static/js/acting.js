// What may be done on a live page was drawn for the state the page was opened in. When the part that
// follows the log says another state (data-now-state), that is told above the forms: what was typed
// stays, and a form pressed all the same is answered by the rule that refuses it.

function look() {
  const now = document.querySelector("[data-now-state]")?.dataset.nowState;
  if (now === undefined) return;
  for (const section of document.querySelectorAll("[data-acts]:not(.actions-each)")) {
    section.querySelector("[data-acts-stale]").hidden = section.dataset.state === now;
  }
}

export function startActs() {
  document.addEventListener("htmx:afterSettle", look);
}
