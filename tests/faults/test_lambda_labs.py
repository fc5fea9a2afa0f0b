"""A launch that is disturbed, or killed in the middle: one instance in the end, and never one that nobody knows."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from sandbox.lambda_labs.access import API_KEY

if TYPE_CHECKING:
    from tests.engine.conftest import Checkout

LAUNCH = "/api/v1/instance-operations/launch"
SETTINGS: dict[str, Any] = {
    "monthly_usd": 1000,
    "ssh_keys": {
        "operators": {
            "name": "sophia-dev-operators",
            "public_key": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAwqgPupnfXfAAdB0Scm7jqxSRC/LmwLth6mtDG2QmiB",
        }
    },
    "instances": {
        "gpu-a": {
            "name": "sophia-dev-gpu-a",
            "types": ["gpu_1x_a10"],
            "regions": ["us-east-1"],
            "max_usd_per_hour": 0.9,
            "ssh_key": "operators",
        }
    },
}


@pytest.fixture
def account(checkout: Checkout) -> Checkout:
    """The rates of the account take no time; what is tried here is something else."""
    checkout.configure(lambda_labs=SETTINGS)
    address = f"{checkout.running.url}/lambda_labs/api/v1/ssh-keys"
    httpx.get(address, headers={"Authorization": f"Bearer {API_KEY}"}, trust_env=False).raise_for_status()
    rates = {"request_seconds": 0.0, "launch_seconds": 0.0}
    checkout.running.change_object("lambda_labs", "timing", "account", rates)
    return checkout


def billing(checkout: Checkout) -> list[str]:
    """The ids of what bills."""
    found = checkout.objects("lambda_labs", "instance").values()
    return [one["id"] for one in found if one["status"] not in ("terminated", "preempted")]


@pytest.mark.parametrize(
    "rule",
    [
        {"action": "drop-after", "times": 1},
        {"status": 503, "times": 1},
        {"status": 429, "retry_after": 0.2, "times": 3},
    ],
    ids=["a lost answer", "unavailable", "too many"],
)
def test_a_disturbed_launch_happens_once(account: Checkout, rule: dict[str, Any]) -> None:
    account.running.add_fault("lambda_labs", method="POST", path=LAUNCH, **rule)
    account.stack().up(skip_preview=True)
    assert len(billing(account)) == 1
    assert not account.stack().up(skip_preview=True).has_changes


@pytest.mark.parametrize("launched", [False, True], ids=["before it is launched", "while it boots"])
def test_a_run_that_is_killed_in_a_launch_leaves_nothing_that_bills_unknown(
    account: Checkout, halt: Callable[..., Any], launched: bool
) -> None:
    if launched:
        # The first look at the list is before the launch, the second is for the answer that was lost.
        account.running.add_fault("lambda_labs", method="POST", path=LAUNCH, action="drop-after", times=1)
        stopped = halt(account, "lambda_labs", "GET", "/api/v1/instances", 1)
    else:
        stopped = halt(account, "lambda_labs", "POST", LAUNCH, 0)
    killed = stopped.kill_engine()
    assert killed.returncode == 1
    before = billing(account)
    assert len(before) == int(launched)
    account.run("cancel", "dev")
    account.run("up", "dev", "--skip-preview")
    after = billing(account)
    assert len(after) == 1
    assert set(before) <= set(after), "what was launched before is what is used now"
    account.run("destroy", "dev", "--yes")
    assert billing(account) == []
