"""What is said and done when platforms answer badly or not at all. (test_convergence.py tries all the ways in which.)"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.engine.conftest import Checkout

CREATES = {
    ("openrouter", "workspace"): "/api/v1/workspaces",
    ("openrouter", "key"): "/api/v1/keys",
    ("slack", "channel"): "/api/conversations.create",
    ("slack", "usergroup"): "/api/usergroups.create",
    ("airbyte", "workspace"): "/v1/workspaces",
    ("airbyte", "source"): "/v1/sources",
}
"""By platform and kind, the path of the create call: all kinds of the small settings."""


def counts(checkout: Checkout) -> dict[tuple[str, str], int]:
    """How many objects of each kind exist, but for the default ones."""
    return {
        key: len([o for o in checkout.objects(*key).values() if o.get("slug") != "default" and not o.get("deleted")])
        for key in CREATES
    }


def test_creates_without_a_whole_answer_make_one_object_each(
    checkout: Checkout, settings: dict[str, Any], minted_key_status: Callable[[Checkout], int]
) -> None:
    checkout.configure(**settings)
    for (platform, _), path in CREATES.items():
        checkout.running.add_fault(platform, method="POST", path=path, action="drop-after", times=1)
    checkout.run("up", "dev", "--skip-preview")
    assert [rule["applied"] for rule in checkout.running.faults()] == [1] * len(CREATES)
    assert counts(checkout) == dict.fromkeys(CREATES, 1)
    assert minted_key_status(checkout) == 200, "what is shown once was not lost"
    checkout.run("refresh", "dev", "--expect-no-changes")


def test_a_storm_that_does_not_pass_is_told_and_the_next_run_goes_on(
    checkout: Checkout, settings: dict[str, Any]
) -> None:
    checkout.configure(openrouter=settings["openrouter"])
    checkout.running.add_fault("openrouter", path="/api/v1/keys", status=500)
    failed = checkout.run("up", "dev", "--skip-preview", code=1, SOPHIA_PATIENCE_SECONDS="1")
    assert "said     500" in failed.stderr
    assert "run the same command again" in failed.stderr
    assert "Traceback" not in failed.stderr
    assert [name for name in checkout.resources() if name.endswith("Workspace::workspace")], "what was made is known"
    checkout.running.remove_faults()
    checkout.run("up", "dev", "--skip-preview")
    assert len(checkout.objects("openrouter", "key")) == 1


def test_an_app_that_may_have_been_made_is_not_made_twice(checkout: Checkout) -> None:
    """Slack lists no apps: whether the create worked can only be seen by a person."""
    checkout.configure(slack={"apps": {"sophia": {"manifest": {"display_information": {"name": "Sophia dev"}}}}})
    checkout.running.add_fault("slack", path="/api/apps.manifest.create", action="drop-after", times=1)
    failed = checkout.run("up", "dev", "--skip-preview", code=None)
    assert failed.returncode in (1, 6)
    assert "look for it on the platform" in failed.stderr
    assert len(checkout.objects("slack", "app")) == 1


def test_a_token_that_expires_in_the_middle_of_a_run_is_renewed(checkout: Checkout, settings: dict[str, Any]) -> None:
    checkout.configure(airbyte=settings["airbyte"])
    sandbox = checkout.running
    # The platform forgets the token before its time: the source's create is refused once.
    sandbox.add_fault("airbyte", method="POST", path="/v1/sources", status=401, times=1)
    checkout.run("up", "dev", "--skip-preview")
    exchanges = [e for e in sandbox.journal(platforms=["airbyte"]).entries if e.path.endswith("/applications/token")]
    assert len(exchanges) == 2
    assert len(checkout.objects("airbyte", "source")) == 1
