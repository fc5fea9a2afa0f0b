"""The declarations of the real platforms: what the vendors show is read back as what was asked for."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from providers import (
    airbyte,
    apollo,
    apollo_calls,
    asana,
    asana_calls,
    base,
    estuary,
    figma,
    gong,
    gong_calls,
    hubspot,
    hubspot_calls,
    lambda_labs,
    linear,
    linear_calls,
    n8n,
    openrouter,
    pinecone,
    qdrant,
    qdrant_cloud,
    slack,
    slack_api,
    vercel,
)
from providers.base import Kind
from providers.base.inventory import Inventory
from tests.unit.base_platform import Engine, State
from tests.unit.shown import SHOWN

MODULES = (
    airbyte,
    apollo,
    asana,
    estuary,
    figma,
    gong,
    hubspot,
    lambda_labs,
    linear,
    n8n,
    openrouter,
    pinecone,
    qdrant,
    slack,
    vercel,
)
PACKAGES = "/api/booking/v1/accounts/credential/packages"
"""What Qdrant sells, asked for once in a process."""
SIZE = {"id": "p-4", "resourceConfiguration": {"ram": "4GiB", "cpu": "1000m", "disk": "16GiB"}}
KINDS = {
    f"{module.__name__.rpartition('.')[2]} {name}": resource
    for module in MODULES
    for name, resource in inspect.getmembers(module, inspect.isclass)
    if issubclass(resource, base.Resource) and resource.__module__ == module.__name__
}


def at_place(path: str, value: Any) -> Any:
    """A value at a dotted path; itself for none."""
    for part in reversed(path.split(".") if path else []):
        value = {part: value}
    return value


@pytest.fixture
def show(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[type[base.Resource], Any], list[str]]]:
    """Makes a platform show one document to whoever lists or reads, and returns what it was asked for."""
    monkeypatch.setattr("providers.base.provider._inventory", Inventory())
    for module in (
        *MODULES,
        apollo_calls,
        linear_calls,
        asana_calls,
        gong_calls,
        hubspot_calls,
        qdrant_cloud,
        slack_api,
    ):
        for name in re.findall(r'Environment\("(\w+)"\)', inspect.getsource(module)):
            monkeypatch.setenv(name, "https://platform.test" if name.endswith("URL") else "credential")
    monkeypatch.setenv("ESTUARY_API_URL", "https://platform.test")
    monkeypatch.setenv("VERCEL_TEAM", "team_1")
    monkeypatch.setenv("ESTUARY_PUBLIC_TOKEN", "public")
    monkeypatch.setenv("FLOW_API_KEY", "flow_sa_credential")
    clients = []

    def shown(resource: type[base.Resource], document: Any) -> list[str]:
        kind, asked = resource.kind, []

        def answer(request: httpx.Request) -> httpx.Response:
            asked.append(request.url.path)
            if request.url.path.endswith("/token"):
                return httpx.Response(200, json={"access_token": "token", "expires_in": 900})
            if request.url.path == PACKAGES:
                return httpx.Response(200, json={"items": [SIZE]})
            listing, read = kind.calls.listing, kind.calls.read
            if listing:
                return httpx.Response(
                    200, json={"ok": True, **at_place(listing.items, [at_place(listing.each, document)])}
                )
            if isinstance(read, base.Pick):
                return httpx.Response(200, json={"ok": True, **at_place(read.items, [document])})
            assert read
            return httpx.Response(200, json={"ok": True, **at_place(getattr(read, "answer", ""), document)})

        clients.append(httpx.Client(transport=httpx.MockTransport(answer)))
        monkeypatch.setitem(kind.api.__dict__, "client", clients[-1])
        return asked

    yield shown
    for client in clients:
        client.close()


@pytest.mark.parametrize(("resource", "given", "document", "id_"), SHOWN.values(), ids=SHOWN)
def test_what_nobody_changed_is_read_as_it_was_asked_for(
    show: Callable[..., list[str]], resource: type[base.Resource], given: dict[str, Any], document: Any, id_: str
) -> None:
    engine = Engine(resource)
    inputs, mistakes = engine.check(**given)
    assert mistakes == {}
    assert engine.check(**inputs) == (inputs, {}), "what was checked once is not changed by a second check"
    asked = show(resource, document)
    seen = engine.read(State(id_, inputs, inputs))
    assert seen
    assert seen.inputs == inputs
    assert engine.read(seen) == seen
    counted = [path for path in asked if not path.endswith("/token") and path != PACKAGES]
    assert len(counted) <= (1 if resource.kind.calls.listing else 2)
    for name in resource.kind.write_only:
        seen.outputs.pop(name, None)
    assert not set(engine.changed(seen, **given)) - set(resource.kind.write_only)


@pytest.mark.parametrize(
    ("example", "by_hand", "drift"),
    [
        ("airbyte source", {"name": "Gong 2"}, {"name": "Gong 2"}),
        ("airbyte connection", {"schedule": {"scheduleType": "manual"}}, {"schedule": {"schedule_type": "manual"}}),
        (
            "airbyte connection",
            {"schedule": {"scheduleType": "basic", "basicTiming": "Every 24 HOURS"}, "status": "locked"},
            {"schedule": {"scheduleType": "basic"}, "status": "locked"},
        ),
        (
            "airbyte connection",
            {"configurations": {"streams": [{"name": "calls", "syncMode": "full_refresh_append", "mappers": []}]}},
            {"streams": [{"name": "calls", "sync_mode": "full_refresh_append"}]},
        ),
        ("openrouter key", {"limit": 60, "disabled": True}, {"limit": 60, "disabled": True}),
        ("openrouter key", {"limit_reset": None}, {"limit_reset": None}),
        ("openrouter guardrail", {"allowed_providers": ["openai"]}, {"allowed_providers": ["openai"]}),
        ("lambda firewall ruleset", {"rules": []}, {"rules": []}),
        ("lambda instance", {"status": "preempted"}, None),
        ("lambda instance", {"name": "by-hand"}, {"name": "by-hand"}),
        ("pinecone index", {"deletion_protection": "disabled"}, {"deletion_protection": "disabled"}),
        ("pinecone index", {"tags": {"managed_by": "sophia-ai;dev"}}, {"tags": {}}),
        ("pinecone index", {"status": {"ready": False, "state": "Terminating"}}, None),
        ("pinecone API key", {"roles": ["ProjectEditor"]}, {"roles": ["ProjectEditor"]}),
        ("pinecone schedule", {"enabled": False, "next_scheduled_run": None}, {"enabled": False}),
        ("qdrant cluster", {"labels": [{"key": "stage", "value": "prod"}]}, {"labels": {"stage": "prod"}}),
        ("qdrant cluster", {"deletedAt": "2026-08-24T10:30:00Z"}, None),
        ("qdrant backup schedule", {"retentionPeriod": "86400s"}, {"retention_days": 1}),
        ("qdrant alias", {"alias_name": "another"}, None),
        ("apollo list", {"name": "Operators (old)"}, {"name": "Operators (old)"}),
        (
            "apollo picklist",
            {"meta": {"picklist_values": [{"id": "1", "name": "Yardi"}]}},
            {"options": {"Yardi": True}},
        ),
        ("apollo sequence", {"active": True}, {"active": True}),
        ("apollo sequence", {"archived": True}, None),
        ("asana project", {"archived": True}, {"archived": True}),
        ("asana custom field", {"enum_options": []}, {"enum_options": []}),
        ("asana order of sections", {"data": [{"gid": "5"}, {"gid": "4"}]}, {"sections": ["5", "4"]}),
        ("hubspot pipeline stage", {"metadata": {"probability": "0.9"}}, {"metadata": {"probability": "0.9"}}),
        ("hubspot roles of properties", {"requiredProperties": []}, {"required_properties": []}),
        ("hubspot custom object", {"archived": True}, None),
        ("slack channel", {"topic": {"value": "then"}}, {"topic": "then"}),
        ("slack channel", {"purpose": {"value": ""}}, {"purpose": ""}),
        ("slack user group", {"prefs": {"channels": ["C3", "C1"]}}, {"channels": ["C1", "C3"]}),
        ("slack user group", {"date_delete": 1764000000}, None),
        ("figma webhook", {"status": "PAUSED"}, {"status": "PAUSED"}),
        ("figma webhook", {"description": None}, {"description": ""}),
        ("linear webhook", {"enabled": False}, {"enabled": False}),
        ("linear label", {"retiredAt": "2026-09-01T00:00:00.000Z"}, None),
        ("linear project", {"lead": None}, {"lead": None}),
        ("slack channel", {"is_archived": True}, None),
        ("vercel drain", {"status": "errored"}, {"status": "errored"}),
        ("vercel token", {"expiresAt": 1764000000000}, None),
    ],
)
def test_what_people_change_by_hand_shows_as_just_that(
    show: Callable[..., list[str]], example: str, by_hand: dict[str, Any], drift: dict[str, Any] | None
) -> None:
    resource, given, document, id_ = SHOWN[example]
    engine = Engine(resource)
    inputs, _ = engine.check(**given)
    show(resource, {**document, **by_hand})
    seen = engine.read(State(id_, inputs, inputs))
    if drift is None:
        assert seen is None
        return
    assert seen
    assert seen.inputs == {k: v for k, v in {**inputs, **drift}.items() if v is not None}


def test_every_kind_is_among_the_examples() -> None:
    told_elsewhere = {
        estuary.Bundle,  # tests/contract/test_estuary_publishing.py: it is read in a conversation
        figma.VariableCollection,  # tests/contract/test_figma_provider.py: so is this
        hubspot.Account,  # tests/contract/test_hubspot_provider.py, test_hubspot_lists.py: so are these six
        hubspot.ObjectType,
        hubspot.Property,
        hubspot.AssociationLabel,
        hubspot.List,
        hubspot.WebhookSettings,
        slack.ChannelMembers,  # tests/contract/test_slack_provider.py: so are these two
        slack.UserGroupMembers,
    }
    assert {resource for resource, *_ in SHOWN.values()} == set(KINDS.values()) - told_elsewhere


@pytest.mark.parametrize("kind", [resource.kind for resource in KINDS.values()], ids=KINDS)
def test_a_declaration_names_what_there_is(kind: Kind) -> None:
    """A misspelt name in a declaration is otherwise found by whoever needs it first: at night, in production."""
    fields, wire = set(kind.inputs.model_fields), {kind.inputs.wire_name(name) for name in kind.inputs.model_fields}
    assert {*kind.place, *([kind.mark] if kind.mark else [])} <= fields
    assert kind.within is None or kind.within.input in kind.immutable, "an object that moves is another one"
    assert set(kind.calls.setters) | set(kind.reset) | (kind.calls.create_takes or set()) <= wire
    calls = [call for call in kind.calls.every() if isinstance(call, base.Call)]
    texts = json.dumps([[call.path, *call.params.values(), call.body] for call in calls])
    assert set(re.findall(r"{(\w+)}", texts + kind.identity)) <= fields | {"id"} | set(kind.api.constants)
    changeable = fields - set(kind.immutable) - set(kind.carried)
    if not kind.calls.update:
        assert {kind.inputs.wire_name(name) for name in changeable} <= set(kind.calls.setters), "cannot be changed"
    if kind.calls.listing:
        assert kind.natural_key, "listed, but recognised by nothing"
    if kind.shows_secret_once and kind.calls.listing:
        assert kind.calls.delete, "a key that was lost cannot be taken away"


def test_an_adopted_custom_connector_is_found_by_its_definition(show: Callable[..., list[str]]) -> None:
    resource, given, document, id_ = SHOWN["airbyte custom source"]
    show(resource, document)
    told = str(Engine(resource).failing_create(**given))
    assert f"exists already ({id_})" in told
    assert "another name and definition_id" in told


def test_the_places_to_which_states_refer_stay() -> None:
    """Another name for a class or a module would lose every object of that kind in every stack."""
    assert set(KINDS) >= {
        *(f"airbyte {name}" for name in ("Workspace", "Source", "Destination", "Tag", "Connection")),
        *(
            f"apollo {n}"
            for n in ("CustomField", "List", "Sequence", "Schedule", "ContactStage", "AccountStage", "User")
        ),
        *(f"estuary {name}" for name in ("Bundle", "StorageMapping", "AlertSubscription", "ServiceAccount", "ApiKey")),
        *(f"figma {name}" for name in ("Project", "File", "Webhook", "DevResource", "VariableCollection")),
        *(f"gong {name}" for name in ("Workspace", "User", "Tracker", "Scorecard", "LibraryFolder", "CrmIntegration")),
        *(f"gong {name}" for name in ("PermissionProfile", "ProfileMember")),
        *(f"hubspot {n}" for n in ("Account", "ObjectType", "Schema", "SchemaRoles", "SchemaAssociation", "List")),
        *(f"hubspot {n}" for n in ("PropertyGroup", "Property", "Pipeline", "PipelineStage", "AssociationLabel")),
        *(f"hubspot {n}" for n in ("WebhookSettings", "WebhookSubscription")),
        *(f"lambda_labs {name}" for name in ("SshKey", "Filesystem", "FirewallRuleset", "Instance")),
        *(f"linear {n}" for n in ("Team", "WorkflowState", "IssueLabel", "Template", "CustomView", "Webhook")),
        *(f"linear {n}" for n in ("Project", "ProjectLabel", "ProjectStatus", "ProjectMilestone", "GitAutomation")),
        *(f"linear {n}" for n in ("Initiative", "InitiativeProject", "TeamMembership")),
        *(f"openrouter {name}" for name in ("Workspace", "WorkspaceBudget", "ApiKey", "Guardrail", "GuardrailKey")),
        *(f"openrouter {name}" for name in ("GuardrailMember", "ProviderCredential", "Destination", "Preset")),
        *(f"pinecone {n}" for n in ("Project", "ApiKey", "Index", "PodIndex", "Backup", "BackupSchedule")),
        *(f"qdrant {n}" for n in ("Cluster", "BackupSchedule", "DatabaseKey", "ManagementKey")),
        *(f"qdrant {n}" for n in ("Collection", "Alias", "PayloadIndex")),
        *(f"slack {n}" for n in ("Channel", "ChannelMembers", "Bookmark", "UserGroup", "UserGroupMembers")),
        *(f"slack {n}" for n in ("App", "ExistingApp")),
        *(f"vercel {n}" for n in ("Token", "Webhook", "Drain", "ProtectionBypass")),
    }
