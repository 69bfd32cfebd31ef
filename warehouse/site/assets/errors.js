/* Reporting errors: identities that fail on figures read alike twice, with both sides and the picture. */
(() => {
  "use strict";
  const g = gongkai, h = g.h, t = g.t;
  g.page(async (view) => {
    const [errors, codes, districts] = await Promise.all(["errors", "codes", "districts"].map(g.get));
    if (!errors.length) return void view.replaceChildren(g.note(t("errors.none")));
    const state = g.state();
    const wanted = { province: state.province || "", year: state.year || "", check: state.check || "" };
    const box = h("div", {});
    const draw = () => {
      const found = errors.filter((e) => (!wanted.province || e.district.startsWith(wanted.province)) && (!wanted.year || String(e.year) === wanted.year) && (!wanted.check || e.check.startsWith(wanted.check)));
      const reports = new Set(found.map((e) => e.report)).size;
      box.replaceChildren(h("p", {}, t("errors.n", { n: g.number(found.length), reports: g.number(reports) })), g.paged(found, 40, (rows) => h("div", {}, rows.map((e) => card(e, codes, districts)))));
      g.say(t("errors.n", { n: found.length, reports }));
    };
    const select = (name, label, options) => h("label", {}, label, h("select", { onchange: (event) => { wanted[name] = event.target.value; g.keep({ [name]: wanted[name] }); draw(); } },
      h("option", { value: "" }, t("all")), options.map(([value, text]) => h("option", { value, selected: wanted[name] === String(value) }, text))));
    const unique = (of) => [...new Set(errors.map(of))].sort();
    view.replaceChildren(
      h("form", { class: "controls", onsubmit: (e) => e.preventDefault() },
        select("province", t("province"), unique((e) => e.district.slice(0, 2)).map((p) => [p, g.placeName(districts, `${p}0000`)])),
        select("year", t("year"), unique((e) => e.year).map((y) => [y, y])),
        select("check", t("identity"), unique((e) => e.check.split(".")[0]).map((c) => [c, `${c} ${t(`identity.${c}`)}`]))),
      box);
    draw();
  });

  /* What an identity is about: its row where it adds up applicants, its part of table four, else the applicant. */
  function subject(error, codes) {
    const [check, part] = error.check.split(".");
    if (check === "R4") return ` · ${t(`part.${part}`)}`;
    return ` · ${check === "R2" ? g.name(codes.indicators.find((i) => i.id === part)) : g.applicant(codes, error.applicant)}`;
  }
  function card(error, codes, districts) {
    const name = error.applicant ? `${error.check}/${error.applicant}` : error.check;
    const inner = h("div", {});
    const details = h("details", {}, h("summary", {}, t("errors.open")), inner);
    details.addEventListener("toggle", async () => {
      if (!details.open || inner.childElementCount) return;
      const file = await g.get(`report/${error.district}`);
      const report = file.reports.find((r) => r.id === error.report);
      g.cells(report, file, codes);
      const identity = report.identities.find((i) => i.name === name);
      inner.replaceChildren(h("p", { class: "equation" }, g.equation(identity, codes)), g.framed(report, [...identity.left, ...identity.right], codes),
        h("p", {}, g.source(report.url, t("source")), " · ", h("code", { class: "digest" }, `sha256 ${report.sha256}`)));
    });
    return h("article", { class: "card" },
      h("h2", {}, g.districtLink(error.district, error.publisher), ` ${error.year}`),
      h("p", {}, h("code", {}, name), ` ${t(`identity.${error.check.split(".")[0]}`)}`, subject(error, codes), error.current ? "" : ` · ${t("version.old")}`),
      h("p", { class: "unequal" }, h("b", {}, g.number(error.left)), " ≠ ", h("b", {}, g.number(error.right)), " ", h("span", {}, t("difference", { n: g.number(error.difference) }))),
      h("p", {}, g.reportLink(error.report, error.district, t("errors.report"))),
      details);
  }
})();
