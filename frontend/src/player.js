// @ts-check
/* The passes, step by step: values in the order in which the program computed them, and gradients in
   the order in which they arrive. */

import { addButton, addStatus, makeBar } from "./controls.js";
import { nodesOf, placesOf } from "./drawing.js";
import { labelEdges } from "./edge_labels.js";
import { lineOf } from "./links.js";
import { wordsOf } from "./paths.js";
import { backwardStory, forwardStory } from "./story.js";
import { say } from "./words.js";

const PACE = 1200; // milliseconds that a step takes at least when it is played
const READING = 35; // milliseconds for each character that is told

/**
 * @typedef {"forward" | "backward"} Pass
 * @typedef {{ boxes: SVGGElement[], id: number | null }} Step what is drawn of one node of the Graph
 */

/**
 * @param {HTMLElement} canvas
 * @param {() => SVGSVGElement} shown
 */
export function addPlayer(canvas, shown) {
  const script = canvas.parentElement?.querySelector("script.autogradgraph-data");
  const backward = canvas.querySelector(".order") !== null;
  if (!backward && !script?.textContent?.includes('"values"')) return;
  /** @type {import("./story.js").Graph} */
  const graph = JSON.parse(script?.textContent || '{"nodes": [], "edges": [], "outputs": []}');
  const bar = makeBar(say("passes_label"));
  canvas.after(bar);
  /** @type {Pass} */
  let pass = backward ? "backward" : "forward";
  let at = 0; // of so many steps; before the first, nothing is marked
  let timer = 0;

  const back = addButton(bar, `◀ ${say("before")}`, () => {
    pause();
    go(at - 1);
  });
  const plays = {
    forward: addButton(bar, "", () => toggle("forward")),
    backward: addButton(bar, "", () => toggle("backward")),
  };
  plays.backward.hidden = !backward;
  const next = addButton(bar, `${say("next")} ▶`, () => {
    pause();
    go(at + 1);
  });
  const status = addStatus(bar);
  status.className = "autogradgraph-player";

  /** @param {number} to */
  function go(to) {
    const steps = stepsOf(canvas, pass);
    at = Math.max(0, Math.min(to, steps.length));
    clear();
    for (const { boxes } of steps.slice(0, Math.max(0, at - 1))) light(boxes, "done");
    if (pass === "forward" && at) veil(steps.slice(at));
    status.textContent = at ? tell(steps) : "";
    back.disabled = at === 0;
    next.disabled = at === steps.length;
    if (at === steps.length) pause();
  }

  function clear() {
    for (const name of ["now", "done", "flow", "ahead"]) {
      for (const lit of shown().querySelectorAll(`.autogradgraph-${name}`)) {
        lit.classList.remove(`autogradgraph-${name}`);
      }
    }
    labelEdges(shown(), []);
    for (const line of document.querySelectorAll(".autogradgraph-line.autogradgraph-now")) {
      line.classList.remove("autogradgraph-now");
    }
  }

  /**
   * Hide what the program has not computed yet.
   * @param {Step[]} steps
   */
  function veil(steps) {
    const boxes = new Set(steps.flatMap((step) => step.boxes));
    light(boxes, "ahead");
    for (const { node, into } of placesOf(shown()).values()) {
      if (boxes.has(node))
        light(
          into.map(({ edge }) => edge),
          "ahead",
        );
    }
  }

  /**
   * Show a step, and return what is told of it.
   * @param {Step[]} steps
   */
  function tell(steps) {
    const { boxes, id } = steps[at - 1];
    light(boxes, "now");
    boxes[0].scrollIntoView({ block: "nearest", inline: "nearest" });
    lineOf(boxes[0])?.classList.add("autogradgraph-now");
    const places = placesOf(shown());
    const ways = [...places.values()].filter(({ node }) => boxes.includes(node));
    const into = ways.flatMap((place) => place.into);
    light(
      into.map(({ edge }) => edge),
      "flow",
    );
    const words = { number: at, count: steps.length };
    const node = id === null ? undefined : graph.nodes[id];
    if (!node) {
      const name = boxes[0].querySelector(".op, .name, .meta")?.textContent ?? "";
      const story = pass === "backward" ? say("reached", { node: name }) : wordsOf(boxes[0]);
      return `${say("step", words)} ${story}`;
    }
    if (pass === "forward") return `${say("step", words)} ${forwardStory(node, say)}`;
    const ends = into.map(({ edge, to }) => ({ edge, from: idOf(places.get(to)?.node) }));
    labelEdges(shown(), ends, graph, node.id);
    return `${say("step", words)} ${backwardStory(graph, node.id, say)}`;
  }

  /** @param {Pass} wanted */
  function toggle(wanted) {
    const playing = timer !== 0;
    pause();
    if (playing && wanted === pass) return;
    const steps = stepsOf(canvas, wanted).length;
    if (wanted !== pass || at === steps) {
      pass = wanted;
      at = 0;
    }
    play();
  }

  function play() {
    go(at + 1);
    if (at === stepsOf(canvas, pass).length) return;
    const told = status.textContent?.length ?? 0;
    timer = window.setTimeout(play, Math.max(PACE, READING * told));
    plays[pass].textContent = `❚❚ ${say("pause")}`;
  }

  function pause() {
    clearTimeout(timer);
    timer = 0;
    plays.forward.textContent = `▶ ${say("playForward")}`;
    plays.backward.textContent = `▶ ${say("play")}`;
  }

  pause();
  go(0);
}

/**
 * The steps of a pass: of backward by the numbers on the boxes, forward by what made the boxes.
 * @param {Element} canvas
 * @param {Pass} pass
 * @returns {Step[]}
 */
function stepsOf(canvas, pass) {
  /** @type {Map<string, { boxes: SVGGElement[], rank: number, id: number | null }>} */
  const steps = new Map();
  for (const box of nodesOf(canvas)) {
    const number = box.querySelector(".order")?.textContent;
    const runs = box.dataset.node ?? "";
    const taken = pass === "backward" ? number : box.matches(".function, .module, .output");
    if (!taken) continue;
    const rank = pass === "backward" ? Number.parseInt(number ?? "", 10) : endOf(runs);
    const step = steps.get(runs) ?? { boxes: [], rank, id: idOf(box) };
    step.boxes.push(box);
    steps.set(runs, step);
  }
  return [...steps.values()].sort((one, other) => one.rank - other.rank);
}

/**
 * The id of the one node that a box shows; null for a fold.
 * @param {SVGGElement | undefined} box
 */
function idOf(box) {
  const runs = box?.dataset.node ?? "";
  return /^\d+$/.test(runs) ? Number(runs) : null;
}

/** @param {string} runs */
function endOf(runs) {
  return Number(runs.split(/[ -]/).pop());
}

/**
 * @param {Iterable<Element>} elements
 * @param {string} name
 */
function light(elements, name) {
  for (const element of elements) element.classList.add(`autogradgraph-${name}`);
}
