// @ts-check
/* Words on the edges that backward is walking: the formulas of what is passed along them. */

import { formulaOf } from "./story.js";

const NAME = "autogradgraph-formula";
const GAP = 4; // between a word and the border of the drawing
const SHARES = [0.5, 0.35, 0.65, 0.2, 0.8]; // where along its arrow a word may stand, the best first

/**
 * Put formulas on edges, and take those away that are there.
 * @param {SVGSVGElement} svg
 * @param {{ edge: Element, from: number | null }[]} ends the edges, and from which node they come
 * @param {import("./story.js").Graph} [graph]
 * @param {number} [to] the node that they lead to
 */
export function labelEdges(svg, ends, graph, to) {
  for (const label of svg.querySelectorAll(`.${NAME}`)) label.remove();
  if (!graph) return;
  const edges = graph.edges.filter((edge) => edge.to === to);
  for (const { edge, from } of ends) {
    const index = edges.findIndex((candidate) => candidate.from === from);
    const path = edge.querySelector("path");
    if (index < 0 || !path) continue;
    const [found] = edges.splice(index, 1); // one edge for each arrow between the same two
    const formula = formulaOf(graph, found);
    if (formula) addLabel(svg, path, formula);
  }
}

/**
 * @param {SVGSVGElement} svg
 * @param {SVGPathElement} path
 * @param {string} words
 */
function addLabel(svg, path, words) {
  const label = document.createElementNS("http://www.w3.org/2000/svg", "text");
  label.classList.add(NAME);
  label.setAttribute("aria-hidden", "true"); // it is told in words, too
  label.textContent = words;
  const drawing = /** @type {SVGGElement} */ (path.closest("svg > g"));
  drawing.append(label);
  const { width, height } = label.getBBox();
  const half = width / 2 + GAP;
  const left = -drawing.transform.baseVal.getItem(0).matrix.e;
  const most = left + svg.viewBox.baseVal.width - half;
  // The words of an arrow that points up or down stand to its right.
  const said = /** @type {SVGTextElement | null | undefined} */ (
    path.parentElement?.querySelector("text.carried")
  );
  const taken = [...drawing.querySelectorAll("text.carried, .node rect, .node .note")].map((part) =>
    /** @type {SVGGraphicsElement} */ (part).getBBox(),
  );
  let best = { x: 0, y: 0, covers: Number.POSITIVE_INFINITY };
  for (const share of SHARES) {
    const { x: middle, y } = path.getPointAtLength(path.getTotalLength() * share);
    const beside = said && said.getBBox().x > middle;
    for (const wanted of beside
      ? [middle - half, middle + half]
      : [middle, middle - half, middle + half]) {
      const x = Math.max(left + half, Math.min(wanted, most));
      const covers = taken.filter(
        (box) =>
          Math.abs(box.x + box.width / 2 - x) < (box.width + width) / 2 &&
          Math.abs(box.y + box.height / 2 - y) < (box.height + height) / 2,
      ).length;
      if (covers < best.covers) best = { x, y, covers };
    }
  }
  label.setAttribute("x", String(best.x));
  label.setAttribute("y", String(best.y));
  label.setAttribute("dy", ".35em");
}
