// @ts-check
/* The backward pass, step by step: the order in which gradients arrive. */

import { addButton, addStatus, makeBar } from "./controls.js";
import { nodesOf, placesOf } from "./drawing.js";
import { say } from "./words.js";

const PACE = 1200; // milliseconds that a step takes when it is played

/**
 * @param {HTMLElement} canvas
 * @param {() => SVGSVGElement} shown
 */
export function addPlayer(canvas, shown) {
  if (!canvas.querySelector(".order")) return;
  const script = canvas.parentElement?.querySelector("script.autogradgraph-data");
  const data = script?.textContent ? JSON.parse(script.textContent).nodes : [];
  const bar = makeBar(say("backward"));
  canvas.after(bar);
  let at = 0; // of so many steps; before the first, nothing is marked
  let timer = 0;
  const back = addButton(bar, `◀ ${say("before")}`, () => {
    pause();
    go(at - 1);
  });
  const play = addButton(bar, "", () => (timer ? pause() : run()));
  const next = addButton(bar, `${say("next")} ▶`, () => {
    pause();
    go(at + 1);
  });
  const status = addStatus(bar);
  status.className = "autogradgraph-player";

  function steps() {
    const number = (/** @type {Element} */ node) =>
      Number.parseInt(node.querySelector(".order")?.textContent ?? "", 10);
    return nodesOf(canvas)
      .filter((node) => node.querySelector(".order"))
      .sort((one, other) => number(one) - number(other));
  }

  /** @param {number} to */
  function go(to) {
    const nodes = steps();
    at = Math.max(0, Math.min(to, nodes.length));
    for (const name of ["now", "done", "flow"]) {
      for (const lit of shown().querySelectorAll(`.autogradgraph-${name}`)) {
        lit.classList.remove(`autogradgraph-${name}`);
      }
    }
    for (const node of nodes.slice(0, Math.max(0, at - 1))) {
      node.classList.add("autogradgraph-done");
    }
    status.textContent = "";
    if (at) tell(nodes);
    back.disabled = at === 0;
    next.disabled = at === nodes.length;
    if (at === nodes.length) pause();
  }

  /** @param {SVGGElement[]} nodes */
  function tell(nodes) {
    const node = nodes[at - 1];
    node.classList.add("autogradgraph-now");
    node.scrollIntoView({ block: "nearest", inline: "nearest" });
    const places = placesOf(shown());
    const ways = [...places.values()].find((place) => place.node === node)?.into ?? [];
    for (const { edge } of ways) edge.classList.add("autogradgraph-flow");
    const known = data[/^\d+$/.test(node.dataset.node ?? "") ? Number(node.dataset.node) : -1];
    const gradient = known?.gradient;
    const shape = gradient?.shape;
    const sentences = [
      say(gradient ? "arrives" : "reached", {
        number: at,
        count: nodes.length,
        node: nameOf(node),
        shape: shape ? `(${shape.join(", ")}${shape.length === 1 ? "," : ""})` : "?",
        norm: gradient ? (gradient.norm ?? "?") : "",
      }),
    ];
    const after = [...new Set(ways.map(({ to }) => places.get(to)?.node))].filter((other) =>
      other?.querySelector(".order"),
    );
    if (after.length) {
      sentences.push(say("passes", { nodes: after.map((other) => nameOf(other)).join(", ") }));
    } else if (node.classList.contains("leaf")) {
      sentences.push(say("kept", { node: nameOf(node) }));
    }
    status.textContent = sentences.join(" ");
  }

  /** @param {Element | undefined} node */
  function nameOf(node) {
    const said = [".op", ".name", ".meta"].map((role) => node?.querySelector(role)).find(Boolean);
    return said?.textContent ?? "";
  }

  function run() {
    if (at === steps().length) go(0);
    go(at + 1);
    timer = window.setInterval(() => go(at + 1), PACE);
    play.textContent = `❚❚ ${say("pause")}`;
  }

  function pause() {
    clearInterval(timer);
    timer = 0;
    play.textContent = `▶ ${say("play")}`;
  }

  pause();
  go(0);
}
