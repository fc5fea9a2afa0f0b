"""Pulumi Cloud's stack API: its answers against the service's own specification, and the rules the engine relies on."""

from __future__ import annotations

import base64
import gzip
import json
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from starlette.types import ASGIApp

from sandbox.host import create_app
from sandbox.pulumi_cloud import calls
from tests.contract.pulumi_cloud_specification import (
    CONFIG,
    ORGANIZATION,
    STACK,
    Clock,
    Run,
    component,
    conforms,
    deployment,
    resources,
)

LEASE = 300.0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(calls, "time", clock)
    return clock


@pytest.fixture
def cloud(tmp_path: Path, clock: Clock, listen: Callable[[ASGIApp], str]) -> Iterator[httpx.Client]:
    """The API with stack dev in it, each of whose answers is checked against the specification."""
    app = create_app(tmp_path / "sandbox", lease_seconds=LEASE)
    headers = {"Authorization": f"token {app.state.access_token}"}
    hooks = {"response": [conforms]}
    with httpx.Client(base_url=listen(app), headers=headers, event_hooks=hooks, trust_env=False) as client:
        created = client.post(f"/api/stacks/{ORGANIZATION}/sophia-ai", json={"stackName": "dev"})
        assert created.json() == {"messages": []}
        yield client
    app.state.database.close()


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def test_callers_without_the_access_token_are_refused(cloud: httpx.Client) -> None:
    for authorization in ("", "token wrong", "update-token wrong", "Bearer x"):
        for path in ("/api/user", STACK, f"{STACK}/update/x"):
            answer = cloud.get(path, headers={"Authorization": authorization})
            assert answer.status_code == 401
            assert answer.json()["code"] == 401


def test_the_account_has_the_organization_that_owns_the_stacks(cloud: httpx.Client) -> None:
    user = cloud.get("/api/user").json()
    assert user["githubLogin"] == "sophia-sandbox"
    assert ORGANIZATION in [organization["githubLogin"] for organization in user["organizations"]]
    assert cloud.get("/api/user/organizations/default").json()["GitHubLogin"] == ORGANIZATION
    assert cloud.get("/api/capabilities").json() == {"capabilities": [{"capability": "batch-encrypt"}]}


def test_a_stack_can_be_made_once_listed_and_removed(cloud: httpx.Client) -> None:
    again = cloud.post(f"/api/stacks/{ORGANIZATION}/sophia-ai", json={"stackName": "dev"})
    assert again.status_code == 409
    assert "already exists" in again.json()["message"]
    listed = cloud.get("/api/user/stacks", params={"project": "sophia-ai"}).json()["stacks"]
    assert [stack["stackName"] for stack in listed] == ["dev"]
    assert cloud.get("/api/user/stacks", params={"project": "other"}).json()["stacks"] == []
    assert cloud.head(f"/api/stacks/{ORGANIZATION}/sophia-ai").status_code == 200
    assert cloud.head(f"/api/stacks/{ORGANIZATION}/other").status_code == 404
    assert cloud.delete(STACK).status_code == 204
    assert cloud.get(STACK).status_code == 404


def test_a_stack_in_a_foreign_organization_is_refused(cloud: httpx.Client) -> None:
    answer = cloud.post("/api/stacks/pulumi/sophia-ai", json={"stackName": "dev"})
    assert answer.status_code == 404
    assert ORGANIZATION in answer.json()["message"]


def test_a_stack_without_state_is_exported_with_a_deployment(cloud: httpx.Client) -> None:
    assert cloud.get(f"{STACK}/export").json()["deployment"]["manifest"]["time"] == "0001-01-01T00:00:00Z"


