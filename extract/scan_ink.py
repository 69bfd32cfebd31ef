"""What is ink in a cell of a picture: marks told from the remains of its rules and from dust, and the lines of text they make."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from extract.scan_grid import Region
from extract.scan_image import Picture

#: Lengths in pixels at scan_image.DPI. A mark not longer than a speck either way is dust; a rule leaves a strip of up to this thickness at
#: the edge of its cell; a box is drawn in by this much to leave its rules outside.
SPECK, STRIP, INSET = 4, 6, 3
#: How much darker than its surroundings ink is, of 250.
CONTRAST = 28
#: Ink as faint as this, of 250, and this many times the noise of the paper (standard deviations) is still ink.
FAINTEST, NOISE = 6.0, 5.0
#: A column of single characters is narrower than this many of its characters' heights.
UPENDED_WIDTH = 1.5


@dataclass(frozen=True, slots=True)
class Box:
    """A box in pixels; the right and lower edges lie outside."""

    x0: int
    top: int
    x1: int
    bottom: int

    @property
    def width(self) -> int:
        return self.x1 - self.x0

    @property
    def height(self) -> int:
        return self.bottom - self.top


def ink_mask(gray: Picture) -> Picture:
    """255 where a pixel is darker than the paper around it."""
    soft = cv2.GaussianBlur(gray, (3, 3), 0)
    mask = cv2.adaptiveThreshold(soft, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, 61, CONTRAST)
    return np.asarray(mask, np.uint8)


def marks(mask: Picture, region: Region) -> list[Box]:
    """Boxes of the connected marks in a cell that are neither dust nor a rest of its rules."""
    area = inner(mask, region)
    part = mask[area.top : area.bottom, area.x0 : area.x1]
    if not part.any():
        return []
    _, _, stats, _ = cv2.connectedComponentsWithStats(part, connectivity=8)
    kept = [s for s in stats[1:] if not _is_dust(s) and not _is_strip(s, part.shape)]
    return [Box(area.x0 + int(x), area.top + int(y), area.x0 + int(x + w), area.top + int(y + h)) for x, y, w, h, _ in kept]


def faint_marks(gray: Picture, region: Region) -> list[Box]:
    """Marks in a cell that are too faint for `marks`, but stand out from the noise of its paper: what has them is no blank."""
    cell = inner(gray, region)
    area = Box(cell.x0 + INSET, cell.top + INSET, cell.x1 - INSET, cell.bottom - INSET)
    if min(area.width, area.height) <= 3 * INSET:
        return []
    part = cv2.GaussianBlur(gray[area.top : area.bottom, area.x0 : area.x1], (0, 0), 1).astype(np.float32)
    paper = float(np.median(part))
    noise = 1.4826 * float(np.median(np.abs(part - paper)))
    faint = (part < paper - max(FAINTEST, NOISE * noise)).astype(np.uint8)
    _, _, stats, _ = cv2.connectedComponentsWithStats(faint, connectivity=8)
    kept = [s for s in stats[1:] if max(s[2], s[3]) > 2 * SPECK and not _is_strip(s, part.shape)]
    return [Box(area.x0 + int(x), area.top + int(y), area.x0 + int(x + w), area.top + int(y + h)) for x, y, w, h, _ in kept]


def inner(mask: Picture, region: Region) -> Box:
    """The cell without its rules."""
    height, width = mask.shape
    x0, top = max(round(region.x0) + INSET, 0), max(round(region.top) + INSET, 0)
    return Box(x0, top, max(min(round(region.x1) - INSET, width), x0 + 1), max(min(round(region.bottom) - INSET, height), top + 1))


def _is_dust(stats: NDArray[np.int32]) -> bool:
    return bool(max(stats[2], stats[3]) <= SPECK)


def _is_strip(stats: NDArray[np.int32], shape: tuple[int, ...]) -> bool:
    """Whether a mark lies along an edge of the cell, and is thin and long enough to be what is left of a rule."""
    x, y, w, h, _ = (int(v) for v in stats)
    along_x = (y <= 1 or y + h >= shape[0] - 1) and h <= STRIP and w >= 2 * h
    along_y = (x <= 1 or x + w >= shape[1] - 1) and w <= STRIP and h >= 4 * w
    return along_x or along_y


def text_lines(found: list[Box], line_height: float = 0.0) -> list[Box]:
    """Marks gathered to lines, top to bottom; what together is no higher than `line_height`, if known, is one line.

    A column of single characters is one line too: upended text.
    """
    lines: list[Box] = []
    for mark in sorted(found, key=lambda b: b.top):
        last = lines[-1] if lines else None
        if last and mark.top < last.bottom - 0.3 * min(mark.height, last.height):
            lines[-1] = around([last, mark])
        else:
            lines.append(mark)
    lines = _with_small_lines(lines, line_height)
    upended = len(lines) > 2 and around(lines).width < UPENDED_WIDTH * max(b.height for b in lines)
    return [around(lines)] if upended and is_upended(around(lines)) else lines


def is_upended(line: Box) -> bool:
    """Whether a line is a column of characters; `一` or a figure is never that high."""
    return line.height > 3 * line.width


def _with_small_lines(lines: list[Box], line_height: float) -> list[Box]:
    """Lines much lower than the highest (strokes of 三, dots, halves of a broken figure) join the line above them."""
    full = max(line_height, *(b.height for b in lines))
    out: list[Box] = []
    for line in lines:
        near = bool(out) and line.top - out[-1].bottom < 0.35 * full
        if near and around([out[-1], line]).height <= 1.25 * full:
            out[-1] = around([out[-1], line])
        else:
            out.append(line)
    return out


def around(boxes: list[Box]) -> Box:
    """The smallest box around boxes."""
    return Box(min(b.x0 for b in boxes), min(b.top for b in boxes), max(b.x1 for b in boxes), max(b.bottom for b in boxes))
