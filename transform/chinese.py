"""Traditional characters to simplified ones: pages of a site's Big5 gateway print the same labels in them (domain.md Q-43)."""

from __future__ import annotations

from functools import cache

import opencc

#: Words, not characters, that such gateways change, in labels of the forms (信息 becomes 資訊).
_WORDS = {"程式": "程序", "资讯": "信息", "规范性档案": "规范性文件", "专案": "项目", "列资料": "列数据"}


def simplified(text: str) -> str:
    """The text in simplified characters; text that GB 2312 (simplified characters only) can write is as it was."""
    try:
        text.encode("gb2312")
    except UnicodeEncodeError:
        converted: str = _converter().convert(text)
    else:
        return text
    if converted != text:
        for gateway, original in _WORDS.items():
            converted = converted.replace(gateway, original)
    return converted


@cache
def _converter() -> opencc.OpenCC:
    return opencc.OpenCC("t2s")
