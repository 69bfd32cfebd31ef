"""One document to its tidy frames: report, observations, checks, narrative and problems."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from extract.grid import Document
from extract.problem import Problem
from transform.check import Result
from transform.claim_links import checks, claim_rows, link
from transform.claims import read_claims
from transform.doubts import settle
from transform.figures import Figures, Observed, read_figures
from transform.kinds import is_prose_report, other_body, other_report
from transform.layout import Layout, layouts
from transform.leftovers import Leftover, without_labels
from transform.narrative import Section, paragraphs, split, title_lines
from transform.period import Year, decide, stated_years, title_year
from transform.reconcile import Proof, prove
from transform.rows import Rows, no_rows
from transform.scope import read_scope
from transform.several import split_reports

#: Changes whenever the same bytes may give other rows; `--reparse` reads the archive again.
PARSER_VERSION = "2026.11.5"

#: Reports on earlier years may be prose by rule (domain.md §1.0); later ones have tables.
FIRST_TABLES = 2020


@dataclass(frozen=True, slots=True)
class Context:
    """What is known of a document before it is read: who publishes it, where it came from, when."""

    publisher_id: str
    district_code: str
    url: str
    sha256: str
    fetched_at: str
    run_id: str
    scope: str | None = None  # of the source; None: read it from the preface
    title: str | None = None  # of the link that led here
    year: int | None = None  # declared by the registry or the user
    link_year: int | None = None  # named by the link that led here: places the problems of a document that can't be read
    published_on: str | None = None
    publisher: str | None = None  # its name: a report that surely is another body's is not loaded as its own


def tidy(document: Document, context: Context, forms: Sequence[Layout] | None = None) -> Rows:
    """Turn a document into rows of the frames of `transform.frames` (which `frames` there validates, for many documents at once).

    `parse` has one row that says what became of the document (loaded, no_tables, failed), `report` one row or none, or one for each
    report of a document that holds several. A report in free prose has a `report` row and its text, and the outcome no_tables; a report of
    another kind is an `other_report`.
    """
    known = layouts() if forms is None else forms
    parts = split_reports(document, known)
    if not parts or (context.year and context.year not in {part.year for part in parts}):
        return _read(document, context, known)
    rows = no_rows()
    for part in parts:
        mine = replace(context, title=None, year=None, link_year=part.year)
        for name, more in _read(part.document, mine, known, part.tables_before).items():
            rows[name] += more
    rows["problem"] += [_problem_row(p, context, context.year or context.link_year) for p in document.problems]
    rows["parse"] = rows["parse"][:1]
    return rows


def _read(document: Document, context: Context, forms: Sequence[Layout], tables_before: int = 0) -> Rows:
    """The rows of one report."""
    if context.publisher and (named := other_body(document, context.publisher)):
        message = f"the report of another body than {context.publisher}, not loaded: {named[:120]}"
        return failed(Problem("transform", "other_publisher", message), context)
    figures = read_figures(document, forms, tables_before)
    if "requests" not in figures.formats and (other := other_report(document)):
        return _set_aside(document, context, other)
    results = settle(figures, document, forms)
    problems = [*document.problems, *figures.problems]
    prose = not figures.recognised and not figures.problems and is_prose_report(document, context.title)
    found = find_year(document, context) if figures.recognised or prose else None
    year = found.year if found else None
    if found and found.kind:
        problems.append(_year_problem(found))
    if prose and year and year >= FIRST_TABLES:
        problems.append(
            Problem("transform", "no_tables", f"the report on {year} is free prose, without a table of the form", severity="warning")
        )
    rows = no_rows()
    if found and year:
        _fill(rows, document, context, figures, results, found, year)
    lost = _lost(document) or (found is not None and not year)
    outcome = "loaded" if year and not prose else "failed" if lost else "no_tables"
    rows["problem"] = [_problem_row(p, context, year or context.year or context.link_year) for p in problems]
    report_id = rows["report"][0]["report_id"] if rows["report"] else None
    rows["parse"] = [_parse_row(context, outcome, report_id, year or context.year or context.link_year)]
    return rows


def _set_aside(document: Document, context: Context, title: str) -> Rows:
    """Rows of a report of another kind: nothing of it is loaded."""
    year = context.year or context.link_year
    problem = Problem("transform", "other_report", f"a report of another kind, not loaded: {title[:120]}", severity="warning")
    rows = no_rows()
    rows["problem"] = [_problem_row(p, context, year) for p in [*document.problems, problem]]
    rows["parse"] = [_parse_row(context, "no_tables", None, year)]
    return rows


def failed(problem: Problem, context: Context) -> Rows:
    """Rows of a document that could not be read at all: its problem and its `parse` row."""
    rows = no_rows()
    rows["problem"] = [_problem_row(problem, context, context.year or context.link_year)]
    rows["parse"] = [_parse_row(context, "failed", None, context.year or context.link_year)]
    return rows


def find_year(document: Document, context: Context) -> Year:
    """The year of a report from its stated period, its own titles, the title of the link to it, and what was declared."""
    texts = [t.text for t in document.texts()]
    titles = (document.title or "", context.title or "", title_lines(texts))
    return decide(stated_years(texts), map(title_year, titles), context.year)


def _year_problem(found: Year) -> Problem:
    lost = found.year is None
    message = f"{found.evidence}: {'not loaded' if lost else 'loaded as declared'}"
    return Problem("transform", found.kind or "year_conflict", message, severity="failure" if lost else "warning")


def _lost(document: Document) -> bool:
    return any(p.severity == "failure" for p in document.problems)


# --- rows


def _fill(rows: Rows, document: Document, context: Context, figures: Figures, results: list[Result], found: Year, year: int) -> None:
    report_id = f"{context.publisher_id}-{year}-{context.sha256[:8]}"
    sections = split(paragraphs(document.texts()))
    rows["report"] = [_report_row(document, context, figures, found, report_id, sections)]
    rows["observation"] = [_observation_row(report_id, o) for o in figures.observed]
    rows["check_result"] = [_check_row(report_id, r) for r in results]
    rows["proof"] = [_proof_row(report_id, p) for p in _prove(figures)]
    _fill_claims(rows, figures, year, sections, report_id)
    rows["unmapped_cell"] = [_unmapped_row(report_id, u) for u in without_labels(figures.unmapped)]
    rows["narrative"] = [{"report_id": report_id, "section_no": s.number, "heading": s.heading, "text": s.text} for s in sections]


def _fill_claims(rows: Rows, figures: Figures, year: int, sections: list[Section], report_id: str) -> None:
    claims = read_claims(sections)
    links = link(claims, sections, {o.key: o.figure.value for o in figures.observed}, year, str(rows["report"][0]["scope"]))
    rows["claim"] = claim_rows(report_id, claims, links)
    rows["check_result"] += [_check_row(report_id, r) for r in checks(links.values())]


def _report_row(
    document: Document, context: Context, figures: Figures, found: Year, report_id: str, sections: list[Section]
) -> dict[str, object]:
    texts = {s.number: s.text for s in sections}
    scope, evidence = (context.scope, "source") if context.scope else read_scope(texts.get(0, ""), texts.get(1, ""))
    return {
        "report_id": report_id,
        "publisher_id": context.publisher_id,
        "district_code": context.district_code,
        "year": found.year,
        "scope": scope,
        "scope_evidence": evidence,
        "title": document.title or context.title or title_lines([t.text for t in document.texts()]) or None,
        "format": figures.format,
        "media": document.media,
        "url": context.url,
        "document_sha256": context.sha256,
        "published_on": document.published_on or context.published_on,
        "fetched_at": context.fetched_at,
        "figures": sum(o.figure.status == "reported" for o in figures.observed),
        "year_evidence": found.evidence,
    }


def _observation_row(report_id: str, o: Observed) -> dict[str, object]:
    cell = o.found.cell
    return {
        "report_id": report_id,
        "section": o.section,
        "format": o.format,
        "indicator": o.found.indicator,
        "applicant": o.found.applicant,
        "value": o.figure.value,
        "value_status": o.figure.status,
        "raw_text": cell.text.strip(),
        "unit": o.figure.unit,
        "page": cell.page,
        "bbox": list(cell.bbox) if cell.bbox else None,
        "method": o.method,
        "table_no": o.table_no,
        "row_no": cell.row + 1,
        "col_no": cell.col + 1,
    }


def _unmapped_row(report_id: str, unmapped: Leftover) -> dict[str, object]:
    cell = unmapped.cell
    return {
        "report_id": report_id,
        "table_no": unmapped.table_no,
        "row_no": cell.row + 1,
        "col_no": cell.col + 1,
        "row_label": unmapped.row_label,
        "column_label": unmapped.column_label,
        "text": cell.text.strip(),
        "page": cell.page,
        "bbox": list(cell.bbox) if cell.bbox else None,
        "method": unmapped.method,
    }


def _check_row(report_id: str, result: Result) -> dict[str, object]:
    return {
        "report_id": report_id,
        "check_id": result.check_id,
        "applicant": result.applicant,
        "left_value": result.left_value,
        "right_value": result.right_value,
        "difference": result.difference,
        "passed": result.passed,
        "cause": result.cause,
        "soft": result.soft,
    }


def _prove(figures: Figures) -> list[Proof]:
    values = {o.key: o.figure.value for o in figures.observed}
    return prove(values, figures.formats, {o.key: o.section for o in figures.observed})


def _proof_row(report_id: str, proof: Proof) -> dict[str, object]:
    rules = ", ".join(f"{check_id}/{applicant}" if applicant else check_id for check_id, applicant in proof.rules)
    indicator, applicant = proof.key
    return {"report_id": report_id, "indicator": indicator, "applicant": applicant, "proved_value": proof.value, "rules": rules}


def _problem_row(problem: Problem, context: Context, year: int | None) -> dict[str, object]:
    placed = replace(problem, publisher_id=context.publisher_id, url=context.url, year=problem.year or year)
    return {
        "run_id": context.run_id,
        "stage": placed.stage,
        "publisher_id": placed.publisher_id,
        "url": placed.url,
        "year": placed.year,
        "kind": placed.kind,
        "message": placed.message,
        "severity": placed.severity,
        "document_sha256": context.sha256,
    }


def _parse_row(context: Context, outcome: str, report_id: object, year: int | None) -> dict[str, object]:
    return {
        "publisher_id": context.publisher_id,
        "document_sha256": context.sha256,
        "url": context.url,
        "parser_version": PARSER_VERSION,
        "run_id": context.run_id,
        "outcome": outcome,
        "report_id": report_id,
        "year": year,
    }
