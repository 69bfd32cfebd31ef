"""Sites with one fault each on the way from the server to the crawler: robots.txt, statuses, time, size, redirects, challenges."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from portal.case import INDEX, Builder, Trouble
from portal.reports import listing, page
from portal.server import Asked, Reply

ERROR = ("http_error",)
AWAY = ("unreachable",)
BLOCKED = ("script_challenge",)
BIG = 1_500_000


def build(b: Builder) -> None:
    """Every fault."""
    for make in (robots, waits, statuses, times, sizes, redirects, challenges):
        make(b)


def _robots(text: str | bytes, status: int = 200) -> Reply:
    return Reply(text, status, media="text/plain")


def robots(b: Builder) -> None:
    case = b.no_index("robots-index", Reply(listing([])), "robots_disallowed", says="robots.txt")
    case.pages["/robots.txt"] = _robots("User-agent: *\nDisallow: /\n")
    case.forbidden.append("/zfxxgknb/")

    case = b.one_bad("robots-report", Reply("x"), "robots_disallowed", says="robots.txt", path="/private/2021.html")
    case.pages["/robots.txt"] = _robots("User-agent: *\nDisallow: /private/\n")
    case.forbidden.append("/private/")

    case = b.one_bad("robots-wild", Reply("x"), "robots_disallowed", says="robots.txt", path="/files/2021.doc")
    case.pages["/robots.txt"] = _robots("\ufeffUser-agent: *\r\nDisallow:\r\n\r\nUser-Agent: Gongkai\r\nDisallow: /*.doc$\r\n")
    case.forbidden.append("/files/")

    case = b.no_index("robots-fails", Reply(listing([])), "robots_disallowed", "unreachable", "http_error", says="robots.txt")
    case.pages["/robots.txt"] = _robots("maintenance", 503)
    case.forbidden.append("/zfxxgknb/")

    case = b.new("robots-delay", least_gap=0.4)
    case.pages["/robots.txt"] = _robots("User-agent: *\nCrawl-delay: 0.4\nDisallow: /admin/\n")
    case.list([case.put(f"/art/{y}.html", case.report(y)) for y in (2023, 2022, 2021)])

    case = b.new("robots-page")
    case.pages["/robots.txt"] = Reply("<html><body>您访问的页面不存在</body></html>", 200)
    case.list([case.put("/art/2022.html", case.report(2022))])


def _at_first(first: Callable[[], Reply], then: Reply) -> Callable[[Asked], Reply]:
    return lambda asked: then if asked.before else first()


def _in_two_seconds() -> Reply:
    return Reply("later", 429, {"Retry-After": format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)})


def waits(b: Builder) -> None:
    firsts = {
        "wait-seconds": lambda: Reply("later", 429, {"Retry-After": "1"}),
        "wait-date": _in_two_seconds,
        "busy-once": lambda: Reply("busy", 503),
        "reset-once": lambda: Reply(fault="reset"),
    }
    for id_, first in firsts.items():
        case = b.new(id_)
        report = case.report(2022)
        slow = case.put("/art/2022.html", report, _at_first(first, Reply(page(report), etag=True)))
        case.list([slow, *(case.put(f"/art/{y}.html", case.report(y)) for y in (2021, 2020))])


def statuses(b: Builder) -> None:
    b.one_bad("error-always", Reply("oops", 500), *ERROR, says="500").most_requests = 6
    b.one_bad("not-there", Reply("not here", 404), *ERROR, says="404")
    b.one_bad("not-modified-ever", Reply("", 304), *ERROR, "unreachable", says="304").most_requests = 6
    b.one_bad("forbidden", Reply("<html>您的请求可能存在威胁，已被拦截！云防护</html>", 403), *BLOCKED, says="403")
    gone = "<html><head><title>提示</title></head><body><h2>抱歉，您访问的页面不存在或已被删除！</h2><a href='/'>返回首页</a></body></html>"
    b.one_bad("soft-404", Reply(gone), *ERROR, "soft_404", "not_found", "no_tables")
    b.no_index("index-gone", Reply("not here", 404), *ERROR, says="404")


def times(b: Builder) -> None:
    b.one_bad("timeout", Reply("late", wait=30), *AWAY).most_requests = 6
    b.one_bad("drip-headers", Reply("x" * 200, fault="drip_headers"), *AWAY).most_requests = 6
    b.one_bad("drip-body", Reply("x" * 500, fault="drip_body"), *AWAY).most_requests = 6
    b.one_bad("truncated", Reply("<html>half", fault="truncated"), *AWAY).most_requests = 6
    b.one_bad("reset", Reply(fault="reset"), *AWAY).most_requests = 6
    case = b.new("refused")
    case.site.host, case.site.base = b.portal.refused()
    case.troubles.append(Trouble(AWAY, INDEX, "refused"))
    b.no_index("index-timeout", Reply("late", wait=30), *AWAY).most_requests = 6


def sizes(b: Builder) -> None:
    b.one_bad("endless-body", Reply(fault="endless"), "too_large", says="").most_requests = 4
    b.one_bad("too-large", Reply(b"x" * BIG), "too_large").most_requests = 4
    b.one_bad("bomb", Reply(bytes(8_000_000), packed=True), "too_large").most_requests = 4
    b.one_bad("bomb-doubled", Reply(_twice_packed(), headers={"Content-Encoding": "gzip, gzip"}), "too_large").most_requests = 4


def _twice_packed() -> bytes:
    inner = Reply(bytes(8_000_000), packed=True).payload
    return Reply(inner, packed=True).payload


def redirects(b: Builder) -> None:
    def to(target: str) -> Reply:
        return Reply("", 302, {"Location": target})

    b.one_bad("redirect-loop", to("/art/bad.html"), *ERROR, *AWAY, "trap").most_requests = 12
    case = b.one_bad("redirect-cycle", to("/art/other.html"), *ERROR, *AWAY, "trap")
    case.pages["/art/other.html"], case.most_requests = to("/art/bad.html"), 12
    case = b.one_bad("redirect-login", to("/sso/login.do?back=/art/bad.html"), *ERROR, "blocked", says="login")
    case.pages["/sso/login.do?back=/art/bad.html"] = Reply("<html><form>用户名<input name=u></form></html>")
    case = b.one_bad("redirect-home", to("/"), *ERROR, "soft_404")
    case.pages["/"] = Reply("<html><body>欢迎访问</body></html>")
    b.one_bad("redirect-away", to("http://www.parked-domain.com/"), *ERROR, *AWAY, "off_site", says="parked-domain.com")
    case = b.one_bad("redirect-forbidden", to("/private/2021.html"), "robots_disallowed", says="robots.txt")
    case.pages["/robots.txt"] = _robots("User-agent: *\nDisallow: /private/\n")
    case.forbidden.append("/private/")


CHALLENGES = {
    "jiasule": Reply(
        "<script>document.cookie=('_')+('_')+('jsl_clearance_s')+('=')+(+!+[]+'')+';max-age=3600;path=/';"
        "location.href=location.pathname+location.search</script>",
        521,
        {"Set-Cookie": "__jsluid_s=b51; max-age=31536000; path=/; HttpOnly", "Server": "nginx"},
    ),
    "aliyun": Reply(
        "<html><script>var arg1='274E1264B626E35EEB058EECE01149F3496502CE';function setCookie(name,value){document.cookie=name+'='+value;}"
        "function reload(x){setCookie('acw_sc__v2',x);document.location.reload();}</script></html>"
    ),
    "ruishu": Reply(
        '<!DOCTYPE html><html><head><meta http-equiv="Content-Type" content="text/html; charset=utf-8">'
        '<meta id="9DhefwqGPrzGxEp9hPaoag" content="{qqqq" r="m"><script type="text/javascript" r="m">$_ts=window[\'$_ts\'];'
        "if(!$_ts)$_ts={};$_ts.nsd=96438;$_ts.cd=\"qE4\";</script><script src='/fF5.js' r='m'></script></head><body></body></html>",
        412,
    ),
    "wzws": Reply(
        "<!DOCTYPE HTML><html><head><title>正在验证</title></head><body><script>var wzwsquestion='gov';var wzwsfactor='4470';"
        "function WZWSconfirm(){window.location='/WZWSRELs2ZveHhnaw==?wzwschallenge='+wzwschallenge}</script></body></html>"
    ),
    "check": Reply(
        "<html><head><title>安全验证</title></head><body><noscript>请开启JavaScript并刷新该页</noscript><div id='captcha'>"
        "请完成下方验证后继续访问</div><script src='/captcha/slide.js'></script></body></html>"
    ),
}


def challenges(b: Builder) -> None:
    """Pages that want a browser: on the index, and in place of a report."""
    for brand, reply in CHALLENGES.items():
        b.no_index(f"challenge-{brand}", reply, *BLOCKED).most_requests = 6
    b.one_bad("challenge-report", CHALLENGES["aliyun"], *BLOCKED)
