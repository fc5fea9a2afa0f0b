"""What the platforms that load data need of the warehouse: handed from the Snowflake component to theirs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pulumi

from components.settings import output_named

if TYPE_CHECKING:
    from components.snowflake import Login


@dataclass(frozen=True)
class Warehouse:
    """By user the logins and private keys, by schema the names.

    Logins and names are there when the grants are that make them usable: whoever loads is made after its grants, and
    goes before them.
    """

    logins: Mapping[str, Login] = field(default_factory=dict)
    private_keys: Mapping[str, pulumi.Output[str]] = field(default_factory=dict)
    schemas: Mapping[str, pulumi.Output[str]] = field(default_factory=dict)

    def login(self, user: str, setting: str) -> tuple[Login, pulumi.Output[str]]:
        """A user's login and private key. SettingsError for one that there is not; ``setting`` is what names it."""
        output_named(user, dict.fromkeys(self.logins, ""), setting)
        return self.logins[user], self.private_keys[user]

    def schema(self, key: str, setting: str) -> pulumi.Input[str]:
        """A schema's name. SettingsError for one that there is not; ``setting`` is what names it."""
        return output_named(key, self.schemas, setting)
