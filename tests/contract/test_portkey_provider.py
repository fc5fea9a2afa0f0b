"""Our provider of Portkey against the emulator; every request is held against Portkey's own description."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from providers import portkey
from providers.portkey import PORTKEY
from sandbox.portkey import PLATFORM
from tests.contract.driven import new_run
from tests.contract.portkey_estate import CHANGES, INTEGRATION, MODELS, Estate
from tests.unit.base_platform import Engine, FailedError

SPEC = "portkey/portkey_openapi.yaml"
OTHERWISE = (
    r"query: workspace_id is not a parameter",  # of lists that show an admin key all workspaces otherwise
    r"request \$\.(usage|rate)_limits: None (for not nullable|is not of type)",  # how a limit is taken away
    r"request \$\.defaults\.config_id: None (for not nullable|is not of type)",
    r"request \$\.rate_limits: \[.*\] is not of type 'object'",  # of providers
    r"request \$\.checks\[\d\]\.parameters: .* is valid under each of",  # alternatives that do not exclude each other
    r"DELETE /admin/workspaces/{workspaceId}, 200: request: no body is expected",  # the name, as platforms do for safety
)
"""Where the service wants something else than its description says: what Portkey's own Terraform provider sends."""


@dataclass
class Portkey:
    """The emulator, looked at from outside, and ways to harm what our provider asks it."""

    spec: Any
    url: str
    requests: list[str] = field(default_factory=list)
    misfits: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)

    def answered(self, response: httpx.Response) -> None:
        response.read()
        request = response.request
        asked = f"{request.method} {request.url.path.partition('/v1')[2]}"
        self.requests.append(asked)
        if not response.is_error:
            self._hold(request, response)
        if asked in self.lost:
            self.lost.remove(asked)
            raise httpx.ReadError("the connection was closed", request=request)

    def _hold(self, request: httpx.Request, response: httpx.Response) -> None:
        def json(message: httpx.Request | httpx.Response) -> Any:
            return httpx.Response(200, content=message.content).json() if message.content else None

        address = str(request.url).partition("/portkey")[2]
        try:
            self.spec.check(request.method, address, response.status_code, json(request), json(response))
        except AssertionError as error:
            title, *lines = (line.strip() for line in str(error).split("\n"))
            sent = [f"{title} {line}" for line in lines if line.startswith(("request", "query"))]
            self.misfits += [line for line in sent if not any(re.search(known, line) for known in OTHERWISE)]

    def by_hand(self, method: str, path: str, body: Any = None) -> Any:
        """As a person does it in Portkey's pages."""
        answer = PORTKEY.request(method, path, body=body)
        self.requests.pop()
        return answer


@pytest.fixture
def control(
    serve: Callable[[Any], Any], spec: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Portkey]:
    emulator = serve(PLATFORM)
    for name, value in emulator.credentials.items():
        monkeypatch.setenv(name, value)
    new_run(monkeypatch)
    monkeypatch.setattr("providers.base.api.SETTLING_SECONDS", 0.0)
    monkeypatch.setattr("providers.base.birth.LOOK_AFTER_SECONDS", (0.0,))
    seen = Portkey(spec(SPEC), emulator.url)
    with httpx.Client(event_hooks={"response": [seen.answered]}, trust_env=False) as client:
        monkeypatch.setitem(PORTKEY.__dict__, "client", client)
        yield seen
    assert not seen.misfits, "\n".join(seen.misfits)


