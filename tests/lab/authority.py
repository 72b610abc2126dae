"""A certificate authority for caller IDs, and PASSporTs of every kind signed with its certificates."""

import base64
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.x509.oid import NameOID, ObjectIdentifier

TN_AUTH_LIST: Final = ObjectIdentifier("1.3.6.1.5.5.7.1.26")
"""RFC 8226, section 9."""
SPC: Final = b"\x30\x08\xa0\x06\x16\x04" + b"709J"
"""A TNAuthList of one service provider code, as ATIS-1000080 limits it."""
ORIGID: Final = "b37efe53-564d-4095-b66d-720366cc1395"


class Authority:
    """An authority that signs certificates of service providers."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._key = ec.generate_private_key(ec.SECP256R1())
        constraints = x509.BasicConstraints(ca=True, path_length=0)
        own = _certificate(name, self._key.public_key(), name)
        self._certificate = own.add_extension(constraints, critical=True).sign(self._key, hashes.SHA256())

    @property
    def pem(self) -> str:
        """Its own certificate, to be trusted."""
        return self._certificate.public_bytes(serialization.Encoding.PEM).decode()

    def issue(self, name: str, public: ec.EllipticCurvePublicKey) -> str:
        """Return a certificate for a service provider."""
        usage = x509.UnrecognizedExtension(TN_AUTH_LIST, SPC)
        issued = _certificate(name, public, self.name).add_extension(usage, critical=False)
        return issued.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


class Provider:
    """A service provider that signs calls; `url` is where its certificate is served."""

    def __init__(self, authority: Authority, name: str, url: str) -> None:
        self.url = url
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = authority.issue(name, self._key.public_key())

    @property
    def private_key(self) -> str:
        """In the form that Asterisk reads."""
        return self._key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()

    def passport(self, claims: Mapping[str, Any], **header: Any) -> str:
        """Sign a PASSporT (RFC 8225) with these claims; `header` changes its header."""
        head = {"alg": "ES256", "ppt": "shaken", "typ": "passport", "x5u": self.url} | header
        signed = f"{_encoded(json.dumps(head).encode())}.{_encoded(json.dumps(claims).encode())}"
        r, s = decode_dss_signature(self._key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
        return f"{signed}.{_encoded(r.to_bytes(32) + s.to_bytes(32))}"

    def identity(self, claims: Mapping[str, Any], **header: Any) -> str:
        """Return the value of an Identity header (RFC 8224)."""
        ppt = header.get("ppt", "shaken")
        return f"{self.passport(claims, **header)};info=<{self.url}>;alg=ES256;ppt={ppt}"


def claims(orig: str, dest: str, at: float, attest: str = "A", origid: str = ORIGID) -> dict[str, Any]:
    """Return what a PASSporT says of a call (RFC 8588); numbers in E.164, `at` in seconds since the epoch."""
    numbers = {"dest": {"tn": [dest.lstrip("+")]}, "orig": {"tn": orig.lstrip("+")}}
    return {"attest": attest, **numbers, "iat": int(at), "origid": origid}


@contextmanager
def served(directory: Path) -> Iterator[str]:
    """Serve a directory over http on the loopback interface, and yield the address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=directory))
    thread = Thread(target=server.serve_forever, name="certificates", daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


def _certificate(subject: str, public: ec.EllipticCurvePublicKey, issuer: str) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return x509.CertificateBuilder(
        subject_name=x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]),
        issuer_name=x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]),
        public_key=public,
        serial_number=x509.random_serial_number(),
        not_valid_before=now - timedelta(days=1),
        not_valid_after=now + timedelta(days=1),
    )


def _encoded(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()
