// @ts-check
/* What a drawing consists of, read from its markup (README.md: the contract). */

/**
 * @typedef {{ edge: Element, to: string }} Way an edge, and the key of the node at its other end
 * @typedef {{ node: SVGGElement, into: Way[], out: Way[] }} Place
 */

/**
 * The nodes of a drawing, and the edges into and out of each, by the keys of nodes.
 * @param {SVGSVGElement} svg
 * @returns {Map<string, Place>}
 */
export function placesOf(svg) {
  const prefix = svg.querySelector("title")?.id.replace(/title$/, "") ?? "";
  /** @type {Map<string, Place>} */
  const places = new Map();
  for (const node of nodesOf(svg)) {
    places.set(node.id.slice(prefix.length), { node, into: [], out: [] });
  }
  for (const edge of svg.querySelectorAll(".edge[data-ends]")) {
    const [tail, head] = edge.getAttribute("data-ends")?.split(" ") ?? [];
    places.get(tail)?.out.push({ edge, to: head });
    places.get(head)?.into.push({ edge, to: tail });
  }
  return places;
}

/**
 * @param {ParentNode} root
 * @returns {SVGGElement[]}
 */
export function nodesOf(root) {
  return [...root.querySelectorAll(/** @type {"g"} */ (".autogradgraph-svg .node"))];
}

/**
 * @param {Element} canvas
 * @returns {SVGSVGElement | null}
 */
export function drawingIn(canvas) {
  return canvas.querySelector(/** @type {"svg"} */ (".autogradgraph-svg"));
}

/**
 * The node that shows what has that id in the Graph.
 * @param {SVGSVGElement} svg
 * @param {number} id
 */
export function nodeThatShows(svg, id) {
  return nodesOf(svg).find((node) => holds(node.dataset.node ?? "", id));
}

/**
 * Whether ids, which are written as runs («3 12-40»), hold an id.
 * @param {string} runs
 * @param {number} id
 */
export function holds(runs, id) {
  if (!runs) return false;
  return runs.split(" ").some((run) => {
    const [first, last = first] = run.split("-").map(Number);
    return first <= id && id <= last;
  });
}

/**
 * The first id of the last run: that of a fold which is what the fold made.
 * @param {string} runs
 */
export function lastOf(runs) {
  return Number.parseInt(runs.split(" ").pop() ?? "", 10);
}
