-- panel, as it stood at a moment (UTC), of what had been fetched by then. Readings are today's: a figure that is read better now is read
-- better for every moment.
CREATE OR REPLACE MACRO panel_as_of(moment) AS TABLE
SELECT f.* EXCLUDE (is_current) FROM placed_figure AS f JOIN report_rank(moment::TIMESTAMP) AS k USING (report_id) WHERE k.is_current;
