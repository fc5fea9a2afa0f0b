"""Our provider of Figma against the emulator, every exchange held against the vendor's specification."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from providers import figma
from sandbox.figma import PLATFORM, access
from sandbox.http import digest
from tests.contract.driven import Driven, new_run, unchanged, without_waiting
from tests.contract.figma_specification import NAME, relaxed
from tests.unit.base_platform import Engine

PROJECT, FILE = access.PROJECTS["dev"], access.file_key("dev", "design-system")
HOOK: dict[str, Any] = {
    "context": "project",
    "context_id": PROJECT,
    "event_type": "LIBRARY_PUBLISH",
    "endpoint": "https://agents-dev.payready.com/webhook/figma-events",
    "passcode": "the-first-passcode",
    "description": "Tokens were published",
}
LINK: dict[str, Any] = {
    "file_key": FILE,
    "node_id": "12:34",
    "name": "PaymentForm.tsx",
    "url": "https://github.com/payready/resident-portal/blob/main/src/PaymentForm.tsx",
}
PRIMITIVES: dict[str, Any] = {
    "file_key": FILE,
    "name": "Primitives",
    "modes": {"Base": "default"},
    "variables": {
        "color/blue-600": {"type": "COLOR", "values": {"Base": "#0B5FFF"}, "description": "Trust"},
        "color/ink": {"type": "COLOR", "values": {"Base": "#0b1021cc"}, "scopes": ["TEXT_FILL", "SHAPE_FILL"]},
        "space/4": {"type": "FLOAT", "values": {"Base": 16}, "code_syntax": {"WEB": "var(--space-4)"}},
    },
}
SEMANTIC: dict[str, Any] = {
    "file_key": FILE,
    "name": "Semantic",
    "modes": {"Light": "default", "Dark": "other"},
    "variables": {
        "action/primary": {
            "type": "COLOR",
            "values": {"Light": {"variable": "color/blue-600", "collection": "Primitives"}, "Dark": "#5b8fff"},
        },
        "action/focus": {"type": "COLOR", "values": {"Light": {"variable": "action/primary"}, "Dark": "#ffffff"}},
        "dense": {"type": "BOOLEAN", "values": {"Light": False, "Dark": True}},
        "font/body": {"type": "STRING", "values": {"Light": "Inter", "Dark": "Inter"}},
    },
}


class Organisation(Driven):
    def change(self, kind: str, key: str, /, **members: Any) -> None:
        access.ensure(self.store)
        super().change(kind, key, **members)

    def token(self, **members: Any) -> None:
        self.change("token", digest(access.TOKEN), **members)

    def deliveries(self, address: str = "*") -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.receiver.deliveries(address)
        return found


@pytest.fixture
def organisation(
    serve: Callable[[Any], Any], spec: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Organisation]:
    found = Organisation(serve(PLATFORM), PLATFORM.name)
    without_waiting(monkeypatch, found.emulator.credentials)
    with found.emulator.client(relaxed(spec(NAME))) as client:
        client.event_hooks = {"response": [*client.event_hooks["response"], found.answered]}
        client.base_url = ""
        monkeypatch.setitem(figma.FIGMA.__dict__, "client", client)
        yield found


def test_projects_and_files_are_seen_to_be_there(organisation: Organisation, monkeypatch: pytest.MonkeyPatch) -> None:
    project = Engine(figma.Project).create(project_id=PROJECT, adopt=True)
    assert (project.id, project.outputs["name"]) == (PROJECT, "Sophia dev")
    file = unchanged(figma.File, {"project_id": PROJECT, "file_key": FILE, "adopt": True}, monkeypatch)
    assert file.outputs["name"] == "Design system"
    Engine(figma.File).delete(file)
    assert organisation.store.get("file", FILE), "people's files are never deleted"
    told = str(Engine(figma.Project).failing_create(project_id="999", adopt=True))
    assert "no project has the id '999'; FIGMA_TOKEN can see Sophia dev" in told
    assert not [request for request in organisation.requests if not request.startswith("GET")]


def test_a_webhook_is_made_read_changed_and_deleted(
    organisation: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = unchanged(figma.Webhook, HOOK, monkeypatch)
    engine = Engine(figma.Webhook)
    assert made.outputs["passcode"].startswith("hash:")
    (ping,) = organisation.deliveries(HOOK["endpoint"])
    assert ping["body"]["event_type"] == "PING"
    changed = {**HOOK, "passcode": "the-second-passcode"}
    assert engine.changed(made, **changed) == ["passcode"]
    updated = engine.update(made, **changed)
    (webhook,) = organisation.all("webhook")
    assert webhook["passcode_digest"] == digest("the-second-passcode")
    paused = engine.update(updated, **{**changed, "status": "PAUSED", "event_type": "FILE_COMMENT"})
    (webhook,) = organisation.all("webhook")
    assert (webhook["status"], webhook["event_type"]) == ("PAUSED", "FILE_COMMENT")
    assert webhook["passcode_digest"] == digest("the-second-passcode"), "sent along with every change"
    engine.delete(paused)
    engine.delete(paused)
    assert organisation.all("webhook") == []


def test_a_webhook_that_figma_has_paused_is_drift(organisation: Organisation, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine(figma.Webhook)
    made = engine.create(**HOOK)
    organisation.change("webhook", made.id, status="PAUSED")
    new_run(monkeypatch)
    seen = engine.read(made)
    assert seen
    assert seen.inputs["status"] == "PAUSED"
    engine.update(seen, **HOOK)
    assert organisation.all("webhook")[0]["status"] == "ACTIVE"


def test_one_list_shows_the_webhooks_of_the_whole_plan(
    organisation: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = Engine(figma.Webhook)
    team = {**HOOK, "context": "team", "context_id": access.TEAM}
    made = [engine.create(**{**team, "endpoint": f"{HOOK['endpoint']}/{number}"}) for number in range(12)]
    new_run(monkeypatch)
    organisation.requests.clear()
    assert all(engine.read(one) for one in made)
    assert len(organisation.requests) == 2, "two pages of ten, for all of them"


def test_a_webhook_that_a_person_made_is_in_the_way_and_can_be_taken_over(
    organisation: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    with httpx.Client(headers={"X-Figma-Token": access.TOKEN}) as person:
        sent = {**HOOK, "description": "by hand", "passcode": "a-persons"}
        by_hand = person.post(f"{organisation.emulator.url}/v2/webhooks", json=sent).json()["id"]
    told = str(Engine(figma.Webhook).failing_create(**HOOK))
    assert by_hand in told
    assert "adopt" in told
    new_run(monkeypatch)
    adopted = Engine(figma.Webhook).create(**HOOK, adopt=True)
    assert adopted.id == by_hand
    assert len(organisation.all("webhook")) == 1
    new_run(monkeypatch)
    told = str(Engine(figma.Webhook, stack="prod").failing_create(**{**HOOK, "passcode": "another"}))
    assert "exists already" in told


def test_a_webhook_whose_creation_was_not_answered_is_not_made_twice(organisation: Organisation) -> None:
    organisation.lost = ["POST /v2/webhooks"]
    made = Engine(figma.Webhook).create(**HOOK)
    assert [webhook["id"] for webhook in organisation.all("webhook")] == [made.id]


def test_a_link_is_made_changed_and_deleted(organisation: Organisation, monkeypatch: pytest.MonkeyPatch) -> None:
    made = unchanged(figma.DevResource, LINK, monkeypatch)
    engine = Engine(figma.DevResource)
    changed = {**LINK, "name": "PaymentForm", "url": "https://github.com/payready/resident-portal"}
    updated = engine.update(made, **changed)
    assert organisation.all("dev_resource") == [{"id": made.id, **changed}]
    engine.delete(updated)
    engine.delete(updated)
    assert organisation.all("dev_resource") == []


def test_what_fails_of_a_bulk_call_fails_although_the_answer_is_200(organisation: Organisation) -> None:
    told = str(Engine(figma.DevResource).failing_create(**{**LINK, "file_key": FILE[:-1] + "X"}))
    assert "File not found" in told
    for number in range(10):
        Engine(figma.DevResource).create(**{**LINK, "url": f"https://example.com/{number}"})
    assert "maximum of 10" in str(Engine(figma.DevResource).failing_create(**LINK))
    assert len(organisation.all("dev_resource")) == 10
    told = str(Engine(figma.DevResource).failing_create(**{**LINK, "url": "https://example.com/3"}))
    assert "exists already" in told


def test_collections_are_made_read_changed_and_deleted(
    organisation: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    primitives = unchanged(figma.VariableCollection, PRIMITIVES, monkeypatch)
    assert set(primitives.outputs["variable_ids"]) == set(PRIMITIVES["variables"])
    semantic = unchanged(figma.VariableCollection, SEMANTIC, monkeypatch)
    kept = organisation.store.get("variables", FILE)
    primary = kept["variables"][semantic.outputs["variable_ids"]["action/primary"]]
    blue = primitives.outputs["variable_ids"]["color/blue-600"]
    assert {"type": "VARIABLE_ALIAS", "id": blue} in primary["valuesByMode"].values()

    changed = {
        **SEMANTIC,
        "modes": {"Light": "default", "High contrast": "other"},
        "variables": {
            name: {**one, "values": {"Light": one["values"]["Light"], "High contrast": one["values"]["Dark"]}}
            for name, one in SEMANTIC["variables"].items()
            if name != "dense"
        },
    }
    engine = Engine(figma.VariableCollection)
    updated = engine.update(semantic, **changed)
    assert set(updated.outputs["mode_ids"]) == {"Light", "High contrast"}
    assert set(updated.outputs["variable_ids"]) == {"action/primary", "action/focus", "font/body"}
    assert updated.outputs["variable_ids"]["font/body"] == semantic.outputs["variable_ids"]["font/body"]
    new_run(monkeypatch)
    seen = engine.read(updated)
    assert seen
    assert not engine.changes(seen, **changed)
    for one in (updated, updated, primitives):
        engine.delete(one)
    assert organisation.store.get("variables", FILE)["collections"] == {}


def test_what_designers_add_stays(organisation: Organisation, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine(figma.VariableCollection)
    made = engine.create(**PRIMITIVES)
    added = {
        "variableModes": [{"action": "CREATE", "name": "Print", "variableCollectionId": made.id}],
        "variables": [
            {"action": "CREATE", "name": "color/red", "variableCollectionId": made.id, "resolvedType": "COLOR"}
        ],
    }
    with httpx.Client(headers={"X-Figma-Token": access.TOKEN}) as person:
        assert person.post(f"{organisation.emulator.url}/v1/files/{FILE}/variables", json=added).status_code == 200
    new_run(monkeypatch)
    seen = engine.read(made)
    assert seen
    assert seen.inputs == made.inputs
    updated = engine.update(seen, **{**PRIMITIVES, "hidden": True})
    assert "color/red" in updated.outputs["variable_ids"]
    assert "Print" in updated.outputs["mode_ids"]


def test_a_color_that_a_designer_changed_is_drift(organisation: Organisation, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine(figma.VariableCollection)
    made = engine.create(**PRIMITIVES)
    kept = organisation.store.get("variables", FILE)
    for variable in kept["variables"].values():
        if variable["name"] == "color/blue-600":
            variable["valuesByMode"] = {key: {"r": 1, "g": 0, "b": 0.5, "a": 1} for key in variable["valuesByMode"]}
    organisation.store.put("variables", FILE, kept)
    new_run(monkeypatch)
    seen = engine.read(made)
    assert seen
    assert seen.inputs["variables"]["color/blue-600"]["values"] == {"Base": "#ff0080"}


@pytest.mark.parametrize(
    ("plan", "token", "said"),
    [
        ({"tier": "org"}, {}, "Limited by Figma plan"),
        ({}, {"seat": "view"}, "full seat"),
        ({}, {"kind": "plan"}, "Plan access tokens are not accepted"),
        ({}, {"scopes": ["file_variables:read"]}, "requires the file_variables:write scope"),
    ],
    ids=["plan", "seat", "token of a plan", "scope"],
)
def test_a_plan_without_variables_is_told_which_setting_to_remove(
    organisation: Organisation, plan: dict[str, Any], token: dict[str, Any], said: str
) -> None:
    organisation.change("plan", access.PLAN, **plan)
    organisation.token(**token)
    told = str(Engine(figma.VariableCollection).failing_create(**PRIMITIVES))
    assert said in told
    assert "remove sophia-ai:figma.variables from the stack file" in told


def test_a_variable_of_another_type_is_not_made_of_one_that_is_there(organisation: Organisation) -> None:
    engine = Engine(figma.VariableCollection)
    engine.create(**PRIMITIVES)
    others = {**PRIMITIVES, "name": "Others", "variables": {"x": {"type": "FLOAT", "values": {"Base": 1}}}}
    engine.create(**others)
    unknown = {"type": "COLOR", "values": {"Base": {"variable": "color/none", "collection": "Primitives"}}}
    told = str(engine.failing_create(**{**PRIMITIVES, "name": "Third", "variables": {"x": unknown}}))
    assert 'no variable "color/none" in the collection "Primitives"' in told
    assert len(organisation.store.get("variables", FILE)["collections"]) == 2


def test_a_token_that_is_none_is_told_with_its_variable(
    organisation: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FIGMA_TOKEN", "figd_expired")
    for resource, given in ((figma.Webhook, HOOK), (figma.DevResource, LINK)):
        told = str(Engine(resource).failing_create(**given))
        assert "the credentials were not accepted" in told
        assert "FIGMA_TOKEN" in told
        assert "figd_expired" not in told
    assert organisation.all("webhook") == []


def test_a_limit_that_is_used_up_is_waited_for(organisation: Organisation, monkeypatch: pytest.MonkeyPatch) -> None:
    organisation.change("plan", access.PLAN, tier="pro", limited=True)
    monkeypatch.setenv("SOPHIA_PATIENCE_SECONDS", "0")
    with httpx.Client(headers={"X-Figma-Token": access.TOKEN}, base_url=organisation.emulator.url) as person:
        statuses = [person.get(f"/v2/webhooks?plan_api_id={access.PLAN}").status_code for _ in range(26)]
    assert statuses == [200] * 25 + [429]
    told = str(Engine(figma.Webhook).failing_create(**HOOK))
    assert "429 Rate limit exceeded (limit high of the plan pro)" in told
    assert "wait until the platform's limit has recovered" in told
