"""The parts of a Word file that are read (ECMA-376 part 2): its main document and its title; no other part is unpacked."""

from __future__ import annotations

import io
import posixpath
import zipfile

from lxml import etree
from lxml.etree import _Element as Element

#: Unpacked size above which a file is refused; reports have some 1 MB of XML.
MAX_UNPACKED = 256 * 1024 * 1024

_MAIN = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
_TYPES = "{http://schemas.openxmlformats.org/package/2006/content-types}"
_RELATION = "{http://schemas.openxmlformats.org/package/2006/relationships}Relationship"
_DOCUMENT = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"
_PROPERTIES = "http://schemas.openxmlformats.org/package/2006/relationships/metadata/core-properties"
_TITLE = "{http://purl.org/dc/elements/1.1/}title"
_BODY = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}body"


def open_word(data: bytes) -> tuple[Element, str | None]:
    """The body of a Word file and the title among its properties.

    Raises zipfile.BadZipFile, zlib.error, KeyError, ValueError or etree.XMLSyntaxError where these parts are damaged or lack, where the
    main part is no Word document, and where the file would unpack to more than MAX_UNPACKED bytes.
    """
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        _refuse_bomb(package)
        relations = [r for r in _parse(package.read("_rels/.rels")).iterchildren(_RELATION) if r.get("TargetMode") != "External"]
        main = _target(relations, _DOCUMENT)
        if main is None or (kind := _content_type(package, main)) != _MAIN:
            raise ValueError(f"not a Word document: {main and kind}")
        properties = _target(relations, _PROPERTIES)
        title = _parse(package.read(properties)).findtext(_TITLE) if properties else None
        body = _parse(package.read(main)).find(_BODY)
    if body is None:
        raise ValueError(f"{main} has no body")
    return body, (title or "").strip() or None


def _refuse_bomb(package: zipfile.ZipFile) -> None:
    """Raise ValueError for what would unpack to more than MAX_UNPACKED bytes (zipfile reads no more of a member than it declares)."""
    size = sum(member.file_size for member in package.infolist())
    if size > MAX_UNPACKED:
        raise ValueError(f"unpacks to {size} bytes")


def _parse(part: bytes) -> Element:
    return etree.fromstring(part, etree.XMLParser(remove_blank_text=True, resolve_entities=False))


def _target(relations: list[Element], kind: str) -> str | None:
    """The member that the one relationship of a kind leads to; None where there is none. Raises ValueError for several."""
    targets = [r.get("Target", "") for r in relations if r.get("Type") == kind]
    if len(targets) > 1:
        raise ValueError(f"{len(targets)} relationships of type {kind}")
    return posixpath.normpath(posixpath.join("/", targets[0])).lstrip("/") if targets else None


def _content_type(package: zipfile.ZipFile, member: str) -> str | None:
    types = _parse(package.read("[Content_Types].xml"))
    extension = posixpath.splitext(member)[1].removeprefix(".").lower()
    named = {(e.get("PartName") or "").lower(): e.get("ContentType") for e in types.iterchildren(_TYPES + "Override")}
    by_extension = {(e.get("Extension") or "").lower(): e.get("ContentType") for e in types.iterchildren(_TYPES + "Default")}
    return named.get(f"/{member}".lower(), by_extension.get(extension))
