// @ts-check
/* The controls of a figure: open and fold it, search it, see it in full size, copy it, play it. */

import { addButton, addStatus, makeBar } from "./controls.js";
import { copyDrawing } from "./copy.js";
import { drawingIn, lastOf, nodesOf, nodeThatShows } from "./drawing.js";
import { showFull } from "./full_size.js";
import { loadLevel } from "./levels.js";
import { middleOf, showOutput } from "./place.js";
import { addPlayer } from "./player.js";
import { addSearch } from "./search.js";
import { hasWords, say } from "./words.js";

const MANY = 40; // a drawing with more nodes is searched
const TALL = 1.04; // in heights of the window: a drawing that is not as tall does not scroll in itself

/**
 * @typedef {object} Figure
 * @property {HTMLElement} canvas
 * @property {() => SVGSVGElement} shown the drawing of the level that is open
 * @property {ReturnType<typeof addSearch>} search
 * @property {() => void} onShow called when another level is shown
 * @property {() => void} fit offer what the size of the drawing calls for
 * @property {(scroller: Element) => void} showOutput
 */

/** @param {HTMLElement} canvas */
export function makeFigure(canvas) {
  /** @type {import("./levels.js").Level[]} */
  const levels = JSON.parse(canvas.dataset.levels ?? "[{}]");
  levels[0].svg = drawingIn(canvas) ?? undefined;
  if (!levels[0].svg || !hasWords()) return;
  let at = 0;
  const shown = () => /** @type {SVGSVGElement} */ (levels[at].svg);

  const bar = makeBar();
  canvas.before(bar);
  const close = addButton(bar, `− ${say("close")}`, () => go(at - 1));
  const open = addButton(bar, `+ ${say("open")}`, () => go(at + 1));
  const state = addStatus(bar);
  const search = addSearch(bar, shown);
  /** @type {Figure} */
  const figure = { canvas, shown, search, onShow() {}, fit, showOutput };
  const full = addButton(bar, say("full"), () => showFull(figure));
  addButton(bar, say("copy"), (button) => copyDrawing(shown(), button));
  for (const part of [close, open, state]) part.hidden = levels.length === 1;
  addPlayer(canvas, shown);
  openFolds(0);
  update();
  showOutput(canvas);
  new ResizeObserver(fit).observe(canvas);

  /* What is larger than its place scrolls, by keyboard too, and can be seen in full size. */
  function fit() {
    const svg = drawingIn(canvas);
    if (!svg) return;
    canvas.style.maxHeight = canvas.scrollHeight > TALL * window.innerHeight ? "" : "none";
    const scrolls =
      canvas.scrollWidth > canvas.clientWidth + 1 || canvas.scrollHeight > canvas.clientHeight + 1;
    const stop = { tabindex: "0", role: "region", "aria-label": nameOf(canvas) };
    for (const [name, value] of Object.entries(stop)) {
      if (scrolls) canvas.setAttribute(name, value);
      else canvas.removeAttribute(name);
    }
    full.hidden = !scrolls && svg.clientWidth >= svg.viewBox.baseVal.width - 1;
    search.input.hidden = nodesOf(canvas).length <= MANY;
    const quiet = [full, search.input, open].every((part) => part.hidden);
    bar.classList.toggle("autogradgraph-quiet", quiet);
  }

  /**
   * Show a level, and leave what the reader looks at where it is.
   * @param {number} to
   * @param {SVGGElement} [fold] what the reader has opened; else it is what is in the middle
   */
  async function go(to, fold) {
    if (!levels[to]) return;
    const before = shown();
    canvas.setAttribute("aria-busy", "true");
    try {
      if (!levels[to].svg) {
        levels[to].svg = await loadLevel(levels[to]);
        openFolds(to);
      }
    } catch {
      levels.length = to; // what cannot be loaded is not offered again
      update();
      return;
    } finally {
      canvas.removeAttribute("aria-busy");
    }
    const scroller = /** @type {Element} */ (before.parentElement);
    const looked = fold ?? nodeInTheMiddle(before, scroller);
    const place = looked && middleOf(looked);
    before.replaceWith(shownAt(to));
    update();
    figure.onShow();
    const node = looked && nodeThatShows(shown(), lastOf(looked.dataset.node ?? ""));
    if (!place || !node) {
      showOutput(scroller);
      return;
    }
    const moved = () => ({ x: middleOf(node).x - place.x, y: middleOf(node).y - place.y });
    scroller.scrollLeft += moved().x;
    scroller.scrollTop += moved().y;
    if (!fold) return;
    // Where the drawing cannot scroll so far the page does, unless a button is under the pointer.
    if (scroller === canvas) window.scrollBy(0, moved().y);
    node.scrollIntoView({ block: "nearest", inline: "nearest" });
    node.focus({ preventScroll: true });
  }

  /** @param {number} to */
  function shownAt(to) {
    at = to;
    return shown();
  }

  function update() {
    const active = document.activeElement;
    close.disabled = at === 0;
    open.disabled = at === levels.length - 1;
    if (levels.length > 1) {
      state.textContent = say("state", { count: (levels[at].nodes ?? 0).toLocaleString() });
    }
    if (active === close && close.disabled) open.focus();
    if (active === open && open.disabled) close.focus();
    search.update();
    fit();
  }

  /**
   * A fold of a level opens when it is clicked or tapped, or by Enter.  It opens also where its box
   * is a link to its line, which Enter on the link follows, as a click with a key held does.
   * @param {number} level
   */
  function openFolds(level) {
    if (level === levels.length - 1) return;
    const folds = /** @type {"g"} */ (".node.module:not(.cut)");
    for (const node of levels[level].svg?.querySelectorAll(folds) ?? []) {
      node.classList.add("autogradgraph-opens");
      const opens = (/** @type {Event} */ event) => {
        if (at === levels.length - 1) return;
        event.preventDefault();
        go(at + 1, node);
      };
      const onLink = (/** @type {Event} */ event) =>
        /** @type {Element} */ (event.target).closest("a") !== null;
      node.addEventListener("click", (event) => {
        const asLink = event.detail === 0 || event.ctrlKey || event.metaKey || event.shiftKey;
        if (!(asLink && onLink(event))) opens(event);
      });
      node.addEventListener("keydown", (event) => {
        if (event.key === "Enter" && !onLink(event)) opens(event);
      });
    }
  }
}

/**
 * What a figure is called: its caption, else its title.
 * @param {Element} canvas
 */
function nameOf(canvas) {
  const caption = canvas.parentElement?.querySelector("figcaption .caption-text");
  return (caption ?? canvas.querySelector("title"))?.textContent ?? "";
}

/**
 * The node that is closest to the middle of what is seen of a drawing.
 * @param {SVGSVGElement} svg
 * @param {Element} scroller
 */
function nodeInTheMiddle(svg, scroller) {
  const middle = middleOf(scroller);
  let found;
  let least = Number.POSITIVE_INFINITY;
  for (const node of svg.querySelectorAll(/** @type {"g"} */ (".node"))) {
    const { x, y } = middleOf(node);
    const distance = Math.hypot(x - middle.x, y - middle.y);
    if (distance < least) {
      least = distance;
      found = node;
    }
  }
  return found;
}
