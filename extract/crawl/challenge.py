"""Answers that are not what was asked for: script challenges, blocks of a web application firewall, "not found" with status 200.

Told by what the page carries. A page with much text is none of them: real pages behind 瑞数 and 加速乐 carry the same scripts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from extract.charset import read_text
from extract.media import sniff

#: A page with more visible characters than this is taken for what it is; challenges and error pages have fewer.
MOST_TEXT = 400
#: A challenge lies within this many bytes; what is longer is cut for the search.
MOST_BYTES = 600_000

# Marker -> what gives it away: in scripts and attributes, whatever the status.
_SCRIPTS = {
    "瑞数 ($_ts)": r"\$_ts\s*=\s*window\[|\$_ts\.(?:cd|nsd)\s*=|\$_zvo\b",
    "加速乐 (__jsl_clearance)": r"__jsl_clearance|__jsluid|document\.cookie\s*=\s*\('_'\)\s*\+\s*\('_'\)",
    "阿里云 (acw_sc__v2)": r"acw_sc__v[23]|\bvar\s+arg1\s*=\s*'[0-9A-Fa-f]{32,}'|aliyun_waf_",
    "Cloudflare": r"/cdn-cgi/challenge-platform/|\bcf_chl_|cf-browser-verification",
    "安全狗": r"safedog|安全狗",
    "创宇盾": r"创宇盾|yunaq\.com|knownsec",
    "网站卫士 (WZWS)": r"\bwzws(?:question|challenge|confirm|template)|WZWSREL|wzws-waf-cgi",
    "captcha": r"TencentCaptcha|initGeetest|gt_captcha|waf[_-]?captcha|g-recaptcha",
}
# … and in what a reader would see; a phrase alone decides only on a page with almost no text.
_WORDS = {
    "needs JavaScript": r"请(?:开启|启用|打开)(?:您的)?(?:浏览器的?)?\s*JavaScript"
    r"|enable\s+JavaScript\s+(?:and|to\s+(?:continue|view|proceed))",
    "captcha": r"(?:请|需要?)(?:输入|完成|拖动|点击)[^。]{0,12}(?:验证码|滑块|安全验证)|访问验证|人机验证",
    "firewall": r"(?:您的)?(?:访问|请求)[^。]{0,12}(?:被(?:拦截|阻断|拒绝|禁止)|存在(?:异常|威胁)|疑似攻击)"
    r"|网站防火墙|Web应用防火墙|\bWAF\b",
}
_COOKIES = {"加速乐 (__jsl_clearance)": "__jsl_clearance", "阿里云 (acw_sc__v2)": "acw_sc__v"}
_SCRIPT = [(name, re.compile(pattern, re.I)) for name, pattern in _SCRIPTS.items()]
_WORD = [(name, re.compile(pattern, re.I)) for name, pattern in _WORDS.items()]

_NOT_FOUND = re.compile(
    r"\W*(?:(?:HTTP\s*)?(?:错误\s*)?404(?!\d)(?!号)(?:\W|错误|页面|not|error|$)|(?:error|错误)\W{0,3}404(?!\d)"
    r"|(?:抱歉|对不起|sorry)?\W*(?:(?:您|你)(?:要)?(?:访问|查看|查找|浏览|请求)的)?(?:页面|网页|文件|文章|信息|内容|资源)"
    r"(?:已经?)?(?:不存在|未找到|找不到|没有找到|无法找到|被?删除|丢失)"
    r"|(?:找不到|未找到|没有找到)(?:该|此|您\w{0,6}的)?(?:页面|网页|文件|文章|信息|内容)|(?:page|file)?\s*not\s+found)",
    re.I,
)
_HIDDEN = re.compile(r"<!--.*?-->|<(script|style|template)\b.*?(?:</\1\s*>|\Z)", re.I | re.S)
_NOSCRIPT = re.compile(r"<noscript\b.*?(?:</noscript\s*>|\Z)", re.I | re.S)
_HEADING = re.compile(r"<(title|h[1-3])\b[^>]*>(.*?)</\1\s*>", re.I | re.S)
_TITLE = re.compile(r"<title\b.*?</title\s*>", re.I | re.S)
_TAG = re.compile(r"<[^>]*>")


def challenge(status: int, cookies: Iterable[str], body: bytes) -> str | None:
    """Which challenge or block an answer is, None where it is none.

    Takes the status, the values of Set-Cookie and the decoded body. A short page with the script of a challenge is one; a phrase
    ("请开启JavaScript", "您的访问被拦截") decides only where there is hardly any other text. 412 and 521 with a script and no text
    are what 瑞数 and 加速乐 answer, whatever their scripts are called.
    """
    if not body or sniff(body) not in ("html", "text"):
        return None
    page = read_text(body[:MOST_BYTES])[0]
    text = _visible(page)
    if len(text) > MOST_TEXT:
        return None
    found = next((name for name, pattern in _SCRIPT if pattern.search(page)), None)
    if found is None and len(text) <= MOST_TEXT // 2:
        shown = text + _squeezed(" ".join(m.group() for m in _NOSCRIPT.finditer(page))) if "<script" in page.lower() else text
        found = next((name for name, pattern in _WORD if pattern.search(shown)), None)
    if found is None and status in (202, 412, 521) and not text and "<script" in page.lower():
        names = [name for name, cookie in _COOKIES.items() if any(cookie in value for value in cookies)]
        found = names[0] if names else f"HTTP {status} with a script and no text"
    return found


def soft_404(body: bytes) -> str | None:
    """The words by which a page answered with status 200 says that there is no such page; None where it does not.

    Only a short page without a table, whose title or heading begins with such words, or which has hardly any other words.
    """
    if sniff(body) != "html" or len(body) > MOST_BYTES:
        return None
    page = read_text(body)[0]
    text = _visible(page)
    if len(text) > MOST_TEXT or "<table" in page.lower():
        return None
    headings = [_squeezed(m.group(2)) for m in _HEADING.finditer(_HIDDEN.sub("", page))]
    said = [h for h in headings if _NOT_FOUND.match(h)]
    alone = _visible(_TITLE.sub(" ", page))
    if not said and len(alone) <= 80 and _NOT_FOUND.match(alone) and not re.search(r"\d", alone.replace("404", "")):
        said = [alone]
    return said[0][:80] if said else None


def _visible(page: str) -> str:
    """What a reader sees of a page, without white space between words of Chinese."""
    return _squeezed(_NOSCRIPT.sub(" ", _HIDDEN.sub(" ", page)))


def _squeezed(markup: str) -> str:
    return " ".join(_TAG.sub(" ", markup).replace("&nbsp;", " ").split())
