"""Random passwords for the estate's own servers: made here, in no platform, and kept in the state as secrets."""

from __future__ import annotations

import secrets
from typing import Any

import bcrypt
import pulumi
import pulumi.dynamic
from pulumi.dynamic import CreateResult, DiffResult

from providers.base.engine import secret

BYTES = 32
"""As many as a key of AES-256 has: nobody guesses it, wherever it is used."""


class PasswordProvider(pulumi.dynamic.ResourceProvider):
    """Makes a password; another generation is another one. There is nothing to read, to change or to delete."""

    serialize_as_secret_always = False

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        if _olds.get("generation") == _news.get("generation"):
            return DiffResult(changes=False)
        return DiffResult(changes=None, replaces=["generation"])

    def create(self, props: dict[str, Any]) -> CreateResult:
        # hexadecimal digits need no quotes in addresses, shells and files of configuration
        password = secrets.token_hex(BYTES)
        # programs of any age read hashes that begin with 2a
        hashed = bcrypt.hashpw(password.encode(), bcrypt.gensalt(prefix=b"2a")).decode()
        outputs = {"generation": props["generation"], "password": secret(password), "bcrypt": secret(hashed)}
        return CreateResult(f"password-{secrets.token_hex(6)}", outputs)


class Password(pulumi.dynamic.Resource, module="passwords", name="Password"):
    """A random password of 64 hexadecimal digits, and its ``bcrypt`` hash for who is to check it: both are secrets.

    A higher ``generation`` replaces it.
    """

    password: pulumi.Output[str]
    bcrypt: pulumi.Output[str]

    def __init__(self, name: str, *, generation: int = 1, opts: pulumi.ResourceOptions | None = None) -> None:
        properties = {"generation": generation, "password": None, "bcrypt": None}
        super().__init__(PasswordProvider(), name, properties, opts)
