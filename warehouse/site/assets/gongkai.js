/* Common to all pages: data files, words, state in the address bar, and building of elements. No request leaves the folder. */
(() => {
  "use strict";
  const root = document.documentElement.dataset.root || "";
  const data = new Map(); // name -> value
  const waiting = new Map(); // name -> {promise, resolve}
  const g = (window.gongkai = { root });

  // --- data files: scripts that call put(), because a page opened as a file may not fetch

  g.put = (name, value) => {
    data.set(name, value);
    waiting.get(name)?.resolve(value);
  };
  g.get = (name) => {
    if (data.has(name)) return Promise.resolve(data.get(name));
    if (!waiting.has(name)) {
      let resolve, reject;
      const promise = new Promise((yes, no) => ([resolve, reject] = [yes, no]));
      waiting.set(name, { promise, resolve });
      g.script(`data/${name}.js`).catch(() => {
        waiting.delete(name);
        reject(new Error(g.t("missing_file", { name: `data/${name}.js` })));
      });
    }
    return waiting.get(name).promise;
  };
  const scripts = new Map();
  g.script = (path) => {
    if (!scripts.has(path))
      scripts.set(path, new Promise((yes, no) => {
        const tag = document.createElement("script");
        tag.src = root + path;
        tag.onload = yes;
        tag.onerror = () => (scripts.delete(path), no(new Error(path)));
        document.head.append(tag);
      }));
    return scripts.get(path);
  };

  // --- state: the part of the address after #, as key=value; it works from a file share too

  g.state = () => Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
  g.address = (state) => {
    const kept = new URLSearchParams(Object.entries(state).filter(([, v]) => v !== undefined && v !== null && v !== ""));
    return "#" + kept.toString().replace(/%2C/g, ",").replace(/%2F/g, "/");
  };
  g.keep = (changes) => {
    const next = g.address({ ...g.state(), ...changes });
    if (next !== location.hash) history.replaceState(null, "", next);
  };

  // --- language

  const stored = () => { try { return localStorage.getItem("gongkai.lang"); } catch { return null; } };
  const browser = () => (navigator.languages || []).some((l) => l.startsWith("zh")) ? "zh" : "en";
  g.lang = () => {
    const wanted = g.state().lang || stored();
    return wanted === "zh" || wanted === "en" ? wanted : browser();
  };
  g.t = (key, values = {}) => {
    const words = data.get("text")?.[key];
    if (!words) return key;
    return words[g.lang()].replace(/\{(\w+)\}/g, (all, name) => (name in values ? values[name] : all));
  };
  g.name = (entry) => (entry ? entry[g.lang()] || entry.zh : "");
  g.word = (codes, kind, value) => (value == null ? "" : g.name(codes.words[kind]?.[value]) || value);
  /* A pair [Chinese, English]; English stands where there is no Chinese, and is marked as such. */
  g.pair = ([zh, en]) => (g.lang() === "zh" && zh !== null ? zh : h("span", { lang: "en" }, en));

  // --- reasons and cautions: the warehouse says them in English, put together from known parts (codes.reasons)

  g.reason = (codes, text) => {
    if (!text) return "";
    if (g.lang() === "en") return text.replace(/\b([a-z_]+) \((\d+)\)/g, (all, kind, n) => (g.kind(kind) ? `${g.kind(kind)} (${n})` : all));
    const said = text.split("; ").map((part) => phrase(codes, part)).filter(Boolean);
    return said.length ? said.join("；") : g.t("reason.other");
  };
  const patterns = new Map();
  function phrase(codes, text) {
    for (const [pattern, words] of codes.reasons) {
      if (!patterns.has(pattern)) patterns.set(pattern, new RegExp(`^(?:${pattern})$`));
      const found = patterns.get(pattern).exec(text);
      if (found) return words.replace(/\{\$(\d)\}|\$(\d)/g, (all, inner, plain) => (plain ? found[plain] : term(codes, found[inner])));
    }
    return null;
  }
  function term(codes, text) {
    const counted = text.split(", ").map((part) => /^(\w+) \((\d+)\)$/.exec(part));
    if (counted.every(Boolean)) return counted.map(([, kind, n]) => `${term(codes, kind)} ${n}`).join("、");
    const entry = codes.indicators.find((i) => i.id === text);
    return entry ? g.name(entry) : data.get("text")[`problem.${text}`] ? g.t(`problem.${text}`) : phrase(codes, text) ?? text;
  }
  g.kind = (kind) => (data.get("text")[`problem.${kind}`] ? g.t(`problem.${kind}`) : "");
  /* A problem: its kind in words, its message (English, from the program) unfolded only where English is read. */
  g.problem = (p) => [
    h("span", { class: `chip ${p.severity}` }, g.t(`severity.${p.severity}`)), " ", g.kind(p.kind), " ", h("code", {}, p.kind), " ",
    g.lang() === "en" ? h("span", { class: "message" }, p.message) : h("details", { class: "message" }, h("summary", {}, g.t("problem.note")), h("span", { lang: "en" }, p.message))];

  g.href = (page, state = {}) => root + page + g.address({ ...state, lang: g.state().lang });

  function translate() {
    document.documentElement.lang = g.lang() === "zh" ? "zh-Hans" : "en";
    for (const e of document.querySelectorAll("[data-t]")) e.textContent = g.t(e.dataset.t);
    for (const e of document.querySelectorAll("[data-t-label]")) e.setAttribute("aria-label", g.t(e.dataset.tLabel));
    for (const e of document.querySelectorAll("[data-t-placeholder]")) e.placeholder = g.t(e.dataset.tPlaceholder);
    for (const e of document.querySelectorAll("a[data-link]")) e.href = e.getAttribute("href").split("#")[0] + g.address({ lang: g.state().lang });
    const built = document.getElementById("built");
    built.textContent = g.t("built", { ...built.dataset });
    document.querySelector("[data-language-name]").textContent = g.lang() === "zh" ? "English" : "中文";
    document.querySelector("[data-language]").lang = g.lang() === "zh" ? "en" : "zh-Hans";
  }

  // --- elements

  g.h = (tag, attributes, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) {
      if (value === null || value === undefined || value === false) continue;
      if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
      else element.setAttribute(name, value === true ? "" : value);
    }
    element.append(...children.flat(9).filter((c) => c !== null && c !== undefined && c !== false));
    return element;
  };
  const h = g.h;
  g.number = (value, digits) => value == null ? "" : new Intl.NumberFormat(g.lang() === "zh" ? "zh-CN" : "en", digits === undefined ? {} : { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value);
  g.percent = (value) => (value == null ? "" : `${g.number(value * 100, 1)} %`);
  g.day = (time) => (time ? String(time).slice(0, 10) : "");
  g.minute = (time) => (time ? `${String(time).slice(0, 16)} UTC` : "");
  g.zh = (text) => h("span", { lang: "zh-Hans" }, text);

  /* Columns: {head, cell(row) -> node or text, num: align right, time: one line, row: it heads its row}. */
  g.table = (caption, columns, rows, more = {}) =>
    h("div", { class: "scroll", tabindex: 0, role: "group", "aria-label": caption },
      h("table", { class: more.class },
        h("caption", more.shown ? {} : { class: "sr" }, caption),
        h("thead", {}, h("tr", {}, columns.map((c) => h("th", { scope: "col", class: c.num && "num" }, c.head)))),
        h("tbody", {}, rows.map((row) => h("tr", {}, columns.map((c) =>
          h(c.row ? "th" : "td", { scope: c.row && "row", class: c.num ? "num" : c.time && "time" }, c.cell(row) ?? "")))))));
  g.section = (id, title, ...children) => h("section", { id, "aria-labelledby": `${id}-h` }, h("h2", { id: `${id}-h` }, title), ...children);
  g.note = (text) => h("p", { class: "note" }, text);
  g.say = (text) => { document.getElementById("live").textContent = text; };

  /* Rows in steps of `step`: a button shows the next ones. `draw(rows)` gives the element. */
  g.paged = (rows, step, draw) => {
    const box = h("div", {});
    const show = (n) => box.replaceChildren(draw(rows.slice(0, n)), n < rows.length
      ? h("p", { class: "more" }, g.t("shown_of", { shown: g.number(n), all: g.number(rows.length) }), " ",
          h("button", { type: "button", onclick: () => show(n + step) }, g.t("show_more")))
      : "");
    show(Math.min(step, rows.length));
    return box;
  };

  /* What is made when it is unfolded. */
  g.unfolding = (title, open, make) => {
    const details = h("details", { open: open ? true : null }, h("summary", {}, title));
    const fill = () => details.childElementCount < 2 && details.append(...make().filter(Boolean));
    if (open) fill();
    details.addEventListener("toggle", fill);
    return details;
  };

  g.save = (name, blob) => {
    const url = URL.createObjectURL(blob);
    const link = h("a", { href: url, download: name });
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(url), 10000);
  };

  // --- names of places

  g.place = (districts, code) => {
    const [zh, en, province, prefecture] = districts.names[code] || [code, code];
    const above = [...new Set([province, prefecture])].filter((c) => c && c !== code && districts.names[c]);
    const chain = [...above, code].map((c) => (c === code ? (g.lang() === "zh" ? zh : en) : districts.names[c][g.lang() === "zh" ? 0 : 1]));
    return g.lang() === "zh" ? chain.join(" ") : chain.reverse().join(", ");
  };
  g.placeName = (districts, code) => districts.names[code]?.[g.lang() === "zh" ? 0 : 1] || code;
  g.districtLink = (code, text, state) => h("a", { href: g.href(`district/${code}.html`, state) }, text);
  g.reportLink = (id, district, text, cell) => h("a", { href: g.href("report.html", { id, d: district, cell }) }, text);

  /* A link to where a document came from; a file read from disk has no address that could be opened. */
  g.source = (url, text) => (/^https?:/.test(url || "") ? h("a", { href: url, rel: "noreferrer" }, text || url) : h("span", { class: "wrap" }, url || ""));

  // --- start

  let draw = null;
  g.page = (render) => { draw = render; };
  async function show() {
    const view = document.getElementById("view");
    view.setAttribute("aria-busy", "true");
    try {
      translate();
      await draw(view);
    } catch (error) {
      view.replaceChildren(h("p", { class: "alert", role: "alert" }, error.message));
      console.error(error);
    }
    view.removeAttribute("aria-busy");
  }
  g.show = show;

  function switchLanguage() {
    const next = g.lang() === "zh" ? "en" : "zh";
    try { localStorage.setItem("gongkai.lang", next); } catch { /* a file share may have no storage: the address keeps it */ }
    g.keep({ lang: next });
    show().then(() => g.say(g.t("language_now")));
  }

  async function suggest(input) {
    const districts = await g.get("districts");
    const wanted = input.value.trim().toLowerCase();
    const hits = !wanted ? [] : districts.pages.filter((c) => c.startsWith(wanted) || districts.names[c][0].includes(wanted) || districts.names[c][1].toLowerCase().includes(wanted));
    document.getElementById("found").replaceChildren(...hits.slice(0, 12).map((c) => h("option", { value: `${c} ${districts.names[c][0]}` }, g.place(districts, c))));
    return hits;
  }

  document.addEventListener("DOMContentLoaded", () => {
    const input = document.getElementById("find");
    input.addEventListener("input", () => suggest(input));
    document.querySelector("[data-find]").addEventListener("submit", async (event) => {
      event.preventDefault();
      const code = input.value.trim().slice(0, 6);
      const hits = await suggest(input);
      const target = hits.includes(code) ? code : hits[0] || ((await g.get("districts")).pages.includes(code) ? code : null);
      if (target) location.href = g.href(`district/${target}.html`);
      else g.say(g.t("find.none"));
    });
    document.querySelector("[data-language]").addEventListener("click", switchLanguage);
    document.querySelector("[data-skip]").addEventListener("click", (event) => {
      event.preventDefault();
      document.getElementById("main").focus();
    });
    window.addEventListener("hashchange", show);
    show();
  });
})();
