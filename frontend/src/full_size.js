// @ts-check
/* The drawing in the whole window, as large as one likes; the page has it back afterwards. */

import { addButton, makeBar } from "./controls.js";
import { drawingIn } from "./drawing.js";
import { addSearch } from "./search.js";
import { say } from "./words.js";

/**
 * @param {import("./figure.js").Figure} figure
 */
export function showFull(figure) {
  const { canvas } = figure;
  const dialog = document.createElement("dialog");
  dialog.className = "autogradgraph autogradgraph-full";
  dialog.setAttribute("aria-label", say("full"));
  const bar = makeBar();
  const holder = document.createElement("div");
  holder.className = "autogradgraph-canvas";
  holder.tabIndex = 0;
  holder.setAttribute("role", "region");
  holder.setAttribute("aria-label", say("full"));
  /** @type {Map<SVGSVGElement, string>} */
  const styles = new Map(); // of the drawings that were shown here, as the page has them
  let scale = 1;

  function size() {
    const svg = figure.shown();
    if (!styles.has(svg)) styles.set(svg, svg.style.cssText);
    svg.style.minWidth = "0";
    svg.style.width = `${svg.viewBox.baseVal.width * scale}px`;
  }

  /** @param {number} factor */
  function zoom(factor) {
    const x = (holder.scrollLeft + holder.clientWidth / 2) / holder.scrollWidth;
    const y = (holder.scrollTop + holder.clientHeight / 2) / holder.scrollHeight;
    scale = Math.min(8, Math.max(1 / 8, scale * factor));
    size();
    holder.scrollLeft = x * holder.scrollWidth - holder.clientWidth / 2;
    holder.scrollTop = y * holder.scrollHeight - holder.clientHeight / 2;
  }

  addButton(bar, `− ${say("smaller")}`, () => zoom(1 / 1.25));
  addButton(bar, `+ ${say("larger")}`, () => zoom(1.25));
  const search = addSearch(bar, figure.shown);
  search.input.value = figure.search.input.value;
  addButton(bar, `× ${say("end")}`, () => dialog.close());
  holder.addEventListener(
    "wheel",
    (event) => {
      if (!event.ctrlKey) return;
      event.preventDefault();
      zoom(event.deltaY < 0 ? 1.1 : 1 / 1.1);
    },
    { passive: false },
  );
  // Sphinx has a use of its own for Escape, and would keep it from the browser.
  dialog.addEventListener("keydown", (event) => {
    if (event.key === "Escape") dialog.close();
  });
  makePannable(holder);
  figure.onShow = () => {
    size();
    search.update();
  };
  dialog.addEventListener("close", () => {
    figure.onShow = () => {};
    for (const [svg, style] of styles) svg.style.cssText = style;
    canvas.append(figure.shown());
    figure.search.input.value = search.input.value;
    figure.search.update();
    figure.fit();
    dialog.remove();
  });
  const svg = /** @type {SVGSVGElement} */ (drawingIn(canvas));
  dialog.append(bar, holder);
  holder.append(svg);
  canvas.after(dialog);
  dialog.showModal();
  zoom(1);
  search.update();
  figure.showOutput(holder);
  // A link in the drawing leads to the page behind, but for that of a fold, which opens.
  holder.addEventListener("click", (event) => {
    const onLink = /** @type {Element} */ (event.target).closest("a");
    if (onLink && !event.defaultPrevented) dialog.close();
  });
}

/**
 * Drag what lies between the nodes, and the drawing moves with it.
 * @param {HTMLElement} holder
 */
function makePannable(holder) {
  holder.addEventListener("pointerdown", (event) => {
    const onNode = /** @type {Element} */ (event.target).closest(".node");
    if (event.button || event.pointerType === "touch" || onNode) return;
    event.preventDefault();
    holder.setPointerCapture(event.pointerId);
    const move = (/** @type {PointerEvent} */ moved) => {
      holder.scrollLeft -= moved.movementX;
      holder.scrollTop -= moved.movementY;
    };
    holder.addEventListener("pointermove", move);
    const end = () => holder.removeEventListener("pointermove", move);
    holder.addEventListener("pointerup", end, { once: true });
    holder.addEventListener("pointercancel", end, { once: true });
  });
}
