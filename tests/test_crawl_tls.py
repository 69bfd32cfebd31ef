"""TLS: verified unless a source says otherwise; what is wrong is told with the setting that would help."""

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from site_server import Page, Site

from extract.crawl.job import CrawlJob, CrawlSettings, CrawlSource, Tls, run_crawl
from extract.ledger import Ledger

TITLE = "某某区政府办公室2021年政府信息公开工作年度报告"
PAGES = {
    "/": Page(f'<html><ul><li><a href="/a.html">{TITLE}</a></li></ul></html>'),
    "/a.html": Page(f"<html><h1>{TITLE}</h1><p>{'已按期答复。' * 100}</p></html>"),
}
SETTINGS = CrawlSettings(min_delay=0, timeout=5, retry_times=1, backoff=0.05)


def certificate(folder, *, address="127.0.0.1", days=1, bits=2048):
    """A self-signed certificate with its key; negative `days` make an expired one."""
    key = rsa.generate_private_key(65537, bits)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, address)])
    now = datetime.now(UTC)
    begin, end = now - timedelta(days=10), now + timedelta(days=days)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), begin, end)
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))]), critical=False)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    path = folder / "server.pem"
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(secret + builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM))
    return path


def tls_site(path, *, old=False):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if old:
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1
    context.load_cert_chain(path)
    site = Site(dict(PAGES))
    site._server.socket = context.wrap_socket(site._server.socket, server_side=True)
    site.base = site.base.replace("http:", "https:")
    return site


def crawl(home, site, tls=None, **settings):
    source = CrawlSource(id="s", publisher="某某区政府办公室", index=[site.url("/")], tls=tls and Tls(mode=tls, reason="old server"))
    events = []
    job = CrawlJob(home=home, run_id="r", sources=[source], settings=SETTINGS.model_copy(update=settings))
    run_crawl(job, events.append)
    with Ledger(home / "state" / "ledger.sqlite") as ledger:
        return [(p.kind, p.message) for p in ledger.problems("r")], len(ledger.candidates()), events


@pytest.mark.parametrize(
    ("faults", "words"),
    [({}, "is self-signed"), ({"address": "127.0.0.9"}, ""), ({"days": -1}, "")],
    ids=["self-signed", "other", "expired"],
)
def test_a_certificate_nobody_vouches_for_is_refused_and_explained(tmp_path, faults, words):
    with tls_site(certificate(tmp_path, **faults)) as site:
        ((kind, message),), found, _ = crawl(tmp_path, site)
    assert (kind, found) == ("unreachable", 0)
    assert words in message
    assert "the certificate of 127.0.0.1" in message
    assert "`tls: {mode: unverified, reason: …}`" in message
    assert site.log == []


@pytest.mark.parametrize(("faults", "words"), [({"address": "127.0.0.9"}, "is for another host"), ({"days": -1}, "has expired")])
def test_what_is_wrong_with_a_certificate_of_a_known_authority(tmp_path, monkeypatch, faults, words):
    path = certificate(tmp_path, **faults)
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    with tls_site(path) as site:
        ((kind, message),), _, _ = crawl(tmp_path, site)
    assert kind == "unreachable"
    assert words in message


def test_a_source_may_accept_any_certificate(tmp_path):
    with tls_site(certificate(tmp_path, address="127.0.0.9", days=-1)) as site:
        problems, found, events = crawl(tmp_path, site, "unverified")
    assert (problems, found) == ([], 1)
    assert [(e["mode"], e["reason"]) for e in events if e["event"] == "tls"] == [("unverified", "old server")]


def test_the_setting_of_one_source_is_not_that_of_another_host(tmp_path):
    with tls_site(certificate(tmp_path)) as site:
        lax = CrawlSource(id="lax", publisher="甲", index=[site.url("/")], tls=Tls(mode="unverified", reason="x"))
        strict = CrawlSource(id="strict", publisher="乙", index=[site.url("/").replace("127.0.0.1", "localhost")])
        run_crawl(CrawlJob(home=tmp_path, run_id="r", sources=[lax, strict], settings=SETTINGS), lambda event: None)
    with Ledger(tmp_path / "state" / "ledger.sqlite") as ledger:
        assert {p.publisher_id for p in ledger.problems("r") if p.kind == "unreachable"} == {"strict"}


def test_an_old_server_needs_the_legacy_setting(tmp_path, monkeypatch):
    """TLS 1.0 and a key of 1024 bits; the certificate is verified all the same."""
    path = certificate(tmp_path, bits=1024)
    with tls_site(path, old=True) as site:
        ((kind, message),), found, _ = crawl(tmp_path / "1", site)
        assert (kind, found) == ("unreachable", 0)
        assert "`tls: {mode: legacy, reason: …}`" in message
        ((_, message),), found, _ = crawl(tmp_path / "2", site, "legacy")
        assert ("is self-signed" in message, found) == (True, 0)
        monkeypatch.setenv("SSL_CERT_FILE", str(path))
        assert crawl(tmp_path / "3", site, "legacy")[:2] == ([], 1)
