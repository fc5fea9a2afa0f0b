"""Qdrant through the real engine: databases with addresses and keys of their own, and collections that are never lost."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from sophia.errors import SophiaError

if TYPE_CHECKING:
    from tests.engine.conftest import Checkout

SETTINGS: dict[str, Any] = {
    "clusters": {
        "main": {
            "name": "sophia-dev",
            "provider": "aws",
            "region": "us-east-1",
            "size": {"memory": "4GiB", "cpu": "1000m", "disk": "16GiB"},
        }
    },
    "backups": {"nightly": {"cluster": "main", "name": "Nightly", "schedule": "0 8 * * *", "retention_days": 7}},
    "collections": {
        "calls": {
            "database": "main",
            "alias": "calls",
            "current": "v1",
            "versions": {"v1": {"vectors": {"text": {"size": 8}}, "indexes": {"property_id": "keyword"}}},
        }
    },
    "keys": {"agents": {"cluster": "main", "name": "Agents", "collections": {"calls": "read-only"}}},
    "management_keys": {"ci": {}},
}


def alias_of(checkout: Checkout) -> str:
    (alias,) = checkout.objects("qdrant", "alias").values()
    return str(alias["collection"])


def test_a_database_lives_from_its_first_key_to_its_last(checkout: Checkout) -> None:
    settings = copy.deepcopy(SETTINGS)
    checkout.configure(qdrant=settings)
    dev = checkout.stack()
    made = dev.up(skip_preview=True)
    assert alias_of(checkout) == "calls_v1"
    assert httpx.get(made.outputs["qdrant"]["addresses"]["main"] + "/readyz", trust_env=False).status_code == 200
    mark = checkout.running.mark()
    assert not dev.up(skip_preview=True).has_changes
    assert checkout.running.journal(since=mark).entries == []
    assert not dev.refresh().has_changes

    settings["clusters"]["main"]["manager_generation"] = 2
    checkout.configure(qdrant=settings)
    rotated = dev.up(skip_preview=True)
    assert {c.resource.name for c in rotated.changes} == {"main.manager"}, "a rotation touches no collection"
    assert not dev.refresh().has_changes, "and from then on the new key is used"

    state = json.dumps(checkout.resources())
    assert "|" not in state, "every key of the emulator has this sign: none is in clear"

    destroyed = dev.destroy()
    assert destroyed.counts.deleted == made.counts.created
    kinds = ("cluster", "schedule", "database_key", "management_key", "collection", "alias")
    assert {kind: checkout.objects("qdrant", kind) for kind in kinds} == {kind: {} for kind in kinds}


def test_a_change_that_would_lose_data_is_refused_and_another_version_takes_over(checkout: Checkout) -> None:
    settings = copy.deepcopy(SETTINGS)
    checkout.configure(qdrant=settings)
    dev = checkout.stack()
    dev.up(skip_preview=True)

    versions = settings["collections"]["calls"]["versions"]
    versions["v1"]["vectors"]["text"]["size"] = 16
    checkout.configure(qdrant=settings)
    with pytest.raises(SophiaError) as refused:
        dev.preview()
    told = str(refused.value)
    assert "vectors" in told
    assert "switch the alias to it" in told
    assert len(checkout.objects("qdrant", "collection")) == 1

    versions["v1"]["vectors"]["text"]["size"] = 8
    versions["v2"] = {"vectors": {"text": {"size": 16}}, "indexes": {"property_id": "keyword"}}
    checkout.configure(qdrant=settings)
    dev.up(skip_preview=True)
    assert alias_of(checkout) == "calls_v1", "until it is filled nobody searches in it"
    settings["collections"]["calls"]["current"] = "v2"
    checkout.configure(qdrant=settings)
    switched = dev.up(skip_preview=True)
    assert [c.operation for c in switched.changes] == ["update"]
    assert alias_of(checkout) == "calls_v2"
    del versions["v1"]
    checkout.configure(qdrant=settings)
    dev.up(skip_preview=True)
    assert [one["name"] for one in checkout.objects("qdrant", "collection").values()] == ["calls_v2"]
    assert alias_of(checkout) == "calls_v2"


def test_what_is_changed_by_hand_is_seen_and_repaired(checkout: Checkout) -> None:
    checkout.configure(qdrant=copy.deepcopy(SETTINGS))
    dev = checkout.stack()
    dev.up(skip_preview=True)
    (id_,) = checkout.objects("qdrant", "alias")
    checkout.running.change_object("qdrant", "alias", id_, {"collection": "elsewhere"})
    (drift,) = dev.refresh().changes
    assert [p.path for p in drift.properties] == ["collection"]
    dev.up(skip_preview=True)
    assert alias_of(checkout) == "calls_v1"
