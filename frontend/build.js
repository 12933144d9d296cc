// @ts-check
/* Make the script and the style sheet that the package ships, or with --check see that they are
   what the sources make. */

import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import esbuild from "esbuild";
import { paletteSheet } from "./palette.js";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const PACKAGE = `${HERE}../sphinx_autogradgraph/`;
/** A comment before each part: drawings that stand alone have but the first, notebooks two. */
const PARTS = ["drawing", "page", "controls"];

const NOTE = "sphinx-autogradgraph; made from frontend/ by «npm run build».";

/** @param {string} name */
async function script(name) {
  const made = await esbuild.build({
    entryPoints: [`${HERE}src/${name}.js`],
    bundle: true,
    minify: true,
    format: "iife",
    target: "es2022",
    charset: "utf8",
    lineLimit: 100,
    banner: { js: `/* ${NOTE} */` },
    write: false,
  });
  return made.outputFiles[0].text;
}

async function styleSheet() {
  const palette = JSON.parse(await readFile(`${PACKAGE}render/palette.json`, "utf8"));
  const sheets = [];
  for (const part of PARTS) {
    let source = await readFile(`${HERE}style/${part}.css`, "utf8");
    if (part === "drawing") source = paletteSheet(palette).scheme + source;
    if (part === "controls") source += paletteSheet(palette).forced;
    const { code } = await esbuild.transform(source, {
      loader: "css",
      minify: true,
      charset: "utf8",
    });
    const lines = code.trim().replace(/}(?!}|$)/g, "}\n"); // a rule a line, for those who compare
    sheets.push(`/* === ${part} === */\n${lines}\n`);
  }
  return `/* ${NOTE} */\n${sheets.join("")}`;
}

const made = {
  [`${PACKAGE}static/autogradgraph.js`]: await script("main"),
  [`${PACKAGE}render/notebook.js`]: await script("notebook"),
  [`${PACKAGE}static/autogradgraph.css`]: await styleSheet(),
};

for (const [path, text] of Object.entries(made)) {
  if (!process.argv.includes("--check")) await writeFile(path, text);
  else if ((await readFile(path, "utf8")) !== text) {
    console.error(`${path} is not what frontend/ makes: run «npm run build» there and commit it`);
    process.exitCode = 1;
  }
}
