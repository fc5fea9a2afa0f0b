"""Asana when things break: receivers that do not answer the handshake, a run that is killed in the middle of one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sandbox.http import digest

if TYPE_CHECKING:
    from tests.engine.conftest import Checkout

Halt = Callable[..., Any]
Kept = Callable[..., list[str]]
TARGET = "https://agents-dev.payready.com/webhook/asana-events"
SETTINGS: dict[str, Any] = {
    "workspace": {"name": "Pay Ready Development"},
    "teams": {"platform": {"name": "Sophia platform"}},
    "projects": {"incidents": {"name": "Sophia incidents", "team": "platform"}},
    "webhooks": {"incidents": {"project": "incidents", "target": TARGET}},
}


def secrets_of_asana(checkout: Checkout) -> list[str]:
    """Their digests: in clear the sandbox has none."""
    return [one["digest"] for one in checkout.objects("asana", "webhook_secret").values()]


def test_a_receiver_that_is_down_fails_the_webhook_alone_and_the_next_run_makes_it(
    checkout: Checkout, kept: Kept
) -> None:
    checkout.configure(asana=SETTINGS)
    rule = checkout.running.fail_deliveries(TARGET, status=502)
    failed = checkout.run("up", "dev", "--yes", "--skip-preview", code=None)
    assert failed.returncode
    said = failed.stdout + failed.stderr
    assert 'Asana webhook "incidents": the platform did not do it' in said
    assert "did not respond with the handshake secret" in said
    assert "sophia-ai:asana.webhooks.incidents" in said
    assert f"see that {TARGET} is public and answers" in said
    assert len(checkout.objects("asana", "project")) == 1
    assert checkout.objects("asana", "webhook") == {}
    (tried,) = checkout.running.deliveries(TARGET)
    assert (tried["status"], tried["headers"]["x-hook-secret"]) == (502, "***")

    checkout.running.restore_receivers(rule)
    checkout.stack().up(skip_preview=True)
    assert [digest(one) for one in kept(checkout, "Webhook", "secret")] == secrets_of_asana(checkout)


def test_a_run_that_is_killed_during_the_handshake_leaves_one_webhook_whose_secret_is_known(
    checkout: Checkout, halt: Halt, kept: Kept
) -> None:
    checkout.configure(asana=SETTINGS)
    halt(checkout, "asana", "POST", "/webhooks", 0, served=True).kill_engine()
    assert len(checkout.objects("asana", "webhook")) == 1, "Asana has made it, and nobody knows its secret"
    dev = checkout.stack()
    dev.cancel()
    dev.up(skip_preview=True)
    assert len(checkout.objects("asana", "webhook")) == 1
    assert [digest(one) for one in kept(checkout, "Webhook", "secret")] == secrets_of_asana(checkout)
    assert not dev.up(skip_preview=True).has_changes
