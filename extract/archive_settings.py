"""Settings of the archive, from the environment and the settings file, which every process of a run reads itself: secrets are in no job."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Self

from fsspec import get_filesystem_class
from pydantic import Field, SecretStr, TypeAdapter, ValidationError, field_validator, model_validator
from pydantic_settings import SettingsConfigDict

from extract.config_file import FileSettings

_OPTIONS: TypeAdapter[dict[str, Any]] = TypeAdapter(dict[str, Any])


class ArchiveSettings(FileSettings):
    """Where the archive lies. Raises pydantic.ValidationError for a value that can't be.

    `archive` is a folder, or an address of fsspec (`s3://bucket/prefix`); HOME/archive where it is left out. `archive_options` is a JSON
    object of options of the file system (s3fs: key, secret, endpoint_url, client_kwargs …); without it the usual AWS_* variables hold.
    """

    model_config = SettingsConfigDict(env_prefix="GONGKAI_", frozen=True, hide_input_in_errors=True, extra="ignore")

    archive: str | None = Field(default=None, min_length=1, description="folder or s3://bucket/prefix; HOME/archive")
    archive_options: SecretStr | None = Field(default=None, description="JSON object: options of the fsspec file system")
    warc_mb: int = Field(default=1024, ge=1, description="a WARC file is followed by the next when it has reached this size (MiB)")

    @field_validator("archive_options", mode="before")
    @classmethod
    def _table_of_the_file(cls, value: object) -> object:
        return json.dumps(value, default=str) if isinstance(value, dict) else value

    @field_validator("archive_options")
    @classmethod
    def _is_an_object(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            _parsed(value)
        return value

    @model_validator(mode="after")
    def _can_be_opened(self) -> Self:
        store = self.archive_store
        if store is None:
            return self
        protocol, _, rest = store.partition("://")
        if not rest.strip("/"):
            raise ValueError(f"archive: {store!r} names no bucket or folder")
        if "@" in rest.split("/")[0]:
            raise ValueError("archive: no user or password in the address; use GONGKAI_ARCHIVE_OPTIONS or AWS_* variables")
        try:
            get_filesystem_class(protocol)
        except ImportError as error:
            raise ValueError(f"archive: {error}; for s3 install gongkai[s3]") from error
        return self

    @property
    def archive_store(self) -> str | None:
        """The address of the object store, None where the archive is a folder."""
        if self.archive is None or "://" not in self.archive or self.archive.startswith("file://"):
            return None
        return self.archive.rstrip("/")

    @property
    def archive_folder(self) -> Path | None:
        """The folder, where one is set."""
        if self.archive is None or self.archive_store is not None:
            return None
        return Path(self.archive.removeprefix("file://")).expanduser().absolute()

    @property
    def warc_bytes(self) -> int:
        return self.warc_mb * 1024 * 1024

    def store_options(self) -> dict[str, Any]:
        """Options of the file system, secrets and all."""
        return _parsed(self.archive_options) if self.archive_options else {}


def _parsed(options: SecretStr) -> dict[str, Any]:
    try:
        return _OPTIONS.validate_json(options.get_secret_value())
    except ValidationError:
        raise ValueError("not a JSON object") from None  # pydantic's own message would quote the secret
