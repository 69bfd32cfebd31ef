"""RapidOCR with its packaged models: lines found in a picture, and crops read to text with the certainty of the least certain character."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from extract.scan_image import Picture
from extract.scan_ink import Box

#: The detector looks at a picture of at most this many pixels a side: lines are found as well as at full size, at a quarter of the time.
DETECT_SIDE = 960
#: Width to which crops are padded, in pixels at the model's height of 48: figures are read at 64 (at 48 `0` becomes `O`; the model's own
#: 320 reads the same and takes six times as long).
FIGURE_WIDTH, LINE_WIDTH = 64, 160
#: A line of running text less certain than this is left out: it is a stamp, a picture or dirt.
MIN_LINE = 0.6

_HAN = re.compile(r"[\u4e00-\u9fff]")
_FIGURE = re.compile(r"^[\s\d.,，．+＋\-－—–―/／%]*[\d\-－—–―/／][\s\d.,，．+＋\-－—–―/／%]*$")


@dataclass(frozen=True, slots=True)
class Reading:
    """What a crop says; `certainty` is that of its least certain character, 0 where nothing was read."""

    text: str
    certainty: float


@dataclass(frozen=True, slots=True)
class Line:
    """A line of running text with its box in pixels."""

    box: Box
    reading: Reading


class _Zeros:
    """The model's decoder for crops of figures, for which the letters that are drawn like a zero are one.

    Measured on 274 figures under five kinds of damage, cropped in eleven ways: `O` or `o` was never read where anything but `0` stood. The
    letters like a one (`l`, `I`, `|`) stay apart: the rest of a rule looks like them too.
    """

    LIKE_ZERO = "0OoОо〇○Ｏ０"

    def __init__(self, decoder: Any) -> None:
        self._decoder = decoder
        self._alike = [decoder.dict[c] for c in self.LIKE_ZERO if c in decoder.dict]

    def __call__(self, chances: NDArray[np.float32], *args: Any, **named: Any) -> Any:
        merged = chances.copy()
        merged[:, :, self._alike] = 0
        merged[:, :, self._alike[0]] = chances[:, :, self._alike].sum(axis=2)
        return self._decoder(merged, *args, **named)


class Recogniser:
    """The models, loaded once in a process. Use `recogniser()`."""

    def __init__(self) -> None:
        from rapidocr import RapidOCR  # slow to import: once per worker, and only where a picture is read

        cv2.setNumThreads(1)
        engine: Any = RapidOCR(
            params={
                "EngineConfig.onnxruntime.intra_op_num_threads": 1,
                "EngineConfig.onnxruntime.inter_op_num_threads": 1,
                "Global.log_level": "error",
                "Global.use_cls": False,
                "Global.max_side_len": 20_000,
                "Global.text_score": MIN_LINE,
                "Det.limit_type": "max",
                "Det.limit_side_len": DETECT_SIDE,
            }
        )
        engine.return_word_box = True
        engine.recognize_txt([np.full((48, 48, 3), 255, np.uint8)])  # loads the model
        self._decoder: Any = engine.text_rec.postprocess_op
        self._zeros, self._engine = _Zeros(self._decoder), engine

    def read(self, crops: Sequence[Picture], width: int) -> list[Reading]:
        """Read crops of one line each; they are padded to `width` (FIGURE_WIDTH, LINE_WIDTH)."""
        if not crops:
            return []
        self._pad_to(width)
        result = self._engine.recognize_txt([cv2.cvtColor(c, cv2.COLOR_GRAY2BGR) for c in crops])
        return [Reading(t, min(w.confs, default=0.0)) for t, w in zip(result.txts, result.word_results, strict=True)]

    def find(self, picture: Picture) -> list[Line]:
        """Lines of text of a picture with their boxes, in reading order."""
        self._pad_to(LINE_WIDTH)
        result = self._engine(cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR), return_word_box=False)
        self._engine.return_word_box = True
        if result.boxes is None:
            return []
        found = zip(result.boxes, result.txts, result.scores, strict=True)
        return [Line(_box(quad), Reading(text, float(score))) for quad, text, score in found]

    def _pad_to(self, width: int) -> None:
        model = self._engine.text_rec
        figures = width == FIGURE_WIDTH
        model.rec_image_shape, model.rec_batch_num = [3, 48, width], 16 if figures else 1
        model.postprocess_op = self._zeros if figures else self._decoder


def _box(quad: Any) -> Box:
    (x0, top), (x1, bottom) = quad.min(axis=0), quad.max(axis=0)
    return Box(int(x0), int(top), int(x1), int(bottom))


def looks_like_figure(text: str) -> bool:
    """Whether a reading is made of digits, dashes and their punctuation alone."""
    return bool(_FIGURE.match(text))


def looks_like_label(text: str) -> bool:
    """Whether a reading has words in it and so can be no figure; units and remarks of a figure are short."""
    return len(_HAN.findall(text)) > 2


@cache
def recogniser() -> Recogniser:
    """The one recogniser of this process."""
    return Recogniser()
