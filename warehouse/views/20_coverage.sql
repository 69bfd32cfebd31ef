CREATE OR REPLACE VIEW coverage AS
SELECT publisher_id, district_code, year, state, reason, due_on, last_seen, withdrawn_on FROM coverage_cell;
