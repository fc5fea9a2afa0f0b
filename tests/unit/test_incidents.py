"""The incident path: nothing is told twice or to nobody, and no name in the settings leads nowhere."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from components.incidents import FILES, Incidents, IncidentsSettings
from components.incidents.references import WEBHOOKS
from components.linear import Linear, LinearSettings
from components.monitoring import alertmanager
from components.monitoring.rules import SEVERITIES
from components.monitoring.settings import TeamSettings
from components.n8n import N8n, N8nSettings
from components.n8n.workflow_files import read
from components.settings import CredentialsError, Stage
from components.slack import Slack, SlackSettings
from health.base import Answer, Resource, Subject
from health.incidents import HEALTH
from sophia import reminders
from sophia.cloud import StackRecord
from sophia.credentials import Credentials, Record
from sophia.errors import SettingsError
from tests.monitoring_estate import program
from tests.unit.stack_files import mistakes_in, platforms_of, put

Deploy = Callable[..., Any]
STAGES = ("dev", "staging", "prod")


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("incidents.slack", "slak", 'no slackApi credential of n8n "slak" is declared (did you mean "slack"?)'),
        ("incidents.slack", "gong", "no slackApi credential of n8n"),
        ("incidents.error_workflow", "gong-call-analysis", "no published n8n workflow with an Error Trigger"),
        ("incidents.linear_key", None, "is missing: alerts.issues are made by n8n"),
        ("incidents.alerts.issues.template", "incidnt", 'no Linear template "incidnt" is declared (did you mean'),
        ("incidents.alerts.issues.done", "finished", 'no state of team platform "finished" is declared'),
        ("incidents.alerts.issues.done", "todo", "is a state of type unstarted: an issue in it would stay open"),
        ("incidents.alerts.issues.priorities", {"ticket": 4}, "is none of `severities`"),
        (
            "linear.templates.incident",
            {"name": "Incident", "issue": {"priority": 1}},
            "must be one for issues of a team",
        ),
        ("monitoring", None, "needs monitoring, whose Alertmanager tells of alerts"),
        ("kubernetes.n8n", None, "needs kubernetes.n8n: Alertmanager calls it inside the cluster"),
        ("n8n", None, "needs n8n, which carries alerts and deployments on"),
        ("incidents.deployments.channel", "deploys", 'no Slack channel "deploys" is declared'),
        ("incidents.deployments.github", "lab.event", 'no webhook of github "lab.event" is declared (did you mean'),
        ("incidents.deployments.vercel", "other", 'no webhook of vercel "other" is declared'),
        ("incidents.deployments.announced", ["portal"], 'no GitHub repository "portal" is declared'),
        ("vercel.webhooks.events.url", "https://agents-dev.payready.com/webhook/web", "and the workflow waits at"),
        ("incidents.deployments", {"channel": "deployments"}, "must name a webhook: `github`, `vercel`, or both"),
        ("incidents.reminders.done", "in-review", "is a state of type started"),
        (
            "incidents.reminders",
            {"to": "asana", "project": "credentials", "due": "due", "renewed": "over"},
            'no section of that project "over" is declared',
        ),
        (
            "incidents.reminders",
            {"to": "asana", "project": "credentials", "due": "due", "renewed": "renewed", "field": "amount"},
            'no field of that project "amount" is declared',
        ),
    ],
)
def test_a_name_that_leads_nowhere_is_told_with_its_path(path: str, value: Any, said: str) -> None:
    platforms = platforms_of()
    for other in ("competitors", "nmhc"):  # they join some of the same, and would tell of them too
        del platforms[other]
    put(platforms, path, value)
    mistakes = mistakes_in(platforms)
    assert any(said in mistake for mistake in mistakes), mistakes
    assert all(mistake.startswith("incidents") for mistake in mistakes)


@pytest.mark.parametrize("stage", STAGES)
def test_the_workflows_fit_every_stage_and_their_webhooks_are_those_that_are_checked(stage: str) -> None:
    waiting = set()
    for _, path in FILES.values():
        content = read(path)
        assert list(content.mistakes()) == []
        assert list(content.of_other_stages(stage, {})) == []
        waiting |= {webhook for _, webhook in content.webhooks}
    assert waiting == set(WEBHOOKS.values())
    assert alertmanager.INCIDENTS_ADDRESS.endswith(f"/webhook/{WEBHOOKS['alerts']}")


TEAMS = {
    "platform": TeamSettings(critical="alerts", warning="alerts", ticket="deployments"),
    "agents": TeamSettings(critical="agents", warning="agents", ticket="agents"),
}
CHANNELS = {key: {"name": f"sophia-{key}"} for key in ("alerts", "deployments", "agents")}
LINEAR = {
    "teams": {
        "platform": {
            "key": "SOP",
            "name": "Sophia",
            "states": {"done": {"name": "Done", "type": "completed", "color": "#5e6ad2"}},
        }
    },
    "templates": {"incident": {"name": "Incident", "team": "platform", "issue": {"priority": 1}}},
}
N8N = {
    "credentials": {
        "slack": {"name": "Slack", "type": "slackApi", "secrets": {"accessToken": {"environment": "SLACK_BOT_TOKEN"}}}
    },
    "workflows": {},
}
ALERTS = {
    "linear_key": {"environment": "LINEAR_API_KEY"},
    "alerts": {
        "severities": ["critical", "warning"],
        "issues": {"template": "incident", "done": "done", "priorities": {"critical": 1}},
    },
}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SLACK_BOT_TOKEN", "LINEAR_API_KEY"):
        monkeypatch.setenv(name, f"the-{name}")
    monkeypatch.setenv("SLACK_API_URL", "https://slack.test/api")
    monkeypatch.setenv("LINEAR_API_URL", "https://linear.test/graphql")
    monkeypatch.setenv("VERCEL_TEAM", "team_sandbox")


def deployed(deploy: Deploy, settings: Mapping[str, Any]) -> Any:
    def run() -> Incidents:
        linear = LinearSettings.model_validate(LINEAR)
        return Incidents(
            "incidents",
            IncidentsSettings.model_validate(settings),
            stage=Stage.DEV,
            teams=TEAMS,
            templates=linear,
            slack=Slack("slack", SlackSettings.model_validate({"channels": CHANNELS})),
            linear=Linear("linear", linear, stage=Stage.DEV),
            n8n=N8n("n8n", N8nSettings.model_validate(N8N), stage=Stage.DEV, outputs={}),
            outputs={},
        )

    # What Alertmanager shows is compared below, and a mint makes none in a test.
    return deploy(run, computed={"pulumi-python:dynamic/passwords:Password": lambda *_: {"password": "minted"}})


def test_an_alert_is_carried_to_the_objects_that_the_platforms_made(deploy: Deploy, environment: None) -> None:
    deployment = deployed(deploy, ALERTS)
    workflow = deployment.one("Workflow", "incident").inputs
    code = next(node for node in workflow["nodes"] if node["name"] == "Alerts")["parameters"]["jsCode"]
    routes = json.loads(code.partition("const routes = ")[2].partition(";\n")[0])
    assert routes == {
        "platform-critical": {"channel": "id-of-alerts", "severity": "critical", "priority": 1},
        "platform-warning": {"channel": "id-of-alerts", "severity": "warning", "priority": None},
        "agents-critical": {"channel": "id-of-agents", "severity": "critical", "priority": 1},
        "agents-warning": {"channel": "id-of-agents", "severity": "warning", "priority": None},
    }
    issue = json.loads(code.partition("const issue = ")[2].partition(";\n")[0])
    assert issue == {"team": "id-of-platform", "template": "id-of-incident", "done": "id-of-platform.states.done"}
    text = json.dumps(workflow)
    assert "@@" not in text
    assert "https://slack.test/api/chat.postMessage" in text
    assert workflow["published"] is True
    used = {c["id"] for node in workflow["nodes"] for c in node.get("credentials", {}).values()}
    assert used == {"id-of-slack", "id-of-linear", "id-of-alertmanager"}


def test_what_shows_who_asks_is_a_secret_of_a_credential_and_in_no_workflow(deploy: Deploy, environment: None) -> None:
    deployment = deployed(deploy, ALERTS)
    alertmanager_ = deployment.one("Credential", "alertmanager")
    assert alertmanager_.inputs["data"] == {"name": "Authorization", "value": "Bearer minted"}
    linear = deployment.one("Credential", "linear")
    assert any(path.startswith("data") for path in linear.secrets)
    for workflow in deployment.of("Workflow"):
        assert "the-LINEAR_API_KEY" not in json.dumps(workflow.inputs)
        assert "minted" not in json.dumps(workflow.inputs)


def test_an_address_that_nobody_sets_is_told(
    deploy: Deploy, environment: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SLACK_API_URL")
    with pytest.raises(CredentialsError, match="SLACK_API_URL is not set"):
        deployed(deploy, ALERTS)


def test_every_alert_has_one_who_tells_it_and_the_path_does_not_tell_of_itself() -> None:
    channels = {team: dict.fromkeys(SEVERITIES, f"C-{team}") for team in TEAMS}
    carried = frozenset({"critical"})
    document = alertmanager.configuration(channels, "platform", "dev", carried=carried)  # type: ignore[arg-type]  # literals
    receivers = {one["name"]: one for one in document["receivers"]}
    assert len(receivers) == len(document["receivers"])
    for team in TEAMS:
        (route,) = [one for one in document["route"]["routes"] if one["matchers"] == [f'team="{team}"']]
        by_severity = {one["matchers"][0]: one for one in route["routes"]}
        critical, warning = by_severity['severity="critical"'], by_severity['severity="warning"']
        assert receivers[critical["receiver"]].keys() == {"name", "webhook_configs"}
        assert receivers[warning["receiver"]].keys() == {"name", "slack_configs"}
        assert "routes" not in warning
        direct = {receiver for one in critical["routes"] for receiver in [one["receiver"]]}
        assert [receivers[name].keys() for name in direct] == [{"name", "slack_configs"}]
        matchers = " ".join(matcher for one in critical["routes"] for matcher in one["matchers"])
        assert "n8n(-.+)?" in matchers
        assert "AlertsNotSent" in matchers
    (webhook,) = receivers["platform-critical"]["webhook_configs"]
    assert webhook["http_config"]["authorization"]["credentials_file"] == alertmanager.INCIDENTS_FILE


def test_alertmanager_gets_the_token_and_a_way_to_n8n_only_with_the_path(deploy: Deploy) -> None:
    without, with_it = deploy(program()), deploy(program(carried=["critical"]))
    secret = with_it.one("Secret", "alertmanager-incidents")
    assert secret.inputs["stringData"] == {"token": "shown-to-n8n"}
    assert secret.secrets
    pod = with_it.one("StatefulSet", "alertmanager").inputs["spec"]["template"]["spec"]
    mounted = {one["mountPath"] for one in pod["containers"][0]["volumeMounts"]}
    assert str(Path(alertmanager.INCIDENTS_FILE).parent) in mounted

    def let_in(deployment: Any) -> bool:
        policies = [one.inputs["spec"] for one in deployment.of("NetworkPolicy")]
        webhooks = {"matchLabels": {"app.kubernetes.io/name": "n8n-webhook"}}
        return any(one["podSelector"] == webhooks and "Ingress" in one["policyTypes"] for one in policies)

    assert let_in(with_it)
    assert not let_in(without)
    assert "alertmanager-incidents" not in {one.name for one in without.of("Secret")}


def record(name: str, due: datetime | None) -> Record:
    return Record(
        name, "linear", "Linear", "person", "Linear's pages", None, False, "", None, due, True, "", "by hand", False
    )


NOW = datetime(2027, 1, 10, tzinfo=UTC)


class Cloud:
    """Pulumi Cloud's tags, and the module that makes reminders."""

    def __init__(self, failing: str = "") -> None:
        self.tags: dict[str, str] = {}
        self.requests: list[dict[str, Any]] = []
        self.failing = failing

    def run(self, _module: str, _arguments: Any, given: str) -> dict[str, Any]:
        request: dict[str, Any] = json.loads(given)
        self.requests.append(request)
        handles = [one["handle"] for one in request["due"] if one["name"] != self.failing]
        failed = [{"handle": one["handle"], "said": "500 no"} for one in request["due"] if one["name"] == self.failing]
        return {"made": handles, "there": [], "closed": request["renewed"], "failed": failed}


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Cloud:
    made = Cloud()
    monkeypatch.setattr("sophia.reminders.cloud.read", lambda _stack: StackRecord(dict(made.tags)))
    monkeypatch.setattr("sophia.reminders.cloud.set_tag", lambda _stack, name, text: made.tags.update({name: text}))
    monkeypatch.setattr("sophia.reminders.Inside", lambda *_: made)
    return made


