"""HubSpot when things break: a run that is killed while a pipeline is made, whose stages came with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sandbox.hubspot.access import PORTALS

if TYPE_CHECKING:
    from tests.engine.conftest import Checkout

Halt = Callable[..., Any]
SETTINGS: dict[str, Any] = {
    "portal_id": PORTALS["dev"],
    "objects": {
        "deals": {
            "pipelines": {
                "payments": {
                    "label": "Payments",
                    "stages": [
                        {"key": "qualified", "label": "Qualified", "probability": 0.2},
                        {"key": "won", "label": "Won", "probability": 1},
                    ],
                }
            }
        }
    },
}


def test_a_run_that_is_killed_while_a_pipeline_is_made_leaves_one_pipeline_with_its_stages(
    checkout: Checkout, halt: Halt
) -> None:
    checkout.configure(hubspot=SETTINGS)
    halt(checkout, "hubspot", "POST", "/crm/v3/pipelines/0-3", 0, served=True).kill_engine()
    (made,) = [one for one in checkout.objects("hubspot", "pipeline").values() if one["label"] == "Payments"]
    dev = checkout.stack()
    dev.cancel()
    dev.up(skip_preview=True)
    (kept,) = [one for one in checkout.objects("hubspot", "pipeline").values() if one["label"] == "Payments"]
    assert kept["id"] == made["id"], "taken over, and not made again"
    assert [one["id"] for one in kept["stages"]] == [one["id"] for one in made["stages"]]
    assert not dev.up(skip_preview=True).has_changes
