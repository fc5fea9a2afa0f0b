"""n8n: workflow files that cannot go wrong where it hurts, and what the component makes of them."""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from pydantic import ValidationError

from components import competitors, incidents, nmhc
from components.n8n import N8n, N8nSettings
from components.n8n.workflow_files import WorkflowFileError, parse
from components.settings import Stage
from health.base import Answer, Resource, Subject
from health.n8n import HEALTH

Deploy = Callable[..., Any]
REPOSITORY = Path(__file__).parents[2]
OUTPUTS = {"slack.channels.alerts": "C1", "slack.channels.collections": "C2", "portkey.configs.summary": "pc-1"} | {
    "portkey.agents": "pk-agents",
    "usergems.webhooks.job-changes": "shared",
}
WEBHOOK: dict[str, Any] = {
    "id": "a",
    "name": "Hook",
    "type": "n8n-nodes-base.webhook",
    "typeVersion": 2,
    "position": [0, 0],
    "webhookId": "x",
    "parameters": {"httpMethod": "POST", "path": "payments"},
}
REQUEST: dict[str, Any] = {
    "id": "b",
    "name": "Ask",
    "type": "n8n-nodes-base.httpRequest",
    "typeVersion": 4.2,
    "position": [220, 0],
    "parameters": {"url": "https://api.example.com/v1"},
}


def document(*nodes: dict[str, Any], **members: Any) -> dict[str, Any]:
    links = {"Hook": {"main": [[{"node": "Ask", "type": "main", "index": 0}]]}}
    return {"nodes": list(nodes) or [WEBHOOK, REQUEST], "connections": links, "settings": {}, **members}


def asking(**parameters: Any) -> dict[str, Any]:
    return {**REQUEST, "parameters": parameters}


