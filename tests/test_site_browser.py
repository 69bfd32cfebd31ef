"""The site in real headless Chromium, opened as files: pages, choices, charts, downloads, keyboard, both languages, no foreign request.

Pictures of the pages go to build/screens. Needs Debian's chromium; nothing is downloaded. One home, one browser and, for each language and
window, one page for all tests: opening pages is what costs.
"""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw
from site_world import LYING, data, hard_cases, lying, real_home

from extract.home import Home
from extract.picture_pages import sheets
from flows.site import make_site
from flows.site_forms import forms
from warehouse.query import connect, run_sql
from warehouse.site.build import build
from warehouse.site.model import Picture, Wanted

sync_api = pytest.importorskip("playwright.sync_api", reason="the Python package playwright is not installed")
CHROMIUM = shutil.which("chromium")
FONTS = any(Path("/usr/share/fonts/truetype").rglob("wqy-*.ttc"))
pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="the Debian package chromium is not installed"),
    pytest.mark.skipif(not FONTS, reason="the Debian package fonts-wqy-microhei is not installed"),
]
SCREENS = Path(__file__).parents[1] / "build" / "screens"
Open = Callable[..., Any]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return real_home(tmp_path_factory.mktemp("site-home") / "home")


@pytest.fixture(scope="module")
def site(home: Home) -> Path:
    return make_site(home, home.root / "site").path


def draw(wanted: list[Wanted], folder: Path) -> Iterator[tuple[str, list[Picture] | str]]:
    """The page that lies on its side, with the cell of 予以公开 in blue; a document that is not in the archive; nothing for the others."""
    for report in wanted:
        if report.publisher_id == "ouhai":
            yield report.report_id, "the ledger knows no document"
        if not report.turns:
            continue
        page, stream = Image.new("RGB", LYING, "white"), io.BytesIO()
        ImageDraw.Draw(page).rectangle(lying(BLUE), fill="blue")
        page.save(stream, "PNG")
        sheet = sheets(stream.getvalue(), report.pages, report.tables, turns=report.turns)[0]
        sheet.image.save(folder / "lying-p1.png")
        yield report.report_id, [Picture("lying-p1.png", sheet.width, sheet.height, page=1, turn=sheet.turn)]


