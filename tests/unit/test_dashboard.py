"""The executive dashboard: settings that fit, views that whoever may see them sees, a page that changes in one step."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from pydantic import ValidationError

from components import dashboard
from components.dashboard import Dashboard, DashboardSettings
from components.estate import Estate
from components.explain import explain, render
from components.settings import Stage
from components.snowflake import Snowflake
from components.snowflake.settings import SnowflakeSettings
from health.base import Answer, Resource, Subject
from health.dashboard import HEALTH
from policies import figures, kinds
from policies.model import Resource as Judged
from policies.model import Situation, Violation
from policies.strictness import limits_of
from tests.unit.test_snowflake_sql import COMPUTED, HANDED_OVER

REPOSITORY = Path(__file__).parents[2]
STAGES = ("dev", "staging", "prod")
DATABASES = {"dev": "SOPHIA_AI_DEV", "staging": "SOPHIA_AI_STAGING", "prod": "SOPHIA_AI"}
Deploy = Callable[..., Any]


def config(stage: str) -> dict[str, Any]:
    document = yaml.safe_load((REPOSITORY / f"Pulumi.{stage}.yaml").read_text())["config"]
    return {key.removeprefix("sophia-ai:"): its for key, its in document.items()}


@pytest.fixture
def deployed(deploy: Deploy, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """The warehouse of a stage with its dashboard, or with another one."""

    def run(stage: str = "dev", changes: dict[str, Any] | None = None) -> Any:
        its = config(stage)
        features = json.dumps(its["snowflake:previewFeaturesEnabled"])
        monkeypatch.setenv("PULUMI_CONFIG", json.dumps({"snowflake:previewFeaturesEnabled": features}))
        monkeypatch.setenv("SNOWFLAKE_ORGANIZATION_NAME", "PAYREADY")
        monkeypatch.setenv("SNOWFLAKE_ACCOUNT_NAME", "ZNB04675")
        warehouse = SnowflakeSettings.model_validate(its["snowflake"])
        settings = DashboardSettings.model_validate({**its["dashboard"], **(changes or {})})

        def program() -> Dashboard:
            keys = dict.fromkeys(warehouse.users, "MIIBIjANBgkq")
            made = Snowflake("snowflake", warehouse, stage=Stage(stage), public_keys=keys, outputs=HANDED_OVER)
            return Dashboard("dashboard", settings, snowflake=made)

        streamlit = {"snowflake:index/streamlit:Streamlit": COMPUTED["snowflake:index/view:View"]}
        return deploy(program, stack=stage, computed={**COMPUTED, **streamlit})

    return run


def own(deployment: Any, kind: str) -> dict[str, Any]:
    """The dashboard's own resources of a type, by what they are called under it."""
    found = {one.name: one for one in deployment.of(kind)}
    return {name.removeprefix("dashboard."): one for name, one in found.items() if name.startswith("dashboard.")}


@pytest.mark.parametrize("stage", STAGES)
def test_views_are_secure_in_the_schema_that_the_role_reads_and_say_what_they_mean(
    deployed: Callable[..., Any], stage: str
) -> None:
    views = own(deployment := deployed(stage), "View")
    assert set(views) == {
        "revenue", "monthly-revenue", "operator-revenue", "market-share", "acquisition-cost", "figures", "freshness",
    }  # fmt: skip
    for view in views.values():
        assert view.inputs["isSecure"] == "true"
        assert (view.inputs["database"], view.inputs["schema"]) == (DATABASES[stage], "EXECUTIVE")
        assert view.inputs["comment"].endswith(".")
        assert "{" not in view.inputs["statement"]
    assert f'"{DATABASES[stage]}"."CORE"."PAYMENTS"' in views["revenue"].inputs["statement"]
    assert f'"{DATABASES[stage]}"."EXECUTIVE"."REVENUE"' in views["monthly-revenue"].inputs["statement"]
    granted = {
        one.urn for one in deployment.of("GrantPrivilegesToAccountRole") if one.name.startswith("executive.read.")
    }
    assert granted <= views["revenue"].depends_on, "a future grant reaches what is made after it"