def test_an_update_moves_the_state_and_enters_the_history(cloud: httpx.Client) -> None:
    run = Run(cloud)
    assert run.started.json()["version"] == 1
    assert cloud.get(STACK).json()["currentOperation"]["kind"] == "update"
    assert run.checkpoint(component("a")).status_code == 204
    assert run.checkpoint(component("a"), component("b")).status_code == 204
    assert run.checkpoint(isInvalid=True).status_code == 204
    assert resources(cloud) == ["a", "b"]
    ended = {
        "isPreview": False,
        "maybeCorrupt": False,
        "durationSeconds": 1,
        "resourceChanges": {"create": 2},
        "PolicyPacks": {},
        "result": "succeeded",
    }
    summary = {"sequence": 2, "timestamp": 1, "summaryEvent": ended}
    prelude = {"sequence": 1, "timestamp": 1, "preludeEvent": {"config": {}}}
    for _ in range(2):  # the second time is what a client does that lost the answer
        assert run.call("POST", "events/batch", {"events": [summary, prelude]}).status_code == 204
    assert run.complete().status_code == 204
    assert run.complete().status_code == 204
    (entry,) = cloud.get(f"{STACK}/updates").json()["updates"]
    assert (entry["kind"], entry["result"], entry["version"], entry["message"]) == ("update", "succeeded", 1, "why")
    assert (entry["resourceChanges"], entry["resourceCount"]) == ({"create": 2}, 2)
    assert cloud.get(f"{STACK}/updates/latest").json()["info"]["config"] == CONFIG
    events = cloud.get(f"{run.path}/events").json()["events"]
    assert [event["sequence"] for event in events] == [1, 2]
    shown = cloud.get(STACK).json()
    assert (shown["version"], shown["activeUpdate"]) == (1, run.id)
    assert "currentOperation" not in shown


@pytest.mark.parametrize("kind", ["update", "refresh", "destroy", "preview"])
def test_a_dry_run_neither_locks_nor_counts(cloud: httpx.Client, kind: str) -> None:
    real = Run(cloud)
    real.checkpoint(component("a"))
    preview = Run(cloud, kind, dry_run=True)
    assert preview.started.status_code == 200
    assert preview.checkpoint().status_code == 400
    assert preview.complete().status_code == 204
    assert real.complete().status_code == 204
    assert resources(cloud) == ["a"]
    assert len(cloud.get(f"{STACK}/updates").json()["updates"]) == 1


def test_a_locked_stack_refuses_whatever_would_change_it(cloud: httpx.Client) -> None:
    run = Run(cloud)
    second = Run(cloud, "destroy")
    assert second.started.status_code == 409
    assert "Another update is currently in progress" in second.started.json()["message"]
    assert "pulumi cancel" in second.started.json()["message"]
    assert cloud.delete(STACK, params={"force": "true"}).status_code == 409
    assert cloud.post(f"{STACK}/import", json=deployment()).status_code == 409
    assert cloud.post(f"{STACK}/rename", json={"newName": "other"}).status_code == 409
    assert cloud.get(f"{STACK}/export").status_code == 200
    run.complete()
    assert cloud.post(second.path, json={}).status_code == 200


def test_an_engine_that_stops_renewing_loses_the_stack_and_nothing_else(cloud: httpx.Client, clock: Clock) -> None:
    run = Run(cloud)
    run.checkpoint(component("a"))
    clock.now += LEASE - 1
    assert (
        run.call("POST", "renew_lease", {"token": "", "duration": 300}).json()["tokenExpiration"] == clock.now + LEASE
    )
    clock.now += LEASE - 1
    assert Run(cloud).started.status_code == 409
    clock.now += 2
    assert run.call("POST", "renew_lease", {"token": "", "duration": 300}).status_code == 403
    assert run.checkpoint().status_code == 403
    assert run.complete().status_code == 403
    assert resources(cloud) == ["a"]
    assert cloud.get(f"{STACK}/updates").json()["updates"][0]["result"] == "failed"
    assert Run(cloud).started.json()["version"] == 2


def test_a_cancelled_update_cannot_write_any_more(cloud: httpx.Client) -> None:
    run = Run(cloud)
    assert cloud.post(f"{run.path}/cancel").status_code == 204
    assert run.checkpoint(component("a")).status_code == 403
    assert run.complete().status_code == 403
    assert cloud.get(run.path).json() == {"status": "failed", "events": []}
    assert cloud.post(f"{run.path}/cancel").status_code == 409
    assert resources(cloud) == []


def test_only_the_holder_of_a_lease_writes(cloud: httpx.Client) -> None:
    run = Run(cloud)
    run.token = "lease-made-up"
    assert run.checkpoint(component("a")).status_code == 403
    with_access_token = cloud.patch(f"{run.path}/checkpoint", json=deployment(component("a")))
    assert with_access_token.status_code == 403


def test_a_damaged_checkpoint_is_refused_and_the_last_one_kept(cloud: httpx.Client) -> None:
    run = Run(cloud)
    run.checkpoint(component("a"))
    lease = {"Authorization": f"update-token {run.token}"}
    for body, encoding in ((b"{", ""), (b"not gzip", "gzip"), (b"[]", ""), (b'{"deployment": 5}', "")):
        answer = cloud.patch(f"{run.path}/checkpoint", content=body, headers={**lease, "Content-Encoding": encoding})
        assert answer.status_code == 400
    assert resources(cloud) == ["a"]