@pytest.fixture(scope="module")
def hard(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("hard")
    return build(hard_cases(root).published, root / "site", forms=forms(), draw=draw).path


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield launched
        launched.close()


class Tabs:
    """One page for each language and window, used again and again; what goes wrong in any of them is kept."""

    def __init__(self, browser: Any) -> None:
        self.browser = browser
        self.open: dict[tuple[str, int, str], Any] = {}
        self.wrong: list[str] = []

    def tab(self, lang: str, width: int, scheme: str) -> Any:
        if (lang, width, scheme) not in self.open:
            window = {"width": width, "height": 900}
            page = self.browser.new_context(viewport=window, color_scheme=scheme, locale="zh-CN" if lang == "zh" else "en-GB").new_page()
            page.set_default_timeout(30_000)
            page.on("console", lambda m: self.wrong.append(f"{m.type}: {m.text}") if m.type in ("error", "warning") else None)
            page.on("pageerror", lambda error: self.wrong.append(str(error)))
            page.on("request", lambda r: None if r.url.startswith(OWN) else self.wrong.append(f"asked {r.url}"))
            self.open[lang, width, scheme] = page
        return self.open[lang, width, scheme]


OWN = ("file:", "data:", "blob:", "about:")


@pytest.fixture(scope="module")
def tabs(browser: Any) -> Tabs:
    return Tabs(browser)


@pytest.fixture
def visit(site: Path, tabs: Tabs) -> Iterator[Open]:
    """Opens a page of the site; at the end of the test nothing may have been asked of another host, and no error logged."""

    def go(address: str, lang: str = "zh", width: int = 1280, scheme: str = "light", of: Path = site) -> Any:
        page = tabs.tab(lang, width, scheme)
        loaded, address = page.url.partition("#")[0], f"{of.as_uri()}/{address}"
        page.goto(address)
        if address.partition("#")[0] == loaded:
            page.reload()  # only what stands after # was new: the page was not loaded again
        return ready(page)

    yield go
    found, tabs.wrong = tabs.wrong, []
    assert found == []


def ready(page: Any) -> Any:
    page.wait_for_selector("#view:not([aria-busy])")
    return page


def turn_to(page: Any, state: str) -> Any:
    """Put another state after #, as a link or the reader's hand does, without loading the page again."""
    page.evaluate(
        "state => new Promise(done => { addEventListener('hashchange', done, {once: true}); location.hash = state; }).then(() => 0)", state
    )
    return ready(page)


def drawn(page: Any) -> None:
    """Every chart of the page, also those below the window."""
    for chart in page.query_selector_all(".chart"):
        chart.scroll_into_view_if_needed()
    page.wait_for_function("[...document.querySelectorAll('.chart')].every(c => c.dataset.drawn)")
    page.evaluate("scrollTo(0, 0)")


def picture(of: Any, name: str, **options: Any) -> None:
    SCREENS.mkdir(parents=True, exist_ok=True)
    of.screenshot(path=SCREENS / f"{name}.jpg", type="jpeg", quality=80, **options)


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
#: Three words of Latin letters in a row, where it is not said to be English, nor code.
ENGLISH = """() => {
  const three = /[A-Za-z]{2,}(?:[ ,]+[a-z’']{2,}){2,}/, found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.nodeType === 3 ? node.parentElement : node;
    if (element.closest("[lang=en], code, pre, script, svg style")) continue;
    const texts = node.nodeType === 3 ? [node.data] : ["title", "aria-label", "placeholder", "alt"].map(a => node.getAttribute(a) || "");
    found.push(...texts.filter(text => three.test(text)));
  }
  return found;
}"""


@pytest.mark.parametrize("kind", KINDS)
def test_page_kinds_open_for_everybody(visit: Open, home: Home, kind: str) -> None:
    """In both languages, wide and on a phone, light and dark, on paper: no error, nothing cut off, no word of the other language, and
    axe-core finds no serious fault."""
    from axe_playwright_python.sync_playwright import Axe

    for lang, width, scheme in (("zh", 1280, "light"), ("en", 390, "dark")):
        page = visit(addresses(home)[kind], lang, width, scheme)
        drawn(page)
        picture(page, f"{kind}-{lang}-{width}-{scheme}", full_page=lang == "zh" and kind != "report")
        assert page.evaluate("document.documentElement.lang") == ("zh-Hans" if lang == "zh" else "en")
        assert len(page.inner_text("main")) > 300 and "null" not in page.inner_text("main").split()
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        if lang == "zh":
            assert page.evaluate(ENGLISH) == []
        if (scheme == "dark") == KINDS.index(kind) % 2:
            prints(page, width)
            continue  # once a page kind, light and dark in turn: they share one sheet
        found = Axe().run(page, options={"preload": False, "resultTypes": ["violations"]}).response["violations"]
        faults = [v for v in found if v["impact"] in ("serious", "critical")]
        assert [(v["id"], [n["html"][:160] for n in v["nodes"]][:3]) for v in faults] == []


def test_the_switch_of_language_is_kept_by_address_and_by_browser(visit: Open) -> None:
    page = visit("index.html")
    assert page.inner_text("h1") == "概况"
    page.click("[data-language]")
    page.wait_for_function("document.querySelector('h1').innerText === 'Overview'")
    assert "lang=en" in page.url
    page.click("nav a >> text=Compare")
    page.wait_for_url("**/compare.html*")
    ready(page)
    assert page.inner_text("h1") == "Compare" and "lang=en" in page.url
    page.goto(page.url.split("#")[0])
    page.reload()
    ready(page)
    assert page.inner_text("h1") == "Compare", "without the address the browser remembers"
    page.evaluate("localStorage.clear()")


CHOICES = (
    "m=disclosure_rate_broad&from=2020&to=2023&scope=own",
    "m=correction_rate_reconsideration_loose&from=2020&to=2023&scope=own&min=1",
    "m=denial_rate&from=2021&to=2022&scope=own&in=3303&view=slope",
    "m=new_received&a=total&scope=own&view=multiples",
    "m=granted&a=natural_person&from=2021&to=2021&scope=own&in=330302,320812",
    "m=reconsideration_total&scope=own&in=33",
    "m=days_after_deadline&scope=own&view=table",
)


def test_the_csv_is_what_the_sql_gives(visit: Open, home: Home, tmp_path: Path) -> None:
    """Metrics and figures, all and few places, one year and several."""
    page = visit("compare.html")
    for choice in CHOICES:
        turn_to(page, choice)
        with page.expect_download() as found:
            page.click("#csv")
        found.value.save_as(tmp_path / "page.csv")
        stream = io.StringIO()
        assert run_sql(home.warehouse, page.inner_text("#sql"), "csv", stream=stream) > 0, choice
        assert (tmp_path / "page.csv").read_text("utf-8-sig") == stream.getvalue(), choice


def test_a_choice_is_kept_by_the_address_and_its_chart_given_as_svg_and_png(visit: Open, tmp_path: Path) -> None:
    page = visit("compare.html")
    page.select_option("[name=m]", "new_received")
    page.wait_for_selector("[name=a]")
    page.select_option("[name=province]", "33")
    page.wait_for_function("location.hash.includes('in=33')")
    page.check("[name=view][value=multiples]")
    page.wait_for_function("location.hash.includes('view=multiples')")
    ready(page)
    drawn(page)
    before = page.inner_text("#results")
    page.reload()
    ready(page)
    drawn(page)
    assert page.inner_text("#results") == before and "starts_with(district_code, '33')" in before
    for kind, start in (("SVG", b"<svg"), ("PNG", b"\x89PNG")):
        with page.expect_download() as found:
            page.click(f".actions button >> text={kind}")
        found.value.save_as(tmp_path / kind)
        assert (tmp_path / kind).read_bytes().startswith(start)
    svg = (tmp_path / "SVG").read_text("utf-8")
    assert "本年新收政府信息公开申请数量" in svg and "n = " in svg and "本机关" in svg and "gongkai" in svg


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


def frame(page: Any) -> list[float]:
    """Left, top, width and height of the first frame, as parts of the picture."""
    style = page.eval_on_selector(".panel .frame", "e => [e.style.left, e.style.top, e.style.width, e.style.height]")
    return [float(value.rstrip("%")) / 100 for value in style]


def framed(page: Any, site: Path) -> Any:
    """What is within the frame of the open cell."""
    left, top, width, height = frame(page)
    with Image.open(site / "pictures" / Path(page.get_attribute(".panel img", "src")).name) as image:
        w, h = image.size
        box = (left * w + 3, top * h + 3, (left + width) * w - 3, (top + height) * h - 3)
        return image.convert("RGB").crop(tuple(map(round, box)))


Read = Callable[[Any], str]


@pytest.fixture(scope="module")
def read() -> Read:
    """What a recogniser reads in a picture of one line."""
    import numpy as np
    from rapidocr import RapidOCR

    recogniser = RapidOCR(params={"Global.log_level": "critical"})

    def text(crop: Any) -> str:
        found = recogniser(np.asarray(crop.resize((crop.width * 2, crop.height * 2))), use_det=False, use_cls=False)
        return "".join(found.txts or ()).strip()

    return text


@pytest.mark.parametrize("media", ["pdf", "html", "docx"])
def test_a_report_page_prints_every_figure_and_frames_it(visit: Open, home: Home, site: Path, read: Read, media: str) -> None:
    """The report without its district is found by its publisher; what a recogniser reads inside the frame is the figure."""
    key = report_id(home, media)
    page = visit(f"report.html#id={key}")
    with connect(home.warehouse) as con:
        found = con.execute(
            "SELECT concat_ws('/', indicator, applicant), raw_text FROM observation WHERE report_id = ? ORDER BY value DESC NULLS LAST, 1",
            [key],
        ).fetchall()
    assert dict(page.eval_on_selector_all(".cell", "all => all.map(e => [e.dataset.key, e.firstChild.textContent.trim()])")) == dict(found)
    for cell, text in found[:2]:
        assert read(framed(turn_to(page, f"id={key}&d=330302&cell={cell}"), site)) == text


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
    picture(card, "errors-open")


def test_search_leads_to_a_district(visit: Open) -> None:
    page = visit("index.html")
    page.fill("#find", "清江浦")
    page.keyboard.press("Enter")
    page.wait_for_url("**/district/320812.html*")
    ready(page)


def test_a_broken_copy_says_what_is_missing(browser: Any, site: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(site, tmp_path / "copy", ignore=shutil.ignore_patterns("pictures"))
    (copy / "data" / "overview.js").unlink()
    page = browser.new_page(locale="en-GB")
    page.goto(f"{copy.as_uri()}/index.html")
    page.wait_for_selector("[role=alert]")
    assert "data/overview.js" in page.inner_text("[role=alert]")
    page.close()


def prints(page: Any, width: int) -> None:
    """On A4, black on white whatever the screen's colours; charts drawn for a wide window and tables are not cut off."""
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 700, "height": 900})
    assert page.locator("nav[aria-label]").first.is_hidden() and page.locator(".language").is_hidden()
    beyond = page.eval_on_selector_all(
        ".chart svg, .form, pre", "all => all.map(e => e.getBoundingClientRect().right - document.documentElement.clientWidth)"
    )
    assert all(pixels <= 0 for pixels in beyond)
    paper, *inks = page.evaluate(
        """[getComputedStyle(document.documentElement).getPropertyValue('--paper').trim(),
        ...new Set([...document.querySelectorAll('.chart text')].map(e => getComputedStyle(e).fill))]"""
    )
    assert paper == "#fff" and inks in ([], ["rgb(0, 0, 0)"])
    page.emulate_media(media="screen")
    page.set_viewport_size({"width": width, "height": 900})


