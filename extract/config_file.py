"""The settings file: TOML with the names of the settings as keys. The environment outranks it, and it outranks the default."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any

from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource

NAME = "gongkai.toml"
#: Names the file; every process of a run inherits it, so all read the same one.
VARIABLE = "GONGKAI_CONFIG"


class ConfigFileError(ValueError):
    """The settings file is missing, can't be read or is no TOML. The message names it."""


def config_file() -> Path | None:
    """The file in use: the one GONGKAI_CONFIG names, else `gongkai.toml` in the home (GONGKAI_HOME, else ./data), else none."""
    named = os.environ.get(VARIABLE)
    if named:
        return Path(named)
    own = Path(os.environ.get("GONGKAI_HOME") or "data") / NAME
    return own if own.exists() else None


def read_config_file() -> dict[str, Any]:
    """What the file in use says; nothing where there is none. Raises ConfigFileError."""
    path = config_file()
    if path is None:
        return {}
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigFileError(f"{path}: {error}") from error


class FileSettings(BaseSettings):
    """Settings from the environment and the settings file. Raises ConfigFileError beside pydantic's ValidationError."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, InitSettingsSource(settings_cls, read_config_file())
