"""The site's charts as Vega-Lite, made with Altair. Titles, axes and data are put in by the page, in its language, with n and filter.

Every chart reads the data set `rows`. Words between `{{` and `}}` are keys of the text catalogue; the page puts the words in their place.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import altair as alt
import vl_convert

#: Okabe and Ito's colours: told apart by the colour-blind too.
PALETTE = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#8f7a00", "#6c757d"]
_INK, _GREY = "#0b5c8a", "#8a9299"


def charts() -> dict[str, dict[str, Any]]:
    """Name -> specification."""
    made = {
        "requests": _lines("series", "{{chart.requests}}"),
        "rate": _rate(),
        "denials": _stacked("{{chart.cases_denied}}").properties(data=_ROWS),
        "outcomes": _stacked("{{chart.cases}}")
        .properties(width=210)
        .facet(facet=alt.Facet("part:N", title=None, sort=None), columns=3, data=_ROWS),
        "documents": _lines("series", "{{chart.documents}}"),
        "ranking": _ranking(),
        "slope": _slope(),
        "multiples": _multiples(),
    }
    return {name: _bare(chart) for name, chart in made.items()}


def _bare(chart: Any) -> dict[str, Any]:
    spec: dict[str, Any] = chart.to_dict(validate=True)
    for key in ("config", "datasets"):
        spec.pop(key, None)
    return spec


_ROWS = alt.NamedData(name="rows")
#: Two columns fit a phone.
_LEGEND = alt.Legend(columns=2, labelLimit=300, symbolOpacity=1)
_YEAR = alt.X("year:O", title="{{year}}", axis=alt.Axis(labelAngle=0))


def _breaks() -> Any:
    """A dashed rule before the first year after a break; rows of it carry `break` and no value."""
    return (
        alt.Chart(alt.NamedData(name="breaks"))
        .mark_rule(strokeDash=[4, 3], color="#b3261e", opacity=0.8, xOffset=0)
        .encode(
            x=alt.X("year:O", bandPosition=0, title="{{year}}", axis=alt.Axis(labelAngle=0)),
            tooltip=[alt.Tooltip("label:N", title="{{break}}")],
        )
    )


def _lines(series: str, title: str) -> Any:
    base = alt.Chart(_ROWS).encode(
        x=_YEAR,
        y=alt.Y("value:Q", title=title, scale=alt.Scale(zero=True)),
        color=alt.Color(f"{series}:N", title=None, sort=None, scale=alt.Scale(range=PALETTE), legend=_LEGEND),
        detail="segment:N",
        tooltip=[
            alt.Tooltip(f"{series}:N", title="{{series}}"),
            alt.Tooltip("year:O", title="{{year}}"),
            alt.Tooltip("value:Q", title="{{value}}"),
        ],
    )
    lines = base.mark_line(strokeWidth=2)
    points = base.mark_point(filled=True, size=70, opacity=1).encode(shape=alt.Shape(f"{series}:N", sort=None, legend=None))
    return alt.layer(_breaks(), lines, points).properties(width="container", height=240)


def _rate() -> Any:
    base = alt.Chart(_ROWS).encode(
        x=_YEAR,
        color=alt.Color("series:N", title=None, sort=None, scale=alt.Scale(range=PALETTE), legend=_LEGEND),
        xOffset=alt.XOffset("series:N", sort=None),
    )
    tips = [
        alt.Tooltip("series:N", title="{{series}}"),
        alt.Tooltip("year:O", title="{{year}}"),
        alt.Tooltip("value:Q", title="{{value}}", format=".1%"),
        alt.Tooltip("low:Q", title="{{low}}", format=".1%"),
        alt.Tooltip("high:Q", title="{{high}}", format=".1%"),
        alt.Tooltip("n:Q", title="n"),
    ]
    rate = alt.Y("low:Q", title="{{chart.rate}}", scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format="%"))
    intervals = base.mark_rule(strokeWidth=4, opacity=0.5).encode(y=rate, y2="high:Q", tooltip=tips)
    points = base.mark_point(filled=True, size=80, opacity=1).encode(
        y=alt.Y("value:Q"), shape=alt.Shape("series:N", sort=None, legend=None), tooltip=tips
    )
    return alt.layer(_breaks(), intervals, points).properties(width="container", height=240)


def _stacked(title: str) -> Any:
    # The rows stand at the top of the chart: a layer with data of its own is not split by a facet.
    bars = (
        alt.Chart()
        .mark_bar(stroke="white", strokeWidth=0.6, width=alt.RelativeBandSize(band=0.8))
        .encode(
            x=_YEAR,
            y=alt.Y("value:Q", title=title, stack="zero"),
            color=alt.Color("series:N", title=None, sort=None, scale=alt.Scale(range=PALETTE), legend=_LEGEND),
            order=alt.Order("order:Q"),
            tooltip=[
                alt.Tooltip("series:N", title="{{series}}"),
                alt.Tooltip("year:O", title="{{year}}"),
                alt.Tooltip("value:Q", title="{{value}}"),
            ],
        )
    )
    return alt.layer(_breaks(), bars).properties(width="container", height=240)


def _few(where: str) -> Any:
    """The shape of a point: a diamond where a rate rests on few cases, else a circle."""
    return alt.condition(where, alt.value("diamond"), alt.value("circle"))


def _ranking() -> Any:
    base = alt.Chart(_ROWS).encode(y=alt.Y("label:N", sort=None, title=None, axis=alt.Axis(labelLimit=220)))
    tips = [
        alt.Tooltip("label:N", title="{{publisher}}"),
        alt.Tooltip("value:Q", title="{{value}}"),
        alt.Tooltip("low:Q", title="{{low}}"),
        alt.Tooltip("high:Q", title="{{high}}"),
        alt.Tooltip("n:Q", title="n"),
    ]
    intervals = base.mark_rule(strokeWidth=5, opacity=0.3, color=_INK).encode(x=alt.X("low:Q"), x2="high:Q", tooltip=tips)
    points = base.mark_point(filled=True, size=75, opacity=1).encode(
        x=alt.X("value:Q", title="{{measure}}"),
        color=alt.condition("datum.ranked", alt.value(_INK), alt.value(_GREY)),
        shape=_few("!datum.ranked"),
        tooltip=tips,
    )
    return alt.layer(intervals, points).properties(width="container", height=alt.Step(22))


def _slope() -> Any:
    base = alt.Chart(_ROWS).encode(
        x=alt.X("year:O", title=None, axis=alt.Axis(labelAngle=0, labelFontSize=13), scale=alt.Scale(type="point", padding=0.08)),
        y=alt.Y("value:Q", title="{{measure}}", scale=alt.Scale(zero=False)),
        detail="key:N",
        color=alt.Color(
            "direction:N",
            title=None,
            sort=None,
            scale=alt.Scale(domain=["{{rises}}", "{{falls}}", "{{same}}"], range=[PALETTE[0], PALETTE[5], PALETTE[7]]),
        ),
        tooltip=[
            alt.Tooltip("label:N", title="{{publisher}}"),
            alt.Tooltip("year:O", title="{{year}}"),
            alt.Tooltip("value:Q", title="{{value}}"),
            alt.Tooltip("low:Q", title="{{low}}"),
            alt.Tooltip("high:Q", title="{{high}}"),
            alt.Tooltip("n:Q", title="n"),
        ],
    )
    lines = base.mark_line(strokeWidth=2).encode(
        strokeDash=alt.condition("datum.few", alt.value([4, 4]), alt.value([1, 0])),
        opacity=alt.condition("datum.few", alt.value(0.5), alt.value(1)),
    )
    points = base.mark_point(filled=True, size=60, opacity=1).encode(shape=_few("datum.point_few"))
    names = base.mark_text(align="left", dx=9).encode(text="label:N", y="place:Q").transform_filter("datum.last && datum.named")
    return alt.layer(lines, points, names).properties(width=420, height=420)


def _multiples() -> Any:
    base = alt.Chart().encode(
        x=alt.X("year:O", title=None, axis=alt.Axis(labelAngle=0)),
        y=alt.Y("value:Q", title=None),
        tooltip=[
            alt.Tooltip("label:N", title="{{publisher}}"),
            alt.Tooltip("year:O", title="{{year}}"),
            alt.Tooltip("value:Q", title="{{value}}"),
            alt.Tooltip("n:Q", title="n"),
        ],
    )
    band = base.mark_rule(strokeWidth=4, opacity=0.25, color=_INK).encode(y=alt.Y("low:Q", title=None), y2="high:Q")
    layers = alt.layer(
        band,
        base.mark_line(color=_INK).encode(detail="segment:N"),
        base.mark_point(filled=True, size=45, opacity=1).encode(
            shape=_few("datum.few"), color=alt.condition("datum.few", alt.value(_GREY), alt.value(_INK))
        ),
    )
    return layers.properties(width=150, height=110).facet(
        facet=alt.Facet("label:N", title=None, sort=None, header=alt.Header(labelLimit=170)), columns=4, data=_ROWS
    )


#: What the pages call.
_GLOBALS = "window.vegaEmbed = vegaEmbed;"


@cache
def library() -> str:
    """Vega, Vega-Lite and vega-embed as one script that needs nothing else; it comes in the package vl-convert-python."""
    return vl_convert.javascript_bundle(_GLOBALS)
