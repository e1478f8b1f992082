"""An authority whose certificates a crawl can be made to trust, by SSL_CERT_FILE."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat


class Authority:
    """Sign certificates, and build the TLS contexts of servers that show them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Test authority")])
        self.file = folder / "authority.pem"
        self.file.write_bytes(self.certificate("Test authority", self.key).public_bytes(Encoding.PEM))

    def certificate(
        self, name: str, key: ec.EllipticCurvePrivateKey, *, days: int = 1, issuer: x509.Name | None = None
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]))
            .issuer_name(issuer or self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=9))
            .not_valid_after(now + timedelta(days=days))
            .add_extension(
                x509.SubjectAlternativeName([x509.DNSName(name.replace(" ", "-"))]), critical=False
            )
            .add_extension(
                x509.BasicConstraints(ca=name == "Test authority", path_length=None), critical=True
            )
        )
        own = issuer is not None
        return builder.sign(key if own else self.key, hashes.SHA256())

    def context(self, name: str, days: int = 1, *, own: bool = False, old: bool = False) -> ssl.SSLContext:
        """Return a server's context: a certificate for `name` of so many `days`; `own`: by itself; `old`: TLS 1.1."""
        key = ec.generate_private_key(ec.SECP256R1())
        issuer = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]) if own else None
        file = self.folder / f"{name}{days}{own}.pem"
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        file.write_bytes(
            pem + self.certificate(name, key, days=days, issuer=issuer).public_bytes(Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        if old:
            context.set_ciphers("ALL:@SECLEVEL=0")
            with pytest.deprecated_call():
                context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
        return context
