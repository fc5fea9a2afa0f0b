"""Our provider of Vercel against the sandbox's API, every exchange held against Vercel's own description."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from providers import vercel
from sandbox.official import PLATFORMS
from sandbox.official.objects import Objects
from sandbox.official.vercel import PACKAGE, TEAM
from sandbox.official.vercel_projects import PROJECT
from sandbox.official.vercel_security import LOG_DRAIN, USER_TOKEN, WEBHOOK
from tests.contract.driven import Driven, new_run, unchanged, without_waiting
from tests.unit.base_platform import Engine

SPEC = "vercel/vercel_openapi_2025-10-27.json"
PLATFORM = next(platform for platform in PLATFORMS if platform.name == "vercel")
RECEIVER = "https://agents-dev.payready.com/webhook/vercel-events"
TOKEN: dict[str, Any] = {"name": "Pipeline", "lifetime_days": 30}
HOOK: dict[str, Any] = {"url": RECEIVER, "events": ["deployment.error", "budget.reached"]}
DRAIN: dict[str, Any] = {
    "name": "Logs to n8n",
    "endpoint": "https://agents-dev.payready.com/webhook/vercel-logs",
    "secret": "0123456789abcdef0123456789abcdef",
    "sources": ["lambda", "build"],
    "environments": ["production"],
    "sampling_rate": 0.5,
}
WEB = {"name": "web", "framework": "nextjs", "nodeVersion": "22.x"}
SECRET = "abcdefghijklmnopqrstuvwxyz012345"


def alternatives(node: Any) -> Any:
    """Vercel's description says oneOf where several of the alternatives fit the same answer: anyOf is meant."""
    if isinstance(node, list):
        return [alternatives(item) for item in node]
    if isinstance(node, dict):
        return {"anyOf" if name == "oneOf" else name: alternatives(value) for name, value in node.items()}
    return node


class Control(Driven):
    @property
    def package(self) -> Objects:
        """What the official plugin would make, by its stand-in."""
        return Objects(self.store, PACKAGE)

    def ask(self, path: str, token: str) -> httpx.Response:
        return httpx.get(
            f"{self.emulator.url}{path}", headers={"Authorization": f"Bearer {token}"}, params={"teamId": TEAM}
        )


@pytest.fixture
def control(
    serve: Callable[[Any], Any], spec: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Control]:
    found = Control(serve(PLATFORM), PLATFORM.name)
    without_waiting(monkeypatch, found.emulator.credentials)
    described = spec(SPEC)
    with found.emulator.client(type(described)(SPEC, alternatives(described.document))) as client:
        client.event_hooks["response"].append(found.answered)
        client.base_url = ""
        monkeypatch.setitem(vercel.VERCEL.__dict__, "client", client)
        yield found


def test_a_token_opens_the_platform_until_it_is_deleted(control: Control, monkeypatch: pytest.MonkeyPatch) -> None:
    made = unchanged(vercel.Token, TOKEN, monkeypatch)
    (kept,) = control.all(USER_TOKEN)
    assert kept["properties"]["name"] == "Pipeline (managed by sophia-ai/dev)"
    assert control.ask("/v5/user/tokens/current", made.outputs["token"]).json()["token"]["id"] == made.id
    second = Engine(vercel.Token, "second").create(**TOKEN, generation=2)
    assert second.outputs["token"] != made.outputs["token"], "both work, until the first is deleted"
    assert {one["properties"]["name"].partition(" (")[0] for one in control.all(USER_TOKEN)} == {
        "Pipeline",
        "Pipeline #2",
    }
    Engine(vercel.Token).delete(made)
    refused = control.ask("/v5/user/tokens/current", made.outputs["token"])
    assert refused.json()["error"]["invalidToken"] is True


