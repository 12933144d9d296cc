// @ts-check
/* Code and graph point at each other. */

import { nodesOf } from "./drawing.js";
import { markTogether } from "./marks.js";
import { makeWalkable } from "./paths.js";

/** @type {Map<HTMLElement, Element[]>} */
const nodesOfLines = new Map(); // in all figures of the page

/**
 * Connect the drawings below an element with the code on the page, and their nodes with each other.
 * @param {Element} root
 */
export function connect(root) {
  for (const node of nodesOf(root)) {
    const line = lineOf(node);
    if (!line) continue;
    markTogether(node, () => [line]);
    let nodes = nodesOfLines.get(line);
    if (!nodes) {
      nodes = [];
      nodesOfLines.set(line, nodes);
      line.classList.add("autogradgraph-line");
      line.tabIndex = 0;
      markTogether(line, () => nodesOfLines.get(line) ?? []);
    }
    nodes.push(node);
  }
  for (const svg of root.querySelectorAll(/** @type {"svg"} */ (".autogradgraph-svg"))) {
    // The boxes of one tensor that is drawn in several places mark each other.
    for (const box of svg.querySelectorAll(/** @type {"g"} */ (".node.shared"))) {
      const same = `.node.shared[data-node="${box.dataset.node}"]`;
      markTogether(box, () => svg.querySelectorAll(same));
    }
    // A policy of the page that forbids styles in the markup allows those of a script.
    if (!svg.style.length) svg.style.cssText = svg.getAttribute("style") ?? "";
    makeWalkable(svg);
  }
}

/**
 * The line of code on the page that made a node.
 * @param {Element} node
 */
export function lineOf(node) {
  const link = node.querySelector("a.line")?.getAttribute("href");
  return link ? document.getElementById(link.slice(1)) : null;
}
