-- message: a name or a change of a district is about a code that is not there, or was not in force then
SELECT 'district_name' AS relation, district_code, NULL AS year FROM district_name ANTI JOIN district USING (district_code)
UNION ALL SELECT 'district', district_code, NULL FROM district ANTI JOIN district_name USING (district_code)
UNION ALL SELECT 'district_succession', from_code, year FROM district_succession
ANTI JOIN district ON district_code = from_code AND coalesce(valid_from, 0) < year AND coalesce(valid_to, year) >= year
UNION ALL SELECT 'district_succession', to_code, year FROM district_succession
ANTI JOIN district ON district_code = to_code AND coalesce(valid_from, 0) <= year AND coalesce(valid_to, year + 1) > year
