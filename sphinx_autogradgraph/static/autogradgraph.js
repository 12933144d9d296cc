/* What makes the drawings more than pictures.  Code and graph point at each other; a node shows its
   path, back to the leaves and on to the outputs; a folded drawing opens step by step, a large one is
   searched and seen in full size; the backward pass is played.  Without this script the links work
   all the same, and what is drawn is complete. */
(() => {
  "use strict";

  const MARKED = "autogradgraph-marked";
  let words = {}; // of the controls, in the language of the page

  function start() {
    const holder = document.querySelector("[data-autogradgraph-words]");
    if (holder) words = JSON.parse(holder.dataset.autogradgraphWords);
    watchScheme();
    const figures = ".autogradgraph > .autogradgraph-canvas:not([data-autogradgraph-ready])";
    for (const canvas of document.querySelectorAll(figures)) {
      canvas.dataset.autogradgraphReady = "";
      figure(canvas);
      connect(canvas);
    }
  }

  /* --- light or dark, as the page is --- */

  function watchScheme() {
    const update = () => {
      document.documentElement.dataset.autogradgraphScheme = isDark() ? "dark" : "light";
    };
    const watched = "autogradgraphScheme" in document.documentElement.dataset;
    update();
    if (watched) return; // the page came without a load, by «instant navigation»
    const names = ["class", "style", "data-theme", "data-mode", "data-bs-theme", "data-md-color-scheme"];
    const options = { attributes: true, attributeFilter: names };
    const observer = new MutationObserver(update);
    observer.observe(document.documentElement, options);
    observer.observe(document.body, options);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", update);
  }

  /* Whether what is behind the first drawing is dark. */
  function isDark() {
    let at = document.querySelector(".autogradgraph") || document.body;
    for (at = at.parentElement; at; at = at.parentElement) {
      const parts = getComputedStyle(at).backgroundColor.match(/[\d.]+/g);
      if (!parts || parts.length < 3 || parts[3] === "0") continue;
      const [red, green, blue] = parts.map(Number);
      return 0.2126 * red + 0.7152 * green + 0.0722 * blue < 128;
    }
    const scheme = getComputedStyle(document.documentElement).colorScheme;
    return scheme.includes("dark") && matchMedia("(prefers-color-scheme: dark)").matches;
  }

  /* --- code and graph --- */

  const nodesOf = new Map(); // line element → its nodes, in all figures of the page

  function connect(root) {
    for (const node of root.querySelectorAll(".autogradgraph-svg .node")) {
      const link = node.querySelector("a.line");
      const line = link && document.getElementById(link.getAttribute("href").slice(1));
      if (!line) continue;
      mark(node, () => [line]);
      if (!nodesOf.has(line)) {
        nodesOf.set(line, []);
        line.classList.add("autogradgraph-line");
        line.tabIndex = 0;
        mark(line, () => nodesOf.get(line));
      }
      nodesOf.get(line).push(node);
    }
    for (const svg of root.querySelectorAll(".autogradgraph-svg")) {
      /* The boxes of one tensor that is drawn in several places mark each other. */
      for (const box of svg.querySelectorAll(".node.shared")) {
        const same = `.node.shared[data-node="${box.dataset.node}"]`;
        mark(box, () => svg.querySelectorAll(same));
      }
      walkable(svg);
    }
  }

  /* Mark the targets (and the source) as long as the source is pointed at or has the focus. */
  function mark(source, targets) {
    whilePointedAt(source, (on) => {
      for (const element of [source, ...targets()]) element.classList.toggle(MARKED, on);
    });
  }

  function whilePointedAt(source, update) {
    let pointed = false;
    let focused = false;
    source.addEventListener("pointerenter", () => { pointed = true; update(true); });
    source.addEventListener("pointerleave", () => { pointed = false; update(focused); });
    source.addEventListener("focusin", () => { focused = true; update(true); });
    source.addEventListener("focusout", () => { focused = false; update(pointed); });
  }

  /* --- paths --- */

  /* The nodes of a drawing, and the edges into and out of each, by the keys of nodes. */
  function graphOf(svg) {
    const prefix = svg.querySelector("title").id.replace(/title$/, "");
    const nodes = new Map();
    for (const node of svg.querySelectorAll(".node")) {
      nodes.set(node.id.slice(prefix.length), { node, into: [], out: [] });
    }
    for (const edge of svg.querySelectorAll(".edge[data-ends]")) {
      const [tail, head] = edge.dataset.ends.split(" ");
      nodes.get(tail).out.push({ edge, to: head });
      nodes.get(head).into.push({ edge, to: tail });
    }
    return nodes;
  }

  /* Point at a node, or move over the drawing with the arrow keys, and its path stands out. */
  function walkable(svg) {
    const nodes = graphOf(svg);
    const keyOf = new Map([...nodes].map(([key, { node }]) => [node, key]));
    const order = [...nodes.keys()];
    let timer = 0;
    const show = (key) => {
      svg.classList.toggle("autogradgraph-tracing", key !== null);
      for (const lit of svg.querySelectorAll(".autogradgraph-path")) {
        lit.classList.remove("autogradgraph-path");
      }
      if (key === null) return;
      for (const way of ["into", "out"]) {
        const seen = new Set([key]);
        const stack = [key];
        while (stack.length) {
          const found = nodes.get(stack.pop());
          found.node.classList.add("autogradgraph-path");
          for (const { edge, to } of found[way]) {
            edge.classList.add("autogradgraph-path");
            if (!seen.has(to)) {
              seen.add(to);
              stack.push(to);
            }
          }
        }
      }
    };
    order.forEach((key, place) => {
      const { node } = nodes.get(key);
      node.tabIndex = place ? -1 : 0;
      node.setAttribute("role", "group");
      node.setAttribute("aria-label", node.querySelector("text").textContent);
      whilePointedAt(node, (on) => {
        clearTimeout(timer); // not at once: who only passes over it wants no flicker
        timer = setTimeout(show, on ? 120 : 60, on ? key : null);
      });
    });
    svg.addEventListener("keydown", (event) => {
      const node = event.target.closest(".node");
      if (!node || event.altKey || event.ctrlKey || event.metaKey) return;
      const key = keyOf.get(node);
      const place = order.indexOf(key);
      const { into, out } = nodes.get(key);
      const target = {
        ArrowUp: into.length && into[0].to,
        ArrowDown: out.length && out[0].to,
        ArrowLeft: order[place - 1],
        ArrowRight: order[place + 1],
        Home: order[0],
        End: order[order.length - 1],
      }[event.key];
      if (!target) return;
      event.preventDefault();
      focusNode(nodes.get(target).node);
    });
    svg.addEventListener("focusin", (event) => {
      const node = event.target.closest(".node");
      for (const { node: other } of nodes.values()) other.tabIndex = other === node ? 0 : -1;
    });
  }

  function focusNode(node) {
    node.focus({ preventScroll: true });
    node.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  /* --- figures --- */

  const MANY = 40; // a drawing with more nodes is searched

  function figure(canvas) {
    const levels = JSON.parse(canvas.dataset.levels || "[{}]");
    levels[0].svg = canvas.querySelector("svg");
    if (!levels[0].svg || !words.full) return; // of a notebook's output, on a page without words
    let at = 0;
    const shown = () => levels[at].svg;

    const bar = document.createElement("div");
    bar.className = "autogradgraph-controls";
    canvas.before(bar);
    const close = addButton(bar, `− ${words.close}`, () => go(at - 1));
    const open = addButton(bar, `+ ${words.open}`, () => go(at + 1));
    const state = addStatus(bar);
    const search = addSearch(bar, shown);
    const full = addButton(bar, words.full, () => showFull(canvas));
    addButton(bar, words.copy, (button) => copy(shown(), button));
    for (const part of [close, open, state]) part.hidden = levels.length === 1;
    if (canvas.querySelector(".order")) addPlayer(canvas, shown);
    for (const level of levels) if (level.svg) foldsOpen(level.svg);
    update();
    showTop();
    new ResizeObserver(fit).observe(canvas);

    /* What is larger than its place scrolls, by keyboard too, and can be seen in full size. */
    function fit() {
      const svg = canvas.querySelector("svg");
      if (!svg) return;
      const scrolls = canvas.scrollWidth > canvas.clientWidth + 1
        || canvas.scrollHeight > canvas.clientHeight + 1;
      if (scrolls) canvas.tabIndex = 0;
      else canvas.removeAttribute("tabindex");
      full.hidden = !scrolls && svg.clientWidth >= svg.viewBox.baseVal.width - 1;
      search.hidden = svg.querySelectorAll(".node").length <= MANY;
      const quiet = full.hidden && search.hidden && open.hidden;
      bar.classList.toggle("autogradgraph-quiet", quiet);
    }

    /* Begin where there is something to see: a wide drawing may have an empty corner. */
    function showTop() {
      const tops = [...canvas.querySelectorAll(".node")].map((node) => node.getBoundingClientRect());
      const first = tops.reduce((one, other) => (other.top < one.top ? other : one), tops[0]);
      if (!first) return;
      const box = canvas.getBoundingClientRect();
      canvas.scrollLeft += first.left + first.width / 2 - box.left - box.width / 2;
    }

    /* Show a level; what showed the node with the given id comes into view. */
    async function go(to, id) {
      if (!levels[to]) return;
      const before = shown();
      canvas.setAttribute("aria-busy", "true");
      try {
        if (!levels[to].svg) {
          levels[to].svg = await load(levels[to]);
          foldsOpen(levels[to].svg);
        }
      } catch {
        levels.length = to; // what cannot be loaded is not offered again
        update();
        return;
      } finally {
        canvas.removeAttribute("aria-busy");
      }
      before.replaceWith(levels[to].svg);
      at = to;
      update();
      const node = id === undefined ? null : find(shown(), id);
      if (node) {
        node.scrollIntoView({ block: "center", inline: "center" });
        node.focus({ preventScroll: true });
      } else {
        showTop();
      }
    }

    function update() {
      const active = document.activeElement;
      close.disabled = at === 0;
      open.disabled = at === levels.length - 1;
      if (levels.length > 1) {
        state.textContent = fill(words.state, { count: levels[at].nodes.toLocaleString() });
      }
      if (active === close && close.disabled) open.focus();
      if (active === open && open.disabled) close.focus();
      fit();
    }

    /* A fold opens when it is clicked, or by Enter. */
    function foldsOpen(svg) {
      if (levels.length === 1) return;
      for (const node of svg.querySelectorAll(".node.module:not(.cut)")) {
        const first = parseInt(node.dataset.node.split(" ").pop(), 10);
        node.classList.add("autogradgraph-opens");
        const opens = (event) => {
          if (event.target.closest("a") || at === levels.length - 1) return;
          go(at + 1, first);
        };
        node.addEventListener("click", opens);
        node.addEventListener("keydown", (event) => { if (event.key === "Enter") opens(event); });
      }
    }
  }

  const waiting = new Map(); // name of a file → who waits for what is in it

  window.autogradgraphLevel = (file, packed) => {
    waiting.get(file)(packed);
  };

  /* The SVG in a file: a script, for pages that are opened from a disk may load nothing else. */
  async function load(level) {
    const packed = await new Promise((resolve, reject) => {
      waiting.set(level.file, resolve);
      const script = document.createElement("script");
      script.src = level.url;
      script.onerror = reject;
      document.head.append(script);
    });
    const bytes = Uint8Array.from(atob(packed), (char) => char.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    const holder = document.createElement("div");
    holder.innerHTML = await new Response(stream).text();
    connect(holder);
    return holder.firstElementChild;
  }

  /* The node that shows what has that id. */
  function find(svg, id) {
    return [...svg.querySelectorAll(".node[data-node]")].find((node) =>
      node.dataset.node.split(" ").some((run) => {
        const [first, last = first] = run.split("-").map(Number);
        return first <= id && id <= last;
      }));
  }

  function addButton(parent, text, action) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = text;
    button.addEventListener("click", () => action(button));
    parent.append(button);
    return button;
  }

  function addStatus(parent) {
    const status = document.createElement("span");
    status.setAttribute("role", "status");
    parent.append(status);
    return status;
  }

  function fill(text, values) {
    return text.replace(/{(\w+)}/g, (whole, name) => values[name] ?? whole);
  }

  /* --- search --- */

  /* What is typed marks the nodes that say it; Enter goes from one to the next. */
  function addSearch(parent, shown) {
    const input = document.createElement("input");
    input.type = "search";
    input.placeholder = words.search;
    input.setAttribute("aria-label", words.search);
    parent.append(input);
    let place = -1;
    const found = () => {
      const text = input.value.trim().toLowerCase();
      return [...shown().querySelectorAll(".node")].filter((node) =>
        text && node.textContent.toLowerCase().includes(text));
    };
    const update = () => {
      place = -1;
      const hits = new Set(found());
      for (const node of shown().querySelectorAll(".node")) {
        node.classList.toggle(MARKED, hits.has(node));
      }
    };
    input.addEventListener("input", update);
    input.addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault();
      const hits = found();
      if (!hits.length) return;
      place = (place + (event.shiftKey ? hits.length - 1 : 1)) % hits.length;
      hits[place].scrollIntoView({ block: "center", inline: "center" });
    });
    return input;
  }

  /* --- copies --- */

  const STYLES = [
    "fill", "stroke", "stroke-width", "stroke-dasharray", "stroke-linecap", "paint-order",
    "font-family", "font-size", "font-weight", "text-anchor",
  ];

  /* Copy the drawing as an SVG that needs no style sheet; where that is not allowed, save it. */
  async function copy(svg, button) {
    const twin = svg.cloneNode(true);
    const pairs = [[svg, twin]];
    while (pairs.length) {
      const [one, other] = pairs.pop();
      const style = getComputedStyle(one);
      other.removeAttribute("tabindex");
      other.setAttribute("style", STYLES.map((name) => `${name}:${style.getPropertyValue(name)}`).join(";"));
      for (let i = 0; i < one.children.length; i += 1) pairs.push([one.children[i], other.children[i]]);
    }
    twin.setAttribute("width", svg.viewBox.baseVal.width);
    twin.setAttribute("height", svg.viewBox.baseVal.height);
    const text = new XMLSerializer().serializeToString(twin);
    try {
      await navigator.clipboard.writeText(text);
      const before = button.textContent;
      button.textContent = words.copied;
      setTimeout(() => { button.textContent = before; }, 1500);
    } catch {
      const link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob([text], { type: "image/svg+xml" }));
      link.download = `${svg.querySelector("title").id.replace(/-title$/, "")}.svg`;
      link.click();
      URL.revokeObjectURL(link.href);
    }
  }

  /* --- full size --- */

  /* The drawing in the whole window, as large as one likes; the page has it back afterwards. */
  function showFull(canvas) {
    const svg = canvas.querySelector("svg");
    const before = svg.getAttribute("style");
    const dialog = document.createElement("dialog");
    dialog.className = "autogradgraph autogradgraph-full";
    dialog.setAttribute("aria-label", words.full);
    const bar = document.createElement("div");
    bar.className = "autogradgraph-controls";
    const holder = document.createElement("div");
    holder.className = "autogradgraph-canvas";
    holder.tabIndex = 0;
    const shown = () => holder.querySelector("svg"); // a fold that is opened brings another
    let scale = 1;
    const zoom = (factor) => {
      const x = (holder.scrollLeft + holder.clientWidth / 2) / holder.scrollWidth;
      const y = (holder.scrollTop + holder.clientHeight / 2) / holder.scrollHeight;
      scale = Math.min(8, Math.max(1 / 8, scale * factor));
      shown().style.minWidth = "0";
      shown().style.width = `${shown().viewBox.baseVal.width * scale}px`;
      holder.scrollLeft = x * holder.scrollWidth - holder.clientWidth / 2;
      holder.scrollTop = y * holder.scrollHeight - holder.clientHeight / 2;
    };
    addButton(bar, `− ${words.smaller}`, () => zoom(1 / 1.25));
    addButton(bar, `+ ${words.larger}`, () => zoom(1.25));
    addSearch(bar, shown);
    addButton(bar, `× ${words.end}`, () => dialog.close());
    holder.addEventListener("wheel", (event) => {
      if (!event.ctrlKey) return;
      event.preventDefault();
      zoom(event.deltaY < 0 ? 1.1 : 1 / 1.1);
    }, { passive: false });
    pannable(holder);
    dialog.append(bar, holder);
    dialog.addEventListener("close", () => {
      svg.setAttribute("style", before);
      canvas.append(shown());
      dialog.remove();
    });
    holder.append(svg);
    canvas.after(dialog);
    dialog.showModal();
    zoom(1);
    holder.scrollLeft = (holder.scrollWidth - holder.clientWidth) / 2;
    // A link in the drawing leads to the page behind.
    holder.addEventListener("click", (event) => {
      if (event.target.closest("a")) dialog.close();
    });
  }

  /* Drag what lies between the nodes, and the drawing moves with it. */
  function pannable(holder) {
    holder.addEventListener("pointerdown", (event) => {
      if (event.button || event.pointerType === "touch" || event.target.closest(".node")) return;
      event.preventDefault();
      holder.setPointerCapture(event.pointerId);
      const move = (moved) => {
        holder.scrollLeft -= moved.movementX;
        holder.scrollTop -= moved.movementY;
      };
      holder.addEventListener("pointermove", move);
      const end = () => holder.removeEventListener("pointermove", move);
      holder.addEventListener("pointerup", end, { once: true });
      holder.addEventListener("pointercancel", end, { once: true });
    });
  }

  /* --- the backward pass --- */

  const PACE = 1200; // milliseconds that a step takes when it is played

  /* Step through the order in which gradients arrive. */
  function addPlayer(canvas, shown) {
    const script = canvas.parentElement.querySelector("script.autogradgraph-data");
    const data = script && script.textContent ? JSON.parse(script.textContent).nodes : [];
    const bar = document.createElement("div");
    bar.className = "autogradgraph-controls";
    bar.setAttribute("role", "group");
    bar.setAttribute("aria-label", words.backward);
    canvas.after(bar);
    let at = 0; // of so many steps; before the first, nothing is marked
    let timer = 0;
    const back = addButton(bar, `◀ ${words.before}`, () => { pause(); go(at - 1); });
    const play = addButton(bar, "", () => (timer ? pause() : run()));
    const next = addButton(bar, `${words.next} ▶`, () => { pause(); go(at + 1); });
    const status = addStatus(bar);
    status.className = "autogradgraph-player";

    function stepsOf(svg) {
      const number = (node) => parseInt(node.querySelector(".order").textContent, 10);
      return [...svg.querySelectorAll(".node")]
        .filter((node) => node.querySelector(".order"))
        .sort((one, other) => number(one) - number(other));
    }

    function go(to) {
      const svg = shown();
      const steps = stepsOf(svg);
      at = Math.max(0, Math.min(to, steps.length));
      for (const name of ["now", "done", "flow"]) {
        for (const lit of svg.querySelectorAll(`.autogradgraph-${name}`)) {
          lit.classList.remove(`autogradgraph-${name}`);
        }
      }
      steps.slice(0, Math.max(0, at - 1)).forEach((node) => node.classList.add("autogradgraph-done"));
      status.textContent = "";
      if (at) tell(svg, steps);
      back.disabled = at === 0;
      next.disabled = at === steps.length;
      if (at === steps.length) pause();
    }

    function tell(svg, steps) {
      const node = steps[at - 1];
      node.classList.add("autogradgraph-now");
      node.scrollIntoView({ block: "nearest", inline: "nearest" });
      const nodes = graphOf(svg);
      const key = [...nodes].find(([, found]) => found.node === node)[0];
      const ways = nodes.get(key).into;
      for (const { edge } of ways) edge.classList.add("autogradgraph-flow");
      const known = data[/^\d+$/.test(node.dataset.node) ? node.dataset.node : -1];
      const gradient = known && known.gradient;
      const sentences = [fill(gradient ? words.arrives : words.reached, {
        number: at,
        count: steps.length,
        node: nameOf(node),
        shape: gradient && gradient.shape ? `(${gradient.shape.join(", ")}${gradient.shape.length === 1 ? "," : ""})` : "?",
        norm: gradient ? gradient.norm ?? "?" : "",
      })];
      const after = [...new Set(ways.map(({ to }) => nodes.get(to).node))]
        .filter((other) => other.querySelector(".order"));
      if (after.length) {
        sentences.push(fill(words.passes, { nodes: after.map(nameOf).join(", ") }));
      } else if (node.classList.contains("leaf")) {
        sentences.push(fill(words.kept, { node: nameOf(node) }));
      }
      status.textContent = sentences.join(" ");
    }

    function nameOf(node) {
      const said = node.querySelector(".op") || node.querySelector(".name") || node.querySelector(".meta");
      return said ? said.textContent : "";
    }

    function run() {
      if (at === stepsOf(shown()).length) go(0);
      go(at + 1);
      timer = setInterval(() => go(at + 1), PACE);
      play.textContent = `❚❚ ${words.pause}`;
    }

    function pause() {
      clearInterval(timer);
      timer = 0;
      play.textContent = `▶ ${words.play}`;
    }

    pause();
    go(0);
  }

  if (document.readyState === "loading") {
    document.addEventListener("DOMContentLoaded", start);
  } else {
    start();
  }
})();
