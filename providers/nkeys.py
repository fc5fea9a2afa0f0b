"""Keys by which users prove to NATS who they are: made here, in no platform, and kept in the state as secrets.

The server knows the public key only, so that its configuration holds no secret. Format: docs.nats.io, "NKeys": an
Ed25519 key after one or two bytes that say what it is, followed by a CRC-16, in base 32.
"""

from __future__ import annotations

import base64
import binascii
import struct
from typing import Any, Final

import pulumi
import pulumi.dynamic
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pulumi.dynamic import CreateResult, DiffResult

from providers.base.engine import secret

_SEED: Final = 18 << 3
"""The first letter of seeds is S, ..."""
_USER: Final = 20 << 3
"""... and that of users' public keys is U."""


class UserKeyProvider(pulumi.dynamic.ResourceProvider):
    """Makes a key; another generation is another key. There is nothing to read, to change or to delete elsewhere."""

    serialize_as_secret_always = False

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        if _olds.get("generation") == _news.get("generation"):
            return DiffResult(changes=False)
        return DiffResult(changes=None, replaces=["generation"])

    def create(self, props: dict[str, Any]) -> CreateResult:
        public_key, seed = new_user_key()
        outputs = {"generation": props["generation"], "public_key": public_key, "seed": secret(seed)}
        return CreateResult(public_key, outputs)


class UserKey(pulumi.dynamic.Resource, module="nkeys", name="UserKey"):
    """A user's key: ``public_key`` (``U…``) for the server, ``seed`` (``SU…``), a secret, for the user.

    A higher ``generation`` replaces the key: the new one is made before the old one is forgotten.
    """

    public_key: pulumi.Output[str]
    seed: pulumi.Output[str]

    def __init__(self, name: str, *, generation: int = 1, opts: pulumi.ResourceOptions | None = None) -> None:
        properties = {"generation": generation, "public_key": None, "seed": None}
        super().__init__(UserKeyProvider(), name, properties, opts)


def new_user_key() -> tuple[str, str]:
    """A new user's public key and seed."""
    key = Ed25519PrivateKey.generate()
    raw = serialization.Encoding.Raw
    public = key.public_key().public_bytes(raw, serialization.PublicFormat.Raw)
    private = key.private_bytes(raw, serialization.PrivateFormat.Raw, serialization.NoEncryption())
    # a seed says both what it is and whose it is, in ten bits: the second kind begins in the first byte
    kinds = bytes([_SEED | _USER >> 5, (_USER & 31) << 3])
    return _encoded(bytes([_USER]) + public), _encoded(kinds + private)


def _encoded(content: bytes) -> str:
    checksum = struct.pack("<H", binascii.crc_hqx(content, 0))
    return base64.b32encode(content + checksum).rstrip(b"=").decode()
