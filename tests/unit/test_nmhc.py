"""NMHC Top 50: the score is what the settings say, and no name in them leads nowhere."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import fakesnow
import pulumi
import pytest
import sqlglot
import yaml
from snowflake.connector.cursor import SnowflakeCursor
from sqlglot import exp

from components.airbyte.settings import AirbyteSettings
from components.n8n import N8n, N8nSettings
from components.nmhc import COLUMNS, NMHC, NmhcSettings
from components.nmhc.references import FIELDS, landed_tables
from components.settings import SettingsError, Stage
from components.snowflake import Snowflake
from components.snowflake.settings import SnowflakeSettings
from components.warehouse import Warehouse
from policies.catalogue import POLICIES
from policies.model import Resource as PolicyResource
from policies.model import Situation
from policies.strictness import limits_of
from tests.unit import nmhc_examples as examples
from tests.unit.stack_files import platforms_of
from tests.unit.test_snowflake_sql import COMPUTED, HANDED_OVER

Deploy = Callable[..., Any]
REPOSITORY = Path(__file__).parents[2]
STAGES = tuple(Stage)
DATABASES = {Stage.DEV: "SOPHIA_AI_DEV", Stage.STAGING: "SOPHIA_AI_STAGING", Stage.PROD: "SOPHIA_AI"}

pytestmark = pytest.mark.filterwarnings("ignore:Arrow output on a DB-API result:UserWarning")  # fakesnow asks for it


@pytest.fixture
def estate(deploy: Deploy, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """The Snowflake and the NMHC of a stack file, under the recording engine; ``nmhc``: with these settings instead."""

    def run(stage: Stage = Stage.DEV, nmhc: Mapping[str, Any] | None = None, features: list[str] | None = None) -> Any:
        document = yaml.safe_load((REPOSITORY / f"Pulumi.{stage}.yaml").read_text())["config"]
        enabled = document["snowflake:previewFeaturesEnabled"] if features is None else features
        monkeypatch.setenv("PULUMI_CONFIG", json.dumps({"snowflake:previewFeaturesEnabled": json.dumps(enabled)}))
        monkeypatch.setenv("SNOWFLAKE_ORGANIZATION_NAME", "PAYREADY")
        monkeypatch.setenv("SNOWFLAKE_ACCOUNT_NAME", "ZNB04675")
        monkeypatch.setenv("HUBSPOT_ACCESS_TOKEN", "the-HUBSPOT_ACCESS_TOKEN")
        snowflake_settings = SnowflakeSettings.model_validate(document["sophia-ai:snowflake"])
        airbyte = AirbyteSettings.model_validate(document["sophia-ai:airbyte"])
        settings = NmhcSettings.model_validate(nmhc or document["sophia-ai:nmhc"])
        token = {"appToken": {"environment": "HUBSPOT_ACCESS_TOKEN"}}
        hubspot = {"name": "HubSpot", "type": "hubspotAppToken", "secrets": token}
        reporting = document["sophia-ai:n8n"]["workflows"]["error-report"]
        slack = document["sophia-ai:n8n"]["credentials"]["slack"]
        own = {
            "credentials": {"hubspot": hubspot, "slack": slack},
            "workflows": {"error-report": {**reporting, "tags": []}},
        }
        monkeypatch.setenv("SLACK_BOT_TOKEN", "the-SLACK_BOT_TOKEN")

        def program() -> NMHC:
            keys = dict.fromkeys(snowflake_settings.users, "MIIBIjANBgkq")
            snowflake = Snowflake("snowflake", snowflake_settings, stage=stage, public_keys=keys, outputs=HANDED_OVER)
            private = {user: pulumi.Output.secret(f"private key of {user}") for user in snowflake_settings.users}
            channel = {"slack.channels.alerts": "C1"}
            return NMHC(
                "nmhc",
                settings,
                stage=stage,
                snowflake=snowflake,
                warehouse=Warehouse(snowflake.logins, private, snowflake.schemas),
                connections=airbyte.connections,
                n8n=N8n("n8n", N8nSettings.model_validate(own), stage=stage, outputs=channel),
            )

        return deploy(program, stack=stage.value, computed=COMPUTED)

    return run


def statements(deployment: Any) -> dict[str, str]:
    """Our SQL by the object's name."""
    found = {
        one.inputs["name"]: one.inputs["statement"] for one in deployment.of("View") if one.name.startswith("nmhc-")
    }
    return found | {"NMHC_OPPORTUNITIES": deployment.one("DynamicTable", "nmhc-opportunities").inputs["query"]}


