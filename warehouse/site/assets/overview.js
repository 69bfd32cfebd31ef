/* Overview: counts, coverage by publisher and year, accuracy, what is new, what failed. */
(() => {
  "use strict";
  const g = gongkai, { h, t } = { h: g.h, t: g.t };
  const SIGNS = ["✓", "!", "✗", "¶", "⌀", "⊘", "−", "?", "·"]; // a state is told by its sign too

  g.page(async (view) => {
    const [overview, codes] = await Promise.all(["overview", "codes"].map(g.get));
    const districts = overview;
    view.replaceChildren(
      counts(overview),
      coverage(overview, codes, districts),
      accuracy(overview),
      fresh(overview, codes, districts),
      failed(overview, codes),
      runs(overview));
  });

  function counts({ counts: c, built_at, errors }) {
    const checks = c.checks_passed + c.checks_failed;
    const items = [
      ["districts", g.number(c.districts), t("count.of_publishers", { n: g.number(c.publishers) })],
      ["years", c.reports ? `${c.first_year}–${c.last_year}` : "–", t("count.years_n", { n: c.reports ? c.last_year - c.first_year + 1 : 0 })],
      ["reports", g.number(c.reports), t("count.versions", { n: g.number(c.versions) })],
      ["figures", g.number(c.figures ?? 0), t("count.cells", { n: g.number(c.cells ?? 0), unreadable: g.number(c.unreadable ?? 0) })],
      ["checks", checks ? g.percent(c.checks_passed / checks) : "–", t("count.checks_n", { failed: g.number(c.checks_failed ?? 0), n: g.number(checks) })],
      ["errors", g.number(errors.errors), t("count.errors_n", { n: g.number(errors.reports) })],
    ];
    return h("section", { class: "counts", "aria-label": t("counts") },
      h("dl", {}, items.map(([key, value, note]) => h("div", {}, h("dt", {}, t(`count.${key}`)), h("dd", {}, h("strong", {}, value), h("span", {}, note))))),
      h("p", { class: "dates" }, t("built_at", { time: g.minute(built_at) }), " · ", t("checked_at", { time: g.minute(c.last_checked || c.last_visit) }), " · ", t("fetched_at", { time: g.minute(c.last_fetched) })));
  }

  // --- coverage: provinces, then cities, then publishers, opened by a button each

  function coverage(overview, codes, districts) {
    const years = [...new Set(Object.values(overview.coverage).flatMap(Object.keys))].sort();
    const body = h("tbody", {});
    const provinces = Object.keys(overview.coverage).sort();
    for (const code of provinces) body.append(...provinceRows(code, overview, years, codes, districts, provinces.length === 1));
    const head = h("tr", {}, h("th", { scope: "col" }, t("place")), h("th", { scope: "col", class: "num" }, t("count.publishers")), years.map((y) => h("th", { scope: "col" }, y)));
    return g.section("coverage", t("coverage"),
      h("p", {}, t("coverage.lead")),
      legend(overview.states, codes),
      h("div", { class: "scroll", tabindex: 0, role: "group", "aria-label": t("coverage") },
        h("table", { class: "heat" }, h("caption", { class: "sr" }, t("coverage")), h("thead", {}, head), body)));
  }
  function legend(states, codes) {
    return h("ul", { class: "legend", "aria-label": t("legend") }, states.map((s, i) => h("li", {}, h("span", { class: `state s-${s}`, "aria-hidden": "true" }, SIGNS[i]), g.word(codes, "coverage", s))));
  }
  function stackCell(numbers, codes, states, year) {
    const all = numbers ? numbers.reduce((a, b) => a + b, 0) : 0;
    if (!all) return h("td", { class: "stack" }, h("span", { class: "sr" }, t("none")));
    const words = states.map((s, i) => numbers[i] && `${g.word(codes, "coverage", s)} ${numbers[i]}`).filter(Boolean).join(", ");
    const good = numbers[0] + numbers[1];
    return h("td", { class: "stack", title: `${year}: ${words}` },
      h("span", { class: "bar", "aria-hidden": "true" }, states.map((s, i) => numbers[i] ? h("i", { class: `s-${s}`, style: `flex-grow:${numbers[i]}` }) : null)),
      h("span", { class: "share", "aria-hidden": "true" }, `${good}/${all}`),
      h("span", { class: "sr" }, words));
  }
  function provinceRows(code, overview, years, codes, districts, open) {
    const counts = overview.coverage[code];
    const size = Math.max(...Object.values(counts).map((n) => n.reduce((a, b) => a + b, 0)));
    const button = h("button", { type: "button", class: "drill", "aria-expanded": "false" }, g.placeName(districts, code));
    const row = h("tr", { class: "l1" }, h("th", { scope: "row" }, button), h("td", { class: "num" }, g.number(size)), years.map((y) => stackCell(counts[y], codes, overview.states, y)));
    let inner = null;
    const toggle = async () => {
      if (!inner) {
        const found = await g.get(`coverage/${code.slice(0, 2)}`);
        inner = cities(found, years, overview.states, codes);
        row.after(...inner);
      }
      const shown = button.getAttribute("aria-expanded") !== "true";
      button.setAttribute("aria-expanded", String(shown));
      for (const r of inner) r.hidden = !shown || (r.classList.contains("l3") && r.dataset.open !== "1");
    };
    button.addEventListener("click", toggle);
    if (open || Object.keys(overview.coverage).length <= 4) toggle();
    return [row];
  }
  function cities(found, years, states, codes) {
    const districts = found; // it has the names of its places
    const groups = new Map();
    for (const p of found.publishers) {
      const city = districts.names[p[2]]?.[3] || districts.names[p[2]]?.[2] || p[2];
      if (!groups.has(city)) groups.set(city, []);
      groups.get(city).push(p);
    }
    const few = found.publishers.length <= 24;
    return [...groups].flatMap(([city, members]) => {
      const inner = members.map((p) => publisherRow(p, years, states, codes, districts));
      const button = h("button", { type: "button", class: "drill", "aria-expanded": String(few) }, g.placeName(districts, city));
      button.addEventListener("click", () => {
        const shown = button.getAttribute("aria-expanded") !== "true";
        button.setAttribute("aria-expanded", String(shown));
        for (const r of inner) (r.dataset.open = shown ? "1" : "0"), (r.hidden = !shown);
      });
      for (const r of inner) r.dataset.open = few ? "1" : "0";
      const numbers = (y) => states.map((_, i) => members.filter((p) => p[4][y] === i).length);
      return [h("tr", { class: "l2" }, h("th", { scope: "row" }, button), h("td", { class: "num" }, g.number(members.length)), years.map((y) => stackCell(numbers(y), codes, states, y))), ...inner];
    });
  }
  function publisherRow([, name, district, , byYear, reasons], years, states, codes, districts) {
    return h("tr", { class: "l3" },
      h("th", { scope: "row", colspan: 2 }, g.districtLink(district, g.lang() === "zh" ? name : `${g.placeName(districts, district)} · ${name}`)),
      years.map((y) => {
        const state = states[byYear[y]];
        if (!state) return h("td", {});
        const word = g.word(codes, "coverage", state) + (reasons[y] ? `: ${g.reason(codes, reasons[y])}` : "");
        return h("td", { class: "one", title: `${y}: ${word}` }, h("span", { class: `state s-${state}`, "aria-hidden": "true" }, SIGNS[byYear[y]]), h("span", { class: "sr" }, word));
      }));
  }

  // --- the rest

  function accuracy({ accuracy: a }) {
    if (!a) return g.section("accuracy", t("accuracy"), g.note(t("accuracy.none")));
    const share = (n, cells) => `${g.number(n)} (${g.percent(cells ? n / cells : 0)})`;
    const total = [0, 1, 2, 3, 4].map((i) => a.media.reduce((sum, m) => sum + m[i + 1], 0));
    const rows = [...a.media, ["all", ...total]];
    return g.section("accuracy", t("accuracy"), h("p", {}, t("accuracy.lead", { day: a.made_on, n: g.number(total[0]) })),
      g.table(t("accuracy"), [
        { head: t("medium"), row: true, cell: (m) => (m[0] === "all" ? t("all") : t(`medium.${m[0]}`)) },
        { head: t("documents"), num: true, cell: (m) => g.number(m[1]) },
        { head: t("cells"), num: true, cell: (m) => g.number(m[2]) },
        { head: t("accuracy.right"), num: true, cell: (m) => share(m[3], m[2]) },
        { head: t("accuracy.flagged"), num: true, cell: (m) => share(m[4], m[2]) },
        { head: t("accuracy.wrong"), num: true, cell: (m) => h("strong", {}, share(m[5], m[2])) },
      ], rows));
  }
  function fresh(overview, codes, districts) {
    const { new: added, revised, withdrawn, since } = overview;
    const lead = since ? t("fresh.since", { time: g.minute(since) }) : t("fresh.first");
    return g.section("fresh", t("fresh"), h("p", {}, lead, " ", t("fresh.n", { reports: g.number(added.n), revised: g.number(revised.n), withdrawn: g.number(withdrawn.n) })),
      withdrawn.n ? g.paged(withdrawn.rows, 20, (rows) => g.table(t("fresh.withdrawn"), [
        { head: t("publisher"), row: true, cell: (r) => g.districtLink(r.district, r.publisher) },
        { head: t("district"), cell: (r) => g.place(districts, r.district) },
        { head: t("year"), num: true, cell: (r) => r.year },
        { head: t("withdrawn_on"), time: true, cell: (r) => g.day(r.withdrawn_on) },
        { head: t("cause"), cell: (r) => g.reason(codes, r.reason) },
      ], rows, { shown: true })) : null,
      revised.n > revised.rows.length ? g.note(t("shown_of", { shown: g.number(revised.rows.length), all: g.number(revised.n) })) : null,
      revised.n ? g.paged(revised.rows, 20, (rows) => g.table(t("fresh.revised"), [
        { head: t("report"), row: true, cell: (r) => g.reportLink(r.id, r.district, r.id) },
        { head: t("district"), cell: (r) => g.placeName(districts, r.district) },
        { head: t("year"), num: true, cell: (r) => r.year },
        { head: t("fresh.cells"), num: true, cell: (r) => g.number(r.cells) },
        { head: t("seen"), time: true, cell: (r) => g.minute(r.seen) },
      ], rows, { shown: true })) : null,
      added.n ? g.unfolding(t("fresh.reports", { n: g.number(added.n) }), since && added.n <= 30, () => [
        added.n > added.rows.length ? g.note(t("shown_of", { shown: g.number(added.rows.length), all: g.number(added.n) })) : null,
        g.paged(added.rows, 50, (rows) => g.table(t("fresh.reports", { n: rows.length }), [
          { head: t("report"), row: true, cell: (r) => g.reportLink(r.id, r.district, `${r.publisher || r.publisher_id} ${r.year}`) },
          { head: t("district"), cell: (r) => g.districtLink(r.district, g.place(districts, r.district)) },
          { head: t("scope"), cell: (r) => g.word(codes, "scope", r.scope) },
          { head: t("version"), num: true, cell: (r) => r.version },
          { head: t("fetched"), time: true, cell: (r) => g.minute(r.fetched_at) },
        ], rows))]) : null);
  }
  function failed({ problems, kinds }, codes) {
    if (!problems.n) return g.section("failed", t("failed"), g.note(t("failed.none")));
    return g.section("failed", t("failed"), h("p", {}, t("failed.lead", { n: g.number(problems.n) })),
      h("ul", { class: "chips" }, kinds.map((k) => h("li", { class: `chip ${k.severity}` }, g.kind(k.kind), " ", h("code", {}, k.kind), ` ${g.number(k.n)} · `, t(`severity.${k.severity}`)))),
      problems.n > problems.rows.length ? g.note(t("shown_of", { shown: g.number(problems.rows.length), all: g.number(problems.n) })) : null,
      g.paged(problems.rows, 20, (rows) => g.table(t("failed"), [
        { head: t("publisher"), row: true, cell: (p) => (p.district ? g.districtLink(p.district, p.publisher) : p.publisher) },
        { head: t("year"), num: true, cell: (p) => p.year },
        { head: t("stage"), cell: (p) => g.word(codes, "stage", p.stage) },
        { head: t("what"), cell: g.problem },
        { head: t("source"), cell: (p) => g.source(p.url, t("open")) },
      ], rows)));
  }
  function runs({ runs }) {
    return g.section("runs", t("runs"), g.table(t("runs"), [
      { head: t("run"), row: true, cell: (r) => h("code", {}, r.id) },
      { head: t("started"), time: true, cell: (r) => g.minute(r.started_at) },
      { head: t("status"), cell: (r) => t(`run.${r.status}`) },
      { head: t("documents"), num: true, cell: (r) => g.number(r.documents_fetched) },
      { head: t("count.reports"), num: true, cell: (r) => g.number(r.reports_loaded) },
      { head: t("problems"), num: true, cell: (r) => g.number(r.problems) },
    ], runs));
  }
})();
