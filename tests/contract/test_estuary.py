"""The Estuary emulator: drafts and publications, held against the vendor's catalog schema."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
import regex
from jsonschema import Draft202012Validator, validators
from jsonschema.exceptions import ValidationError

from sandbox.estuary import PLATFORM
from tests.contract.estuary_calls import (
    CAPTURE,
    COLLECTION,
    SINK,
    ZERO,
    Json,
    bundle,
    capture,
    collection,
    control,
    draft_of,
    errors,
    live,
    materialization,
    publish,
    queue,
    refused,
    tables,
)

CATALOG = "estuary/estuary_flow_catalog.schema.json"


@pytest.fixture
def emulator(serve: Callable[[Any], Any]) -> Any:
    return serve(PLATFORM)


@pytest.fixture
def api(emulator: Any) -> Iterator[httpx.Client]:
    with control(emulator) as client:
        yield client


@pytest.fixture
def rest(emulator: Any) -> Iterator[httpx.Client]:
    with tables(emulator) as client:
        yield client


@pytest.fixture(scope="session")
def catalog_mistakes(spec: Callable[[str], Any]) -> Callable[[Json], list[str]]:
    """What the vendor's schema has against a catalog. Its patterns are of a dialect that ``re`` does not know."""

    def matches(_: Any, pattern: str, instance: Any, __: Any) -> Iterator[Any]:
        if isinstance(instance, str) and not regex.search(pattern, instance):
            yield ValidationError(f"{instance!r} does not match {pattern!r}")

    def named(validator: Any, properties: Json, instance: Any, _: Any) -> Iterator[Any]:
        for pattern, schema in properties.items():
            for name in instance if isinstance(instance, dict) else ():
                if regex.search(pattern, name):
                    yield from validator.descend(instance[name], schema, path=name)

    def closed(validator: Any, allowed: Any, instance: Any, schema: Json) -> Iterator[Any]:
        patterns = "|".join(schema.get("patternProperties", {}))
        members = instance if isinstance(instance, dict) else {}
        known = {*schema.get("properties", {}), *(n for n in members if patterns and regex.search(patterns, n))}
        for name in members.keys() - known:
            yield from validator.descend(instance[name], allowed, path=name)

    rules = {"pattern": matches, "patternProperties": named, "additionalProperties": closed}
    extended = validators.extend(Draft202012Validator, rules)  # type: ignore[no-untyped-call] # jsonschema's own
    validator = extended(spec(CATALOG).document)
    return lambda catalog: [error.message for error in validator.iter_errors(catalog)]


def test_a_bundle_becomes_live_as_one(rest: httpx.Client) -> None:
    draft = draft_of(rest, bundle(), expect=ZERO)
    ended = publish(rest, draft)
    assert ended["job_status"] == {"type": "success"}
    rows = rest.get("/live_specs_ext", params={"catalog_name": f"in.({CAPTURE},{COLLECTION},{SINK})"}).json()
    assert {row["last_pub_id"] for row in rows} == {ended["pub_id"]}
    assert {row["last_pub_detail"] for row in rows} == {"test"}
    assert {row["catalog_name"]: row["spec_type"] for row in rows} == {n: s["type"] for n, s in bundle().items()}
    assert live(rest, SINK)["reads_from"] == live(rest, CAPTURE)["writes_to"] == [COLLECTION]
    assert rest.get("/drafts", params={"id": f"eq.{draft}"}).json() == []


def test_a_dry_run_checks_everything_and_publishes_nothing(rest: httpx.Client) -> None:
    draft = draft_of(rest, bundle())
    assert publish(rest, draft, dry_run=True)["job_status"] == {"type": "success"}
    assert rest.get("/live_specs_ext").json() == []
    assert len(rest.get("/draft_specs", params={"draft_id": f"eq.{draft}"}).json()) == 3
    wrong = draft_of(rest, {SINK: materialization()})
    assert publish(rest, wrong, dry_run=True)["job_status"]["type"] == "buildFailed"


def test_what_somebody_else_published_is_not_overwritten(rest: httpx.Client) -> None:
    first = publish(rest, draft_of(rest, bundle(), expect=ZERO))
    again = draft_of(rest, bundle(), expect=ZERO)
    status = publish(rest, again)["job_status"]
    assert status["type"] == "expectPubIdMismatch"
    bare = first["pub_id"].replace(":", "")
    assert {(f["expected"], f["actual"]) for f in status["failures"]} == {("0" * 16, bare)}
    assert all("was not matched" in detail for _, detail in errors(rest, again))
    changed = {SINK: materialization(shards={"disable": True})}
    assert publish(rest, draft_of(rest, changed, expect=first["pub_id"]))["job_status"]["type"] == "success"
    assert publish(rest, draft_of(rest, changed, expect=first["pub_id"]))["job_status"]["type"] == "expectPubIdMismatch"
    absent = publish(rest, draft_of(rest, {"sophia-ai/other": capture()}, expect=first["pub_id"]))["job_status"]
    assert [(f["catalog_name"], f["actual"]) for f in absent["failures"]] == [("sophia-ai/other", None)]