@pytest.mark.parametrize("stage", STAGES)
def test_all_sql_of_a_stack_is_snowflakes_and_of_that_stack(estate: Callable[..., Any], stage: Stage) -> None:
    found = statements(estate(stage))
    names = ("CALLS", "COMPANIES", "DECISION_MAKERS", "HEALTH", "MATCHES", "OPPORTUNITIES", "WRITE_BACK")
    assert set(found) == {f"NMHC_{name}" for name in names}
    for what, sql in found.items():
        (parsed,) = sqlglot.parse(sql, read="snowflake")
        assert parsed is not None
        assert not list(parsed.find_all(exp.Command)), f"{what} was not understood: {sql}"
        assert "{" not in sql
        assert "--" not in sql
        tables = {table.catalog for table in parsed.find_all(exp.Table) if table.db}
        assert tables == {DATABASES[stage]}, f"{what} of {stage} reaches into another stage"


@pytest.fixture
def cursor(estate: Callable[..., Any]) -> Iterator[SnowflakeCursor]:
    """Snowflake's dialect on DuckDB, with the sample rows, and our views and the score made of the component's own SQL."""
    deployment = estate(Stage.DEV, examples.SETTINGS)
    with fakesnow.patch():
        import snowflake.connector

        with snowflake.connector.connect(database="SOPHIA_AI_DEV", schema="CORE") as connection:
            cursor = connection.cursor()
            for schema in ("RAW_HUBSPOT", "RAW_GONG", "RAW_APOLLO", "STAGING", "MARTS"):
                cursor.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
            for schema, table in examples.LANDED:
                for statement in examples.loaded(schema, table):
                    cursor.execute(statement)
            list_ = deployment.one("Table", "nmhc-top-50").inputs
            columns = ", ".join(f"{column['name']} {column['type']}" for column in list_["columns"])
            cursor.execute(f"CREATE TABLE {list_['schema']}.{list_['name']} ({columns})")
            names = ", ".join(examples.LISTED)
            for row in examples.LIST:
                places = ", ".join(["%s"] * len(row))
                cursor.execute(f"INSERT INTO {list_['schema']}.{list_['name']} ({names}) VALUES ({places})", row)
            sql = statements(deployment)
            for name in ("COMPANIES", "MATCHES", "CALLS", "DECISION_MAKERS"):
                view = deployment.one("View", f"nmhc-{name.lower().replace('_', '-')}").inputs
                cursor.execute(f"CREATE VIEW {view['schema']}.{view['name']} AS {sql[view['name']]}")
            cursor.execute(f"CREATE TABLE MARTS.NMHC_OPPORTUNITIES AS {sql['NMHC_OPPORTUNITIES']}")
            for name in ("NMHC_HEALTH", "NMHC_WRITE_BACK"):
                cursor.execute(f"CREATE VIEW MARTS.{name} AS {sql[name]}")
            yield cursor


def rows(cursor: SnowflakeCursor, sql: str) -> list[tuple[Any, ...]]:
    cursor.execute(sql)
    return [tuple(row) for row in cursor.fetchall()]