@pytest.mark.parametrize("name", CHANGES)
def test_the_life_of_an_object(control: Portkey, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    estate = Estate()
    resource, given = estate.wanted(name)
    engine, made = Engine(resource, name), getattr(estate, name)
    assert not engine.changes(made, **given)
    new_run(monkeypatch)
    seen = engine.read(made)
    assert seen
    assert seen.inputs == made.inputs, "nobody changed it"
    assert not engine.changes(seen, **given)

    changed = {key: value for key, value in {**given, **CHANGES[name]}.items() if value is not None}
    assert engine.changes(seen, **changed)
    assert not engine.diff(seen, **changed).replaces
    updated = engine.update(seen, **changed)
    new_run(monkeypatch)
    again = engine.read(updated)
    assert again
    assert again.inputs == engine.check(**changed)[0]
    assert not engine.changes(again, **changed)

    for other in list(estate.states):  # what needs it is made later, and goes before it
        if other != name and list(CHANGES).index(other) > list(CHANGES).index(name):
            Engine(estate.wanted(other)[0], other).delete(estate.states[other])
    engine.delete(again)
    new_run(monkeypatch)
    assert engine.read(again) is None
    engine.delete(again)


def refused(engine: Engine, **given: Any) -> str:
    with pytest.raises(FailedError) as caught:
        engine.create(**given)
    return str(caught.value)


@pytest.mark.parametrize(
    "name", ["workspace", "integration", "provider", "config", "guardrail", "collection", "prompt"]
)
def test_what_exists_already_is_taken_over_only_if_that_is_said(
    control: Portkey, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    estate = Estate()
    resource, given = estate.wanted(name)
    theirs = Engine(resource, name, stack="prod").create(**given)
    new_run(monkeypatch)
    told = (
        refused(Engine(resource, name), **given, adopt=True)
        if resource.kind.mark
        else refused(Engine(resource), **given)
    )
    assert theirs.id in told
    assert ("is managed by sophia-ai/prod" if resource.kind.mark else "not managed by this stack") in told
    if not resource.kind.mark:
        assert Engine(resource, name).create(**given, adopt=True).id == theirs.id


def test_a_rotated_key_takes_the_place_of_the_one_before_and_both_work(control: Portkey) -> None:
    estate = Estate()
    resource, given = estate.wanted("api_key")
    engine, made = Engine(resource, "api_key"), estate.api_key
    first = made.outputs["key"]
    assert "key" in made.secrets
    assert not engine.changes(made, **given, transition_hours=48), "that alone is nothing to do"
    rotated = engine.update(made, **given, generation=2, transition_hours=48)
    assert rotated.id == made.id
    assert rotated.outputs["key"] != first
    assert "key" in rotated.secrets
    seen = engine.read(rotated)
    assert seen
    assert seen.outputs["key"] == rotated.outputs["key"], "what Portkey shows of it is no key"
    assert not engine.changes(seen, **given, generation=2, transition_hours=48)
    for key in (first, rotated.outputs["key"]):
        headers = {"x-portkey-api-key": key}
        answer = httpx.get(f"{control.url}/v1/api-keys/{made.id}", headers=headers, trust_env=False)
        assert answer.status_code != httpx.codes.UNAUTHORIZED


def test_a_second_rotation_waits_for_the_end_of_the_first(control: Portkey) -> None:
    estate = Estate()
    resource, given = estate.wanted("api_key")
    engine = Engine(resource, "api_key")
    rotated = engine.update(estate.api_key, **given, generation=2)
    with pytest.raises(FailedError) as caught:
        engine.update(rotated, **given, generation=3)
    assert "transition" in str(caught.value)
    assert "when the key of before has ended" in str(caught.value)


def test_a_rotation_of_which_nobody_heard_says_how_to_get_a_key_in_time(control: Portkey) -> None:
    estate = Estate()
    resource, given = estate.wanted("api_key")
    made = estate.api_key
    control.lost.append(f"POST /api-keys/{made.id}/rotate")
    with pytest.raises(FailedError) as caught:
        Engine(resource, "api_key").update(made, **given, generation=2, transition_hours=48)
    assert "under another key and name" in str(caught.value)
    assert "ends in 48 h" in str(caught.value)
    assert caught.value.kept
    assert caught.value.kept.outputs["key"] == made.outputs["key"], "it works for two days more"
    assert caught.value.kept.outputs["generation"] == 1


def test_a_key_that_was_lost_with_its_run_is_made_anew(control: Portkey, monkeypatch: pytest.MonkeyPatch) -> None:
    estate = Estate()
    resource, given = estate.wanted("api_key")
    control.lost.append("POST /api-keys/workspace/service")
    made = Engine(resource, "api_key").create(**given)
    listed = control.by_hand("GET", f"/api-keys?workspace_id={estate.workspace.id}")["data"]
    assert [one["id"] for one in listed] == [made.id], "the one of which nobody has the value is gone"
    new_run(monkeypatch)
    again = Engine(resource, "api_key").create(**given)
    assert again.id != made.id
    assert again.outputs["key"] != made.outputs["key"]


def test_a_prompt_serves_an_older_version_while_a_new_one_is_tried(control: Portkey) -> None:
    estate = Estate()
    resource, given = estate.wanted("prompt")
    engine, made = Engine(resource, "prompt"), estate.prompt
    text = given["string"].replace("Remind", "Kindly remind")
    draft = engine.update(made, **{**given, "string": text, "published": 1})
    served = control.by_hand("GET", f"/prompts/{made.id}")
    assert (served["prompt_version"], served["string"]) == (1, given["string"])
    assert draft.outputs["version"] == 2
    seen = engine.read(draft)
    assert seen
    assert (seen.inputs["string"], seen.inputs["published"]) == (text, 1)
    engine.update(seen, **{**given, "string": text})
    assert control.by_hand("GET", f"/prompts/{made.id}")["string"] == text


@pytest.mark.parametrize("name", ["prompt", "partial"])
def test_a_version_that_was_made_and_not_published_is_not_made_twice(control: Portkey, name: str) -> None:
    estate = Estate()
    resource, given = estate.wanted(name)
    engine, made = Engine(resource, name), getattr(estate, name)
    path = f"{'/prompts' if name == 'prompt' else '/prompts/partials'}/{made.id}"
    control.lost.append(f"PUT {path}/makeDefault")
    changed = {**given, "string": given["string"].replace("e", "E")}
    updated = engine.update(made, **changed)
    assert updated.outputs["version"] == 2
    engine.update(made, **changed)
    assert len(control.by_hand("GET", f"{path}/versions")["data"]) == 2


def test_a_version_published_by_hand_is_drift(control: Portkey) -> None:
    estate = Estate()
    resource, given = estate.wanted("prompt")
    engine = Engine(resource, "prompt")
    updated = engine.update(estate.prompt, **{**given, "model": "openai/gpt-4o-mini"})
    control.by_hand("PUT", f"/prompts/{updated.id}/makeDefault", {"version": 1})
    seen = engine.read(updated)
    assert seen
    assert seen.inputs["published"] == 1
    assert engine.changes(seen, **{**given, "model": "openai/gpt-4o-mini"})


def test_models_that_are_not_wanted_are_switched_off_and_come_back(control: Portkey) -> None:
    estate = Estate()
    engine, made = Engine(portkey.Integration, "integration"), estate.integration
    path = "/integrations/sophia-dev-openrouter/models"

    def enabled() -> set[str]:
        return {m["slug"] for m in control.by_hand("GET", path)["models"] if m["enabled"]}

    assert enabled() == {model["slug"] for model in MODELS}
    own = {"slug": "sophia-ledger", "is_custom": True, "base_model_slug": "openai/gpt-4o"}
    changed = engine.update(made, **{**INTEGRATION, "models": [MODELS[0], own]})
    assert enabled() == {MODELS[0]["slug"], "sophia-ledger"}
    seen = engine.read(changed)
    assert seen
    assert not engine.changes(seen, **{**INTEGRATION, "models": [own, MODELS[0]]}), "the order means nothing"
    control.by_hand("PUT", path, {"models": [{"slug": MODELS[1]["slug"], "enabled": True}]})
    drifted = engine.read(changed)
    assert drifted
    assert len(drifted.inputs["models"]) == 3
    engine.update(drifted, **{name: value for name, value in INTEGRATION.items() if name != "models"})
    assert len(enabled()) > 3
    assert "sophia-ledger" not in enabled()


def test_a_key_that_may_not_look_does_not_see_everything_gone(
    control: Portkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    estate = Estate()
    config = estate.config
    minted = control.by_hand(
        "POST",
        "/api-keys/workspace/service",
        {"name": "narrow", "scopes": ["configs.list"], "workspace_id": estate.workspace.id},
    )
    new_run(monkeypatch)
    monkeypatch.setenv("PORTKEY_ADMIN_API_KEY", minted["key"])
    with pytest.raises(FailedError) as caught:
        Engine(portkey.Config, "config").read(config)
    assert "403" in str(caught.value)
    with pytest.raises(FailedError):
        Engine(portkey.Config, "config").delete(config)


def test_an_integration_makes_no_provider_by_itself(control: Portkey) -> None:
    estate = Estate()
    assert estate.access.id == f"sophia-dev-openrouter/{estate.workspace.id}"
    assert control.by_hand("GET", f"/providers?workspace_id={estate.workspace.id}")["data"] == []


def test_no_secret_is_kept_in_clear_or_told(control: Portkey) -> None:
    estate = Estate()
    assert "hunter2" not in str(estate.integration.outputs)
    told = refused(Engine(portkey.Integration, "other"), **{**INTEGRATION, "slug": "other", "ai_provider_id": "sk-or"})
    assert "AB01" in told
    assert "hunter2" not in told