def test_publications_are_numbered_upwards(rest: httpx.Client) -> None:
    ids = [publish(rest, draft_of(rest, bundle()))["pub_id"] for _ in range(3)]
    assert ids == sorted(ids)
    assert len(set(ids)) == 3
    assert live(rest, CAPTURE)["last_pub_id"] == ids[-1]


def test_a_deleted_bundle_is_gone_and_may_come_again(rest: httpx.Client) -> None:
    publish(rest, draft_of(rest, bundle(), expect=ZERO))
    assert publish(rest, draft_of(rest, dict.fromkeys(bundle())))["job_status"] == {"type": "success"}
    assert rest.get("/live_specs_ext").json() == []
    assert publish(rest, draft_of(rest, bundle(), expect=ZERO))["job_status"] == {"type": "success"}


def test_a_collection_that_nothing_uses_is_left_out(rest: httpx.Client) -> None:
    assert publish(rest, draft_of(rest, {COLLECTION: collection()}))["job_status"] == {"type": "emptyDraft"}
    assert publish(rest, draft_of(rest, {}))["job_status"] == {"type": "emptyDraft"}
    specs = bundle() | {"sophia-ai/unused": collection()}
    assert publish(rest, draft_of(rest, specs))["job_status"]["type"] == "success"
    assert "sophia-ai/unused" not in {row["catalog_name"] for row in rest.get("/live_specs_ext").json()}


@pytest.mark.parametrize("outcome", ["publishFailed", "buildIdLockFailure", "testFailed", "buildFailed"])
def test_a_publication_ends_badly_on_demand_and_leaves_nothing(rest: httpx.Client, emulator: Any, outcome: str) -> None:
    draft = draft_of(rest, bundle())
    queue(emulator, outcomes=[outcome])
    assert publish(rest, draft)["job_status"] == {"type": outcome}
    assert rest.get("/live_specs_ext").json() == []
    assert publish(rest, draft)["job_status"] == {"type": "success"}


def test_a_publication_is_queued_for_as_long_as_is_asked_for(rest: httpx.Client, emulator: Any) -> None:
    draft = draft_of(rest, bundle())
    queue(emulator, polls=3)
    made = rest.post("/publications", json={"draft_id": draft}).json()[0]
    polled = {"id": f"eq.{made['id']}", "select": "job_status"}
    statuses = [rest.get("/publications", params=polled).json()[0]["job_status"]["type"] for _ in range(5)]
    assert statuses == ["queued"] * 3 + ["success"] * 2


def test_a_publication_that_nobody_waits_for_ends_all_the_same(rest: httpx.Client, emulator: Any) -> None:
    made = rest.post("/publications", json={"draft_id": draft_of(rest, bundle())}).json()[0]
    store = emulator.app.state.stores("estuary")
    left = {"looked_at": "2026-01-01T00:00:00+00:00"}
    identifier = made["id"].replace(":", "")
    store.put("publication", identifier, store.get("publication", identifier) | left)
    assert len(rest.get("/live_specs_ext").json()) == 3


