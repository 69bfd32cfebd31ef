"""Sites that change between nights. `turn` sets the portal to a night."""

from __future__ import annotations

from portal.case import INDEX, Builder, Case
from portal.reports import page
from portal.server import Reply

OTHER_SEED = 4321


def build(b: Builder) -> None:
    """The sites as they are on the first night."""
    for id_ in ("changes", "vanishes", "returns", "delisted", "empties", "grows"):
        case = b.new(id_)
        case.list([case.put(f"/art/{y}.html", case.report(y)) for y in (2022, 2021)])


def turn(cases: dict[str, Case], night: int) -> None:
    """Second night: a report is another one, two are gone, one is not listed, an index is empty, one is new. Third: one is back."""
    changed, gone, back, bare, more = (cases[i] for i in ("changes", "vanishes", "returns", "empties", "grows"))
    if night == 2:
        changed.pages["/art/2021.html"] = Reply(page(changed.report(2021, OTHER_SEED)), etag=True)
        for case in (gone, back, cases["delisted"]):
            case.list([("/art/2022.html", case.report(2022))])
        gone.pages["/art/2021.html"] = back.pages["/art/2021.html"] = Reply("deleted", 404)
        bare.list([("/zn.html", "政府信息公开指南")])
        links = [more.put("/art/2023.html", more.report(2023)), *((f"/art/{y}.html", more.report(y)) for y in (2022, 2021))]
        more.list(links)
    if night == 3:
        back.put("/art/2021.html", back.report(2021))
        back.list([(f"/art/{y}.html", back.report(y)) for y in (2022, 2021)], INDEX)
