CREATE TABLE district (
    district_code VARCHAR PRIMARY KEY,
    name VARCHAR NOT NULL,
    name_en VARCHAR,
    level level_enum NOT NULL,
    province_code VARCHAR,
    prefecture_code VARCHAR,
    valid_from SMALLINT,
    valid_to SMALLINT
);

CREATE TABLE publisher (
    publisher_id VARCHAR PRIMARY KEY,
    name VARCHAR NOT NULL,
    district_code VARCHAR NOT NULL,
    kind kind_enum NOT NULL,
    scope scope_enum
);

CREATE TABLE indicator (
    section section_enum NOT NULL,
    indicator VARCHAR PRIMARY KEY,
    label_zh VARCHAR NOT NULL,
    label_en VARCHAR NOT NULL,
    unit VARCHAR NOT NULL,
    format_2019 BOOLEAN NOT NULL,
    format_2021 BOOLEAN NOT NULL,
    series VARCHAR,
    comparability VARCHAR,
    definition VARCHAR NOT NULL,
    format_2014 BOOLEAN NOT NULL DEFAULT false
);
