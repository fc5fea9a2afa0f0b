"""Keys that a platform shows once, in runs that are killed: each is there once, and the one in the state opens its door."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx
import pytest

if TYPE_CHECKING:
    from tests.engine.conftest import Checkout

Halt = Callable[..., Any]
Kept = Callable[..., list[str]]


@dataclass(frozen=True)
class Minted:
    """What makes one key on a platform, the request that does, and where the key shows that it works."""

    settings: dict[str, Any]
    path: str
    kind: str
    """What the sandbox calls the keys."""
    type: str
    output: str
    door: Callable[[Checkout], str]
    header: str
    headers: dict[str, str] = field(default_factory=dict)


PORTKEY: dict[str, Any] = {
    "workspace": {"name": "sophia-dev"},
    "api_keys": {"web": {"name": "Web app", "scopes": ["completions.write", "configs.list"]}},
}
MINTED = {
    "portkey": Minted(
        settings=PORTKEY,
        path="/v1/api-keys/workspace/service",
        kind="key",
        type="ApiKey",
        output="key",
        door=lambda checkout: f"{checkout.running.url}/portkey/v1/configs",
        header="x-portkey-api-key",
    ),
    "pinecone": Minted(
        settings={
            "project": {"name": "sophia-dev", "adopt": True},
            "keys": {"web": {"name": "Web app", "roles": ["ProjectViewer"]}},
        },
        path="/admin/projects/*/api-keys",
        kind="api_key",
        type="ApiKey",
        output="value",
        door=lambda checkout: f"{checkout.running.url}/pinecone/indexes",
        header="Api-Key",
        headers={"X-Pinecone-Api-Version": "2026-04"},
    ),
    "qdrant": Minted(
        settings={
            "clusters": {
                "main": {
                    "name": "sophia-dev",
                    "provider": "aws",
                    "region": "us-east-1",
                    "size": {"memory": "4GiB", "cpu": "1000m", "disk": "16GiB"},
                }
            },
            "keys": {"web": {"cluster": "main", "name": "Web app", "access": "read-only"}},
        },
        path="/api/cluster/auth/v2/accounts/*/database-api-keys",
        kind="database_key",
        type="DatabaseKey",
        output="key",
        door=lambda checkout: f"{checkout.stack().outputs()['qdrant']['addresses']['main']}/collections",
        header="api-key",
    ),
}


def keys(checkout: Checkout, platform: str) -> list[dict[str, Any]]:
    """Those of ours that open something."""
    found = checkout.objects(platform, MINTED[platform].kind).values()
    return [key for key in found if key["name"].startswith("Web app") and key.get("status") != "archived"]


def assert_opens(checkout: Checkout, minted: Minted, kept: Kept) -> None:
    (key,) = kept(checkout, minted.type, minted.output)
    headers = {minted.header: key, **minted.headers}
    assert httpx.get(minted.door(checkout), headers=headers, trust_env=False).status_code == 200


@pytest.mark.parametrize("platform", MINTED)
@pytest.mark.parametrize(
    ("killed", "served"),
    [("engine", False), ("engine", True), ("providers", True)],
    ids=["engine, asked for", "engine, made", "providers, made"],
)
def test_a_killed_run_makes_a_key_once(
    checkout: Checkout, halt: Halt, kept: Kept, killed: str, served: bool, platform: str
) -> None:
    minted = MINTED[platform]
    checkout.configure(**{platform: minted.settings})
    halted = halt(checkout, platform, "POST", minted.path, 0, served=served)
    if killed == "engine":
        halted.kill_engine()
        checkout.run("cancel", "dev")
    else:
        halted.kill_providers()
    assert len(keys(checkout, platform)) == int(served)

    checkout.run("up", "dev", "--skip-preview")
    assert len(keys(checkout, platform)) == 1
    assert_opens(checkout, minted, kept)
    checkout.run("refresh", "dev", "--expect-no-changes")


def test_a_rotation_whose_answer_is_lost_says_what_to_do(checkout: Checkout, kept: Kept) -> None:
    """Portkey has no second rotation while the key of before works: the way out is another key, and nothing is down."""
    minted = MINTED["portkey"]
    checkout.configure(portkey=PORTKEY)
    checkout.run("up", "dev", "--skip-preview")
    web = PORTKEY["api_keys"]["web"]
    checkout.configure(portkey={**PORTKEY, "api_keys": {"web": {**web, "generation": 2}}})
    checkout.running.add_fault("portkey", method="POST", path="/v1/api-keys/*/rotate", action="drop-after", times=1)
    lost = checkout.run("up", "dev", "--skip-preview", code=6)
    assert "under another key and name" in lost.stderr
    assert "Traceback" not in lost.stderr
    assert_opens(checkout, minted, kept)

    checkout.configure(portkey={**PORTKEY, "api_keys": {"web-2": {**web, "name": "Web app 2"}}})
    checkout.run("up", "dev", "--skip-preview")
    assert_opens(checkout, minted, kept)
    assert [key["name"] for key in keys(checkout, "portkey")] == ["Web app 2"]
