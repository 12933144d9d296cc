// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { holds, lastOf } from "../src/drawing.js";
import { arrowKeys, reach } from "../src/paths.js";

test("runs hold the ids between their ends", () => {
  assert.ok(holds("3 12-40", 3));
  assert.ok(holds("3 12-40", 12));
  assert.ok(holds("3 12-40", 40));
  assert.ok(!holds("3 12-40", 4));
  assert.ok(!holds("", 0));
});

test("the last run tells where a fold begins", () => {
  assert.equal(lastOf("3 12-40"), 12);
  assert.equal(lastOf("7"), 7);
});

test("arrow keys follow the direction in which data flows", () => {
  for (const [direction, out, into] of [
    ["TB", "ArrowDown", "ArrowUp"],
    ["BT", "ArrowUp", "ArrowDown"],
    ["LR", "ArrowRight", "ArrowLeft"],
    ["RL", "ArrowLeft", "ArrowRight"],
  ]) {
    const keys = arrowKeys(direction);
    assert.equal(keys[out], "out");
    assert.equal(keys[into], "into");
    assert.equal(new Set(Object.values(keys)).size, 4);
  }
});

test("what can be reached is found once, deep graphs too", () => {
  const ways = new Map([
    ["a", [{ to: "b" }, { to: "c" }]],
    ["b", [{ to: "d" }]],
    ["c", [{ to: "d" }]],
  ]);
  const found = reach("a", (key) => ways.get(key) ?? []);
  assert.deepEqual([...found.keys].sort(), ["a", "b", "c", "d"]);
  assert.equal(found.ways.length, 4);
  const deep = reach("0", (key) => (key === "100000" ? [] : [{ to: String(Number(key) + 1) }]));
  assert.equal(deep.keys.size, 100_001);
});
