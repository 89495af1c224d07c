// A list that is the whole question of its form asks it when something is chosen. The form's button
// stays: for those without scripts, and for those who choose by keys and look before they ask.

export function startChoices() {
  for (const list of document.querySelectorAll("select[data-submits]")) {
    list.addEventListener("change", () => list.form.requestSubmit());
  }
}
