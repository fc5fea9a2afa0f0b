"""Lambda Cloud through the real engine: what bills is known, launched once, and terminated when it is to go."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from sandbox.lambda_labs.access import API_KEY
from sophia.errors import SophiaError

if TYPE_CHECKING:
    from tests.engine.conftest import Checkout

PUBLIC = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAwqgPupnfXfAAdB0Scm7jqxSRC/LmwLth6mtDG2QmiB"
SETTINGS: dict[str, Any] = {
    "monthly_usd": 2000,
    "ssh_keys": {"operators": {"name": "sophia-dev-operators", "public_key": PUBLIC}},
    "filesystems": {"models": {"name": "sophia-dev-models", "region": "us-east-1"}},
    "firewalls": {
        "nodes": {
            "name": "sophia-dev-nodes",
            "regions": ["us-east-1"],
            "rules": [{"protocol": "tcp", "ports": 22, "source": "203.0.113.0/28"}],
        }
    },
    "clusters": {
        "sophia": {
            "endpoint": "k8s.payready.com:6443",
            "version": "1.34",
            "token": {"environment": "KUBERNETES_JOIN_TOKEN"},
            "ca_hash": {"environment": "KUBERNETES_CA_HASH"},
        }
    },
    "instances": {
        "gpu-a": {
            "name": "sophia-dev-gpu-a",
            "types": ["gpu_1x_gh200", "gpu_1x_a10"],
            "regions": ["us-east-1"],
            "max_usd_per_hour": 2.5,
            "ssh_key": "operators",
            "filesystems": {"/lambda/nfs/models": "models"},
            "firewalls": ["nodes"],
            "cluster": "sophia",
            "taints": ["nvidia.com/gpu=present:NoSchedule"],
        }
    },
}


def begin(checkout: Checkout, **timing: Any) -> dict[str, Any]:
    """Settings of the test's own, and an account whose rates take no time."""
    settings = copy.deepcopy(SETTINGS)
    checkout.configure(lambda_labs=settings)
    address = f"{checkout.running.url}/lambda_labs/api/v1/ssh-keys"
    httpx.get(address, headers={"Authorization": f"Bearer {API_KEY}"}, trust_env=False).raise_for_status()
    change(checkout, "timing", "account", request_seconds=0.0, launch_seconds=0.0, **timing)
    return settings


def change(checkout: Checkout, kind: str, key: str, **members: Any) -> None:
    checkout.running.change_object("lambda_labs", kind, key, members)


def billing(checkout: Checkout) -> dict[str, str]:
    """The ids of what bills, by name."""
    found = checkout.objects("lambda_labs", "instance").values()
    return {one["name"]: one["id"] for one in found if one["status"] not in ("terminated", "preempted")}


def test_the_life_of_a_gpu(checkout: Checkout) -> None:
    settings = begin(checkout)
    dev = checkout.stack()
    dev.up(skip_preview=True)
    assert list(billing(checkout)) == ["sophia-dev-gpu-a-1"]
    assert not dev.up(skip_preview=True).has_changes
    assert not dev.drift()
    state = dev.state()
    assert state
    assert "abcdef.0123456789abcdef" not in str(state.resources), "the join token is in nothing that is in clear"

    change(checkout, "instance_type", "gpu_1x_a10", price_cents_per_hour=999, capacity={})
    change(checkout, "instance_type", "gpu_1x_h100_pcie", capacity={"us-east-1": 1})
    settings["instances"]["gpu-a"]["types"] = ["gpu_1x_h100_pcie"]
    checkout.configure(lambda_labs=settings)
    before = billing(checkout)
    dev.up(skip_preview=True)
    assert billing(checkout) == before, "prices and wishes replace nothing that runs"

    settings["instances"]["gpu-a"]["generation"] = 2
    checkout.configure(lambda_labs=settings)
    since = checkout.running.mark()
    dev.up(skip_preview=True)
    assert list(billing(checkout)) == ["sophia-dev-gpu-a-2"]
    entries = checkout.running.journal(platforms=["lambda_labs"], methods=["POST"], since=since).entries
    sent = [entry.path.rpartition("/")[2] for entry in entries]
    assert sent.index("launch") < sent.index("terminate"), "the new one is there before the old one goes"

    change(checkout, "instance", billing(checkout)["sophia-dev-gpu-a-2"], status="preempted")
    change(checkout, "instance_type", "gpu_1x_h100_pcie", capacity={"us-east-1": 1})
    dev.refresh()
    dev.up(skip_preview=True)
    assert list(billing(checkout)) == ["sophia-dev-gpu-a-2"], "what Lambda took away is launched anew"

    dev.destroy()
    assert billing(checkout) == {}
    assert not any(checkout.objects("lambda_labs", kind) for kind in ("ssh_key", "filesystem", "firewall_ruleset"))


def test_an_instance_that_never_works_stays_known_until_another_takes_its_place(checkout: Checkout) -> None:
    settings = begin(checkout, becomes="unhealthy")
    dev = checkout.stack()
    for _ in range(2):
        with pytest.raises(SophiaError, match=r"unhealthy and bills 0\.75 USD/h"):
            dev.up(skip_preview=True)
        assert list(billing(checkout)) == ["sophia-dev-gpu-a-1"], "it is neither forgotten nor launched twice"
    change(checkout, "timing", "account", becomes="active")
    settings["instances"]["gpu-a"]["generation"] = 2
    checkout.configure(lambda_labs=settings)
    dev.up(skip_preview=True)
    assert list(billing(checkout)) == ["sophia-dev-gpu-a-2"]
    assert not dev.up(skip_preview=True).has_changes


def test_no_capacity_is_told_as_people_read_it(checkout: Checkout) -> None:
    begin(checkout)
    change(checkout, "instance_type", "gpu_1x_a10", capacity={})
    failed = checkout.run("up", "dev", "--skip-preview", code=1)
    for text in (
        "gpu_1x_gh200 in us-east-1 (1.49 USD/h): no capacity",
        "Capacity now:",
        "gpu_1x_gh200 (1.49 USD/h) in us-east-3",
        "sophia-ai:lambda_labs.instances.gpu-a",
    ):
        assert text in " ".join(failed.stderr.split()), failed.stderr
    assert billing(checkout) == {}
