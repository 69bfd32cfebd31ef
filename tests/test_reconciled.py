"""What the identities of a table prove of one of its cells, and the views that offer it beside the printed figure."""

from __future__ import annotations

from dataclasses import asdict
from decimal import Decimal
from functools import cache
from pathlib import Path

import pytest
from forms import document, litigation_figures, litigation_rows, proactive_figures, proactive_rows, requests_figures, requests_rows
from hypothesis import given, settings
from hypothesis import strategies as st
from warehouse_world import World, loaded, observation

from transform.check import APPLICANTS, Operand, check
from transform.frames import frame
from transform.layout import layouts
from transform.reconcile import Proof, prove
from transform.tidy import Context, _proof_row, tidy

A = "http://127.0.0.1/a.html"
FORMATS = {"requests": 2021, "litigation": 2021}
TOTAL = ("granted", "total")


@cache
def printed(number: int = 2021, seed: int = 1) -> dict:
    figures = {**requests_figures(number, seed), **{(k, None): v for k, v in litigation_figures(seed).items()}}
    return {key: Decimal(value) for key, value in figures.items()}


def proofs(values: dict, number: int = 2021) -> list[Proof]:
    sections = {key: "requests" if key[1] else "litigation" for key in values}
    return prove(values, {"requests": number, "litigation": number}, sections)


REQUEST_CELLS = sorted(key for key in printed() if key[1])
numbers = st.sampled_from([2019, 2021])
seeds = st.integers(1, 5)
shifts = st.integers(-30, 30).filter(bool)


def test_a_consistent_table_needs_no_proof() -> None:
    assert proofs(printed()) == []


@settings(max_examples=60, deadline=None)
@given(numbers, seeds, st.data(), shifts)
def test_one_wrong_cell_of_table_three_is_found_with_its_value(number: int, seed: int, data: st.DataObject, shift: int) -> None:
    right = printed(number, seed)
    key = data.draw(st.sampled_from(sorted(k for k in right if k[1])))
    (proof,) = proofs(right | {key: right[key] + shift}, number)
    assert (proof.key, proof.value, proof.printed, proof.section) == (key, right[key], right[key] + shift, "requests")
    operands = {k: Operand(v) for k, v in (right | {key: right[key] + shift}).items()}
    failed = {(r.check_id, r.applicant) for r in check(operands, {"requests": number, "litigation": number}) if r.passed is False}
    assert set(proof.rules) == failed


@settings(max_examples=150, deadline=None)
@given(numbers, seeds, st.data(), shifts, st.one_of(st.just(0), shifts))
def test_two_wrong_cells_are_never_explained_by_a_third(number: int, seed: int, data: st.DataObject, first: int, other: int) -> None:
    """The hard case has two errors of one size, and blanks that keep identities from speaking."""
    right = printed(number, seed)
    cells = data.draw(st.lists(st.sampled_from(sorted(right, key=str)), min_size=2, max_size=2, unique=True))
    blanks = data.draw(st.lists(st.sampled_from(sorted(right, key=str)), max_size=4))
    values = {**right, cells[0]: right[cells[0]] + first, cells[1]: right[cells[1]] + (other or first), **dict.fromkeys(blanks)}
    for proof in proofs(values, number):
        assert proof.value == right[proof.key]


def test_errors_of_one_size_on_two_sides_of_a_blank_prove_nothing() -> None:
    """granted/business and denied/total are one too high; the blanks silence the identities that would tell. granted/total is right."""
    right = printed()
    wrong = {("granted", "business"): 1, ("denied_process", "total"): 1}
    values = {k: v + wrong.get(k, 0) for k, v in right.items()}
    blanks = dict.fromkeys([("denied_process", "legal_service"), ("denied_query", "business"), ("denied_internal_affairs", "business")])
    found = {p.key: p.value for p in proofs(values | blanks)}
    assert all(value == right[key] for key, value in found.items())
    assert TOTAL not in found


