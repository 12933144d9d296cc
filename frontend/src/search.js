// @ts-check
/* Search in a drawing: what is typed marks the nodes that say it; Enter goes from one to the next. */

import { nodesOf } from "./drawing.js";
import { say } from "./words.js";

const HIT = "autogradgraph-hit";

/**
 * Whether words hold what is searched for.
 * @param {string} words
 * @param {string} query
 */
export function matches(words, query) {
  const wanted = query.trim().toLowerCase();
  return wanted !== "" && words.toLowerCase().includes(wanted);
}

/**
 * Add a field to search what is shown.  Where that changes, or the field, call `update`.
 * @param {HTMLElement} parent
 * @param {() => SVGSVGElement} shown
 */
export function addSearch(parent, shown) {
  const input = document.createElement("input");
  input.type = "search";
  input.placeholder = say("search");
  input.setAttribute("aria-label", say("search"));
  parent.append(input);
  let index = -1;
  /** @type {SVGGElement[]} */
  let hits = [];

  function update() {
    index = -1;
    hits = [];
    for (const node of nodesOf(/** @type {Element} */ (shown().parentElement))) {
      const hit = matches(node.textContent, input.value);
      node.classList.toggle(HIT, hit);
      if (hit) hits.push(node);
    }
  }

  input.addEventListener("input", update);
  input.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !hits.length) return;
    event.preventDefault();
    index = (index + (event.shiftKey ? hits.length - 1 : 1)) % hits.length;
    hits[index].scrollIntoView({ block: "center", inline: "center" });
  });
  return { input, update };
}
