"""A small certificate authority for the estate's own servers: made here, in no platform; keys are secrets of the state.

Clients trust the authority, which lasts, and so they notice nothing when a server gets a new certificate.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pulumi
import pulumi.dynamic
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from pulumi.dynamic import CreateResult, DiffResult

from providers.base.engine import plain, secret

AUTHORITY_DAYS: Final = 3650
CERTIFICATE_DAYS: Final = 365
RENEWAL_DAYS: Final = 60
"""So long before its end a certificate is replaced by the next run, whatever that run is about."""


class AuthorityProvider(pulumi.dynamic.ResourceProvider):
    """Makes an authority; another generation is another one, and all that it signed is signed again."""

    serialize_as_secret_always = False

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        return _replaced_by([key for key in ("name", "generation") if _olds.get(key) != _news.get(key)])

    def create(self, props: dict[str, Any]) -> CreateResult:
        certificate, key = new_authority(props["name"])
        outputs = {
            "name": props["name"],
            "generation": props["generation"],
            "certificate": certificate,
            "private_key": secret(key),
        }
        return CreateResult(_identity(certificate), outputs)


class Authority(pulumi.dynamic.Resource, module="certificates", name="Authority"):
    """A certificate authority of ten years. ``certificate`` and ``private_key`` (a secret) are PEM.

    A higher ``generation`` replaces it: clients that have not read the new one yet are refused until they have.
    """

    certificate: pulumi.Output[str]
    private_key: pulumi.Output[str]

    def __init__(
        self, name: str, *, common_name: str, generation: int = 1, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        properties = {"name": common_name, "generation": generation, "certificate": None, "private_key": None}
        super().__init__(AuthorityProvider(), name, properties, opts)


class CertificateProvider(pulumi.dynamic.ResourceProvider):
    """Makes a certificate of a year; it is replaced when its names or its authority change, and before it ends."""

    serialize_as_secret_always = False

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        changed = [key for key in ("names", "generation", "authority") if _olds.get(key) != _news.get(key)]
        if not changed and ends_soon(_olds.get("not_after"), datetime.now(UTC)):
            changed = ["not_after"]
        return _replaced_by(changed)

    def create(self, props: dict[str, Any]) -> CreateResult:
        authority_key = plain(props["authority_key"])
        certificate, key = new_certificate(props["names"], props["authority"], authority_key)
        not_after = x509.load_pem_x509_certificate(certificate.encode()).not_valid_after_utc.isoformat()
        outputs = {
            **{member: props[member] for member in ("names", "generation", "authority")},
            "authority_key": secret(authority_key),
            "certificate": certificate,
            "private_key": secret(key),
            "not_after": not_after,
        }
        return CreateResult(_identity(certificate), outputs)


class Certificate(pulumi.dynamic.Resource, module="certificates", name="Certificate"):
    """A certificate for servers that are clients of each other as well, such as those of a cluster.

    ``certificate`` and ``private_key`` (a secret) are PEM, ``not_after`` is ISO 8601. A run within the last 60 days
    replaces it, as a higher ``generation`` does.
    """

    certificate: pulumi.Output[str]
    private_key: pulumi.Output[str]
    not_after: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        names: Sequence[str],
        authority: Authority,
        generation: int = 1,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """``names``: DNS names (the first label may be ``*``) and IP addresses."""
        properties = {
            "names": list(names),
            "generation": generation,
            "authority": authority.certificate,
            "authority_key": authority.private_key,
            "certificate": None,
            "private_key": None,
            "not_after": None,
        }
        super().__init__(CertificateProvider(), name, properties, opts)


def new_authority(name: str) -> tuple[str, str]:
    """The certificate and the private key, both PEM, of a new authority that may sign no other authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    usage = x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    certificate = (
        _builder(subject, subject, key.public_key(), AUTHORITY_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .sign(key, hashes.SHA256())
    )
    return _pem(certificate), _key_pem(key)


def new_certificate(names: Sequence[str], authority: str, authority_key: str) -> tuple[str, str]:
    """A certificate for ``names`` and its private key, both PEM, signed by an authority (PEM)."""
    issuer = x509.load_pem_x509_certificate(authority.encode())
    signer = serialization.load_pem_private_key(authority_key.encode(), None)
    if not isinstance(signer, ec.EllipticCurvePrivateKey):
        raise TypeError("the authority's key is not one of an elliptic curve")
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0][:64])])
    certificate = (
        _builder(subject, issuer.subject, key.public_key(), CERTIFICATE_DAYS)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False
        )
        .sign(signer, hashes.SHA256())
    )
    return _pem(certificate), _key_pem(key)


def ends_soon(not_after: str | None, now: datetime) -> bool:
    """Whether a certificate that ends at ``not_after`` (ISO 8601) is to be replaced at ``now``."""
    return not_after is not None and datetime.fromisoformat(not_after) - now < timedelta(days=RENEWAL_DAYS)


def _builder(
    subject: x509.Name, issuer: x509.Name, public_key: ec.EllipticCurvePublicKey, days: int
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        # clocks differ: what is valid from now on would be refused by who is a minute behind
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=days))
    )


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _key_pem(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def _identity(certificate: str) -> str:
    return f"{x509.load_pem_x509_certificate(certificate.encode()).serial_number:x}"


def _replaced_by(changed: list[str]) -> DiffResult:
    return DiffResult(changes=None, replaces=changed) if changed else DiffResult(changes=False)
