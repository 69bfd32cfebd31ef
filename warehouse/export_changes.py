"""What changed since an earlier release, figure by figure: the source changed, we read better, or it is new."""

from __future__ import annotations

from pathlib import Path

import duckdb

from warehouse.duck import quoted

_KEY = "publisher_id, year, scope, indicator, applicant"

# A figure has no version of its own: it is compared with the figure of the same publisher, year, scope, indicator and applicant. Where the
# document is the same (its bytes), what is different is our reading; where another document stands for the same report, the source changed.
_CHANGES = f"""
CREATE TEMP TABLE changes AS
WITH old AS (
    SELECT p.*, r.document_sha256 FROM read_parquet($panel) AS p JOIN read_parquet($report) AS r USING (report_id)
),
new AS (SELECT p.*, r.document_sha256 FROM temp.figure AS p JOIN report AS r USING (report_id)),
old_report AS (SELECT DISTINCT publisher_id, year, scope::VARCHAR AS scope, document_sha256 FROM old),
new_report AS (SELECT DISTINCT publisher_id, year, scope::VARCHAR AS scope, document_sha256 FROM new),
old_document AS (SELECT DISTINCT publisher_id, document_sha256 FROM old_report),
new_document AS (SELECT DISTINCT publisher_id, document_sha256 FROM new_report),
paired AS (
    SELECT
        coalesce(n.publisher_id, o.publisher_id) AS publisher_id,
        coalesce(n.year, o.year)::SMALLINT AS year,
        coalesce(n.scope::VARCHAR, o.scope::VARCHAR) AS scope,
        coalesce(n.indicator, o.indicator) AS indicator,
        coalesce(n.applicant::VARCHAR, o.applicant::VARCHAR) AS applicant,
        o.value AS old_value, n.value AS new_value,
        o.value_status::VARCHAR AS old_status, n.value_status::VARCHAR AS new_status,
        o.unit AS old_unit, n.unit AS new_unit,
        o.report_id AS old_report_id, n.report_id AS new_report_id,
        o.document_sha256 AS old_document_sha256, n.document_sha256 AS new_document_sha256
    FROM old AS o FULL JOIN new AS n
        ON n.publisher_id = o.publisher_id AND n.year = o.year AND n.scope::VARCHAR = o.scope::VARCHAR AND n.indicator = o.indicator
        AND coalesce(n.applicant::VARCHAR, '') = coalesce(o.applicant::VARCHAR, '')
    WHERE (o.value, o.value_status::VARCHAR, o.unit) IS DISTINCT FROM (n.value, n.value_status::VARCHAR, n.unit)
)
SELECT
    CASE
        WHEN old_report_id IS NOT NULL AND new_report_id IS NOT NULL
            THEN if(old_document_sha256 = new_document_sha256, 'reading_changed', 'source_changed')
        WHEN new_report_id IS NOT NULL AND (publisher_id, new_document_sha256) IN (SELECT (publisher_id, document_sha256) FROM old_document)
            THEN 'reading_changed'
        WHEN new_report_id IS NOT NULL AND (publisher_id, year, scope) IN (SELECT (publisher_id, year, scope) FROM old_report)
            THEN 'source_changed'
        WHEN new_report_id IS NOT NULL THEN 'new'
        WHEN (publisher_id, old_document_sha256) IN (SELECT (publisher_id, document_sha256) FROM new_document) THEN 'reading_changed'
        WHEN (publisher_id, year, scope) IN (SELECT (publisher_id, year, scope) FROM new_report) THEN 'source_changed'
        ELSE 'removed'
    END AS change,
    {_KEY}, old_value, new_value, old_status, new_status, old_unit, new_unit, old_report_id, new_report_id
FROM paired
"""


def make_changes(con: duckdb.DuckDBPyConnection, earlier: Path | None, panel: str) -> str:
    """Make temp.changes out of the panel query and the release in the folder `earlier`; without one it has no row.

    Returns the query for it. Raises duckdb.Error for a release that can't be read.
    """
    con.execute(f"CREATE TEMP VIEW figure AS {panel}")
    old = {name: f"{quoted(earlier / 'parquet' / f'{name}.parquet')}" for name in ("panel", "report")} if earlier else None
    if old is None:
        con.execute("CREATE TEMP VIEW old_panel AS FROM temp.figure WHERE false")
        sql = _CHANGES.replace("read_parquet($panel)", "temp.old_panel").replace("read_parquet($report)", "report") + " WHERE false"
    else:
        sql = _CHANGES.replace("$panel", old["panel"]).replace("$report", old["report"])
    con.execute(sql)
    return "FROM temp.changes"
