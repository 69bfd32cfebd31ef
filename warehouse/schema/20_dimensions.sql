-- Made from codebook.yml: python -m warehouse.codebook schema
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

-- Seed: seeds/district_name.csv.
CREATE TABLE district_name (
    district_code VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    valid_from SMALLINT,
    valid_to SMALLINT
);

-- Seed: seeds/district_succession.csv.
CREATE TABLE district_succession (
    from_code VARCHAR NOT NULL,
    to_code VARCHAR NOT NULL,
    year SMALLINT NOT NULL,
    kind VARCHAR NOT NULL CHECK (kind IN ('renamed_code', 'upgraded', 'moved', 'merged', 'split')),
    whole BOOLEAN NOT NULL,
    main BOOLEAN NOT NULL,
    source VARCHAR NOT NULL,
    PRIMARY KEY (from_code, to_code, year)
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
    identities VARCHAR,
    format_2014 BOOLEAN NOT NULL DEFAULT false
);

CREATE TABLE identity (
    check_id VARCHAR NOT NULL,
    section section_enum NOT NULL,
    formats VARCHAR,
    evaluated_for VARCHAR,
    left_side VARCHAR NOT NULL,
    right_side VARCHAR NOT NULL,
    source VARCHAR NOT NULL
);

CREATE TABLE dictionary (
    relation VARCHAR NOT NULL,
    column_name VARCHAR,
    label_zh VARCHAR,
    label_en VARCHAR,
    description VARCHAR NOT NULL,
    unit VARCHAR,
    legal VARCHAR
);