def test_the_score_is_what_one_computes_by_hand(cursor: SnowflakeCursor) -> None:
    points = ("UNITS", "GROWTH", "SYSTEM", "ENGAGEMENT", "DEAL", "DECISION_MAKERS", "COMPETITOR")
    columns = ", ".join(f"{name}_POINTS" for name in points)
    found = {
        row[0]: ([float(value) for value in row[1:8]], float(row[8]), row[9])
        for row in rows(cursor, f"SELECT COMPANY, {columns}, SCORE, TIER FROM MARTS.NMHC_OPPORTUNITIES")
    }
    # Juniper manages 80,000 units, which is 0.8 of 100,000:                  25 x 0.8     = 20
    # it had 76,000 the year before: 4,000 / 76,000 = 0.0526, of 0.1 0.526:    10 x 0.5263  =  5.26
    # HubSpot says Entrata, which fits with 1:                                 15 x 1       = 15
    # two calls of 90 days that lasted two minutes, of four:                   15 x 0.5     =  7.5
    # its best open deal is at 0.6 (the one at 1 is closed, 0.2 is older):     20 x 0.6     = 12
    # two people who decide (the COO is in HubSpot and in Apollo), of three:   10 x 0.6667  =  6.67
    # no competitor:                                                            5 x 1       =  5
    # together 71.43
    assert found["Juniper Residential, LLC"] == ([20.0, 5.26, 15.0, 7.5, 12.0, 6.67, 5.0], 71.4, "A")
    # Harbor & Pine: 150,000 units are more than full, 25 x 1; it has shrunk, 10 x 0; the list says Yardi, 15 x 0.8 = 12;
    # one call, 15 x 0.25 = 3.75; a deal at 0.2, 20 x 0.2 = 4; one of three, 10 x 0.3333 = 3.33; a competitor, 5 x 0.2 = 1.
    # together 49.08
    assert found["Harbor & Pine Inc."] == ([25.0, 0.0, 12.0, 3.75, 4.0, 3.33, 1.0], 49.1, "B")
    # Quiet Oaks is not in HubSpot: 20,000 units, 25 x 0.2 = 5; nobody knows its system, 15 x 0.5 = 7.5; Apollo knows one who
    # decides, 3.33; no competitor, 5. together 20.83
    assert found["Quiet Oaks LP"] == ([5.0, 0.0, 7.5, 0.0, 0.0, 3.33, 5.0], 20.8, "C")
    assert len(found) == 3, "a builder does not count, and who is on last year's list only is on none"


def test_a_company_is_found_by_its_domain_before_its_name(cursor: SnowflakeCursor) -> None:
    found = rows(
        cursor,
        "SELECT COMPANY_KEY, SOURCE, RECORD_ID, MATCHED_BY, PREFERENCE FROM STAGING.NMHC_MATCHES ORDER BY 1, 2, 3",
    )
    assert found == [
        ("harborpine", "hubspot", "202", "name", 1),
        ("juniperresidential", "apollo", "a1", "domain", 1),
        ("juniperresidential", "hubspot", "101", "domain", 1),
        ("juniperresidential", "hubspot", "102", "name", 2),
        ("quietoaks", "apollo", "a2", "name", 1),
    ]


def test_who_decides_is_told_by_the_title_and_counted_once(cursor: SnowflakeCursor) -> None:
    found = rows(
        cursor,
        "SELECT COMPANY_KEY, FULL_NAME, SENIORITY, AREA FROM MARTS.NMHC_DECISION_MAKERS ORDER BY COMPANY_KEY, FULL_NAME",
    )
    assert found == [
        ("harborpine", "Dee Fox", "director", "accounting"),
        ("juniperresidential", "Ana Reyes", "chief", "operations"),
        ("juniperresidential", "Eve Ash", "vice-president", "operations"),
        ("quietoaks", "Flo Day", "chief", "executive"),
    ], "no assistant of a CEO, and no vice president of something else"


def test_calls_count_that_are_recent_long_and_with_the_company(cursor: SnowflakeCursor) -> None:
    found = rows(cursor, "SELECT COMPANY_KEY, CALL_ID, COMPETITOR FROM STAGING.NMHC_CALLS ORDER BY CALL_ID")
    assert found == [
        ("juniperresidential", "c1", False),  # by the account in HubSpot and by an address: once
        ("juniperresidential", "c2", False),  # by the address of who took part
        ("harborpine", "c5", True),
    ]


def test_hubspot_gets_texts_and_forgets_who_is_on_the_list_no_more(cursor: SnowflakeCursor) -> None:
    found = rows(cursor, "SELECT * FROM MARTS.NMHC_WRITE_BACK ORDER BY COMPANY_ID")
    assert found == [
        ("101", "1", "71.4", "A", "2", "operations"),
        ("102", "", "", "", "", ""),
        ("202", "2", "49.1", "B", "1", "accounting"),
        ("301", "", "", "", "", ""),
    ]


