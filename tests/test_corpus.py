"""Golden: every figure of every sample report that has text, against its CSV, in both directions."""

from __future__ import annotations

import csv
import os
from decimal import Decimal
from functools import cache
from pathlib import Path

import pypdfium2 as pdfium
import pytest

from extract.reader import read_document
from transform.frames import Rows, frames
from transform.tidy import Context, tidy

CORPUS = Path(__file__).parents[2] / "shared" / "corpus"
YEARS = {"hongze2023": 2023, "huaian2024": 2024, "ruzhou-cgj2020": 2020, "shanghai2024": 2024, "shuyang-fgj2021": 2021} | {
    "wendeng-sjj2020": 2020,
    "lucheng2021": 2021,
}
#: Sections printed in the 2019 form; all others are the 2021 form.
OLD = {"ruzhou-cgj2020": {"proactive", "requests", "litigation"}, "wendeng-sjj2020": {"proactive", "requests", "litigation"}} | {
    "hongze2023": {"requests", "litigation"}
}
DOCUMENTS = [
    "hongze2023.pdf",
    "huaian2024.pdf",
    "lucheng2021.docx",
    "lucheng2021.html",
    "lucheng2021.pdf",
    "ruzhou-cgj2020.html",
    "shanghai2024.docx",
    "shuyang-fgj2021.html",
    "wendeng-sjj2020.pdf",
]
PDFS = [name for name in DOCUMENTS if name.endswith(".pdf")]


@pytest.fixture(autouse=True, scope="module")
def corpus() -> Path:
    """The folder of sample reports; it lies beside the repository, so elsewhere there is none."""
    if not CORPUS.is_dir():
        reason = f"the sample reports are not at {CORPUS}"
        pytest.fail(reason) if os.environ.get("GONGKAI_NO_SKIP") == "1" else pytest.skip(reason)
    return CORPUS


@cache
def rows(name: str) -> Rows:
    document = read_document((CORPUS / name).read_bytes())
    context = Context("p", "330302", "http://127.0.0.1/" + name, "ab" * 32, "2026-01-01T00:00:00Z", "run")
    return tidy(document, context)


@cache
def key(name: str) -> str:
    return name.rsplit(".", 1)[0]


@cache
def truth(name: str) -> dict[tuple[str, str, str | None], tuple[str, Decimal | None]]:
    with (CORPUS / f"{key(name)}.csv").open(encoding="utf-8") as lines:
        return {
            (r["section"], r["indicator"], r["applicant"] or None): (r["value_status"], Decimal(r["value"]) if r["value"] else None)
            for r in csv.DictReader(lines)
        }


def printed(name: str) -> dict[tuple[str, str, str | None], tuple[str, Decimal | None]]:
    return {(r["section"], r["indicator"], r["applicant"]): (r["value_status"], r["value"]) for r in rows(name)["observation"]}


def test_every_sample_report_with_text_is_tested() -> None:
    found = {p.name for p in CORPUS.iterdir() if p.suffix in (".pdf", ".html", ".docx") and not p.stem.endswith("-scan")}
    assert found == set(DOCUMENTS)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_cell_and_no_other(name: str) -> None:
    assert len(truth(name)) >= 186
    assert printed(name) == truth(name)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_nothing_is_reported_lost(name: str) -> None:
    assert not [p for p in rows(name)["problem"] if p["severity"] == "failure"]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_forms_and_year(name: str) -> None:
    [report] = rows(name)["report"]
    formats = {r["section"]: r["format"] for r in rows(name)["observation"]}
    old = OLD.get(key(name), set())
    assert formats == {s: 2019 if s in old else 2021 for s in ("proactive", "requests", "litigation")}
    assert report["format"] == formats["requests"]
    assert report["year"] == YEARS[key(name)]
    assert report["figures"] == sum(status == "reported" for status, _ in truth(name).values())


@pytest.mark.parametrize("name", DOCUMENTS)
def test_frames_are_valid(name: str) -> None:
    valid = frames([rows(name)])
    assert len(valid["observation"]) == len(truth(name))
    assert len(valid["parse"]) == 1


