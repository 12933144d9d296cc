/* Code and graph point at each other: pointing at a line of code, or focusing it, marks the nodes
   that it made; pointing at a node marks its line.  Without this script the links still work. */
(() => {
  "use strict";

  const MARKED = "autogradgraph-marked";

  function start() {
    connect();
    pairUp();
  }

  function connect() {
    const nodesOf = new Map(); // line element → its nodes, in all figures of the page
    for (const node of document.querySelectorAll(".autogradgraph-svg .node")) {
      const link = node.querySelector("a.line");
      const line = link && document.getElementById(link.getAttribute("href").slice(1));
      if (!line) continue;
      if (!nodesOf.has(line)) nodesOf.set(line, []);
      nodesOf.get(line).push(node);
      mark(node, [line]);
    }
    for (const [line, nodes] of nodesOf) {
      line.classList.add("autogradgraph-line");
      line.tabIndex = 0;
      mark(line, nodes);
    }
  }

  /* The boxes of one tensor that is drawn in several places mark each other. */
  function pairUp() {
    for (const svg of document.querySelectorAll(".autogradgraph-svg")) {
      for (const box of svg.querySelectorAll(".node.shared")) {
        mark(box, [...svg.querySelectorAll(`.node.shared[data-node="${box.dataset.node}"]`)]);
      }
    }
  }

  /* Mark the targets (and the source) as long as the source is pointed at or has the focus. */
  function mark(source, targets) {
    let pointed = false;
    let focused = false;
    const update = () => {
      for (const element of [source, ...targets]) {
        element.classList.toggle(MARKED, pointed || focused);
      }
    };
    source.addEventListener("pointerenter", () => { pointed = true; update(); });
    source.addEventListener("pointerleave", () => { pointed = false; update(); });
    source.addEventListener("focusin", () => { focused = true; update(); });
    source.addEventListener("focusout", () => { focused = false; update(); });
  }

  if (document.readyState === "loading") {
    document.addEventListener("DOMContentLoaded", start);
  } else {
    start();
  }
})();
