// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { isDark } from "../src/scheme.js";
import { matches } from "../src/search.js";
import { fill } from "../src/words.js";

test("values stand in the place of their names", () => {
  assert.equal(
    fill("{number} of {count}: {node}", { number: 1, count: 8, node: "w" }),
    "1 of 8: w",
  );
  assert.equal(fill("{a} {b}", { a: "{b}", b: 2 }), "{b} 2");
  assert.equal(fill("{unknown}", {}), "{unknown}");
});

test("a search finds words in any case, and nothing when it is empty", () => {
  assert.ok(matches("MmBackward0 (10, 1)", " mmback "));
  assert.ok(!matches("MmBackward0", "  "));
});

test("dark is what has little light, and what is transparent is neither", () => {
  assert.equal(isDark("rgb(17, 17, 17)"), true);
  assert.equal(isDark("rgba(255, 255, 255, 0.9)"), false);
  assert.equal(isDark("rgba(0, 0, 0, 0)"), null);
  assert.equal(isDark("transparent"), null);
});
