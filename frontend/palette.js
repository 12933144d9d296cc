// @ts-check
/* Colours as custom properties. */

/** @typedef {Record<string, [light: string, dark: string, forced: string]>} Palette */

const ON = ".autogradgraph, .autogradgraph-svg, .autogradgraph-line";

/**
 * The rules that give the colours to drawings and to lines of code: those of the light and the dark
 * scheme, and those of readers who have all pages in colours of their own.
 * @param {Palette} palette
 */
export function paletteSheet(palette) {
  const colours = Object.entries(palette);
  const scheme = colours.map(([name, [light, dark]]) =>
    property(name, `light-dark(${light}, ${dark})`),
  );
  const forced = colours.map(([name, [, , own]]) => property(name, own));
  return {
    scheme: `${ON} { ${scheme.join(" ")} }\n`,
    forced: `@media (forced-colors: active) { ${ON} { forced-color-adjust: none; ${forced.join(" ")} } }\n`,
  };
}

/**
 * @param {string} name
 * @param {string} value
 */
function property(name, value) {
  return `--autogradgraph-${name}: ${value};`;
}
