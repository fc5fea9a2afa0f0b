"""What the components make of settings is turned back into the same settings; what settings cannot say is refused."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import httpx
import pytest

from components.existing.__main__ import run
from components.existing.findings import CannotSayError, Findings
from components.existing.portkey import _guardrail, _target
from components.existing.portkey_prompts import _messages
from components.existing.qdrant_database import Database, take_collections
from components.portkey.gateway import TargetSettings
from components.portkey.settings import GuardrailSettings
from components.qdrant import _collection
from components.qdrant.settings import QdrantSettings
from providers import portkey
from providers.base.survey import Found
from providers.openrouter import OPENROUTER
from providers.portkey_inputs import PromptInputs, spelled
from providers.qdrant_database import DATABASE, UNNAMED, collection_body

Json = dict[str, Any]
Answers = Callable[[Any, Mapping[str, Any]], None]


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Iterator[Answers]:
    """Makes a platform answer these documents, by path, and 404 otherwise."""
    clients = []

    def by(api: Any, documents: Mapping[str, Any]) -> None:
        def answer(request: httpx.Request) -> httpx.Response:
            found = documents.get(request.url.path)
            return (
                httpx.Response(404, json={"error": {"message": "no"}})
                if found is None
                else httpx.Response(200, json=found)
            )

        clients.append(httpx.Client(transport=httpx.MockTransport(answer)))
        monkeypatch.setitem(api.__dict__, "client", clients[-1])

    yield by
    for client in clients:
        client.close()


CONFIG: Json = {
    "strategy": {
        "mode": "conditional",
        "conditions": [{"query": {"metadata.tier": {"$eq": "paid"}}, "then": "good"}],
        "default": "cheap",
    },
    "targets": [
        {"name": "good", "provider": "main", "override_params": {"model": "a/b"}, "output_guardrails": ["residents"]},
        {
            "name": "cheap",
            "strategy": {"mode": "loadbalance"},
            "targets": [{"provider": "main", "weight": 0.8}, {"provider": "other", "weight": 0.2}],
        },
    ],
    "request_timeout": 3000,
    "retry": {"attempts": 2, "use_retry_after_header": True},
    "input_guardrails": ["residents"],
}
SLUGS = {"main": "openrouter", "other": "anthropic-dev"}


def test_a_config_comes_back_with_the_keys_of_what_it_names() -> None:
    wire = TargetSettings.model_validate(CONFIG).wire(SLUGS, {"residents": "pg-1"})
    assert _target(wire, {slug: key for key, slug in SLUGS.items()}, {"pg-1": "residents"}) == CONFIG


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ({"provider": "openai", "api_key": "planted-key"}, "calls openai itself"),
        ({"virtual_key": "main"}, "virtual_key"),
        ({"provider": "@gone"}, "its provider gone is not in the settings"),
        ({"provider": "@openrouter", "input_guardrails": ["pg-9"]}, "its guardrail pg-9"),
    ],
    ids=["a key of its own", "a virtual key", "an unknown provider", "an unknown guardrail"],
)
def test_a_config_that_settings_cannot_say_is_refused(config: Json, reason: str) -> None:
    with pytest.raises(CannotSayError, match=reason):
        _target(config, {"openrouter": "main"}, {})


@pytest.mark.parametrize("members", [{}, {"deny": False}, {"deny": False, "async": True}], ids=str)
def test_a_guardrail_comes_back(members: Json) -> None:
    checks = [{"id": "default.contains", "parameters": {"words": ["jail"], "operator": "none"}, "name": "words"}]
    settings = GuardrailSettings.model_validate({"name": "G", "checks": checks, **members})
    kind = portkey.Guardrail.kind
    document = {"slug": "pg-1", "name": "G", "checks": checks, "actions": settings.actions()}
    found = Found(portkey.Guardrail, "pg-1", "w", None, kind.inputs.from_wire(kind.shown(document)), False, document)
    assert GuardrailSettings.model_validate({"name": "G", **_guardrail(found)}) == settings


def test_messages_are_the_same_whoever_wrote_them() -> None:
    by_hand = '[{"content": [{"type": "text", "text": "Grüße. {{>pl-1}}"}], "role": "user"}]'
    ours = json.dumps([{"role": "user", "content": "Grüße. {{>pl-1}}"}], ensure_ascii=False)
    assert spelled(by_hand) == spelled(ours) == ours
    shown = PromptInputs.from_wire({"name": "P", "string": by_hand})
    assert _messages(shown["string"], {"pl-1": "greeting"}) == [{"role": "user", "content": "Grüße. {{>greeting}}"}]
    two_parts = '[{"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}]'
    assert json.loads(spelled(two_parts)) == json.loads(two_parts), "what is more than one text stays as it is"
    assert spelled("Dear {{name}}") == "Dear {{name}}"


VERSION: Json = {
    "vectors": {
        "text": {"size": 8, "distance": "Dot", "on_disk": True, "hnsw": {"m": 32}},
        "late": {"size": 4, "datatype": "float16", "multivector": "max_sim"},
    },
    "sparse_vectors": {"words": {"idf": True, "on_disk": True}, "tags": {}},
    "shards": 3,
    "sharding": "custom",
    "replication_factor": 2,
    "write_consistency_factor": 2,
    "on_disk_payload": False,
    "hnsw": {"ef_construct": 200},
    "optimizers": {"default_segment_number": 4},
    "quantization": {"scalar": {"type": "int8"}},
    "strict_mode": {"enabled": True},
    "metadata": {"model": "m"},
    "indexes": {"at": "datetime", "text": {"type": "text", "lowercase": True}},
}
DATABASE_AT = Database("main", "c1", "https://qdrant.test", "planted-key", 1)


def shown_by_qdrant(settings: Json, name: str) -> Json:
    """A collection as Qdrant shows it that was made from the version ``v1`` of these settings."""
    given = QdrantSettings.model_validate(
        {
            "databases": {"main": {"address": "https://qdrant.test"}},
            "collections": {
                "calls": {"database": "main", "alias": "calls", "current": "v1", "versions": {"v1": settings}}
            },
        }
    )
    version = given.collections["calls"].versions["v1"]
    made = collection_body({k: v for k, v in _collection(version).items() if v is not None}, None)  # type: ignore[arg-type]  # the inputs play no part in it
    in_params = (
        "sparse_vectors",
        "shard_number",
        "sharding_method",
        "replication_factor",
        "write_consistency_factor",
        "on_disk_payload",
    )
    params = {member: made[member] for member in in_params if member in made}
    vectors = made.get("vectors") or {}
    hnsw = {"m": 16, "ef_construct": 100, "full_scan_threshold": 10000, "max_indexing_threads": 0, "on_disk": False}
    schemas = {
        field: {"data_type": one} if isinstance(one, str) else {"data_type": one["type"], "params": one}
        for field, one in version.indexes.items()
    }
    return {
        "config": {
            "params": {**params, "vectors": vectors.get(UNNAMED, vectors)},
            "hnsw_config": {**hnsw, **(made.get("hnsw_config") or {})},
            "optimizer_config": {
                "deleted_threshold": 0.2,
                "memmap_threshold": None,
                **(made.get("optimizers_config") or {}),
            },
            "quantization_config": made.get("quantization_config"),
            "strict_mode_config": made.get("strict_mode_config") or {"enabled": False},
            "metadata": {**(made.get("metadata") or {}), "purpose": f"Of {name} (managed by sophia-ai/dev)"},
        },
        "payload_schema": schemas,
    }


@pytest.mark.parametrize("settings", [VERSION, {"vector": {"size": 4}}], ids=["all of it", "one vector"])
def test_a_collection_comes_back_as_the_version_that_made_it(answers: Answers, settings: Json) -> None:
    answers(
        DATABASE,
        {
            "/aliases": {"result": {"aliases": [{"alias_name": "calls", "collection_name": "calls_v1"}]}},
            "/collections": {"result": {"collections": [{"name": "calls_v1"}]}},
            "/collections/calls_v1": {"result": shown_by_qdrant(settings, "calls")},
        },
    )
    base: Json = {"databases": {"main": {"address": "https://qdrant.test"}}}
    findings = Findings("qdrant", QdrantSettings, base, "sophia-ai/dev")
    take_collections(findings, DATABASE_AT)
    findings.finish()
    (entry,) = findings.settings["collections"].values()
    meant = QdrantSettings.model_validate(
        {**base, "collections": {"calls": {**entry, "versions": {"v1": {**settings, "adopt": True}}}}}
    )
    assert QdrantSettings.model_validate(findings.settings) == meant
    assert (entry["alias"], entry["current"], entry["purpose"]) == ("calls", "v1", "Of calls")
    assert findings.left == []


def test_another_version_is_added_to_the_collection_that_the_settings_have(answers: Answers) -> None:
    version: Json = {"vector": {"size": 4}}
    shown = {"result": shown_by_qdrant(version, "calls")}
    answers(
        DATABASE,
        {
            "/aliases": {"result": {"aliases": [{"alias_name": "calls", "collection_name": "calls_v1"}]}},
            "/collections": {
                "result": {"collections": [{"name": n} for n in ("calls_v1", "calls_v2", "calls_v2_old")]}
            },
            "/collections/calls_v1": shown,
            "/collections/calls_v2": shown,
            "/collections/calls_v2_old": shown,
        },
    )
    calls = {"database": "main", "alias": "calls", "current": "v1", "purpose": "Of calls", "versions": {"v1": version}}
    base: Json = {"databases": {"main": {"address": "https://qdrant.test"}}, "collections": {"talks": calls}}
    findings = Findings("qdrant", QdrantSettings, base, "sophia-ai/dev")
    take_collections(findings, DATABASE_AT)
    findings.finish()
    versions = findings.settings["collections"]["talks"]["versions"]
    assert list(versions) == ["v1", "v2", "calls-v2-old"]
    assert versions["v2"] == {"adopt": True, "vector": {"size": 4}}
    assert versions["calls-v2-old"]["name"] == "calls_v2_old"
    assert [one["path"] for one in findings.added] == [
        "qdrant.collections.talks.versions.v2",
        "qdrant.collections.talks.versions.calls-v2-old",
    ]


WORKSPACE = {"id": "w", "slug": "payready", "name": "Pay Ready", "is_observability_broadcast_enabled": True}
DESTINATION: Json = {
    "id": "d",
    "workspace_id": "w",
    "type": "webhook",
    "name": "Hook (managed by sophia-ai/dev)",
    "config": {"url": "https://hooks.test/x", "headers": {"Authorization": "plan...ted!", "X-Team": "a...b"}},
    "privacy_mode": False,
    "sampling_rate": 0.5,
}


def of_openrouter(answers: Answers, monkeypatch: pytest.MonkeyPatch, **documents: Any) -> Json:
    monkeypatch.setenv("OPENROUTER_BASE_URL", "https://openrouter.test")
    monkeypatch.setenv("OPENROUTER_MANAGEMENT_KEY", "planted-credential")
    empty = ("/guardrails", "/keys", "/byok", "/observability/destinations", "/presets", "/workspaces/w/budgets")
    by_path: Json = {path: {"data": []} for path in empty}
    answers(OPENROUTER, {**by_path, "/workspaces": {"data": [WORKSPACE]}, **documents})
    return run("openrouter", json.dumps({"settings": None}), "sophia-ai/dev", None)


def test_the_secrets_of_a_destination_become_variables(answers: Answers, monkeypatch: pytest.MonkeyPatch) -> None:
    found = of_openrouter(answers, monkeypatch, **{"/observability/destinations": {"data": [DESTINATION]}})
    assert found["settings"]["destinations"]["hook"] == {
        "type": "webhook",
        "name": "Hook",
        "configuration": {"url": "https://hooks.test/x"},
        "secrets": {
            "headers.Authorization": {"environment": "HOOK_AUTHORIZATION"},
            "headers.X-Team": {"environment": "HOOK_X_TEAM"},
        },
        "privacy_mode": False,
        "sampling_rate": 0.5,
    }
    off = {"/workspaces": {"data": [WORKSPACE | {"is_observability_broadcast_enabled": False}]}}
    left = of_openrouter(answers, monkeypatch, **{"/observability/destinations": {"data": [DESTINATION]}, **off})
    assert "destinations" not in left["settings"]
    assert "switch Broadcast on" in left["left"][0]["reason"]


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ({"provider": {"max_price": {"prompt": 1}}}, "another routing"),
        ({"provider": {"max_price": {"prompt": 1, "completion": 2}, "sort": "price"}}, "another routing"),
        ({"top_k": 4}, "no words for its top_k"),
        ({}, "no highest price"),
    ],
    ids=["half a ceiling", "a sort", "a parameter", "no ceiling"],
)
def test_a_preset_that_settings_cannot_say_is_left(
    answers: Answers, monkeypatch: pytest.MonkeyPatch, config: Json, reason: str
) -> None:
    version = {"system_prompt": None, "config": {"model": "openai/gpt-4o", **config}}
    preset = {"data": {"slug": "payready-x", "status": "active", "designated_version": version}}
    listed = {"data": [{"slug": "payready-x"}]}
    found = of_openrouter(answers, monkeypatch, **{"/presets": listed, "/presets/payready-x": preset})
    assert "presets" not in found["settings"]
    assert "models" not in found["settings"]
    assert reason in found["left"][0]["reason"]
