"""Pinecone through the real engine: what holds data is neither replaced nor lost, and keys reach their own project."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from sandbox.pinecone.access import control_key
from sophia.errors import SophiaError

if TYPE_CHECKING:
    from tests.engine.conftest import Checkout

VERSION = {"X-Pinecone-Api-Version": "2026-04"}
SETTINGS: dict[str, Any] = {
    "project": {"name": "sophia-dev", "adopt": True},
    "indexes": {
        "conversations": {
            "name": "sophia-dev-conversations",
            "cloud": "aws",
            "region": "us-east-1",
            "dimension": 1536,
            "metric": "cosine",
            "backups": {"frequency": "weekly", "retention_days": 7},
        }
    },
    "keys": {"web": {"name": "Web app", "roles": ["ProjectViewer"]}},
}


def indexes(checkout: Checkout, key: str) -> list[str]:
    answered = httpx.get(f"{checkout.running.url}/pinecone/indexes", headers={**VERSION, "Api-Key": key})
    return [index["name"] for index in answered.raise_for_status().json()["indexes"]]


def test_the_life_of_a_store(checkout: Checkout) -> None:
    settings = copy.deepcopy(SETTINGS)
    checkout.configure(pinecone=settings)
    dev = checkout.stack()
    dev.up(skip_preview=True)
    assert not dev.up(skip_preview=True).has_changes
    assert not dev.drift()
    assert indexes(checkout, control_key("dev")) == ["sophia-dev-conversations"]

    settings["indexes"]["conversations"]["dimension"] = 1024
    checkout.configure(pinecone=settings)
    with pytest.raises(SophiaError, match="declare a new index under another key and name"):
        dev.up(skip_preview=True)
    assert indexes(checkout, control_key("dev")) == ["sophia-dev-conversations"]

    settings["indexes"] = {
        "conversations": SETTINGS["indexes"]["conversations"],
        "conversations-2": {**settings["indexes"]["conversations"], "name": "sophia-dev-conversations-2"},
    }
    checkout.configure(pinecone=settings)
    dev.up(skip_preview=True)
    del settings["indexes"]["conversations"]
    checkout.configure(pinecone=settings)
    dev.up(skip_preview=True)
    assert indexes(checkout, control_key("dev")) == ["sophia-dev-conversations-2"]

    dev.destroy()
    assert indexes(checkout, control_key("dev")) == [], "the project, and our key to it, are left"
