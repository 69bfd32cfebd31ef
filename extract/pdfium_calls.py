"""pdfium's own functions, called by address: the checked calls of pypdfium2 would be most of the work for a page's characters.

Objects and buffers are passed as addresses (int); whoever calls keeps their owners alive. Python's lock is kept, the calls are
short. Names are those of pdfium's headers.
"""

from __future__ import annotations

from collections.abc import Callable
from ctypes import PYFUNCTYPE, c_int, c_size_t, c_uint32, c_void_p, cast
from typing import Any

import pypdfium2.raw as pdfium_c


def _called(function: Any, result: Any, *arguments: Any) -> Callable[..., Any]:
    return PYFUNCTYPE(result, *arguments)(cast(function, c_void_p).value or 0)


def address(handle: Any) -> int:
    """Of a pdfium handle (pypdfium2's `raw`)."""
    return cast(handle, c_void_p).value or 0


P, I = c_void_p, c_int  # noqa: E741
text_unicode = _called(pdfium_c.FPDFText_GetUnicode, c_uint32, P, I)
text = _called(pdfium_c.FPDFText_GetText, I, P, I, I, P)  # units of UTF-16, with the 0 at the end
text_object = _called(pdfium_c.FPDFText_GetTextObject, c_size_t, P, I)  # 0 for none
char_box = _called(pdfium_c.FPDFText_GetCharBox, I, P, I, P, P, P, P)
loose_box = _called(pdfium_c.FPDFText_GetLooseCharBox, I, P, I, P)
char_origin = _called(pdfium_c.FPDFText_GetCharOrigin, I, P, I, P, P)
char_matrix = _called(pdfium_c.FPDFText_GetMatrix, I, P, I, P)
map_error = _called(pdfium_c.FPDFText_HasUnicodeMapError, I, P, I)
font_size = _called(pdfium_c.FPDFTextObj_GetFontSize, I, P, P)
render_mode = _called(pdfium_c.FPDFTextObj_GetTextRenderMode, I, P)
mark_count = _called(pdfium_c.FPDFPageObj_CountMarks, I, P)
mark = _called(pdfium_c.FPDFPageObj_GetMark, P, P, c_uint32)
mark_value_type = _called(pdfium_c.FPDFPageObjMark_GetParamValueType, I, P, P)
object_count = _called(pdfium_c.FPDFPage_CountObjects, I, P)
page_object = _called(pdfium_c.FPDFPage_GetObject, P, P, I)
object_type = _called(pdfium_c.FPDFPageObj_GetType, I, P)
object_bounds = _called(pdfium_c.FPDFPageObj_GetBounds, I, P, P, P, P, P)
object_matrix = _called(pdfium_c.FPDFPageObj_GetMatrix, I, P, P)
draw_mode = _called(pdfium_c.FPDFPath_GetDrawMode, I, P, P, P)
segment_count = _called(pdfium_c.FPDFPath_CountSegments, I, P)
path_segment = _called(pdfium_c.FPDFPath_GetPathSegment, P, P, I)
segment_type = _called(pdfium_c.FPDFPathSegment_GetType, I, P)
segment_point = _called(pdfium_c.FPDFPathSegment_GetPoint, I, P, P, P)
segment_close = _called(pdfium_c.FPDFPathSegment_GetClose, I, P)
