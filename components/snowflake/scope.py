"""What all builders of Snowflake's objects share: the options of their resources, and where names come from.

This and the modules beside it that build import the SDK, which takes seconds; the package's ``__init__`` imports them when
a stack has Snowflake, and not before.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pulumi
import pulumi_snowflake as snowflake

from components.snowflake.names import REFERENCE
from components.snowflake.sql import identifier


@dataclass(frozen=True)
class Scope:
    """``child`` are the options of what holds nothing, ``store`` of what holds data, ``unique`` of what must go before
    its replacement comes, because it holds no data and its name cannot exist twice.

    ``schemas`` are names, by key, that wait for the grants of their schema: what is made in a schema comes after its
    future grants, which would not reach it otherwise.
    """

    child: pulumi.ResourceOptions
    store: pulumi.ResourceOptions
    database: pulumi.Output[str]
    schemas: Mapping[str, pulumi.Output[str]]

    @property
    def unique(self) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions.merge(self.child, pulumi.ResourceOptions(delete_before_replace=True))

    def qualified_schema(self, key: str) -> pulumi.Output[str]:
        return qualified(self.database, self.schemas[key])


Readable = Mapping[str, Mapping[str, pulumi.Output[str]]]
"""Qualified names that SQL of the settings may use, by section and key."""


def qualified(*names: pulumi.Input[str]) -> pulumi.Output[str]:
    """A fully qualified name as the provider writes it; made of outputs, so that what it names is created first."""
    return pulumi.Output.all(*names).apply(lambda parts: ".".join(map(identifier, parts)))


def waiting_for(value: pulumi.Input[str], resources: Iterable[pulumi.Resource]) -> pulumi.Output[str]:
    """``value`` as an output that hangs on ``resources``: what uses it is created after them and deleted before them.

    Their URNs are used, which previews know, so that the value is known there too.
    """
    return pulumi.Output.all(value, *(resource.urn for resource in resources)).apply(lambda parts: str(parts[0]))


def flag(value: bool) -> str:
    """The provider has a third state, its default, so that booleans are texts."""
    return "true" if value else "false"


def filled(sql: str, names: Readable) -> pulumi.Output[str]:
    """SQL of the settings with qualified names in place of its references."""
    used = {(m.group(1), m.group(2)): names[m.group(1)][m.group(2)] for m in REFERENCE.finditer(sql)}
    return pulumi.Output.all(*used.values()).apply(
        lambda values: REFERENCE.sub(
            lambda m: dict(zip(used, values, strict=True))[m.group(1), m.group(2)], sql.strip()
        )
    )


def grant_role(
    name: str, role: snowflake.AccountRole, opts: pulumi.ResourceOptions, *, to: snowflake.AccountRole | str
) -> snowflake.GrantAccountRole:
    parent = qualified(to if isinstance(to, str) else to.name)
    return snowflake.GrantAccountRole(name, role_name=qualified(role.name), parent_role_name=parent, opts=opts)
