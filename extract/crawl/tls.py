"""TLS as a source needs it: verified by default; for hosts of a source that says so, old versions and weak keys, or any certificate."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal

from OpenSSL import SSL
from OpenSSL.crypto import X509
from scrapy.core.downloader.tls import _ScrapyClientTLSOptions26
from twisted.internet._sslverify import ClientTLSOptions, _verifyCB
from twisted.internet.ssl import CertificateOptions, TLSVersion, platformTrust
from twisted.web.iweb import IPolicyForHTTPS
from zope.interface import implementer  # type: ignore[import-untyped]

from extract.crawl.policy import host_of

if TYPE_CHECKING:
    from extract.crawl.job import CrawlSource

Mode = Literal["verified", "legacy", "unverified"]
OP_LEGACY_SERVER_CONNECT = 0x4
OP_ALLOW_UNSAFE_LEGACY_RENEGOTIATION = 0x40000
#: X509_V_ERR_… of OpenSSL's x509_vfy.h, in words.
_FAULTS = {
    9: "is not valid yet",
    10: "has expired",
    18: "is self-signed",
    19: "has a self-signed certificate in its chain",
    20: "is signed by nobody this machine knows (an intermediate may be missing)",
    21: "is signed by nobody this machine knows (an intermediate may be missing)",
    23: "was revoked",
    62: "is for another host",
    66: "has too small a key",
    68: "is signed with too weak a hash",
}
_OLD = re.compile(
    r"unsupported protocol|protocol version|key too small|dh key|renegotiation|no shared cipher|no ciphers|md too weak|bad ecpoint"
)


def modes(sources: Iterable[CrawlSource]) -> dict[str, Mode]:
    """Host -> how it is spoken to, for the hosts of sources that have a `tls` setting; what all of them allow where they differ."""
    found: dict[str, Mode] = {}
    for source in sources:
        if source.tls is None:
            continue
        urls = [*source.index, *(report.url for report in source.reports)]
        for host in {*map(host_of, urls), *(h.lower() for h in source.hosts)}:
            found[host] = "legacy" if found.get(host) == "legacy" else source.tls.mode
    return found


@implementer(IPolicyForHTTPS)
class HostTls:
    """The TLS context for each host. `faults` has, by host, what was wrong with the last certificate that was refused."""

    def __init__(self, modes: dict[str, Mode], default: Mode = "verified") -> None:
        self._modes, self._default = modes, default
        self._options: dict[Mode, CertificateOptions] = {}
        self.faults: dict[str, str] = {}

    def creatorForNetloc(self, hostname: bytes, port: int) -> ClientTLSOptions:  # noqa: N802 (Twisted's name)
        """What makes a connection to a host."""
        host = hostname.decode("ascii")
        mode = self._modes.get(host.lower(), self._default)
        connect = self._context(mode)._makeTLSConnection
        if mode == "unverified":
            return _ScrapyClientTLSOptions26(connect, host)
        return _Verified(connect, host, self.faults)

    def _context(self, mode: Mode) -> CertificateOptions:
        if mode not in self._options:
            self._options[mode] = _certificate_options(mode)
        return self._options[mode]

    def explain(self, host: str, error: str) -> str:
        """An error of TLS in words, with the registry's setting that would let it pass; empty where it is no error of TLS."""
        fault = self.faults.get(host)
        if "certificate verify failed" in error or "VerificationError" in error or "service_identity" in error:
            told = f"the certificate of {host} {fault or 'can not be verified'}"
            return f"{told}; if it must be accepted, give the source `tls: {{mode: unverified, reason: …}}`"
        if "SSL" in error and _OLD.search(error):
            told = f"{host} speaks only an old TLS: {'; '.join(re.findall(_OLD, error))}"
            return f"{told}; if it must be accepted, give the source `tls: {{mode: legacy, reason: …}}`"
        return ""


def _certificate_options(mode: Mode) -> CertificateOptions:
    """One context for all hosts of a mode: it holds the machine's whole list of authorities."""
    known = platformTrust()  # type: ignore[no-untyped-call]
    if mode == "verified":
        return CertificateOptions(trustRoot=known, fixBrokenPeers=True)
    trust: dict[str, Any] = {"trustRoot": known} if mode == "legacy" else {"verify": False}
    options = CertificateOptions(insecurelyLowerMinimumTo=TLSVersion.TLSv1_0, fixBrokenPeers=True, **trust)
    context = options.getContext()
    context.set_min_proto_version(SSL.TLS1_VERSION)
    context.set_cipher_list(b"ALL:@SECLEVEL=0")
    context.set_options(OP_LEGACY_SERVER_CONNECT | OP_ALLOW_UNSAFE_LEGACY_RENEGOTIATION)
    return options


class _Verified(ClientTLSOptions):
    """Twisted's verification, which does not say what was wrong; this notes it."""

    def __init__(self, connect: Any, host: str, faults: dict[str, str]) -> None:
        super().__init__(connect, host)
        self._host, self._faults = host, faults

    def clientConnectionForTLS(self, tls_protocol: Any) -> SSL.Connection:  # noqa: N802 (Twisted's name)
        connection = super().clientConnectionForTLS(tls_protocol)
        check = _verifyCB(tls_protocol, self._hostnameIsDnsName, self._hostnameASCII)

        def verify(ssl: SSL.Connection, certificate: X509, error: int, depth: int, ok: int) -> bool:
            passed = bool(check(ssl, certificate, error, depth, bool(ok)))
            if not passed:
                self._faults[self._host] = "is for another host" if ok else _FAULTS.get(error, f"is refused (OpenSSL error {error})")
            return passed

        connection.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, verify)
        return connection
