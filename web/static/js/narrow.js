// Of a list only what fits the choice in another field (data-narrowed-by: its name; each option's
// data-of: the choice that it fits); no field where nothing fits. Without scripts all of it stands
// there, in groups, and the server refuses what does not fit.

function narrow(list) {
  const choice = list.form.elements[list.dataset.narrowedBy];
  const all = [...list.querySelectorAll("option[data-of]")];
  const update = () => {
    for (const option of all) option.hidden = option.disabled = option.dataset.of !== choice.value;
    for (const group of list.querySelectorAll("optgroup")) {
      group.hidden = [...group.children].every((option) => option.hidden);
    }
    if (list.selectedOptions[0]?.disabled) list.value = "";
    list.closest(".field").hidden = all.length > 0 && all.every((option) => option.hidden);
  };
  list.form.addEventListener("change", update);
  update();
}

export function startNarrowing() {
  for (const list of document.querySelectorAll("select[data-narrowed-by]")) narrow(list);
}
