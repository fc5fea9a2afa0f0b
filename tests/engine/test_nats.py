"""NATS and n8n through the real engine: minted once, rotated beside the present, told in no state."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.engine.conftest import Checkout

DIGEST = "@sha256:" + "0123456789abcdef" * 4
RESOURCES = {"cpu_request": "100m", "memory_request": "128Mi", "cpu_limit": "500m", "memory_limit": "256Mi"}
STORE = {"image": f"docker.io/library/store:1.2{DIGEST}", "resources": RESOURCES, "storage": {"size": "1Gi"}}
SETTINGS: dict[str, Any] = {
    "namespace": "sophia-ai-dev",
    "version": "1.34",
    "quota": {"cpu_requests": "4", "memory_requests": "8Gi", "cpu_limits": "16", "memory_limits": "16Gi"},
    "ingress": {"host": "agents.example.com", "issuer": "letsencrypt"},
    "nats": {
        "image": f"docker.io/library/nats:2.14.2{DIGEST}",
        "exporter_image": f"docker.io/natsio/prometheus-nats-exporter:0.20.1{DIGEST}",
        "tools_image": f"docker.io/natsio/nats-box:0.19.2{DIGEST}",
        "servers": 1,
        "resources": RESOURCES,
        "storage": {"size": "1Gi"},
        "users": {"agents": {"pods": {"sophia-ai/tier": "agent"}, "publish": ["data.>"]}},
        "streams": {
            "data": {"name": "DATA", "subjects": ["data.>"], "max_age": "7d", "max_bytes": "64Mi", "replicas": 1}
        },
    },
    "n8n": {
        "image": f"docker.io/n8nio/n8n:2.41.6{DIGEST}",
        "runners_image": f"docker.io/n8nio/runners:2.41.6{DIGEST}",
        "timezone": "America/New_York",
        "owner": {"email": "ops@example.com", "first_name": "Pay", "last_name": "Ready"},
        "main": {"resources": RESOURCES},
        "webhooks": {"resources": RESOURCES},
        "workers": {"min": 1, "max": 2, "resources": RESOURCES, "runner_resources": RESOURCES},
        "redis": STORE,
        "postgres": STORE,
    },
}


def outputs(checkout: Checkout, name: str) -> dict[str, Any]:
    """The outputs, in the state, of the resource with this logical name that is no object of Kubernetes."""
    (found,) = [
        resource["outputs"]
        for key, resource in checkout.resources().items()
        if key.startswith("pulumi-python:") and key.endswith(f"::{name}")
    ]
    made: dict[str, Any] = found
    return made


def test_keys_are_minted_once_rotated_beside_the_present_and_secret(checkout: Checkout) -> None:
    settings = copy.deepcopy(SETTINGS)
    checkout.configure(kubernetes=settings)
    dev = checkout.stack()
    made = dev.up(skip_preview=True)
    key = outputs(checkout, "nats.agents")["public_key"]
    certificate = outputs(checkout, "nats.certificate")["certificate"]
    assert key.startswith("U")
    assert not dev.up(skip_preview=True).has_changes
    assert not dev.refresh().has_changes

    settings["nats"]["users"]["agents"]["key_generation"] = 2
    checkout.configure(kubernetes=settings)
    rotated = dev.up(skip_preview=True)
    touched = {change.resource.name for change in rotated.changes}
    assert {"nats.agents.second", "nats.configuration", "nats"} <= touched
    assert not [name for name in touched if name.startswith("n8n") or name in ("nats.agents.authority", "nats.streams")]
    assert outputs(checkout, "nats.agents")["public_key"] == key, "the present key stays valid"
    assert outputs(checkout, "nats.certificate")["certificate"] == certificate

    settings["nats"]["streams"]["data"]["max_age"] = "14d"
    checkout.configure(kubernetes=settings)
    restreamed = dev.up(skip_preview=True)
    assert {c.resource.name for c in restreamed.changes} == {"nats.streams"}, "no server restarts for a stream"

    state = json.dumps(checkout.resources())
    assert "PRIVATE KEY" not in state
    assert "requirepass" not in state

    destroyed = dev.destroy()
    assert destroyed.counts.deleted >= made.counts.created
