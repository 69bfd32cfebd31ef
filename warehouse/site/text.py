"""The words of the site in both languages: text.yml, the one catalogue of all it says itself."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import yaml

LANGUAGES = ("zh", "en")


@cache
def catalogue() -> dict[str, dict[str, str]]:
    """Key -> language -> words. Raises ValueError for a key that lacks a language."""
    found: dict[str, dict[str, str]] = yaml.load((files(__package__) / "text.yml").read_bytes(), yaml.CSafeLoader)
    for key, words in found.items():
        if missing := [language for language in LANGUAGES if not str(words.get(language) or "").strip()]:
            raise ValueError(f"text.yml: {key} has no words in {', '.join(missing)}")
    return found
