/* Decoding of data files `report/<district>`, and the report page: the tables as the form has them, each cell with its status. */
(() => {
  "use strict";
  const g = gongkai, h = g.h, t = g.t;
  const SECTIONS = ["proactive", "requests", "litigation", "legacy"];

  // --- decoding: a report with its cells; each cell knows its place, text, value and what it takes part in

  g.cells = (report, file, codes) => {
    if (report.cells) return report.cells;
    const status = { r: "reported", b: "blank", n: "not_applicable", u: "unreadable" };
    const places = report.layout === undefined ? [] : file.layouts[report.layout].split(";");
    report.cells = places.map((text, i) => {
      const [section, format, table, row, col, indicator, applicant] = text.split(",");
      const entry = codes.indicators[indicator];
      const state = status[report.status[i]];
      const odd = report.odd_values?.[i];
      return {
        section: SECTIONS[section], format: +format, table: +table, row: +row, col: +col, indicator: entry.id, entry,
        applicant: applicant === "" ? null : codes.applicants[applicant], raw: report.raw[i], status: state,
        value: odd !== undefined ? odd : state === "reported" ? Number(report.raw[i]) : null,
        unit: report.odd_units?.[i] ?? entry.unit, method: Array.isArray(report.methods) ? report.methods[i] : report.methods,
        page: report.pages?.[i] ?? null, box: report.boxes?.[i] ?? null, checks: [],
      };
    });
    report.index = new Map(report.cells.map((c) => [g.key(c.indicator, c.applicant), c]));
    mark(report, file, codes);
    return report.cells;
  };
  g.key = (indicator, applicant) => (applicant ? `${indicator}/${applicant}` : indicator);

  function mark(report, file, codes) {
    const failed = new Map((report.failed || []).map((f) => [f.check, f]));
    const names = report.checked === undefined ? [] : file.checks[report.checked].split(";");
    report.identities = names.map((name, i) => {
      const identity = { name, result: report.results[i], failed: failed.get(name), ...g.sides(name, report, codes) };
      for (const cell of [...identity.left, ...identity.right]) cell.checks.push(identity);
      return identity;
    });
    const each = (rows, member) => (rows || []).forEach((r) => {
      const cell = report.index.get(g.key(r.indicator, r.applicant));
      if (cell) (cell[member] ||= []).push(r);
    });
    each(report.revised, "revised");
    each(report.proofs, "proofs");
    each(report.claims, "claims");
    each(report.corrections, "corrections");
    for (const cell of report.cells) cell.fails = cell.checks.some((c) => c.result === "f");
  }
  /* Cells on both sides of an identity of a report. */
  g.sides = (name, report, codes) => {
    const [check, applicant = null] = name.split("/");
    const row = check.startsWith("R2.") ? check.slice(3) : null;
    const formats = new Map(report.cells.map((c) => [c.section, String(c.format)]));
    const identity = codes.identities.find((i) => i.id === (row ? "R2" : check) && (!i.formats || i.formats.split(" ").includes(formats.get(i.section))));
    const cells = (side) => (identity ? side(identity).split(" + ") : []).map((term) => report.index.get(row ? g.key(row, term) : g.key(term, applicant))).filter(Boolean);
    return { check, applicant, source: identity?.source, left: cells((i) => i.left_side), right: cells((i) => i.right_side) };
  };
  /* All that holds of a cell, what needs a look first; the first one colours it, each has its sign. A blank that was revised is still a blank. */
  g.cellStates = (cell) => {
    const marks = [cell.fails ? "fails" : null, cell.revised ? "revised" : null].filter(Boolean);
    if (cell.status === "unreadable") return [cell.status, ...marks];
    return cell.status === "reported" && marks.length ? marks : [...marks, cell.status];
  };
  g.STATES = { reported: "", blank: "□", not_applicable: "／", unreadable: "✗", fails: "≠", revised: "↻" };
  g.applicant = (codes, value) => (value ? g.word(codes, "applicant", value) : "");
  g.cellName = (cell, codes) => [g.name(cell.entry), g.applicant(codes, cell.applicant)].filter(Boolean).join(" · ");

  // --- the page

  if (document.documentElement.dataset.page !== "report") return;
  g.page(async (view) => {
    const { id, d, cell } = g.state();
    if (!id) return void view.replaceChildren(h("h1", {}, t("title.report")), g.note(t("report.no_id")));
    const district = d || (await districtOf(id));
    const [codes, forms, definitions, districts, file] = await Promise.all(["codes", "forms", "definitions", `district/${district}`, `report/${district}`].map(g.get));
    const report = file.reports.find((r) => r.id === id);
    if (!report) throw new Error(t("report.unknown", { id }));
    g.cells(report, file, codes);
    report.definitions = definitions;
    document.title = `${report.title || id} · gongkai`;
    const publisher = districts.publishers.find((p) => p.id === report.publisher);
    const open = (c) => g.keep({ cell: g.key(c.indicator, c.applicant) });
    const others = file.reports.filter((r) => r.publisher === report.publisher && r.scope === report.scope && r !== report);
    view.replaceChildren(...[
      h("p", { class: "crumbs" }, h("a", { href: g.href("index.html") }, t("title.index")), " › ", g.districtLink(district, g.place(districts, district))),
      h("h1", {}, h("span", { lang: "zh-Hans" }, publisher?.name || report.publisher), " ", h("span", { class: "year" }, report.year)),
      facts(report, codes),
      standing(report, districts, codes),
      neighbours(report, others, district),
      legend(report),
      h("div", { class: "with-panel" }, h("div", { class: "tables" }, tables(report, codes, forms, open)), g.panel(report, file, codes)),
      rest(report, codes)].filter(Boolean));
    const wanted = cell && report.index.get(cell);
    if (wanted) g.openCell(wanted, false);
  });
  async function districtOf(id) {
    const publishers = await g.get("publishers");
    const found = publishers.find(([publisher]) => id.startsWith(`${publisher}-`) && /^\d{4}-[0-9a-f]{8}/.test(id.slice(publisher.length + 1)));
    if (!found) throw new Error(t("report.unknown", { id }));
    return found[2];
  }
  function facts(report, codes) {
    const rows = [
      [t("report.title"), report.title ? g.zh(report.title) : t("none")],
      [t("year_scope"), `${report.year}, ${g.word(codes, "scope", report.scope)}${report.scope_evidence ? ` (${report.scope_evidence === "source" ? t("scope.registry") : report.scope_evidence})` : ""}`],
      [t("form"), report.format ? t("form.of", { year: report.format }) : t("form.none")],
      [t("version"), `${report.version} · ${report.current ? t("version.current") : t("version.old")}`],
      [t("published"), g.day(report.published_on) || t("not_stated")],
      [t("fetched"), g.minute(report.fetched_at)],
      [t("source"), g.source(report.url)],
      [t("archived"), [h("code", { class: "digest" }, `sha256 ${report.sha256}`), report.archive_file ? h("small", {}, ` ${report.archive_file} @ ${report.archive_offset}`) : ""]],
      [t("report.id"), h("code", {}, report.id)],
    ];
    return h("dl", { class: "facts" }, rows.map(([k, v]) => h("div", {}, h("dt", {}, k), h("dd", {}, v))));
  }
  /* What a reader must know before the figures: an old version, a report that was withdrawn or is doubtful. */
  function standing(report, district, codes) {
    const cell = district.coverage.find((c) => c.publisher === report.publisher && c.year === report.year);
    const state = cell && cell.state !== "loaded" ? [h("span", { class: `tag s-${cell.state}` }, g.word(codes, "coverage", cell.state)), " ", g.reason(codes, cell.reason)] : null;
    if (report.current && !state) return null;
    return h("div", { class: cell?.state === "withdrawn" || !report.current ? "alert" : "note", id: "standing" },
      report.current ? null : h("p", {}, t("report.superseded")),
      cell?.state === "withdrawn" ? h("p", {}, t("report.withdrawn")) : null,
      state ? h("p", {}, state) : null);
  }
  function neighbours(report, others, district) {
    if (!others.length) return null;
    const all = [...others, report].sort((a, b) => a.year - b.year || a.version - b.version);
    const name = (r) => r.year + (all.some((o) => o !== r && o.year === r.year) ? ` v${r.version}` : "");
    return h("nav", { class: "years", "aria-label": t("report.years") }, h("ul", {}, all.map((r) => h("li", {}, r === report ? h("a", { "aria-current": "page", href: location.hash }, name(r)) : g.reportLink(r.id, district, name(r))))));
  }
  function legend(report) {
    const counts = {};
    for (const c of report.cells) for (const state of new Set([...g.cellStates(c), c.status])) counts[state] = (counts[state] || 0) + 1;
    return h("ul", { class: "legend", "aria-label": t("legend") }, Object.entries(g.STATES).map(([state, sign]) =>
      h("li", {}, h("span", { class: `state c-${state}`, "aria-hidden": "true" }, sign || "1"), `${t(`cell.${state}`)} ${g.number(counts[state] || 0)}`)));
  }
  function tables(report, codes, forms, open) {
    if (!report.cells.length) return g.note(t("report.no_tables"));
    return SECTIONS.filter((s) => report.cells.some((c) => c.section === s)).map((section) => {
      const cells = report.cells.filter((c) => c.section === section);
      const form = forms.find((f) => f.section === section && f.format === cells[0].format) || forms.find((f) => f.section === section && f.rows.flat().some((x) => x.k && report.index.has(g.key(...x.k))));
      const keys = new Set((form?.rows || []).flat().filter((x) => x.k).map((x) => g.key(...x.k)));
      const rest = cells.filter((c) => !keys.has(g.key(c.indicator, c.applicant)));
      return g.section(`t-${section}`, `${t(`table.${section}`)} · ${t("form.of", { year: cells[0].format })}`,
        form ? formTable(form, report, codes, open, section) : null,
        rest.length ? listTable(rest, codes, open) : null);
    });
  }
  function button(cell, codes, open) {
    const states = g.cellStates(cell), told = states.filter((s) => s !== "reported").map((s) => t(`cell.${s}`)).join(", ");
    const label = `${g.cellName(cell, codes)}: ${cell.raw || t("cell.blank")}${told ? `, ${told}` : ""}`;
    return h("button", { type: "button", class: `cell c-${states[0]}`, "aria-label": label, title: told || null, "data-key": g.key(cell.indicator, cell.applicant),
      onclick: () => { open(cell); g.openCell(cell, true); } }, cell.raw || " ", told ? h("sup", { "aria-hidden": "true" }, states.map((s) => g.STATES[s]).join("")) : null);
  }
  function formTable(form, report, codes, open, section) {
    const english = new Map(codes.indicators.map((i) => [i.id, i.en]));
    return h("div", { class: "scroll", tabindex: 0, role: "group", "aria-label": t(`table.${section}`) },
      h("table", { class: `form f-${section}`, lang: "zh-Hans" }, h("caption", { class: "sr" }, t(`table.${section}`)),
        h("tbody", {}, form.rows.map((row) => h("tr", {}, row.map((x) => {
          const span = { colspan: x.c > 1 ? x.c : null, rowspan: x.r > 1 ? x.r : null };
          if (!x.k) return h(x.s ? "th" : "td", { ...span, scope: x.s || null, class: x.d ? `d${x.d}` : null }, x.t,
            g.lang() === "en" && x.i ? h("small", { lang: "en" }, english.get(x.i)) : g.lang() === "en" && x.a ? h("small", { lang: "en" }, g.applicant(codes, x.a)) : null);
          const cell = report.index.get(g.key(...x.k));
          return h("td", { ...span, class: "figure" }, cell ? button(cell, codes, open) : h("span", { class: "absent", title: t("cell.absent") }, h("span", { class: "sr" }, t("cell.absent"))));
        }))))));
  }
  function listTable(cells, codes, open) {
    return g.table(t("report.other_cells"), [
      { head: t("indicator"), row: true, cell: (c) => g.cellName(c, codes) },
      { head: t("value"), num: true, cell: (c) => button(c, codes, open) },
    ], cells, { shown: true });
  }
  function rest(report, codes) {
    const failed = report.identities.filter((i) => i.result === "f" || i.result === "s");
    const counts = { p: 0, f: 0, s: 0, n: 0 };
    report.identities.forEach((i) => counts[i.result]++);
    return [
      g.section("checks", t("checks"), h("p", {}, t("checks.n", { passed: counts.p, failed: counts.f, soft: counts.s, not: counts.n })),
        failed.map((i) => h("p", { class: "equation" }, h("code", {}, i.name), i.result === "s" ? ` (${t("check.soft")})` : "", " ", g.equation(i, codes)))),
      report.unmapped ? g.section("unmapped", t("unmapped"), g.table(t("unmapped"), [
        { head: t("place_in_table"), row: true, cell: (u) => `${u.table_no}, ${u.row_no}, ${u.col_no}` },
        { head: t("label"), cell: (u) => g.zh([u.row_label, u.column_label].filter(Boolean).join(" · ")) },
        { head: t("printed"), cell: (u) => u.text },
      ], report.unmapped)) : null,
      report.problems ? g.section("problems", t("problems"), h("ul", {}, report.problems.map((p) => h("li", {}, g.problem(p))))) : null,
    ].filter(Boolean).reduce((box, e) => (box.append(e), box), h("div", {}));
  }
})();
