// @ts-check
/* The words of the script, which the page brings in its language. */

/** @type {Record<string, string>} */
let words = {};

/** Read the words that the first figure of the page has for all. */
export function readWords() {
  const holder = document.querySelector("[data-autogradgraph-words]");
  if (holder instanceof HTMLElement) words = JSON.parse(holder.dataset.autogradgraphWords ?? "{}");
}

/** Whether the page brings words: the output of a notebook, on a page of its own, has none. */
export function hasWords() {
  return "full" in words;
}

/**
 * The words of that name, with values in the place of {names}.
 * @param {string} name
 * @param {Record<string, string | number>} [values]
 */
export function say(name, values = {}) {
  return fill(words[name] ?? "", values);
}

/**
 * The text with values in the place of {names}.
 * @param {string} text
 * @param {Record<string, string | number>} values
 */
export function fill(text, values) {
  return text.replace(/{(\w+)}/g, (whole, name) => String(values[name] ?? whole));
}
