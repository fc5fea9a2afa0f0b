"""UserGems: secrets that nobody writes down, a record of what to enter where, and nothing that claims to know more."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from pydantic import ValidationError

from components.estate import Estate
from components.usergems import UserGems, UserGemsSettings
from health.base import Cloud, Resource, Subject
from health.checking import check
from health.records import records
from health.usergems import HEALTH
from sophia import figures, health
from sophia.display import health as display

Deploy = Callable[..., Any]
REPOSITORY = Path(__file__).parents[2]
PASSWORD = "pulumi-python:dynamic/passwords:Password"
HOOK: dict[str, Any] = {
    "campaign": "Champions who changed jobs",
    "endpoint": "https://agents.payready.com/webhook/usergems-job-change",
}
SETTINGS: dict[str, Any] = {
    "credential": {"environment": "USERGEMS_API_KEY", "owner": "revops@payready.com"},
    "webhooks": {"job-changes": {**HOOK, "generation": 2}},
}


def mistakes(**changes: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        UserGemsSettings.model_validate({**SETTINGS, **changes})
    return str(caught.value)


def test_secrets_are_minted_and_the_record_says_what_to_enter_where(deploy: Deploy) -> None:
    made: list[UserGems] = []
    computed = {PASSWORD: lambda _name, _inputs: {"password": "minted"}}
    deployment = deploy(
        lambda: made.append(UserGems("usergems", UserGemsSettings.model_validate(SETTINGS))), computed=computed
    )
    password = deployment.one("Password", "usergems.job-changes")
    assert password.inputs["generation"] == 2
    assert [resource.type for resource in deployment.resources if "dynamic" in resource.type] == [PASSWORD]
    record = made[0].record
    assert record["owner"] == "revops@payready.com"
    entered = record["webhooks"]["job-changes"]
    assert (entered["endpoint"], entered["header"]) == (HOOK["endpoint"], "X-UserGems-Secret")
    assert entered.keys() == {"campaign", "endpoint", "header", "secret"}


@pytest.mark.parametrize(
    ("hook", "said"),
    [
        ({"endpoint": "http://agents.payready.com/webhook/x"}, "https address"),
        ({"endpoint": "https://agents.payready.com/other/x"}, "of a webhook of n8n's"),
        ({"header": "X Secret"}, "the name of a header"),
        ({"generation": 0}, "greater than or equal to 1"),
    ],
)
def test_settings_that_cannot_work_are_told(hook: dict[str, Any], said: str) -> None:
    assert said in mistakes(webhooks={"job-changes": {**HOOK, **hook}})


def test_two_webhooks_are_two_addresses() -> None:
    assert "each needs its own" in mistakes(webhooks={"one": HOOK, "two": HOOK})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda its: its["n8n"]["workflows"].pop("usergems-job-change"), "is no webhook of n8n's that takes a POST"),
        (lambda its: its["n8n"]["credentials"]["usergems-webhook"]["data"].update(name="X-Other"), "looks for another"),
        (
            lambda its: its["n8n"]["credentials"]["usergems-webhook"]["secrets"].update(
                value={"output": "n8n.tokens.x"}
            ),
            "is compared by nobody",
        ),
    ],
)
def test_what_n8n_does_not_take_or_compare_is_a_mistake(change: Callable[[Any], Any], said: str) -> None:
    config = yaml.safe_load((REPOSITORY / "Pulumi.prod.yaml").read_text())["config"]
    given = {name: config[f"sophia-ai:{name}"] for name in ("n8n", "usergems")}
    estate = Estate.of(list(given))
    estate.model_validate(given)
    change(given)
    with pytest.raises(ValidationError) as caught:
        estate.model_validate(given)
    assert said in str(caught.value)


def test_nobody_can_ask_it_and_that_is_what_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(httpx, "Client", None)
    found = check(HEALTH, Subject(SETTINGS), 0.0)
    assert found.verdict == "unasked"
    told = health.Check("usergems", "UserGems", "unasked", None, (), (), (), found.unasked)
    report = health.HealthReport("dev", (told,), 0.1)
    (line,) = display.lines(report)
    assert "unasked" in line.plain
    assert "documents no call that reads" in line.plain
    assert "well" not in line.plain
    assert report.facts == [], "no alert says that it is well again"
    assert "sophia_platform_up" not in str(list(figures._of_report(report, 0.0)))


def test_its_key_and_its_secrets_are_recorded_by_their_age() -> None:
    made = "2026-11-01T10:00:00Z"
    passwords = [Resource(PASSWORD, name, "1", made, {}) for name in ("usergems.job-changes", "events")]
    found, _ = records([(HEALTH, Subject(SETTINGS, Cloud(), passwords))], {}, 1.0)
    by_name = {one.name: one for one in found}
    assert list(by_name) == ["USERGEMS_API_KEY", "webhook's shared secret job-changes"], "and nobody else's passwords"
    assert all(one.known.authenticates is None for one in found), "it is not claimed that they work"
    assert by_name["webhook's shared secret job-changes"].due == "2027-01-30T10:00:00Z"
    assert "customer success" in by_name["USERGEMS_API_KEY"].rotation


def test_the_workflow_takes_what_comes_for_no_form_in_particular() -> None:
    workflow = json.loads((REPOSITORY / "workflows" / "usergems-job-change.json").read_text())
    hook, post = workflow["nodes"]
    assert hook["parameters"]["authentication"] == "headerAuth"
    assert "JSON.stringify($json.body" in post["parameters"]["text"]
