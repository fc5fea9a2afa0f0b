"""An update's journal: when there is one, that nothing of it is lost, and who sees the state that it stands for."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.types import ASGIApp

from sandbox.host import create_app
from sandbox.pulumi_cloud import calls
from tests.contract.pulumi_cloud_specification import (
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
SECRETS = {
    "type": "service",
    "state": {"url": "http://x", "owner": ORGANIZATION, "project": "sophia-ai", "stack": "dev"},
}


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(calls, "time", clock)
    return clock


OpenCloud = Callable[..., httpx.Client]


@pytest.fixture
def open_cloud(tmp_path: Path, clock: Clock, listen: Callable[[ASGIApp], str]) -> Iterator[OpenCloud]:
    """Serves the sandbox of this test's folder; again, as after a restart, at each call."""
    with ExitStack() as left:

        def opened(**options: Any) -> httpx.Client:
            app = create_app(tmp_path / "sandbox", lease_seconds=LEASE, **options)
            left.callback(app.state.database.close)
            headers = {"Authorization": f"token {app.state.access_token}"}
            hooks = {"response": [conforms]}
            return left.enter_context(
                httpx.Client(base_url=listen(app), headers=headers, event_hooks=hooks, trust_env=False)
            )

        yield opened


@pytest.fixture
def cloud(open_cloud: OpenCloud) -> httpx.Client:
    client = open_cloud()
    client.post(f"/api/stacks/{ORGANIZATION}/sophia-ai", json={"stackName": "dev"})
    return client


def entry(sequence: int, kind: int, number: int = 0, /, **members: Any) -> dict[str, Any]:
    return {"version": 1, "kind": kind, "sequenceID": sequence, "operationID": number, **members}


FIRST = entry(1, 6, secretsProvider=SECRETS)


def begun(sequence: int, number: int, name: str) -> dict[str, Any]:
    return entry(sequence, 0, number, operation={"type": "creating", "resource": component(name)})


def made(sequence: int, number: int, name: str, **members: Any) -> dict[str, Any]:
    return entry(sequence, 1, number, state=component(name), **members)


def pending(cloud: httpx.Client) -> list[str]:
    exported = cloud.get(f"{STACK}/export").json()["deployment"]
    return [one["resource"]["urn"].rpartition("::")[2] for one in exported.get("pending_operations") or []]


def test_an_engine_that_offers_a_journal_keeps_one_and_its_end_is_the_state(cloud: httpx.Client) -> None:
    run = Run(cloud, journal=True)
    assert run.started.json()["journalVersion"] == 1
    assert run.journal(FIRST, begun(2, 1, "a")).status_code == 204
    assert (resources(cloud), pending(cloud)) == ([], ["a"])
    assert run.journal(made(3, 1, "a")).status_code == 204
    assert (resources(cloud), pending(cloud)) == (["a"], [])
    assert cloud.get("/api/user/stacks").json()["stacks"][0]["resourceCount"] == 1
    assert run.complete().status_code == 204
    assert run.complete().status_code == 204
    assert resources(cloud) == ["a"]
    (info,) = cloud.get(f"{STACK}/updates").json()["updates"]
    assert (info["result"], info["resourceCount"]) == ("succeeded", 1)
    manifest = cloud.get(f"{STACK}/export").json()["deployment"]["manifest"]
    assert manifest["version"] == "v3.258.0"

    second = Run(cloud, journal=True)
    second.journal(FIRST, made(2, 1, "b"))
    assert resources(cloud) == ["b", "a"]
    assert cloud.get(f"{STACK}/export/1").json()["deployment"]["resources"] == [component("a")]
    second.complete()
    assert resources(cloud) == ["b", "a"]


def test_an_engine_that_offers_none_sends_whole_states(cloud: httpx.Client) -> None:
    run = Run(cloud)
    assert run.started.json()["journalVersion"] == 0
    assert run.journal(FIRST).status_code == 400
    run.checkpoint(component("a"))
    run.complete()
    assert resources(cloud) == ["a"]
    journaled = Run(cloud, journal=True)
    assert journaled.checkpoint().status_code == 400
    journaled.journal(FIRST, entry(2, 1, 1, removeOld=0))
    journaled.complete()
    assert resources(cloud) == []


def test_a_sandbox_without_the_journal_takes_whole_states_from_everybody(open_cloud: OpenCloud) -> None:
    cloud = open_cloud(journaling=False)
    cloud.post(f"/api/stacks/{ORGANIZATION}/sophia-ai", json={"stackName": "dev"})
    run = Run(cloud, journal=True)
    assert run.started.json()["journalVersion"] == 0
    assert run.checkpoint(component("a")).status_code == 204


@pytest.mark.parametrize("kind", ["update", "refresh", "destroy", "preview"])
def test_a_dry_run_keeps_no_journal(cloud: httpx.Client, kind: str) -> None:
    preview = Run(cloud, kind, dry_run=True, journal=True)
    assert preview.started.json()["journalVersion"] == 0
    assert preview.journal(FIRST).status_code == 400
    assert preview.complete().status_code == 204


def test_entries_may_come_twice_and_in_any_order(cloud: httpx.Client) -> None:
    run = Run(cloud, journal=True)
    assert run.journal(FIRST, made(5, 2, "b"), made(4, 3, "c")).status_code == 204
    assert run.journal(made(3, 1, "a"), begun(2, 1, "a"), begun(6, 4, "d")).status_code == 204
    for _ in range(2):
        assert run.journal(made(7, 4, "d"), made(7, 4, "d"), made(5, 2, "b")).status_code == 204
    assert run.journal(made(5, 2, "other")).status_code == 409
    run.complete()
    assert resources(cloud) == ["a", "c", "b", "d"]
    assert pending(cloud) == []


