/* Compare: one measure, years and places of one scope; ranking, slope, small multiples and table; the same as CSV, picture and SQL. */
(() => {
  "use strict";
  const g = gongkai, h = g.h, t = g.t;
  const SCOPES = ["own", "level", "consolidated"];
  const MOST = { ranking: 60, slope: 80, multiples: 40 }; // bodies drawn at most; the heading says so, table and CSV have all
  let shared = null;

  g.page(async (view) => {
    const [codes, districts, index] = await Promise.all(["codes", "districts", "compare/index"].map(g.get));
    shared = { codes, districts, index };
    const choice = read();
    const results = h("div", { id: "results" });
    const focused = document.activeElement?.name;
    view.replaceChildren(controls(choice), results);
    if (focused) view.querySelector(`[name="${focused}"]`)?.focus();
    await draw(choice, results);
  });

  // --- the choice, from the address and what there is

  function read() {
    const { codes, index } = shared, s = g.state();
    const metric = codes.metrics.find((m) => m.id === s.m) || (codes.indicators.find((i) => i.id === s.m) ? null : codes.metrics.find((m) => m.id === "disclosure_rate_broad"));
    const indicator = metric ? null : codes.indicators.find((i) => i.id === s.m);
    const applicant = indicator?.section === "requests" ? (codes.applicants.includes(s.a) ? s.a : "total") : null;
    const measure = metric ? metric.id : applicant ? `${indicator.id}.${applicant}` : indicator.id;
    const years = index.measures[measure] || [];
    const first = years[0], last = years[years.length - 1];
    const spans = s.view === "slope" || s.view === "multiples"; // one year is enough for a ranking, and quick to load
    const from = years.includes(+s.from) ? +s.from : spans ? first : years.includes(+s.to) ? +s.to : last, to = years.includes(+s.to) ? +s.to : last;
    const choice = {
      m: metric ? metric.id : indicator.id, kind: metric ? "metric" : "indicator", metric, indicator: indicator?.id, entry: metric || indicator, applicant, years,
      from: Math.min(from, to), to: Math.max(from, to), within: (s.in || "").split(",").filter((c) => /^\d{2}(\d{2}){0,2}$/.test(c)), min: Number.isFinite(parseInt(s.min, 10)) ? parseInt(s.min, 10) : 20,
      view: ["ranking", "slope", "multiples", "table"].includes(s.view) ? s.view : "ranking",
    };
    choice.scopes = new Set(index.scopes);
    choice.scope = SCOPES.includes(s.scope) ? s.scope : SCOPES.find((x) => choice.scopes.has(x)) || "own";
    return choice;
  }
  const change = (changes) => { g.keep(changes); return g.show(); };

  // --- controls

  function controls(choice) {
    const { codes, districts } = shared;
    const select = (name, label, groups, value) => {
      const options = (list) => list.map(([v, text, disabled]) => h("option", { value: v, selected: String(v) === String(value), disabled }, text));
      return h("label", {}, label, h("select", { name, onchange: (e) => change({ [name]: e.target.value, ...(name === "m" ? { a: null } : {}) }) },
        groups.map((x) => (x.group ? h("optgroup", { label: x.group }, options(x.list)) : options(x.list)))));
    };
    const years = choice.years.map((y) => [y, y]);
    const measures = [
      { group: t("metrics"), list: codes.metrics.filter((m) => shared.index.measures[m.id]).map((m) => [m.id, g.name(m)]) },
      ...["requests", "litigation", "proactive", "legacy"].map((section) => ({ group: t(`table.${section}`), list: codes.indicators
        .filter((i) => i.section === section && shared.index.measures[section === "requests" ? `${i.id}.total` : i.id]).map((i) => [i.id, g.name(i)]) })).filter((x) => x.list.length)];
    return h("form", { class: "controls", "aria-label": t("compare.choose"), onsubmit: (e) => e.preventDefault() },
      select("m", t("measure"), measures, choice.m),
      choice.applicant ? select("a", t("applicant"), [{ list: codes.applicants.map((a) => [a, g.word(codes, "applicant", a)]) }], choice.applicant) : null,
      select("from", t("from"), [{ list: years }], choice.from),
      select("to", t("to"), [{ list: years }], choice.to),
      select("scope", t("scope"), [{ list: SCOPES.map((s) => [s, g.word(codes, "scope", s), !choice.scopes.has(s)]) }], choice.scope),
      places(choice, districts),
      choice.kind === "metric" && choice.metric.kind !== "days" && choice.metric.kind !== "per_capita"
        ? h("label", {}, t("min_n"), h("input", { type: "number", name: "min", min: 1, value: choice.min, onchange: (e) => change({ min: Math.max(1, parseInt(e.target.value, 10) || 20) }) })) : null,
      h("fieldset", { class: "views" }, h("legend", {}, t("view")), ["ranking", "slope", "multiples", "table"].map((v) =>
        h("label", {}, h("input", { type: "radio", name: "view", value: v, checked: choice.view === v, onchange: () => change({ view: v }) }), t(`view.${v}`)))));
  }
  function places(choice, districts) {
    const single = choice.within.length === 1 ? choice.within[0] : "";
    const provinces = [...new Set(districts.pages.map((c) => c.slice(0, 2)))];
    const province = choice.within.length && choice.within.every((c) => c.startsWith(choice.within[0].slice(0, 2))) ? choice.within[0].slice(0, 2) : "";
    const inProvince = districts.pages.filter((c) => province && c.startsWith(province));
    const cities = [...new Set(inProvince.map((c) => c.slice(0, 4)))].filter((c) => districts.names[`${c}00`]);
    const city = choice.within.length && choice.within.every((c) => c.startsWith(choice.within[0].slice(0, 4))) && choice.within[0].length >= 4 ? choice.within[0].slice(0, 4) : "";
    const option = (value, text, chosen) => h("option", { value, selected: value === chosen }, text);
    const pick = (name, label, all, list, chosen, up) => h("label", {}, label, h("select", { name, onchange: (e) => change({ in: e.target.value || up }) }, option("", all, chosen), list.map(([v, text]) => option(v, text, chosen))));
    const members = city ? inProvince.filter((c) => c.startsWith(city)) : inProvince;
    const chosen = new Set(choice.within.filter((c) => c.length === 6));
    const toggle = (code, on) => {
      if (on) chosen.add(code); else chosen.delete(code);
      change({ in: chosen.size ? [...chosen].sort().join(",") : city || province });
    };
    return [
      pick("province", t("province"), t("whole_country"), provinces.map((p) => [p, g.placeName(districts, `${p}0000`)]), province, ""),
      province && cities.length > 1 ? pick("city", t("city"), t("whole_province"), cities.map((c) => [c, g.placeName(districts, `${c}00`)]), city, province) : null,
      members.length > 1 && members.length <= 200 ? h("details", { class: "pick", open: chosen.size ? true : null }, h("summary", {}, chosen.size ? t("districts_chosen", { n: chosen.size }) : t("districts_pick")),
        h("ul", {}, members.map((c) => h("li", {}, h("label", {}, h("input", { type: "checkbox", name: `d${c}`, checked: chosen.has(c), onchange: (e) => toggle(c, e.target.checked) }), g.placeName(districts, c)))))) : null,
      single.length === 6 ? h("p", {}, g.districtLink(single, g.place(districts, single))) : null,
    ];
  }

  // --- results

  async function draw(choice, box) {
    const { codes, districts, index } = shared;
    if (!choice.years.length) return void box.replaceChildren(g.note(t("compare.nothing")));
    const rows = await g.rows(choice, codes, districts, index);
    const last = rows.filter((r) => r.year === choice.to);
    const some = rows.some((r) => r.value !== null);
    const title = [g.name(choice.entry), choice.applicant && choice.applicant !== "total" ? g.applicant(codes, choice.applicant) : null].filter(Boolean).join(" · ");
    const base = { choice, rows, last, title, filter: filterText(choice), name: `${choice.m}-${choice.from}-${choice.to}-${choice.scope}` };
    const mind = cautions(choice, codes);
    const chart = some ? { ranking, slope, multiples, table: () => null }[choice.view](base) : g.note(await whyNothing(choice, rows));
    box.replaceChildren(...[
      h("h2", {}, title),
      h("p", { class: "definition" }, definition(choice, await g.get("definitions"))),
      mind, chart, rows.length ? numbers(base) : null, query(base)].filter(Boolean));
    g.say(t("compare.said", { title, n: last.filter((r) => r.value !== null).length, year: choice.to }));
  }
  function definition(choice, { indicators, metrics }) {
    if (!choice.metric) return g.pair(indicators[choice.indicator]);
    const { formula, note } = metrics[choice.m];
    return [g.lang() === "en" ? h("code", {}, formula[1]) : formula[0], note[1] ? [g.lang() === "en" ? " · " : "。", g.pair(note)] : ""];
  }
  const caution = (r) => [" ", h("details", { class: "caution" }, h("summary", {}, "≠", h("span", { class: "sr" }, ` ${t("caution")}`)), g.reason(shared.codes, r.caution))];
  /* Why a choice gives nothing: no value in what is there, no report of the places, or none of the scope. */
  async function whyNothing(choice, rows) {
    if (rows.length) return t("compare.no_value", { n: g.number(rows.length) });
    const years = choice.years.filter((y) => y >= choice.from && y <= choice.to);
    const found = (await Promise.all(years.map((y) => g.get(`compare/reports-${y}`)))).flat();
    const scopes = [...new Set(found.map(([, scope]) => scope))].map((s) => g.word(shared.codes, "scope", s));
    const same = found.filter(([, scope]) => scope === choice.scope).length;
    if (same && choice.within.length) return t("compare.no_place", { n: g.number(same) });
    return same ? t("compare.no_figure", { n: g.number(same) }) : t("compare.no_scope", { scopes: scopes.join(", ") || t("none") });
  }
  g.applicant = (codes, value) => g.word(codes, "applicant", value);
  function filterText(choice) {
    const { codes, districts } = shared;
    const names = choice.within.map((c) => g.placeName(districts, c.padEnd(6, "0")));
    const where = !names.length ? t("whole_country") : names.length > 6 ? t("districts_chosen", { n: names.length }) : names.join(", ");
    const years = choice.from === choice.to ? choice.to : `${choice.from}–${choice.to}`;
    return `${where} · ${years} · ${t("scope")}: ${g.word(codes, "scope", choice.scope)}`;
  }
  function cautions(choice, codes) {
    const section = choice.kind === "indicator" ? choice.entry.section : /reconsideration|litigation|correction/.test(choice.m) ? "litigation" : /normative|penalt|fee/.test(choice.m) ? "proactive" : "requests";
    const breaks = g.breaks(codes, g.years(choice.from, choice.to), (b) => (!b.section || b.section === section) && (!b.indicator || b.indicator === choice.indicator));
    choice.breaks = breaks;
    return breaks.length ? h("div", { class: "note" }, h("p", {}, t("break.mind")), g.breakNotes(breaks)) : null;
  }
  function labels(rows) {
    const count = new Map();
    for (const r of rows) count.set(`${r.district_code}|${r.year}`, (count.get(`${r.district_code}|${r.year}`) || 0) + 1);
    const names = new Map();
    const made = new Map();
    for (const r of rows) {
      let name = count.get(`${r.district_code}|${r.year}`) > 1 ? r.publisher || r.publisher_id : g.placeName(shared.districts, r.district_code);
      if (names.has(name) && names.get(name) !== r.publisher_id) name = `${name} ${r.district_code}`;
      names.set(name, r.publisher_id);
      made.set(r.publisher_id, made.get(r.publisher_id) || name);
    }
    return made;
  }
  const isRate = (choice) => choice.metric?.kind === "rate";
  const format = (choice) => (isRate(choice) ? g.percent : (v) => (v == null ? "" : new Intl.NumberFormat(g.lang() === "zh" ? "zh-CN" : "en", { maximumFractionDigits: 4 }).format(v)));
  const nText = (shown, all) => t("compare.n", { n: g.number(shown), all: g.number(all) });
  /* Rates as per cents, on axes and in tooltips. */
  const measureAxis = (choice) => (spec) => {
    if (!isRate(choice)) return;
    const walk = (node, key) => {
      if (!node || typeof node !== "object") return;
      if (["value", "low", "high"].includes(node.field)) key === "tooltip" ? (node.format = ".1%") : (node.axis = { ...node.axis, format: ".0%" });
      for (const [k, v] of Object.entries(node)) Array.isArray(v) ? v.forEach((x) => walk(x, k)) : walk(v, k);
    };
    walk(spec);
  };
  const unitName = (choice) => (choice.kind === "metric" ? g.name(choice.entry) : `${g.name(choice.entry)} (${t(`unit.${choice.entry.unit}`)})`);

  function ranking({ choice, last, title, filter, name }) {
    const withValue = last.filter((r) => r.value !== null);
    const names = labels(last), shown = withValue.slice(0, MOST.ranking);
    const rows = shown.map((r) => ({ label: `${r.rank ? `${r.rank}. ` : ""}${names.get(r.publisher_id)}`, value: r.value, low: r.low ?? null, high: r.high ?? null, n: r.n ?? null, ranked: r.ranked }));
    const cut = withValue.length > shown.length ? ` · ${t("shown_of", { shown: shown.length, all: g.number(withValue.length) })}` : "";
    const low = choice.kind === "metric" ? ` · ${t("ranked_n", { n: g.number(withValue.filter((r) => r.ranked).length), min: choice.min })}` : "";
    return g.figure({ id: "chart", chart: "ranking", title: `${title} ${choice.to}`, filter: filter.replace(/\d{4}–(\d{4})/, "$1"), n: nText(withValue.length, last.length) + low + cut, rows, words: { measure: unitName(choice) }, adapt: (spec) => { measureAxis(choice)(spec); spec.height = 22 * new Set(rows.map((r) => r.label)).size; }, name });
  }
  function slope({ choice, rows, title, filter, name }) {
    const two = [choice.from, choice.to], pairs = new Map();
    for (const r of rows) if (two.includes(r.year) && r.value !== null) pairs.set(r.publisher_id, { ...pairs.get(r.publisher_id), [r.year]: r });
    if (choice.from === choice.to) return g.note(t("slope.two"));
    const both = [...pairs.entries()].filter(([, p]) => p[two[0]] && p[two[1]]);
    const names = labels(rows);
    const small = (p) => two.some((y) => !p[y].ranked); // too few cases in one of the years: dashed, after all others, and said
    const change = (p) => Math.abs(p[two[1]].value - p[two[0]].value);
    const shown = both.sort(([, a], [, b]) => small(a) - small(b) || change(b) - change(a)).slice(0, MOST.slope);
    const few = both.filter(([, p]) => small(p)).length;
    const data = shown.flatMap(([id, p], i) => two.map((y) => ({ key: id, label: names.get(id), year: y, value: p[y].value, n: p[y].n ?? null, low: p[y].low ?? null, high: p[y].high ?? null, last: y === two[1], named: i < 24,
      few: small(p), point_few: !p[y].ranked, direction: t(p[two[1]].value > p[two[0]].value ? "rises" : p[two[1]].value < p[two[0]].value ? "falls" : "same") })));
    dodge(data.filter((r) => r.last && r.named), data.map((r) => r.value));
    const cut = both.length > shown.length ? ` · ${t("slope.most", { shown: shown.length, all: g.number(both.length) })}` : "";
    const axis = measureAxis(choice);
    return g.figure({ id: "chart", chart: "slope", title: `${title}: ${two[0]} → ${two[1]}`, filter, n: t("slope.n", { n: g.number(both.length), all: g.number(pairs.size) }) + cut + (few ? ` · ${t("slope.few", { n: g.number(few), min: choice.min })}` : ""), rows: data, words: { measure: unitName(choice) }, domain: two,
      adapt: (spec, width) => { axis(spec); spec.width = Math.min(860, width); spec.height = 480; spec.padding = { left: 5, top: 5, bottom: 5, right: width > 560 ? 130 : 90 }; }, name: `${name}-slope`,
      columns: [{ head: t("publisher"), row: true, cell: (r) => r.label }, { head: t("year"), num: true, cell: (r) => r.year }, { head: t("value"), num: true, cell: (r) => format(choice)(r.value) }, ...cases(choice)] });
  }
  const cases = (choice) => (isRate(choice) ? [{ head: "n", num: true, cell: (r) => (r.n === null ? "" : `${g.number(r.n)}${r.n < choice.min ? ` (${t("below_min", { min: choice.min })})` : ""}`) }] : []);
  /* Names beside the lines: moved apart where they would lie on each other. */
  function dodge(names, values) {
    const step = (Math.max(...values) - Math.min(...values)) / 32;
    let last = -Infinity;
    for (const row of names.sort((a, b) => a.value - b.value)) last = row.place = Math.max(row.value, last + step);
  }
  function multiples({ choice, rows, title, filter, name }) {
    const names = labels(rows), groups = new Map();
    for (const r of rows) if (r.value !== null) groups.set(r.publisher_id, [...(groups.get(r.publisher_id) || []), r]);
    const shown = [...groups.entries()].sort((a, b) => (a[1][0].district_code > b[1][0].district_code ? 1 : -1)).slice(0, MOST.multiples);
    const interrupted = choice.breaks.filter((b) => b.kind === "form").map((b) => b.year);
    const data = shown.flatMap(([id, list]) => g.segments(list.sort((a, b) => a.year - b.year).map((r) => ({ label: names.get(id), year: r.year, value: r.value, low: r.low ?? null, high: r.high ?? null, n: r.n ?? null, few: !r.ranked })), interrupted));
    const few = data.filter((r) => r.few).length;
    const cut = groups.size > shown.length ? ` · ${t("shown_of", { shown: shown.length, all: g.number(groups.size) })}` : "";
    const axis = measureAxis(choice);
    return g.figure({ id: "chart", chart: "multiples", title, filter, n: nText(rows.filter((r) => r.value !== null).length, rows.length) + cut + (few ? ` · ${t("multiples.few", { n: g.number(few), min: choice.min })}` : ""), rows: data, domain: g.years(choice.from, choice.to), words: { measure: unitName(choice) },
      adapt: (spec, width) => { axis(spec); spec.facet.sort = shown.map(([id]) => names.get(id)); spec.columns = Math.max(1, Math.floor(width / 230)); spec.spec.width = Math.max(110, Math.floor(width / spec.columns) - 62); }, name: `${name}-multiples`,
      columns: [{ head: t("publisher"), row: true, cell: (r) => r.label }, { head: t("year"), num: true, cell: (r) => r.year }, { head: t("value"), num: true, cell: (r) => format(choice)(r.value) }, ...cases(choice)] });
  }

  function numbers({ choice, rows, title }) {
    const { codes, districts } = shared;
    const show = format(choice), metric = choice.kind === "metric";
    const columns = [
      { head: t("rank"), num: true, cell: (r) => r.rank },
      { head: t("district"), row: true, cell: (r) => g.districtLink(r.district_code, g.placeName(districts, r.district_code), { publisher: r.publisher_id, scope: r.scope }) },
      { head: t("publisher"), cell: (r) => g.zh(r.publisher || r.publisher_id) },
      { head: t("year"), num: true, cell: (r) => g.reportLink(r.report_id, r.district_code, r.year, choice.applicant ? `${choice.indicator}/${choice.applicant}` : choice.indicator) },
      { head: t("value"), num: true, cell: (r) => (r.value === null ? h("span", { class: "gap" }, metric ? g.reason(shared.codes, r.reason) : t(`cell.${r.value_status}`)) : [r.ranked ? "" : h("span", { class: "gap" }, `(${t("below_min", { min: choice.min })}) `), show(r.value), r.caution ? caution(r) : ""]) },
      ...(metric ? [{ head: t("low"), num: true, cell: (r) => show(r.low) }, { head: t("high"), num: true, cell: (r) => show(r.high) }, { head: "n", num: true, cell: (r) => g.number(r.n) }]
        : [{ head: t("unit"), cell: (r) => t(`unit.${r.unit}`) }]),
    ];
    const newest = [...rows].sort((a, b) => b.year - a.year);
    return h("section", { "aria-label": t("view.table") }, h("h3", {}, t("view.table")), g.paged(newest, 100, (some) => g.table(title, columns, some, { class: "numbers" })));
  }
  function query({ choice, rows, name }) {
    const sql = g.sql(choice);
    const copy = h("button", { type: "button", onclick: () => navigator.clipboard?.writeText(sql).then(() => g.say(t("copied")), () => g.say(t("not_copied"))) }, t("copy"));
    return h("section", { class: "query" }, h("h3", {}, t("same_as")),
      h("p", {}, h("button", { type: "button", id: "csv", onclick: () => g.save(`${name}.csv`, new Blob(["\ufeff", g.csv(choice, rows)], { type: "text/csv;charset=utf-8" })) }, t("csv", { n: g.number(rows.length) })), " ", copy),
      h("pre", { tabindex: 0, "aria-label": "SQL" }, h("code", { id: "sql" }, sql)), g.note(t("sql.mind")));
  }
})();