def test_another_weight_is_another_score(estate: Callable[..., Any]) -> None:
    settings = copy.deepcopy(examples.SETTINGS)
    settings["score"]["weights"] |= {"units": 12.5, "deal": 32.5}
    query = statements(estate(Stage.DEV, settings))["NMHC_OPPORTUNITIES"]
    assert "12.5 * UNITS_FACTOR" in query
    assert "32.5 * DEAL_FACTOR" in query


def test_what_the_settings_name_stays_inside_its_quotes(estate: Callable[..., Any]) -> None:
    settings = copy.deepcopy(examples.SETTINGS)
    settings["score"]["competitor"]["trackers"] = ["O'Hara\\' OR TRUE --"]
    parsed = sqlglot.parse(statements(estate(Stage.DEV, settings))["NMHC_CALLS"], read="snowflake")
    assert len(parsed) == 1
    (listed,) = [one for one in parsed[0].find_all(exp.In) if one.expressions]  # type: ignore[union-attr] # one statement
    assert [value.this for value in listed.expressions] == ["o'hara\\' or true --"]


def test_names_and_addresses_are_masked_and_the_score_holds_none(estate: Callable[..., Any]) -> None:
    deployment = estate(Stage.DEV)
    view = deployment.one("View", "nmhc-decision-makers").inputs
    masked = {c["columnName"]: c["maskingPolicy"]["policyName"] for c in view["columns"] if c.get("maskingPolicy")}
    assert {name: policy.split('"')[-2] for name, policy in masked.items()} == {
        "FULL_NAME": "MASK_PERSONAL_TEXT",
        "EMAIL": "MASK_EMAIL",
    }
    assert view["isSecure"] == "true"
    for name in ("NMHC_OPPORTUNITIES", "NMHC_WRITE_BACK"):
        assert not re.search(r"FULL_NAME|EMAIL\b", statements(deployment)[name]), "what leaves names no person"


@pytest.mark.parametrize("view", ["decision-makers", "health"])
def test_the_columns_of_a_view_are_those_of_its_query(
    estate: Callable[..., Any], cursor: SnowflakeCursor, view: str
) -> None:
    declared = [column["columnName"] for column in estate(Stage.DEV).one("View", f"nmhc-{view}").inputs["columns"]]
    cursor.execute(f"SELECT * FROM MARTS.NMHC_{view.upper().replace('-', '_')}")
    assert [column[0] for column in cursor.description] == declared


def test_health_counts_the_companies_and_has_no_row_without_any(cursor: SnowflakeCursor) -> None:
    asked = "SELECT LISTED, KNOWN, AGE_MINUTES FROM MARTS.NMHC_HEALTH"
    ((listed, known, age),) = rows(cursor, asked)
    assert (listed, known) == (3, 2), "Quiet Oaks is not in HubSpot"
    assert 0 <= age <= 5
    cursor.execute("UPDATE MARTS.NMHC_OPPORTUNITIES SET SCORED_AT = DATEADD(HOUR, -3, SCORED_AT)")
    assert rows(cursor, asked) == [(3, 2, pytest.approx(180, abs=5))]
    cursor.execute("DELETE FROM MARTS.NMHC_OPPORTUNITIES")
    assert rows(cursor, asked) == []


def test_the_score_is_refreshed_in_full_and_the_list_is_kept(estate: Callable[..., Any]) -> None:
    prod = estate(Stage.PROD)
    dynamic = prod.one("DynamicTable", "nmhc-opportunities").inputs
    assert (dynamic["refreshMode"], dynamic["targetLag"]) == ("FULL", {"maximumDuration": "6 hours"})
    list_ = prod.one("Table", "nmhc-top-50")
    assert list_.protect
    assert list_.retain_on_delete
    assert [column["name"] for column in list_.inputs["columns"]] == list(examples.LISTED) == [c[0] for c in COLUMNS]


def test_before_data_have_landed_only_the_list_is_made(estate: Callable[..., Any]) -> None:
    settings = {name: value for name, value in examples.SETTINGS.items() if name != "write_back"} | {"landed": False}
    deployment = estate(Stage.DEV, settings)
    assert not [one.name for one in deployment.resources if one.name.startswith("nmhc-") and one.name != "nmhc-top-50"]
    assert deployment.result.opportunities is None


