-- message: a figure's indicator, section or unit is not the codebook's
SELECT DISTINCT o.section, o.indicator, o.unit FROM observation AS o LEFT JOIN indicator AS i USING (section, indicator)
WHERE i.indicator IS NULL OR o.unit NOT IN (i.unit, 'unknown')
UNION ALL SELECT DISTINCT NULL, indicator, unit FROM claim
WHERE indicator IS NOT NULL AND indicator NOT IN (SELECT indicator FROM indicator)