def test_a_batch_with_a_damaged_entry_is_refused_as_a_whole(cloud: httpx.Client) -> None:
    run = Run(cloud, journal=True)
    run.journal(FIRST)
    for wrong in ({}, {**made(3, 2, "b"), "kind": 77}, None):
        answer = run.call("PATCH", "journalentries", {"entries": [made(2, 1, "a"), wrong]})
        assert (answer.status_code, "journal entry" in answer.json()["message"]) == (400, True)
    assert run.call("PATCH", "journalentries", {"entries": {"1": 1}}).status_code == 400
    assert resources(cloud) == []


def test_a_journal_whose_beginning_was_lost_takes_no_more(cloud: httpx.Client) -> None:
    run = Run(cloud, journal=True)
    answer = run.journal(begun(2, 1, "a"))
    assert answer.status_code == 409
    assert "run the update again" in answer.json()["message"]
    assert run.complete("failed").status_code == 204
    assert resources(cloud) == []


def test_what_was_acknowledged_survives_the_sandbox(open_cloud: OpenCloud, cloud: httpx.Client, tmp_path: Path) -> None:
    run = Run(cloud, journal=True)
    run.journal(FIRST, made(2, 1, "a"), begun(3, 2, "b"))
    with sqlite3.connect(tmp_path / "sandbox/sandbox.db") as other:
        assert other.execute("SELECT COUNT(*) FROM stack_journal_entries").fetchone() == (3,)
    other.close()
    run.cloud = open_cloud()
    assert (resources(run.cloud), pending(run.cloud)) == (["a"], ["b"])
    assert run.journal(made(4, 2, "b")).status_code == 204
    run.complete()
    assert resources(run.cloud) == ["a", "b"]


def killed_in_the_middle(cloud: httpx.Client) -> Run:
    run = Run(cloud, journal=True)
    run.journal(FIRST, made(2, 1, "a"), begun(3, 2, "b"))
    return run


def test_a_killed_engine_leaves_what_it_had_reported(cloud: httpx.Client, clock: Clock) -> None:
    run = killed_in_the_middle(cloud)
    clock.now += LEASE + 1
    assert run.journal(made(4, 2, "b")).status_code == 403
    assert (resources(cloud), pending(cloud)) == (["a"], ["b"])
    assert "still contains resources" in cloud.delete(STACK).json()["message"]
    following = Run(cloud, journal=True)
    assert following.started.json()["version"] == 2
    following.journal(FIRST, made(2, 1, "c"))
    following.complete()
    assert (resources(cloud), pending(cloud)) == (["c", "a"], ["b"])
    assert [u["resourceCount"] for u in cloud.get(f"{STACK}/updates").json()["updates"]] == [2, 1]


def test_a_cancelled_update_leaves_what_it_had_reported(cloud: httpx.Client) -> None:
    run = killed_in_the_middle(cloud)
    assert cloud.post(f"{run.path}/cancel").status_code == 204
    assert run.journal(made(4, 2, "b")).status_code == 403
    assert (resources(cloud), pending(cloud)) == (["a"], ["b"])


def test_a_cancelled_preview_leaves_the_journal_of_the_update_beside_it(cloud: httpx.Client) -> None:
    run = killed_in_the_middle(cloud)
    preview = Run(cloud, dry_run=True)
    assert cloud.post(f"{preview.path}/cancel").status_code == 204
    assert run.journal(made(4, 2, "b")).status_code == 204
    run.complete()
    assert (resources(cloud), pending(cloud)) == (["a", "b"], [])


def test_a_stack_whose_engine_was_killed_is_renamed_with_what_it_had_reported(
    cloud: httpx.Client, clock: Clock
) -> None:
    killed_in_the_middle(cloud)
    assert cloud.post(f"{STACK}/rename", json={"newName": "test"}).status_code == 409
    clock.now += LEASE + 1
    assert cloud.post(f"{STACK}/rename", json={"newName": "test", "newProject": ""}).status_code == 200
    renamed = f"/api/stacks/{ORGANIZATION}/sophia-ai/test"
    exported = cloud.get(f"{renamed}/export").json()["deployment"]
    assert exported["resources"] == [component("a", "test")]
    assert exported["pending_operations"] == [{"type": "creating", "resource": component("b", "test")}]
    assert exported["secrets_providers"]["state"]["stack"] == "test"


def test_a_state_imported_after_a_kill_is_the_state(cloud: httpx.Client, clock: Clock) -> None:
    killed_in_the_middle(cloud)
    clock.now += LEASE + 1
    assert cloud.post(f"{STACK}/import", json=deployment(component("x"))).status_code == 200
    assert (resources(cloud), pending(cloud)) == (["x"], [])
    assert cloud.get(f"{STACK}/export/1").json()["deployment"]["resources"] == [component("a")]


def test_a_stack_removed_after_a_kill_comes_back_empty(cloud: httpx.Client, clock: Clock) -> None:
    killed_in_the_middle(cloud)
    clock.now += LEASE + 1
    assert cloud.delete(STACK, params={"force": "true"}).status_code == 204
    cloud.post(f"/api/stacks/{ORGANIZATION}/sophia-ai", json={"stackName": "dev"})
    assert (resources(cloud), pending(cloud)) == ([], [])


def test_only_the_holder_of_the_lease_writes_the_journal(cloud: httpx.Client) -> None:
    run = Run(cloud, journal=True)
    assert cloud.patch(f"{run.path}/journalentries", json={"entries": [FIRST]}).status_code == 403
    run.token = "lease-made-up"
    assert run.journal(FIRST).status_code == 403
