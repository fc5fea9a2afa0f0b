"""The far end of the emulators' webhooks: who answers a delivery, what is remembered of it, and failing on demand."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from sandbox.control import Running, SandboxError
from sandbox.receiver import Failing, Receiver

N8N = "https://n8n.payready.example/webhook/asana-events"


@pytest.fixture
def receiver() -> Receiver:
    return Receiver("http://127.0.0.1:8900")


def test_a_public_host_answers_as_a_well_behaved_receiver_does(receiver: Receiver) -> None:
    handshake = receiver.deliver("asana", N8N, b"", {"X-Hook-Secret": "s3cret"})
    assert (handshake.status, handshake.headers["x-hook-secret"]) == (200, "s3cret")
    asked = json.dumps({"type": "url_verification", "challenge": "abc", "token": "t"}).encode()
    challenge = receiver.deliver("slack", N8N, asked, {"Content-Type": "application/json"})
    assert challenge.json() == {"challenge": "abc"}
    assert receiver.deliver("figma", N8N, b'{"event_type": "PING"}', {}).ok


def test_a_receiver_on_this_machine_is_called(receiver: Receiver, listen: Callable[[ASGIApp], str]) -> None:
    seen: list[bytes] = []

    async def hook(request: Request) -> Response:
        seen.append(await request.body())
        return Response(status_code=204, headers={"X-Hook-Secret": request.headers["X-Hook-Secret"]})

    url = listen(Starlette(routes=[Route("/hook", hook, methods=["POST"])]))
    answer = receiver.deliver("asana", f"{url}/hook", b"{}", {"X-Hook-Secret": "s3cret"})
    assert (answer.status, answer.headers["x-hook-secret"], seen) == (204, "s3cret", [b"{}"])
    assert receiver.deliver("asana", f"{url}/nowhere", b"{}", {}).status == 404
    silent = receiver.deliver("asana", "http://127.0.0.1:1/hook", b"", {})
    assert silent.status is None
    assert "ConnectError" in silent.problem


def test_the_sandbox_never_waits_for_itself(receiver: Receiver) -> None:
    assert receiver.deliver("linear", "http://127.0.0.1:8900/n8n/webhook/x", b"{}", {}).ok


def test_deliveries_are_remembered_without_their_secrets(receiver: Receiver) -> None:
    body = json.dumps({"event_type": "PING", "passcode": "p4ss", "user": {"name": "Ada", "api_key": "k3y"}}).encode()
    headers = {"X-Hook-Signature": "s1gn", "Content-Type": "application/json"}
    receiver.deliver("figma", "https://user:pw@hooks.example/in?token=t0ken&team=a", body, headers)
    (kept,) = receiver.deliveries("https://hooks.example/*")
    assert kept["address"] == "https://hooks.example/in?token=***&team=a"
    assert kept["headers"] == {"x-hook-signature": "***", "content-type": "application/json"}
    assert kept["body"] == {"event_type": "PING", "passcode": "***", "user": {"name": "Ada", "api_key": "***"}}
    assert (kept["platform"], kept["status"]) == ("figma", 200)
    assert receiver.deliveries("https://elsewhere.example/*") == []


def test_a_busy_address_does_not_push_others_out(receiver: Receiver) -> None:
    receiver.deliver("slack", N8N, b"{}", {})
    for number in range(100):
        receiver.deliver("linear", "https://busy.example/hook", json.dumps({"number": number}).encode(), {})
    assert len(receiver.deliveries(N8N)) == 1
    assert [d["body"]["number"] for d in receiver.deliveries("https://busy.example/*")] == list(range(80, 100))


def test_a_receiver_fails_as_told_and_as_often(receiver: Receiver) -> None:
    receiver.fail(Failing(address="https://n8n.*", status=503, times=1))
    assert receiver.deliver("asana", N8N, b"", {"X-Hook-Secret": "a"}).status == 503
    assert receiver.deliver("asana", N8N, b"", {"X-Hook-Secret": "a"}).ok
    rule = receiver.fail(Failing(outcome="no-echo"))
    forgetful = receiver.deliver("asana", N8N, b"", {"X-Hook-Secret": "a"})
    assert (forgetful.status, "x-hook-secret" in forgetful.headers) == (200, False)
    receiver.restore(rule.id)
    receiver.fail(Failing(outcome="unreachable"))
    assert receiver.deliver("asana", N8N, b"", {}).status is None


def test_the_control_api_shows_deliveries_and_makes_receivers_fail(sandbox: Running) -> None:
    assert sandbox.deliveries() == []
    identifier = sandbox.fail_deliveries(N8N, outcome="unreachable")
    sandbox.restore_receivers(identifier)
    with pytest.raises(SandboxError, match=identifier):
        sandbox.restore_receivers(identifier)
    with pytest.raises(SandboxError, match="outcome"):
        sandbox.fail_deliveries(N8N, outcome="sulks")
