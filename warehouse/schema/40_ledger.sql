-- Made from codebook.yml: python -m warehouse.codebook schema
-- Every TIMESTAMP is UTC.
CREATE TABLE document (
    url VARCHAR NOT NULL,
    first_seen TIMESTAMP,
    last_seen TIMESTAMP,
    last_checked TIMESTAMP,
    status INTEGER,
    media VARCHAR,
    sha256 VARCHAR,
    bytes BIGINT,
    archive_file VARCHAR,
    archive_offset BIGINT
);

CREATE TABLE run (
    run_id VARCHAR NOT NULL,
    started_at TIMESTAMP NOT NULL,
    finished_at TIMESTAMP,
    version VARCHAR,
    command VARCHAR,
    status VARCHAR NOT NULL,
    documents_fetched BIGINT,
    documents_parsed BIGINT,
    reports_loaded BIGINT,
    observations_loaded BIGINT,
    problems BIGINT,
    counts JSON
);

CREATE TABLE sighting (
    publisher_id VARCHAR NOT NULL,
    url VARCHAR NOT NULL,
    title VARCHAR,
    year SMALLINT,
    declared BOOLEAN,
    role role_enum NOT NULL,
    parent_url VARCHAR,
    published_on DATE,
    first_seen TIMESTAMP,
    last_seen TIMESTAMP,
    last_run_id VARCHAR,
    is_alive BOOLEAN NOT NULL DEFAULT true,
    is_listed BOOLEAN NOT NULL DEFAULT true,
    unlisted_since TIMESTAMP
);

CREATE TABLE source_state (
    publisher_id VARCHAR NOT NULL,
    last_run_id VARCHAR NOT NULL,
    checked_at TIMESTAMP,
    index_read BOOLEAN NOT NULL,
    reports_found INTEGER,
    conditional INTEGER,
    unchanged INTEGER,
    fetched INTEGER
);

CREATE TABLE meta (
    key VARCHAR NOT NULL,
    value VARCHAR NOT NULL
);

CREATE TABLE gate_result (
    run_id VARCHAR NOT NULL,
    gate VARCHAR NOT NULL,
    measure VARCHAR,
    before DOUBLE,
    after DOUBLE,
    bound DOUBLE,
    passed BOOLEAN NOT NULL,
    accepted_reason VARCHAR
);
