"""The key pairs of Snowflake's service users: made in the stack, so that no person ever holds one."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi

from providers.base import dynamic
from providers.rsa import KeyPair


class Keys(pulumi.ComponentResource):
    """RSA key pairs of service users, each in one of Snowflake's two slots. They belong to no platform.

    Odd generations are in the first slot, even ones in the second: a new generation replaces the pair before the
    present one, so that both it and the present one are valid until the next.

    Outputs, by user: ``public_keys`` of the first slot and ``second_public_keys`` of the second (one line, without the
    PEM header; users of the first generation have none), and ``private_keys`` of the present generation (PKCS 8 PEM,
    secret).
    """

    public_keys: Mapping[str, pulumi.Output[str]]
    second_public_keys: Mapping[str, pulumi.Output[str]]
    private_keys: Mapping[str, pulumi.Output[str]]

    def __init__(
        self, name: str, generations: Mapping[str, int], *, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """``generations``: by user, from 1 on."""
        super().__init__("sophia:platform:Keys", name, None, opts)
        child = dynamic(pulumi.ResourceOptions(parent=self))
        first = {
            user: KeyPair(user, generation=latest - (latest + 1) % 2, opts=child)
            for user, latest in generations.items()
        }
        second = {
            user: KeyPair(f"{user}.second", generation=latest - latest % 2, opts=child)
            for user, latest in generations.items()
            if latest > 1
        }
        self.public_keys = {user: pair.public_key for user, pair in first.items()}
        self.second_public_keys = {user: pair.public_key for user, pair in second.items()}
        self.private_keys = {
            user: (first if latest % 2 else second)[user].private_key for user, latest in generations.items()
        }
        self.register_outputs({"public_keys": self.public_keys, "second_public_keys": self.second_public_keys})
