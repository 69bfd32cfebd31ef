/* District page: series of a publisher and scope, the publishers behind them, reports, failed checks, revisions. */
(() => {
  "use strict";
  const g = gongkai, h = g.h, t = g.t;
  const code = document.documentElement.dataset.code;
  const GROUNDS = ["state_secret", "prohibited_by_law", "security_stability", "third_party", "internal_affairs", "process", "enforcement_file", "administrative_query"].map((x) => `denied_${x}`);
  const PARTS = ["reconsideration", "litigation_direct", "litigation_after_reconsideration"];
  const OUTCOMES = ["upheld", "corrected", "other", "pending"];

  g.page(async (view) => {
    const [codes, district, file] = await Promise.all([
      g.get("codes"), g.get(`district/${code}`), g.get(`report/${code}`)]);
    crumbs(district);
    const reports = file.reports.filter((r) => r.current);
    for (const r of file.reports) cells(r, file, codes);
    const series = seriesOf(reports, district.publishers);
    if (!series.length) return void view.replaceChildren(g.note(t("district.no_reports")), ...sections([], district, file, codes));
    const { publisher, scope } = g.state();
    const chosen = series.find((s) => s.publisher === publisher && s.scope === scope) || series[0];
    const years = g.years(chosen.reports[0].year, chosen.reports[chosen.reports.length - 1].year);
    view.replaceChildren(
      lineage(district),
      picker(series, chosen, codes),
      headline(chosen, district, codes),
      h("div", { class: "figures" }, charts(chosen, years, district, codes)),
      ...sections(chosen, district, file, codes));
  });

  function crumbs(districts) {
    const [, , province, prefecture] = districts.names[code];
    const above = [...new Set([province, prefecture])].filter((c) => c && c !== code);
    document.getElementById("crumbs").replaceChildren(h("a", { href: g.href("index.html") }, t("title.index")),
      ...above.flatMap((c) => [" › ", districts.pages.includes(c) ? g.districtLink(c, g.placeName(districts, c)) : g.placeName(districts, c)]));
  }
  /* The cells of a report by their key; what the report page's script does in full is not needed here. */
  function cells(report, file, codes) {
    report.values = new Map();
    if (report.layout === undefined) return;
    file.layouts[report.layout].split(";").forEach((text, i) => {
      const [, format, , , , indicator, applicant] = text.split(",");
      if (applicant !== "" && codes.applicants[applicant] !== "total") return;
      const odd = report.odd_values?.[i];
      const value = odd !== undefined ? odd : report.status[i] === "r" ? Number(report.raw[i]) : null;
      report.values.set(codes.indicators[indicator].id, { value, status: report.status[i], format: +format });
    });
  }
  function seriesOf(reports, publishers) {
    const found = new Map();
    for (const r of reports) {
      const key = `${r.publisher}|${r.scope}`;
      if (!found.has(key)) found.set(key, { publisher: r.publisher, scope: r.scope, name: publishers.find((p) => p.id === r.publisher)?.name || r.publisher, reports: [] });
      found.get(key).reports.push(r);
    }
    for (const s of found.values()) s.reports.sort((a, b) => a.year - b.year);
    return [...found.values()].sort((a, b) => b.reports.length - a.reports.length || (a.scope > b.scope ? 1 : -1));
  }
  function picker(series, chosen, codes) {
    const name = (s) => `${s.name} · ${g.word(codes, "scope", s.scope)} (${s.reports.length})`;
    if (series.length === 1) return h("p", { class: "chosen" }, t("series_of", { name: name(chosen) }));
    return h("form", { class: "controls", onsubmit: (e) => e.preventDefault() }, h("label", {}, t("publisher_scope"),
      h("select", { onchange: (e) => { const s = series[e.target.value]; g.keep({ publisher: s.publisher, scope: s.scope }); g.show(); } }, series.map((s, i) => h("option", { value: i, selected: s === chosen }, name(s))))),
      g.note(t("scope.mind")));
  }
  function lineage(district) {
    if (!district.lineage.length) return h("span", {});
    const told = (l) => l.is_main ? t("lineage.became", { since: l.valid_to + 1, code: l.current_code, name: g.name(l) }) : t("lineage.part", { until: l.valid_to, code: l.current_code, name: g.name(l) });
    return g.note(district.lineage.map((l) => (l.current_code && l.valid_to ? told(l) : t("lineage.open"))).join(" "));
  }
  const value = (report, indicator) => report.values.get(indicator)?.value ?? null;
  function rate(district, report, metric) {
    return district.rates.find((r) => r.metric === metric && r.report === report.id);
  }
  function headline(chosen, district, codes) {
    const last = chosen.reports[chosen.reports.length - 1];
    const r = rate(district, last, "disclosure_rate_broad");
    const failed = district.failed.filter((f) => f.report === last.id && !f.soft).length;
    const shown = (x) => (x === null ? t("no_number") : g.number(x));
    const items = [
      [t("chart.new_received"), shown(value(last, "new_received")), ""],
      [t("rate.broad"), r?.value != null ? g.percent(r.value) : "–", r?.value != null ? t("interval", { low: g.percent(r.low), high: g.percent(r.high), n: g.number(r.n) }) : g.reason(codes, r?.reason)],
      [t("chart.processed"), shown(value(last, "processed_total")), ""],
      [t("documents.in_force"), shown(value(last, "normative_document_in_force")), ""],
      [t("checks.failed"), g.number(failed), failed ? "" : t("checks.all_hold")],
    ];
    return h("section", { class: "counts", "aria-label": t("headline", { year: last.year }) },
      h("h2", {}, t("headline", { year: last.year })),
      h("dl", {}, items.map(([k, v, note]) => h("div", {}, h("dt", {}, k), h("dd", {}, h("strong", {}, v), h("span", {}, note))))));
  }

  // --- charts

  function charts(chosen, years, district, codes) {
    const filter = `${chosen.name} · ${t("scope")}: ${g.word(codes, "scope", chosen.scope)}`;
    const name = (what) => `${code}-${chosen.publisher}-${chosen.scope}-${what}`;
    const n = (rows) => t("chart.n", { n: rows.filter((r) => r.value !== null).length, all: rows.length });
    const lines = (keys, of) => keys.flatMap(([key, label]) => {
      const rows = chosen.reports.map((r) => ({ series: label, year: r.year, value: value(r, key), status: r.values.get(key)?.status || null }));
      const kept = rows.filter((r) => r.status !== null);
      return g.segments(kept, g.breaks(codes, years, of(key)).filter((b) => b.kind === "form").map((b) => b.year));
    });
    const columns = [
      { head: t("series"), row: true, cell: (r) => r.series }, { head: t("year"), num: true, cell: (r) => r.year },
      { head: t("value"), num: true, cell: (r) => (r.value === null ? t("no_number") : g.number(r.value)) }];
    const concerns = (section, keys) => (b) => (!b.section || b.section === section) && (!b.indicator || keys.includes(b.indicator));
    const requestKeys = [["new_received", t("chart.new_received")], ["processed_total", t("chart.processed")], ["carried_out", t("chart.carried_out")],
      ["legacy_requests_received", t("chart.legacy_received")]];
    const requests = lines(requestKeys, (key) => concerns("requests", [key]));
    const requestBreaks = g.breaks(codes, years, concerns("requests", []));
    const documentKeys = [["normative_document_in_force", t("documents.in_force")], ["normative_document_issued", t("documents.issued")], ["normative_document_repealed", t("documents.repealed")]];
    const documents = lines(documentKeys, () => concerns("proactive", []));
    const base = { filter, domain: years };
    const made = [
      figure({ ...base, id: "requests", chart: "requests", title: t("chart.requests_title"), n: n(requests), rows: requests, breaks: requestBreaks, columns, name: name("requests") }),
      rates(chosen, district, codes, years, base, name("rate"), requestBreaks),
      denials(chosen, base, name("denials"), n, columns, requestBreaks),
      documents.length ? figure({ ...base, id: "documents", chart: "documents", title: t("chart.documents_title"), n: n(documents), rows: documents, breaks: g.breaks(codes, years, concerns("proactive", [])), columns, name: name("documents") }) : null,
      outcomes(chosen, codes, years, base, name("outcomes"), n, columns),
    ];
    return made;
  }
  function figure(options) {
    if (!options.rows.some((r) => r.value !== null)) return h("figure", { class: "figure" }, h("figcaption", {}, h("strong", {}, options.title)), g.note(t("chart.empty")));
    const made = g.figure(options);
    const notes = g.breakNotes(options.breaks || []);
    if (notes) made.append(notes);
    return made;
  }
  function rates(chosen, district, codes, years, base, name, breaks) {
    const metrics = [["disclosure_rate_broad", t("rate.broad")], ["disclosure_rate_full", t("rate.full")]];
    const rows = metrics.flatMap(([metric, label]) => chosen.reports.map((r) => ({ r, found: rate(district, r, metric) })).filter((x) => x.found)
      .map(({ r, found }) => ({ series: label, year: r.year, value: found.value ?? null, low: found.low ?? null, high: found.high ?? null, n: found.n ?? null, reason: g.reason(codes, found.reason || found.caution) })));
    const shown = rows.filter((r) => r.series === metrics[0][1]);
    const columns = [
      { head: t("series"), row: true, cell: (r) => r.series }, { head: t("year"), num: true, cell: (r) => r.year },
      { head: t("value"), num: true, cell: (r) => g.percent(r.value) || r.reason }, { head: t("low"), num: true, cell: (r) => g.percent(r.low) },
      { head: t("high"), num: true, cell: (r) => g.percent(r.high) }, { head: "n", num: true, cell: (r) => g.number(r.n) }];
    return figure({ ...base, id: "rate", chart: "rate", title: t("chart.rate_title"), n: t("chart.rate_n", { n: shown.filter((r) => r.value !== null).length, all: shown.length, cases: g.number(shown.reduce((sum, r) => sum + (r.n || 0), 0)) }), rows, breaks, columns, name });
  }
  function denials(chosen, base, name, n, columns, breaks) {
    const rows = GROUNDS.flatMap((key, order) => chosen.reports.filter((r) => r.values.has(key)).map((r) => ({ series: t(`ground.${key}`), year: r.year, value: value(r, key), order })));
    return figure({ ...base, id: "denials", chart: "denials", title: t("chart.denials_title"), n: n(rows), rows, breaks, columns, name });
  }
  function outcomes(chosen, codes, years, base, name, n, columns) {
    const rows = PARTS.flatMap((part) => OUTCOMES.flatMap((outcome, order) => chosen.reports.filter((r) => r.values.has(`${part}_${outcome}`))
      .map((r) => ({ part: t(`part.${part}`), series: t(`outcome.${outcome}`), year: r.year, value: value(r, `${part}_${outcome}`), order }))));
    const adapt = (spec, width) => {
      spec.columns = width > 640 ? 3 : 1;
      spec.facet.sort = PARTS.map((part) => t(`part.${part}`));
      spec.spec.width = Math.max(120, Math.floor(width / spec.columns) - 62);
      spec.spec.height = spec.columns === 1 ? 130 : 200;
    };
    return figure({ ...base, id: "outcomes", chart: "outcomes", title: t("chart.outcomes_title"), n: n(rows), rows, breaks: g.breaks(codes, years, (b) => b.section === "litigation"),
      columns: [{ head: t("chart.part"), row: true, cell: (r) => r.part }, ...columns.map((c) => ({ ...c, row: false }))], name, adapt });
  }

  // --- tables

  function sections(chosen, district, file, codes) {
    const name = (id) => district.publishers.find((p) => p.id === id)?.name || id;
    const states = [...new Set(district.coverage.map((c) => c.year))].sort();
    const figureName = (r) => [g.name(codes.indicators.find((i) => i.id === r.indicator)) || r.indicator, g.applicant2(codes, r.applicant)].filter(Boolean).join(" · ");
    return [
      g.section("publishers", t("publishers"), g.table(t("publishers"), [
        { head: t("publisher"), row: true, cell: (p) => g.zh(p.name) },
        { head: t("kind"), cell: (p) => g.word(codes, "kind", p.kind) },
        { head: t("scope"), cell: (p) => (p.scopes || []).map((s) => g.word(codes, "scope", s)).join(", ") || t("none") },
        ...states.map((y) => ({ head: y, cell: (p) => state(district.coverage.find((c) => c.publisher === p.id && c.year === y), codes) })),
        { head: t("checked"), time: true, cell: (p) => g.minute(p.checked_at) || t("not_stated") },
      ], district.publishers), reasons(district, name, codes)),
      g.section("reports", t("reports"), g.table(t("reports"), [
        { head: t("report"), row: true, cell: (r) => g.reportLink(r.id, code, `${r.year} · ${g.word(codes, "scope", r.scope)} · v${r.version}`) },
        { head: t("publisher"), cell: (r) => g.zh(name(r.publisher)) },
        { head: t("form"), cell: (r) => r.format || t("form.none") },
        { head: t("checks"), cell: (r) => checksOf(r) },
        { head: t("standing"), cell: (r) => (r.current ? [t("version.current"), withdrawn(district, r) ? [" ", h("span", { class: "tag s-withdrawn" }, g.word(codes, "coverage", "withdrawn"))] : ""] : t("version.old")) },
        { head: t("published"), time: true, cell: (r) => g.day(r.published_on) },
        { head: t("source"), cell: (r) => (/^https?:/.test(r.url) ? g.source(r.url, t("medium_of", { medium: r.media })) : r.media) },
        { head: t("archived"), cell: (r) => h("code", { class: "digest", title: `sha256 ${r.sha256}` }, r.sha256) },
      ], [...file.reports].sort((a, b) => b.year - a.year || (a.publisher > b.publisher ? 1 : -1)))),
      g.section("failed", t("checks.failed"), district.failed.length || district.failed_years.length ? failedTable(district, codes) : g.note(t("checks.none_failed"))),
      g.section("revisions", t("revisions"), district.revisions.length ? g.paged(district.revisions, 50, (rows) => g.table(t("revisions"), [
        { head: t("year"), row: true, cell: (r) => g.reportLink(r.report, code, r.year, r.applicant ? `${r.indicator}/${r.applicant}` : r.indicator) },
        { head: t("figure"), cell: figureName },
        { head: t("change"), cell: (r) => t(`change.${r.change}`) },
        { head: t("before"), num: true, cell: (r) => r.raw_from ?? "" }, { head: t("after"), num: true, cell: (r) => r.raw_to ?? "" },
        { head: t("seen"), time: true, cell: (r) => g.minute(r.seen_to) },
      ], rows)) : g.note(t("revisions.none"))),
      g.section("problems", t("problems"), district.problems.length ? g.table(t("problems"), [
        { head: t("publisher"), row: true, cell: (p) => g.zh(name(p.publisher)) }, { head: t("year"), num: true, cell: (p) => p.year },
        { head: t("what"), cell: g.problem },
      ], district.problems) : g.note(t("problems.none"))),
    ];
  }
  const withdrawn = (district, r) => district.coverage.some((c) => c.publisher === r.publisher && c.year === r.year && c.state === "withdrawn");
  /* Why a year is not simply loaded: the table above has room for the state alone. */
  function reasons(district, name, codes) {
    const told = district.coverage.filter((c) => c.reason).sort((x, y) => y.year - x.year);
    return told.length ? h("details", { open: told.length <= 8 ? true : null }, h("summary", {}, t("coverage.reasons", { n: told.length })), g.table(t("coverage.reasons", { n: told.length }), [
      { head: t("year"), row: true, cell: (c) => c.year }, { head: t("publisher"), cell: (c) => g.zh(name(c.publisher)) },
      { head: t("status"), cell: (c) => state(c, codes) }, { head: t("cause"), cell: (c) => g.reason(codes, c.reason) }], told)) : null;
  }
  g.applicant2 = (codes, value) => (value && value !== "total" ? g.word(codes, "applicant", value) : "");
  function state(cell, codes) {
    if (!cell) return "";
    return h("span", { class: `tag s-${cell.state}`, title: g.reason(codes, cell.reason) || null }, g.word(codes, "coverage", cell.state));
  }
  function checksOf(report) {
    const failed = [...(report.results || "")].filter((c) => c === "f").length;
    if (!report.results) return "–";
    return failed ? h("span", { class: "bad" }, `≠ ${g.number(failed)}`) : "✓";
  }
  function failedTable(district, codes) {
    const rows = [...district.failed.map((f) => ({ ...f, years: f.year })), ...district.failed_years.map((f) => ({ ...f, years: `${f.year_from}→${f.year_to}` }))];
    return g.paged(rows, 50, (some) => g.table(t("checks.failed"), [
      { head: t("year"), row: true, cell: (f) => g.reportLink(f.report, code, f.years) },
      { head: t("identity"), cell: (f) => [h("code", {}, f.applicant ? `${f.check}/${f.applicant}` : f.check), " ", t(`identity.${f.check.split(".")[0]}`), f.soft ? ` (${t("check.soft")})` : ""] },
      { head: t("left"), num: true, cell: (f) => g.number(f.left) }, { head: t("right"), num: true, cell: (f) => g.number(f.right) },
      { head: t("difference_head"), num: true, cell: (f) => g.number(f.difference) },
      { head: t("cause"), cell: (f) => g.word(codes, "cause", f.cause) },
    ], some));
  }
})();
