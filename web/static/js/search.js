// Keys for people who do this all day: / goes to the search box of the page, or to the one of
// everything; j and k walk the rows of a list, the arrows what was found, Escape goes back.
// Letters typed into a field stay letters, and the keys can be turned off (WCAG 2.1.4).

const SWITCH = "relief:keys-off";
const WAIT_MS = 150;

const off = () => localStorage.getItem(SWITCH) !== null;
const isTyping = (element) => element.matches?.("input, select, textarea, [contenteditable]");

const walked = () => [...document.querySelectorAll("[data-rows] [data-row]")];

function walk(step) {
  const rows = walked();
  if (rows.length === 0) return;
  const current = rows.findIndex((row) => row.getAttribute("aria-current") === "true");
  stand(rows, rows[Math.min(rows.length - 1, Math.max(0, current + step))]);
}

const stepOff = (rows) => rows.forEach((row) => row.removeAttribute("aria-current"));

function stand(rows, here) {
  stepOff(rows);
  here.setAttribute("aria-current", "true");
  const target = here.querySelector("a, button") ?? here;
  if (target === here) target.tabIndex = -1;
  target.focus();
  here.scrollIntoView({ block: "nearest" });
}

/** The search of everything, which every page but its own has folded away: a link, and a form. */
const everything = () => ({ form: document.getElementById("find"), opener: document.querySelector("[data-find-open]") });
let before = null;

function openFind() {
  const { form, opener } = everything();
  if (!form) return false;
  before ??= document.activeElement;
  form.hidden = false;
  opener.setAttribute("aria-expanded", "true");
  const box = form.querySelector("[data-find]");
  box.focus();
  box.select();
  return true;
}

function closeFind() {
  const { form, opener } = everything();
  form.hidden = true;
  opener.setAttribute("aria-expanded", "false");
  const back = before && before !== document.body ? before : opener;
  before = null;
  back.focus();
}

/** Where the arrows walk: on the page of what was found, from its box through the rows and back. */
const results = () => {
  const box = document.querySelector("[data-results]");
  const list = box && document.getElementById(box.dataset.results);
  return list ? { box, list } : null;
};

/** Back to the page before, if it is one of ours: a search is left as it was come to. */
function leave(box) {
  if (box.dataset.results && document.referrer.startsWith(`${location.origin}/`)) history.back();
  else box.blur();
}

/** Escape and the arrows, which no field needs here. Says whether the key was ours. */
function onWay(event, box) {
  const found = results();
  const inRows = found?.list.contains(event.target);
  if (event.key === "Escape") {
    if (inRows) found.box.focus();
    else if (event.target === box) leave(box);
    else return false;
    return true;
  }
  if (event.key === "ArrowDown" && (event.target === box || inRows)) {
    if (event.target === box) stepOff(walked());
    walk(1);
  } else if (event.key === "ArrowUp" && inRows) {
    if (found.list.querySelector("[data-row]").contains(event.target)) found.box.focus();
    else walk(-1);
  } else return false;
  return true;
}

const isShown = (one) => one.checkVisibility?.() ?? one.getClientRects().length > 0;

/** The page's own box: the one that is typed into, else the first that is not folded away. */
function ownBox(target) {
  if (target.matches?.("[data-search]")) return target;
  return [...document.querySelectorAll("[data-search]")].find(isShown) ?? null;
}

/** Says whether there was a box to go to: the page's own, and from that one, empty, the other. */
function toSearch(event, box) {
  if (event.target === box) return box.value === "" && openFind();
  if (isTyping(event.target)) return false;
  if (!box) return openFind();
  box.focus();
  box.select();
  return true;
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  const box = ownBox(event.target);
  if (event.key === "Escape" && event.target.matches?.("[data-find]")) {
    event.preventDefault();
    closeFind();
  } else if (off()) {
    return;
  } else if (onWay(event, box) || (event.key === "/" && toSearch(event, box))) {
    event.preventDefault();
  } else if (!isTyping(event.target) && (event.key === "j" || event.key === "k")) {
    walk(event.key === "j" ? 1 : -1);
  }
}

/** The icon opens the search where it stands; without scripts it is a link to the page of it. */
function startFind() {
  const { form, opener } = everything();
  if (!form || !opener) return;
  opener.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    if (form.hidden) openFind();
    else closeFind();
  });
}

/** Who comes back from what was found stands where they left. */
function startResults() {
  const found = results();
  if (!found) return;
  found.list.addEventListener("click", (event) => {
    const row = event.target.closest?.("[data-row]");
    if (row) history.replaceState({ ...history.state, row: row.id }, "");
  });
  const left = history.state?.row && document.getElementById(history.state.row);
  const rows = [...found.list.querySelectorAll("[data-row]")];
  if (rows.includes(left)) stand(rows, left);
}

/** What was found belongs to the words that were asked: while others stand in the box it is hidden. */
function keepTrue() {
  const found = results();
  const answer = document.querySelector("[data-asked]");
  const note = document.querySelector("[data-ask-again]");
  if (!found || !answer || !note) return;
  const look = () => {
    note.hidden = found.box.value.trim() === found.box.defaultValue.trim();
    answer.hidden = !note.hidden;
  };
  found.box.addEventListener("input", look);
  window.addEventListener("pageshow", look);
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
  startFind();
  startResults();
  keepTrue();
  document.addEventListener("keydown", onKey);
  for (const box of document.querySelectorAll("[data-search]")) watchBox(box);
  const footer = document.querySelector("[data-keys-footer]");
  const button = document.querySelector("[data-keys-switch]");
  if (!footer || !button || !document.querySelector("[data-rows], [data-search], [data-find]")) return;
  const name = () => (button.textContent = off() ? button.dataset.on : button.dataset.off);
  footer.hidden = false;
  name();
  button.addEventListener("click", () => {
    if (off()) localStorage.removeItem(SWITCH);
    else localStorage.setItem(SWITCH, "1");
    name();
  });
}
