"""What readers hand over: typed columns, the same as whole frames; a value of another type costs its own document only."""

from __future__ import annotations

from decimal import Decimal
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet
import pytest
from pandera.errors import SchemaError

from extract.problem import Problem
from flows import prefect_server, reading
from flows.reading import Job
from flows.workers import Done, Failed
from transform.frames import SCHEMAS, Packed, frame, joined, pack
from transform.rows import Rows
from transform.tidy import Context, failed


def context(name: str) -> Context:
    return Context("p", "330302", f"http://127.0.0.1/{name}", name * 8, "2026-01-01T00:00:00Z", "run", link_year=2021)


def job(name: str) -> Job:
    return Job(Path("archive"), "file", 0, None, context(name))


def rows(name: str, value: object = Decimal("1.5"), applicant: object = None) -> Rows:
    """Rows of a document with one figure and the problem of having no other."""
    made = failed(Problem("extract", "no_tables", name, severity="warning"), context(name))
    given: dict[str, Any] = {
        "report_id": name,
        "section": "legacy",
        "format": 2014,
        "indicator": "i",
        "value_status": "reported",
        "unit": "件",
    }
    made["observation"] = [given | {"value": value, "applicant": applicant, "raw_text": "1.5", "bbox": [1.0, 2.0, 3.0, 4.0], "method": "m"}]
    made["observation"][0] |= {"table_no": 1, "row_no": 1, "col_no": 1}
    return made


def test_joined_are_the_rows_of_all_documents_in_their_order_with_the_types_of_the_frames() -> None:
    made = [rows("a"), rows("b", None, "total"), rows("c")]
    found = joined(pack(r) for r in made)
    assert set(found) == set(SCHEMAS)
    for name, table in found.items():
        together = [row for r in made for row in r[name]]
        pd.testing.assert_frame_equal(table, frame(name, together))
        assert list(table.dtypes) == [c.dtype.type for c in SCHEMAS[name].columns.values()]
    assert found["observation"]["value"].isna().tolist() == [False, True, False]
    assert len(found["narrative"]) == 0, "a frame of which no document has rows is there all the same"


@pytest.mark.parametrize("value", ["1.5", 1 << 90, Decimal("0.00001"), object()])
def test_a_value_of_another_type_is_an_invalid_row_of_its_document(value: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "read_one", lambda job: rows("bad", value))
    found = joined([pack(rows("good")), reading.read_packed(job("bad"))])
    assert found["observation"]["report_id"].tolist() == ["good"]
    assert found["problem"].query("kind == 'invalid_rows'")["url"].tolist() == ["http://127.0.0.1/bad"]
    assert found["parse"]["outcome"].tolist()[1] == "failed"


@pytest.mark.parametrize("broken", [{"unit": None}, {"section": "annex"}, {"applicant": "nobody"}, {"format": 1999}, {"report_id": "good"}])
def test_pandera_says_which_rule_joined_rows_break(broken: dict[str, object]) -> None:
    wrong = rows("wrong")
    wrong["observation"][0].update(broken)
    with pytest.raises(SchemaError, match=next(iter(broken))):
        joined([pack(rows("good")), pack(wrong)])


class Pool:
    """Answers what became of each item."""

    def __init__(self, answers: dict[str, Done[Packed] | Failed]) -> None:
        self.answers = answers

    def map(self, fn: object, jobs: list[Job], timeout: float) -> list[Done[Packed] | Failed]:
        return [self.answers[j.context.url.rpartition("/")[2]] for j in jobs]


def test_a_batch_has_every_document_whatever_became_of_it(tmp_path: Path) -> None:
    wrong = rows("wrong", applicant="nobody")  # the type is right, the word is none of the form's
    answers = {
        "good": Done(pack(rows("good"))),
        "wrong": Done(pack(wrong)),
        "slow": Failed("timeout", "not done after 2 s"),
        "dead": Failed("died", "the process died (SIGKILL)"),
        "lost": Failed("lost", "the pool of processes was ended"),
        "error": Failed("error", "ValueError"),
    }
    told: list[str] = []
    files = reading.read_files([job(name) for name in answers], Pool(answers), 2, told.append)  # type: ignore[arg-type]
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    problems = pyarrow.parquet.read_table(tmp_path / "problem.parquet").to_pylist()
    kinds = {p["url"].rpartition("/")[2]: p["kind"] for p in problems}
    assert kinds == {
        "good": "no_tables",
        "wrong": "invalid_rows",
        "slow": "timeout",
        "dead": "reader_died",
        "lost": "reader_lost",
        "error": "reader_error",
    }
    assert files["batch.json"] == b'{"failures": 5}'
    assert [url.rpartition("/")[2] for url in told] == list(answers)
    assert pyarrow.parquet.read_table(tmp_path / "observation.parquet")["report_id"].to_pylist() == ["good"]


def test_what_is_left_out_of_prefects_server_is_still_there_by_that_name() -> None:
    """Setting a name that Prefect has not got any more would change nothing, and say nothing."""

    def source(path: str) -> str:
        return Path(str(distribution("prefect").locate_file(path))).read_text("utf-8")

    server, recorder = source("prefect/server/api/server.py"), source("prefect/server/services/task_run_recorder.py")
    assert "\nAPI_ROUTERS = (" in server
    assert "for router in API_ROUTERS" in server
    assert "import background_worker\n" in server
    assert "background_worker(\n" in server
    assert "async with consumer(\n" in recorder
    assert "flush_every=int(" in recorder
    prefixes = [source(f"prefect/server/api/{p.strip('/')}.py") for p in prefect_server.USED]
    assert all(f'prefix="{p}"' in text for p, text in zip(prefect_server.USED, prefixes, strict=True))
