-- The bit that stands for three characters, given as code points, in narrative_block.grams: as in warehouse/prose.py.
CREATE OR REPLACE MACRO gram_bit(a, b, c) AS
    ((a::BIGINT * 2654435761 + b::BIGINT * 2246822519 + c::BIGINT * 3266489917) % 4294967296) >> 13;
