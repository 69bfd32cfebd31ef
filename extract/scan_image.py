"""Pictures of pages made fit to be read: even background, turned upright, and the way back to the page as shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from extract.grid import BBox

Picture = NDArray[np.uint8]

#: Pictures are read at this resolution, in dots per inch: the models lose figures below 120, and above 200 only time is lost.
DPI = 200
#: In points.
A4_WIDTH = 595.0
#: A picture turned by more than this is not straightened, in degrees.
MAX_TURN = 6.0
#: The width at which the turn is measured, and the least length of a line that tells it, as a share of that width.
_TURN_WIDTH, _TURN_LENGTH = 1000, 0.08


@dataclass(frozen=True, slots=True)
class Upright:
    """A gray picture of a page with white background and level rules.

    `back` (2 x 3) leads from its pixels to points of the page as shown.
    """

    gray: Picture
    back: NDArray[np.float64]

    def box(self, x0: float, top: float, x1: float, bottom: float) -> BBox:
        """A box of this picture as the smallest box around it on the page as shown, in points from the upper left corner."""
        corners = np.array([(x, y, 1.0) for x in (x0, x1) for y in (top, bottom)]) @ self.back.T
        (left, upper), (right, lower) = corners.min(axis=0), corners.max(axis=0)
        return round(float(left), 2), round(float(upper), 2), round(float(right), 2), round(float(lower), 2)


def upright(gray: Picture, points_per_pixel: float, quarter_turns: int = 0) -> Upright:
    """Even out the background, turn the picture by quarter turns clockwise, then level its rules."""
    height, width = gray.shape
    turned = np.ascontiguousarray(np.rot90(gray, -quarter_turns))
    flat = even_background(turned)
    matrix = _levelling(flat)
    level = cv2.warpAffine(flat, matrix, (flat.shape[1], flat.shape[0]), flags=cv2.INTER_CUBIC, borderValue=(255,))
    whole = np.vstack([matrix, (0, 0, 1)]) @ _quarter(quarter_turns, width, height)
    back: NDArray[np.float64] = np.asarray(np.linalg.inv(whole), np.float64)
    return Upright(np.asarray(level, np.uint8), back[:2] * points_per_pixel)


def even_background(gray: Picture) -> Picture:
    """The picture divided by its own background (the lightest tone around each place), so that paper is white everywhere."""
    small = cv2.resize(gray, None, fx=0.125, fy=0.125, interpolation=cv2.INTER_AREA)
    paper = cv2.GaussianBlur(cv2.dilate(small, np.ones((7, 7), np.uint8)), (0, 0), 5)
    paper = cv2.resize(paper, (gray.shape[1], gray.shape[0]), interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.divide(gray, np.maximum(paper, 1), scale=250), np.uint8)


def _quarter(turns: int, width: int, height: int) -> NDArray[np.float64]:
    """The matrix of quarter turns clockwise of a picture of this size."""
    match turns % 4:
        case 1:
            return np.array([(0, -1, height), (1, 0, 0), (0, 0, 1)], float)
        case 2:
            return np.array([(-1, 0, width), (0, -1, height), (0, 0, 1)], float)
        case 3:
            return np.array([(0, 1, 0), (-1, 0, width), (0, 0, 1)], float)
    return np.eye(3)


def _levelling(gray: Picture) -> NDArray[np.float64]:
    """The matrix that makes horizontal rules level and vertical ones upright, about the middle of the picture."""
    across, down = _turns(gray)
    a, d = np.tan(np.radians((across, down)))
    if not (a or d):
        return np.eye(2, 3)
    length_x, length_y = np.hypot(1, a), np.hypot(1, d)
    tilted = np.array([(1 / length_x, -d / length_y), (a / length_x, 1 / length_y)])
    straight = np.linalg.inv(tilted)
    middle = np.array(gray.shape[::-1]) / 2
    return np.column_stack([straight, middle - straight @ middle])


def _turns(gray: Picture) -> tuple[float, float]:
    """By how many degrees (clockwise) the long horizontal and the long vertical lines of a picture are turned.

    The median by length; where only one kind is there, both turn alike; (0, 0) where nothing tells.
    """
    scale = min(1.0, _TURN_WIDTH / gray.shape[1])
    small = cv2.resize(gray, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    segments = cv2.createLineSegmentDetector(cv2.LSD_REFINE_NONE).detect(small)[0]
    if segments is None:
        return 0.0, 0.0
    dx, dy = (segments.reshape(-1, 4)[:, 2:] - segments.reshape(-1, 4)[:, :2]).T
    lengths = np.hypot(dx, dy)
    long = lengths >= _TURN_LENGTH * small.shape[1]
    directions = np.degrees(np.arctan2(dy, dx))
    across = _weighted_median((directions + 90) % 180 - 90, lengths, long)
    down = _weighted_median(directions % 180 - 90, lengths, long)
    known = [t for t in (across, down) if t is not None]
    if not known:
        return 0.0, 0.0
    return (across if across is not None else known[0]), (down if down is not None else known[0])


def _weighted_median(angles: NDArray[Any], weights: NDArray[Any], long: NDArray[np.bool_]) -> float | None:
    chosen = long & (np.abs(angles) <= MAX_TURN)
    if not chosen.any():
        return None
    order = np.argsort(angles[chosen])
    cumulated = np.cumsum(weights[chosen][order])
    return float(angles[chosen][order][np.searchsorted(cumulated, cumulated[-1] / 2)])