def test_a_token_lasts_as_long_as_was_asked_for(control: Control, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine(vercel.Token)
    made = engine.create(**TOKEN)
    (kept,) = control.all(USER_TOKEN)
    days = (kept["properties"]["expiresAt"] - kept["properties"]["createdAt"]) / 86_400_000
    assert 29.99 < days < 30.01
    assert made.outputs["expires_at"] == kept["properties"]["expiresAt"]
    control.store.put(USER_TOKEN, made.id, {**kept, "properties": {**kept["properties"], "expiresAt": 1000}})
    new_run(monkeypatch)
    assert engine.read(made) is None, "one that has expired is made anew"


def test_a_token_whose_value_was_lost_is_made_anew(control: Control) -> None:
    control.lost.append("POST /v3/user/tokens")
    made = Engine(vercel.Token).create(**TOKEN)
    assert [one["id"] for one in control.all(USER_TOKEN)] == [made.id], "never a second one that nobody knows"


def test_an_event_that_there_is_not_is_found_before_anything_is_sent(control: Control) -> None:
    _, mistakes = Engine(vercel.Webhook).check(url=RECEIVER, events=["deployment.nothing"])
    assert [*mistakes] == ["events[0]"]
    assert control.requests == []


def test_a_webhook_is_renewed_with_an_overlap(control: Control, monkeypatch: pytest.MonkeyPatch) -> None:
    made = unchanged(vercel.Webhook, HOOK, monkeypatch)
    second = Engine(vercel.Webhook, "second").create(**HOOK, generation=2)
    urls = {one["properties"]["endpoint"] for one in control.all(WEBHOOK)}
    assert urls == {RECEIVER, f"{RECEIVER}?generation=2"}, "the receiver can tell the two secrets apart"
    assert made.outputs["secret"] != second.outputs["secret"]
    new_run(monkeypatch)
    seen = Engine(vercel.Webhook).read(second)
    assert seen
    assert seen.inputs["url"] == RECEIVER
    Engine(vercel.Webhook).delete(made)
    assert len(control.all(WEBHOOK)) == 1


def test_somebody_elses_webhook_is_in_the_way(control: Control) -> None:
    theirs, _ = control.package.create(WEBHOOK, {"endpoint": RECEIVER, "events": [*HOOK["events"]]}, ())
    told = str(Engine(vercel.Webhook).failing_create(**HOOK))
    assert f"it exists already ({theirs}), and its secret was shown only to whoever made it" in told
    assert "delete it on the platform" in told


def test_a_webhook_of_some_projects_needs_them(control: Control, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "Project not found" in str(Engine(vercel.Webhook).failing_create(**HOOK, project_ids=["prj_none"]))
    project, _ = control.package.create(PROJECT, WEB, ())
    new_run(monkeypatch)
    unchanged(vercel.Webhook, {**HOOK, "project_ids": [project]}, monkeypatch)


def test_a_drain_changes_in_place(control: Control, monkeypatch: pytest.MonkeyPatch) -> None:
    made = unchanged(vercel.Drain, DRAIN, monkeypatch)
    engine = Engine(vercel.Drain)
    project, _ = control.package.create(PROJECT, WEB, ())
    changed = {
        **DRAIN,
        "secret": "ffffffffffffffffffffffffffffffff",
        "sources": ["lambda"],
        "project_ids": [project],
        "status": "disabled",
    }
    del changed["sampling_rate"]
    updated = engine.update(made, **changed)
    (drain,) = control.all("drain")
    assert (drain["id"], drain["status"], drain["projectIds"], drain["sampling"]) == (
        made.id,
        "disabled",
        [project],
        [],
    )
    assert drain["filterV2"]["filter"]["log"] == {"sources": ["lambda"]}
    new_run(monkeypatch)
    seen = engine.read(updated)
    assert seen
    assert not engine.changes(seen, **changed)
    control.store.put("drain", made.id, {**drain, "status": "errored"})
    new_run(monkeypatch)
    seen = engine.read(updated)
    assert seen
    assert engine.changes(seen, **{**changed, "status": "enabled"}), "what Vercel has switched off is switched on again"
    engine.delete(updated)
    assert control.all("drain") == []


def test_a_drain_made_by_hand_is_adopted(control: Control, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Engine(vercel.Drain).create(**DRAIN)
    (drain,) = control.all("drain")
    control.store.put("drain", made.id, {**drain, "name": DRAIN["name"]})
    new_run(monkeypatch)
    assert "adopt" in str(Engine(vercel.Drain).failing_create(**DRAIN))
    new_run(monkeypatch)
    assert Engine(vercel.Drain).create(**DRAIN, adopt=True).id == made.id
    (after,) = control.all("drain")
    assert after["delivery"] == drain["delivery"], "its receiver checks with the secret that it has"


def test_a_drain_is_tried_before_it_is_made(control: Control, monkeypatch: pytest.MonkeyPatch) -> None:
    from sandbox.receiver import Failing

    monkeypatch.setenv("SOPHIA_REHEARSE", "1")
    control.emulator.app.state.receiver.fail(Failing(address=DRAIN["endpoint"], status=500))
    with pytest.raises(Exception, match="does not take what Vercel sends: the endpoint answered 500"):
        Engine(vercel.Drain).check(**DRAIN)
    assert control.all("drain") == []


def test_a_bypass_has_no_secret_in_its_id(control: Control, monkeypatch: pytest.MonkeyPatch) -> None:
    project, _ = control.package.create(PROJECT, WEB, ())
    given = {"project_id": project, "name": "pipeline", "secret": SECRET}
    made = unchanged(vercel.ProtectionBypass, given, monkeypatch)
    assert made.id == f"{project}/pipeline"
    assert SECRET not in str(made.outputs)
    (kept,) = control.all("bypass")
    assert SECRET not in str(kept), "not even the sandbox has it in clear"
    engine = Engine(vercel.ProtectionBypass)
    engine.delete(made)
    assert control.all("bypass") == []
    assert engine.read(made) is None


def test_what_the_package_made_is_seen_by_the_api(control: Control) -> None:
    project, _ = control.package.create(PROJECT, WEB, ())
    drain = {
        "endpoint": "https://x.example",
        "deliveryFormat": "json",
        "sources": ["build"],
        "environments": ["preview"],
    }
    made, _ = control.package.create(LOG_DRAIN, {**drain, "name": "by the package"}, ())
    token = control.emulator.credentials["VERCEL_API_TOKEN"]
    assert control.ask("/v9/projects/web", token).json()["id"] == project
    assert [one["id"] for one in control.ask("/v1/drains", token).json()["drains"]] == [made]


def test_a_slug_is_no_team_id(control: Control, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VERCEL_TEAM", "pay-ready")
    assert "must be the team's id, team_" in str(Engine(vercel.Webhook).failing_create(**HOOK))
