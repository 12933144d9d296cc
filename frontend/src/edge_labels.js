// @ts-check
/* Words on the edges that backward is walking: the formulas of what is passed along them. */

import { formulaOf } from "./story.js";

const NAME = "autogradgraph-formula";
const GAP = 4; // between a word and the border of the drawing

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
  const { x: middle, y } = path.getPointAtLength(path.getTotalLength() / 2);
  const half = label.getBBox().width / 2 + GAP;
  // The words of an arrow that points up or down stand to its right.
  const said = path.parentElement?.querySelector("text.carried");
  const beside = said && /** @type {SVGTextElement} */ (said).getBBox().x > middle;
  const x = beside ? middle - half : middle;
  const left = -drawing.transform.baseVal.getItem(0).matrix.e;
  const most = left + svg.viewBox.baseVal.width - half;
  label.setAttribute("x", String(Math.max(left + half, Math.min(x, most))));
  label.setAttribute("y", String(y));
  label.setAttribute("dy", ".35em");
}
