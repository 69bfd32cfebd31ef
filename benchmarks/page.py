"""docs/performance.md and its chart from the measured values: the parts between the markers are made, all other words are kept by hand."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import altair as alt
import pandas as pd
import vl_convert

from benchmarks.pipeline import KINDS

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "performance.md"
CHART = ROOT / "docs" / "performance.svg"
TITLES = {"pdf": "PDF with a text layer", "html": "Web pages", "docx": "Word files", "scan": "Scans, page by page"}
MARK = "<!-- {name}: made by `make bench` -->"
END = "<!-- /{name} -->"

Values = dict[str, Any]


def write(results: Values) -> None:
    """Put the parts of these results into the page, and draw the chart. Raises ValueError where a marker is missing."""
    text = PAGE.read_text("utf-8")
    parts = {"readers": readers, "targets": targets, "pipeline": pipeline}
    for name, make in parts.items():
        text = between(text, name, make(results))
    PAGE.write_text(text, "utf-8")
    if "readers" in results:
        CHART.write_text(chart(results), "utf-8")


def between(text: str, name: str, made: str) -> str:
    """A text with what stands between two markers replaced."""
    start, end = MARK.format(name=name), END.format(name=name)
    pattern = re.compile(re.escape(start) + ".*?" + re.escape(end), re.S)
    if not pattern.search(text):
        raise ValueError(f"docs/performance.md has no markers {name!r}")
    return pattern.sub(lambda _: f"{start}\n{made}\n{end}", text)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown: the first column to the left, all others to the right."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def origin(section: Values) -> str:
    """Where and when a section was measured."""
    told = ", ".join(f"{name} {v}" for name, v in section["versions"].items())
    load = section["load"]
    busy = (
        f" **Other programs were running (load {load:.1f} at the start): absolute times are too long.**"
        if load > section["cores"] / 2
        else ""
    )
    return f"Measured on {section['date']} with `{section['command']}`: {section['machine']}.{busy} {told}."


# --- readers


def readers(results: Values) -> str:
    section = results.get("readers")
    if section is None:
        return "Not measured."
    out = [origin(section), "", f"Medians of {section['rounds']} rounds.", "", "![CPU of each reader](performance.svg)"]
    for medium, rows in section["media"].items():
        out += ["", f"### {TITLES[medium]}", "", f"{section['documents'][medium]}.", "", _side_by_side(rows)]
    return "\n".join(out)


def _side_by_side(rows: Sequence[Values]) -> str:
    head = ["tool", "CPU ms", "wall ms", "CPU, gongkai = 1", "cells right", "wrong", "peak MB"]
    return table(head, [_row(r) for r in rows])


def _row(r: Values) -> list[str]:
    if r["reason"]:
        return [r["label"], f"not measured: {r['reason']}".replace("|", "/"), *[""] * 5]
    cells = [f"{r['right']} of {r['cells']}", str(r["wrong"])] if r["cells"] else ["–", "–"]
    return [r["label"], f"{r['cpu'] * 1000:.1f}", f"{r['wall'] * 1000:.1f}", f"{r['ratio']:.2f}", *cells, f"{r['peak']:.0f}"]


# --- the pipeline


def pipeline(results: Values) -> str:
    section = results.get("pipeline")
    if section is None:
        return "Not measured."
    found, idle, workers = section["growth"], section["nothing_new"], section["workers"]
    main = middle(found)
    parts = [
        origin(section),
        "",
        f"### Where the CPU of a night of {main['documents']:,} documents goes",
        "",
        _stages(main),
        "",
        "### Growth",
        "",
        _growth(found),
        "",
        "### A night with nothing new",
        "",
        _idle(idle),
        "",
        "### Two readers against one",
        "",
        f"{workers['documents']:,} PDFs: reading takes {workers['read_wall_1']:.1f} s by the clock with one reader, "
        f"{workers['read_wall_2']:.1f} s with two, start of the readers included: {workers['speedup']:.2f} times as fast. "
        f"CPU of the reading itself: {workers['cpu_1']:.1f} s and {workers['cpu_2']:.1f} s.",
    ]
    return "\n".join(parts)


def middle(growth: Sequence[Values]) -> Values:
    """The night that shares are told of: that of 1,000 documents, else the largest."""
    return next((g for g in growth if g["documents"] == 1000), growth[-1])


def _stages(night: Values) -> str:
    whole = sum(s["cpu"] for s in night["stages"])
    rows = [
        [s["name"], s["kind"], f"{s['cpu']:.2f}", f"{s['cpu'] / night['documents'] * 1000:.1f}", percent(s["cpu"] / whole)]
        for s in night["stages"]
    ]
    rows.append(["all", "", f"{whole:.2f}", f"{whole / night['documents'] * 1000:.1f}", "100 %"])
    media = ", ".join(f"{n} {m}" for m, n in night["media"].items())
    clock = ", ".join(f"{n} {night[f'{k}_wall']:.1f} s" for k, n in (("read", "reading"), ("build", "build"), ("publish", "publish")))
    text = f"{media}. By the clock {night['wall']:.1f} s: {clock}."
    return f"{text}\n\n{table(['stage', 'kind', 'CPU s', 'ms a document', 'share'], rows)}"


def _growth(found: Sequence[Values]) -> str:
    head = [
        "documents",
        "wall s",
        "CPU s",
        "without start, ms a document",
        "build s",
        "publish s",
        "parent peak MB",
        "reader beyond imports MB",
        "growth MB",
        "cells right",
    ]
    rows = []
    for g in found:
        cpu, begun = (sum(s["cpu"] for s in g["stages"] if s["kind"] in kinds) for kinds in (KINDS, KINDS[2:]))
        memory, each = g["readers"], (cpu - begun) / g["documents"] * 1000
        seconds = [f"{v:.1f}" for v in (g["wall"], cpu, each, g["build_wall"], g["publish_wall"])]
        megabytes = [f"{g['parent_peak']:.0f}", f"{memory['beyond']:.0f}", f"{memory['growth']:+.0f}"]
        rows.append([f"{g['documents']:,}", *seconds, *megabytes, f"{g['right']:,} of {g['cells']:,}"])
    return table(head, rows)


def _idle(idle: Values) -> str:
    steps = ", ".join(f"{name} {seconds:.2f}" for name, seconds in idle["steps"].items())
    known = f"{idle['documents']:,} known documents, conditional requests apart"
    return (
        f"{known}: {idle['wall']:.1f} s by the clock, {idle['cpu']:.1f} s of CPU. "
        f"Of this the start of the process and of Prefect's server {idle['start']:.1f} s, its record at the end {idle['drain']:.1f} s, "
        f"all between {idle['between']:.1f} s ({steps})."
    )


def percent(part: float) -> str:
    return f"{100 * part:.1f} %"


# --- targets


def targets(results: Values) -> str:
    rows = [*_reader_targets(results.get("readers")), *_pipeline_targets(results.get("pipeline"))]
    head = ["what", "target", "measured", "met"]
    elsewhere = ["25 million observations: load, memory, file, queries", "see there", "[Speed of queries](performance-warehouse.md)", ""]
    return table(head, [*([what, wanted, told, verdict(met)] for what, wanted, told, met in rows), elsewhere])


def verdict(met: bool | None) -> str:
    return {True: "yes", False: "**no**", None: "not measured"}[met]


Target = tuple[str, str, str, bool | None]


def _reader_targets(section: Values | None) -> Iterable[Target]:
    media: dict[str, dict[str, Values]] = {}
    if section:
        media = {m: {r["tool"]: r for r in rows if not r["reason"]} for m, rows in section["media"].items()}
    pdf = media.get("pdf", {})
    for tool, name, most in (
        ("camelot", 'plain `camelot.read_pdf(pages="all")`', 1 / 20),
        ("floor", "the floor", 3.0),
        ("pdfplumber", "pdfplumber", 1 / 5),
    ):
        yield (f"PDF, reading, CPU against {name}", *_against(pdf, "gongkai-read", tool, most))
        yield (f"PDF, reading and tidy, against {name}", *_against(pdf, "gongkai", tool, most))
    for medium, most_ms in (("html", 30.0), ("docx", 15.0)):
        ours = media.get(medium, {}).get("gongkai")
        told = f"{ours['cpu'] * 1000:.1f} ms" if ours else "–"
        yield (
            f"{TITLES[medium]}, reading and tidy, CPU a report",
            f"at most {most_ms:.0f} ms",
            told,
            ours["cpu"] * 1000 <= most_ms if ours else None,
        )
    scan = media.get("scan", {})
    yield ("scan, CPU a table page against RapidOCR on the whole page", *_against(scan, "gongkai-read", "rapidocr", 1 / 3))
    if {"gongkai-read", "rapidocr"} <= scan.keys():
        mine, theirs = scan["gongkai-read"]["right"], scan["rapidocr"]["right"]
        yield "scan, cells right", "as right", f"{mine} and {theirs} of {scan['rapidocr']['cells']}", mine >= theirs


def _against(rows: dict[str, Values], ours: str, theirs: str, most: float) -> tuple[str, str, bool | None]:
    wanted = f"at most 1/{1 / most:.0f}" if most < 1 else f"at most {most:.0f} times"
    if ours not in rows or theirs not in rows:
        return wanted, "–", None
    found = rows[ours]["ratio"] / rows[theirs]["ratio"]
    return wanted, f"1/{1 / found:.1f}" if found < 1 else f"{found:.1f} times", found <= most


def _pipeline_targets(section: Values | None) -> Iterable[Target]:
    if section is None:
        yield "pipeline", "", "–", None
        return
    night, idle, workers = middle(section["growth"]), section["nothing_new"], section["workers"]
    kinds = {k: sum(s["cpu"] for s in night["stages"] if s["kind"] == k) for k in KINDS}
    running, everything = kinds["orchestration"], sum(kinds.values())
    shares = running / (running + kinds["work"]), (running + kinds["start"]) / everything
    told = f"{percent(shares[1])} with the start of Prefect and of the run, {percent(shares[0])} while it runs"
    yield f"orchestration, share of CPU, {night['documents']:,} documents", "under 5 %", told, shares[1] < 0.05
    told = f"{idle['wall']:.1f} s, {idle['between']:.1f} s without start and end of Prefect"
    yield f"nothing new, {idle['documents']:,} known documents", "under 10 s", told, idle["wall"] < 10
    yield (
        f"two readers against one, {workers['documents']:,} PDFs",
        "at least 1.7 times",
        f"{workers['speedup']:.2f} times",
        workers["speedup"] >= 1.7,
    )
    largest = section["growth"][-1]
    memory = largest["readers"]
    told = f"{memory['beyond']:.0f} MB, growth {memory['growth']:+.0f} MB"
    yield (
        f"memory of a reader beyond imports, {largest['documents'] // 2:,} documents each",
        "under 200 MB, flat",
        told,
        memory["beyond"] < 200 and memory["growth"] < 20,
    )


# --- chart


def chart(results: Values) -> str:
    """CPU of each reader of PDFs, and the stages of a night, as SVG."""
    drawn = _reader_chart([r for r in results["readers"]["media"].get("pdf", []) if not r["reason"]])
    if "pipeline" in results:
        drawn = alt.vconcat(drawn, _stage_chart(middle(results["pipeline"]["growth"]))).resolve_scale(color="independent")
    return vl_convert.vegalite_to_svg(drawn.configure(background="white").configure_view(stroke=None).to_json())


def _reader_chart(rows: Sequence[Values]) -> Any:
    """Bars on a logarithmic scale, from 1 ms, fastest first."""
    ordered = sorted(rows, key=lambda r: r["cpu"])
    names = [r["label"] for r in ordered]
    whose = [_whose(r["tool"]) for r in ordered]
    data = pd.DataFrame({"tool": names, "ms": [r["cpu"] * 1000 for r in ordered], "from": 1.0, "whose": whose})
    colours = alt.Scale(domain=["gongkai", "floor", "rival"], range=["#1f5f99", "#9aa5ae", "#c8a15a"])
    base = alt.Chart(data, title="PDF with a text layer: CPU milliseconds a report (logarithmic)").encode(
        y=alt.Y("tool:N", sort=names, title=None, axis=alt.Axis(labelLimit=330)),
        x=alt.X("ms:Q", scale=alt.Scale(type="log", domainMin=1, nice=False), title=None),
    )
    bars = base.mark_bar().encode(x2="from:Q", color=alt.Color("whose:N", scale=colours, legend=None))
    labels = base.mark_text(align="left", dx=4).encode(text=alt.Text("ms:Q", format=",.0f"))
    return (bars + labels).properties(width=460)


def _whose(tool: str) -> str:
    return "gongkai" if tool.startswith("gongkai") else "floor" if tool == "floor" else "rival"


def _stage_chart(night: Values) -> Any:
    data = pd.DataFrame(night["stages"])
    colours = alt.Scale(domain=list(KINDS), range=["#1f5f99", "#b5533c", "#d9a79b", "#9aa5ae"])
    return (
        alt.Chart(data, title=f"A night of {night['documents']:,} documents: CPU seconds")
        .mark_bar()
        .encode(
            y=alt.Y("name:N", sort=None, title=None, axis=alt.Axis(labelLimit=330)),
            x=alt.X("cpu:Q", title=None),
            color=alt.Color("kind:N", scale=colours, title=None),
        )
        .properties(width=460)
    )