@pytest.mark.parametrize("name", DOCUMENTS)
def test_checks_are_those_of_the_printed_figures(name: str) -> None:
    """Evaluated here by hand from the CSV: R1 and R4; the checker must find the very same sums."""
    values = {(indicator, who): value for (_, indicator, who), (_, value) in truth(name).items()}
    checks = {(r["check_id"], r["applicant"]): r for r in rows(name)["check_result"]}
    for who in ("natural_person", "business", "total"):
        parts = [values[i, who] for i in ("new_received", "carried_in", "processed_total", "carried_out")]
        result = checks["R1", who]
        if None in parts:
            assert result["passed"] is None
        else:
            assert result["difference"] == parts[0] + parts[1] - parts[2] - parts[3]
            assert result["passed"] is (result["difference"] == 0)
    for block in ("reconsideration", "litigation_direct", "litigation_after_reconsideration"):
        parts = [values[f"{block}_{k}", None] for k in ("upheld", "corrected", "other", "pending", "total")]
        result = checks[f"R4.{block}", None]
        assert (result["left_value"], result["right_value"]) == (sum(parts[:4]), parts[4])


def test_the_publishers_own_errors_of_hongze_stay_and_are_named() -> None:
    failed = {r["check_id"]: r for r in rows("hongze2023.pdf")["check_result"] if r["passed"] is False}
    assert {i: r["cause"] for i, r in failed.items() if i.startswith("R4")} == {i: "publisher" for i in failed if i.startswith("R4")}
    assert sum(i.startswith("R4") for i in failed) == 2


@pytest.mark.parametrize("name", [n for n in DOCUMENTS if not n.startswith("hongze")])
def test_no_check_fails_elsewhere(name: str) -> None:
    failed = [r for r in rows(name)["check_result"] if r["passed"] is False]
    assert not failed


# --- provenance


def test_lucheng_pages_are_where_the_page_breaks() -> None:
    """The page ends within （四）无法提供: its first row is the last on page 4."""
    spec = [r["indicator"] for r in rows("lucheng2021.html")["observation"] if r["applicant"] == "total"]
    above = spec[: spec.index("unavailable_not_held") + 1]
    pages = {(r["indicator"], r["page"]) for r in rows("lucheng2021.pdf")["observation"] if r["section"] == "requests"}
    assert pages == {(i, 4 if i in above else 5) for i in spec}


@pytest.mark.parametrize("name", PDFS)
def test_the_box_of_every_cell_holds_its_text_and_only_that(name: str) -> None:
    """Read anew with pdfium from the box alone: what `gongkai explain` will show."""
    pdf = pdfium.PdfDocument(CORPUS / name)
    pages = [pdf[i] for i in range(len(pdf))]
    texts = [page.get_textpage() for page in pages]
    for row in rows(name)["observation"]:
        page = pages[row["page"] - 1]
        width, height = page.get_size()
        x0, top, x1, bottom = row["bbox"]
        assert 0 <= x0 < x1 <= width
        assert 0 <= top < bottom <= height
        seen = texts[row["page"] - 1].get_text_bounded(x0, height - bottom, x1, height - top)
        assert "".join(seen.split()) == "".join(row["raw_text"].split()), row
    pdf.close()


@pytest.mark.parametrize("name", [n for n in DOCUMENTS if n not in PDFS])
def test_media_without_pages_have_neither_page_nor_box(name: str) -> None:
    assert {(r["page"], r["bbox"]) for r in rows(name)["observation"]} == {(None, None)}


def test_the_same_report_in_three_media_gives_the_same_figures_and_text() -> None:
    pdf, html, docx = (rows(f"lucheng2021.{m}") for m in ("pdf", "html", "docx"))
    assert printed("lucheng2021.pdf") == printed("lucheng2021.html") == printed("lucheng2021.docx")
    headings = [[n["heading"] for n in r["narrative"] if n["heading"]] for r in (pdf, html, docx)]
    assert headings[0] == headings[1] == headings[2]
    assert len(headings[0]) == 6


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_text_has_six_parts_and_says_what_it_covers(name: str) -> None:
    numbers = [n["section_no"] for n in rows(name)["narrative"]]
    assert [n for n in numbers if n] == [1, 2, 3, 4, 5, 6]
    [report] = rows(name)["report"]
    assert (report["scope"] == "unknown") == (report["scope_evidence"] is None)