def test_the_page_is_turned_to_its_new_files_in_one_step(
    deployed: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    first = deployed()
    page, files = own(first, "Streamlit")["page"], own(first, "Execute")
    folder = page.inputs["directoryLocation"]
    assert set(files) == set(dashboard.FILES)
    for name, file in files.items():
        path = f'@"SOPHIA_AI_DEV"."EXECUTIVE"."DASHBOARD_FILES"/{folder}/{name}'
        assert file.inputs["execute"].startswith(f"COPY INTO {path} FROM ")
        assert file.inputs["revert"] == f"REMOVE {path}"
        assert not file.delete_before_replace, "the old file stays until the page is turned away from it"
        assert "files" in file.provider, "an unload needs the connection that has a warehouse"
        assert file.urn in page.depends_on
    assert page.inputs["mainFile"] in files
    assert page.inputs["queryWarehouse"] == "SOPHIA_AI_DEV_WH"
    writer = own(first, "pulumi:providers:snowflake")["files"]
    assert writer.inputs["warehouse"] == "SOPHIA_AI_DEV_WH"

    assert own(deployed(), "Streamlit")["page"].inputs["directoryLocation"] == folder
    for name in dashboard.FILES:
        (tmp_path / name).write_text((dashboard.PAGE / name).read_text() + "# changed\n")
    monkeypatch.setattr(dashboard, "PAGE", tmp_path)
    assert own(deployed(), "Streamlit")["page"].inputs["directoryLocation"] != folder


def test_the_roles_of_the_settings_may_open_the_page_and_nobody_else(deployed: Callable[..., Any]) -> None:
    (grant,) = own(deployed("prod"), "GrantPrivilegesToAccountRole").values()
    assert grant.inputs["accountRoleName"] == '"SOPHIA_AI_EXECUTIVE"'
    assert grant.inputs["privileges"] == ["USAGE"]
    assert grant.inputs["onSchemaObject"] == {
        "objectType": "STREAMLIT",
        "objectName": '"SOPHIA_AI"."EXECUTIVE"."EXECUTIVE_DASHBOARD"',
    }


def test_a_figure_that_is_not_asked_for_is_not_made(deployed: Callable[..., Any]) -> None:
    share = config("dev")["dashboard"]["figures"]["market_share"]
    deployment = deployed("dev", {"figures": {"market_share": share}})
    assert set(own(deployment, "View")) == {"market-share", "figures", "freshness"}
    assert not own(deployment, "Task"), "without acquisition cost nobody needs HubSpot's deals"
    statement = own(deployment, "View")["figures"].inputs["statement"]
    assert "recurring_revenue" not in statement


def test_hubspots_deals_are_carried_on_a_schedule(deployed: Callable[..., Any]) -> None:
    task = own(deployed("prod"), "Task")["won-deals"].inputs
    assert task["started"] is True
    assert task["schedule"] == {"usingCron": "30 */6 * * * UTC"}
    assert task["warehouse"] == "SOPHIA_AI_TRANSFORMING_WH"
    assert 'MERGE INTO "SOPHIA_AI"."CORE"."WON_DEALS"' in task["sqlStatement"]
    assert 'FROM "SOPHIA_AI"."RAW_HUBSPOT"."HUBSPOT_DEALS"' in task["sqlStatement"]


@pytest.mark.parametrize("stage", STAGES)
def test_the_stack_files_fit(stage: str) -> None:
    its = {key: value for key, value in config(stage).items() if ":" not in key}
    Estate.of(its).model_validate(its)


FIGURES = "dashboard.figures"


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("snowflake", None, "dashboard: needs snowflake"),
        ("dashboard.schema", "executiv", 'no schema of Snowflake "executiv" is declared (did you mean "executive"?)'),
        ("dashboard.warehouse", "big", 'no warehouse of Snowflake "big" is declared'),
        ("dashboard.roles", ["boss"], 'dashboard.roles[0]: no role of Snowflake "boss" is declared'),
        ("dashboard.roles", ["reader"], "may not read the schema: add executive to snowflake.roles.reader.read"),
        (f"{FIGURES}.recurring_revenue.fees", "fees", 'no table of Snowflake "fees" is declared'),
        (f"{FIGURES}.recurring_revenue.fees", "payments", "has no FEE_EACH, FEE_RATE, SERVICE, VALID_FROM, VALID_TO"),
        (f"{FIGURES}.market_share.market", {"table": "payments"}, "has no AS_OF, UNITS: snowflake.tables.payments"),
        (f"{FIGURES}.market_share.market", {}, "must give either `table`, or `units` with `as_of` and `source`"),
        (f"{FIGURES}.market_share.market", {"units": 5, "as_of": "2026-01-01"}, "goes with `as_of` and `source`"),
        (f"{FIGURES}.market_share.market.as_of", "2025-01-01 00:00:00 +0000 UTC", "in quotation marks"),
        (f"{FIGURES}.market_share.targets", {"2026-01": 40}, "must be at most 1, got 40"),
        (f"{FIGURES}.market_share.targets", {"January": 0.4}, "must be a month such as 2026-01"),
        (f"{FIGURES}.acquisition_cost.hubspot.table", "DEALS", "there are: HUBSPOT_DEALS"),
        (f"{FIGURES}.acquisition_cost.hubspot.schema", "raw-gong", "none loads the stream deals there"),
        (f"{FIGURES}.acquisition_cost.hubspot.warehouse", "big", "no warehouse of Snowflake"),
        (FIGURES, {}, "must name a figure"),
        ("dashboard.currency", "dollars", "must be a currency's three letters"),
    ],
)
def test_a_name_that_leads_nowhere_is_told_with_its_path(path: str, value: Any, said: str) -> None:
    platforms = copy.deepcopy({key: its for key, its in config("dev").items() if ":" not in key})
    *parents, last = path.split(".")
    place = platforms
    for name in parents:
        place = place[name]
    if value is None:
        del place[last]
    else:
        place[last] = value
    estate = Estate.of(platforms)
    with pytest.raises(ValidationError) as caught:
        estate.model_validate(platforms)
    mistakes = [f"{render(at)}: {message}" for at, message in explain(caught.value, platforms, estate, set())]
    assert any(said in mistake for mistake in mistakes), mistakes
    assert any(mistake.startswith("dashboard") for mistake in mistakes)


