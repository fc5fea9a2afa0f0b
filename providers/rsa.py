"""RSA key pairs for service users: made here, in no platform, and kept in the state as secrets."""

from __future__ import annotations

from typing import Any

import pulumi
import pulumi.dynamic
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from pulumi.dynamic import CreateResult, DiffResult

from providers.base.engine import secret

BITS = 2048
"""The least that Snowflake accepts (docs.snowflake.com, key-pair authentication)."""


class KeyPairProvider(pulumi.dynamic.ResourceProvider):
    """Makes a pair; another generation is another pair. There is nothing to read, to change or to delete elsewhere."""

    serialize_as_secret_always = False

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        if _olds.get("generation") == _news.get("generation"):
            return DiffResult(changes=False)
        return DiffResult(changes=None, replaces=["generation"])

    def create(self, props: dict[str, Any]) -> CreateResult:
        private = rsa.generate_private_key(public_exponent=65537, key_size=BITS)
        pem = private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()
        public = private.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        body = "".join(line for line in public.decode().splitlines() if not line.startswith("-----"))
        outputs = {"generation": props["generation"], "private_key": secret(pem), "public_key": body}
        return CreateResult(f"rsa-{body[-24:]}", outputs)


class KeyPair(pulumi.dynamic.Resource, module="rsa", name="KeyPair"):
    """A key pair. ``private_key`` is PKCS 8 PEM, a secret; ``public_key`` the body of its PEM on one line.

    A higher ``generation`` replaces the pair: the new one is made before the old one is forgotten.
    """

    private_key: pulumi.Output[str]
    public_key: pulumi.Output[str]

    def __init__(self, name: str, *, generation: int = 1, opts: pulumi.ResourceOptions | None = None) -> None:
        properties = {"generation": generation, "private_key": None, "public_key": None}
        super().__init__(KeyPairProvider(), name, properties, opts)
