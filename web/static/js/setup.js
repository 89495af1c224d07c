// Says with a form what time it is here, so that a server whose clock is wrong is noticed before
// anything is stamped with it.
//
//   <form data-says-time> <input type="hidden" name="browser_time">

for (const form of document.querySelectorAll("[data-says-time]")) {
  form.addEventListener("submit", () => {
    form.elements.namedItem("browser_time").value = new Date().toISOString();
  });
}