def test_old_versions_of_the_state_can_be_exported(cloud: httpx.Client) -> None:
    for name in ("a", "b"):
        run = Run(cloud)
        run.checkpoint(component(name))
        run.complete()
    assert cloud.get(f"{STACK}/export/1").json()["deployment"]["resources"][0]["urn"].endswith("::a")
    assert cloud.get(f"{STACK}/export/2").json()["deployment"]["resources"][0]["urn"].endswith("::b")
    assert cloud.get(f"{STACK}/export/3").status_code == 404


def test_an_export_names_the_address_at_which_it_was_asked_for(cloud: httpx.Client) -> None:
    assert cloud.post(f"{STACK}/import", json=deployment(component("a"))).status_code == 200
    exported = cloud.get(f"{STACK}/export", headers={"Host": "127.0.0.1:1234"}).json()["deployment"]
    assert exported["secrets_providers"]["state"]["url"] == "http://127.0.0.1:1234"


def test_an_import_is_a_version_and_keeps_the_configuration_of_the_last_update(cloud: httpx.Client) -> None:
    Run(cloud).complete()
    update = cloud.post(f"{STACK}/import", json=deployment(component("a"))).json()["updateId"]
    assert cloud.get(f"{STACK}/update/{update}").json() == {"status": "succeeded", "events": []}
    latest = cloud.get(f"{STACK}/updates/latest").json()["info"]
    assert (latest["kind"], latest["version"]) == ("import", 2)
    assert latest["config"] == CONFIG
    assert latest["environment"] == {"git.author": "ann"}


def test_a_stack_with_resources_is_removed_only_by_force(cloud: httpx.Client) -> None:
    cloud.post(f"{STACK}/import", json=deployment(component("a")))
    refused = cloud.delete(STACK)
    assert (refused.status_code, refused.json()["message"]) == (400, "Bad Request: Stack still contains resources.")
    assert cloud.delete(STACK, params={"force": "true"}).status_code == 204


def test_a_renamed_stack_keeps_its_state_and_its_secrets(cloud: httpx.Client) -> None:
    ciphertext = cloud.post(f"{STACK}/encrypt", json={"plaintext": b64("hush")}).json()["ciphertext"]
    cloud.post(f"{STACK}/import", json=deployment(component("a")))
    assert cloud.post(f"{STACK}/rename", json={"newName": "test", "newProject": ""}).status_code == 200
    renamed = f"/api/stacks/{ORGANIZATION}/sophia-ai/test"
    assert cloud.get(STACK).status_code == 404
    exported = cloud.get(f"{renamed}/export").json()["deployment"]
    assert exported["resources"][0]["urn"] == "urn:pulumi:test::sophia-ai::t:m:C::a"
    assert exported["secrets_providers"]["state"]["stack"] == "test"
    assert cloud.post(f"{renamed}/decrypt", json={"ciphertext": ciphertext}).json() == {"plaintext": b64("hush")}
    cloud.post(f"/api/stacks/{ORGANIZATION}/sophia-ai", json={"stackName": "dev"})
    assert cloud.post(f"{renamed}/rename", json={"newName": "dev"}).status_code == 409


def test_secrets_are_encrypted_in_batches_and_bound_to_their_stack(cloud: httpx.Client) -> None:
    texts = [b64("one"), b64("two"), b64("")]
    encrypted = cloud.post(f"{STACK}/batch-encrypt", json={"plaintexts": texts}).json()["ciphertexts"]
    decrypted = cloud.post(f"{STACK}/batch-decrypt", json={"ciphertexts": encrypted}).json()["plaintexts"]
    assert [decrypted[ciphertext] for ciphertext in encrypted] == texts
    cloud.post(f"/api/stacks/{ORGANIZATION}/sophia-ai", json={"stackName": "other"})
    for wrong in (encrypted[0], b64("nonsense"), "%%%", None):
        answer = cloud.post(f"/api/stacks/{ORGANIZATION}/sophia-ai/other/decrypt", json={"ciphertext": wrong})
        assert answer.status_code == 400


