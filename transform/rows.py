"""The tidy rows of a document: names of the frames and the words of their columns. What a frame holds is in `transform.frames`.

Kept apart from it because importing pandas and pandera takes longer than reading a report: who only makes rows does not need them.
"""

from __future__ import annotations

SECTIONS = ("proactive", "requests", "litigation", "legacy")
STATUSES = ("reported", "blank", "not_applicable", "unreadable")
SCOPES = ("own", "level", "consolidated", "unknown")
APPLICANTS = (
    "natural_person",
    "business",
    "research_institution",
    "public_interest_organization",
    "legal_service",
    "other_organization",
    "total",
)
FORMATS = (2008, 2014, 2019, 2021)
OUTCOMES = ("loaded", "no_tables", "failed")
FRAMES = ("report", "observation", "check_result", "narrative", "unmapped_cell", "claim", "proof", "problem", "parse")

Rows = dict[str, list[dict[str, object]]]


def no_rows() -> Rows:
    """Rows of a document of which there are none yet."""
    return {name: [] for name in FRAMES}
