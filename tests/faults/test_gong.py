"""Gong when things break: the day's requests are used up, and a run that is killed while a profile is made."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sandbox.gong import access
from tests.engine.conftest import wait_for

if TYPE_CHECKING:
    from tests.engine.conftest import Checkout

Halt = Callable[..., Any]
SETTINGS: dict[str, Any] = {
    "workspaces": {"main": {"name": "Sophia Development"}},
    "users": {"lead": {"email": "collections@payready.com"}},
    "profiles": {
        "reviewers": {"workspace": "main", "name": "Reviewers", "allow": ["score_calls"]},
        "sales": {"workspace": "main", "name": "Sales", "deny": ["delete_calls"]},
    },
}


def test_the_days_limit_ends_a_run_at_once_and_the_next_day_goes_on(checkout: Checkout) -> None:
    checkout.configure(gong=SETTINGS)
    checkout.run("health", "dev", "--platform", "gong")
    checkout.running.change_object("gong", *access.LIMITS, {"per_day": 2})
    failed = checkout.run("up", "dev", "--yes", "--skip-preview", code=None)
    assert failed.returncode
    said = failed.stdout + failed.stderr
    assert "429 Limit exceeded: API calls per day; Gong takes the next request in" in said
    assert "are used up by all that ask with its keys" in said
    assert "Traceback" not in said
    checkout.running.change_object("gong", *access.LIMITS, {"per_day": 10_000})
    checkout.stack().up(skip_preview=True)
    assert sorted(one["name"] for one in checkout.objects("gong", "profile").values()) == ["Reviewers", "Sales"]


def test_a_run_that_is_killed_while_a_profile_is_made_leaves_one_profile(checkout: Checkout, halt: Halt) -> None:
    checkout.configure(gong=SETTINGS)
    halted = halt(checkout, "gong", "POST", "/v2/permission-profile", 0, served=True)
    wait_for(lambda: checkout.objects("gong", "profile"), "Gong to have made a profile of which nobody hears")
    halted.kill_engine()
    before = set(checkout.objects("gong", "profile"))
    dev = checkout.stack()
    dev.cancel()
    dev.up(skip_preview=True)
    found = checkout.objects("gong", "profile")
    assert before <= set(found)
    assert sorted(one["name"] for one in found.values()) == ["Reviewers", "Sales"]
    assert not dev.up(skip_preview=True).has_changes