def test_a_state_taken_from_another_stack_brings_its_secrets_along(cloud: httpx.Client) -> None:
    ciphertext = cloud.post(f"{STACK}/encrypt", json={"plaintext": b64("hush")}).json()["ciphertext"]
    mark = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": ciphertext}
    cloud.post(f"/api/stacks/{ORGANIZATION}/sophia-ai", json={"stackName": "other"})
    other = f"/api/stacks/{ORGANIZATION}/sophia-ai/other"
    taken = deployment({**component("a", "other"), "outputs": {"key": mark}})
    assert cloud.post(f"{other}/import", json=taken).status_code == 200
    moved = cloud.get(f"{other}/export").json()["deployment"]["resources"][0]["outputs"]["key"]["ciphertext"]
    assert cloud.post(f"{other}/decrypt", json={"ciphertext": moved}).json() == {"plaintext": b64("hush")}


def test_tags_and_configuration_are_replaced_as_a_whole(cloud: httpx.Client) -> None:
    cloud.patch(f"{STACK}/tags", json={"a": "1", "b": "2"})
    cloud.patch(f"{STACK}/tags", json={"b": "3"})
    cloud.put(f"{STACK}/config", json={"environment": "sophia-ai/dev"})
    shown = cloud.get(STACK).json()
    assert shown["tags"] == {"b": "3"}
    assert shown["config"] == {"environment": "sophia-ai/dev"}
    found = cloud.get("/api/user/stacks", params={"tagName": "b", "tagValue": "3"}).json()["stacks"]
    assert len(found) == 1
    assert cloud.get("/api/user/stacks", params={"tagName": "a"}).json()["stacks"] == []


def test_what_the_sandbox_lacks_is_said_in_pulumi_clouds_shape(cloud: httpx.Client) -> None:
    answer = cloud.get("/api/orgs/scoobyjava-org/members")
    assert answer.status_code == 404
    assert answer.json()["code"] == 404


def test_nothing_secret_is_in_the_files(cloud: httpx.Client, tmp_path: Path) -> None:
    ciphertext = cloud.post(f"{STACK}/encrypt", json={"plaintext": b64("hush-hush")}).json()["ciphertext"]
    run = Run(cloud)
    run.checkpoint({**component("a"), "outputs": {"key": {"ciphertext": ciphertext}}})
    run.complete()
    with sqlite3.connect(tmp_path / "sandbox/sandbox.db") as database:
        stored = [row[0] for row in database.execute("SELECT content FROM stack_checkpoints")]
        dump = "\n".join(database.iterdump())
    database.close()
    assert ciphertext.encode() in gzip.decompress(stored[0])
    assert "hush-hush" not in dump
    assert b64("hush-hush") not in dump
    for name in ("vault.key", "access-token", "sandbox.db"):
        assert (tmp_path / "sandbox" / name).stat().st_mode & 0o077 == 0


def test_an_environment_reads_the_outputs_of_a_stack(cloud: httpx.Client) -> None:
    ciphertext = cloud.post(f"{STACK}/encrypt", json={"plaintext": b64('"hush"')}).json()["ciphertext"]
    mark = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": ciphertext}
    root = {"urn": "urn:pulumi:dev::sophia-ai::pulumi:pulumi:Stack::sophia-ai-dev", "type": "pulumi:pulumi:Stack"}
    cloud.post(f"{STACK}/import", json=deployment({**root, "outputs": {"url": "http://x", "keys": [mark]}}))
    definition = 'values: {it: {"fn::open::pulumi-stacks": {stacks: {mine: {stack: sophia-ai/dev}}}}}'
    session = cloud.post(f"/api/esc/environments/{ORGANIZATION}/yaml/open", content=definition).json()["id"]
    opened = cloud.get(f"/api/esc/environments/{ORGANIZATION}/yaml/open/{session}").json()
    stack = opened["properties"]["it"]["value"]["mine"]["value"]
    assert stack["url"]["value"] == "http://x"
    assert "hush" in json.dumps(stack["keys"])
    assert stack["keys"]["secret"] is True


def test_a_remote_configuration_is_an_environment_that_is_made_with_the_stack(cloud: httpx.Client) -> None:
    stacks = f"/api/stacks/{ORGANIZATION}/sophia-ai"
    environment = f"/api/esc/environments/{ORGANIZATION}/sophia-ai/remote"
    request = {"stackName": "remote", "config": {"environment": "sophia-ai/remote"}}
    assert cloud.post(stacks, json=request).status_code == 200
    assert cloud.get(environment).text == ""
    cloud.patch(environment, content="values: {kept: 1}")
    cloud.delete(f"{stacks}/remote")
    assert cloud.post(stacks, json=request).status_code == 200
    assert "kept" in cloud.get(environment).text
