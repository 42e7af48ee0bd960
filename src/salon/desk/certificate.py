"""A certificate of the house's own, for HTTPS on the venue's network: browsers ask once whether to trust it.

It is made again when this machine's addresses change or its time is nearly over."""

import datetime
import ipaddress
import os
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LIFETIME = datetime.timedelta(days=397)
#: made again when fewer days are left
LEAST = datetime.timedelta(days=7)


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _good(path: Path, names: list[str]) -> bool:
    """Whether the certificate there is for these names, and for long enough."""
    try:
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
        told = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (OSError, ValueError, x509.ExtensionNotFound):
        return False
    enough = certificate.not_valid_after_utc - datetime.datetime.now(datetime.UTC) > LEAST
    return enough and {_general(name) for name in names} <= set(told)


def certificate_for(home: Path, names: list[str]) -> tuple[Path, Path]:
    """(certificate, key) in `home`/tls, readable by their owner only, for these host names and addresses."""
    folder = home / "tls"
    folder.mkdir(mode=0o700, exist_ok=True)
    cert, key = folder / "cert.pem", folder / "key.pem"
    if not (_good(cert, names) and key.exists()):
        _make(cert, key, names)
    return cert, key


def _make(cert: Path, key: Path, names: list[str]) -> None:
    private, now = ec.generate_private_key(ec.SECP256R1()), datetime.datetime.now(datetime.UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Latent Salon")])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + LIFETIME)
        .add_extension(x509.SubjectAlternativeName([_general(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(private, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    secret = private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    _write(key, secret)
    _write(cert, made.public_bytes(serialization.Encoding.PEM))


def _write(path: Path, data: bytes) -> None:
    part = path.with_suffix(".part")
    with open(os.open(part, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "wb") as file:
        file.write(data)
    part.replace(path)
