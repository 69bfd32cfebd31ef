"""The site in real headless Chromium, opened as files: pages, choices, charts, downloads, keyboard, both languages, no foreign request.

Pictures of the pages go to build/screens. Needs Debian's chromium; nothing is downloaded.
"""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from site_world import data, hard_cases, real_home

from extract.home import Home
from flows.site import make_site
from flows.site_forms import forms
from warehouse.query import connect, run_sql
from warehouse.site.build import build

sync_api = pytest.importorskip("playwright.sync_api", reason="the Python package playwright is not installed")
CHROMIUM = shutil.which("chromium")
FONTS = any(Path("/usr/share/fonts/truetype").rglob("wqy-*.ttc"))
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="the Debian package chromium is not installed"),
    pytest.mark.skipif(not FONTS, reason="the Debian package fonts-wqy-microhei is not installed"),
]
SCREENS = Path(__file__).parents[1] / "build" / "screens"
Open = Callable[..., Any]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return Home(real_home(tmp_path_factory.mktemp("site-home") / "home"))


@pytest.fixture(scope="module")
def site(home: Home) -> Path:
    return make_site(home, home.root / "site").path


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture
def visit(site: Path, browser: Any) -> Iterator[Open]:
    """Opens a page of the site; at the end of the test nothing may have been asked of another host, and no error logged."""
    contexts: list[Any] = []
    wrong: list[str] = []

    def go(address: str, lang: str = "zh", width: int = 1280, scheme: str = "light", of: Path = site) -> Any:
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, locale="zh-CN" if lang == "zh" else "en-GB"
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.on("console", lambda m: wrong.append(f"{m.type}: {m.text}") if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", lambda r: None if r.url.startswith(("file:", "data:", "blob:")) else wrong.append(f"asked {r.url}"))
        page.goto(f"{of.as_uri()}/{address}")
        ready(page)
        return page

    yield go
    for context in contexts:
        context.close()
    assert wrong == []


def ready(page: Any) -> None:
    page.wait_for_selector("#view:not([aria-busy])")


def drawn(page: Any) -> None:
    """Every chart of the page, also those below the window."""
    for chart in page.query_selector_all(".chart"):
        chart.scroll_into_view_if_needed()
    page.wait_for_function("[...document.querySelectorAll('.chart')].every(c => c.dataset.drawn)")
    page.evaluate("scrollTo(0, 0)")


def report_id(home: Home, media: str, district: str = "330302") -> str:
    with connect(home.warehouse) as con:
        found = con.execute("SELECT min(report_id) FROM report WHERE media = ? AND district_code = ?", [media, district]).fetchall()
    return str(found[0][0])


def addresses(home: Home) -> dict[str, str]:
    """One address of each page kind; the report with a cell open."""
    return {
        "overview": "index.html",
        "district": "district/330302.html",
        "compare": "compare.html",
        "report": f"report.html#id={report_id(home, 'pdf')}&d=330302&cell=granted/total",
        "errors": "errors.html",
    }


KINDS = ("overview", "district", "compare", "report", "errors")


@pytest.mark.parametrize("kind", KINDS)
def test_page_kinds_open_for_everybody(visit: Open, home: Home, kind: str) -> None:
    """In both languages, wide and on a phone, light and dark: no error, nothing cut off, and axe-core finds no serious fault."""
    from axe_playwright_python.sync_playwright import Axe

    SCREENS.mkdir(parents=True, exist_ok=True)
    for lang, width, scheme in (("zh", 1280, "light"), ("en", 390, "dark")):
        page = visit(addresses(home)[kind], lang, width, scheme)
        drawn(page)
        page.screenshot(path=SCREENS / f"{kind}-{lang}-{width}-{scheme}.png", full_page=kind != "report")
        assert page.evaluate("document.documentElement.lang") == ("zh-Hans" if lang == "zh" else "en")
        assert len(page.inner_text("main")) > 300
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        if (scheme == "dark") == KINDS.index(kind) % 2:
            continue  # once a page kind, light and dark in turn: they share one sheet
        faults = [v for v in Axe().run(page, options={"preload": False}).response["violations"] if v["impact"] in ("serious", "critical")]
        assert [(v["id"], [n["html"][:160] for n in v["nodes"]][:3]) for v in faults] == []


def test_the_switch_of_language_is_kept_by_address_and_by_browser(visit: Open) -> None:
    page = visit("index.html")
    assert page.inner_text("h1") == "概况"
    page.click("[data-language]")
    page.wait_for_function("document.querySelector('h1').innerText === 'Overview'")
    assert "lang=en" in page.url
    page.click("nav a >> text=Compare")
    ready(page)
    assert page.inner_text("h1") == "Compare" and "lang=en" in page.url
    page.goto(page.url.split("#")[0])
    ready(page)
    assert page.inner_text("h1") == "Compare", "without the address the browser remembers"


CHOICES = {
    "metric": "m=disclosure_rate_broad&from=2020&to=2023&scope=own",
    "small n": "m=correction_rate_reconsideration_loose&from=2020&to=2023&scope=own&min=1",
    "metric of a city": "m=denial_rate&from=2021&to=2022&scope=own&in=3303&view=slope",
    "figure": "m=new_received&a=total&scope=own&view=multiples",
    "applicant": "m=granted&a=natural_person&from=2021&to=2021&scope=own&in=330302,320812",
    "litigation": "m=reconsideration_total&scope=own&in=33",
    "days": "m=days_after_deadline&scope=own&view=table",
}


@pytest.mark.parametrize("choice", CHOICES)
def test_the_csv_is_what_the_sql_gives(visit: Open, home: Home, tmp_path: Path, choice: str) -> None:
    page = visit(f"compare.html#{CHOICES[choice]}")
    with page.expect_download() as found:
        page.click("#csv")
    found.value.save_as(tmp_path / "page.csv")
    stream = io.StringIO()
    assert run_sql(home.warehouse, page.inner_text("#sql"), "csv", stream=stream) > 0
    assert (tmp_path / "page.csv").read_text("utf-8-sig") == stream.getvalue()


def test_a_choice_is_kept_by_the_address(visit: Open) -> None:
    page = visit("compare.html")
    page.select_option("[name=m]", "new_received")
    page.wait_for_selector("[name=a]")
    page.select_option("[name=province]", "33")
    page.wait_for_function("location.hash.includes('in=33')")
    page.check("[name=view][value=multiples]")
    page.wait_for_function("location.hash.includes('view=multiples')")
    drawn(page)
    before = page.inner_text("#results")
    page.reload()
    ready(page)
    drawn(page)
    assert page.inner_text("#results") == before and "starts_with(district_code, '33')" in before


def test_charts_draw_every_figure_once(visit: Open, home: Home) -> None:
    page = visit("district/330302.html")
    drawn(page)
    with connect(home.warehouse) as con:
        outcomes, grounds = con.execute(
            """SELECT count(*) FILTER (section = 'litigation' AND NOT ends_with(indicator, '_total')),
            count(*) FILTER (starts_with(indicator, 'denied_') AND applicant = 'total')
            FROM panel WHERE district_code = '330302' AND value IS NOT NULL"""
        ).fetchall()[0]
    assert page.locator("#outcomes .mark-rect path").count() == outcomes > 0
    assert page.locator("#denials .mark-rect path").count() == grounds > 0
    intervals = page.evaluate("document.querySelector('#rate .chart').view.data('rows').map(r => [r.low, r.value, r.high])")
    assert intervals and all(low <= value <= high for low, value, high in intervals)
    assert page.locator("#documents .breaks li").count() == 1
    assert "n = " in page.inner_text("#denials figcaption")


def test_charts_are_given_as_svg_and_png(visit: Open, tmp_path: Path) -> None:
    page = visit("compare.html#m=disclosure_rate_broad&scope=own")
    drawn(page)
    for kind, start in (("SVG", b"<svg"), ("PNG", b"\x89PNG")):
        with page.expect_download() as found:
            page.click(f".actions button >> text={kind}")
        found.value.save_as(tmp_path / kind)
        assert (tmp_path / kind).read_bytes().startswith(start)
    svg = (tmp_path / "SVG").read_text("utf-8")
    assert "公开率" in svg and "n = " in svg and "本机关" in svg and "gongkai" in svg


def frame(page: Any) -> list[float]:
    """Left, top, width and height of the first frame, as parts of the picture."""
    style = page.eval_on_selector(".panel .frame", "e => [e.style.left, e.style.top, e.style.width, e.style.height]")
    return [float(value.rstrip("%")) / 100 for value in style]


@pytest.mark.parametrize("media", ["pdf", "html", "docx"])
def test_the_frame_stands_around_the_cell(visit: Open, home: Home, site: Path, media: str) -> None:
    """What a recogniser reads inside the frame is the figure."""
    import numpy as np
    from PIL import Image
    from rapidocr import RapidOCR

    key = report_id(home, media)
    with connect(home.warehouse) as con:
        found = con.execute(
            "SELECT concat_ws('/', indicator, applicant), raw_text FROM observation "
            "WHERE report_id = ? AND value >= 10 ORDER BY value DESC, 1 LIMIT 2",
            [key],
        ).fetchall()
    read = RapidOCR(params={"Global.log_level": "critical"})
    for cell, text in found:
        page = visit(f"report.html#id={key}&d=330302&cell={cell}")
        left, top, width, height = frame(page)
        with Image.open(site / "pictures" / Path(page.get_attribute(".panel img", "src")).name) as picture:
            w, h = picture.size
            box = (left * w + 3, top * h + 3, (left + width) * w - 3, (top + height) * h - 3)
            crop = picture.convert("RGB").crop(tuple(map(round, box)))
        crop = crop.resize((crop.width * 2, crop.height * 2))
        assert "".join(read(np.asarray(crop), use_det=False, use_cls=False).txts or ()).strip() == text


def test_a_cell_is_opened_and_closed_by_keyboard(visit: Open, home: Home) -> None:
    page = visit(f"report.html#id={report_id(home, 'html', '320812')}&d=320812")
    cell = page.locator("[data-key='processed_total/total']")
    assert "c-fails" in str(cell.get_attribute("class")) and "≠" in cell.inner_text()
    cell.focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.closest('.panel') !== null")
    panel = page.inner_text(".panel")
    assert "R1/total" in panel and "不符" in panel and "cell=processed_total/total" in page.url
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.dataset.key") == "processed_total/total"
    assert page.locator(".panel").is_hidden() and "cell=" not in page.url


def test_a_report_page_prints_every_figure_of_its_report(visit: Open, home: Home) -> None:
    for media in ("pdf", "html", "docx"):
        key = report_id(home, media)
        page = visit(f"report.html#id={key}")  # without its district: found by the publisher
        shown = dict(page.eval_on_selector_all(".cell", "all => all.map(e => [e.dataset.key, e.firstChild.textContent.trim()])"))
        with connect(home.warehouse) as con:
            found = dict(
                con.execute("SELECT concat_ws('/', indicator, applicant), raw_text FROM observation WHERE report_id = ?", [key]).fetchall()
            )
        assert shown == found


def test_an_error_shows_both_sides_and_the_page(visit: Open, home: Home) -> None:
    page = visit("errors.html")
    with connect(home.warehouse) as con:
        errors, cells = con.execute(
            "SELECT count(*), max(json_array_length(cells)) FILTER (check_id = 'R1') FROM publisher_error"
        ).fetchall()[0]
    assert page.locator(".card").count() == errors > 0
    card = page.locator(".card", has_text="R1/").first
    card.locator("summary").click()
    card.locator("img").wait_for()
    assert card.locator(".frame").count() == cells == 4
    assert "≠" in card.locator(".equation").inner_text()
    SCREENS.mkdir(parents=True, exist_ok=True)
    card.screenshot(path=SCREENS / "errors-open.png")


def test_search_leads_to_a_district(visit: Open) -> None:
    page = visit("index.html")
    page.fill("#find", "清江浦")
    page.keyboard.press("Enter")
    page.wait_for_url("**/district/320812.html*")


def test_a_broken_copy_says_what_is_missing(visit: Open, browser: Any, site: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(site, tmp_path / "copy", ignore=shutil.ignore_patterns("pictures"))
    (copy / "data" / "overview.js").unlink()
    page = browser.new_page(locale="en-GB")
    page.goto(f"{copy.as_uri()}/index.html")
    page.wait_for_selector("[role=alert]")
    assert "data/overview.js" in page.inner_text("[role=alert]")
    page.close()


def test_pages_print(visit: Open, home: Home) -> None:
    page = visit(addresses(home)["report"])
    page.emulate_media(media="print")
    SCREENS.mkdir(parents=True, exist_ok=True)
    page.pdf(path=SCREENS / "report-print.pdf", format="A4")
    assert page.locator("nav[aria-label]").first.is_hidden() and page.locator(".form").first.is_visible()


@pytest.fixture(scope="module")
def hard(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("hard")
    return build(hard_cases(root).published, root / "site", forms=forms()).path


def test_hard_reports(visit: Open, hard: Path) -> None:
    """Cells with every status, revised ones, an annex of 2014: on a phone, with hostile texts that stay texts."""
    reports = {(r["year"], r["version"]): r["id"] for r in data(hard, "report/330302")["reports"]}
    page = visit(f"report.html#id={reports[2022, 2]}&d=330302&cell=granted/business", "en", 390, of=hard)
    assert "from “0” to “1”" in page.inner_text(".panel")
    blank = page.locator("[data-key='carried_in/total']")
    assert blank.get_attribute("class") == "cell c-revised" and blank.locator("sup").inner_text() == "↻□"
    for text in (page.inner_text("h1"), page.inner_text("#unmapped"), page.title()):
        assert "<img src=x onerror" in text
    page.goto(page.url.replace(reports[2022, 2], reports[2018, 1]))
    page.reload()
    ready(page)
    assert page.locator(".f-legacy .cell").count() == page.locator(".cell").count() > 40
    other = data(hard, "report/330304")["reports"][0]["id"]
    page.goto(f"{hard.as_uri()}/report.html#id={other}&d=330304&cell=carried_out/total")
    page.reload()
    ready(page)
    shown = {k: page.locator(f"[data-key='{k}/total']").get_attribute("class") for k in ("granted", "carried_in", "carried_out")}
    assert shown == {"granted": "cell c-blank", "carried_in": "cell c-not_applicable", "carried_out": "cell c-unreadable"}
    assert "onerror" in page.inner_text(".big")
    assert page.evaluate("[document.documentElement.scrollWidth - innerWidth, window.pwned]") == [0, None]


def test_hard_series_and_comparisons(visit: Open, hard: Path) -> None:
    """Breaks of 2019, 2021 and 2024; few cases are not ranked; nothing to compare says why; what failed; no warning of Vega."""
    page = visit("district/330302.html", "en", 390, of=hard)
    drawn(page)
    years = lambda chart: page.locator(f"#{chart} .breaks b").all_inner_texts()  # noqa: E731
    assert {c: years(c) for c in ("requests", "rate", "denials")} == {c: ["2019"] for c in ("requests", "rate", "denials")}
    assert years("documents") == ["2019", "2021"] and years("outcomes") == ["2024"]
    assert page.evaluate("[document.documentElement.scrollWidth - innerWidth, window.pwned]") == [0, None]
    page = visit("compare.html#m=disclosure_rate_broad&to=2022&scope=own", "en", of=hard)
    drawn(page)
    assert "1 with n ≥ 20 are ranked" in page.inner_text("#chart figcaption") and "(n < 20)" in page.inner_text(".numbers")
    for choice, why in (
        ("scope=consolidated", "reports of: own"),
        ("scope=own&in=3208", "other places have 3"),
        ("m=new_received&to=2022&scope=own&view=ranking", ""),
    ):
        page.evaluate("a => { location.hash = a }", f"to=2022&{choice}")
        page.wait_for_function("a => document.querySelector('#results')?.innerText.includes(a)", arg=why or "Requests newly received")
    drawn(page)
    page = visit("index.html", "en", 390, of=hard)
    assert "fetch_failed" in page.inner_text("#failed") and "<img src=x onerror" in page.inner_text("#failed")
    assert page.evaluate("[document.documentElement.scrollWidth - innerWidth, window.pwned]") == [0, None]


def test_the_state_in_the_address_is_data_not_markup(visit: Open) -> None:
    page = visit("compare.html#m=%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E&scope=own&in='%20OR%201%3D1")
    assert "onerror" not in page.content() and "1=1" not in page.inner_text("#sql")
    assert json.loads(page.evaluate("JSON.stringify(gongkai.state())"))["scope"] == "own"
