"""A catalog whose publication is disturbed: published once, whole, or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.engine.conftest import Checkout

PREFIX = "sophia-ai/dev/"
SETTINGS: dict[str, Any] = {
    "prefix": PREFIX,
    "data_plane": "ops/dp/public/aws-us-east-1-c1",
    "collections": {
        "calls": {
            "name": "calls",
            "key": ["/id"],
            "schema": {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}},
        }
    },
    "captures": {
        "postgres": {
            "name": "cdc",
            "connector": "ghcr.io/estuary/source-postgres:v3",
            "configuration": {
                "address": "db:5432",
                "database": "sophia",
                "user": "flow_capture",
                "credentials": {"auth_type": "UserPassword"},
            },
            "secrets": {"credentials.password": {"environment": "POSTGRES_CDC_PASSWORD"}},
            "bindings": [{"collection": "calls", "resource": {"namespace": "public", "stream": "calls"}}],
        }
    },
    "service_accounts": {"mcp": {"name": "mcp", "grants": {".": "read"}, "keys": {"first": {"detail": "MCP"}}}},
}


def published(checkout: Checkout) -> dict[str, str]:
    """The publications of what is live."""
    return {name: row["last_pub_id"] for name, row in checkout.objects("estuary", "live_spec").items()}


def assert_whole(checkout: Checkout) -> None:
    assert published(checkout).keys() == {f"{PREFIX}calls", f"{PREFIX}cdc"}
    assert len(set(published(checkout).values())) == 1, "one publication, not two"
    assert checkout.objects("estuary", "draft") == {}
    keys = checkout.objects("estuary", "api_key").values()
    assert len([key for key in keys if key["account"] == f"{PREFIX}mcp" and key["valid_seconds"]]) == 1
    assert not checkout.stack().up(skip_preview=True).has_changes


@pytest.mark.parametrize(
    "rule",
    [
        {"method": "POST", "action": "drop-after", "times": 3},
        {"status": 503, "times": 4},
        {"status": 429, "retry_after": 0.2, "times": 5},
    ],
    ids=["lost answers", "unavailable", "too many"],
)
def test_a_disturbed_publication_happens_once(checkout: Checkout, rule: dict[str, Any]) -> None:
    checkout.configure(estuary=SETTINGS)
    checkout.running.add_fault(platform="estuary", skip=3, **rule)
    checkout.stack().up(skip_preview=True)
    assert_whole(checkout)


@pytest.mark.parametrize("path", ["/rest/v1/draft_specs", "/rest/v1/publications", "/api/v1/catalog/status"])
def test_a_run_that_is_killed_while_it_publishes_is_gone_on_with(
    checkout: Checkout, halt: Callable[..., Any], path: str
) -> None:
    checkout.configure(estuary=SETTINGS)
    halt(checkout, "estuary", "GET" if "status" in path else "POST", path, 0).kill_engine()
    checkout.run("cancel", "dev")
    checkout.running.remove_faults()
    checkout.stack().up(skip_preview=True)
    assert_whole(checkout)
