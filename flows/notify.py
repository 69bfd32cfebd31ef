"""Tells people of a run through Apprise (mail, chat, webhook …). What can't be told is a warning: no run fails by it."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from typing import Literal

from pydantic import SecretStr

from extract.home import Home
from extract.ledger import Ledger
from extract.problem import Problem
from flows.settings import Settings

log = logging.getLogger("gongkai")

Level = Literal["failure", "alarm", "ok"]
#: Which levels a setting `notify_on` lets through.
HEARD: dict[str, tuple[Level, ...]] = {"failure": ("failure",), "alarm": ("failure", "alarm"), "always": ("failure", "alarm", "ok")}
#: Characters of a message; the whole summary lies in HOME/runs.
LENGTH = 8000


def faults(addresses: Iterable[SecretStr]) -> list[str]:
    """Addresses that Apprise does not understand, without their secrets; nothing is sent."""
    from apprise import Apprise

    return [f"notify: no address Apprise knows: {_scheme(a)}" for a in addresses if Apprise.instantiate(a.get_secret_value()) is None]


def masked(address: SecretStr) -> str:
    """An address without passwords, tokens and keys."""
    from apprise import Apprise

    known = Apprise.instantiate(address.get_secret_value())
    return str(known.url(privacy=True)) if known else _scheme(address)  # type: ignore[no-untyped-call]


def send(addresses: Sequence[SecretStr], title: str, text: str, level: Level) -> list[str]:
    """Send a Markdown text to every address; those that did not take it, without their secrets."""
    from apprise import Apprise, NotifyFormat, NotifyType

    kind = {"failure": NotifyType.FAILURE, "alarm": NotifyType.WARNING, "ok": NotifyType.SUCCESS}[level]
    lost = []
    for address in addresses:
        target = Apprise()
        target.add(address.get_secret_value())
        if not target.notify(text[:LENGTH], title, kind, NotifyFormat.MARKDOWN):
            lost.append(masked(address))
    return lost


def tell(home: Home, run_id: str | None, settings: Settings, title: str, text: str, level: Level) -> None:
    """Tell of a run as the settings say; what was not taken is a warning among the problems of the run."""
    if not settings.notify or level not in HEARD[settings.notify_on]:
        return
    lost = send(settings.notify, title, text, level)
    for address in lost:
        log.warning("not notified: %s", address)
    if lost and run_id is not None:
        with Ledger(home.ledger) as ledger:
            ledger.add_problems(run_id, [Problem("load", "not_notified", f"not taken by {a}", severity="warning") for a in lost])


def _scheme(address: SecretStr) -> str:
    scheme, mark, _ = address.get_secret_value().partition("://")
    return f"{scheme}://…" if mark else "…"
