-- Made from codebook.yml: python -m warehouse.codebook schema
CREATE TYPE section_enum AS ENUM ('proactive', 'requests', 'litigation', 'legacy');
CREATE TYPE applicant_enum AS ENUM ('natural_person', 'business', 'research_institution', 'public_interest_organization', 'legal_service', 'other_organization', 'total');
CREATE TYPE value_status_enum AS ENUM ('reported', 'blank', 'not_applicable', 'unreadable');
CREATE TYPE scope_enum AS ENUM ('own', 'level', 'consolidated', 'unknown');
CREATE TYPE cause_enum AS ENUM ('publisher', 'extraction', 'unknown');
CREATE TYPE level_enum AS ENUM ('province', 'prefecture', 'county');
CREATE TYPE kind_enum AS ENUM ('government', 'office', 'department', 'township', 'other');
CREATE TYPE stage_enum AS ENUM ('crawl', 'extract', 'transform', 'check', 'load');
CREATE TYPE severity_enum AS ENUM ('failure', 'warning');
CREATE TYPE origin_enum AS ENUM ('ledger', 'document', 'derived');
CREATE TYPE outcome_enum AS ENUM ('loaded', 'no_tables', 'failed');
CREATE TYPE role_enum AS ENUM ('page', 'attachment');
CREATE TYPE coverage_enum AS ENUM ('loaded', 'flagged', 'unreadable', 'unreachable', 'not_found', 'withdrawn', 'no_tables', 'robots_disallowed', 'not_due');
CREATE TYPE correction_action_enum AS ENUM ('set_value', 'set_status', 'drop');
CREATE TYPE correction_status_enum AS ENUM ('proposed', 'accepted', 'rejected', 'obsolete');
CREATE TYPE correction_outcome_enum AS ENUM ('applied', 'pending', 'unmatched', 'obsolete', 'conflict', 'inactive');
