// @ts-check
/* The path of a node: what it was made from, and what was made of it. */

import { placesOf } from "./drawing.js";
import { whilePointedAt } from "./marks.js";

const ON_PATH = "autogradgraph-path";

/**
 * Where an arrow key leads in a drawing in which data flows that way.
 * @param {string} direction TB, BT, LR or RL
 * @returns {Record<string, "into" | "out" | "before" | "after">}
 */
export function arrowKeys(direction) {
  switch (direction) {
    case "BT":
      return { ArrowUp: "out", ArrowDown: "into", ArrowLeft: "before", ArrowRight: "after" };
    case "LR":
      return { ArrowUp: "before", ArrowDown: "after", ArrowLeft: "into", ArrowRight: "out" };
    case "RL":
      return { ArrowUp: "before", ArrowDown: "after", ArrowLeft: "out", ArrowRight: "into" };
    default:
      return { ArrowUp: "into", ArrowDown: "out", ArrowLeft: "before", ArrowRight: "after" };
  }
}

/**
 * All that can be reached from a key in one way, itself included.
 * @template {{ to: string }} Way
 * @param {string} key
 * @param {(key: string) => Way[]} waysFrom
 * @returns {{ keys: Set<string>, ways: Way[] }}
 */
export function reach(key, waysFrom) {
  const keys = new Set([key]);
  /** @type {Way[]} */
  const ways = [];
  const stack = [key];
  for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
    for (const way of waysFrom(at)) {
      ways.push(way);
      if (keys.has(way.to)) continue;
      keys.add(way.to);
      stack.push(way.to);
    }
  }
  return { keys, ways };
}

/**
 * Point at a node, or move over the drawing with the arrow keys, and its path stands out.
 * @param {SVGSVGElement} svg
 */
export function makeWalkable(svg) {
  const places = placesOf(svg);
  const keyOf = new Map([...places].map(([key, { node }]) => [node, key]));
  const order = [...places.keys()];
  const keys = arrowKeys(svg.dataset.direction ?? "TB");
  let timer = 0;

  /** @param {string | null} key */
  const show = (key) => {
    svg.classList.toggle("autogradgraph-tracing", key !== null);
    for (const lit of svg.querySelectorAll(`.${ON_PATH}`)) lit.classList.remove(ON_PATH);
    if (key === null) return;
    for (const way of /** @type {const} */ (["into", "out"])) {
      const found = reach(key, (at) => places.get(at)?.[way] ?? []);
      for (const at of found.keys) places.get(at)?.node.classList.add(ON_PATH);
      for (const { edge } of found.ways) edge.classList.add(ON_PATH);
    }
  };

  order.forEach((key, index) => {
    const node = /** @type {import("./drawing.js").Place} */ (places.get(key)).node;
    node.tabIndex = index ? -1 : 0;
    node.setAttribute("role", "group");
    node.setAttribute("aria-label", wordsOf(node));
    whilePointedAt(node, (on) => {
      clearTimeout(timer); // not at once: who only passes over it wants no flicker
      timer = window.setTimeout(show, on ? 120 : 60, on ? key : null);
    });
  });

  svg.addEventListener("keydown", (event) => {
    const key = keyOf.get(nodeAt(event));
    if (key === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    const target = step(key, event.key);
    if (target === undefined) return;
    event.preventDefault();
    focusNode(/** @type {import("./drawing.js").Place} */ (places.get(target)).node);
  });
  svg.addEventListener("focusin", (event) => {
    const node = nodeAt(event);
    for (const { node: other } of places.values()) other.tabIndex = other === node ? 0 : -1;
  });

  /**
   * @param {string} key
   * @param {string} pressed
   */
  function step(key, pressed) {
    const index = order.indexOf(key);
    if (pressed === "Home") return order[0];
    if (pressed === "End") return order[order.length - 1];
    const to = keys[pressed];
    if (to === "before") return order[index - 1];
    if (to === "after") return order[index + 1];
    return to && places.get(key)?.[to][0]?.to;
  }
}

/**
 * @param {Event} event
 * @returns {SVGGElement}
 */
function nodeAt(event) {
  const target = /** @type {Element} */ (event.target);
  return /** @type {SVGGElement} */ (target.closest(".node"));
}

/**
 * What a node says, on all of its lines.
 * @param {Element} node
 */
export function wordsOf(node) {
  return [...node.querySelectorAll("text")].map((text) => text.textContent.trim()).join(" ");
}

/** @param {SVGGElement} node */
function focusNode(node) {
  node.focus({ preventScroll: true });
  node.scrollIntoView({ block: "nearest", inline: "nearest" });
}
