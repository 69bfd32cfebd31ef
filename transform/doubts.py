"""Figures in doubt are settled: by an identity, by an independent second reading of the whole document, or not at all."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from extract.grid import Document
from transform.certainty import Doubt, decide
from transform.check import Key, Operand, Result, check, equations
from transform.figures import Figures, Observed, read_figures
from transform.layout import Layout
from transform.numbers import Figure

#: What a method is called when an identity chose between readings.
BY_IDENTITY = "+identity"


def settle(figures: Figures, document: Document, forms: Sequence[Layout]) -> list[Result]:
    """Settle every doubt, in place; the results of every identity then.

    Where an identity fails with figures that were read only once, the document is read again by other means
    (`Document.again`): figures that both readings give alike are confirmed, so that the cause is the publisher; where they
    differ, an identity decides, or the figure is unreadable.
    """
    _settle_doubts(figures)
    results = run_checks(figures)
    if document.again and any(r.passed is False and r.cause == "unknown" for r in results):
        _compare(figures, document.again, forms)
        _settle_doubts(figures)
        return run_checks(figures)
    return results


def run_checks(figures: Figures) -> list[Result]:
    """Every identity of the report's sections, on the figures as printed."""
    return check({o.key: Operand(o.figure.value, o.confirmed) for o in figures.observed}, figures.formats)


def _settle_doubts(figures: Figures) -> None:
    doubted = {o.key: o for o in figures.observed if o.doubt}
    if not doubted:
        return
    certain = {o.key: o.figure.value for o in figures.observed if not o.doubt}
    doubts = {key: Doubt((o.figure, *o.rivals)) for key, o in doubted.items()}
    proved = decide(doubts, certain, equations([o.key for o in figures.observed], figures.formats))
    for key, observed in doubted.items():
        _close(figures, observed, proved.get(key))


def _close(figures: Figures, observed: Observed, proved: Figure | None) -> None:
    if proved is None:
        figures.problem("unreadable_cell", f"{observed.place}: {observed.doubt}")
        observed.figure = Figure(None, "unreadable", observed.figure.unit)
        observed.confirmed = False
    else:
        observed.figure = proved
        observed.method += BY_IDENTITY
        observed.confirmed = True
    observed.doubt, observed.rivals = None, ()


def _compare(figures: Figures, again: Callable[[], Document], forms: Sequence[Layout]) -> None:
    """Hold every figure against the second reading of the document; a figure that reading does not have is left as it is."""
    second: dict[Key, Observed] = {o.key: o for o in read_figures(again(), forms).observed}
    for observed in figures.observed:
        other = second.get(observed.key)
        if other is None or observed.figure.status == "unreadable" or other.doubt or other.figure.status == "unreadable":
            continue
        if (other.figure.value, other.figure.status) == (observed.figure.value, observed.figure.status):
            observed.confirmed = True
        else:
            observed.doubt = f"a second reading of the document sees {other.found.cell.text!r}"
            observed.rivals = (other.figure,)
