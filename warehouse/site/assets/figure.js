/* Charts: a specification of data/charts, words and rows put in, drawn by Vega; beside it PNG, SVG and the rows as a table. */
(() => {
  "use strict";
  const g = gongkai, h = g.h, t = g.t;

  /* options: {chart, title, filter, n, rows, breaks, domain (years), words, columns (of the table), percent, name (of files)} */
  g.figure = (options) => {
    const target = h("div", { class: "chart", role: "img", "aria-label": `${options.title}. ${options.filter}. ${options.n}` });
    const box = h("figure", { class: "figure", id: options.id },
      h("figcaption", {}, h("strong", {}, options.title), h("span", { class: "filter" }, [options.n, options.filter].filter(Boolean).join(" · "))),
      target,
      h("div", { class: "actions" },
        h("button", { type: "button", onclick: () => picture(target, options, "png") }, "PNG"),
        h("button", { type: "button", onclick: () => picture(target, options, "svg") }, "SVG"),
        options.columns ? h("details", { class: "rows" }, h("summary", {}, t("as_table")), g.table(options.title, options.columns, options.rows)) : null));
    whenSeen(target, () => draw(target, options));
    return box;
  };

  /* Charts are drawn when they come near the window; printing draws them all. */
  const pending = new Map();
  const observer = new IntersectionObserver((entries) => entries.forEach((e) => e.isIntersecting && run(e.target)), { rootMargin: "400px" });
  function run(target) {
    const work = pending.get(target);
    pending.delete(target);
    observer.unobserve(target);
    return work?.();
  }
  function whenSeen(target, work) {
    pending.set(target, work);
    observer.observe(target);
  }
  window.addEventListener("beforeprint", () => [...pending.keys()].forEach(run));

  async function draw(target, options) {
    const [charts] = await Promise.all([g.get("charts"), g.script("assets/vega.js")]);
    const spec = filled(structuredClone(charts[options.chart]), options);
    const narrow = target.clientWidth < 460;
    if (narrow) oneColumn(spec);
    if (!options.rows.some((r) => r.low != null)) withoutIntervals(spec);
    withoutEmptyTips(spec, new Set(["low", "high", "n"].filter((name) => !options.rows.some((r) => r[name] != null))));
    if (options.rows.every((r) => !r.value)) fromZero(spec);
    if (typeof spec.height === "number") spec.height += 18 * Math.ceil(new Set(options.rows.map((r) => r.series)).size / (narrow ? 1 : 2));
    if (options.adapt) options.adapt(spec, target.clientWidth);
    const result = await vegaEmbed(target, spec, { actions: false, renderer: "svg", ast: false, config: theme(), downloadFileName: options.name, tooltip: { theme: dark() ? "dark" : "light" } });
    target.view = result.view;
    target.querySelector("svg").setAttribute("aria-hidden", "true"); // the label is that of the figure, the figures are in its table
    target.dataset.drawn = "1";
  }
  /* Figures have no intervals: without their layer no axis looks for its ends. */
  function withoutIntervals(spec) {
    const unit = spec.spec || spec;
    unit.layer = unit.layer?.filter((layer) => ![layer.encoding?.x?.field, layer.encoding?.y?.field].includes("low"));
    if (!unit.layer) delete unit.layer;
  }
  function withoutEmptyTips(node, empty) {
    if (!node || typeof node !== "object") return;
    if (Array.isArray(node.tooltip)) node.tooltip = node.tooltip.filter((tip) => !empty.has(tip.field));
    Object.values(node).forEach((inner) => withoutEmptyTips(inner, empty));
  }
  /* Noughts alone stand on the axis, not in the middle of the chart. */
  function fromZero(node) {
    if (!node || typeof node !== "object") return;
    if (node.field === "value" && (node.scale?.zero || node.stack)) node.scale = { ...node.scale, domain: [0, 1] };
    Object.values(node).forEach(fromZero);
  }
  function oneColumn(node) {
    if (!node || typeof node !== "object") return;
    if (node.legend) node.legend.columns = 1;
    Object.values(node).forEach(oneColumn);
  }
  /* Words in place of {{key}}, years as a domain, rows as data. */
  function filled(spec, options) {
    const words = { ...options.words };
    const walk = (node) => {
      if (typeof node === "string") return node.replace(/\{\{(.+?)\}\}/g, (all, key) => words[key] ?? t(key));
      if (Array.isArray(node)) return node.map(walk);
      if (!node || typeof node !== "object") return node;
      const copy = Object.fromEntries(Object.entries(node).map(([k, v]) => [k, walk(v)]));
      if (copy.field === "year" && copy.type === "ordinal" && options.domain && !("title" in copy && "format" in copy)) copy.scale = { ...copy.scale, domain: options.domain };
      return copy;
    };
    const made = walk(spec);
    made.datasets = { rows: options.rows, breaks: options.breaks || [] };
    made.autosize = { type: made.facet ? "pad" : typeof made.height === "number" ? "fit" : "fit-x", contains: "padding" };
    return made;
  }
  const dark = () => matchMedia("(prefers-color-scheme: dark)").matches;
  function theme() {
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(name).trim();
    const ink = colour("--ink"), soft = colour("--soft"), line = colour("--line");
    const font = style.getPropertyValue("--font").trim();
    return {
      aria: false, // Vega's descriptions of axes are English only; the figure has a label and a table
      background: "transparent", font, view: { stroke: null },
      axis: { labelColor: soft, titleColor: soft, gridColor: line, domainColor: soft, tickColor: line, labelFontSize: 12, titleFontSize: 12, titleFontWeight: "normal" },
      legend: { labelColor: ink, titleColor: soft, labelFontSize: 12, orient: "bottom", symbolSize: 90 },
      header: { labelColor: ink, labelFontSize: 12, labelFontWeight: "bold" }, text: { color: ink }, title: { color: ink },
      bar: { stroke: colour("--paper") },
    };
  }

  /* The picture for use elsewhere says itself what it shows: title, n, filter and origin are drawn into it, on white. */
  async function picture(target, options, kind) {
    if (!target.view) await run(target);
    const svg = new DOMParser().parseFromString(await target.view.toSVG(), "image/svg+xml").documentElement;
    const width = Math.max(+svg.getAttribute("width") || 600, 360), height = +svg.getAttribute("height") || 300;
    const doc = svg.ownerDocument, ns = "http://www.w3.org/2000/svg";
    const whole = doc.createElementNS(ns, "svg");
    const add = (name, attributes, text) => {
      const e = doc.createElementNS(ns, name);
      for (const [k, v] of Object.entries(attributes)) e.setAttribute(k, v);
      if (text) e.textContent = text;
      whole.append(e);
    };
    const lines = wrapped(`${options.n} · ${options.filter}`, Math.floor(width / 7));
    const top = 44 + 16 * lines.length, all = height + top + 28;
    for (const [k, v] of Object.entries({ xmlns: ns, width: width + 24, height: all, viewBox: `0 0 ${width + 24} ${all}`, "font-family": "sans-serif" })) whole.setAttribute(k, v);
    add("rect", { width: "100%", height: "100%", fill: dark() ? getComputedStyle(document.documentElement).getPropertyValue("--paper").trim() : "#ffffff" });
    const ink = dark() ? "#e8eaed" : "#1b1f24", soft = dark() ? "#aeb6bf" : "#545d66";
    add("text", { x: 12, y: 26, "font-size": 16, "font-weight": "bold", fill: ink }, options.title);
    lines.forEach((line, i) => add("text", { x: 12, y: 46 + 16 * i, "font-size": 12, fill: soft }, line));
    svg.setAttribute("x", 12);
    svg.setAttribute("y", top);
    whole.append(svg);
    add("text", { x: 12, y: all - 10, "font-size": 11, fill: soft }, t("picture.origin", { time: document.getElementById("built").dataset.time }));
    const text = new XMLSerializer().serializeToString(whole);
    if (kind === "svg") return g.save(`${options.name}.svg`, new Blob([text], { type: "image/svg+xml" }));
    const image = new Image();
    image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
    await image.decode();
    const canvas = h("canvas", { width: 2 * (width + 24), height: 2 * all });
    canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
    canvas.toBlob((blob) => g.save(`${options.name}.png`, blob));
  }
  const wide = (c) => (c > "\u2e7f" ? 2 : 1);
  function wrapped(text, width) {
    const lines = [""];
    let used = 0;
    for (const c of text) {
      if (used + wide(c) > width) (lines.push(""), (used = 0));
      lines[lines.length - 1] += c;
      used += wide(c);
    }
    return lines;
  }

  // --- years

  g.years = (from, to) => Array.from({ length: to - from + 1 }, (_, i) => from + i);
  /* Where lines are interrupted: by a year without a figure, and by a break of the series. Rows are sorted by year. */
  g.segments = (rows, breaks) => {
    let segment = 0, last = null;
    for (const row of rows) {
      if (last !== null && (row.year > last + 1 || breaks.some((b) => b > last && b <= row.year))) segment++;
      row.segment = segment;
      last = row.year;
    }
    return rows;
  };
  /* Breaks among the years shown, for the rules of a chart; `of` picks those that concern it. */
  g.breaks = (codes, years, of = () => true) => {
    const found = new Map();
    for (const b of codes.breaks) if (of(b) && b.year > years[0] && b.year <= years[years.length - 1]) found.set(b.id, { year: b.year, label: t(`break.${b.id}`), kind: b.kind });
    return [...found.values()];
  };
  g.breakNotes = (breaks) => breaks.length ? h("ul", { class: "breaks" }, breaks.map((b) => h("li", {}, h("b", {}, b.year), " ", b.label))) : null;
})();
