"""What must hold before a built file is published. Every gate is a query for the rows that break it: no row, no objection."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow

from warehouse.duck import quoted, scratch


class GateError(Exception):
    """A gate is red: `name` says which, `detail` how many rows break it and the first of them."""

    def __init__(self, name: str, detail: str) -> None:
        super().__init__(f"gate {name}: {detail}")
        self.name = name
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Gate:
    """`sql` selects what breaks the rule, out of the built file (current database), `previous`, temp.replaced and temp.brought.

    temp.judged holds the reports whose figures this build brought or, where nothing is known of the build, all of them: figures that
    were not touched passed before, and gate nothing_lost sees to it that they did not change.
    """

    name: str
    message: str
    sql: str
    needs_previous: bool = False


_CHILDREN = ("observation", "check_result", "narrative", "unmapped_cell", "claim", "proof")
_UNTOUCHED = "(publisher_id, document_sha256) NOT IN (SELECT (publisher_id, document_sha256) FROM temp.replaced)"
_BROUGHT_COUNTS = " UNION ALL ".join(
    [
        f"SELECT '{table}' AS relation, count(*) AS rows FROM {table} SEMI JOIN temp.replaced USING (publisher_id, document_sha256) {only}"
        for table, only in (("parse", ""), ("report", ""), ("problem", "WHERE origin = 'document'"))
    ]
    + [f"SELECT '{table}', count(*) FROM {table} SEMI JOIN temp.judged USING (report_id)" for table in _CHILDREN]
)

GATES: tuple[Gate, ...] = (
    Gate(
        "unique_observation",
        "a figure stands more than once under one report, indicator and applicant",
        """SELECT report_id, indicator, applicant, count(*) AS rows FROM observation SEMI JOIN temp.judged USING (report_id)
        GROUP BY ALL HAVING count(*) > 1""",
    ),
    Gate(
        "unique_check_result",
        "an identity stands more than once under one report and applicant",
        """SELECT report_id, check_id, applicant, count(*) AS rows FROM check_result SEMI JOIN temp.judged USING (report_id)
        GROUP BY ALL HAVING count(*) > 1""",
    ),
    Gate(
        "unique_keys",
        "a key of a table without primary key stands more than once",
        """SELECT 'parse' AS relation, publisher_id || ' ' || document_sha256 AS key FROM parse GROUP BY ALL HAVING count(*) > 1
        UNION ALL SELECT 'document', url FROM document GROUP BY ALL HAVING count(*) > 1
        UNION ALL SELECT 'sighting', publisher_id || ' ' || url FROM sighting GROUP BY ALL HAVING count(*) > 1
        UNION ALL SELECT 'source_state', publisher_id FROM source_state GROUP BY ALL HAVING count(*) > 1
        UNION ALL SELECT 'narrative', report_id || ' ' || section_no FROM narrative GROUP BY ALL HAVING count(*) > 1
        UNION ALL SELECT 'unmapped_cell', concat_ws(' ', report_id, table_no, row_no, col_no) FROM unmapped_cell
        GROUP BY ALL HAVING count(*) > 1
        UNION ALL SELECT 'claim', report_id || ' ' || claim_no FROM claim GROUP BY ALL HAVING count(*) > 1
        UNION ALL SELECT 'proof', concat_ws(' ', report_id, indicator, applicant) FROM proof GROUP BY ALL HAVING count(*) > 1
        UNION ALL SELECT 'report', concat_ws(' ', publisher_id, document_sha256, year) FROM report
        GROUP BY publisher_id, document_sha256, year HAVING count(*) > 1""",
    ),
    Gate(
        "no_orphans",
        "a row points at a row that is not there",
        " UNION ALL ".join(
            f"SELECT DISTINCT '{child}' AS relation, {key} AS key FROM {child} ANTI JOIN {parent} USING ({key})"
            for child, key, parent in (
                *((child, "report_id", "report") for child in _CHILDREN),
                ("report", "publisher_id", "publisher"),
                ("report", "district_code", "district"),
                ("publisher", "district_code", "district"),
            )
        ),
    ),
    Gate(
        "district_history",
        "a name or a change of a district is about a code that is not there, or was not in force then",
        """SELECT 'district_name' AS relation, district_code, NULL AS year FROM district_name ANTI JOIN district USING (district_code)
        UNION ALL SELECT 'district', district_code, NULL FROM district ANTI JOIN district_name USING (district_code)
        UNION ALL SELECT 'district_succession', from_code, year FROM district_succession
        ANTI JOIN district ON district_code = from_code AND coalesce(valid_from, 0) < year AND coalesce(valid_to, year) >= year
        UNION ALL SELECT 'district_succession', to_code, year FROM district_succession
        ANTI JOIN district ON district_code = to_code AND coalesce(valid_from, 0) <= year AND coalesce(valid_to, year + 1) > year""",
    ),
    Gate(
        "codebook",
        "a figure's indicator, section or unit is not the codebook's",
        """SELECT DISTINCT o.section, o.indicator, o.unit FROM observation AS o LEFT JOIN indicator AS i USING (section, indicator)
        WHERE i.indicator IS NULL OR o.unit NOT IN (i.unit, 'unknown')
        UNION ALL SELECT DISTINCT NULL, indicator, unit FROM claim
        WHERE indicator IS NOT NULL AND indicator NOT IN (SELECT indicator FROM indicator)""",
    ),
    Gate(
        "one_current",
        "a publisher's year and scope has not exactly one current report, or its versions are not numbered from 1",
        """SELECT publisher_id, year, scope FROM report GROUP BY ALL
        HAVING count(*) FILTER (WHERE is_current) <> 1 OR max(version) <> count(DISTINCT version) OR min(version) <> 1""",
    ),
    Gate(
        "identities_evaluated",
        "a report has a table with accounting identities, and one of them was not evaluated",
        """WITH expected(section, family) AS (VALUES ('requests', 'R1'), ('requests', 'R2'), ('requests', 'R3'), ('litigation', 'R4'),
            ('legacy', 'R8')),
        printed AS (
            SELECT DISTINCT report_id, section::VARCHAR AS section FROM observation SEMI JOIN temp.judged USING (report_id)
            WHERE format IN (2014, 2019, 2021)
        )
        SELECT report_id, section, family FROM printed JOIN expected USING (section)
        ANTI JOIN (SELECT DISTINCT report_id, split_part(check_id, '.', 1) AS family FROM check_result) USING (report_id, family)""",
    ),
    # The printed identity (domain.md 1.7, R1) can be assessed wherever its four figures can be read: a checker that assesses nothing
    # passes everything.
    Gate(
        "identities_assessable",
        "a report prints all figures of the printed identity, and no identity of it was assessed",
        """SELECT report_id FROM observation SEMI JOIN temp.judged USING (report_id)
        WHERE applicant = 'total' AND value_status = 'reported'
            AND indicator IN ('new_received', 'carried_in', 'processed_total', 'carried_out')
            AND report_id NOT IN (SELECT report_id FROM check_result WHERE passed IS NOT NULL)
        GROUP BY report_id HAVING count(*) = 4""",
    ),
    Gate(
        "brought",
        "the file has not as many rows as the parts brought",
        f"""SELECT relation, held.rows AS held, brought.rows AS brought FROM ({_BROUGHT_COUNTS}) AS held
        JOIN temp.brought USING (relation) WHERE held.rows <> brought.rows""",
    ),
    Gate(
        "no_report_lost",
        "a report of the published file is gone, and its document was not read again",
        f"SELECT report_id FROM previous.report ANTI JOIN report USING (report_id) WHERE {_UNTOUCHED}",
        needs_previous=True,
    ),
    Gate(
        "nothing_lost",
        "the figures of a report whose document was not read again are not what they were",
        f"""WITH untouched AS (SELECT report_id FROM previous.report WHERE {_UNTOUCHED}),
        old AS (SELECT report_id, count(*) AS n, sum(value) AS total FROM previous.observation GROUP BY report_id),
        new AS (SELECT report_id, count(*) AS n, sum(value) AS total FROM observation GROUP BY report_id)
        SELECT report_id, old.n AS rows_before, new.n AS rows_now, old.total AS sum_before, new.total AS sum_now
        FROM old SEMI JOIN untouched USING (report_id) LEFT JOIN new USING (report_id)
        WHERE (old.n, old.total) IS DISTINCT FROM (new.n, new.total)""",
        needs_previous=True,
    ),
)


def check(
    built: Path,
    previous: Path | None = None,
    replaced: Collection[tuple[str, str]] | None = None,
    brought: Mapping[str, int] | None = None,
) -> list[str]:
    """Run every gate on a built file and return the names of those that ran. Raises GateError for the first red one;
    a gate that can't be run is red, as `readable`.

    Without `replaced` (documents read in this build) all figures are judged; without `brought` (rows per table) they are not counted.
    """
    gates = [gate for gate in GATES if previous is not None or not gate.needs_previous]
    try:
        with scratch() as con:
            con.execute(f"ATTACH {quoted(built)} AS built (READ_ONLY)")
            if previous is not None:
                con.execute(f"ATTACH {quoted(previous)} AS previous (READ_ONLY)")
            con.execute("USE built")
            _prepare(con, replaced, brought or {})
            for gate in gates:
                _run(con, gate)
    except duckdb.Error as error:
        raise GateError("readable", str(error)) from error
    return [gate.name for gate in gates]


def _prepare(con: duckdb.DuckDBPyConnection, replaced: Collection[tuple[str, str]] | None, brought: Mapping[str, int]) -> None:
    keys = sorted(replaced or ())
    text = pyarrow.string()
    columns = {"publisher_id": pyarrow.array([p for p, _ in keys], text), "document_sha256": pyarrow.array([d for _, d in keys], text)}
    con.register("keys", pyarrow.table(columns))
    con.execute("CREATE TEMP TABLE replaced AS FROM keys")
    only = "" if replaced is None else "SEMI JOIN temp.replaced USING (publisher_id, document_sha256)"
    con.execute(f"CREATE TEMP TABLE judged AS SELECT report_id FROM report {only}")
    con.execute(
        "CREATE TEMP TABLE brought AS SELECT unnest(?::VARCHAR[]) AS relation, unnest(?::BIGINT[]) AS rows",
        [[*brought], [*brought.values()]],
    )


def _run(con: duckdb.DuckDBPyConnection, gate: Gate) -> None:
    result = con.execute(gate.sql)
    names = [column[0] for column in result.description or ()]
    rows = result.fetchall()
    if rows:
        first = "; ".join(", ".join(f"{name} {value}" for name, value in zip(names, row, strict=True)) for row in rows[:3])
        raise GateError(gate.name, f"{gate.message}: {len(rows)} in all, first: {first}")