class AStack:
    """As much of a stack as reminders look at."""

    name = "dev"
    settings_file = Path("Pulumi.dev.yaml")

    class project:  # noqa: N801 - stands in for an attribute
        name = "sophia-ai"

    class target:  # noqa: N801 - as above
        kind = "cloud"

    def __init__(self, outputs: dict[str, Any]) -> None:
        self._outputs = outputs

    def outputs(self) -> dict[str, Any]:
        return self._outputs


STACK: Any = AStack({"incidents": {"reminders": {"to": "linear", "team": "t", "template": "p", "done": "d"}}})


def run(records: list[Record], remarks: tuple[str, ...] = ()) -> reminders.Reminders:
    found = Credentials("dev", tuple(records), NOW, remarks)
    return reminders.remind(STACK, found, engine=object())  # type: ignore[arg-type]  # nothing runs here


def test_what_is_not_known_closes_no_reminder(cloud: Cloud) -> None:
    due = record("LINEAR_API_KEY", NOW - timedelta(days=1))
    run([due])
    assert "LINEAR_API_KEY (Linear) of sophia-ai/dev is due on 2027-01-09." in cloud.requests[0]["due"][0]["text"]
    for unknown in ([replace(due, due=None)], [replace(due, due=NOW - timedelta(days=1))]):
        run(unknown)
        assert cloud.requests[-1]["renewed"] == []
    run([], remarks=("the history cannot be read",))
    assert cloud.requests[-1]["renewed"] == []
    run([replace(due, due=NOW + timedelta(days=89))])
    assert cloud.requests[-1]["renewed"] == [cloud.requests[0]["due"][0]["handle"]]
    assert set(cloud.tags.values()) == {"none"}


