"""The connectors that the Airbyte emulator knows, against the vendor's schemas of their configurations."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sandbox.airbyte.connectors import DESTINATIONS, MASK, SOURCES, Connector, masked, mistakes

CONNECTORS_SPEC = "airbyte/airbyte_api_sdk.yaml"

GONG = {"access_key": "gong-key", "access_key_secret": "gong-secret"}
SNOWFLAKE = {
    "host": "ZNB04675.snowflakecomputing.com",
    "role": "LOADER",
    "warehouse": "SOPHIA_AI_WH",
    "database": "SOPHIA_AI",
    "schema": "RAW",
    "username": "AIRBYTE",
    "credentials": {"auth_type": "Key Pair Authentication", "private_key": "pem"},
}

EXAMPLES: dict[str, list[dict[str, Any]]] = {
    "source-gong": [GONG, {"access_key": "k"}, GONG | {"start_date": "2026"}],
    "source-hubspot": [
        {"credentials": {"credentials_title": "Private App Credentials", "access_token": "t"}},
        {"credentials": {"credentials_title": "OAuth Credentials", "client_id": "c", "client_secret": "s"}},
        {"num_worker": 3},
    ],
    "source-slack": [
        {"start_date": "2026-01-01T00:00:00Z", "lookback_window": 0, "join_channels": True},
        {"start_date": "2026-01-01T00:00:00Z", "lookback_window": 366, "join_channels": True},
        {"start_date": "2026-01-01T00:00:00Z", "join_channels": True},
    ],
    "source-linear": [{"api_key": "k"}, {}],
    "source-github": [
        {"repositories": ["a/b"], "credentials": {"personal_access_token": "t"}},
        {"repositories": ["a/b"], "credentials": {"option_title": "PAT Credentials"}},
        {"repositories": "a/b", "credentials": {"personal_access_token": "t"}},
    ],
    "source-postgres": [
        {"host": "h", "port": 5432, "database": "d", "username": "u", "ssl_mode": {"mode": "require"}},
        {"host": "h", "port": 5432, "database": "d", "username": "u", "ssl_mode": {"mode": "verify-ca"}},
        {"host": "h", "port": 70000, "database": "d", "username": "u"},
        {"host": "h", "port": 5432, "database": "d", "username": "u", "replication_method": {"method": "CDC"}},
    ],
    "destination-snowflake": [
        SNOWFLAKE,
        SNOWFLAKE | {"host": "example.com"},
        SNOWFLAKE | {"credentials": {"auth_type": "Username and Password"}},
        {name: value for name, value in SNOWFLAKE.items() if name != "role"},
    ],
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_configurations_are_judged_as_the_vendors_schema_judges_them(name: str, spec: Callable[[str], Any]) -> None:
    kind, _, connector_name = name.partition("-")
    connector = next(c for c in (SOURCES if kind == "source" else DESTINATIONS) if c.name == connector_name)
    for configuration in EXAMPLES[name]:
        full = {f"{kind}Type": connector_name} | configuration
        vendor = spec(CONNECTORS_SPEC).problems(name, full)
        ours = list(mistakes(connector.fields, configuration))
        assert bool(ours) == bool(vendor), (configuration, ours, vendor)


@pytest.mark.parametrize("connector", [*SOURCES, *DESTINATIONS], ids=lambda connector: connector.name)
def test_what_the_vendor_calls_secret_is_masked(connector: Connector, spec: Callable[[str], Any]) -> None:
    kind = "destination" if connector in DESTINATIONS else "source"
    schema = spec(CONNECTORS_SPEC).document["components"]["schemas"][f"{kind}-{connector.name}"]
    for path, is_secret in leaves(schema):
        document: Any = "value"
        for part in reversed(path):
            document = {part: document}
        shown = str(masked(connector.fields, document))
        assert (MASK in shown) == is_secret, path


def leaves(schema: dict[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], bool]]:
    """The text members of a configuration, and which of them the vendor marks as sensitive."""
    for name, member in schema.get("properties", {}).items():
        if "oneOf" in member:
            for shape in member["oneOf"]:
                yield from leaves(shape, (*path, name))
        elif member.get("type") == "string":
            yield (*path, name), bool(member.get("airbyte_secret"))