VIEW = Resource(
    "snowflake:index/view:View",
    "dashboard.freshness",
    "v",
    None,
    {"fullyQualifiedName": '"DB"."EXECUTIVE"."FRESHNESS"'},
)
PAGE = Resource("snowflake:index/streamlit:Streamlit", "dashboard.page", "p", None, {"queryWarehouse": "WH"})


def test_health_asks_the_view_with_the_pages_warehouse(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNOWFLAKE_ROLE", "ACCOUNTADMIN")
    subject = Subject(resources=[VIEW, PAGE])
    (probe,) = [probe for probe in HEALTH.probes if probe.needed(subject)]
    assert probe.body
    asked = probe.body(subject)
    assert asked["warehouse"] == "WH"
    assert asked["statement"].endswith('FROM "DB"."EXECUTIVE"."FRESHNESS"')

    def problems(*rows: list[str | None]) -> list[tuple[str, str]]:
        answer = Answer(httpx.Response(200, json={"data": rows}), subject)
        return [(one.said, one.verdict) for one in probe.read(answer).problems]

    assert problems(["payments", "12", "1", "3", "true"]) == []
    assert problems() == []
    assert problems(["spend", "6", "60", "45", "false"], ["deals", "0", None, "45", "false"]) == [
        ("deals has no rows yet: its figures are empty", "degraded"),
        ("the newest of spend is 60 days old, 45 are allowed", "degraded"),
    ]
    (before,) = [probe for probe in HEALTH.probes if probe.needed(Subject())]
    assert before is not probe


def judged(kind: str, name: str, **inputs: Any) -> Judged:
    return Judged(kind, f"urn:pulumi:prod::sophia-ai::sophia:platform:Snowflake${kind}::{name}", inputs)


def test_a_role_that_may_not_open_the_page_may_not_read_its_schema() -> None:
    (policy,) = figures.ESTATE_POLICIES
    page = judged(kinds.SNOWFLAKE_STREAMLIT, "dashboard.page", database="SOPHIA_AI", schema="EXECUTIVE")
    on_page = {"objectType": "STREAMLIT", "objectName": "x"}
    opens = judged(kinds.SNOWFLAKE_GRANT, "page", accountRoleName='"SOPHIA_AI_EXECUTIVE"', onSchemaObject=on_page)

    def reading(role: str, access: str = "READ") -> Judged:
        names = {"roleName": f'"SOPHIA_AI_EXECUTIVE_{access}"', "parentRoleName": f'"{role}"'}
        return judged(kinds.SNOWFLAKE_ROLE_GRANT, "reader.reads.executive", **names)

    def found(*resources: Judged) -> list[Violation]:
        situation = Situation("prod", limits_of("prod"), None)  # type: ignore[arg-type]  # no date is looked at
        return list(policy.check(resources, situation))

    assert not found(page, opens, reading("SOPHIA_AI_EXECUTIVE"), reading("SOPHIA_AI_EXECUTIVE_WRITE"))
    (violation,) = found(page, opens, reading("SOPHIA_AI_READER"))
    assert "SOPHIA_AI_READER" in violation.what
    assert violation.setting == "Pulumi.prod.yaml: sophia-ai:snowflake.roles.reader"
    assert found(page, opens, reading("SOPHIA_AI_TRANSFORMER", "WRITE"))
    assert not found(opens, reading("SOPHIA_AI_READER")), "no page, no revenue"
