"""Our Airbyte resources against the emulator, by the engine's protocol, every exchange held against the specification."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from components.airbyte.settings import DeclarativeSettings
from providers import airbyte
from providers.airbyte import AIRBYTE
from providers.base import Resource
from providers.base.inventory import Inventory
from sandbox.airbyte import PLATFORM
from sandbox.airbyte.people import USERS
from sandbox.airbyte.workspaces import ORGANIZATION
from tests.unit.base_platform import Engine, FailedError, State

SPEC = "airbyte/airbyte_api.yaml"
URL = "https://hooks.test/airbyte/hunter2"
SILENT = {"email": {"enabled": False}, "webhook": {"enabled": False}}
LOUD = {"email": {"enabled": True}, "webhook": {"enabled": True}}
EVENTS = (
    "failure",
    "success",
    "connection_update",
    "connection_update_action_required",
    "sync_disabled",
    "sync_disabled_warning",
)
MANIFEST = DeclarativeSettings.model_validate({"name": "Entrata", "manifest": "connectors/entrata.yaml"}).manifest

Json = dict[str, Any]


def new_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """A provider process of its own: it believes at once that what it has not made is gone."""
    monkeypatch.setattr("providers.base.provider._inventory", Inventory())
    monkeypatch.setitem(AIRBYTE.__dict__, "_made", {})


@pytest.fixture
def emulator(serve: Callable[[Any], Any], spec: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The platform that the provider talks to, in a run of its own."""
    served = serve(PLATFORM)
    for name, value in served.credentials.items():
        monkeypatch.setenv(name, value)
    new_run(monkeypatch)
    monkeypatch.setattr(AIRBYTE.auth, "_until", 0.0)
    with served.client(spec(SPEC)) as client:
        monkeypatch.setitem(AIRBYTE.__dict__, "client", client)
        yield served


def settled(resource: type[Resource], **inputs: Any) -> State:
    """Makes an object, and sees that nothing about it has to be done again."""
    engine = Engine(resource)
    made = engine.create(**inputs)
    assert not engine.changes(made, **inputs)
    seen = engine.read(made)
    assert seen is not None
    assert not engine.changes(seen, **inputs), engine.changed(seen, **inputs)
    return seen


@pytest.fixture
def workspace(emulator: Any) -> str:
    return settled(airbyte.Workspace, name="sophia-dev").id


@pytest.fixture
def low_code(workspace: str) -> str:
    return settled(airbyte.DeclarativeSourceDefinition, workspace_id=workspace, name="Entrata", manifest=MANIFEST).id


@pytest.fixture
def source(workspace: str, low_code: str) -> State:
    return settled(
        airbyte.Source,
        workspace_id=workspace,
        name="Entrata",
        definition_id=low_code,
        configuration={"organization": "payready"},
        secret_configuration={"api_key": "hunter2"},
    )


@pytest.fixture
def destination(workspace: str) -> State:
    return settled(
        airbyte.Destination,
        workspace_id=workspace,
        name="Snowflake",
        destination_type="snowflake",
        configuration={
            "host": "ZNB04675.snowflakecomputing.com",
            "role": "LOADER",
            "warehouse": "WH",
            "database": "SOPHIA_AI",
            "schema": "RAW",
            "username": "AIRBYTE",
            "credentials": {"auth_type": "Key Pair Authentication"},
        },
        secret_configuration={"credentials": {"private_key": "pem-hunter2"}},
    )


def ends(workspace: str, source: State, destination: State) -> Json:
    return {"workspace_id": workspace, "source_id": source.id, "destination_id": destination.id, "name": "Entrata"}


def stored(emulator: Any, kind: str) -> Json:
    (document,) = emulator.app.state.stores("airbyte").all(kind)
    found: Json = document
    return found


