// An address like /help#pay opens its task: a folded part of the page is not shown by itself everywhere.

function open() {
  const task = location.hash.length > 1 ? document.getElementById(location.hash.slice(1)) : null;
  if (!task) return;
  for (let part = task.closest("details"); part; part = part.parentElement.closest("details")) part.open = true;
  task.closest("details")?.scrollIntoView();
}

open();
addEventListener("hashchange", open);