# --- hard cases: statuses, hostile texts, breaks, few cases, withdrawn and missing documents

#: Which cell of a report 予以公开 of all applicants is, counted from 0; the page on its side shows it in blue.
BLUE = 30


def test_hard_reports(visit: Open, hard: Path) -> None:
    """Cells with every status, revised ones, an annex of 2014: on a phone, with hostile texts that stay texts."""
    reports = {(r["year"], r["version"]): r["id"] for r in data(hard, "report/330302")["reports"] if r["scope"] == "own"}
    page = visit(f"report.html#id={reports[2022, 2]}&d=330302&cell=granted/business", "en", 390, "dark", of=hard)
    assert "from “0” to “1”" in page.inner_text(".panel") and "made without pictures" in page.inner_text(".panel")
    blank = page.locator("[data-key='carried_in/total']")
    assert blank.get_attribute("class") == "cell c-revised" and blank.locator("sup").inner_text() == "↻□"
    for text in (page.inner_text("h1"), page.inner_text("#unmapped"), page.title()):
        assert "<img src=x onerror" in text
    turn_to(page, f"id={reports[2022, 1]}&d=330302")
    assert "superseded" in page.inner_text("#standing")
    turn_to(page, f"id={reports[2018, 1]}&d=330302")
    assert page.locator(".f-legacy .cell").count() == page.locator(".cell").count() > 40
    other = data(hard, "report/330304")["reports"][0]["id"]
    turn_to(page, f"id={other}&d=330304&cell=carried_out/total")
    shown = {k: page.locator(f"[data-key='{k}/total']").get_attribute("class") for k in ("granted", "carried_in", "carried_out")}
    assert shown == {"granted": "cell c-blank", "carried_in": "cell c-not_applicable", "carried_out": "cell c-unreadable"}
    legend = page.locator(".legend li").all_inner_texts()
    assert len(legend) == 6 and len({text.split()[0] for text in legend}) == 6, "each status has a sign of its own"
    assert "onerror" in page.inner_text(".big")
    assert "not in the archive" in page.inner_text(".panel .note")
    assert page.evaluate("[document.documentElement.scrollWidth - innerWidth, window.pwned]") == [0, None]


