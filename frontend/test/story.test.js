// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { backwardStory, forwardStory, shapeText, valuesText } from "../src/story.js";
import { fill } from "../src/words.js";

/** @type {Record<string, string>} */
const WORDS = {
  reached: "Backward reaches {node}.",
  receives: "{node} receives grad {shape}, {size}.",
  norm: "norm {norm}",
  sum: "It is the sum of {parts}.",
  part: "{size} from {node}",
  passes: "It passes {items}.",
  passed: "{what}, to {node}",
  passedShort: "{what} to {node}",
  isMade: "{name} is what {node} made",
  isTensor: "{name} is {node}",
  kept: "It is added to {node}.grad.",
  first: "{node}.grad: None → {size}.",
  added: "{node}.grad {shape}: {size} is added.",
  notKept: "{node} is no leaf: {node}.grad stays None.",
  line: "Line {line}, {text}:",
  computed: "{call} gives {tensors} and records {node}.",
  unnamed: "unnamed",
};

/** @type {import("../src/story.js").Say} */
const say = (name, values = {}) => fill(WORDS[name], values);

const flags = { is_leaf: true, retains_grad: false, grad: null };

/** @type {import("../src/story.js").Graph} */
const graph = {
  nodes: [
    {
      id: 0,
      kind: "leaf",
      op: "AccumulateGrad",
      name: "w",
      outputs: [{ shape: [2, 1], flags }],
      gradient: { shape: [2, 1], norm: 51.02 },
    },
    {
      id: 1,
      kind: "function",
      op: "SubBackward0",
      name: null,
      outputs: [{ shape: [10, 1] }],
    },
    {
      id: 2,
      kind: "function",
      op: "PowBackward0",
      name: null,
      outputs: [{ shape: [10, 1] }],
      call: "torch.Tensor.pow",
      source: { file: "linreg.py", line: 17, text: "d ** 2" },
      gradient: { shape: [10, 1], norm: 1.581 },
      saved: [{ role: "self", node: 1 }],
      derivatives: [{ input: 0, formula: "grad * 2 * self", names: { self: "self" } }],
    },
  ],
  edges: [
    { from: 0, to: 1, output: 0, input: 0 },
    { from: 1, to: 2, output: 0, input: 0, gradient: { shape: [10, 1], norm: 20.09 } },
  ],
  outputs: [{ node: 2 }],
};

test("a step of backward tells the chain rule", () => {
  assert.equal(
    backwardStory(graph, 2, say),
    "PowBackward0 receives grad (10, 1), norm 1.581. It passes grad * 2 * self, norm 20.09, " +
      "to SubBackward0; self is what SubBackward0 made.",
  );
});

test("a leaf tells what becomes of its grad", () => {
  assert.equal(
    backwardStory(graph, 0, say),
    "w receives grad (2, 1), norm 51.02. w.grad: None → norm 51.02.",
  );
});

test("nothing is claimed that was not measured", () => {
  assert.equal(backwardStory(graph, 1, say), "Backward reaches SubBackward0.");
});

test("where a tensor is used twice the parts of its gradient are told", () => {
  /** @type {import("../src/story.js").Graph} */
  const twice = {
    nodes: [
      { ...graph.nodes[0], name: "a", outputs: [], gradient: { shape: [], norm: 2, values: -2 } },
      { ...graph.nodes[1], op: "MulBackward0" },
      { ...graph.nodes[1], id: 2, op: "AddBackward0" },
    ],
    edges: [
      { from: 0, to: 1, output: 0, input: 0, gradient: { shape: [], norm: 6, values: -6 } },
      { from: 0, to: 2, output: 0, input: 0, gradient: { shape: [], norm: 4, values: 4 } },
    ],
    outputs: [],
  };
  assert.equal(
    backwardStory(twice, 0, say),
    "a receives grad (), −2. It is the sum of −6 from MulBackward0 + 4 from AddBackward0. " +
      "It is added to a.grad.",
  );
});

test("a step forward tells the line, the call and what came of it", () => {
  const story = forwardStory(graph.nodes[2], say);
  assert.equal(story, "Line 17, d ** 2: torch.Tensor.pow gives (10, 1) and records PowBackward0.");
});

test("shapes and values read as Python's", () => {
  assert.equal(shapeText([3]), "(3,)");
  assert.equal(shapeText([]), "()");
  assert.equal(valuesText([[1, -2.5], [3]]), "[[1, −2.5], [3]]");
});