@pytest.mark.parametrize(
    ("specs", "scope", "said"),
    [
        (
            {CAPTURE: capture()},
            f"flow://capture/{CAPTURE}#/bindings/0",
            f"collection {COLLECTION}, referenced by capture binding, was not found",
        ),
        (
            {SINK: materialization(), CAPTURE: capture(bindings=[]), "sophia-ai/conversation": collection()},
            f"flow://materialization/{SINK}#/bindings/0",
            "did you mean",
        ),
        (
            bundle() | {COLLECTION: collection(key=["/nope"])},
            f"flow://collection/{COLLECTION}#/key/0",
            "location /nope is unknown in schema schema://bundle",
        ),
        (
            bundle() | {COLLECTION: collection(key=["/score"])},
            f"flow://collection/{COLLECTION}#/key/0",
            "locations used as keys may only be null-able integers, strings, or booleans",
        ),
        (
            bundle() | {COLLECTION: collection(key=["id"])},
            f"flow://collection/{COLLECTION}#/key/0",
            "id is not a valid JSON pointer (missing leading '/' slash)",
        ),
        (bundle() | {COLLECTION: collection(key=[])}, f"flow://collection/{COLLECTION}#/key", "key cannot be empty"),
        (
            bundle() | {COLLECTION: collection(schema={"type": "string"})},
            f"flow://collection/{COLLECTION}#/schema",
            "must have type 'object'",
        ),
        (
            bundle() | {COLLECTION: collection(projections={"text": "/id"})},
            f"flow://collection/{COLLECTION}#/projections/text",
            'cannot re-map it to "/id"',
        ),
        (
            bundle() | {SINK: materialization(bindings=materialization()["spec"]["bindings"] * 2)},
            f"flow://materialization/{SINK}#/bindings/1",
            "each binding must have a unique endpoint resource",
        ),
        (
            bundle()
            | {CAPTURE: capture(endpoint={"connector": {"image": "ghcr.io/estuary/source-nope:v1", "config": {}}})},
            f"flow://capture/{CAPTURE}",
            "Forbidden connector image 'ghcr.io/estuary/source-nope'",
        ),
        (
            bundle()
            | {CAPTURE: capture(endpoint={"connector": {"image": "ghcr.io/estuary/source-postgres:v3", "config": {}}})},
            f"flow://capture/{CAPTURE}",
            "'address' is a required property",
        ),
        (
            {"other-tenant/thing": capture(bindings=[])},
            "flow://capture/other-tenant/thing",
            "User is not authorized to create or change this catalog name",
        ),
        (
            {CAPTURE: capture(bindings=[{"target": "other/thing", "resource": {"namespace": "a", "stream": "b"}}])},
            "flow://unauthorized/other/thing",
            "User is not authorized to read this catalog name",
        ),
        (
            {"sophia-ai/nothing": None},
            "flow://collection/sophia-ai/nothing",
            "drafted deletion references a specification that does not exist",
        ),
        (
            bundle() | {f"{CAPTURE}/more": capture(bindings=[])},
            f"flow://capture/{CAPTURE}",
            "is a prohibited prefix of",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_place(
    rest: httpx.Client, specs: dict[str, Json | None], scope: str, said: str
) -> None:
    found = refused(rest, specs)
    assert any(place == scope and said in detail for place, detail in found), found


def test_a_name_under_another_is_refused(rest: httpx.Client) -> None:
    publish(rest, draft_of(rest, bundle()))
    [(scope, detail)] = refused(rest, {f"{CAPTURE}/more": capture(bindings=[])})
    assert scope == f"flow://capture/{CAPTURE}"
    assert "is a prohibited prefix of" in detail
    assert (
        "duplicated definition" in refused(rest, {CAPTURE.upper().replace("SOPHIA-AI", "sophia-ai"): capture()})[0][1]
    )


def test_an_unknown_data_plane_is_refused(rest: httpx.Client) -> None:
    draft = draft_of(rest, bundle())
    publish(rest, draft, data_plane_name="ops/dp/public/nowhere")
    assert [scope for scope, _ in errors(rest, draft)] == ["file:///"]


def test_a_key_changes_with_a_reset_only(rest: httpx.Client) -> None:
    publish(rest, draft_of(rest, bundle()))
    draft = draft_of(rest, {COLLECTION: collection(key=["/text"])})
    status = publish(rest, draft)["job_status"]
    assert [c["requires_recreation"] for c in status["incompatible_collections"]] == [["keyChange"]]
    assert errors(rest, draft) == [
        (
            f"flow://collection/{COLLECTION}#/key",
            (
                f"the key of existing collection {COLLECTION} cannot change "
                '(from ["/id"] to ["/text"]) without also resetting it'
            ),
        )
    ]
    reset = {COLLECTION: collection(key=["/text"], reset=True)}
    assert publish(rest, draft_of(rest, reset))["job_status"] == {"type": "success"}


def test_a_collection_that_is_still_used_cannot_be_deleted(rest: httpx.Client) -> None:
    publish(rest, draft_of(rest, bundle()))
    found = refused(rest, {COLLECTION: None})
    assert (
        f"flow://capture/{CAPTURE}#/bindings/0",
        f"deleted collection {COLLECTION} is still referenced by capture binding",
    ) in found
    assert len(found) == 2


def test_a_derivation_reads_what_there_is(rest: httpx.Client) -> None:
    transform = {"name": "fromAll", "source": COLLECTION, "shuffle": {"key": ["/id"]}, "lambda": "select $id;"}
    derive = {"using": {"sqlite": {"migrations": ["create table t (id text);"]}}, "transforms": [transform]}
    derived = collection(derive=derive)
    assert publish(rest, draft_of(rest, bundle() | {"sophia-ai/derived": derived}))["job_status"]["type"] == "success"
    astray = collection(derive=derive | {"transforms": [transform | {"shuffle": {"key": ["/nope"]}}]})
    found = refused(rest, {"sophia-ai/derived": astray})
    assert found == [
        (
            "flow://collection/sophia-ai/derived#/derive/transforms/0/shuffle/key/0",
            "location /nope is unknown in schema schema://bundle",
        )
    ]


VALID: tuple[Json, ...] = (
    capture(),
    capture(interval="5m", autoDiscover={"addNewBindings": True}, shards={"disable": True, "logLevel": "debug"}),
    collection(),
    collection(projections={"words": "/text", "who": {"location": "/id", "partition": True}}),
    collection(journals={"fragments": {"compressionCodec": "GZIP", "length": 512, "retention": None}}),
    materialization(),
    materialization(source={"capture": CAPTURE, "targetNaming": "withSchema"}, onIncompatibleSchemaChange="abort"),
    {"type": "test", "spec": {"steps": [{"ingest": {"collection": COLLECTION, "documents": [{"id": "1"}]}}]}},
)
INVALID: tuple[Json, ...] = (
    capture(bindngs=[]),
    {"type": "capture", "spec": {"bindings": []}},
    capture(interval="often"),
    capture(bindings=[{"target": "sophia-ai/a b", "resource": {}}]),
    capture(endpoint={"connector": {"image": "ghcr.io/estuary/source-postgres:v3"}}),
    collection(key="/id"),
    collection(key=["/a~2"]),
    collection(derive=None),
    collection(journals={"fragments": {"length": 1}}),
    collection(readSchema={"type": "object"}),
    materialization(onIncompatibleSchemaChange="ignore"),
    materialization(bindings=[{"source": COLLECTION, "resource": {}, "fields": {"exclude": []}}]),
    materialization(targetNaming={"strategy": "singleSchema"}),
    {"type": "test", "spec": {"steps": [{"ingest": {"collection": COLLECTION}}]}},
)


@pytest.mark.parametrize("spec_", VALID)
def test_what_is_accepted_is_valid_by_the_vendors_schema(
    rest: httpx.Client, catalog_mistakes: Callable[[Json], list[str]], spec_: Json
) -> None:
    name = {"capture": CAPTURE, "collection": COLLECTION, "materialization": SINK, "test": "sophia-ai/test"}
    specs = bundle() | {name[spec_["type"]]: spec_}
    assert publish(rest, draft_of(rest, specs))["job_status"] == {"type": "success"}
    for row in rest.get("/live_specs_ext").json():
        assert catalog_mistakes({f"{row['spec_type']}s": {row["catalog_name"]: row["spec"]}}) == []


@pytest.mark.parametrize("spec_", INVALID)
def test_what_the_vendors_schema_refuses_is_refused(
    rest: httpx.Client, catalog_mistakes: Callable[[Json], list[str]], spec_: Json
) -> None:
    assert catalog_mistakes({f"{spec_['type']}s": {"sophia-ai/wrong": spec_["spec"]}})
    assert refused(rest, bundle() | {"sophia-ai/wrong": spec_})


def test_what_was_published_becomes_active_later(rest: httpx.Client, api: httpx.Client) -> None:
    publish(rest, draft_of(rest, bundle() | {CAPTURE: capture(shards={"disable": True})}))

    def status(name: str) -> Json:
        row: Json = api.get("/api/v1/catalog/status", params={"name": name}).raise_for_status().json()[0]
        return row

    assert status(SINK)["summary"] == {"status": "warning", "message": "pending data-plane activation"}
    assert status(SINK)["summary"] == {"status": "ok", "message": "Ok"}
    assert status(CAPTURE)["summary"]["status"] == "warning"
    assert status(CAPTURE)["summary"] == {"status": "taskDisabled", "message": "Task shards are disabled"}
    assert status(SINK)["last_pub_id"] == live(rest, SINK)["last_pub_id"].replace(":", "")
    absent = api.get("/api/v1/catalog/status", params={"name": "sophia-ai/nothing"})
    assert (absent.status_code, absent.text) == (404, "no live specs found for names: [sophia-ai/nothing]")


def test_a_publications_log_is_read_with_its_token(rest: httpx.Client) -> None:
    ended = publish(rest, draft_of(rest, {SINK: materialization()}))
    lines = rest.post("/rpc/view_logs", json={"bearer_token": ended["logs_token"]}).json()
    assert any("was not found" in line["log_line"] for line in lines)
    assert rest.post("/rpc/view_logs", json={"bearer_token": "another"}).json() == []


def test_unchanged_specifications_are_taken_out_of_a_draft(rest: httpx.Client) -> None:
    publish(rest, draft_of(rest, bundle()))
    draft = draft_of(rest, bundle() | {SINK: materialization(shards={"logLevel": "warn"})})
    pruned = rest.post("/rpc/prune_unchanged_draft_specs", json={"prune_draft_id": draft}).json()
    assert {row["catalog_name"] for row in pruned} == {CAPTURE, COLLECTION}
    left = rest.get("/draft_specs", params={"draft_id": f"eq.{draft}", "select": "catalog_name"}).json()
    assert left == [{"catalog_name": SINK}]
