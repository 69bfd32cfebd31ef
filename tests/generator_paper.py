"""What happens to a PDF once it is drawn: turned pages, broken font metrics, scans; and LibreOffice's exports of Word files."""

from __future__ import annotations

import io
import math
import random
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pikepdf
import pypdfium2 as pdfium
from PIL import Image, ImageFilter


def changed(data: bytes, style: set[str]) -> bytes:
    turn = next((int(s.split("_")[1]) for s in style if s.startswith("rotated_")), 0)
    if not (turn or style & {"crop_box", "zero_metrics"}):
        return data
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(data)) as file:
        for page in file.pages:
            if turn:
                _turn(file, page, turn)
            if "crop_box" in style:
                box = [float(v) for v in page.MediaBox]
                page.MediaBox = [-30, -40, box[2] + 50, box[3] + 20]
                page.CropBox = box
        if "zero_metrics" in style:
            for thing in file.objects:
                if isinstance(thing, pikepdf.Dictionary) and thing.get("/Type") == "/FontDescriptor":
                    thing.Ascent = thing.Descent = 0
        file.save(out, deterministic_id=True)
    return out.getvalue()


def _turn(file: pikepdf.Pdf, page: pikepdf.Page, turn: int) -> None:
    """Content lying on its side, and /Rotate that sets it upright."""
    _, _, width, height = (float(v) for v in page.MediaBox)
    matrix, size = {
        90: ((0, 1, -1, 0, height, 0), (height, width)),
        180: ((-1, 0, 0, -1, width, height), (width, height)),
        270: ((0, -1, 1, 0, 0, width), (height, width)),
    }[turn]
    page.contents_add(f"q {' '.join(map(str, matrix))} cm\n".encode(), prepend=True)
    page.contents_add(b"\nQ")
    page.MediaBox = [0, 0, *size]
    page.Rotate = turn


def scanned(data: bytes, seed: int, dpi: int = 200) -> bytes:
    """The pages as slightly turned, noisy pictures in a PDF without text."""
    rng = random.Random(f"scan {seed}")
    file = pdfium.PdfDocument(data)
    pictures = []
    for page in file:
        picture = page.render(scale=dpi / 72, grayscale=True).to_pil()
        picture = picture.rotate(rng.uniform(-0.7, 0.7), resample=Image.Resampling.BICUBIC, fillcolor=255)
        noise = Image.effect_noise(picture.size, rng.uniform(8, 24)) if rng.random() < 0.7 else None
        if noise:
            picture = Image.blend(picture, noise.convert("L"), 0.06)
        pictures.append(picture.filter(ImageFilter.GaussianBlur(rng.uniform(0, 0.7))))
    file.close()
    out = io.BytesIO()
    pictures[0].save(out, "PDF", save_all=True, append_images=pictures[1:], resolution=dpi, quality=85)
    return out.getvalue()


# --- LibreOffice


def office() -> str | None:
    """The LibreOffice program, None where there is none."""
    return shutil.which("soffice") or shutil.which("libreoffice")


def exported(files: Sequence[bytes], at_once: int = 40) -> list[bytes]:
    """Word files as LibreOffice exports them to PDF. Raises subprocess.CalledProcessError."""
    out: list[bytes] = []
    for i in range(math.ceil(len(files) / at_once)):
        out += _export(files[i * at_once : (i + 1) * at_once])
    return out


def _export(files: Sequence[bytes]) -> list[bytes]:
    program = office()
    assert program
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        paths = [here / f"{i}.docx" for i in range(len(files))]
        for path, data in zip(paths, files, strict=True):
            path.write_bytes(data)
        profile = f"-env:UserInstallation={(here / 'profile').as_uri()}"
        command = [program, profile, "--headless", "--convert-to", "pdf", "--outdir", folder, *map(str, paths)]
        subprocess.run(command, check=True, capture_output=True, timeout=300)
        return [path.with_suffix(".pdf").read_bytes() for path in paths]