def settings(stage: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((REPOSITORY / f"Pulumi.{stage}.yaml").read_text())["config"]["sophia-ai:n8n"]
    return found


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GONG_ACCESS_KEY", "GONG_ACCESS_KEY_SECRET", "HUBSPOT_ACCESS_TOKEN", "SLACK_BOT_TOKEN"):
        monkeypatch.setenv(name, f"the-{name}")


def run(deploy: Deploy, stage: Stage = Stage.DEV, **changes: Any) -> Any:
    wanted = N8nSettings.model_validate({**settings(stage.value), **changes})
    return deploy(lambda: N8n("n8n", wanted, stage=stage, outputs=OUTPUTS))


@pytest.mark.parametrize("stage", list(Stage))
def test_the_estates_workflows_fit_their_settings(stage: Stage) -> None:
    wanted = N8nSettings.model_validate(settings(stage.value))
    assert {"gong-call-analysis", "failed-payment-followup", "weekly-pipeline-digest"} <= wanted.workflows.keys()
    files = {str(path.relative_to(REPOSITORY)) for path in (REPOSITORY / "workflows").glob("*.json")}
    files -= {path for module in (competitors, incidents, nmhc) for _, path in module.FILES.values()}
    assert {workflow.file for workflow in wanted.workflows.values()} == files, "no file lies about unused"
    for workflow in wanted.workflows.values():
        assert list(workflow.content.of_other_stages(stage.value, {})) == []


def test_nodes_get_the_ids_of_credentials_and_the_values_of_the_stage(deploy: Deploy, credentials: None) -> None:
    deployment = run(deploy)
    ids = {one.name: f"id-of-{one.name}" for one in deployment.of("Credential")}
    gong = deployment.one("Workflow", "gong-call-analysis").inputs
    nodes = {node["name"]: node for node in gong["nodes"]}
    slack = nodes["Tell who looks after it"]
    assert slack["credentials"]["slackApi"]["id"] == ids["slack"]
    assert slack["parameters"]["channelId"]["value"] == "C2"
    assert "@@" not in json.dumps(gong)
    assert gong["settings"]["errorWorkflow"] == "id-of-error-report"
    assert "id-of-managed-by-pulumi" in gong["tag_ids"]
    assert deployment.one("Workflow", "error-report").inputs["published"] is True


def test_secrets_of_credentials_are_secret(deploy: Deploy, credentials: None) -> None:
    deployment = run(deploy)
    gong = deployment.one("Credential", "gong")
    assert gong.inputs["data"] == {"user": "the-GONG_ACCESS_KEY", "password": "the-GONG_ACCESS_KEY_SECRET"}
    assert any(path.startswith("data") for path in gong.secrets)
    portkey = deployment.one("Credential", "portkey").inputs["data"]
    assert portkey == {"name": "x-portkey-api-key", "value": "pk-agents"}


@pytest.mark.parametrize(
    ("nodes", "said"),
    [
        ([WEBHOOK, REQUEST, REQUEST], '2 nodes are called "Ask"'),
        ([WEBHOOK], '"Hook" goes to a node "Ask", which is not there'),
        ([REQUEST], 'there is no node "Hook" to go out from'),
        ([{**WEBHOOK, "webhookId": ""}, REQUEST], 'node "Hook": has no webhookId'),
        ([WEBHOOK, asking(url="https://user:hunter22@db.example.com")], 'node "Ask": has a secret in its parameters'),
        ([WEBHOOK, asking(body="use sk-live-0123456789abcdefghij")], 'node "Ask": has a secret'),
        (
            [WEBHOOK, asking(headers=[{"name": "X-Api-Key", "value": "hunter22"}])],
            'node "Ask": has a secret in its parameters',
        ),
        ([WEBHOOK, {**REQUEST, "credentials": {"httpHeaderAuth": {"id": "7"}}}], "must name, as `name`, an entry"),
    ],
)
def test_a_mistake_in_a_file_is_told_with_its_node(nodes: list[dict[str, Any]], said: str) -> None:
    (told,) = parse("x.json", document(*nodes)).mistakes()
    assert said in told
    assert "hunter22" not in told
    assert "sk-live" not in told


@pytest.mark.parametrize(
    "parameters",
    [
        {"headers": [{"name": "Authorization", "value": "={{ $json.token }}"}]},
        {"headers": [{"name": "X-Api-Key", "value": "@@key-name@@"}]},
        {"headers": [{"name": "Accept", "value": "application/json"}]},
        {"url": "https://api.example.com/tokens/list"},
    ],
)
def test_what_is_no_secret_passes(parameters: dict[str, Any]) -> None:
    assert list(parse("x.json", document(WEBHOOK, asking(**parameters))).mistakes()) == []


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ([], "is no workflow"),
        ({"nodes": {}, "connections": {}}, "nodes is missing"),
        (document({"name": "Ask"}), "nodes[0] has no type and no typeVersion and no position"),
        (document(pinData={"Hook": [{"json": {"resident": "…"}}]}), "recorded data that may be people's"),
    ],
)
def test_what_is_no_workflow_is_refused(found: Any, said: str) -> None:
    with pytest.raises(WorkflowFileError) as caught:
        parse("x.json", found)
    assert said in str(caught.value)


def test_a_workflow_that_only_people_start_cannot_be_published(monkeypatch: pytest.MonkeyPatch) -> None:
    by_hand = {**WEBHOOK, "type": "n8n-nodes-base.manualTrigger"}
    assert parse("x.json", document()).starts_by_itself
    assert not parse("x.json", document(by_hand, REQUEST)).starts_by_itself
    assert not parse("x.json", document({**WEBHOOK, "disabled": True}, REQUEST)).starts_by_itself
    monkeypatch.setattr("components.n8n.settings.read", lambda path: parse(path, document(by_hand, REQUEST)))
    with pytest.raises(ValidationError, match="has no trigger that n8n can wait on"):
        N8nSettings.model_validate({"workflows": {"a": {"name": "A", "file": "a.json", "published": True}}})


def test_an_address_of_another_stage_is_refused() -> None:
    file = parse("x.json", document(WEBHOOK, asking(url="https://@@host@@/v1")))
    values = {"host": "n8n.prod.payready.com"}
    (told,) = file.of_other_stages("dev", values)
    assert "n8n.prod.payready.com is of prod, and this is dev" in told
    assert list(file.of_other_stages("prod", values)) == []
    assert list(file.of_other_stages("dev", {"host": "products.example.com"})) == [], "a word is not a stage"


