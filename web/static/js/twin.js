// Asks, before a first report or a new incident is sent, whether it is known already.
//
// A report: whether it is one of those under way: the same area and hazard,
// within the hour. It asks, it never blocks.
//
//   <li data-running="id" data-hazard-of="flood" data-occurred="2018-07-04T07:00:00Z">   what is under way
//   <div data-twin hidden> … <a data-twin-link> </div>                                   the question

const NEAR = 60 * 60_000;

/** What is open already in the village of a new incident:
 *
 *    <div data-near="id of the form" hidden> … <li data-near-area="…" hidden>
 */
function startNear() {
  for (const question of document.querySelectorAll("[data-near]")) {
    const area = document.getElementById(question.dataset.near)?.elements.namedItem("area");
    if (!area) continue;
    const update = () => {
      const all = [...question.querySelectorAll("[data-near-area]")];
      for (const one of all) one.hidden = one.dataset.nearArea !== area.value;
      question.hidden = all.every((one) => one.hidden);
    };
    area.addEventListener("change", update);
    update();
  }
}

export function startTwins() {
  startNear();
  for (const question of document.querySelectorAll("[data-twin]")) {
    const form = question.closest("form");
    const running = [...document.querySelectorAll("[data-running]")];
    const update = () => {
      const at = form.elements.namedItem("occurred_at")?.value;
      const hazard = form.elements.namedItem("hazard")?.value;
      const moment = at ? Date.parse(`${at}:00+08:00`) : NaN; // the field says China time
      const twin = running.find((one) => one.dataset.hazardOf === hazard
        && Math.abs(Date.parse(one.dataset.occurred) - moment) <= NEAR);
      question.hidden = !twin;
      if (twin) question.querySelector("[data-twin-link]").href = `/report/${twin.dataset.running}`;
    };
    form.addEventListener("input", update);
    form.addEventListener("change", update);
    update();
  }
}
