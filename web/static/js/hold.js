// A button pressed before the modules have loaded is held, not lost: form.js sends it when ready.
// A classic script in the head, so that it is there before the first button is.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("form[data-form]:not([data-ready])")) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  form.pressedEarly = event.submitter ?? true;
}, true);
