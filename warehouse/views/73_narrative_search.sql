-- Sections in which a phrase stands. Blocks that lack one of its groups of three characters (table narrative_block, made in warehouse/prose.py)
-- are not read; block 0 has no row there and is always read. Held against the text after the join, the phrase is not looked for in blocks that
-- are left out; of `phrase` as a parameter DuckDB would make a filter of the scan.
CREATE OR REPLACE MACRO narrative_search(phrase) AS TABLE
WITH wanted AS (
    SELECT
        phrase AS words,
        list_distinct(list_transform(
            range(1, greatest(length(phrase) - 1, 1)),
            lambda i: gram_bit(unicode(phrase[i]), unicode(phrase[i + 1]), unicode(phrase[i + 2]))
        )) AS places
),
candidate AS (
    SELECT b.block_no, w.words
    FROM (SELECT block_no, grams::BIT AS bits FROM narrative_block) AS b CROSS JOIN wanted AS w
    WHERE coalesce(list_bool_and(list_transform(w.places, lambda place: get_bit(b.bits, place::INTEGER) = 1)), true)
    UNION ALL
    SELECT 0::UINTEGER, words FROM wanted
)
SELECT n.report_id, n.section_no, n.heading, n.text
FROM narrative AS n JOIN candidate AS c USING (block_no)
WHERE contains(n.text, c.words);
