"""Apollo when things break: a run that is killed while a sequence is made, and one that it is too busy for."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.engine.conftest import Checkout

Halt = Callable[..., Any]
STEP: dict[str, Any] = {
    "key": "hello",
    "type": "auto_email",
    "wait_time": 0,
    "wait_mode": "minute",
    "email": {"subject": "Hello", "body_html": "<p>Hello</p>"},
}
SETTINGS: dict[str, Any] = {
    "lists": {"top": {"name": "NMHC Top 50", "modality": "contacts"}},
    "sequences": {"managers": {"name": "Regional managers", "steps": [STEP]}},
}


def test_a_run_that_is_killed_while_a_sequence_is_made_leaves_one_that_the_next_run_takes_up(
    checkout: Checkout, halt: Halt
) -> None:
    checkout.configure(apollo=SETTINGS)
    halt(checkout, "apollo", "POST", "/sequences", 0, served=True).kill_engine()
    (made,) = checkout.objects("apollo", "sequence").values()
    assert made["active"] is False, "whenever it is looked at"
    dev = checkout.stack()
    dev.cancel()
    dev.up(skip_preview=True)
    assert list(checkout.objects("apollo", "sequence")) == [made["id"]]
    changed = copy.deepcopy(SETTINGS)
    changed["sequences"]["managers"]["steps"][0]["wait_time"] = 5
    checkout.configure(apollo=changed)
    dev.up(skip_preview=True)
    (after,) = checkout.objects("apollo", "sequence").values()
    assert [(one["id"], one["wait_time"]) for one in after["steps"]] == [(made["steps"][0]["id"], 5)]
    assert len(after["steps"][0]["touches"]) == 1


def test_a_team_that_is_busy_is_waited_for(checkout: Checkout) -> None:
    checkout.configure(apollo=SETTINGS)
    checkout.running.add_fault(
        platform="apollo", method="POST", path="/sequences", status=429, times=2, message="We are already processing"
    )
    checkout.running.add_fault(platform="apollo", method="POST", path="/labels", action="drop-after", times=1)
    dev = checkout.stack()
    dev.up(skip_preview=True)
    assert len(checkout.objects("apollo", "sequence")) == 1
    assert len(checkout.objects("apollo", "label")) == 1, "a creation whose answer was lost is found, and not repeated"
    assert not dev.up(skip_preview=True).has_changes
