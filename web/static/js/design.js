// Forms of the page of components are sent nowhere: a press shows how a form refuses.

import { showProblem } from "./problem.js";

document.addEventListener(
  "submit",
  (event) => {
    const form = event.target;
    const samples = form.closest("[data-samples]");
    if (!samples) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const said = (sentence) => ({ zh: sentence, en: sentence });
    const fields = [...form.querySelectorAll("input:not([type=hidden]), select, textarea")];
    const names = new Set(fields.filter((one) => one.required).map((one) => one.name));
    const errors = [...names].map((field) => ({ field, ...said(samples.dataset.fieldWrong) }));
    showProblem(form, { ...said(samples.dataset.sentBack), errors });
  },
  true,
);
