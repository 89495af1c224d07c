// The store's time. A store may run on a simulated clock, and a phone's own clock may be wrong: a page
// that says what time it was for the store when it was rendered (data-store-now) is believed instead.

const began = performance.now();

export function storeNow() {
  const said = document.querySelector("[data-store-now]")?.dataset.storeNow;
  return said ? new Date(Date.parse(said) + performance.now() - began) : new Date();
}
