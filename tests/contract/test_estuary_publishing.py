"""Our provider of Estuary's catalogs against the emulator: published as one, locked, encrypted, never lost."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any
from uuid import uuid4

import httpx
import pytest

from providers import base, estuary, estuary_catalog
from providers.base.ownership import marked
from providers.estuary_errors import Build
from sandbox.estuary import PLATFORM, seed
from tests.contract.driven import new_run
from tests.unit.base_platform import Engine, State

PREFIX = "sophia-ai/dev/"
PLANE = "ops/dp/public/aws-us-east-1-c1"
COLLECTION: dict[str, Any] = {
    "type": "collection",
    "spec": {
        "schema": {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}},
        "key": ["/id"],
    },
}
CONFIG: dict[str, Any] = {
    "address": "db:5432",
    "database": "sophia",
    "user": "flow_capture",
    "credentials": {"auth_type": "UserPassword"},
}
SECRET = {"credentials": {"password": "postgres-hunter2"}}


def capture(**config: Any) -> dict[str, Any]:
    connector = {"image": "ghcr.io/estuary/source-postgres:v3", "config": {**CONFIG, **config}}
    binding = {"resource": {"namespace": "public", "stream": "t"}, "target": f"{PREFIX}t", "backfill": 0}
    return {"type": "capture", "spec": {"endpoint": {"connector": connector}, "bindings": [binding]}}


def bundle(**changes: Any) -> dict[str, Any]:
    given: dict[str, Any] = {
        "prefix": PREFIX,
        "data_plane": PLANE,
        "specs": {f"{PREFIX}t": COLLECTION, f"{PREFIX}cdc": capture()},
        "configurations": {f"{PREFIX}cdc": SECRET},
        "settings": {f"{PREFIX}t": "collections.t", f"{PREFIX}cdc": "captures.cdc"},
    }
    return {**given, **changes}


class Estuary:
    """The emulator, looked at from outside, and ways to harm what our provider asks it."""

    def __init__(self, emulator: Any) -> None:
        self.credentials = emulator.credentials
        self.stores = emulator.app.state.stores
        self.requests: list[str] = []
        self.lost: list[str] = []

    def sent(self, request: httpx.Request) -> None:
        self.requests.append(f"{request.method} {request.url.path.rpartition('/')[2]}")

    def answered(self, response: httpx.Response) -> None:
        """The platform did it, and for those in ``lost`` nobody hears of it."""
        asked = f"{response.request.method} {response.request.url.path.rpartition('/')[2]}"
        if asked in self.lost:
            self.lost.remove(asked)
            raise httpx.ReadError("the connection was closed", request=response.request)

    def all(self, kind: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.stores("estuary").all(kind)
        return found

    def live(self) -> dict[str, dict[str, Any]]:
        return {row["catalog_name"]: row for row in self.all("live_spec")}

    def publish_by_hand(self, name: str, spec: dict[str, Any]) -> None:
        """As the dashboard does, which looks at nothing but the spec."""
        staged = {name: estuary_catalog.Staged(spec["type"], spec["spec"])}
        build = Build({})
        estuary_catalog._Publication(staged, "by hand", PLANE, build, dry_run=False).run()


@pytest.fixture
def control(serve: Callable[[Any], Any], monkeypatch: pytest.MonkeyPatch) -> Iterator[Estuary]:
    emulator = Estuary(serve(PLATFORM))
    for name, value in emulator.credentials.items():
        monkeypatch.setenv(name, value)
    new_run(monkeypatch)
    monkeypatch.setattr("providers.base.api.SETTLING_SECONDS", 0.0)
    monkeypatch.setattr(estuary_catalog.AUTH, "_until", 0.0)
    hooks: dict[str, list[Callable[..., Any]]] = {"request": [emulator.sent], "response": [emulator.answered]}
    with ExitStack() as clients:
        for api in (estuary_catalog.ESTUARY, estuary_catalog.CATALOG, estuary_catalog._ENCRYPTION):
            client = httpx.Client(event_hooks=hooks, headers=api.headers, trust_env=False)
            monkeypatch.setitem(api.__dict__, "client", clients.enter_context(client))
        yield emulator


@pytest.fixture
def engine() -> Engine:
    return Engine(estuary.Bundle, "catalog")


def publications(state: State) -> dict[str, str]:
    found: dict[str, str] = state.outputs["publications"]
    return found


def test_a_bundle_is_published_as_one_and_reads_back_as_it_was_asked_for(control: Estuary, engine: Engine) -> None:
    made = engine.create(**bundle())
    assert control.live().keys() == {f"{PREFIX}t", f"{PREFIX}cdc"}
    assert len(set(publications(made).values())) == 1
    assert control.all("draft") == []
    assert not engine.changes(made, **bundle())
    seen = engine.read(made)
    assert seen
    assert seen.inputs == made.inputs
    assert not engine.changes(seen, **bundle())


def test_no_secret_is_drafted_or_kept_in_clear(control: Estuary, engine: Engine) -> None:
    made = engine.create(**bundle())
    assert "postgres-hunter2" not in json.dumps(
        [control.all(kind) for kind in ("live_spec", "draft_spec", "publication")]
    )
    assert "postgres-hunter2" not in json.dumps(made.outputs)
    config = control.live()[f"{PREFIX}cdc"]["spec"]["endpoint"]["connector"]["config"]
    assert config["credentials"].keys() == {"auth_type", "password_sops"}
    assert "sops" in config


def test_only_what_changed_is_published_again(control: Estuary, engine: Engine) -> None:
    made = engine.create(**bundle())
    changed = engine.update(made, **bundle(specs={**bundle()["specs"], f"{PREFIX}cdc": capture(database="other")}))
    before, after = publications(made), publications(changed)
    assert after[f"{PREFIX}t"] == before[f"{PREFIX}t"], "a collection that nobody changed would restart its readers"
    assert after[f"{PREFIX}cdc"] > before[f"{PREFIX}cdc"]


def test_a_new_password_is_published_and_the_same_one_is_not(control: Estuary, engine: Engine) -> None:
    made = engine.create(**bundle())
    assert engine.changed(made, **bundle()) == []
    renewed = bundle(configurations={f"{PREFIX}cdc": {"credentials": {"password": "postgres-hunter3"}}})
    assert engine.changed(made, **renewed) == ["configurations"]
    changed = engine.update(made, **renewed)
    assert publications(changed)[f"{PREFIX}cdc"] > publications(made)[f"{PREFIX}cdc"]
    assert not engine.changes(changed, **renewed)


def test_what_leaves_the_bundle_is_deleted_with_the_same_publication(control: Estuary, engine: Engine) -> None:
    more = bundle(specs={**bundle()["specs"], f"{PREFIX}u": COLLECTION})
    more["specs"][f"{PREFIX}cdc"] = capture()
    more["specs"][f"{PREFIX}cdc"]["spec"]["bindings"] += [
        {"resource": {"namespace": "public", "stream": "u"}, "target": f"{PREFIX}u", "backfill": 0}
    ]
    made = engine.create(**more)
    assert len(control.live()) == 3
    posts = control.requests.count("POST publications")
    engine.update(made, **bundle())
    assert control.live().keys() == {f"{PREFIX}t", f"{PREFIX}cdc"}
    assert control.requests.count("POST publications") == posts + 1


def test_a_spec_that_somebody_else_published_is_not_overwritten(control: Estuary, engine: Engine) -> None:
    made = engine.create(**bundle())
    control.publish_by_hand(
        f"{PREFIX}t", {**COLLECTION, "spec": {**COLLECTION["spec"], "projections": {"ident": "/id"}}}
    )
    wanted = bundle(specs={**bundle()["specs"], f"{PREFIX}t": {**COLLECTION, "spec": {**COLLECTION["spec"]}}})
    wanted["specs"][f"{PREFIX}t"]["spec"]["projections"] = {"other": "/id"}
    with pytest.raises(Exception, match="somebody else published sophia-ai/dev/t") as refused:
        engine.update(made, **wanted)
    assert "sophia-ai:estuary.collections.t" in str(refused.value)
    assert control.live()[f"{PREFIX}t"]["spec"]["projections"] == {"ident": "/id"}
    assert control.all("draft") == []
    seen = engine.read(made)
    assert seen
    engine.update(seen, **wanted)
    assert control.live()[f"{PREFIX}t"]["spec"]["projections"] == {"other": "/id"}


def test_what_the_build_finds_wrong_is_told_as_a_setting(control: Estuary, engine: Engine) -> None:
    wrong = bundle(specs={f"{PREFIX}t": COLLECTION, f"{PREFIX}cdc": capture()})
    wrong["specs"][f"{PREFIX}cdc"]["spec"]["bindings"][0]["target"] = f"{PREFIX}elsewhere"
    told = str(engine.failing_create(**wrong))
    assert f"{PREFIX}elsewhere" in told
    assert "Pulumi.dev.yaml: sophia-ai:estuary.captures.cdc" in told
    assert control.live() == {}
    assert control.all("draft") == []


def test_a_configuration_that_the_connector_does_not_know_is_told_without_the_secret(
    control: Estuary, engine: Engine
) -> None:
    told = str(engine.failing_create(**bundle(specs={f"{PREFIX}t": COLLECTION, f"{PREFIX}cdc": capture(address=5)})))
    assert "FailedValidation" in told
    assert "sophia-ai:estuary.captures.cdc.configuration" in told
    assert "hunter2" not in told


@pytest.mark.parametrize("lost", ["POST drafts", "POST draft_specs", "POST publications", "GET publications"])
def test_a_lost_answer_is_no_second_publication(control: Estuary, engine: Engine, lost: str) -> None:
    control.lost = [lost]
    made = engine.create(**bundle())
    assert control.lost == []
    assert len({row["last_pub_id"] for row in control.live().values()}) == 1
    assert control.all("draft") == [], "one whose id was lost is removed as well"
    assert not engine.changes(made, **bundle())


@pytest.mark.parametrize("outcome", ["publishFailed", "buildIdLockFailure"])
def test_a_publication_that_fails_on_its_way_is_tried_again(control: Estuary, engine: Engine, outcome: str) -> None:
    store = control.stores("estuary")
    seed.ensure(store)
    queue = store.get("publication_queue", "publications")
    store.put("publication_queue", "publications", {**queue, "outcomes": [outcome], "polls": 3})
    engine.create(**bundle())
    assert control.live().keys() == {f"{PREFIX}t", f"{PREFIX}cdc"}
    assert len({p["draft_id"] for p in control.all("publication")}) == 1


def test_specs_that_exist_are_taken_over_only_if_asked_or_ours(control: Estuary, engine: Engine) -> None:
    made = engine.create(**bundle())
    assert engine.create(**bundle()).id == made.id, "those of a killed run carry the stack's mark"
    control.publish_by_hand(f"{PREFIX}t", {**COLLECTION, "spec": {**COLLECTION["spec"], "projections": {"i": "/id"}}})
    told = str(engine.failing_create(**bundle()))
    assert "exists already" in told
    assert "adopt: true" in told
    other = Engine(estuary.Bundle, "catalog", stack="staging")
    assert "exists already" in str(other.failing_create(**bundle()))
    adopted = engine.create(adopt=True, **bundle())
    assert "projections" in control.live()[f"{PREFIX}t"]["spec"] or not engine.changes(adopted, **bundle())


def test_only_drafts_that_a_killed_run_of_this_stack_left_are_taken_away(control: Estuary, engine: Engine) -> None:
    foreign = {
        "Sophia AI ideas",
        f"Sophia AI {uuid4().hex}",
        marked("Sophia AI", "sophia-ai/prod") + f" {uuid4().hex}",
        marked("Sophia AI", "sophia-ai/dev") + " by hand",
    }
    left = marked("Sophia AI", "sophia-ai/dev") + f" {uuid4().hex}"
    for detail in (*foreign, left):
        estuary_catalog.CATALOG.request("POST", "/drafts", body={"detail": detail})
    made = engine.create(**bundle())
    assert {draft["detail"] for draft in control.all("draft")} == foreign
    engine.delete(made)
    assert {draft["detail"] for draft in control.all("draft")} == foreign


def test_a_rehearsal_finds_what_is_wrong_and_publishes_nothing(
    control: Estuary, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOPHIA_REHEARSE", "true")
    engine.check(**bundle())
    wrong = bundle(specs={f"{PREFIX}t": COLLECTION, f"{PREFIX}cdc": capture()})
    wrong["specs"][f"{PREFIX}cdc"]["spec"]["bindings"][0]["target"] = f"{PREFIX}elsewhere"
    with pytest.raises(Exception, match=r"captures\.cdc"):
        engine.check(**wrong)
    assert control.live() == {}
    assert control.all("draft") == []
    assert [p["dry_run"] for p in control.all("publication")] == [True, True]


def test_a_bundle_is_deleted_and_what_is_gone_already_is_done(control: Estuary, engine: Engine) -> None:
    made = engine.create(**bundle())
    engine.delete(made)
    assert control.live() == {}
    assert engine.read(made) is None
    engine.delete(made)


def test_a_spec_deleted_by_hand_is_seen_and_brought_back(control: Estuary, engine: Engine) -> None:
    made = engine.create(**bundle())
    row = control.live()[f"{PREFIX}cdc"]
    control.stores("estuary").delete("live_spec", row["catalog_name"])
    seen = engine.read(made)
    assert seen
    assert seen.inputs["specs"].keys() == {f"{PREFIX}t"}
    engine.update(seen, **bundle())
    assert control.live().keys() == {f"{PREFIX}t", f"{PREFIX}cdc"}


ACCOUNT = {"catalog_name": f"{PREFIX}mcp", "grants": [{"prefix": PREFIX, "capability": "read"}]}


def test_a_service_account_is_retired_and_employed_again(control: Estuary) -> None:
    engine = Engine(estuary.ServiceAccount, "mcp")
    made = engine.create(**ACCOUNT)
    wider = {**ACCOUNT, "grants": [{"prefix": "sophia-ai/shared/", "capability": "write"}]}
    changed = engine.update(made, **wider)
    assert [g["prefix"] for g in changed.outputs["grants"]] == ["sophia-ai/shared/"]
    seen = engine.read(changed)
    assert seen
    assert not engine.changes(seen, **wider)
    engine.delete(changed)
    assert engine.read(changed) is None
    assert engine.create(**ACCOUNT).id == f"{PREFIX}mcp"


def test_a_key_opens_estuary_until_it_is_deleted_and_a_lost_one_is_replaced(
    control: Estuary, monkeypatch: pytest.MonkeyPatch
) -> None:
    Engine(estuary.ServiceAccount, "mcp").create(**ACCOUNT)
    engine, given = Engine(estuary.ApiKey, "mcp.first"), {"catalog_name": f"{PREFIX}mcp", "detail": "MCP servers"}
    first = engine.create(**given)
    assert "secret" in first.secrets
    new_run(monkeypatch)
    again = engine.create(**given)
    assert again.id != first.id, "nobody knows the secret of a key whose run died"
    assert (
        len([key for key in control.all("api_key") if key["account"] == f"{PREFIX}mcp" and key["valid_seconds"]]) == 1
    )

    def opens(secret: str) -> bool:
        asked = {"query": "query { prefixes(by: {minCapability: read}) { edges { node { prefix } } } }"}
        url = control.credentials["ESTUARY_API_URL"] + "/api/graphql"
        answer = httpx.post(url, json=asked, headers={"Authorization": f"Bearer {secret}"})
        return answer.is_success and "errors" not in answer.json()

    assert opens(again.outputs["secret"])
    engine.delete(again)
    assert not opens(again.outputs["secret"])


def test_an_alert_subscription_lives_and_dies(control: Estuary) -> None:
    engine = Engine(estuary.AlertSubscription, "platform")
    given = {"prefix": PREFIX, "email": "a@payready.com", "alert_types": ["shard_failed", "data_movement_stalled"]}
    made = engine.create(**given)
    seen = engine.read(made)
    assert seen
    assert not engine.changes(seen, **given)
    fewer = {**given, "alert_types": ["shard_failed"]}
    engine.update(made, **fewer)
    seen = engine.read(made)
    assert seen
    assert seen.inputs["alert_types"] == ["shard_failed"]
    engine.delete(made)
    assert engine.read(made) is None


def test_the_tenants_own_storage_mapping_is_adopted_and_never_deleted(control: Estuary) -> None:
    engine = Engine(estuary.StorageMapping, "storage")
    given = {
        "catalog_prefix": "sophia-ai/",
        "spec": {"stores": [{"provider": "S3", "bucket": "payready", "region": "us-east-1"}], "data_planes": [PLANE]},
    }
    assert "exists already" in str(engine.failing_create(**given))
    made = engine.create(adopt=True, **given)
    seen = engine.read(made)
    assert seen
    assert not engine.changes(seen, **given)
    engine.delete(made)
    assert [m["catalog_prefix"] for m in control.all("storage_mapping")] == ["sophia-ai/"]


def test_every_declaration_is_of_the_one_platform() -> None:
    kinds = [value for value in vars(estuary).values() if isinstance(value, type) and issubclass(value, base.Resource)]
    assert {resource.kind.api.name for resource in kinds} == {"estuary"}
