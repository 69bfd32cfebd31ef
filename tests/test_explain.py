"""`gongkai explain`: the story of a figure, and a picture in which the framed cell really holds it."""

from __future__ import annotations

import shutil
from functools import cache
from io import BytesIO
from pathlib import Path

import numpy as np
import pypdfium2 as pdfium
import pytest
from PIL import Image
from rapidocr import RapidOCR
from typer.testing import CliRunner

from extract.picture import FRAME, PictureError, Place, draw
from extract.picture_table import FontMissingError, draw_table
from flows.cli import app
from warehouse.query import connect

CORPUS = Path(__file__).parents[2] / "shared" / "corpus"
SAMPLE = Path(__file__).parents[1] / "sources" / "sample" / "portal"
FONTS = any(Path("/usr/share/fonts/truetype").rglob("wqy-*.ttc"))
fonts = pytest.mark.skipif(not FONTS, reason="Debian package fonts-wqy-microhei is not installed")


def files() -> dict[str, Path]:
    found = {path.suffix[1:]: path for path in sorted(SAMPLE.rglob("*")) if path.suffix in (".pdf", ".docx")}
    page, pdf = (next(SAMPLE.rglob(name)) for name in ("art_*_44021.html", "*44023.pdf"))
    return {"html": page, "docx": found["docx"], "pdf": pdf}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a web page, a Word file, a PDF and a picture, each of a publisher of its own."""
    root = tmp_path_factory.mktemp("explain")
    sources = files()
    sources["png"] = root / "scan.png"
    page = pdfium.PdfDocument(sources["pdf"].read_bytes())[1]
    page.render(scale=2.5).to_pil().convert("L").save(sources["png"])
    for name, path in sources.items():
        run = [
            "ingest",
            str(path),
            "--publisher",
            f"鹿城区{name}局",
            "--district",
            "330302",
            "--home",
            str(root / "home"),
        ]
        result = CliRunner().invoke(app, [*run, "--year", "2023"] if name == "png" else run)
        assert result.exit_code in (0, 3), result.output
    return root / "home"


def figures(home: Path, media: str) -> list[tuple[str, str, str | None, str]]:
    """Figures of table three of more than one digit, most digits first: a number that is found by chance nowhere else."""
    with connect(home / "warehouse" / "gongkai.duckdb") as con:
        return con.execute(
            "SELECT report_id, indicator, applicant, raw_text FROM observation JOIN report USING (report_id) "
            "WHERE media = ? AND value_status = 'reported' ORDER BY length(raw_text) DESC, raw_text, indicator, applicant",
            [media],
        ).fetchall()


def framed(png: bytes) -> Image.Image:
    """What stands inside the frame."""
    picture = Image.open(BytesIO(png)).convert("RGB")
    pixels = np.asarray(picture).astype(int)
    red = (abs(pixels - np.array(FRAME)).sum(axis=2) < 40).nonzero()
    assert len(red[0]) > 50, "no frame"
    top, bottom, left, right = red[0].min(), red[0].max(), red[1].min(), red[1].max()
    return picture.crop((int(left) + 7, int(top) + 7, int(right) - 6, int(bottom) - 6))


@cache
def engine() -> RapidOCR:
    return RapidOCR(params={"Global.log_level": "critical"})


def read(picture: Image.Image) -> str:
    text = engine()(np.asarray(picture.resize((picture.width * 2, picture.height * 2))), use_det=False, use_cls=False)
    return "".join(text.txts or ()).strip()


@fonts
@pytest.mark.parametrize("media", ["html", "docx", "pdf", "image"])
def test_the_framed_cell_holds_the_figure(home: Path, tmp_path: Path, media: str) -> None:
    found = figures(home, media)[:3]
    assert len(found) == 3
    for number, (report_id, indicator, applicant, raw_text) in enumerate(found):
        out = tmp_path / f"{number}.png"
        more = ["--applicant", applicant] if applicant else []
        result = CliRunner().invoke(app, ["explain", report_id, indicator, *more, "--out", str(out), "--home", str(home)])
        assert result.exit_code == 0, result.output
        assert len(raw_text) > 1, "a figure of one digit proves little"
        assert read(framed(out.read_bytes())) == raw_text


def test_the_story_names_address_bytes_place_and_checks(home: Path) -> None:
    report_id = figures(home, "html")[0][0]
    result = CliRunner(env={"COLUMNS": "300"}).invoke(app, ["explain", report_id, "new_received", "--home", str(home)])
    with connect(home / "warehouse" / "gongkai.duckdb") as con:
        sha256, url = con.execute("SELECT document_sha256, url FROM report WHERE report_id = ?", [report_id]).fetchall()[0]
        value, row = con.execute(
            "SELECT value::INTEGER, row_no FROM observation WHERE report_id = ? AND indicator = 'new_received' AND applicant = 'total'",
            [report_id],
        ).fetchall()[0]
        carried = con.execute(
            "SELECT value::INTEGER FROM observation WHERE report_id = ? AND indicator = 'carried_in' AND applicant = 'total'", [report_id]
        ).fetchall()[0][0]
    said = "".join(result.output.split())  # lines are wrapped to the terminal
    assert said.startswith(f"{value}new_received/total")
    assert sha256 in said and url in said and ".warc.gzatbyte" in said
    assert f"row{row}," in said
    assert f"holdsR1total:new_received{value}+carried_in{carried}=processed_total" in said
    assert "holdsR2.new_receivedtotal:natural_person" in said


@pytest.mark.parametrize(
    ("indicator", "more", "said"),
    [
        ("new_recieved", [], "did you mean new_received"),
        ("new_received", ["--applicant", "robots"], "natural_person"),
        ("administrative_license_decisions", ["--applicant", "total"], "leave --applicant out"),
        ("regulation_made", [], "An absent figure is not a zero"),
    ],
)
def test_a_figure_that_is_not_there_is_said_to_be_so(home: Path, indicator: str, more: list[str], said: str) -> None:
    report_id = next(r for r, *_ in figures(home, "html"))
    result = CliRunner().invoke(app, ["explain", report_id, indicator, *more, "--home", str(home)])
    assert result.exit_code == 1
    assert said in " ".join(result.output.split())


def test_an_unknown_report_names_one_that_is_near(home: Path) -> None:
    report_id = figures(home, "pdf")[0][0]
    result = CliRunner().invoke(app, ["explain", report_id[:-1], "new_received", "--home", str(home)])
    assert result.exit_code == 1 and report_id in " ".join(result.output.split())


def test_no_warehouse(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["explain", "a-2021-00000000", "new_received", "--home", str(tmp_path)])
    assert result.exit_code == 1 and "no warehouse" in " ".join(result.output.split())


def test_another_text_at_the_place_is_never_framed() -> None:
    data = files()["html"].read_bytes()
    with pytest.raises(PictureError, match="where '63' was read"):
        draw(data, Place(3, 4, 10, None, None, "63"))
    with pytest.raises(PictureError, match="no table 9"):
        draw(data, Place(9, 1, 1, None, None, "63"))


def test_without_a_font_the_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from extract import picture_table
    from extract.picture import find_cell

    data = files()["html"].read_bytes()
    grid, cell = find_cell(data, Place(3, 4, 10, None, None, "62"))
    monkeypatch.setattr(picture_table, "_font_files", list)
    picture_table._font.cache_clear()
    with pytest.raises(FontMissingError, match="fonts-wqy-microhei"):
        draw_table(grid, cell)
    picture_table._font.cache_clear()


@fonts
def test_the_archived_version_is_shown_not_the_newest(home: Path, tmp_path: Path) -> None:
    """A damaged archive is told, and nothing is drawn from anything else."""
    copy = tmp_path / "home"
    shutil.copytree(home, copy)
    for file in (copy / "archive").glob("*.warc.gz"):
        file.write_bytes(b"\0" * file.stat().st_size)
    report_id = figures(home, "html")[0][0]
    out = tmp_path / "page.png"
    result = CliRunner().invoke(app, ["explain", report_id, "new_received", "--out", str(out), "--home", str(copy)])
    assert result.exit_code == 1 and not out.exists()


@fonts
@pytest.mark.skipif(not CORPUS.exists(), reason="../shared/corpus is not there")
@pytest.mark.parametrize("name", ["lucheng2021.pdf"])
def test_real_documents(name: str, tmp_path: Path) -> None:
    where = ["--home", str(tmp_path / "home")]
    run = ["ingest", str(CORPUS / name), "--publisher", "鹿城区政府办", "--district", "330302", *where]
    assert CliRunner().invoke(app, run).exit_code in (0, 3)
    with connect(tmp_path / "home" / "warehouse" / "gongkai.duckdb") as con:
        media = con.execute("SELECT media FROM report").fetchall()[0][0]
    report_id, indicator, applicant, raw_text = figures(tmp_path / "home", media)[0]
    out = tmp_path / "page.png"
    more = ["--applicant", applicant] if applicant else []
    result = CliRunner().invoke(app, ["explain", report_id, indicator, *more, "--out", str(out), *where])
    assert result.exit_code == 0, result.output
    assert read(framed(out.read_bytes())).replace(",", "") == raw_text.replace(",", "")
