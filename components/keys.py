"""The key pairs of Snowflake's service users: made in the stack, so that no person ever holds one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pulumi

from providers.base import platform_provider
from providers.rsa import KeyPair


class Keys(pulumi.ComponentResource):
    """One RSA key pair a service user. They belong to no platform: Snowflake gets the public halves.

    Outputs, by user: ``public_keys`` (one line, without the PEM header) and ``private_keys`` (PKCS 8 PEM, secret).
    """

    public_keys: Mapping[str, pulumi.Output[str]]
    private_keys: Mapping[str, pulumi.Output[str]]

    def __init__(self, name: str, users: Iterable[str], *, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("sophia:platform:Keys", name, None, opts)
        provider = platform_provider("rsa", pulumi.ResourceOptions(parent=self))
        child = pulumi.ResourceOptions(parent=self, provider=provider)
        pairs = {user: KeyPair(user, opts=child) for user in users}
        self.public_keys = {user: pair.public_key for user, pair in pairs.items()}
        self.private_keys = {user: pair.private_key for user, pair in pairs.items()}
        self.register_outputs({"public_keys": self.public_keys})
