/* The provenance of a cell: the picture of its page with the cell framed, the text as printed, its checks, how it was read. */
(() => {
  "use strict";
  const g = gongkai, h = g.h, t = g.t;
  let current = null; // {report, codes, panel, back}

  g.panel = (report, file, codes) => {
    const panel = h("aside", { class: "panel", "aria-label": t("provenance"), hidden: true });
    panel.addEventListener("keydown", (event) => { if (event.key === "Escape") close(); });
    current = { report, codes, panel, back: null };
    return panel;
  };
  function close() {
    current.panel.hidden = true;
    current.panel.parentElement.classList.remove("open");
    g.keep({ cell: null });
    for (const e of document.querySelectorAll(".cell[aria-current]")) e.removeAttribute("aria-current");
    current.back?.focus();
  }
  g.openCell = (cell, focus) => {
    const { report, codes, panel } = current;
    const key = g.key(cell.indicator, cell.applicant);
    const button = document.querySelector(`.cell[data-key="${CSS.escape(key)}"]`);
    for (const e of document.querySelectorAll(".cell[aria-current]")) e.removeAttribute("aria-current");
    button?.setAttribute("aria-current", "true");
    current.back = button;
    const heading = h("h2", { tabindex: -1 }, g.cellName(cell, codes));
    panel.replaceChildren(
      h("div", { class: "panel-top" }, heading, h("button", { type: "button", class: "close", "aria-label": t("close"), onclick: close }, "×")),
      h("p", { class: "big" }, cell.raw || t("cell.blank"), " ", g.cellStates(cell).map((s) => [h("span", { class: `state c-${s}` }, t(`cell.${s}`)), " "])),
      g.framed(report, [cell], codes),
      list(cell, report, codes), checks(cell, codes), further(cell, codes));
    panel.hidden = false;
    panel.parentElement.classList.add("open");
    button?.scrollIntoView({ block: "nearest", inline: "center" }); // the tables have less room now
    if (focus) heading.focus({ preventScroll: window.innerWidth > 1000 });
  };

  function list(cell, report, codes) {
    const rows = [
      [t("printed"), cell.raw === "" ? t("cell.blank") : h("q", {}, cell.raw)],
      [t("value"), cell.value === null ? t("no_number") : g.number(cell.value)],
      [t("unit"), t(`unit.${cell.unit}`)],
      [t("where"), [cell.page ? `${t("page_no", { n: cell.page })}, ` : "", t("place_no", { table: cell.table, row: cell.row, col: cell.col })]],
      [t("method"), h("code", {}, cell.method)],
      [t("definition"), g.pair(report.definitions.indicators[cell.indicator])],
      [t("code"), h("code", {}, g.key(cell.indicator, cell.applicant))],
      [t("in_terminal"), h("code", { class: "wrap" }, `gongkai explain ${report.id} ${cell.indicator}${cell.applicant && cell.applicant !== "total" ? ` --applicant ${cell.applicant}` : ""}`)],
    ];
    return h("dl", { class: "facts" }, rows.map(([k, v]) => h("div", {}, h("dt", {}, k), h("dd", {}, v))));
  }
  const RESULTS = { p: "holds", f: "fails", s: "fails_soft", n: "not_assessable" };
  function checks(cell, codes) {
    if (!cell.checks.length) return h("div", {}, h("h3", {}, t("checks")), g.note(t("checks.no")));
    return h("div", {}, h("h3", {}, t("checks")), h("ul", { class: "checks" }, cell.checks.map((c) =>
      h("li", { class: `r-${c.result}` }, h("strong", {}, t(`check.${RESULTS[c.result]}`)), " ", h("code", {}, c.name), c.failed?.cause ? ` · ${t("cause")}: ${g.word(codes, "cause", c.failed.cause)}` : "",
        h("details", { open: c.result === "f" ? true : null }, h("summary", {}, t("check.written")), g.equation(c, codes))))));
  }
  /* Both sides of an identity with their figures as printed. */
  g.equation = (identity, codes) => {
    const byApplicant = identity.check.startsWith("R2.");
    const side = (cells) => cells.flatMap((c, i) => [i ? " + " : "", h("span", { class: "term" }, byApplicant ? g.applicant(codes, c.applicant) : g.name(c.entry), " ", h("b", {}, c.raw || "□"))]);
    const f = identity.failed;
    return h("span", { class: "sides" }, side(identity.left), f ? h("em", {}, ` [${g.number(f.left)}] ≠ `) : " = ", side(identity.right), f ? h("em", {}, ` [${g.number(f.right)}]`) : "");
  };
  function further(cell, codes) {
    const parts = [];
    if (cell.revised) parts.push(h("h3", {}, t("cell.revised")), h("ul", {}, cell.revised.map((r) => h("li", {}, t("revised.from_to", { from: r.raw_from ?? "–", to: r.raw_to ?? "–" }), " ", h("code", {}, r.from)))));
    if (cell.proofs) parts.push(h("h3", {}, t("reconciled")), h("ul", {}, cell.proofs.map((p) => h("li", {}, t("reconciled.value", { value: g.number(p.value) }), " ", h("code", {}, p.rules)))));
    if (cell.corrections) parts.push(h("h3", {}, t("corrections")), h("ul", {}, cell.corrections.map((c) => h("li", {}, `${c.value ?? c.status ?? c.action}: ${c.reason} (${c.evidence}; ${c.author}, ${g.day(c.decided_on)})`))));
    if (cell.claims) parts.push(h("h3", {}, t("claims")), h("ul", {}, cell.claims.map((c) => h("li", {}, g.zh(c.sentence), ` · ${c.agrees === true ? t("claim.agrees") : c.agrees === false ? t("claim.differs") : t("claim.unknown")}`))));
    return h("div", {}, parts);
  }

  // --- pictures: one a page, frames drawn over it

  g.framed = (report, cells) => {
    if (!report.pictures) return g.note(t("picture.off"));
    if (typeof report.pictures === "string")
      return h("div", { class: "note" }, t("picture.why"), " ", h("details", { class: "message" }, h("summary", {}, t("problem.note")), h("span", { lang: "en" }, report.pictures)));
    const groups = new Map();
    for (const cell of cells) {
      const picture = report.pictures.find((p) => (cell.box ? p.page === cell.page : p.table === cell.table));
      const box = cell.box || picture?.cells?.[`${cell.row},${cell.col}`];
      if (picture && box) groups.set(picture, [...(groups.get(picture) || []), box]);
    }
    if (!groups.size) return g.note(t("picture.none"));
    return h("div", {}, [...groups].map(([picture, boxes]) => page(picture, boxes)));
  };
  /* A box of the page as it lies, on the picture that was turned upright. */
  const turned = ({ turn, width, height }) => ([x0, top, x1, bottom]) =>
    turn === 90 ? [width - bottom, x0, width - top, x1] : turn === 270 ? [top, height - x1, bottom, height - x0] : turn === 180 ? [width - x1, height - bottom, width - x0, height - top] : [x0, top, x1, bottom];
  function page(picture, found) {
    const boxes = found.map(turned(picture));
    const percent = (value, of) => `${((100 * value) / of).toFixed(3)}%`;
    const frames = boxes.map(([x0, top, x1, bottom]) => h("span", { class: "frame", style:
      `left:${percent(x0, picture.width)};top:${percent(top, picture.height)};width:${percent(x1 - x0, picture.width)};height:${percent(bottom - top, picture.height)}` }));
    const name = picture.page ? t("picture.page", { n: picture.page }) : t("picture.table", { n: picture.table });
    const image = h("img", { src: `${g.root}pictures/${picture.file}`, alt: name, width: Math.round(picture.width), height: Math.round(picture.height) });
    const sheet = h("div", { class: "sheet" }, image, frames);
    const box = h("div", { class: "evidence", tabindex: 0, role: "group", "aria-label": name }, sheet);
    const centre = () => {
      const [x0, top, x1, bottom] = boxes[boxes.length - 1];
      box.scrollTop = (sheet.offsetHeight * (top + bottom)) / 2 / picture.height - box.clientHeight / 2;
      box.scrollLeft = (sheet.offsetWidth * (x0 + x1)) / 2 / picture.width - box.clientWidth / 2;
    };
    image.addEventListener("load", centre);
    requestAnimationFrame(centre);
    const zoom = h("button", { type: "button", "aria-pressed": "false", onclick: () => { const on = box.classList.toggle("whole"); zoom.setAttribute("aria-pressed", String(on)); centre(); } }, t("whole_page"));
    return h("figure", { class: "picture" }, box, h("figcaption", {}, name, " ", zoom, " ", h("a", { href: `${g.root}pictures/${picture.file}` }, t("picture.open"))));
  }
})();
