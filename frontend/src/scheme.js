// @ts-check
/* Light or dark, as the page is. */

const SWITCHES = [
  "class",
  "style",
  "data-theme",
  "data-mode",
  "data-bs-theme",
  "data-md-color-scheme",
];

/** Have the drawings follow the page, however its theme turns it light or dark. */
export function watchScheme() {
  const root = document.documentElement;
  const update = () => {
    const figure = document.querySelector(".autogradgraph") ?? document.body;
    root.dataset.autogradgraphScheme = schemeBehind(figure) ?? (prefersDark() ? "dark" : "light");
  };
  const watched = "autogradgraphScheme" in root.dataset;
  update();
  if (watched) return; // the page came without a load, by «instant navigation»
  const observer = new MutationObserver(update);
  for (const element of [root, document.body]) {
    observer.observe(element, { attributes: true, attributeFilter: SWITCHES });
  }
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", update);
}

/**
 * Whether what is behind an element is light or dark; null where nothing has a colour.
 * @param {Element} element
 */
export function schemeBehind(element) {
  for (let at = element.parentElement; at; at = at.parentElement) {
    const dark = isDark(getComputedStyle(at).backgroundColor);
    if (dark !== null) return dark ? "dark" : "light";
  }
  return null;
}

/**
 * Whether a colour, as browsers compute it, is dark; null for one that is not seen.
 * @param {string} colour
 */
export function isDark(colour) {
  const parts = colour.match(/[\d.]+/g)?.map(Number);
  if (!parts || parts.length < 3 || parts[3] === 0) return null;
  const [red, green, blue] = parts;
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue < 128;
}

function prefersDark() {
  const scheme = getComputedStyle(document.documentElement).colorScheme;
  return scheme.includes("dark") && matchMedia("(prefers-color-scheme: dark)").matches;
}
