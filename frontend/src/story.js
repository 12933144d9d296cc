// @ts-check
/* What is told of a step of the passes: pure functions of the Graph, whose sentences come by name. */

/**
 * @typedef {number | Values[]} Values
 * @typedef {{ shape: number[] | null, norm: number | null, values?: Values }} Gradient
 * @typedef {{ is_leaf: boolean, retains_grad: boolean, grad: number[] | null }} Flags
 * @typedef {{ name?: string | null, shape: number[] | null, values?: Values, flags?: Flags }} Tensor
 * @typedef {{ role: string, node?: number | null, name?: string | null }} Saved
 * @typedef {{ input: number, formula: string, names: Record<string, string> }} Derivative
 * @typedef {object} GraphNode
 * @property {number} id
 * @property {string} kind
 * @property {string} op
 * @property {string | null} name
 * @property {Tensor[]} outputs
 * @property {string | null} [call]
 * @property {{ file: string, line: number, text: string } | null} [source]
 * @property {Gradient} [gradient]
 * @property {Saved[]} [saved]
 * @property {Derivative[]} [derivatives]
 * @typedef {{ from: number, to: number, output: number, input: number, gradient?: Gradient }} Edge
 * @typedef {{ nodes: GraphNode[], edges: Edge[], outputs: { node: number }[] }} Graph
 * @typedef {(name: string, values?: Record<string, string | number>) => string} Say
 */

/**
 * The sentences of the step of backward at a node: what it receives, and what it passes on.
 * @param {Graph} graph
 * @param {number} id
 * @param {Say} say
 */
export function backwardStory(graph, id, say) {
  const node = graph.nodes[id];
  const { gradient } = node;
  const name = nameOf(node, say);
  const told = [
    gradient
      ? say("receives", {
          node: name,
          shape: shapeText(gradient.shape),
          size: sizeOf(gradient, say),
        })
      : say("reached", { node: name }),
  ];
  const parts = graph.edges.filter((edge) => edge.from === id && edge.gradient);
  if (parts.length > 1 && !graph.outputs.some((output) => output.node === id)) {
    told.push(say("sum", { parts: parts.map((edge) => partOf(graph, edge, say)).join(" + ") }));
  }
  const passed = passes(graph, node, say);
  if (passed) told.push(passed);
  return [...told, ...keeps(node, say)].join(" ");
}

/**
 * The sentences of the step of the forward pass that made a node.
 * @param {GraphNode} node
 * @param {Say} say
 */
export function forwardStory(node, say) {
  const tensors = node.outputs.map((output) => {
    const shown = [output.name ?? node.name, shapeText(output.shape)].filter(Boolean).join(" ");
    return output.values === undefined ? shown : `${shown} = ${valuesText(output.values)}`;
  });
  const values = { tensors: tensors.join(", "), node: node.op, call: node.call ?? "" };
  const told = [say(node.call ? "computed" : "made", values)];
  const { source } = node;
  if (source) told.unshift(say("line", { line: source.line, text: source.text.trim() }));
  return told.join(" ");
}

/**
 * The rule by which a node makes what goes along an edge into it, if it is known.
 * @param {Graph} graph
 * @param {Edge} edge
 */
export function formulaOf(graph, edge) {
  return graph.nodes[edge.to].derivatives?.find((rule) => rule.input === edge.input)?.formula;
}

/**
 * «It passes grad * 2 * self, norm 20.09, to SubBackward0; self is what SubBackward0 made.»
 * @param {Graph} graph
 * @param {GraphNode} node
 * @param {Say} say
 */
function passes(graph, node, say) {
  const items = [];
  for (const edge of graph.edges.filter(({ to }) => to === node.id)) {
    const formula = formulaOf(graph, edge);
    const size = edge.gradient && sizeOf(edge.gradient, say);
    const what = [formula, size].filter((part) => part !== undefined).join(", ");
    const to = nameOf(graph.nodes[edge.from], say);
    if (what) items.push(say(formula && size ? "passed" : "passedShort", { what, node: to }));
  }
  if (!items.length) return "";
  return say("passes", { items: [...items, ...whatNamesAre(graph, node, say)].join("; ") });
}

/**
 * What the names in formulas stand for that are torch's and not the program's.
 * @param {Graph} graph
 * @param {GraphNode} node
 * @param {Say} say
 */
function whatNamesAre(graph, node, say) {
  const said = new Set();
  for (const { names } of node.derivatives ?? []) {
    for (const [name, role] of Object.entries(names)) {
      const saved = node.saved?.find((item) => item.role === role);
      const source = name === "result" ? node.id : saved?.node;
      if (name !== role || source === undefined || source === null) continue;
      const from = graph.nodes[source];
      const made = from.kind === "function";
      said.add(say(made ? "isMade" : "isTensor", { name, node: nameOf(from, say) }));
    }
  }
  return said;
}

/**
 * What becomes of a gradient that arrived at a tensor: it is kept in its grad, or is not.
 * @param {GraphNode} node
 * @param {Say} say
 */
function keeps(node, say) {
  const { gradient, name } = node;
  const flags = node.outputs[0]?.flags;
  const size = gradient ? sizeOf(gradient, say) : "";
  if (node.kind === "leaf") {
    const values = { node: nameOf(node, say), size, shape: shapeText(flags?.grad ?? null) };
    if (!gradient || !flags) return [say("kept", values)];
    return [say(flags.grad ? "added" : "first", values)];
  }
  if (!name || !flags || flags.is_leaf) return [];
  return [say(flags.retains_grad ? "retained" : "notKept", { node: name })];
}

/**
 * @param {Graph} graph
 * @param {Edge} edge
 * @param {Say} say
 */
function partOf(graph, edge, say) {
  const gradient = /** @type {Gradient} */ (edge.gradient);
  return say("part", { size: sizeOf(gradient, say), node: nameOf(graph.nodes[edge.to], say) });
}

/**
 * How large a gradient is: the values of a small one, else its norm.
 * @param {Gradient} gradient
 * @param {Say} say
 */
function sizeOf(gradient, say) {
  if (typeof gradient.values === "number") return valuesText(gradient.values);
  return say("norm", { norm: gradient.norm ?? "?" });
}

/**
 * @param {GraphNode} node
 * @param {Say} say
 */
function nameOf(node, say) {
  return node.kind === "function" ? node.op : (node.name ?? say("unnamed"));
}

/** @param {number[] | null} shape */
export function shapeText(shape) {
  if (!shape) return "?";
  return shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
}

/**
 * @param {Values} values
 * @returns {string}
 */
export function valuesText(values) {
  if (Array.isArray(values)) return `[${values.map(valuesText).join(", ")}]`;
  return String(values).replace("-", "−");
}
