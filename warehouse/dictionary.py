"""The tables that explain the others to someone who opens the file without docs: `dictionary` and `identity`."""

from __future__ import annotations

import duckdb

from warehouse import codebook
from warehouse.duck import SEEDS
from warehouse.mirror import insert

# R2 sums applicants, so every figure of table three takes part in it.
_MEMBERSHIP = """UPDATE indicator SET identities = member.identities
FROM (
    SELECT i.indicator, string_agg(DISTINCT e.check_id, ', ' ORDER BY e.check_id) AS identities
    FROM indicator AS i JOIN identity AS e ON e.section = i.section AND (
        e.evaluated_for = 'each row' OR list_contains(string_split(e.left_side || ' + ' || e.right_side, ' + '), i.indicator)
    )
    GROUP BY i.indicator
) AS member WHERE member.indicator = indicator.indicator"""


def load_dictionary(con: duckdb.DuckDBPyConnection) -> None:
    """Fill `dictionary` from the codebook, `identity` from its seed and `indicator.identities`. Raises duckdb.Error."""
    rows = codebook.dictionary()
    con.execute("DELETE FROM dictionary")
    insert(con, "dictionary", {name: [row[name] for row in rows] for name in rows[0]})
    con.execute("DELETE FROM identity")
    con.execute(
        "INSERT INTO identity BY NAME SELECT * FROM read_csv(?, header = true, all_varchar = true, nullstr = '')",
        [str(SEEDS / "identities.csv")],
    )
    con.execute(_MEMBERSHIP)
