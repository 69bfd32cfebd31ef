"""An index of a source with all its pages: what was asked and read of it, and whether that is all there is."""

from __future__ import annotations

from dataclasses import dataclass, field

from extract.crawl.families.base import Notice
from extract.crawl.pages import IndexPage


@dataclass(slots=True)
class Listing:
    """How far an index has been read.

    `stated` says how many pages each pager states, `seen` which different ones were read. `complete` turns false when something of it was
    lost; `whole` says that all of it was read, as far as the pages themselves tell.
    """

    url: str
    asked: set[str] = field(default_factory=set)
    signatures: set[int] = field(default_factory=set)
    first_signature: int | None = None
    read: int = 0
    reports: int = 0
    complete: bool = True
    limited: bool = False
    stated: dict[str, int] = field(default_factory=dict)
    seen: dict[str, set[int]] = field(default_factory=dict)
    repeated: str | None = None
    script: str | None = None
    told: set[tuple[str, str]] = field(default_factory=set)

    @property
    def whole(self) -> bool:
        """Whether every page was read and the listing is not one that a script draws."""
        return self.complete and self.read > 0 and not self._short() and not (self.script and not self.reports)

    def note(self, page: IndexPage, url: str) -> list[str]:
        """Take down a page that was read; the addresses of further pages it leads to, none where it only repeats another one.

        The first page often has two addresses; that any other page lists the same as one before it is a loop.
        """
        self.read += 1
        self.reports += len(page.reports)
        self.script = self.script or page.script
        drawn = [address for pager in page.pagers if pager.key not in self.stated for address in pager.addresses]
        for pager in page.pagers:
            if pager.pages is not None:
                self.stated.setdefault(pager.key, pager.pages)
        for key in page.keys:
            self.seen.setdefault(key, set()).add(page.signature)
        loops = page.signature in self.signatures and page.signature != self.first_signature
        if loops:
            self.repeated = self.repeated or url
        if self.first_signature is None:
            self.first_signature = page.signature
        self.signatures.add(page.signature)
        return [] if loops else [*page.pages, *drawn, *page.guesses]

    def is_new(self, notice: Notice) -> bool:
        """Whether a notice was not told yet of this listing; a trap is told once."""
        key = (notice.kind, "" if notice.kind == "trap" else notice.message)
        new = key not in self.told
        self.told.add(key)
        return new

    def close(self) -> list[tuple[Notice, str]]:
        """What can only be said once everything was read: each problem with the address it stands for."""
        found: list[tuple[Notice, str]] = []
        short = self._short() if self.complete else None
        again = f"; {self.repeated} lists the same as another page" if self.repeated else ""
        if short:
            message = f"the pager states {short[0]} pages, {short[1]} different ones could be read{again}"
            found.append((Notice("short_listing", message), self.url))
        elif self.repeated:
            message = "pagination repeats itself: this page lists the same as another one"
            found.append((Notice("trap", message, "warning"), self.repeated))
        if self.script and not self.reports and self.complete:
            message = f"the listing is drawn by a script no family knows: {self.script}"
            found.append((Notice("script_listing", message), self.url))
        self.complete = self.complete and not any(notice.severity == "failure" for notice, _ in found)
        return found

    def _short(self) -> tuple[int, int] | None:
        """Pages stated and pages read of the first pager that states more than were read."""
        counts = ((stated, len(self.seen.get(key, ()))) for key, stated in self.stated.items())
        return next(((stated, read) for stated, read in counts if read < stated), None)
