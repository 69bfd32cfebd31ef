-- The current reports with their figures side by side. A NULL says why in `missing`; a figure that fails an identity is named in `doubtful`.
CREATE OR REPLACE VIEW panel_wide AS
FROM report_figures WHERE is_current;
