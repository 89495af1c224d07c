// Engaging and inviting officers: roles that fit the area chosen, and the code of an invitation, which
// is in one answer only and shown where it came.

const area = document.querySelector("select[data-places]");
const roles = document.querySelector("select[data-roles]");

function followArea() {
  const level = area.selectedOptions[0]?.dataset.level ?? "";
  for (const option of roles.options) {
    option.hidden = option.disabled = !option.dataset.levels.split(" ").includes(level);
  }
  if (roles.selectedOptions[0]?.disabled ?? true) {
    roles.value = [...roles.options].find((option) => !option.disabled)?.value ?? "";
  }
  followRole();
}

function followRole() {
  const asked = roles.selectedOptions[0]?.hasAttribute("data-number") ?? true;
  const hint = roles.form.querySelector("[data-number-asked]");
  if (!hint) return; // a form for somebody whose number is known, or cannot be had
  hint.hidden = !asked;
  roles.form.querySelector("[data-number-free]").hidden = asked;
}

if (area && roles) {
  area.addEventListener("change", followArea);
  roles.addEventListener("change", followRole);
  document.addEventListener("htmx:afterSwap", (event) => event.detail.target === area && followArea());
  followArea();
}

document.addEventListener("relief:done", (event) => {
  if (!event.target.matches("form[data-invites]")) return;
  event.preventDefault();
  const place = document.querySelector("[data-invited]");
  const { shown, position } = event.detail;
  const code = shown?.code;
  place.querySelector("[data-with-code]").hidden = !code;
  place.querySelector("[data-without-code]").hidden = Boolean(code);
  if (code) {
    place.querySelector("[data-login]").textContent = shown.login;
    place.querySelector("[data-code]").textContent = code;
    const slip = place.querySelector("form");
    slip.elements.code.value = code;
    slip.elements.name.value = event.target.elements.full_name?.value ?? "";
    slip.action = `/officers/slips?after=${position}`;
  }
  if (event.target.matches("#engage, [data-once]")) (event.target.closest(".proposal") ?? event.target).remove();
  place.hidden = false;
  place.focus();
});
