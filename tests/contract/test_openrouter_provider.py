"""Our provider of OpenRouter against the emulator: every exchange is held against the vendor's specification."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from providers import base, openrouter
from sandbox.openrouter import PLATFORM
from tests.contract.driven import new_run
from tests.unit.base_platform import Engine

SPEC = "openrouter/openrouter_openapi.yaml"
MEMBER = "user_2sandbox00000000000000001"


@dataclass
class Estate:
    """The emulator, and what was asked of it."""

    emulator: Any
    asked: list[str] = field(default_factory=list)
    workspace: str = ""

    def all(self, kind: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.emulator.app.state.stores("openrouter").all(kind)
        return found

    def make(self, resource: type[base.Resource], **inputs: Any) -> str:
        return Engine(resource).create(**inputs).id


@pytest.fixture
def estate(
    serve: Callable[[Any], Any], spec: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Estate]:
    found = Estate(serve(PLATFORM))
    for name, value in found.emulator.credentials.items():
        monkeypatch.setenv(name, value)
    new_run(monkeypatch)
    monkeypatch.setattr("providers.base.api.SETTLING_SECONDS", 0.0)
    openrouter._slugs.cache_clear()
    with found.emulator.client(spec(SPEC)) as client:
        client.event_hooks["request"].append(lambda r: found.asked.append(f"{r.method} {r.url.path.split('/v1')[1]}"))
        client.base_url = httpx.URL()
        monkeypatch.setitem(openrouter.OPENROUTER.__dict__, "client", client)
        found.workspace = found.make(openrouter.Workspace, slug="sophia-dev", name="Sophia dev")
        yield found
    openrouter._slugs.cache_clear()


GUARDRAIL: dict[str, Any] = {
    "name": "Residents",
    "enforce_zdr": True,
    "enable_paid_model_training": False,
    "ignored_models": ["openai/gpt-5.2"],
    "content_filters": [{"pattern": r"\d{9}", "action": "redact", "label": "[ROUTING]"}],
    "content_filter_builtins": [{"slug": "ssn", "action": "block"}],
}
CREDENTIAL = {"provider": "anthropic", "name": "Ours", "key": "sk-ant-hunter2-and-more"}
DESTINATION: dict[str, Any] = {
    "type": "langfuse",
    "name": "Traces",
    "configuration": {"baseUrl": "https://us.cloud.langfuse.com"},
    "secret_configuration": {"publicKey": "pk-lf-hunter2", "secretKey": "sk-lf-hunter2"},
}
PRESET: dict[str, Any] = {
    "slug": "sophia-dev-summary",
    "model": "openai/gpt-5-mini",
    "models": ["openai/gpt-5-mini", "anthropic/claude-haiku-4.5"],
    "system_prompt": "Be short.",
    "temperature": 0,
    "provider": {"max_price": {"prompt": "1", "completion": "5"}, "zdr": True},
}
KINDS: dict[str, tuple[type[base.Resource], dict[str, Any], dict[str, Any]]] = {
    "guardrail": (openrouter.Guardrail, GUARDRAIL, {"content_filter_builtins": [{"slug": "ssn", "action": "redact"}]}),
    "credential": (openrouter.ProviderCredential, CREDENTIAL, {"is_fallback": True}),
    "key of a credential": (openrouter.ProviderCredential, CREDENTIAL, {"key": "sk-ant-hunter3-and-more"}),
    "destination": (openrouter.Destination, DESTINATION, {"sampling_rate": 0.25, "privacy_mode": False}),
    "secret of a destination": (
        openrouter.Destination,
        DESTINATION,
        {"secret_configuration": {"publicKey": "pk-lf-hunter2", "secretKey": "sk-lf-hunter3"}},
    ),
    "preset": (openrouter.Preset, PRESET, {"system_prompt": None, "models": None}),
}


def placed(estate: Estate, resource: type[base.Resource], inputs: dict[str, Any]) -> dict[str, Any]:
    return {**inputs, **({"workspace_id": estate.workspace} if resource.kind.within else {})}


@pytest.mark.parametrize(("resource", "given", "change"), KINDS.values(), ids=KINDS)
def test_an_object_reads_back_as_it_was_asked_for_and_changes_by_one_request(
    estate: Estate, resource: type[base.Resource], given: dict[str, Any], change: dict[str, Any]
) -> None:
    engine, inputs = Engine(resource), placed(estate, resource, given)
    made = engine.create(**inputs)
    seen = engine.read(made)
    assert seen
    assert seen.inputs == made.inputs
    assert not engine.changes(seen, **inputs)
    before = len(estate.asked)
    changed = engine.update(seen, **{**inputs, **change})
    (request,) = [asked for asked in estate.asked[before:] if not asked.startswith("GET")]
    assert request.partition(" ")[0] in ("PATCH", "POST")
    again = engine.read(changed)
    assert again
    assert not engine.changes(again, **{**inputs, **change})


@pytest.mark.parametrize("kind", ["credential", "destination"])
def test_a_secret_is_kept_in_no_clear_text_anywhere(estate: Estate, kind: str) -> None:
    resource, given, _ = KINDS[kind]
    made = Engine(resource).create(**placed(estate, resource, given))
    assert "hunter2" not in json.dumps(made.outputs)
    assert "hunter2-and" not in json.dumps(estate.all("byok"))
    shown = [one["config"] for one in estate.all("destination")]
    assert "sk-lf-hunter2" not in json.dumps(shown)


def test_what_was_made_is_taken_away_again_but_for_presets(estate: Estate) -> None:
    for kind in ("guardrail", "credential", "destination", "preset"):
        resource, given, _ = KINDS[kind]
        engine = Engine(resource)
        engine.delete(engine.create(**placed(estate, resource, given)))
    assert estate.all("guardrail") == estate.all("byok") == estate.all("destination") == []
    assert [preset["slug"] for preset in estate.all("preset")] == ["sophia-dev-summary"]
    assert not [asked for asked in estate.asked if asked.startswith("DELETE /presets")]


def test_a_preset_that_is_there_gets_a_new_version_only_where_it_differs(
    estate: Estate, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = Engine(openrouter.Preset)
    engine.create(**PRESET)
    new_run(monkeypatch)
    again = Engine(openrouter.Preset, "another", "staging")
    assert "exists already" in str(again.failing_create(**PRESET)), "nobody's is taken over unasked"
    again.create(**PRESET, adopt=True)
    new_run(monkeypatch)
    again.create(**{**PRESET, "temperature": 1}, adopt=True)
    (preset,) = estate.all("preset")
    assert [version["config"]["temperature"] for version in preset["versions"]] == [0, 1]


def test_a_member_is_put_under_a_guardrail_and_taken_out(estate: Estate) -> None:
    guardrail = estate.make(openrouter.Guardrail, **placed(estate, openrouter.Guardrail, GUARDRAIL))
    engine = Engine(openrouter.GuardrailMember)
    made = engine.create(guardrail_id=guardrail, user_id=MEMBER)
    assert made.id == f"{guardrail}/{MEMBER}"
    assert engine.read(made)
    assert openrouter.member_assignments() == {MEMBER: guardrail}
    engine.delete(made)
    assert openrouter.member_assignments() == {}
    stranger = engine.failing_create(guardrail_id=guardrail, user_id="user_nobody")
    assert "user_nobody is no member of the organization" in str(stranger)


def test_two_generations_of_a_key_are_two_keys_of_one_name(estate: Estate) -> None:
    inputs = {"workspace_id": estate.workspace, "name": "Web app", "limit": 5, "limit_reset": "monthly"}
    engine = Engine(openrouter.ApiKey)
    first, second = engine.create(**inputs), Engine(openrouter.ApiKey, "second").create(**inputs, generation=2)
    assert first.outputs["key"] != second.outputs["key"]
    assert sorted(key["name"] for key in estate.all("key")) == [
        "Web app #2 (managed by sophia-ai/dev)",
        "Web app (managed by sophia-ai/dev)",
    ]
    for state, generation in ((first, 1), (second, 2)):
        seen = engine.read(state)
        assert seen
        assert seen.inputs["generation"] == generation
        assert not engine.changes(seen, **inputs, generation=generation)
    renamed = engine.update(second, **{**inputs, "name": "Web"}, generation=2)
    assert "Web #2 (managed by sophia-ai/dev)" in [key["name"] for key in estate.all("key")]
    assert list(engine.diff(renamed, **{**inputs, "name": "Web"}, generation=4).replaces) == ["generation"]


def test_a_key_of_which_only_the_platform_heard_is_made_anew(estate: Estate, monkeypatch: pytest.MonkeyPatch) -> None:
    """A killed run's key: its value was shown to nobody who lives."""
    inputs = {"workspace_id": estate.workspace, "name": "Web app", "limit": 5}
    lost = Engine(openrouter.ApiKey).create(**inputs, generation=2)
    new_run(monkeypatch)
    found = Engine(openrouter.ApiKey).create(**inputs, generation=2)
    assert found.id != lost.id
    assert [key["hash"] for key in estate.all("key")] == [found.id]


def test_what_is_said_of_all_budgets_is_read_with_each(estate: Estate) -> None:
    inputs = {"workspace_id": estate.workspace, "interval": "monthly", "limit_usd": 100}
    engine = Engine(openrouter.WorkspaceBudget)
    made = engine.create(**inputs, include_byok_in_budgets=True)
    seen = engine.read(made)
    assert seen
    assert seen.inputs["include_byok_in_budgets"] is True
    quiet = engine.read(engine.update(seen, **inputs))
    assert quiet
    assert "include_byok_in_budgets" not in quiet.inputs, "what is not said is not managed"


def test_a_destination_that_does_not_answer_is_refused_with_its_setting(estate: Estate) -> None:
    given = placed(estate, openrouter.Destination, DESTINATION)
    given["configuration"] = {"baseUrl": "https://langfuse.invalid"}
    told = str(Engine(openrouter.Destination).failing_create(**given))
    assert "langfuse.invalid does not answer" in told
    assert "sophia-ai:openrouter.destinations" in told
    assert "hunter2" not in told
