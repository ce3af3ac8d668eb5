"use strict";
(() => {
  const root = document.documentElement;
  const site = JSON.parse(document.getElementById("site").textContent);
  const byId = (id) => document.getElementById(id);
  root.classList.add("js");

  function make(tag, className, text) {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (text !== undefined) element.textContent = text;
    return element;
  }
  const link = (target) => `#${encodeURIComponent(target).replaceAll("%2F", "/").replaceAll("%21", "!")}`;

  // -- light and dark ---------------------------------------------------------------------------------------------
  const wantsDark = window.matchMedia("(prefers-color-scheme: dark)");
  // a page opened from a file may have no storage: the choice then lasts as long as the page
  const stored = {
    get() { try { return localStorage.getItem("tsq-theme"); } catch { return null; } },
    set(name) { try { localStorage.setItem("tsq-theme", name); } catch { /* lasts as long as the page */ } },
  };
  const current = () => root.dataset.theme || (wantsDark.matches ? "dark" : "light");
  function colour(name) {
    root.dataset.theme = name;
    byId("theme").setAttribute("aria-label", name === "dark" ? "Use light colours" : "Use dark colours");
  }
  byId("theme").addEventListener("click", () => {
    const name = current() === "dark" ? "light" : "dark";
    stored.set(name);
    colour(name);
  });
  const asked = new URLSearchParams(location.search);
  const wanted = asked.get("theme") || stored.get();
  colour(wanted === "dark" || wanted === "light" ? wanted : current());

  // -- edges ------------------------------------------------------------------------------------------------------
  const reversed = (edges) => {
    const back = new Map();
    for (const [to, froms] of edges) for (const from of froms) back.set(from, [...(back.get(from) || []), to]);
    return back;
  };
  const reads = new Map(Object.entries(site.reads));
  const readers = reversed(reads);
  const made = new Map(Object.entries(site.made).map(([to, froms]) => [site.columns[to], froms.map((n) => site.columns[n])]));
  const feeds = reversed(made);

  const tableOf = (column) => column.slice(0, column.indexOf(".", column.indexOf(".") + 1));

  function reach(start, edges, steps = Infinity) {
    const found = new Set();
    let waiting = [start];
    for (let step = 0; waiting.length && step < steps; step += 1) {
      waiting = waiting.flatMap((name) => edges.get(name) || []).filter((name) => !found.has(name) && found.add(name));
    }
    return found;
  }

  const SVG = "http://www.w3.org/2000/svg";
  // an edge leaves at the bottom and arrives at the top; to the right it swings below the row it stays in
  function curve(a, b, down) {
    if (down && b.y > a.y + a.h) {
      const [x1, y1, x2, y2] = [a.x + a.w / 2, a.y + a.h, b.x + b.w / 2, b.y];
      const bend = Math.max(14, Math.min(90, Math.abs(y2 - y1) / 2));
      return `M${x1},${y1}C${x1},${y1 + bend} ${x2},${y2 - bend} ${x2},${y2}`;
    }
    if (down) {
      const [x1, x2, y] = [a.x + a.w * 0.7, b.x + b.w * 0.3, Math.max(a.y + a.h, b.y + b.h)];
      const bend = Math.min(34, 12 + Math.abs(x2 - x1) / 16);
      return `M${x1},${a.y + a.h}C${x1},${y + bend} ${x2},${y + bend} ${x2},${b.y + b.h}`;
    }
    const [x1, y1, x2, y2] = [a.x + a.w, a.y + a.h / 2, b.x, b.y + b.h / 2];
    const bend = Math.max(20, (x2 - x1) / 2);
    return `M${x1},${y1}C${x1 + bend},${y1} ${x2 - bend},${y2} ${x2},${y2}`;
  }

  // draws the edges between the nodes of a box; pointing at a node lights what lies up and down of it
  function draw(box, edges, down) {
    const nodes = new Map([...box.querySelectorAll("[data-node]")].map((node) => [node.dataset.node, node]));
    box.querySelector("svg")?.remove();
    const svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("aria-hidden", "true");
    const origin = box.getBoundingClientRect();
    svg.setAttribute("width", box.scrollWidth);
    svg.setAttribute("height", box.scrollHeight);
    const places = new Map([...nodes].map(([name, node]) => {
      const place = node.getBoundingClientRect();
      return [name, { x: place.left - origin.left + box.scrollLeft, y: place.top - origin.top, w: place.width, h: place.height }];
    }));
    box.lines = [];
    for (const [from, to, ends] of edges) {
      const line = document.createElementNS(SVG, "path");
      line.setAttribute("d", curve(places.get(from), places.get(to), down));
      svg.append(line);
      box.lines.push({ from, ends: ends || [to], line });
    }
    box.classList.toggle("many", edges.length > 250);
    box.prepend(svg);
    if (box.wired) return;
    box.wired = true;
    const light = (event) => lit(box, event.target.closest("[data-node]"));
    box.addEventListener("pointerover", light);
    box.addEventListener("focusin", light);
    box.addEventListener("pointerleave", () => lit(box, null));
    box.addEventListener("focusout", () => lit(box, null));
  }

  function lit(box, node) {
    const graph = box.dataset.flow === "columns" ? [made, feeds] : [reads, readers];
    const name = node?.dataset.node;
    const up = node ? reach(name, graph[0]) : new Set();
    const down = node ? reach(name, graph[1]) : new Set();
    box.classList.toggle("lit", Boolean(node));
    for (const other of box.querySelectorAll("[data-node]")) {
      const at = other.dataset.node;
      if (box.dataset.flow === "tables") other.classList.toggle("self", at === name);
      other.classList.toggle("up", up.has(at));
      other.classList.toggle("down", down.has(at));
    }
    for (const { from, ends, line } of box.lines) {
      const isUp = node && up.has(from) && ends.some((to) => up.has(to) || to === name);
      const isDown = node && (down.has(from) || from === name) && ends.some((to) => down.has(to));
      line.setAttribute("class", isUp ? "up" : isDown ? "down" : "");
    }
  }

  // every column of a Python model is made of all it reads: one line for all of them
  function bundled(names) {
    const whole = new Map();
    for (const name of names) if (site.whole.includes(tableOf(name))) whole.set(tableOf(name), [...(whole.get(tableOf(name)) || []), name]);
    const edges = [];
    for (const to of names) {
      const ends = whole.get(tableOf(to));
      if (!ends || ends[0] === to) for (const from of made.get(to) || []) edges.push([from, to, ends]);
    }
    return edges;
  }

  function drawAll(article) {
    for (const box of article.querySelectorAll(".flow")) {
      const names = new Set([...box.querySelectorAll("[data-node]")].map((node) => node.dataset.node));
      const centre = box.dataset.centre;
      const edges = box.dataset.flow === "columns" ? bundled([...names]) : [...names].flatMap((to) => (reads.get(to) || []).map((from) => [from, to]));
      draw(box, edges.filter(([from, to]) => names.has(from) && (box.dataset.flow !== "near" || from === centre || to === centre)), box.dataset.flow === "tables");
    }
  }

  // -- what a column is made of -----------------------------------------------------------------------------------
  const MOST = 40;

  function showMade(article, column, whole) {
    article.querySelector(".made-box")?.remove();
    if (!made.has(column) && !feeds.has(column)) return;
    const all = reach(column, made);
    let steps = 1;
    while (!whole && steps < 20 && reach(column, made, steps + 1).size <= MOST) steps += 1;
    const shown = whole ? all : reach(column, made, steps);
    const next = new Set([...(feeds.get(column) || [])].slice(0, MOST));
    // a table stands one column of boxes right of everything it is made of
    const levels = new Map();
    const inside = new Set([...shown, column]);
    const level = (table, trail) => {
      if (levels.has(table)) return levels.get(table);
      const above = [...inside].filter((name) => tableOf(name) === table).flatMap((name) => made.get(name) || []);
      const tables = new Set(above.filter((name) => inside.has(name)).map(tableOf));
      const depth = Math.max(0, ...[...tables].filter((name) => !trail.includes(name)).map((name) => level(name, [...trail, table]) + 1));
      levels.set(table, depth);
      return depth;
    };
    for (const name of inside) level(tableOf(name), [tableOf(name)]);
    const last = levels.get(tableOf(column));
    for (const name of next) if (!levels.has(tableOf(name))) levels.set(tableOf(name), last + 1);

    const box = make("div");
    const count = (set) => `${set.size} column${set.size === 1 ? "" : "s"}`;
    const parts = all.size ? `Made of ${count(all)}${shown.size < all.size ? ` (the nearest ${shown.size} are shown)` : ""}` : "Made of no other column";
    const words = make("p", "", `${parts}; feeds ${next.size ? `${count(reach(column, feeds))}, ${next.size} of them at once` : "none"}. `);
    if (shown.size < all.size) {
      const button = make("button", "", "Show all");
      button.type = "button";
      button.addEventListener("click", () => { showMade(article, column, true); drawAll(article); });
      words.append(button);
    }
    box.append(words);
    const flow = make("div", "flow made");
    flow.dataset.flow = "columns";
    for (let depth = 0; depth <= last + 1; depth += 1) {
      const tables = [...levels].filter(([, at]) => at === depth).map(([table]) => table);
      if (!tables.length) continue;
      const col = make("div", "col");
      for (const table of tables) {
        const shade = byId(table)?.className.match(/\bc\d+\b/)?.[0] || "";
        const group = make("div", `group ${shade}`);
        const title = make("a", "", table);
        title.href = link(table);
        group.append(title);
        for (const name of [...new Set([...inside, ...next])].filter((one) => tableOf(one) === table)) {
          const isRows = name.endsWith(".*");
          const cell = make("a", name === column ? "cell self" : "cell", isRows ? "rows" : name.slice(table.length + 1));
          cell.href = link(isRows ? table : name);
          cell.dataset.node = name;
          group.append(cell);
        }
        col.append(group);
      }
      flow.append(col);
    }
    box.append(flow);
    const cell = make("td");
    cell.colSpan = 4;
    cell.append(box);
    const row = make("tr", "made-box");
    row.append(cell);
    byId(column).after(row);
    const self = flow.querySelector(".self").getBoundingClientRect();
    box.scrollLeft = self.right - box.getBoundingClientRect().left - box.clientWidth * 0.6;
  }

  // -- code -------------------------------------------------------------------------------------------------------
  const WORDS = "select|from|where|group|by|order|having|join|left|right|full|inner|cross|on|using|as|and|or|not|in|is|null|case|when|then|else|end|with|union|all|distinct|over|partition|rows|range|between|preceding|following|current|unbounded|row|filter|window|limit|offset|asc|desc|nulls|first|last|cast|exists|lateral|unnest|qualify|true|false|date|interval|positional|values|recursive|like|within";
  const PYTHON = "def|return|if|elif|else|for|in|while|import|from|as|and|or|not|is|None|True|False|with|lambda|yield|class|raise|try|except|finally|pass|break|continue|assert";
  const token = {
    sql: new RegExp(`(--[^\\n]*|/\\*[\\s\\S]*?\\*/|\\{#[\\s\\S]*?#\\})|('(?:[^']|'')*')|(\\{\\{[\\s\\S]*?\\}\\}|\\{%[\\s\\S]*?%\\})|\\b([a-z_]\\w*\\.[a-z_]\\w*)\\b|\\b(\\d[\\d_]*(?:\\.\\d+)?(?:e[+-]?\\d+)?)\\b|\\b(${WORDS})\\b`, "gi"),
    python: new RegExp(`(#[^\\n]*)|("""[\\s\\S]*?"""|"(?:[^"\\\\\\n]|\\\\.)*"|'(?:[^'\\\\\\n]|\\\\.)*')|(@\\w+)|\\b([a-z_]\\w*\\.[a-z_]\\w*)\\b|\\b(\\d[\\d_]*(?:\\.\\d+)?)\\b|\\b(${PYTHON})\\b`, "g"),
  };
  const LOOKS = ["comment", "string", "tag", null, "number", "keyword"];

  function colourCode(pre) {
    const code = pre.firstElementChild;
    const text = code.textContent;
    const pieces = [];
    let position = 0;
    for (const match of text.matchAll(token[pre.dataset.language] || token.sql)) {
      const kind = match.slice(1).findIndex((part) => part !== undefined);
      const isTable = kind === 3;
      if (isTable && !(match[0] in site.tables)) continue;
      pieces.push(text.slice(position, match.index));
      const piece = make(isTable ? "a" : "span", isTable ? "" : `tk-${LOOKS[kind]}`, match[0]);
      if (isTable) piece.href = link(match[0]);
      pieces.push(piece);
      position = match.index + match[0].length;
    }
    code.replaceChildren(...pieces, text.slice(position));
    pre.dataset.done = "yes";
  }

  for (const tabs of document.querySelectorAll(".tabs")) {
    const buttons = [...tabs.querySelectorAll("button")];
    const panes = [...tabs.parentElement.querySelectorAll("pre")];
    const choose = (index) => buttons.forEach((button, at) => {
      button.setAttribute("aria-selected", String(at === index));
      panes[at].hidden = at !== index;
    });
    buttons.forEach((button, at) => button.addEventListener("click", () => choose(at)));
    choose(0);
  }

  // -- pages ------------------------------------------------------------------------------------------------------
  const title = document.title;
  function open() {
    let id = "home";
    try { id = decodeURIComponent(location.hash.slice(1)) || "home"; } catch { id = location.hash.slice(1); }
    const target = byId(id);
    let article = target?.closest("article");
    if (!article) {
      article = byId("lost");
      byId("lost-name").textContent = id;
    }
    for (const other of document.querySelectorAll("article.shown")) other.classList.remove("shown");
    for (const row of document.querySelectorAll("tr.here")) row.classList.remove("here");
    article.classList.add("shown");
    for (const item of document.querySelectorAll("#side a")) {
      const here = item.getAttribute("href") === link(article.id);
      if (here) item.setAttribute("aria-current", "page"); else item.removeAttribute("aria-current");
      if (here) item.closest("details")?.setAttribute("open", "");
      const side = byId("side");
      if (here && (item.offsetTop < side.scrollTop || item.offsetTop > side.scrollTop + side.clientHeight - 40)) side.scrollTop = item.offsetTop - side.clientHeight / 2;
    }
    document.title = article.id === "home" ? title : `${article.id} · ${title}`;
    root.classList.remove("nav-open");
    byId("menu").setAttribute("aria-expanded", "false");
    for (const pre of article.querySelectorAll("pre[data-language]:not([data-done])")) colourCode(pre);
    article.querySelector(".made-box")?.remove();
    if (target && target !== article) {
      if (target.tagName === "TR") target.classList.add("here");
      if (target.closest("table.columns")) showMade(article, id, false);
      target.scrollIntoView({ block: target.closest("table.columns") || target.tagName !== "TR" ? "start" : "center" });
    } else {
      window.scrollTo(0, 0);
    }
    drawAll(article);
    root.dataset.page = article.id;
  }
  window.addEventListener("hashchange", open);
  new ResizeObserver(() => { const article = document.querySelector("article.shown"); if (article) drawAll(article); }).observe(byId("main"));
  byId("menu").addEventListener("click", () => byId("menu").setAttribute("aria-expanded", String(root.classList.toggle("nav-open"))));
  byId("main").addEventListener("click", () => root.classList.remove("nav-open"));

  // -- search -----------------------------------------------------------------------------------------------------
  const box = byId("query");
  const list = byId("hits");
  const WEIGHT = { table: 30, knob: 22, command: 20, query: 20, column: 16, check: 6, error: 4 };
  const index = site.find.map(([kind, name, words, target]) => ({ kind, name, words, target, low: name.toLowerCase(), last: name.toLowerCase().split(".").pop(), text: words.toLowerCase() }));

  function score(item, terms) {
    let sum = WEIGHT[item.kind];
    for (const term of terms) {
      if (item.low === term) sum += 120;
      else if (item.last === term) sum += 90;
      else if (item.last.startsWith(term)) sum += 60;
      else if (item.low.includes(term)) sum += 40;
      else if (item.text.includes(term)) sum += 12;
      else return 0;
    }
    return sum - item.name.length / 40;
  }

  function marked(text, terms) {
    const line = make("span", "found");
    const low = text.toLowerCase();
    let position = 0;
    while (position < text.length) {
      const at = terms.map((term) => [low.indexOf(term, position), term.length]).filter(([start]) => start >= 0).sort((a, b) => a[0] - b[0])[0];
      if (!at) break;
      line.append(text.slice(position, at[0]), make("mark", "", text.slice(at[0], at[0] + at[1])));
      position = at[0] + at[1];
    }
    line.append(text.slice(position));
    return line;
  }

  let chosen = 0;
  function choose(number) {
    const items = [...list.querySelectorAll("a")];
    if (!items.length) return;
    chosen = (number + items.length) % items.length;
    items.forEach((item, at) => item.setAttribute("aria-selected", String(at === chosen)));
    items[chosen].scrollIntoView({ block: "nearest" });
    box.setAttribute("aria-activedescendant", items[chosen].id);
  }

  function search() {
    const terms = box.value.toLowerCase().split(/\s+/).filter(Boolean);
    list.replaceChildren();
    list.hidden = !terms.length;
    box.setAttribute("aria-expanded", String(!list.hidden));
    if (!terms.length) return;
    const hits = index.map((item) => [score(item, terms), item]).filter(([points]) => points > 0).sort((a, b) => b[0] - a[0]).slice(0, 30);
    for (const [number, [, item]] of hits.entries()) {
      const row = make("li");
      const hit = make("a");
      hit.id = `hit-${number}`;
      hit.href = link(item.target);
      hit.setAttribute("role", "option");
      hit.append(make("span", "kind", item.kind), marked(item.name, terms));
      if (item.words) hit.append(make("span", "words", item.words));
      row.append(hit);
      list.append(row);
    }
    if (!hits.length) list.append(make("li", "none", "Nothing is called that, and nothing says it."));
    choose(0);
  }
  function close() {
    list.hidden = true;
    box.setAttribute("aria-expanded", "false");
    box.blur();
  }
  box.addEventListener("input", search);
  box.addEventListener("focus", search);
  box.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown") { choose(chosen + 1); event.preventDefault(); }
    else if (event.key === "ArrowUp") { choose(chosen - 1); event.preventDefault(); }
    else if (event.key === "Enter") { list.querySelectorAll("a")[chosen]?.click(); }
    else if (event.key === "Escape") close();
  });
  list.addEventListener("click", (event) => { if (event.target.closest("a")) { box.value = ""; close(); } });
  document.addEventListener("pointerdown", (event) => { if (!event.target.closest(".search")) list.hidden = true; });
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && event.target.tagName !== "INPUT" && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      box.focus();
      box.select();
    }
  });

  open();
  if (asked.get("find")) { box.value = asked.get("find"); search(); }
  root.dataset.ready = `${site.find.length} things to find`;
})();
