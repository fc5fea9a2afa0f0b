"""n8n when things break: a run that is killed between two calls about one workflow, and storms."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.engine.conftest import Checkout

Halt = Callable[..., Any]
ITEM = "/api/v1/workflows"
SETTINGS: dict[str, Any] = {
    "credentials": {
        "slack": {"name": "Slack", "type": "slackApi", "secrets": {"accessToken": {"environment": "SLACK_BOT_TOKEN"}}}
    },
    "workflows": {
        "error-report": {
            "name": "Error report",
            "file": "workflows/error-report.json",
            "values": {"channel": "C0ALERTS"},
        }
    },
}


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/api/v1/credentials"), ("POST", ITEM)], ids=["credential", "workflow"]
)
def test_an_answer_that_is_lost_makes_nothing_twice(checkout: Checkout, method: str, path: str) -> None:
    checkout.configure(n8n=SETTINGS)
    checkout.running.add_fault("n8n", method=method, path=path, action="drop-after", times=1)
    dev = checkout.stack()
    dev.up(skip_preview=True)
    assert len(checkout.objects("n8n", "workflow")) == 1
    assert len(checkout.objects("n8n", "credential")) == 1
    assert not dev.up(skip_preview=True).has_changes


def test_a_run_that_is_killed_after_the_create_is_finished_by_the_next(checkout: Checkout, halt: Halt) -> None:
    checkout.configure(n8n=SETTINGS)
    checkout.running.add_fault("n8n", method="POST", path=ITEM, action="drop-after", times=1)
    halt(checkout, "n8n", "GET", ITEM, 1).kill_engine()
    before = checkout.objects("n8n", "workflow")
    assert len(before) == 1
    dev = checkout.stack()
    dev.cancel()
    dev.up(skip_preview=True)
    after = checkout.objects("n8n", "workflow")
    assert after.keys() == before.keys()
    assert all(one["tagIds"] for one in after.values()), "what the killed run did not come to is done"
