/* What makes the drawings more than pictures.  Code and graph point at each other: pointing at a
   line of code, or focusing it, marks the nodes that it made; pointing at a node marks its line.  A
   folded drawing opens step by step, a large one can be seen in full size.  Without this script the
   links still work, and what is drawn is complete. */
(() => {
  "use strict";

  const MARKED = "autogradgraph-marked";

  function start() {
    for (const canvas of document.querySelectorAll(".autogradgraph-canvas")) {
      if (canvas.dataset.controls) addControls(canvas);
    }
    connect(document);
  }

  /* --- marks --- */

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
    /* The boxes of one tensor that is drawn in several places mark each other. */
    for (const svg of root.querySelectorAll(".autogradgraph-svg")) {
      for (const box of svg.querySelectorAll(".node.shared")) {
        const same = `.node.shared[data-node="${box.dataset.node}"]`;
        mark(box, () => svg.querySelectorAll(same));
      }
    }
  }

  /* Mark the targets (and the source) as long as the source is pointed at or has the focus. */
  function mark(source, targets) {
    let pointed = false;
    let focused = false;
    const update = () => {
      for (const element of [source, ...targets()]) {
        element.classList.toggle(MARKED, pointed || focused);
      }
    };
    source.addEventListener("pointerenter", () => { pointed = true; update(); });
    source.addEventListener("pointerleave", () => { pointed = false; update(); });
    source.addEventListener("focusin", () => { focused = true; update(); });
    source.addEventListener("focusout", () => { focused = false; update(); });
  }

  /* --- folded drawings --- */

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
    const svg = holder.firstElementChild;
    connect(holder);
    return svg;
  }

  function addControls(canvas) {
    const { levels, words } = JSON.parse(canvas.dataset.controls);
    levels[0].svg = canvas.querySelector("svg");
    let at = 0;

    const bar = document.createElement("div");
    bar.className = "autogradgraph-controls";
    canvas.before(bar);
    const close = addButton(bar, `− ${words.close}`, () => go(at - 1));
    const open = addButton(bar, `+ ${words.open}`, () => go(at + 1));
    const state = document.createElement("span");
    state.setAttribute("role", "status");
    bar.append(state);
    const full = addButton(bar, words.full, () => showFull(canvas, words));
    if (levels.length === 1) {
      for (const part of [close, open, state]) part.hidden = true;
    }
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
      bar.hidden = full.hidden && open.hidden;
    }

    /* Begin where there is something to see: a wide drawing may have an empty corner. */
    function showTop() {
      const nodes = [...canvas.querySelectorAll(".node")];
      const tops = nodes.map((node) => node.getBoundingClientRect());
      const first = tops.reduce((one, other) => (other.top < one.top ? other : one), tops[0]);
      if (!first) return;
      const box = canvas.getBoundingClientRect();
      canvas.scrollLeft += first.left + first.width / 2 - box.left - box.width / 2;
    }

    /* Show a level; what showed the node with the given id comes into view. */
    async function go(to, id) {
      if (!levels[to]) return;
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
      levels[at].svg.replaceWith(levels[to].svg);
      at = to;
      update();
      fit();
      if (!id) showTop();
      const node = id && find(levels[at].svg, id);
      if (node) {
        node.scrollIntoView({ block: "center", inline: "center" });
        (node.querySelector("a") || node).focus({ preventScroll: true });
      }
    }

    function update() {
      const active = document.activeElement;
      close.disabled = at === 0;
      open.disabled = at === levels.length - 1;
      state.textContent = words.state.replace("{count}", levels[at].nodes.toLocaleString());
      if (active === close && close.disabled) open.focus();
      if (active === open && open.disabled) close.focus();
    }

    /* A fold opens by itself, too. */
    function foldsOpen(svg) {
      for (const node of svg.querySelectorAll(".node.module:not(.cut)")) {
        const first = parseInt(node.dataset.node.split(" ").pop(), 10);
        node.classList.add("autogradgraph-opens");
        node.addEventListener("click", (event) => {
          if (event.target.closest("a") || at === levels.length - 1) return;
          go(at + 1, first);
        });
      }
    }

    foldsOpen(levels[0].svg);
    update();
    fit();
    showTop();
  }

  function addButton(parent, text, action) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = text;
    button.addEventListener("click", action);
    parent.append(button);
    return button;
  }

  /* --- full size --- */

  /* The drawing in the whole window, as large as one likes; the page has it back afterwards. */
  function showFull(canvas, words) {
    const svg = canvas.querySelector("svg");
    const before = svg.getAttribute("style");
    const shown = () => holder.querySelector("svg"); // a fold that is opened brings another
    const dialog = document.createElement("dialog");
    dialog.className = "autogradgraph autogradgraph-full";
    dialog.setAttribute("aria-label", words.full);
    const bar = document.createElement("div");
    bar.className = "autogradgraph-controls";
    const holder = document.createElement("div");
    holder.className = "autogradgraph-canvas";
    holder.tabIndex = 0;
    let scale = 1;
    const zoom = (factor) => {
      const x = (holder.scrollLeft + holder.clientWidth / 2) / holder.scrollWidth;
      const y = (holder.scrollTop + holder.clientHeight / 2) / holder.scrollHeight;
      scale = Math.min(8, Math.max(1 / 8, scale * factor));
      const drawing = shown();
      drawing.style.minWidth = "0";
      drawing.style.width = `${drawing.viewBox.baseVal.width * scale}px`;
      holder.scrollLeft = x * holder.scrollWidth - holder.clientWidth / 2;
      holder.scrollTop = y * holder.scrollHeight - holder.clientHeight / 2;
    };
    addButton(bar, `− ${words.smaller}`, () => zoom(1 / 1.25));
    addButton(bar, `+ ${words.larger}`, () => zoom(1.25));
    addButton(bar, `× ${words.end}`, () => dialog.close());
    holder.addEventListener("wheel", (event) => {
      if (!event.ctrlKey) return;
      event.preventDefault();
      zoom(event.deltaY < 0 ? 1.1 : 1 / 1.1);
    }, { passive: false });
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

  /* The node that shows what has that id. */
  function find(svg, id) {
    return [...svg.querySelectorAll(".node[data-node]")].find((node) =>
      node.dataset.node.split(" ").some((run) => {
        const [first, last = first] = run.split("-").map(Number);
        return first <= id && id <= last;
      }));
  }

  if (document.readyState === "loading") {
    document.addEventListener("DOMContentLoaded", start);
  } else {
    start();
  }
})();
