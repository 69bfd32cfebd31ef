-- Made from codebook.yml: python -m warehouse.codebook schema
CREATE TABLE report (
    report_id VARCHAR PRIMARY KEY,
    publisher_id VARCHAR NOT NULL,
    district_code VARCHAR NOT NULL,
    year SMALLINT NOT NULL,
    scope scope_enum NOT NULL,
    scope_evidence VARCHAR,
    title VARCHAR,
    format SMALLINT CHECK (format IN (2008, 2014, 2019, 2021)),
    media VARCHAR NOT NULL,
    url VARCHAR NOT NULL,
    document_sha256 VARCHAR NOT NULL,
    published_on DATE,
    fetched_at TIMESTAMP NOT NULL,
    figures INTEGER NOT NULL,
    year_evidence VARCHAR NOT NULL,
    version INTEGER NOT NULL DEFAULT 0,
    is_current BOOLEAN NOT NULL DEFAULT false,
    report_no UINTEGER NOT NULL DEFAULT 0
);

-- No primary or foreign key: they cost 1.4 GB of memory and five times the load time on 25 million rows. The gate checks both.
CREATE TABLE observation (
    report_id VARCHAR NOT NULL,
    section section_enum NOT NULL,
    format SMALLINT NOT NULL CHECK (format IN (2008, 2014, 2019, 2021)),
    indicator VARCHAR NOT NULL,
    applicant applicant_enum,
    value DECIMAL(18, 4),
    value_status value_status_enum NOT NULL,
    raw_text VARCHAR NOT NULL,
    unit VARCHAR NOT NULL,
    page INTEGER,
    bbox DOUBLE[],
    method VARCHAR NOT NULL,
    table_no INTEGER NOT NULL,
    row_no INTEGER NOT NULL,
    col_no INTEGER NOT NULL,
    report_no UINTEGER NOT NULL DEFAULT 0,
    CHECK ((section = 'requests') = (applicant IS NOT NULL)),
    CHECK ((value_status = 'reported') = (value IS NOT NULL))
);

CREATE TABLE check_result (
    report_id VARCHAR NOT NULL,
    check_id VARCHAR NOT NULL,
    applicant applicant_enum,
    left_value DECIMAL(18, 4),
    right_value DECIMAL(18, 4),
    difference DECIMAL(18, 4),
    passed BOOLEAN,
    cause cause_enum,
    soft BOOLEAN NOT NULL DEFAULT false
);

CREATE TABLE narrative (
    report_id VARCHAR NOT NULL,
    section_no INTEGER NOT NULL,
    heading VARCHAR,
    text VARCHAR NOT NULL USING COMPRESSION zstd,
    block_no UINTEGER NOT NULL DEFAULT 0
);

CREATE TABLE narrative_block (
    block_no UINTEGER NOT NULL,
    grams BLOB NOT NULL USING COMPRESSION zstd
);

CREATE TABLE unmapped_cell (
    report_id VARCHAR NOT NULL,
    table_no INTEGER NOT NULL,
    row_no INTEGER NOT NULL,
    col_no INTEGER NOT NULL,
    row_label VARCHAR,
    column_label VARCHAR,
    text VARCHAR NOT NULL,
    page INTEGER,
    bbox DOUBLE[],
    method VARCHAR NOT NULL
);

CREATE TABLE claim (
    report_id VARCHAR NOT NULL,
    claim_no INTEGER NOT NULL,
    section_no INTEGER NOT NULL,
    what VARCHAR NOT NULL,
    value DECIMAL(18, 4) NOT NULL,
    unit VARCHAR,
    qualifier VARCHAR,
    sentence VARCHAR NOT NULL,
    start INTEGER NOT NULL,
    indicator VARCHAR,
    applicant applicant_enum,
    agrees BOOLEAN
);

CREATE TABLE problem (
    run_id VARCHAR NOT NULL,
    stage stage_enum NOT NULL,
    publisher_id VARCHAR,
    url VARCHAR,
    year SMALLINT,
    kind VARCHAR NOT NULL,
    message VARCHAR NOT NULL,
    severity severity_enum NOT NULL,
    is_open BOOLEAN NOT NULL DEFAULT true,
    document_sha256 VARCHAR,
    origin origin_enum NOT NULL
);

CREATE TABLE parse (
    publisher_id VARCHAR NOT NULL,
    document_sha256 VARCHAR NOT NULL,
    url VARCHAR NOT NULL,
    parser_version VARCHAR NOT NULL,
    run_id VARCHAR NOT NULL,
    outcome outcome_enum NOT NULL,
    report_id VARCHAR,
    year SMALLINT
);

CREATE TABLE proof (
    report_id VARCHAR NOT NULL,
    indicator VARCHAR NOT NULL,
    applicant applicant_enum,
    proved_value DECIMAL(18, 4) NOT NULL,
    rules VARCHAR NOT NULL
);

CREATE TABLE correction (
    correction_id VARCHAR NOT NULL,
    file VARCHAR NOT NULL,
    located_report_id VARCHAR,
    report_id VARCHAR,
    publisher_id VARCHAR,
    year SMALLINT,
    scope scope_enum,
    document_sha256 VARCHAR,
    indicator VARCHAR NOT NULL,
    applicant applicant_enum,
    expected_text VARCHAR,
    expected_value DECIMAL(18, 4),
    action correction_action_enum NOT NULL,
    corrected_value DECIMAL(18, 4),
    corrected_status value_status_enum,
    reason VARCHAR NOT NULL,
    evidence VARCHAR NOT NULL,
    status correction_status_enum NOT NULL,
    author VARCHAR NOT NULL,
    decided_on DATE NOT NULL,
    outcome correction_outcome_enum NOT NULL
);
