"""Our provider of Pinecone against the emulator, every exchange held against the vendor's specification."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest

from providers import pinecone
from providers.base.provider import Provider
from sandbox.pinecone import PLATFORM, access
from tests.contract.driven import Driven, new_run, unchanged, without_waiting
from tests.unit.base_platform import Engine

CONTROL = "pinecone/pinecone_db_control_2026-04.oas.yaml"
ADMIN = "pinecone/pinecone_admin_2026-04.oas.yaml"
LOGIN = "pinecone/pinecone_oauth_2026-04.oas.yaml"
Check = Callable[[httpx.Response], Any]
INDEX: dict[str, Any] = {
    "name": "sophia-dev-conversations",
    "cloud": "aws",
    "region": "us-east-1",
    "vector_type": "dense",
    "dimension": 1536,
    "metric": "cosine",
    "filterable": ["operator_id", "channel"],
    "tags": {"data": "personal", "team": "ai"},
}
MODEL: dict[str, Any] = {
    "name": "sophia-dev-documents",
    "cloud": "aws",
    "region": "us-east-1",
    "model": "multilingual-e5-large",
    "field_map": {"text": "chunk"},
}
POD: dict[str, Any] = {"name": "old", "dimension": 8, "metric": "cosine", "environment": "us-east1-gcp"}


@pytest.fixture
def control(
    serve: Callable[[Any], Any], spec: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Driven]:
    found = Driven(serve(PLATFORM), PLATFORM.name)
    without_waiting(monkeypatch, found.emulator.credentials)
    monkeypatch.setattr(pinecone.ADMIN.auth, "_until", 0.0)
    with ExitStack() as clients:
        (check_login,) = clients.enter_context(found.emulator.client(spec(LOGIN))).event_hooks["response"]
        for api, name in ((pinecone.PINECONE, CONTROL), (pinecone.ADMIN, ADMIN), (pinecone.SCHEDULES, None)):
            client = clients.enter_context(found.emulator.client(spec(name) if name else None, **api.headers))
            (check,) = client.event_hooks["response"]
            client.event_hooks = {"response": [_by_path(check_login, check), found.answered]}
            client.base_url = ""
            monkeypatch.setitem(api.__dict__, "client", client)
        yield found


def _by_path(login: Check, other: Check) -> Check:
    return lambda response: (login if response.request.url.path.endswith("/oauth/token") else other)(response)


def project() -> str:
    engine = Engine(pinecone.Project, "project")
    return engine.create(name="sophia-dev", adopt=True).id


def test_an_index_is_made_read_changed_and_deleted(control: Driven, monkeypatch: pytest.MonkeyPatch) -> None:
    made = unchanged(pinecone.Index, INDEX, monkeypatch)
    engine = Engine(pinecone.Index)
    (index,) = control.all("index")
    assert index["tags"] == {"data": "personal", "team": "ai", "managed_by": "sophia-ai;dev"}
    assert index["deletion_protection"] == "enabled"
    assert made.outputs["host"] == index["host"]
    changed = {**INDEX, "tags": {"data": "card"}}
    capacity = {"mode": "Dedicated", "node_type": "b1", "replicas": 1, "shards": 1}
    updated = engine.update(made, **changed, read_capacity=capacity)
    (index,) = control.all("index")
    assert index["tags"] == {"data": "card", "managed_by": "sophia-ai;dev"}
    assert index["spec"]["serverless"]["read_capacity"]["mode"] == "Dedicated"
    assert not engine.changes(updated, **changed, read_capacity=capacity)
    engine.update(updated, **changed)
    assert control.all("index")[0]["spec"]["serverless"]["read_capacity"]["mode"] == "OnDemand"
    engine.delete(updated)
    assert control.all("index") == []
    assert engine.read(updated) is None
    engine.delete(updated)


def test_a_model_is_asked_for_by_its_own_call_and_keeps_its_parameters(
    control: Driven, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = unchanged(pinecone.Index, MODEL, monkeypatch)
    assert "POST /indexes/create-for-model" in control.requests
    Engine(pinecone.Index).update(made, **{**MODEL, "field_map": {"text": "body"}})
    embed = control.all("index")[0]["embed"]
    assert (embed["model"], embed["field_map"]) == ("multilingual-e5-large", {"text": "body"})


def test_a_pod_index_lives_where_the_project_has_room(control: Driven, monkeypatch: pytest.MonkeyPatch) -> None:
    told = str(Engine(pinecone.PodIndex).failing_create(**POD))
    assert "Increase your quota" in told
    engine = Engine(pinecone.Project, "project")
    engine.create(name="sophia-dev", max_pods=4, adopt=True)
    made = unchanged(pinecone.PodIndex, {**POD, "filterable": ["a"]}, monkeypatch)
    pods = Engine(pinecone.PodIndex)
    pods.update(made, **{**POD, "filterable": ["a"], "replicas": 2, "pod_type": "p1.x2"})
    assert control.all("index")[0]["spec"]["pod"]["pods"] == 2
    assert Engine(pinecone.Index).create(**INDEX).id == INDEX["name"], "each kind sees its own in the one list"
    pods.delete(made)
    assert [index["name"] for index in control.all("index")] == [INDEX["name"]]


def test_an_index_is_never_replaced_in_silence(control: Driven) -> None:
    made = Engine(pinecone.Index).create(**INDEX)
    provider = Provider("providers.pinecone:Index")
    (refused,) = provider.check(made.inputs, {**made.inputs, "dimension": 1024}).failures
    assert refused.property == "dimension"
    assert "declare a new index under another key and name" in refused.reason
    assert provider.check(made.inputs, {**made.inputs, "tags": {}}).failures == []


def test_a_backup_that_is_deleted_by_hand_leaves_the_index_to_be_deleted(control: Driven) -> None:
    """The protection is lifted for a wanted deletion only, and what Pinecone deletes already is waited for."""
    engine = Engine(pinecone.Index)
    made = engine.create(**{**INDEX, "deletion_protection": "disabled"})
    httpx.delete(
        f"{control.emulator.url}/indexes/{made.id}",
        headers={**pinecone.PINECONE.headers, "Api-Key": access.control_key("dev")},
    )
    before = len(control.requests)
    engine.delete(made)
    assert control.all("index") == []
    assert {request.split()[0] for request in control.requests[before:]} == {"GET"}


def test_a_lost_answer_makes_no_second_index_and_a_foreign_one_is_refused(
    control: Driven, monkeypatch: pytest.MonkeyPatch
) -> None:
    control.lost = ["POST /indexes"]
    engine = Engine(pinecone.Index)
    engine.create(**INDEX)
    assert (control.lost, len(control.all("index"))) == ([], 1)
    new_run(monkeypatch)
    assert engine.create(**INDEX).id == INDEX["name"], "it carries the stack's tag"
    new_run(monkeypatch)
    told = str(Engine(pinecone.Index, stack="staging").failing_create(**INDEX))
    assert "exists already" in told
    assert "sophia-ai/dev" in told


def test_one_that_could_not_be_initialized_is_told_and_kept(control: Driven, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Engine(pinecone.Index).create(**INDEX)
    key = f"{control.all('index')[0]['project_id']}/{INDEX['name']}"
    control.change("index", key, status={"ready": False, "state": "InitializationFailed"})
    new_run(monkeypatch)
    with pytest.raises(Exception, match="InitializationFailed"):
        Engine(pinecone.Index).read(made)
    control.change("index", key, status={"ready": False, "state": "Terminating"})
    new_run(monkeypatch)
    assert Engine(pinecone.Index).read(made) is None


def test_a_backup_is_made_once_and_found_again(control: Driven, monkeypatch: pytest.MonkeyPatch) -> None:
    Engine(pinecone.Index).create(**INDEX)
    given = {"index_name": INDEX["name"], "name": "before-the-new-model", "description": "As of release 12"}
    made = unchanged(pinecone.Backup, given, monkeypatch)
    assert control.all("backup")[0]["description"] == "As of release 12 (managed by sophia-ai/dev)"
    new_run(monkeypatch)
    assert Engine(pinecone.Backup).create(**given).id == made.id
    new_run(monkeypatch)
    Engine(pinecone.Backup).delete(made)
    assert control.all("backup") == []


def test_a_schedule_is_changed_paused_and_resumed(control: Driven, monkeypatch: pytest.MonkeyPatch) -> None:
    Engine(pinecone.Index).create(**INDEX)
    given = {"index_name": INDEX["name"], "name": "scheduled", "frequency": "daily", "retention_days": 7}
    made = unchanged(pinecone.BackupSchedule, given, monkeypatch)
    assert made.outputs["project_id"] == control.all("index")[0]["project_id"]
    engine = Engine(pinecone.BackupSchedule)
    paused = engine.update(made, **{**given, "frequency": "weekly", "retention_days": 30, "enabled": False})
    (schedule,) = control.all("schedule")
    assert (schedule["frequency"], schedule["retention_expire_after_days"], schedule["enabled"]) == (
        "weekly",
        30,
        False,
    )
    new_run(monkeypatch)
    told = str(engine.failing_create(**{**given, "frequency": "monthly"}))
    assert "adopt: true" in told
    engine.delete(paused)
    off = engine.create(**given, enabled=False)
    assert not control.all("schedule")[0]["enabled"], "made enabled, as Pinecone does, and switched off at once"
    engine.delete(off)


def test_a_key_opens_its_project_and_a_lost_one_is_replaced(control: Driven, monkeypatch: pytest.MonkeyPatch) -> None:
    engine, given = Engine(pinecone.ApiKey, "web"), {"project_id": project(), "name": "Web", "roles": ["ProjectViewer"]}
    first = engine.create(**given)
    assert "value" in first.secrets
    new_run(monkeypatch)
    again = engine.create(**given)
    assert again.id != first.id, "nobody knows the value of a key whose run died"
    assert len([key for key in control.all("api_key") if key["name"] == "Web (managed by sophia-ai/dev)"]) == 1

    def opens(value: str) -> int:
        headers = {**pinecone.PINECONE.headers, "Api-Key": value}
        return httpx.get(f"{control.emulator.url}/indexes", headers=headers).status_code

    assert (opens(first.outputs["value"]), opens(again.outputs["value"])) == (401, 200)
    narrowed = engine.update(again, **{**given, "roles": ["DataPlaneViewer"]})
    assert (opens(again.outputs["value"]), narrowed.outputs["value"]) == (403, again.outputs["value"])
    new_run(monkeypatch)
    seen = engine.read(narrowed)
    assert seen
    assert (seen.inputs["roles"], seen.inputs["name"]) == (["DataPlaneViewer"], "Web")
    engine.delete(narrowed)
    assert opens(again.outputs["value"]) == 401


def test_a_project_that_exists_is_taken_over_only_if_asked(control: Driven) -> None:
    engine = Engine(pinecone.Project, "project")
    assert "adopt: true" in str(engine.failing_create(name="sophia-dev"))
    made = engine.create(name="sophia-dev", adopt=True)
    engine.update(made, name="sophia-dev", max_pods=2)
    assert [p["max_pods"] for p in control.all("project") if p["name"] == "sophia-dev"] == [2]
    other = engine.create(name="sophia-tests")
    engine.delete(other)
    assert engine.read(other) is None


def test_what_pinecone_refuses_is_told_in_its_words_without_secrets(
    control: Driven, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PINECONE_API_KEY", "pckey_wrong_secret-part")
    told = str(Engine(pinecone.Index).failing_create(**INDEX))
    assert "Invalid API key." in told
    assert "PINECONE_API_KEY in the ESC environment credentials-dev" in told
    assert "secret-part" not in told
    monkeypatch.setenv("PINECONE_CLIENT_SECRET", "wrong-client-secret")
    told = str(Engine(pinecone.Project).failing_create(name="x"))
    assert "PINECONE_CLIENT_ID and PINECONE_CLIENT_SECRET" in told
    assert "wrong-client-secret" not in told
    assert control.all("index") == []