def test_a_preview_feature_that_is_not_enabled_is_told(estate: Callable[..., Any]) -> None:
    document = yaml.safe_load((REPOSITORY / "Pulumi.dev.yaml").read_text())["config"]
    features = [one for one in document["snowflake:previewFeaturesEnabled"] if "dynamic" not in one]
    with pytest.raises(SettingsError, match="snowflake_dynamic_table_resource"):
        estate(Stage.DEV, features=features)


def test_the_sql_reads_the_tables_that_airbyte_lands(estate: Callable[..., Any]) -> None:
    platforms = platforms_of("prod")
    connections = AirbyteSettings.model_validate(platforms["airbyte"]).connections
    tables = landed_tables(NmhcSettings.model_validate(platforms["nmhc"]), connections)
    assert tables == {
        "hubspot-companies": ("raw-hubspot", "HUBSPOT_COMPANIES"),
        "hubspot-contacts": ("raw-hubspot", "HUBSPOT_CONTACTS"),
        "hubspot-deals": ("raw-hubspot", "HUBSPOT_DEALS"),
        "gong-extensivecalls": ("raw-gong", "GONG_EXTENSIVECALLS"),
        "apollo-accounts": ("raw-apollo", "APOLLO_ACCOUNTS"),
        "apollo-contacts": ("raw-apollo", "APOLLO_CONTACTS"),
    }
    for (source, stream), fields in FIELDS.items():
        _, table = tables[f"{source}-{stream.lower()}"]
        columns = next(columns for (_, name), (columns, _) in examples.LANDED.items() if name == table)
        assert set(columns) == {field.upper() for field in fields}, "the sample has what is checked to be there"


def test_the_workflow_reads_as_its_own_user_and_writes_the_properties(estate: Callable[..., Any]) -> None:
    deployment = estate(Stage.DEV)
    credential = deployment.one("Credential", "nmhc-snowflake")
    assert credential.inputs["type"] == "snowflake"
    assert credential.inputs["data"] == {
        "account": "payready-znb04675",
        "authentication": "keyPair",
        "database": "SOPHIA_AI_DEV",
        "privateKey": "private key of n8n",
        "role": "SOPHIA_AI_DEV_READER",
        "username": "SOPHIA_AI_DEV_N8N",
        "warehouse": "SOPHIA_AI_DEV_WH",
    }
    assert any(path.startswith("data") for path in credential.secrets)
    workflow = deployment.one("Workflow", "nmhc-write-back").inputs
    text = json.dumps(workflow)
    assert "@@" not in text
    assert "private key" not in text
    assert workflow["settings"]["errorWorkflow"] == "id-of-error-report"
    nodes = {node["name"]: node for node in workflow["nodes"]}
    assert (
        nodes["What is wanted"]["parameters"]["query"]
        .split(" FROM ")[1]
        .startswith('"SOPHIA_AI_DEV"."MARTS"."NMHC_WRITE_BACK" ')
    )
    assert '"SCORE": "sophia_opportunity_score"' in nodes["Batches of 100"]["parameters"]["jsCode"]
    assert nodes["Change it"]["credentials"] == {"hubspotAppToken": {"id": "id-of-hubspot"}}


def test_a_view_that_shows_an_address_is_refused(estate: Callable[..., Any]) -> None:
    (policy,) = [policy for policy in POLICIES if policy.name == "personal-data-is-masked"]
    view = estate(Stage.PROD).one("View", "nmhc-decision-makers")
    urn = "urn:pulumi:prod::sophia-ai::sophia:platform:NMHC$snowflake:index/view:View::nmhc-decision-makers"

    def violations(columns: list[dict[str, Any]]) -> list[str]:
        resource = PolicyResource(view.type, urn, {**view.inputs, "columns": columns}, protected=False)
        assert policy.concerns(resource)
        return [
            found.setting for found in policy.check(resource, Situation("prod", limits_of("prod"), datetime.now(UTC)))
        ]

    columns = view.inputs["columns"]
    assert violations(columns) == []
    (place,) = violations([{"columnName": one["columnName"]} for one in columns if one["columnName"] != "FULL_NAME"])
    assert "columns[EMAIL].maskingPolicy" in place
