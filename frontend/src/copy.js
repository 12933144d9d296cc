// @ts-check
/* Copies of a drawing. */

import { say } from "./words.js";

const STYLES = [
  "fill",
  "stroke",
  "stroke-width",
  "stroke-dasharray",
  "stroke-linecap",
  "paint-order",
  "font-family",
  "font-size",
  "font-weight",
  "text-anchor",
];

/**
 * Copy the drawing as an SVG that needs no style sheet; where that is not allowed, save it.
 * @param {SVGSVGElement} svg
 * @param {HTMLButtonElement} button
 */
export async function copyDrawing(svg, button) {
  const text = textOf(svg);
  try {
    await navigator.clipboard.writeText(text);
    const before = button.textContent;
    button.textContent = say("copied");
    setTimeout(() => {
      button.textContent = before;
    }, 1500);
  } catch {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "image/svg+xml" }));
    link.download = `${svg.querySelector("title")?.id.replace(/-title$/, "")}.svg`;
    link.click();
    URL.revokeObjectURL(link.href);
  }
}

/** @param {SVGSVGElement} svg */
function textOf(svg) {
  const twin = /** @type {SVGSVGElement} */ (svg.cloneNode(true));
  /** @type {[Element, Element][]} */
  const pairs = [[svg, twin]];
  for (let pair = pairs.pop(); pair; pair = pairs.pop()) {
    const [one, other] = /** @type {[SVGElement, SVGElement]} */ (pair);
    const style = getComputedStyle(one);
    other.removeAttribute("tabindex");
    const kept = STYLES.map((name) => `${name}:${style.getPropertyValue(name)}`);
    other.style.cssText = kept.join(";");
    for (let i = 0; i < one.children.length; i += 1) {
      pairs.push([one.children[i], other.children[i]]);
    }
  }
  twin.setAttribute("width", String(svg.viewBox.baseVal.width));
  twin.setAttribute("height", String(svg.viewBox.baseVal.height));
  return new XMLSerializer().serializeToString(twin);
}
