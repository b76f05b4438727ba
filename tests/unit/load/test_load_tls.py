"""Targets that speak TLS: certificates are checked."""

import datetime
import ipaddress
import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from sagedock.errors import InvalidRequest
from sagedock.load import Closed, Plan, UrlTarget, run
from tests.unit.load.serving import serving

pytest.importorskip("httptools")


def certificate(folder: Path) -> Path:
    """Write a certificate of 127.0.0.1 that is its own authority, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = folder / "both.pem"
    file.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return file


@pytest.mark.parametrize("is_trusted", [True, False])
def test_a_certificate_is_checked(is_trusted: bool, tmp_path: Path) -> None:
    file = certificate(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(file)
    with serving(tls=context) as server:
        plan = Plan(
            target=UrlTarget(url=server.url()),
            shape=Closed(concurrency=2),
            requests=6,
            ca_bundle=file if is_trusted else None,
        )
        result = run(plan)
    if is_trusted:
        assert (result.answered, result.failed, server.connections) == (6, 0, 2)
        return
    assert (result.answered, result.failed) == (0, 6)
    assert {each.kind for each in result.errors} == {"connect"}
    assert "certificate verify failed" in result.errors[0].detail.lower()
    assert server.requests == []


def test_a_bundle_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match=r"ca-bundle: .*give certificates as PEM"):
        run(Plan(target=UrlTarget(url="https://127.0.0.1/"), ca_bundle=tmp_path / "absent.pem"))
