"""Apollo: who says that mail may be sent, what belongs to which type, how it says no, and what its health tells."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from pydantic import ValidationError

from components.apollo import Apollo, ApolloSettings
from health.apollo import HEALTH, KEY
from health.base import Answer, Reading, Resource, Subject
from providers.apollo_calls import APOLLO
from providers.base import Trouble

Deploy = Callable[..., Any]
REPOSITORY = Path(__file__).parents[2]
MAIL: dict[str, Any] = {
    "key": "hello",
    "type": "auto_email",
    "wait_time": 0,
    "wait_mode": "minute",
    "email": {"subject": "Hello", "body_html": "<p>Hello</p>"},
}
SEQUENCE: dict[str, Any] = {
    "name": "Regional managers",
    "owner": "Sales@payready.com",
    "schedule": "Normal Business Hours",
    "visibility": "everyone",
    "access": "can_view",
    "excluded_contact_stages": ["Do Not Contact", "Bad Data"],
    "excluded_account_stages": ["Current Client"],
    "steps": [MAIL],
}
SETTINGS: dict[str, Any] = {
    "fields": {
        "units": {"label": "Units managed", "modality": "account", "type": "number"},
        "pms": {
            "label": "PMS",
            "modality": "account",
            "type": "picklist",
            "options": [{"name": "Yardi"}, {"name": "RealPage Inc.", "formerly": "RealPage"}],
            "adopt": True,
        },
    },
    "lists": {"top": {"name": "NMHC Top 50", "modality": "contacts"}},
    "sequences": {"managers": SEQUENCE},
}


def run(deploy: Deploy, **changes: Any) -> Any:
    return deploy(lambda: Apollo("apollo", ApolloSettings.model_validate({**SETTINGS, **changes})))


def mistakes(**changes: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        ApolloSettings.model_validate({**SETTINGS, **changes})
    return str(caught.value)


def sequence(**members: Any) -> dict[str, Any]:
    return {"managers": {**copy.deepcopy(SEQUENCE), **members}}


def test_a_sequence_refers_to_what_people_made_by_its_ids(deploy: Deploy) -> None:
    deployment = run(deploy)
    made = deployment.one("Sequence").inputs
    assert (made["active"], made["sends_real_mail"]) == (False, False)
    assert made["user_id"] == "id-of-sales@payready.com"
    assert made["emailer_schedule_id"] == "id-of-Normal Business Hours"
    assert made["excluded_contact_stage_ids"] == ["id-of-Do Not Contact", "id-of-Bad Data"]
    looked_up = [one for kind in ("User", "Schedule", "ContactStage", "AccountStage") for one in deployment.of(kind)]
    assert len(looked_up) == 5
    assert {one.inputs["adopt"] for one in looked_up} == {True}, "nothing is taken from anybody"


def test_a_picklist_is_declared_with_the_names_of_its_options(deploy: Deploy) -> None:
    field = run(deploy).one("CustomField", "pms").inputs
    assert field["options"] == {"Yardi": True, "RealPage Inc.": True}
    assert field["renamed"] == {"RealPage Inc.": "RealPage"}
    assert field["adopt"] is True


def test_one_setting_alone_activates_nothing(deploy: Deploy) -> None:
    said = mistakes(sequences=sequence(active=True))
    assert "`sends_real_mail` must name managers as well" in said
    allowed = run(deploy, sends_real_mail=["managers"]).one("Sequence").inputs
    assert (allowed["active"], allowed["sends_real_mail"]) == (False, True), "it may, and is not told to"
    both = run(deploy, sends_real_mail=["managers"], sequences=sequence(active=True)).one("Sequence").inputs
    assert (both["active"], both["sends_real_mail"]) == (True, True)


@pytest.mark.parametrize("stage", ["dev", "staging", "prod"])
def test_no_stage_of_this_repository_sends_mail(stage: str) -> None:
    config = yaml.safe_load((REPOSITORY / f"Pulumi.{stage}.yaml").read_text())["config"]
    settings = ApolloSettings.model_validate(config["sophia-ai:apollo"])
    assert settings.sends_real_mail == []
    assert [key for key, one in settings.sequences.items() if one.active] == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"sends_real_mail": ["manager"]}, 'did you mean "managers"'),
        ({"fields": {"x": {"label": "X", "modality": "account", "type": "picklist"}}}, "needs at least one entry"),
        (
            {"fields": {"x": {**SETTINGS["fields"]["units"], "options": [{"name": "a"}]}}},
            "is for picklists, and the field is of type number",
        ),
        ({"fields": {"x": {**SETTINGS["fields"]["units"], "max_length": 4}}}, "is for string and textarea"),
        ({"fields": {"x": {**SETTINGS["fields"]["units"], "label": "powerup_x"}}}, "cannot begin with powerup_"),
        ({"fields": {"x": SETTINGS["fields"]["units"], "y": SETTINGS["fields"]["units"]}}, "each needs its own"),
        (
            {"fields": {"x": {**SETTINGS["fields"]["pms"], "options": [{"name": "a"}, {"name": "a"}]}}},
            '"a" is there twice',
        ),
        (
            {
                "fields": {
                    "x": {**SETTINGS["fields"]["pms"], "options": [{"name": "a"}, {"name": "b", "formerly": "a"}]}
                }
            },
            "is the name of another option",
        ),
        ({"lists": {"x": {**SETTINGS["lists"]["top"], "book_of_business": True}}}, "is for lists of accounts only"),
        ({"lists": {"x": SETTINGS["lists"]["top"], "y": SETTINGS["lists"]["top"]}}, "each needs its own"),
        ({"sequences": sequence(steps=[])}, "at least 1 item"),
        ({"sequences": sequence(steps=[MAIL, MAIL])}, '"hello" is there twice'),
        ({"sequences": sequence(steps=[{**MAIL, "email": None}])}, "is missing: the step is of type auto_email"),
        ({"sequences": sequence(steps=[{**MAIL, "type": "action_item"}])}, "and the step is of type action_item"),
        ({"sequences": sequence(steps=[{**MAIL, "priority": "high"}])}, "an automatic email is none"),
        ({"sequences": sequence(steps=[{**MAIL, "email": {"body_html": "x"}}])}, "needed where a thread begins"),
        (
            {"sequences": sequence(steps=[{**MAIL, "email": {"body_html": "x", "thread": "reply_to_thread"}}])},
            "replies to no thread",
        ),
        ({"sequences": sequence(access=None)}, "what may everybody do with it?"),
        ({"sequences": sequence(visibility="restricted")}, "goes with `visibility: everyone`"),
    ],
)
def test_settings_that_cannot_work_are_told(changes: dict[str, Any], said: str) -> None:
    assert said in mistakes(**changes)


@pytest.mark.parametrize(
    ("response", "trouble", "said"),
    [
        (httpx.Response(401, text="Invalid API key. See x."), Trouble.CREDENTIALS, "an administrator"),
        (
            httpx.Response(403, json={"error": "not authorized", "error_code": "API_INACCESSIBLE"}),
            Trouble.FORBIDDEN,
            "not authorized; a key is made by an administrator",
        ),
        (httpx.Response(422, json={"error": "Top 50 already exists"}), Trouble.CONFLICT, "Top 50 already exists"),
        (httpx.Response(422, json={"error": "The sequence is already active."}), Trouble.INVALID, "already active"),
        (
            httpx.Response(422, json={"error": "Some fields could not be found"}),
            Trouble.NOT_FOUND,
            "could not be found",
        ),
        (
            httpx.Response(404, json={"message": "no label", "error": "Record not found."}),
            Trouble.NOT_FOUND,
            "not found",
        ),
        (
            httpx.Response(429, json={"error": "We are already processing the request for your sequence"}),
            Trouble.BUSY,
            "already processing",
        ),
        (httpx.Response(429, json={"message": "200 times per minute"}), Trouble.BUSY, "200 times per minute"),
    ],
)
def test_refusals_in_every_shape_are_understood(response: httpx.Response, trouble: Trouble, said: str) -> None:
    assert APOLLO.trouble(response) is trouble
    assert said in APOLLO.said(response)


KIND = "pulumi-python:dynamic/apollo:Sequence"


def reading(proves: str, document: Any, active: bool = False) -> Reading:
    probe = next(probe for probe in HEALTH.probes if probe.proves == proves)
    subject = Subject(resources=[Resource(KIND, "managers", "1", None, {"active": active})])
    return probe.read(Answer(httpx.Response(200, json=document), subject))


def campaigns(*found: dict[str, Any], pages: int = 1) -> dict[str, Any]:
    return {"emailer_campaigns": list(found), "pagination": {"total_pages": pages}}


def said(found: Reading) -> list[tuple[str, str]]:
    return [(problem.verdict, problem.said) for problem in found.problems]


def test_a_sequence_that_sends_against_the_settings_is_failing() -> None:
    live = {"id": "1", "active": True, "archived": False}
    assert said(reading("sequences", campaigns(live), active=True)) == []
    ((verdict, told),) = said(reading("sequences", campaigns(live)))
    assert verdict == "failing"
    assert "sends mail to real people" in told
    ((verdict, told),) = said(reading("sequences", campaigns({**live, "active": False}), active=True))
    assert (verdict, "has paused it" in told) == ("degraded", True)
    assert "archived" in said(reading("sequences", campaigns({**live, "archived": True})))[0][1]
    assert "not there any more" in said(reading("sequences", campaigns()))[0][1]
    assert said(reading("sequences", campaigns(pages=2))) == [], "it may stand on the next page"


def window(left: int, limit: int) -> dict[str, int]:
    return {"limit": limit, "consumed": limit - left, "left_over": left}


def test_the_scarcest_limit_of_each_window_is_told() -> None:
    document = {
        '["api/v1/labels", "index"]': {"minute": window(200, 200), "hour": window(30, 600), "day": window(5000, 6000)},
        '["api/v1/fields", "index"]': {"minute": window(150, 200), "hour": window(600, 600), "day": window(6000, 6000)},
        '["api/v1/people", "match"]': {"minute": window(0, 20), "hour": window(0, 100), "day": window(0, 600)},
    }
    found = reading("master key, limits", document)
    assert [str(quota) for quota in found.quotas] == [
        "150 of 200 requests a minute to api/v1/fields index",
        "30 of 600 requests an hour to api/v1/labels index",
        "5,000 of 6,000 requests a day to api/v1/labels index",
    ]
    assert [verdict for verdict, _ in said(found)] == ["degraded"]


def test_credits_that_are_gone_stop_people_and_not_the_stack() -> None:
    stats = {"lead_credit": window(0, 10_000), "direct_dial_credit": window(0, 0), "ai_credit": window(5, 2000)}
    found = reading("credits", {"credit_usage_stats": stats})
    assert said(found) == [("degraded", "no lead credits in this cycle left")]
    assert len(found.quotas) == 1, "what the plan does not have is not used up"


def test_whose_the_key_is_is_told() -> None:
    known = reading("key", {"first_name": "Rae", "last_name": None, "email": "revops@payready.com"}).known[KEY]
    assert (known.authenticates, known.said) == (True, "acts as Rae (revops@payready.com)")
