"""What is taken out of Airbyte's settings goes before what it needs, by requests of our own, and no data goes with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.small_estate import GONG

if TYPE_CHECKING:
    from tests.engine.conftest import Checkout

PORTAL: dict[str, Any] = {
    "type": "DeclarativeSource",
    "version": "6.48.0",
    "check": {"type": "CheckStream", "stream_names": ["units"]},
    "streams": [
        {
            "type": "DeclarativeStream",
            "name": "units",
            "schema_loader": {"type": "InlineSchemaLoader", "schema": {"properties": {"id": {"type": "string"}}}},
        }
    ],
    "spec": {"type": "Spec", "connection_specification": {"type": "object", "properties": {}}},
}
SETTINGS: dict[str, Any] = {
    "workspace": {
        "name": "sophia-dev",
        "notifications": {"failure": {"webhook": {"environment": "AIRBYTE_NOTIFICATION_URL"}}},
    },
    "permissions": {
        "oncall": {
            "user_id": "5a9dbb0c-0000-4000-8000-0000000000b1",
            "organization_id": "5a9dbb0c-0000-4000-8000-0000000000a0",
            "role": "workspace_editor",
        }
    },
    "definitions": {"declarative": {"portal": {"name": "Portal", "manifest": PORTAL}}},
    "sources": {"gong": GONG, "portal": {"name": "Portal", "definition": "portal"}},
    "destinations": {
        "warehouse": {
            "name": "RAW",
            "type": "snowflake",
            "configuration": {
                "host": "ZNB04675.snowflakecomputing.com",
                **dict.fromkeys(("role", "warehouse", "database", "schema", "username"), "X"),
            },
        }
    },
    "connections": {
        "gong-to-raw": {"name": "Gong", "source": "gong", "destination": "warehouse"},
        "portal-to-raw": {"name": "Portal", "source": "portal", "destination": "warehouse"},
    },
}


def kinds_deleted(checkout: Checkout, since: int) -> list[str]:
    """The collections of the DELETE requests, in their order."""
    entries = checkout.running.journal(platforms=["airbyte"], methods=["DELETE"], since=since).entries
    assert all(entry.status is not None and entry.status < 300 for entry in entries)
    return [entry.path.split("/")[-2] for entry in entries]


def test_a_source_goes_after_its_connection_and_before_its_definition(checkout: Checkout) -> None:
    checkout.configure(airbyte=SETTINGS)
    checkout.run("up", "dev", "--yes")
    assert checkout.run("up", "dev", "--yes").stdout.count("created 0") <= 1
    gong_only = {
        **{key: value for key, value in SETTINGS.items() if key != "definitions"},
        "sources": {"gong": GONG},
        "connections": {"gong-to-raw": SETTINGS["connections"]["gong-to-raw"]},
    }
    since = checkout.running.mark()
    checkout.configure(airbyte=gong_only)
    checkout.run("up", "dev", "--yes")
    assert kinds_deleted(checkout, since) == ["connections", "sources", "declarative_sources"]
    assert [c["name"] for c in checkout.objects("airbyte", "connection").values() if not c["deleted"]] == ["Gong"]

    since = checkout.running.mark()
    checkout.configure(slack={"channels": {"alerts": {"name": "sophia-dev-alerts"}}})
    checkout.run("up", "dev", "--yes")
    gone = kinds_deleted(checkout, since)
    assert gone[-1] == "workspaces"
    assert gone.index("connections") < min(gone.index("sources"), gone.index("destinations"))
    assert sorted(gone) == ["connections", "destinations", "permissions", "sources", "workspaces"]
    jobs = checkout.running.journal(platforms=["airbyte"], methods=["POST"]).entries
    assert not [entry for entry in jobs if entry.path.endswith("/jobs")], (
        "clearing is what deletes data in a destination"
    )
