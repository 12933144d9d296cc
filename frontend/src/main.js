// @ts-check
/* What makes the drawings more than pictures.  Code and graph point at each other; a node shows its
   path, back to the leaves and on to the outputs; a folded drawing opens step by step, a large one is
   searched and seen in full size; the passes are played.  Without this script the links work all the
   same, and what is drawn is complete. */

import { makeFigure } from "./figure.js";
import { connect } from "./links.js";
import { watchScheme } from "./scheme.js";
import { readWords } from "./words.js";

function start() {
  readWords();
  watchScheme();
  const figures = ".autogradgraph > .autogradgraph-canvas:not([data-autogradgraph-ready])";
  for (const canvas of document.querySelectorAll(figures)) {
    if (!(canvas instanceof HTMLElement)) continue;
    canvas.dataset.autogradgraphReady = "";
    makeFigure(canvas);
    connect(canvas);
  }
}

if (document.readyState === "loading") {
  document.addEventListener("DOMContentLoaded", start);
} else {
  start();
}
