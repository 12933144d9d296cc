// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { paletteSheet } from "../palette.js";

test("each colour has its value in each scheme", () => {
  const sheet = paletteSheet({ edge: ["#111111", "#eeeeee", "CanvasText"] });
  assert.match(sheet.scheme, /--autogradgraph-edge: light-dark\(#111111, #eeeeee\);/);
  assert.match(sheet.forced, /--autogradgraph-edge: CanvasText;/);
});
