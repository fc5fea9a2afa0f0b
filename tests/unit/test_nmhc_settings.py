"""NMHC Top 50: a mistake in the settings is told where it is; a score that is old or says little is told too."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest

from components.n8n.workflow_files import read
from components.nmhc import FILES, NmhcSettings
from components.settings import Stage
from health.base import Answer, Resource, Subject
from health.nmhc import HEALTH
from tests.unit import nmhc_examples as examples
from tests.unit.stack_files import mistakes_in, platforms_of, put


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("nmhc.score.weights.units", 20, "nmhc.score.weights: add up to 95, and must add up to 100"),
        ("nmhc.score.weights.units", 25.5, "add up to 100.5, and must add up to 100"),
        ("nmhc.score.competitor.in_use", 1.2, "must be at most 1"),
        ("nmhc.score.competitor.trackers", ["{raw.gong-extensivecalls}"], "without braces"),
        ("nmhc.score.property_management_system.property", "pms') --", "must be a property's internal name"),
        ("nmhc.matching.ignored_words", ["inc) |"], "must be lower-case words of letters and digits"),
        ("nmhc.tiers", [{"name": "A", "at_least": 70}], "must be 0: the last tier takes what is left"),
        ("nmhc.tiers", [{"name": "A", "at_least": 0}, {"name": "B", "at_least": 0}], "must be less than that of A"),
        ("nmhc.write_back.properties.score", "nmhc_rank", "is the property of rank already"),
        ("nmhc.landed", False, "needs `landed: true`: there is nothing to write before"),
        ("nmhc.sources.gong", "gong-to-row", 'no connection of Airbyte "gong-to-row" is declared (did you mean'),
        ("nmhc.sources.apollo", "gong-to-raw", "airbyte.connections.gong-to-raw does not sync the stream accounts"),
        ("airbyte.connections.hubspot-to-raw.schema", None, "names no `schema` of Snowflake's settings to land in"),
        (
            "airbyte.connections.apollo-to-raw.streams",
            [
                {"name": "accounts", "selected_fields": ["id", "name", "created_at"]},
                {"name": "contacts"},
            ],
            "leaves out accounts.domain, which the score reads",
        ),
        ("nmhc.schemas.working", "stagin", 'no schema of Snowflake "stagin" is declared (did you mean "staging"?)'),
        ("nmhc.warehouse", "huge", 'no warehouse of Snowflake "huge" is declared'),
        (
            "nmhc.privacy.name",
            "personal-date",
            'no masking policy of Snowflake for texts about people (redact, email) "pe',
        ),
        ("nmhc.table", "PAYMENTS", "is that of snowflake.tables.payments: one of the two makes it"),
        ("nmhc.write_back.user", "n8", 'no user of Snowflake "n8" is declared'),
        ("nmhc.write_back.user", "airbyte", 'has the role "airbyte", which may not read the schema marts'),
        ("nmhc.write_back.hubspot", "gong", 'no hubspotAppToken credential of n8n "gong" is declared'),
        ("nmhc.write_back.error_workflow", "gong-call-analysis", "no published n8n workflow with an Error Trigger"),
        ("airbyte", None, "need airbyte, whose connections land them"),
        (
            "nmhc.write_back.properties.areas",
            "sophia_decision_maker_area",
            'no property of HubSpot\'s companies "sophia_decision_maker_area" is declared (did you mean "sophia_decision',
        ),
        (
            "nmhc.score.property_management_system.property",
            "pms",
            'no property of HubSpot\'s companies "pms" is declared',
        ),
        (
            "nmhc.score.competitor.deal_property",
            "competitors",
            'no property of HubSpot\'s deals "competitors" is declared (did you mean "competitor"?)',
        ),
        (
            "nmhc.score.competitor.trackers",
            ["Elise"],
            'no tracker of Gong "Elise" is declared (did you mean "EliseAI"?)',
        ),
        ("nmhc.tiers", [{"name": "D", "at_least": 0}], 'no value of sophia_opportunity_tier "D" is declared'),
    ],
)
def test_a_mistake_is_told_with_its_path(path: str, value: Any, said: str) -> None:
    platforms = platforms_of()
    for other in ("competitors", "dashboard"):  # they read some of the same, and would tell of it too
        del platforms[other]
    put(platforms, path, value)
    mistakes = mistakes_in(platforms)
    assert any(said in mistake for mistake in mistakes), mistakes
    assert all(mistake.startswith("nmhc") for mistake in mistakes)


@pytest.mark.parametrize("stage", list(Stage))
def test_the_workflow_fits_every_stage(stage: Stage) -> None:
    ((_, path),) = FILES.values()
    content = read(path)
    assert list(content.mistakes()) == []
    assert list(content.of_other_stages(stage.value, {})) == []
    assert content.places == {"view", "properties"}
    assert content.starts_by_itself


def health(*rows: list[str | None], days: int = 1) -> list[tuple[str, str]]:
    """What is told of a view that is so many days old."""
    lag = {"name": "NMHC_OPPORTUNITIES", "warehouse": "WH", "targetLag": {"maximumDuration": "6 hours"}}
    made = (datetime.now(UTC) - timedelta(days=days)).isoformat()
    name = {"fullyQualifiedName": '"D"."MARTS"."NMHC_HEALTH"'}
    view = Resource("snowflake:index/view:View", "nmhc-health", "v", made, name)
    table = Resource("snowflake:index/dynamicTable:DynamicTable", "nmhc-opportunities", "x", None, lag)
    subject = Subject(resources=[table, view])
    (probe,) = [probe for probe in HEALTH.probes if probe.needed(subject)]
    assert probe.body
    asked = probe.body(subject)
    assert asked["statement"] == 'SELECT LISTED, KNOWN, AGE_MINUTES FROM "D"."MARTS"."NMHC_HEALTH"'
    assert asked["warehouse"] == "WH"
    reading = probe.read(Answer(httpx.Response(200, json={"data": rows}), subject))
    return [(problem.said, problem.verdict) for problem in reading.problems]


def test_an_old_score_an_empty_list_and_unknown_companies_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNOWFLAKE_ROLE", "ACCOUNTADMIN")
    assert health(["50", "44", "700"]) == []
    assert health(["50", "44", "721"]) == [("the score is 12 hours old, and should be 6 hours old at most", "degraded")]
    ((said, _),) = health(["50", "24", "5"])
    assert said == "HubSpot has 24 of the 50 companies on the list: the score of the others knows little"


def test_a_list_without_companies_is_told_when_people_had_the_time_to_load_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNOWFLAKE_ROLE", "ACCOUNTADMIN")
    assert health(days=6) == []
    ((said, verdict),) = health(days=8)
    assert said.startswith("no company has a score")
    assert verdict == "degraded"


def test_a_stack_without_a_score_yet_asks_for_the_login_alone() -> None:
    (probe,) = [probe for probe in HEALTH.probes if probe.needed(Subject())]
    assert probe.proves == "the Snowflake that it will be in"


def test_weights_are_exact() -> None:
    weights = NmhcSettings.model_validate(examples.SETTINGS).score.weights
    assert sum(Decimal(getattr(weights, name)) for name in type(weights).model_fields) == 100