def changed(path: str, value: Any) -> dict[str, Any]:
    wanted = copy.deepcopy(settings("dev"))
    *parents, last = path.split(".")
    place = wanted
    for name in parents:
        place = place[name]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return wanted


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("credentials.gong", None, 'node "Calls of the last hour": no credential "gong" is declared'),
        ("credentials.slack.type", "slackOAuth2Api", "wants a slackApi, and credentials.slack is a slackOAuth2Api"),
        ("workflows.error-report.published", False, "it must be published, and have an Error Trigger"),
        ("workflows.gong-call-analysis.values.channel", None, "asks for @@channel@@"),
        ("workflows.error-report.values.other", "x", "has no @@other@@"),
        ("workflows.error-report.error_workflow", "error-report", "is the workflow itself"),
        ("workflows.gong-call-analysis.error_workflow", "weekly-pipeline-digest", "has an error workflow of its own"),
        ("workflows.error-report.file", "workflows/eror.json", "there is no such file beside the stack file"),
        ("workflows.error-report.file", "../secrets.json", "must be a path under the folder of the stack file"),
        ("workflows.gong-call-analysis.tags", ["slaes"], 'no tag "slaes" is declared (did you mean "sales"?)'),
        ("tags.sales.name", "managed-by-pulumi", "is on every workflow of the stack by itself"),
        ("credentials.portkey.data.value", "pk-123", "is given under `secrets` as well"),
    ],
)
def test_a_mistake_in_the_settings_is_told(path: str, value: Any, said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        N8nSettings.model_validate(changed(path, value))
    assert said in str(caught.value)


def test_a_webhook_has_one_workflow() -> None:
    wanted = settings("dev")
    wanted["workflows"]["again"] = {**wanted["workflows"]["failed-payment-followup"], "name": "Again"}
    with pytest.raises(ValidationError, match=r"webhook POST payments/failed is that of workflows\.failed-payment"):
        N8nSettings.model_validate(wanted)


def answered(probe: str, document: Any, *workflows: Resource) -> Any:
    (found,) = [one for one in HEALTH.probes if one.proves == probe]
    response = httpx.Response(200, json=document, request=httpx.Request("GET", "https://n8n.test"))
    return found.read(Answer(response, Subject(resources=workflows)))


def published(id_: str) -> Resource:
    return Resource("pulumi-python:dynamic/n8n:Workflow", f"key-{id_}", id_, None, {"published": True})


def test_health_tells_what_does_not_run(monkeypatch: pytest.MonkeyPatch) -> None:
    claims = base64.urlsafe_b64encode(json.dumps({"exp": 1_800_000_000}).encode()).decode().rstrip("=")
    monkeypatch.setenv("N8N_API_KEY", f"header.{claims}.signature")
    shown = [
        {"id": "1", "name": "Runs", "active": True, "activeVersionId": "v", "versionId": "v"},
        {"id": "2", "name": "Stopped", "active": False, "activeVersionId": None, "versionId": "v"},
        {"id": "3", "name": "Drafted", "active": True, "activeVersionId": "v", "versionId": "w"},
    ]
    reading = answered(
        "API key and workflows", {"data": shown, "nextCursor": None}, *(published(id_) for id_ in ("1", "2", "3", "4"))
    )
    assert [problem.verdict for problem in reading.problems] == ["failing", "degraded", "failing"]
    assert "Stopped does not run" in reading.problems[0].said
    assert "key-4 is not there any more" in reading.problems[2].said
    assert reading.known["N8N_API_KEY"].expires == "2027-01-15T08:00:00Z"


def test_health_tells_which_workflow_fails() -> None:
    runs = [{"id": str(n), "status": "error" if n < 3 else "success", "workflowId": "1"} for n in range(10)]
    runs += [{"id": str(n), "status": "success", "workflowId": "2"} for n in range(10, 90)]
    reading = answered("executions", {"data": runs}, published("1"), published("2"))
    (problem,) = reading.problems
    assert "3 of the last 10 executions of key-1 failed" in problem.said