def test_a_withdrawn_report_whose_page_lies_on_its_side(visit: Open, hard: Path) -> None:
    """It is said where the report is shown and listed; its page is set upright, and the frame goes with it."""
    report = next(r for r in data(hard, "report/330303")["reports"] if r["year"] == 2021)
    page = visit(f"report.html#id={report['id']}&d=330303&cell=granted/total", of=hard)
    told = page.inner_text("#standing")
    assert "已撤下" in told and "HTTP 404" in told
    crop = framed(page, hard)
    assert crop.width > crop.height and set(crop.getdata()) == {(0, 0, 255)}
    page = visit("district/330303.html", of=hard)
    assert page.locator("#reports tr", has_text="2021").locator(".s-withdrawn").count() == 1
    assert "目录页没有列出" in page.inner_text("#publishers") and page.evaluate(ENGLISH) == []
    page = visit("index.html", of=hard)
    assert "撤下 1 份" in page.inner_text("#fresh") and "机关longwan" in page.inner_text("#fresh")


def test_hard_series(visit: Open, hard: Path) -> None:
    """Breaks of 2019, 2021 and 2024; a series for each scope; what failed is told; no warning of Vega."""
    page = visit("district/330302.html", "en", 390, "dark", of=hard)
    drawn(page)
    years = lambda chart: page.locator(f"#{chart} .breaks b").all_inner_texts()  # noqa: E731
    assert {c: years(c) for c in ("requests", "rate", "denials")} == {c: ["2019"] for c in ("requests", "rate", "denials")}
    assert years("documents") == ["2019", "2021"] and years("outcomes") == ["2024"]
    assert page.evaluate("[document.documentElement.scrollWidth - innerWidth, window.pwned]") == [0, None]
    received = "document.querySelector('#requests .chart').view.data('rows').map(r => r.value)"
    own = page.evaluate(received)
    turn_to(page, "publisher=lucheng&scope=consolidated")
    drawn(page)
    assert "consolidated" in page.inner_text("#requests figcaption") and page.evaluate(received) == [120, 120, 0]
    assert len(own) > 3 and 120 not in own, "figures of two scopes are never in one chart"
    page = visit("index.html", "en", 390, "dark", of=hard)
    assert "http_error" in page.inner_text("#failed") and "<img src=x onerror" in page.inner_text("#failed")
    assert page.evaluate("[document.documentElement.scrollWidth - innerWidth, window.pwned]") == [0, None]


