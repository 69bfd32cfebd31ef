"""RapidOCR with its packaged models: lines found in a picture, and crops read to text with the certainty of the least certain character."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from extract.scan_image import Picture
from extract.scan_ink import Box

#: The detector looks at a picture of at most this many pixels a side: lines of text around tables are found as well as at full size (single
#: figures are not, below 960; they have cells), at 0.18 s a page where 960 takes 0.3.
DETECT_SIDE = 736
#: The model's height in pixels, and the width of one of its steps. Crops are brought to whole steps and padded with nothing: a column of
#: padding takes as long as one of ink.
HEIGHT, STEP = 48, 8
#: The share of its width at which a crop is read first; one no wider than ONE_DIGIT of its height is read at NARROWEST: narrower ones are
#: read less certainly.
WORDS, FIGURES, ONE_DIGIT, NARROWEST = 0.7, 0.85, 0.9, 32
#: What is read less certainly is read again at its full width; crops of figures then padded to FIGURE_WIDTH, of words to LINE_WIDTH (at the
#: model's own 320 they read the same and take longer).
SURE, FIGURE_WIDTH, LINE_WIDTH = 0.9, 64, 160
#: Crops read at once, where they are equally wide.
BATCH = 16
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


@dataclass(frozen=True, slots=True)
class _Read:
    """A text with the mean and with the least certainty of its characters."""

    mean: Reading
    least: Reading


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
        together = chances[:, :, self._alike].sum(axis=2)
        chances[:, :, self._alike] = 0
        chances[:, :, self._alike[0]] = together
        return self._decoder(chances, *args, **named)


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
                "Global.use_rec": False,
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

    def figures(self, crops: Sequence[Picture]) -> list[Reading]:
        """Read crops of one line each that may be figures."""
        return [r.least for r in self._at_share(crops, FIGURES, self._zeros)]

    def figures_again(self, crops: Sequence[Picture]) -> list[Reading]:
        """The same at full width, for what is in doubt."""
        return [r.least for r in self._alike(crops, FIGURE_WIDTH, self._zeros)]

    def words(self, crops: Sequence[Picture]) -> list[Reading]:
        """Read crops of one line of words each."""
        return [r.least for r in self._words(crops)]

    def find(self, picture: Picture) -> list[Line]:
        """Lines of text of a picture with their boxes, in reading order; their certainty is the mean of their characters'."""
        coloured = cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR)
        boxes = self._engine(coloured).boxes
        if boxes is None:
            return []
        crops = [cv2.cvtColor(c, cv2.COLOR_BGR2GRAY) for c in self._engine.crop_text_regions(coloured, boxes)]
        found = zip(boxes, (r.mean for r in self._words(crops)), strict=True)
        return [Line(_box(quad), r) for quad, r in found if r.text.strip() and r.certainty >= MIN_LINE]

    def _words(self, crops: Sequence[Picture]) -> list[_Read]:
        out = self._at_share(crops, WORDS, self._decoder)
        doubtful = [i for i, r in enumerate(out) if r.mean.certainty < SURE]
        for i in doubtful:
            out[i] = self._alike([crops[i]], LINE_WIDTH, self._decoder)[0]
        return out

    def _at_share(self, crops: Sequence[Picture], share: float, decoder: Any) -> list[_Read]:
        """Read crops at a share of their width, those of one width together."""
        widths: defaultdict[int, list[int]] = defaultdict(list)
        for i, crop in enumerate(crops):
            widths[_width(crop, share)].append(i)
        found: dict[int, _Read] = {}
        for width, places in widths.items():
            found.update(zip(places, self._alike([cv2.resize(crops[i], (width, HEIGHT)) for i in places], width, decoder), strict=True))
        return [found[i] for i in range(len(crops))]

    def _alike(self, crops: Sequence[Any], width: int, decoder: Any) -> list[_Read]:
        """What crops say that are padded to `width`, or where one is wider, to that."""
        if not crops:
            return []
        model = self._engine.text_rec
        model.rec_image_shape, model.rec_batch_num, model.postprocess_op = [3, HEIGHT, width], BATCH, decoder
        result = self._engine.recognize_txt([cv2.cvtColor(c, cv2.COLOR_GRAY2BGR) for c in crops])
        rows = zip(result.txts, result.scores, result.word_results, strict=True)
        return [_Read(Reading(t, float(mean)), Reading(t, min(w.confs, default=0.0))) for t, mean, w in rows]


def _width(crop: Picture, share: float) -> int:
    """The width at which a crop is read, in whole steps."""
    height, width = crop.shape
    return NARROWEST if width <= ONE_DIGIT * height else max(round(HEIGHT * share * width / height / STEP) * STEP, NARROWEST)


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