@settings(max_examples=60, deadline=None)
@given(seeds, st.sampled_from(REQUEST_CELLS))
def test_a_cell_without_a_number_is_proved_by_two_identities(seed: int, key: tuple) -> None:
    right = printed(2021, seed)
    (proof,) = proofs(right | {key: None})
    assert (proof.key, proof.value, proof.printed) == (key, right[key], None)
    assert len(proof.rules) >= 2


def test_a_blank_in_a_table_that_fails_elsewhere_is_left_blank() -> None:
    right = printed()
    found = proofs(right | {("denied_process", "business"): None, TOTAL: right[TOTAL] + 1})
    assert [p.key for p in found if p.printed is None] == []


def test_a_blank_column_of_totals_is_no_proof_of_sums() -> None:
    """One identity gives each of them: a sum, not a proof."""
    values = {k: None if k[1] == "total" else v for k, v in printed().items()}
    assert proofs(values) == []


@given(st.sampled_from(sorted((k for k in printed() if not k[1]), key=str)), shifts)
def test_litigation_has_one_identity_a_block_and_proves_nothing(key: tuple, shift: int) -> None:
    right = printed()
    assert proofs(right | {key: right[key] + shift}) == []


def test_a_value_below_zero_is_no_proof() -> None:
    right = dict(printed())
    for row, column in ((("granted", "business"), ("granted", "total")), (("processed_total", "business"), ("processed_total", "total"))):
        right[row], right[column] = right[row] - 100, right[column] - 100
    right["new_received", "business"] -= 100
    right["new_received", "total"] -= 100
    assert proofs(right) == []
    assert proofs(right | {("granted", "business"): abs(right["granted", "business"])}) == []


@pytest.mark.parametrize("shift", [1, 7])
def test_two_sums_of_the_annex_that_share_a_cell_prove_nothing_of_it(shift: int) -> None:
    """Parts of the annex take part in one identity each: two of them may be wrong as well as the cell that both sums share."""
    annex = next(layout for layout in layouts() if layout.format == 2014)
    keys = [(i, None) for table in annex.tables for i in table.indicators()]
    values = dict.fromkeys(keys, Decimal(0)) | {("legacy_reply_denied", None): Decimal(shift)}
    assert prove(values, {"legacy": 2014}, dict.fromkeys(keys, "legacy")) == []


def test_applicants_of_the_form() -> None:
    assert {who for _, who in REQUEST_CELLS} == set(APPLICANTS)


# --- in the warehouse


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """One report: granted/total is printed 5 too high, and a block of litigation does not add up; both readings agree."""
    world = World(tmp_path_factory.mktemp("world"))
    figures = {**printed(), TOTAL: printed()[TOTAL] + 5, ("litigation_direct_total", None): Decimal(999)}
    operands = {key: Operand(value, confirmed=True) for key, value in figures.items()}
    rows = loaded("a", A)
    report_id = rows["report"][0]["report_id"]
    cells = [
        observation(report_id, i, str(v), n, section="requests" if a else "litigation") for n, ((i, a), v) in enumerate(figures.items())
    ]
    for row, (_, applicant) in zip(cells, figures, strict=True):
        row["applicant"] = applicant
    rows["observation"] = cells
    rows["check_result"] = [{"report_id": report_id, **asdict(result)} for result in check(operands, FORMATS)]
    rows["proof"] = [_proof_row(report_id, proof) for proof in proofs(figures)]
    world.seen(A, "a")
    world.crawled()
    world.publish(world.part("p1", rows))
    return world


