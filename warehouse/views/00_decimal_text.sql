-- number::VARCHAR of 128 bits, in two halves: four times as fast.
CREATE OR REPLACE MACRO decimal_text(number) AS CASE
    WHEN number < 10000000000000000000 THEN number::VARCHAR
    ELSE (number // 10000000000000000000)::VARCHAR || lpad((number % 10000000000000000000)::UBIGINT::VARCHAR, 19, '0')
END;
