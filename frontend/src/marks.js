// @ts-check
/* Marks on what is pointed at. */

const MARKED = "autogradgraph-marked";

/**
 * Mark the source and its targets as long as the source is pointed at or has the focus.
 * @param {Element} source
 * @param {() => Iterable<Element>} targets
 */
export function markTogether(source, targets) {
  whilePointedAt(source, (on) => {
    for (const element of [source, ...targets()]) element.classList.toggle(MARKED, on);
  });
}

/**
 * @param {Element} source
 * @param {(on: boolean) => void} update
 */
export function whilePointedAt(source, update) {
  let pointed = false;
  let focused = false;
  source.addEventListener("pointerenter", () => {
    pointed = true;
    update(true);
  });
  source.addEventListener("focusin", () => {
    focused = true;
    update(true);
  });
  source.addEventListener("pointerleave", () => {
    pointed = false;
    update(focused);
  });
  source.addEventListener("focusout", () => {
    focused = false;
    update(pointed);
  });
}
