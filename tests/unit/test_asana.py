"""Asana: settings that cannot go wrong where it hurts, what the component makes of them, and what health tells."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pulumi
import pytest
import yaml
from pydantic import ValidationError

from components.asana import Asana, AsanaSettings
from components.settings import Stage
from health.asana import HEALTH, TOKEN
from health.base import Answer, Resource, Subject
from providers.asana_calls import _moves

Deploy = Callable[..., Any]
REPOSITORY = Path(__file__).parents[2]
GIDS = {"pulumi-python:dynamic/asana:Webhook": lambda name, _inputs: {"secret": f"the-secret-of-{name}"}}


def settings(stage: str = "dev") -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((REPOSITORY / f"Pulumi.{stage}.yaml").read_text())["config"][
        "sophia-ai:asana"
    ]
    return found


def run(deploy: Deploy, stage: Stage = Stage.DEV, **changes: Any) -> Any:
    wanted = AsanaSettings.model_validate({**settings(stage.value), **changes})
    return deploy(lambda: Asana("asana", wanted, stage=stage), stack=stage.value, computed=GIDS)


@pytest.mark.parametrize("stage", list(Stage))
def test_every_stage_has_the_projects_that_operations_need(deploy: Deploy, stage: Stage) -> None:
    deployment = run(deploy, stage)
    asana = deployment.result
    assert {"incidents", "credentials"} <= asana.project_ids.keys()
    assert {"incidents.new", "credentials.due"} <= asana.section_ids.keys()
    in_prod = stage is Stage.PROD
    for kind in ("Project", "CustomField"):
        assert {(one.protect, one.retain_on_delete) for one in deployment.of(kind)} == {(in_prod, in_prod)}
    (webhook,) = deployment.of("Webhook")
    assert f"agents{'' if in_prod else f'-{stage.value}'}.payready.com" in webhook.inputs["target"]


def test_sections_and_fields_keep_the_order_of_the_settings(deploy: Deploy) -> None:
    deployment = run(deploy)
    order = deployment.one("SectionOrder", "incidents").inputs
    assert order["sections"] == [f"id-of-incidents.{key}" for key in ("new", "investigating", "mitigated", "reviewed")]
    assert order["adopt"], "every project has an order already"
    first = deployment.one("FieldSetting", "incidents.severity").inputs
    second = deployment.one("FieldSetting", "incidents.amount").inputs
    assert first.get("insert_after") is None
    assert second["insert_after"] == "id-of-incidents.severity"


def test_a_person_is_looked_up_once_for_all_projects(deploy: Deploy) -> None:
    wanted = settings()
    wanted["projects"]["credentials"]["members"] = {"on-call": {"email": "platform@payready.com"}}
    deployment = run(deploy, projects=wanted["projects"])
    (person,) = deployment.of("Person")
    assert person.inputs["adopt"] is True
    assert {one.inputs["member"] for one in deployment.of("ProjectMember")} == {"id-of-platform@payready.com"}


def test_a_webhook_waits_for_what_answers_its_handshake(deploy: Deploy) -> None:
    wanted = AsanaSettings.model_validate(settings())

    def program() -> None:
        receiver = pulumi.ComponentResource("sophia:platform:N8n", "n8n")
        pulumi.CustomResource("n8n:index:Workflow", "events", {}, pulumi.ResourceOptions(parent=receiver))
        Asana("asana", wanted, stage=Stage.DEV, receivers=[receiver])

    deployment = deploy(program, computed=GIDS)
    (webhook,) = deployment.of("Webhook")
    assert any(urn.endswith("Workflow::events") for urn in webhook.depends_on)
    assert not any(urn.endswith("Workflow::events") for urn in deployment.one("Project", "incidents").depends_on)


def test_another_generation_has_another_address(deploy: Deploy) -> None:
    hooks = settings()["webhooks"]
    hooks["incidents"]["generation"] = 2
    (webhook,) = run(deploy, webhooks=hooks).of("Webhook")
    assert webhook.inputs["target"].endswith("/webhook/asana-events?generation=2")


def changed(path: str, value: Any) -> dict[str, Any]:
    wanted = copy.deepcopy(settings())
    *parents, last = path.split(".")
    place: Any = wanted
    for name in parents:
        place = place[int(name)] if name.isdigit() else place[name]
    if value is None:
        del place[last]
    else:
        place[int(last) if last.isdigit() else last] = value
    return wanted


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("workspace", {}, "must give either `name` or `gid`"),
        ("workspace", {"name": "A", "gid": "1"}, "must give either `name` or `gid`"),
        ("projects.incidents.team", "platfrom", 'no team "platfrom" is declared (did you mean "platform"?)'),
        ("projects.incidents.fields.0.field", "severty", 'no field "severty" is declared'),
        ("projects.incidents.fields.1.field", "severity", '"severity" is there twice'),
        ("projects.incidents.sections.1.name", "New", '"New" is there twice'),
        ("projects.incidents.members.on-call", {"team": "platform"}, "is the project's own team"),
        ("projects.incidents.members.on-call", {}, "must give either `email`"),
        ("projects.incidents.privacy", "public", "public_to_workspace"),
        ("projects.credentials.name", "Sophia incidents", "is that of projects.incidents"),
        ("fields.severity.options", [], "needs at least one entry: the field is of type enum"),
        ("fields.credential.options", [{"name": "A"}], "is for enum and multi_enum"),
        ("fields.credential.precision", 2, "is for number, and the field is of type text"),
        ("fields.amount.currency", None, "goes with `format: currency`"),
        ("fields.severity.options.1.name", "sev1", '"sev1" is there twice'),
        ("fields.severity.options.1.formerly", "SEV1", "is the name of another option of this field"),
        ("webhooks.incidents.target", "http://n8n/webhook", "must be an https address with a path"),
        ("webhooks.incidents.team", "platform", "must give one of `project`, `team` and `workspace: true`"),
        ("webhooks.incidents.events.0.fields", ["name"], "goes with `action: changed` only"),
    ],
)
def test_a_mistake_in_the_settings_is_told(path: str, value: Any, said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        AsanaSettings.model_validate(changed(path, value))
    assert said in str(caught.value)


def test_a_webhook_on_a_team_has_filters_without_fields() -> None:
    hook = {"team": "platform", "target": "https://hooks.payready.com/asana"}
    with pytest.raises(ValidationError, match="with filters only"):
        AsanaSettings.model_validate({**settings(), "webhooks": {"team": hook}})
    hook |= {"events": [{"action": "changed", "fields": ["name"]}]}  # type: ignore[dict-item] # as YAML gives it
    with pytest.raises(ValidationError, match="is for webhooks on a project"):
        AsanaSettings.model_validate({**settings(), "webhooks": {"team": hook}})


@pytest.mark.parametrize(
    ("there", "wanted", "moves"),
    [
        ("abc", "abc", 0),
        ("cab", "abc", 1),
        ("bac", "abc", 1),
        ("cba", "abc", 2),
        ("ab", "abc", 0),
    ],
)
def test_an_order_is_made_with_few_moves(there: str, wanted: str, moves: int) -> None:
    order, made = list(there), list(_moves(there, wanted))
    for moved, before in made:
        order.remove(moved)
        order.insert(order.index(before) + 1, moved)
    assert [one for one in order if one in wanted] == [one for one in wanted if one in there]
    assert len(made) == moves


def answered(probe: str, data: Any, **subject: Any) -> Any:
    (found,) = [one for one in HEALTH.probes if one.proves == probe]
    response = httpx.Response(200, json={"data": data}, request=httpx.Request("GET", "https://asana.test"))
    return found.read(Answer(response, Subject(**subject)))


@pytest.mark.parametrize(
    ("workspace", "well"), [({"name": "Pay Ready"}, True), ({"gid": "1"}, True), ({"gid": "2"}, False)]
)
def test_health_tells_whose_the_token_is_and_whether_it_sees_the_workspace(workspace: Any, well: bool) -> None:
    person = {"name": "Ada", "email": "ada@payready.com", "workspaces": [{"gid": "1", "name": "Pay Ready"}]}
    reading = answered("token and workspace", person, settings={"workspace": workspace})
    assert reading.known[TOKEN].said == "of Ada (ada@payready.com)"
    assert (reading.problems == ()) is well
    assert well or "is not in the workspace of the settings" in reading.problems[0].said


def test_health_tells_of_webhooks_that_reach_nobody() -> None:
    target = "https://hooks.payready.com/asana"
    shown = [
        {"gid": "1", "active": True, "target": target},
        {"gid": "2", "active": False, "target": target},
        {
            "gid": "3",
            "active": True,
            "target": target,
            "last_success_at": "2026-11-20T08:00:00Z",
            "last_failure_content": "503",
            "failure_deletion_timestamp": "2026-11-21T09:00:00Z",
        },
    ]
    hooks = [Resource("pulumi-python:dynamic/asana:Webhook", f"key-{gid}", gid, None, {}) for gid in "1234"]
    problems = answered("webhooks", shown, resources=hooks).problems
    assert [problem.verdict for problem in problems] == ["failing", "degraded", "failing"]
    assert "key-2 is inactive" in problems[0].said
    assert "Asana deletes the webhook key-3 at 2026-11-21T09:00:00Z" in problems[1].said
    assert "key-4 is not there any more" in problems[2].said
