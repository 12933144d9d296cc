// @ts-check
/* The drawings that a folded one opens to, each in a file of its own. */

import { connect } from "./links.js";

/**
 * @typedef {{ nodes?: number, url?: string, file?: string, svg?: SVGSVGElement }} Level
 */

/** @type {Map<string, (packed: string) => void>} */
const waiting = new Map(); // name of a file → who waits for what is in it

/** @type {any} */ (globalThis).autogradgraphLevel = (
  /** @type {string} */ file,
  /** @type {string} */ packed,
) => {
  waiting.get(file)?.(packed);
};

/**
 * The SVG in a file: a script, for pages that are opened from a disk may load nothing else.
 * @param {Level} level
 * @returns {Promise<SVGSVGElement>}
 */
export async function loadLevel(level) {
  /** @type {string} */
  const packed = await new Promise((resolve, reject) => {
    waiting.set(level.file ?? "", resolve);
    const script = document.createElement("script");
    script.src = level.url ?? "";
    script.onerror = reject;
    document.head.append(script);
  });
  const bytes = Uint8Array.from(atob(packed), (char) => char.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  const holder = document.createElement("div");
  holder.innerHTML = await new Response(stream).text();
  connect(holder);
  return /** @type {SVGSVGElement} */ (holder.querySelector("svg"));
}
