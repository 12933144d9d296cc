// @ts-check
/* Where things are on the screen. */

/**
 * Scroll to the output, with which reading begins: that of a wide drawing may be out of sight.
 * @param {Element} scroller
 */
export function showOutput(scroller) {
  const output = scroller.querySelector(".node.output") ?? lastCut(scroller);
  if (!output) return;
  const place = middleOf(output);
  const middle = middleOf(scroller);
  scroller.scrollLeft += place.x - middle.x;
  scroller.scrollTop += place.y - middle.y;
}

/**
 * Find what stands for the output in the drawing of a part.
 * @param {Element} scroller
 */
function lastCut(scroller) {
  return [...scroller.querySelectorAll(".node.cut")].at(-1);
}

/** @param {Element} element */
export function middleOf(element) {
  const { left, top, width, height } = element.getBoundingClientRect();
  return { x: left + width / 2, y: top + height / 2 };
}