def test_reconciled_offers_the_proved_value_beside_the_printed_one(world: World) -> None:
    right = printed()[TOTAL]
    sql = (
        "SELECT indicator, applicant, printed_value, raw_text, reconciled_value, difference, rule, explains, finding, cause FROM reconciled"
    )
    rules = "R2.granted/total, R3/total"
    assert world.ask(sql) == [("granted", "total", right + 5, str(right + 5), right, -5, rules, rules, "misprint", "publisher")]
    assert world.ask("SELECT value FROM panel WHERE indicator = 'granted' AND applicant = 'total'") == [(right + 5,)]
    wanted = [(right + 5, right, right, "reconciled")]
    sql = (
        "SELECT value, reconciled_value, final_value, final_source FROM panel_corrected WHERE indicator = 'granted' AND applicant = 'total'"
    )
    assert world.ask(sql) == wanted


def test_it_explains_every_failed_identity_of_its_table(world: World) -> None:
    failed = world.ask("""SELECT check_id || '/' || applicant FROM check_result WHERE NOT passed AND applicant IS NOT NULL ORDER BY ALL""")
    ((explains,),) = world.ask("SELECT explains FROM reconciled")
    assert sorted(explains.split(", ")) == [name for (name,) in failed]


def test_publisher_errors_are_citable_with_both_sides_as_printed(world: World) -> None:
    rows = world.ask("SELECT error_id, left_value, right_value, left_figures, right_figures, citation FROM publisher_error ORDER BY ALL")
    ((report_id, sha256),) = world.ask("SELECT report_id, document_sha256 FROM report")
    names = ["R2.granted/total", "R3/total", "R4.litigation_direct"]
    assert [row[0] for row in rows] == [f"{report_id}#{name}" for name in names]
    block = rows[2]
    assert block[2:5:2] == (Decimal(999), 'litigation_direct_total "999"')
    assert block[3].count(" + ") == 3
    assert all(text in block[5] for text in ("温州市鹿城区人民政府办公室", "2021", A, sha256, "R4.litigation_direct", "999"))


def test_the_sides_of_a_publisher_error_are_the_sums_of_its_cells(world: World) -> None:
    rows = world.ask(
        """WITH cell AS (SELECT error_id, left_value, right_value, unnest(cells::JSON[]) AS cell FROM publisher_error)
        SELECT left_value, right_value, cell ->> 'side' AS side, sum((cell ->> 'value')::DECIMAL(18, 4))
        FROM cell GROUP BY error_id, left_value, right_value, side"""
    )
    assert len(rows) == 6
    assert all(total == (left if side == "left" else right) for left, right, side, total in rows)


def test_what_may_be_our_misreading_is_no_error_of_the_publisher(world: World, tmp_path: Path) -> None:
    copy = World.copy(world, tmp_path)
    copy.run("r2")
    rows = loaded("a", A)
    report_id = rows["report"][0]["report_id"]
    operands = {key: Operand(value) for key, value in {**printed(), TOTAL: printed()[TOTAL] + 5}.items()}
    rows["check_result"] = [{"report_id": report_id, **asdict(result)} for result in check(operands, FORMATS)]
    copy.publish(copy.part("p2", rows), run_id="r2")
    assert copy.ask("SELECT count(*) FROM check_result WHERE NOT passed") == [(2,)]
    assert copy.ask("SELECT count(*) FROM publisher_error") == [(0,)]


def test_a_document_gives_its_proofs() -> None:
    """Through the whole of transform: a table with one wrong total."""
    figures = requests_figures(2021)
    figures[TOTAL] += 3
    tables = [proactive_rows(2021, proactive_figures(2021)), requests_rows(2021, figures), litigation_rows(litigation_figures())]
    rows = tidy(document(*tables), Context("lucheng", "330302", A, "ab" * 32, "2026-11-20T18:00:00Z", "r1", scope="own", year=2021))
    (row,) = rows["proof"]
    assert (row["indicator"], row["applicant"], row["proved_value"]) == (*TOTAL, figures[TOTAL] - 3)
    assert row["rules"] == "R2.granted/total, R3/total"
    assert frame("proof", rows["proof"]).shape == (1, 5)