@pytest.mark.parametrize(
    ("resource", "sort"),
    [(airbyte.SourceDefinition, "source"), (airbyte.DestinationDefinition, "destination")],
)
def test_an_image_of_ones_own_lives(
    emulator: Any, workspace: str, resource: type[Resource], sort: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {"workspace_id": workspace, "name": "Ledger", "docker_repository": "payready/ledger"}
    engine, made = Engine(resource), settled(resource, docker_image_tag="1.0.0", **given)
    newer = engine.update(made, docker_image_tag="1.1.0", **given)
    assert stored(emulator, f"{sort}-definition")["dockerImageTag"] == "1.1.0"
    moved = engine.diff(newer, docker_image_tag="1.1.0", **{**given, "docker_repository": "payready/other"})
    assert list(moved.replaces) == ["docker_repository"]
    engine.delete(newer)
    new_run(monkeypatch)
    assert engine.read(newer) is None
    engine.delete(newer)


def test_a_low_code_source_lives_and_a_changed_manifest_is_its_next_version(
    emulator: Any, workspace: str, low_code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = Engine(airbyte.DeclarativeSourceDefinition)
    known = engine.read(State(low_code, {"workspace_id": workspace, "name": "Entrata", "manifest": MANIFEST}, {}))
    assert known is not None
    newer = {**MANIFEST, "streams": MANIFEST["streams"][:2]}
    assert engine.changed(known, workspace_id=workspace, name="Entrata", manifest=newer) == ["manifest"]
    engine.update(known, workspace_id=workspace, name="Entrata", manifest=newer)
    document = stored(emulator, "declarative-definition")
    assert (document["version"], document["manifest"]) == (2, newer)
    engine.delete(known)
    new_run(monkeypatch)
    assert engine.read(known) is None


def test_a_manifest_that_airbyte_refuses_is_told_in_its_words(workspace: str) -> None:
    with pytest.raises(FailedError, match=r"connection_specification: is missing"):
        Engine(airbyte.DeclarativeSourceDefinition).create(
            workspace_id=workspace, name="X", manifest={**MANIFEST, "spec": {}}
        )


def test_a_permission_lives_and_is_never_made_twice(
    emulator: Any, workspace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = {"organization_id": ORGANIZATION, "user_id": USERS[1]["id"], "scope": "workspace", "scope_id": workspace}
    engine = Engine(airbyte.Permission)
    made = settled(airbyte.Permission, permission_type="workspace_reader", **who)
    assert "exists already" in str(engine.failing_create(permission_type="workspace_reader", **who))
    known = engine.update(made, permission_type="workspace_editor", **who)
    assert stored(emulator, "permission")["permissionType"] == "workspace_editor"
    whole = who | {"scope": "organization", "scope_id": ORGANIZATION}
    other = settled(airbyte.Permission, permission_type="organization_reader", **whole)
    engine.delete(known)
    new_run(monkeypatch)
    assert engine.read(known) is None
    assert engine.read(other) is not None
    engine.delete(known)


def told_to_airbyte(workspace: str) -> Json:
    """The webhook of failures, as Airbyte shows it."""
    shown: Json = airbyte.AIRBYTE.request("GET", f"/workspaces/{workspace}")["notifications"]["failure"]["webhook"]
    return shown


def test_the_address_of_a_webhook_is_told_to_airbyte_and_to_nobody_else(emulator: Any) -> None:
    """Airbyte itself shows it to whoever may read the workspace."""
    given: Json = {
        "name": "sophia-dev",
        "notifications": dict.fromkeys(EVENTS, SILENT) | {"failure": LOUD},
        "notification_urls": {"failure": URL},
    }
    engine = Engine(airbyte.Workspace)
    made = settled(airbyte.Workspace, **given)
    assert told_to_airbyte(made.id) == {"enabled": True, "url": URL}
    assert URL not in json.dumps(stored(emulator, "workspace"))
    assert URL not in json.dumps(made.outputs)
    imported = engine.read(State(made.id, {}, {}))
    assert imported is not None
    assert URL not in json.dumps([imported.inputs, imported.outputs])
    moved = {**given, "notification_urls": {"failure": f"{URL}2"}}
    assert engine.changed(made, **moved) == ["notification_urls"]
    made = engine.update(made, **moved)
    assert told_to_airbyte(made.id)["url"] == f"{URL}2"
    engine.update(made, name="sophia-dev")
    told = stored(emulator, "workspace")["notifications"]
    assert not any(ways["webhook"]["enabled"] for ways in told.values()), "a removed webhook is sent nothing more"
    assert [event for event, ways in told.items() if not ways["email"]["enabled"]] == ["success"]


def test_secrets_are_compared_leaf_by_leaf_and_kept_as_hashes(workspace: str, emulator: Any) -> None:
    secret = {"oauth": {"clients": [{"id": "a", "api_key": "one-hunter2"}, {"id": "b", "api_key": "two-hunter2"}]}}
    given = {"workspace_id": workspace, "name": "Custom", "definition_id": "5a9dbb0c-0000-4000-8000-000000000123"}
    engine = Engine(airbyte.Source)
    made = settled(airbyte.Source, secret_configuration=secret, **given)
    assert "hunter2" not in json.dumps(made.outputs)
    for changed in (
        {"oauth": {"clients": [{"id": "a", "api_key": "one-hunter2"}, {"id": "b", "api_key": "TWO"}]}},
        {"oauth": {"clients": [{"id": "b", "api_key": "two-hunter2"}, {"id": "a", "api_key": "one-hunter2"}]}},
        {"oauth": {"clients": [{"id": "a", "api_key": "one-hunter2"}]}},
        {
            "oauth": {
                "clients": [{"id": "a", "api_key": "one-hunter2"}, {"id": "b", "api_key": "two-hunter2"}],
                "more": "x",
            }
        },
    ):
        assert engine.changed(made, secret_configuration=changed, **given) == ["secret_configuration"]
    assert "hunter2" not in json.dumps(stored(emulator, "source"))


def test_a_connection_says_which_streams_how_and_whereto(
    emulator: Any, workspace: str, source: State, destination: State
) -> None:
    dropped = {"targetField": "unitNumberSpace"}
    streams = [
        {
            "name": "leases",
            "sync_mode": "incremental_append",
            "selected_fields": [{"field_path": [f]} for f in ("lease_id", "updated_on", "unitNumberSpace")],
            "mappers": [{"type": "field-filtering", "mapper_configuration": dropped}],
            "destination_object_name": "LEASES",
        },
        {"name": "properties", "sync_mode": "full_refresh_overwrite"},
    ]
    given = ends(workspace, source, destination) | {
        "namespace_definition": "custom_format",
        "namespace_format": "RAW_ENTRATA",
        "schedule": {"schedule_type": "cron", "cron_expression": "0 0 3 * * ?"},
    }
    made = settled(airbyte.Connection, streams=streams, **given)
    assert stored(emulator, "connection")["namespaceFormat"] == "RAW_ENTRATA"
    plain = [{"name": "leases", "sync_mode": "incremental_append"}, streams[1]]
    engine = Engine(airbyte.Connection)
    assert engine.changed(made, streams=plain, **given) == ["streams"]
    engine.update(made, streams=plain, **given)
    (leases,) = [s for s in stored(emulator, "connection")["configurations"]["streams"] if s["name"] == "leases"]
    assert (leases["mappers"], leases["selectedFields"]) == ([], [])


@pytest.mark.parametrize(
    ("schedule", "drifts"),
    [(None, False), ({"schedule_type": "cron", "cron_expression": "0 0 3 * * ?"}, True)],
    ids=["kept", "cron"],
)
def test_a_schedule_chosen_in_the_ui_is_left_alone_or_set_right_once(
    emulator: Any,
    workspace: str,
    source: State,
    destination: State,
    monkeypatch: pytest.MonkeyPatch,
    schedule: Json | None,
    drifts: bool,
) -> None:
    """The API shows ``basic`` schedules and cannot set them."""
    given = ends(workspace, source, destination) | ({"schedule": schedule} if schedule else {})
    engine, made = Engine(airbyte.Connection), settled(airbyte.Connection, **given)
    store = emulator.app.state.stores("airbyte")
    by_hand = {"scheduleType": "basic", "basicTiming": "Every 6 HOURS"}
    store.put("connection", made.id, stored(emulator, "connection") | {"schedule": by_hand})
    new_run(monkeypatch)
    seen = engine.read(made)
    assert seen is not None
    assert engine.changed(seen, **given) == (["schedule"] if drifts else [])
    repaired = engine.update(seen, **{**given, "prefix": "e_"})
    new_run(monkeypatch)
    again = engine.read(repaired)
    assert again is not None
    assert not engine.changed(again, **{**given, "prefix": "e_"})
    assert stored(emulator, "connection")["schedule"]["scheduleType"] == ("cron" if drifts else "basic")


def test_a_run_outlives_its_token(emulator: Any, workspace: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Minutes pass between requests: the token is exchanged again before it expires, and after it was revoked."""
    clock = SimpleNamespace(now=1_000_000.0)
    ticking = SimpleNamespace(time=lambda: clock.now, monotonic=lambda: clock.now)
    monkeypatch.setattr("sandbox.airbyte.access.time", ticking)
    monkeypatch.setattr("providers.base.auth.time", ticking)
    monkeypatch.setattr(AIRBYTE.auth, "_until", 0.0)
    asked: list[tuple[str, int]] = []
    AIRBYTE.client.event_hooks["response"].append(
        lambda answered: asked.append((answered.request.url.path.rpartition("/")[2], answered.status_code))
    )
    for name, pause in (("a", 0.0), ("b", 100.0), ("c", 61.0), ("d", 179.0)):
        clock.now += pause
        settled(airbyte.Tag, workspace_id=workspace, name=name, color="2E7D32")
    assert [path for path, _ in asked].count("token") == 3, "after the first 180 seconds less a margin, and once more"
    assert {status for _, status in asked} == {200}, "no request was refused for an expired token"
    for granted in (store := emulator.app.state.stores("airbyte")).all("token"):
        store.delete("token", granted["id"])
    settled(airbyte.Tag, workspace_id=workspace, name="e", color="2E7D32")
    assert [path for path, status in asked if status == httpx.codes.UNAUTHORIZED] == ["tags"]
