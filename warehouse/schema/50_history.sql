-- Made from codebook.yml: python -m warehouse.codebook schema
-- One row per visit to a source. Of a long history the ledger keeps all, this table the visits that queries need (warehouse/mirror.py).
CREATE TABLE visit (
    publisher_id VARCHAR NOT NULL,
    run_id VARCHAR NOT NULL,
    checked_at TIMESTAMP NOT NULL,
    index_read BOOLEAN NOT NULL,
    listed INTEGER NOT NULL,
    reports_found INTEGER NOT NULL,
    years SMALLINT[],
    conditional INTEGER,
    unchanged INTEGER,
    fetched INTEGER
);

-- One row per stretch of time in which an address answered with the same body.
CREATE TABLE presence (
    presence_no BIGINT NOT NULL,
    url VARCHAR NOT NULL,
    sha256 VARCHAR NOT NULL,
    first_seen TIMESTAMP NOT NULL,
    last_seen TIMESTAMP NOT NULL,
    gone_at TIMESTAMP,
    gone_status INTEGER
);

-- Counts over the figures of a report, so that nothing that looks at every report has to read every figure.
CREATE TABLE report_quality (
    report_id VARCHAR NOT NULL,
    cells INTEGER NOT NULL,
    reported INTEGER NOT NULL,
    blank INTEGER NOT NULL,
    not_applicable INTEGER NOT NULL,
    unreadable INTEGER NOT NULL,
    unit_unknown INTEGER NOT NULL,
    unmapped_cells INTEGER NOT NULL,
    checks_passed INTEGER NOT NULL,
    checks_failed INTEGER NOT NULL,
    checks_not_assessable INTEGER NOT NULL,
    soft_failed INTEGER NOT NULL,
    content_hash VARCHAR NOT NULL
);

-- A cell that reads differently than it did although the document is the same: we read better (or worse), the source did not change.
CREATE TABLE reading_change (
    run_id VARCHAR NOT NULL,
    report_id VARCHAR NOT NULL,
    publisher_id VARCHAR NOT NULL,
    document_sha256 VARCHAR NOT NULL,
    section section_enum NOT NULL,
    indicator VARCHAR NOT NULL,
    applicant applicant_enum,
    value_from DECIMAL(18, 4),
    value_to DECIMAL(18, 4),
    raw_from VARCHAR,
    raw_to VARCHAR,
    status_from value_status_enum,
    status_to value_status_enum,
    unit_from VARCHAR,
    unit_to VARCHAR,
    parser_from VARCHAR,
    parser_to VARCHAR
);

-- What the view coverage shows; made anew in every build.
CREATE TABLE coverage_cell (
    publisher_id VARCHAR NOT NULL,
    district_code VARCHAR NOT NULL,
    year SMALLINT NOT NULL,
    state coverage_enum NOT NULL,
    reason VARCHAR,
    due_on DATE NOT NULL,
    last_seen TIMESTAMP,
    withdrawn_on DATE
);

-- Made anew in every build (steps/07_report_stretch.sql).
CREATE TABLE report_stretch (
    report_id VARCHAR NOT NULL,
    publisher_id VARCHAR NOT NULL,
    year SMALLINT NOT NULL,
    scope scope_enum NOT NULL,
    url VARCHAR NOT NULL,
    page_url VARCHAR NOT NULL,
    valid_from TIMESTAMP NOT NULL,
    last_seen TIMESTAMP,
    valid_to TIMESTAMP,
    ended_by VARCHAR,
    listed_from TIMESTAMP,
    listed_to TIMESTAMP,
    is_graphic BOOLEAN NOT NULL,
    presence_no BIGINT NOT NULL
);
