// Keys for people who do this all day: / goes to the search box, j and k walk the rows of a list that
// has the focus. Letters typed into a field stay letters, and the keys can be turned off (WCAG 2.1.4).

const SWITCH = "relief:keys-off";
const WAIT_MS = 150;

const off = () => localStorage.getItem(SWITCH) !== null;
const isTyping = (element) => element.matches?.("input, select, textarea, [contenteditable]");

function walk(step) {
  const rows = [...document.querySelectorAll("[data-rows] [data-row]")];
  if (rows.length === 0) return;
  const current = rows.findIndex((row) => row.getAttribute("aria-current") === "true");
  const next = Math.min(rows.length - 1, Math.max(0, current + step));
  for (const row of rows) row.removeAttribute("aria-current");
  rows[next].setAttribute("aria-current", "true");
  const target = rows[next].querySelector("a, button") ?? rows[next];
  if (target === rows[next]) target.tabIndex = -1;
  target.focus();
  rows[next].scrollIntoView({ block: "nearest" });
}

function onKey(event) {
  if (off() || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  const box = document.querySelector("[data-search]");
  if (event.key === "Escape" && event.target === box) {
    box.blur();
  } else if (isTyping(event.target)) {
    if (event.target === box && event.key === "ArrowDown") {
      event.preventDefault();
      walk(1);
    }
  } else if (event.key === "/" && box) {
    event.preventDefault();
    box.focus();
    box.select();
  } else if (event.key === "j" || event.key === "k") {
    walk(event.key === "j" ? 1 : -1);
  }
}

/** A search box asks (event relief:search, for hx-trigger) once the typing rests. Letters on their
 *  way through a Chinese input method are not a question yet. */
function watchBox(box) {
  let timer = 0;
  let asked = box.value;
  const ask = () => {
    if (box.value === asked) return;
    asked = box.value;
    box.dispatchEvent(new CustomEvent("relief:search", { bubbles: true }));
  };
  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(ask, WAIT_MS);
  };
  box.addEventListener("input", (event) => event.isComposing || later());
  box.addEventListener("compositionend", later);
}

/** The answer names the address of the page with these rows, in which what was typed is sealed: Back,
 *  reload and the links that follow the form (data-follows: print, download) mean the rows that are seen. */
function remember(form, address) {
  const query = address.split("?")[1] ?? "";
  history.replaceState(history.state, "", address);
  for (const link of document.querySelectorAll(`[data-follows="${form.id}"]`)) {
    link.setAttribute("href", `${link.getAttribute("href").split("?")[0]}?${query}`);
  }
}

function rememberSearches() {
  document.addEventListener("htmx:afterRequest", (event) => {
    const address = event.detail.xhr?.getResponseHeader("Relief-Asked");
    if (event.target.matches?.("form[data-remembers]") && event.detail.successful && address) remember(event.target, address);
  });
}

export function startKeys() {
  rememberSearches();
  document.addEventListener("keydown", onKey);
  for (const box of document.querySelectorAll("[data-search]")) watchBox(box);
  const footer = document.querySelector("[data-keys-footer]");
  const button = document.querySelector("[data-keys-switch]");
  if (!footer || !button || !document.querySelector("[data-rows], [data-search]")) return;
  const name = () => (button.textContent = off() ? button.dataset.on : button.dataset.off);
  footer.hidden = false;
  name();
  button.addEventListener("click", () => {
    if (off()) localStorage.removeItem(SWITCH);
    else localStorage.setItem(SWITCH, "1");
    name();
  });
}
