"""Snowflake: ids, references and rules of the resource types that the estate uses.

Sources: the resources of snowflakedb/terraform-provider-snowflake (ids: ``EncodeResourceIdentifier`` and the
``…_identifier.go`` files; what is replaced: ``ForceNew``), and Snowflake's SQL errors as the driver words them.
Names are quoted by the provider, so they are case-sensitive.
"""

from __future__ import annotations

from sandbox.official.behaviour import Identity, Kind, Package, text
from sandbox.official.snowflake import access, account, loading, modelling, preview, protection
from sandbox.official.snowflake.access import USER
from sandbox.official.snowflake.names import duplicate, identifier, qualified
from sandbox.official.types import Sdk
from sandbox.official.values import Properties

__all__ = ["PACKAGE", "USER", "identifier"]

_KINDS = {**account.KINDS, **access.KINDS, **loading.KINDS, **modelling.KINDS, **protection.KINDS}


def _anything(properties: Properties) -> Identity:
    """For the types without rules of their own: where they live and what they are called."""
    places = [text(properties, name) for name in ("database", "schema")]
    return (*(place for place in places if place), text(properties, "name"))


_UNRULED = Kind(identity=_anything, make_id=lambda properties: qualified(_anything(properties)), duplicate=duplicate)

PACKAGE = Package(
    sdk=Sdk("snowflake", "pulumi_snowflake", "pulumi-snowflake"),
    kind=lambda token: _KINDS.get(token, _UNRULED),
    check_settings=preview.failures,
    disabled=preview.disabled,
)