def test_a_credential_that_is_used_no_more_needs_no_reminder(cloud: Cloud) -> None:
    run([record("OLD_KEY", NOW)])
    run([])
    assert len(cloud.requests[-1]["renewed"]) == 1


def test_more_open_reminders_than_one_tag_holds_are_all_remembered(cloud: Cloud) -> None:
    records = [record(f"KEY_{number}", NOW) for number in range(40)]
    run(records)
    assert len(cloud.tags) > 1
    assert max(map(len, cloud.tags.values())) <= 256
    later = [replace(one, due=NOW + timedelta(days=90)) for one in records]
    assert run(later).closed == 40
    assert set(cloud.tags.values()) == {"none"}


def test_one_that_is_not_taken_is_told_and_not_remembered_and_the_others_are(cloud: Cloud) -> None:
    cloud.failing = "B"
    done = run([record("A", NOW), record("B", NOW)])
    assert done.made == ("A",)
    assert [problem.said for problem in done.failed] == ["500 no"]
    assert len(" ".join(cloud.tags.values()).split()) == 1


def test_a_stack_without_a_place_says_what_to_set(cloud: Cloud) -> None:
    with pytest.raises(SettingsError, match=r"sophia-ai:incidents\.reminders"):
        reminders.remind(AStack({}), Credentials("dev", (), NOW, ()))  # type: ignore[arg-type]  # as above


def test_the_last_execution_of_the_path_must_not_have_failed() -> None:
    workflow = Resource("pulumi-python:dynamic/n8n:Workflow", "incident", "w1", None, {})
    (probe,) = [probe for probe in HEALTH.probes if probe.credentials]

    def problems(*statuses: str) -> list[str]:
        data = [{"id": n, "workflowId": "w1", "status": status} for n, status in enumerate(statuses)]
        response = httpx.Response(200, json={"data": data})
        return [one.said for one in probe.read(Answer(response, Subject(resources=[workflow]))).problems]

    assert problems("error", "success") == ["the last execution of incident failed: alerts do not arrive"]
    assert problems("running", "success", "error") == []
    assert problems() == []