def test_hard_comparisons(visit: Open, hard: Path) -> None:
    """Few cases are not ranked, and marked where they are drawn; nothing to compare says why."""
    page = visit("compare.html#m=disclosure_rate_broad&to=2022&scope=own", "en", 390, "dark", of=hard)
    drawn(page)
    assert "1 with n ≥ 20 are ranked" in page.inner_text("#chart figcaption") and "(n < 20)" in page.inner_text(".numbers")
    turn_to(page, "m=disclosure_rate_broad&from=2021&to=2022&scope=own&view=slope")
    drawn(page)
    assert "1 of them with n < 20" in page.inner_text("#chart figcaption")
    few = page.evaluate("document.querySelector('#chart .chart').view.data('rows').map(r => [r.key, r.year, r.n, r.few, r.point_few])")
    assert [row for row in few if row[0] == "longwan"] == [["longwan", 2021, 40, True, False], ["longwan", 2022, 12, True, True]]
    assert not any(row[3] for row in few if row[0] == "lucheng")
    assert page.locator("#chart .mark-line path[stroke-dasharray='4,4']").count() == 1
    for choice, why in (
        ("scope=level&to=2022", "reports of: own, consolidated"),
        ("scope=own&to=2022&in=3208", "other places have 3"),
        ("m=new_received&to=2022&scope=own&view=ranking", "Requests newly received"),
    ):
        assert why in turn_to(page, choice).inner_text("#results")
    drawn(page)


def test_the_state_in_the_address_is_data_not_markup(visit: Open) -> None:
    page = visit("compare.html#m=%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E&scope=own&in='%20OR%201%3D1")
    assert "onerror" not in page.content() and "1=1" not in page.inner_text("#sql")
    assert json.loads(page.evaluate("JSON.stringify(gongkai.state())"))["scope"] == "own"
