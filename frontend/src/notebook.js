// @ts-check
/* What the output of a notebook brings with it: drawings are as light or dark as what is behind them
   where nothing says it, and what scrolls begins at the output. */

import { showOutput } from "./place.js";
import { schemeBehind } from "./scheme.js";

const SWITCHED = "[data-theme], [data-jp-theme-light], [data-md-color-scheme], [theme]";

for (const figure of document.querySelectorAll("figure.autogradgraph")) {
  if (!(figure instanceof HTMLElement) || "autogradgraphSeen" in figure.dataset) continue;
  figure.dataset.autogradgraphSeen = "";
  const scheme = figure.closest(SWITCHED) ? null : schemeBehind(figure);
  if (scheme) figure.dataset.autogradgraphScheme = scheme;
  const canvas = figure.querySelector(".autogradgraph-canvas");
  if (canvas) showOutput(canvas);
}
