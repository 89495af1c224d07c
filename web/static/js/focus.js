// A board that is fetched again must not throw a reader who goes by keys back to the top of the page:
// the focus returns to the same thing of the same row, or to what has taken its place.

export const REACHED =
  "a[href], button:not([disabled]), input:not([type=hidden], [disabled]), select, textarea, summary, [tabindex='0']";

const reached = (place) => [...place.querySelectorAll(REACHED)].filter((one) => one.getClientRects().length > 0);

/** Where the focus is within the board; null if it is elsewhere. */
export function placeOfFocus(board) {
  const one = document.activeElement;
  if (one === board || !board.contains(one)) return null;
  const row = one.closest("[data-row][id]");
  return {
    id: one.id,
    row: row?.id,
    inRow: row ? reached(row).indexOf(one) : -1,
    inBoard: reached(board).indexOf(one),
  };
}

/** Give the focus back, unless the reader has gone elsewhere in the meantime. */
export function focusAgain(board, place) {
  if (!place || (document.activeElement && document.activeElement !== document.body)) return;
  const row = place.row && document.getElementById(place.row);
  const all = reached(board);
  const next =
    (place.id && document.getElementById(place.id)) ||
    (row && reached(row)[place.inRow]) ||
    all[Math.min(place.inBoard, all.length - 1)];
  if (next) return next.focus({ preventScroll: true });
  board.tabIndex = -1;
  board.focus({ preventScroll: true });
}
