"""Competitive intelligence: settings that name what is there, pages that may be read, and what is made of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from components.competitors import FILES, CompetitorsSettings
from components.competitors.objects import VISIT_COLUMNS
from components.n8n.workflow_files import read
from components.settings import SettingsError, Stage
from health.base import Answer, Resource, Subject
from health.competitors import HEALTH
from policies import kinds, places
from policies.model import Resource as Judged
from tests.unit import competitors_estate as its
from tests.unit.stack_files import mistakes_in, platforms_of, put

Deploy = Callable[..., Any]


PRICING: dict[str, Any] = {"url": "https://www.eliseai.com/pricing", "kind": "pricing", "every": "weekly"}


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (
            "competitors.channel",
            "competitor",
            'no Slack channel "competitor" is declared (did you mean "competitors"?)',
        ),
        ("competitors.slack", "gong", "no slackApi credential of n8n"),
        ("competitors.error_workflow", "gong-call-analysis", "no published n8n workflow with an Error Trigger"),
        ("competitors.landing", "raw-competitor", 'no schema of Snowflake "raw-competitor" is declared'),
        ("competitors.warehouse", "transformin", 'no warehouse of Snowflake "transformin" is declared'),
        ("competitors.user", "dbt", "may read raw-gong as well"),
        ("snowflake.roles.competitors.write", ["competitors"], "may not write to raw-competitors"),
        ("n8n", None, "needs n8n, which visits the pages"),
        ("snowflake", None, "needs snowflake, which keeps what was read"),
        ("competitors.mentions.table", "GONG_CALLS", 'no table of Airbyte\'s stream extensiveCalls "GONG_CALLS"'),
        (
            "airbyte.connections.gong-to-raw.streams",
            [{"name": "calls", "sync_mode": "incremental_append"}],
            "no table of Airbyte's stream extensiveCalls is",
        ),
        ("competitors.mentions", None, "nobody counts them: give `mentions`"),
        (
            "competitors.watched.elise-ai.trackers",
            ["Elise AI"],
            'no tracker of Gong "Elise AI" is declared (did you mean',
        ),
        ("competitors.visits.weekly.cron", "*/5 * * * *", "at most once an hour"),
        ("competitors.visits.nightly", {"cron": "1 2 * * *", "overdue_hours": 60}, "no page is read then"),
        ("competitors.watched.elise-ai.pages.pricing.every", "daily", 'no visits "daily" are declared'),
        (
            "competitors.watched.elise-ai.pages.careers.links",
            None,
            "is missing: which links of a page of careers count?",
        ),
        ("competitors.watched.elise-ai.pages.more", PRICING, "is that of elise-ai.pricing: one visit is enough"),
        ("competitors.watched.elise-ai.pages.pricing.url", "http://eliseai.com/", "must be a public https address"),
        ("competitors.watched.elise-ai.pages.pricing.url", "https://10.0.0.1/", "must name a host"),
        ("competitors.watched.elise-ai.pages.pricing.url", "https://n8n.cluster.local/", "must be on the internet"),
        ("competitors.changes.ignore", ["(?:a|b)"], "which Snowflake's expressions have not"),
        ("competitors.changes.ignore", ["x*"], "matches nothing at all, and so everywhere"),
        ("competitors.changes.ignore", ["[0-9"], "is no regular expression"),
        ("competitors.changes.ignore", ["Customers"], "must be in lower case"),
        ("competitors.agent.contact", "somebody", "must be an e-mail address that somebody reads"),
    ],
)
def test_a_name_that_leads_nowhere_is_told_with_its_path(path: str, value: Any, said: str) -> None:
    platforms = platforms_of()
    platforms.pop("incidents")  # needs n8n too, and says so
    put(platforms, path, value)
    mistakes = [mistake for mistake in mistakes_in(platforms) if mistake.startswith("competitors")]
    assert any(said in mistake for mistake in mistakes), mistakes


@pytest.mark.parametrize("stage", list(Stage))
def test_every_stage_watches_the_two_first_and_its_workflows_fit(stage: Stage) -> None:
    assert {"elise-ai", "hunter-warfield"} <= its.settings(stage.value).watched.keys()
    for _, path in FILES.values():
        content = read(path)
        assert list(content.mistakes()) == []
        assert list(content.of_other_stages(stage.value, {})) == []


@pytest.fixture
def deployment(deploy: Deploy, monkeypatch: pytest.MonkeyPatch) -> Any:
    its.surroundings(monkeypatch)
    return its.deployed(deploy, its.settings())


def test_there_is_one_workflow_for_each_cadence_and_all_are_in_the_zone_of_their_settings(deployment: Any) -> None:
    workflows = {one.name: one.inputs for one in deployment.of("Workflow") if one.name != "error-report"}
    assert workflows.keys() == {"pages-weekly", "changes", "report"}
    for workflow in workflows.values():
        assert "@@" not in json.dumps(workflow)
        assert workflow["published"] is True
        assert workflow["settings"]["timezone"] == "America/New_York"
        assert workflow["settings"]["errorWorkflow"] == "id-of-error-report"
    nodes = {node["name"]: node for node in workflows["pages-weekly"]["nodes"]}
    (when,) = nodes["At its time"]["parameters"]["rule"]["interval"]
    assert when == {"field": "cronExpression", "expression": "45 5 * * 1"}
    landed = nodes["Land"]["parameters"]
    assert landed["table"] == '"SOPHIA_AI_DEV"."RAW_COMPETITORS"."PAGE_VISITS"'
    assert landed["columns"].split(",") == list(VISIT_COLUMNS)
    assert "SCHEDULE = 'weekly'" in nodes["Pages"]["parameters"]["query"]
    agent = "PayReadyPageWatch/1.0 (+mailto:competitive-intelligence@payready.com)"
    for name in ("Rules of the site", "Page"):
        assert agent in nodes[name]["parameters"]["jsonHeaders"], "a visitor says who it is, everywhere"


def test_n8n_logs_in_with_a_key_pair_that_is_secret_and_in_no_workflow(deployment: Any) -> None:
    credential = deployment.one("Credential", "snowflake")
    data = credential.inputs["data"]
    assert data["authentication"] == "keyPair"
    assert (data["account"], data["role"]) == ("payready-znb04675", "SOPHIA_AI_DEV_COMPETITORS")
    assert data["privateKey"] == "private-key-of-competitors"
    assert any(path.startswith("data") for path in credential.secrets)
    assert all("private-key-of" not in json.dumps(one.inputs) for one in deployment.of("Workflow"))


def test_tables_are_protected_in_prod_and_a_table_that_is_streamed_tracks_its_changes(
    deploy: Deploy, monkeypatch: pytest.MonkeyPatch
) -> None:
    its.surroundings(monkeypatch)
    prod = its.deployed(deploy, its.settings("prod"), Stage.PROD)
    tables = {one.name: one for one in prod.of("Table")}
    assert tables.keys() == {"visits", "changes", "reports", "mentions"}
    assert all(one.protect and one.retain_on_delete for one in tables.values())
    assert tables["visits"].inputs["changeTracking"] is True
    assert {one.name for one in prod.of("Workflow")} >= {"pages-daily", "pages-weekly"}


def test_without_gong_nothing_reads_its_calls(deploy: Deploy, monkeypatch: pytest.MonkeyPatch) -> None:
    its.surroundings(monkeypatch)
    watched = {"elise-ai": {"name": "EliseAI", "pages": {"pricing": PRICING}}}
    raw = {name: one for name, one in platforms_of()["competitors"].items() if name != "mentions"}
    found = its.deployed(deploy, CompetitorsSettings.model_validate({**raw, "watched": watched}))
    assert {one.name for one in found.of("Task")} == {"find-changes", "write-report"}
    assert "WHERE FALSE" in found.one("View", "trackers").inputs["statement"]


def test_tables_need_their_preview_feature(deploy: Deploy, monkeypatch: pytest.MonkeyPatch) -> None:
    its.surroundings(monkeypatch)
    monkeypatch.setenv("PULUMI_CONFIG", "{}")
    with pytest.raises(SettingsError, match=r"sophia-ai:competitors: .*snowflake_table_resource"):
        its.deployed(deploy, its.settings())


def test_a_policy_does_not_send_people_to_the_settings_of_snowflake() -> None:
    types = ["sophia:platform:Competitors", kinds.SNOWFLAKE_TABLE]
    ours = Judged(kinds.SNOWFLAKE_TABLE, f"urn:pulumi:prod::sophia-ai::{'$'.join(types)}::changes", {})
    assert places.setting(ours, "retention_days").startswith('property retention_days of Competitors table "changes"')
    theirs = Judged(kinds.SNOWFLAKE_TABLE, ours.urn.replace("Competitors", "Snowflake"), {})
    assert places.setting(theirs, "retention_days").endswith("sophia-ai:snowflake.tables.changes.retention_days")


WELL = {
    "PAGES": "5", "NEVER_VISITED": "0", "OVERDUE": "0", "FAILING": "0", "REFUSED": "0", "HOURS_SINCE_ANSWER": "3",
    "WHICH": None, "UNTOLD": "0", "UNCONFIRMED": "0", "REPORTS": "2", "REPORT_LATE": "false",
}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "days", "verdicts"),
    [
        ({}, 30, []),
        ({"NEVER_VISITED": "5", "REPORTS": "0", "HOURS_SINCE_ANSWER": None}, 1, []),
        ({"NEVER_VISITED": "5", "HOURS_SINCE_ANSWER": None}, 30, ["5 of 5 pages were never visited"]),
        ({"OVERDUE": "5", "WHICH": "a.b"}, 1, ["5 of 5 pages are overdue (a.b); the last page was read 3 hours ago"]),
        ({"FAILING": "1", "REFUSED": "2"}, 1, ["the last visit failed at 1 pages, and 2 refused"]),
        ({"UNTOLD": "2"}, 1, ["2 changes were found days ago, and Slack was not told"]),
        ({"UNCONFIRMED": "1"}, 1, ["of 1 changes nobody knows whether Slack was told"]),
        ({"REPORT_LATE": "true"}, 1, ["the report of the last week was not told"]),
        ({"REPORTS": "0"}, 30, ["the report of the last week was not told"]),
    ],
)
def test_health_tells_what_is_not_read_and_not_told(changes: dict[str, Any], days: int, verdicts: list[str]) -> None:
    made = (datetime.now(UTC) - timedelta(days=days)).isoformat()
    view = Resource("snowflake:index/view:View", "watch-health", "v", made, {"fullyQualifiedName": '"D"."C"."W"'})
    subject = Subject(resources=[view])
    (probe,) = [probe for probe in HEALTH.probes if probe.needed(subject)]
    row = list((WELL | changes).values())
    problems = probe.read(Answer(httpx.Response(200, json={"data": [row]}), subject)).problems
    assert len(problems) == len(verdicts)
    assert all(problem.said.startswith(said) for problem, said in zip(problems, verdicts, strict=True))


def test_health_asks_for_the_columns_that_the_view_has(deployment: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNOWFLAKE_ROLE", "ACCOUNTADMIN")
    view = Resource("snowflake:index/view:View", "watch-health", "v", None, {"fullyQualifiedName": '"D"."C"."W"'})
    task = deployment.one("Task", "find-changes")
    subject = Subject(resources=[view, Resource("snowflake:index/task:Task", task.name, "t", None, task.inputs)])
    (probe,) = [probe for probe in HEALTH.probes if probe.needed(subject)]
    assert probe.body
    asked = probe.body(subject)
    columns = [column["columnName"] for column in deployment.one("View", "watch-health").inputs["columns"]]
    assert asked["statement"] == f'SELECT {", ".join(columns)} FROM "D"."C"."W"'
    assert asked["warehouse"] == "SOPHIA_AI_DEV_TRANSFORMING_WH", "without one an account refuses to answer"
