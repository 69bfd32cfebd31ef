"""Answers that are not what was asked for are told by what they carry; real pages that carry the same scripts are not taken for them."""

import gzip

import pytest

from extract.crawl.challenge import challenge, soft_404

TEXT = "<p>本单位2023年共主动公开政府信息120条,受理依申请公开15件,均按期答复。</p>" * 20
# Shapes as public reports of these products show them; tokens are invented.
RUISHU = """<!DOCTYPE html><html><head><meta id="9DhefwqGPrzGxEp9hPaoag" content="c2Vl" r='m'>
<script type="text/javascript" r='m'>$_ts=window['$_ts'];if(!$_ts)$_ts={};$_ts.nsd=52206;$_ts.cd="qtJDrpAltcLq";</script>
<script type="text/javascript" charset="utf-8" src="/3of0EhpccaFM/RkdMx.bc4278d.js" r='m'></script></head><body></body></html>
<script r='m'>_$gW();</script>"""
JSL = "<script>document.cookie=('_')+('_')+('j')+('s')+('l')+('_')+('c')+('l');location.href=location.pathname+location.search</script>"
JSL_OPEN = "<script>document.cookie='__jsl_clearance_s=1718590950.375|-1|BNVM%3D;Max-age=3600';location.reload()</script>"
ALIYUN = "<html><script>var arg1='3000176000856006061501533003690027800375';function setCookie(n,v){}</script></html>"
SAFEDOG = "<html><title>网站防火墙</title><body><p>您的请求带有不合法参数，已被网站管理员设置拦截！</p><a href='http://www.safedog.cn'></a></body></html>"
CLOUDFLARE = (
    "<html><title>Just a moment...</title><noscript>Enable JavaScript and cookies to continue</noscript>"
    "<script src='/cdn-cgi/challenge-platform/h/b/orchestrate/chl_page/v1'></script></html>"
)
NOSCRIPT = "<html><noscript>请开启JavaScript并刷新该页.</noscript><script>go()</script></html>"
CAPTCHA = "<html><title>访问验证</title><body>请完成下列滑块验证后继续访问<script src='x.js'></script></body></html>"
BLOCKED = "<html><body><h3>您的访问被拦截</h3>事件编号 83f2</body></html>"


@pytest.mark.parametrize(
    ("status", "page", "marker"),
    [
        (412, RUISHU, "瑞数"),
        (200, RUISHU, "瑞数"),
        (202, RUISHU, "瑞数"),
        (521, JSL, "加速乐"),
        (521, JSL_OPEN, "加速乐"),
        (200, ALIYUN, "阿里云"),
        (403, SAFEDOG, "安全狗"),
        (503, CLOUDFLARE, "Cloudflare"),
        (200, NOSCRIPT, "needs JavaScript"),
        (200, CAPTCHA, "captcha"),
        (403, BLOCKED, "firewall"),
    ],
)
def test_challenges(status, page, marker):
    assert marker in challenge(status, [], page.encode())
    assert marker in challenge(status, [], page.encode("gb18030"))


def test_an_unknown_script_is_told_by_its_status_and_cookie():
    page = b"<script>var _0x1f=['a'];(function(){eval(_0x1f)})()</script>"
    assert "加速乐" in challenge(521, ["__jsl_clearance_s=1; path=/"], page)
    assert "HTTP 412" in challenge(412, [], page)
    assert challenge(200, [], page) is None
    assert challenge(403, [], page) is None


@pytest.mark.parametrize("script", [RUISHU, JSL_OPEN, ALIYUN, CLOUDFLARE])
def test_a_real_page_may_carry_the_script_of_a_challenge(script):
    """Behind 瑞数 every page has `$_ts` in its head, once a browser has been let through."""
    assert challenge(200, ["__jsluid_s=c9bf2381199315a3"], f"<html><head>{script}</head><body>{TEXT}</body></html>".encode()) is None


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"%PDF-1.4 __jsl_clearance",
        gzip.compress(RUISHU.encode()),
        b'{"code": 200, "data": []}',
        "<html><h1>某局2023年政府信息公开工作年度报告</h1><a href='a.pdf'>附件</a></html>".encode(),
        b"<html><div id=app></div><noscript>You need to enable JavaScript to run this app.</noscript><script src=a.js></script></html>",
        f"<html><body>{TEXT}<p>如无法显示,请开启JavaScript;请输入验证码后提交留言</p></body></html>".encode(),
    ],
)
def test_what_is_no_challenge(body):
    assert challenge(200, [], body) is None


@pytest.mark.parametrize(
    "page",
    [
        "<html><title>404 Not Found</title><body>nginx</body></html>",
        "<html><title>404</title><body>抱歉，您访问的页面不存在</body></html>",
        "<html><title>某区人民政府</title><h1>您访问的页面不存在</h1><a href='/'>返回首页</a></html>",
        "<html><title>页面不存在</title></html>",
        "<html><title>提示信息</title><body>文章不存在</body></html>",
        "<html><body>对不起，您要查看的页面找不到！</body></html>",
        "<html><title>错误 404</title><body>x</body></html>",
        "<html><title>Error 404</title><body>x</body></html>",
    ],
)
def test_soft_404(page):
    assert soft_404(page.encode())
    assert soft_404(page.encode("gb18030"))


@pytest.mark.parametrize(
    "page",
    [
        "<html><title>404号文件的说明</title><body>全文</body></html>",
        "<html><title>2023年年报</title><body>信息不存在 12 件</body></html>",
        "<html><h1>某局2023年政府信息公开工作年度报告</h1><p>本机关不掌握相关政府信息</p></html>",
        f"<html><title>404</title>{TEXT}</html>",
        "<html><title>404</title><table><tr><td>信息不存在</td><td>3</td></tr></table></html>",
        "<html><h2>信息公开指南</h2></html>",
        "<html><script>var m='页面不存在'</script><h1>年度报告</h1></html>",
        "%PDF-1.4 404 Not Found",
    ],
)
def test_what_is_no_soft_404(page):
    assert soft_404(page.encode()) is None
