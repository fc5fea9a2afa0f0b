"""Ways of showing who asks, beside those of `providers.base.auth`."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import ClassVar

import httpx
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from health.base import variable
from providers.base import Trouble
from providers.base.errors import PlatformError


@dataclass(frozen=True)
class Given(httpx.Auth):
    """A token that is at hand: ``Authorization: SCHEME TOKEN``. An empty one is not sent."""

    scheme: str
    token: str = field(repr=False)

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        if self.token:
            request.headers["Authorization"] = f"{self.scheme} {self.token}"
        yield request


@dataclass(frozen=True)
class KeyPair(httpx.Auth):
    """A JSON web token (RFC 7519) that the private key in a variable signs, as Snowflake wants it.

    ``account`` and ``user`` are variables' names too; the account's is ORGANIZATION-ACCOUNT. Source of facts:
    docs.snowflake.com, "Authenticating to the server" of the SQL API.
    """

    private_key: str
    user: str
    account: tuple[str, str]

    LIFETIME_SECONDS: ClassVar[int] = 300
    """Enough for clocks that differ by minutes; Snowflake takes an hour at most."""

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = f"Bearer {self._token()}"
        request.headers["X-Snowflake-Authorization-Token-Type"] = "KEYPAIR_JWT"
        yield request

    def secrets(self) -> list[str]:
        return [variable(self.private_key)]

    def fingerprint(self) -> str:
        """That of the public half. Raises PlatformError where there is no key."""
        return fingerprint(self._key().public_key())

    def _token(self) -> str:
        key = self._key()
        account = "-".join(variable(name) for name in self.account).upper()
        subject = f"{account}.{variable(self.user).upper()}"
        now = int(time.time())
        claims = {
            "iss": f"{subject}.{fingerprint(key.public_key())}",
            "sub": subject,
            "iat": now,
            "exp": now + self.LIFETIME_SECONDS,
        }
        signed = ".".join(_part(json.dumps(part).encode()) for part in ({"alg": "RS256", "typ": "JWT"}, claims))
        return f"{signed}.{_part(key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256()))}"

    def _key(self) -> rsa.RSAPrivateKey:
        text = variable(self.private_key)
        try:
            key = serialization.load_pem_private_key(text.encode(), None)
        except (ValueError, TypeError) as error:
            missing = "is not set" if not text else "is no private key in PEM without a passphrase"
            raise PlatformError(Trouble.CREDENTIALS, f"{self.private_key} {missing}", self.private_key) from error
        if not isinstance(key, rsa.RSAPrivateKey):
            raise PlatformError(Trouble.CREDENTIALS, f"{self.private_key} is no RSA key", self.private_key)
        return key


def fingerprint(key: rsa.RSAPublicKey) -> str:
    """``SHA256:…`` as Snowflake shows it: of the key's DER form, in base64."""
    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return fingerprint_of(der)


def fingerprint_of(der: bytes) -> str:
    return "SHA256:" + base64.b64encode(hashlib.sha256(der).digest()).decode()


def _part(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
