"""Linear: what stands in the settings of a team, who keeps what, and what Linear says when it says no."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from pydantic import ValidationError

from components.linear import Linear, LinearSettings
from components.settings import Stage
from health.base import Answer, Reading, Resource, Subject
from health.linear import HEALTH
from providers.base import Trouble
from providers.linear_calls import LINEAR, derived_id

Deploy = Callable[..., Any]
REPOSITORY = Path(__file__).parents[2]
TODO: dict[str, Any] = {"name": "Todo", "type": "unstarted", "color": "#e2e2e2"}
SETTINGS: dict[str, Any] = {
    "teams": {
        "platform": {"key": "SOP", "name": "Sophia", "states": {"todo": TODO}, "git": {"start": "todo"}},
        "on-call": {"key": "ONC", "name": "On call", "parent": "platform"},
    },
    "labels": {
        "kind": {"name": "Kind", "team": "platform", "group": True},
        "incident": {"name": "Incident", "team": "platform", "parent": "kind"},
    },
    "projects": {"agent": {"name": "Agent", "teams": ["platform"], "milestones": {"pilot": {"name": "Pilot"}}}},
    "initiatives": {"goal": {"name": "Goal", "projects": ["agent"]}},
    "templates": {
        "incident": {
            "name": "Incident",
            "team": "platform",
            "issue": {"title": "Incident: ", "priority": 1, "state": "todo", "labels": ["incident"]},
        }
    },
    "views": {"open": {"name": "Open", "filter": {"state": {"type": {"eq": "started"}}}}},
    "webhooks": {"n8n": {"url": "https://n8n.test/webhook/linear-events", "resource_types": ["Issue"]}},
}


def run(deploy: Deploy, stage: Stage = Stage.DEV, **changes: Any) -> Any:
    settings = LinearSettings.model_validate({**SETTINGS, **changes})
    passwords = {"pulumi-python:dynamic/passwords:Password": lambda _name, _inputs: {"password": "minted"}}
    return deploy(lambda: Linear("linear", settings, stage=stage), computed=passwords)


def test_the_work_of_people_is_protected_in_prod(deploy: Deploy) -> None:
    dev, prod = run(deploy), run(deploy, Stage.PROD)
    for kind in ("Team", "Project"):
        assert not any(one.protect for one in dev.of(kind))
        assert all(one.protect and one.retain_on_delete for one in prod.of(kind)), "issues cannot be made again"


def test_a_sub_team_knows_its_team(deploy: Deploy) -> None:
    assert run(deploy).one("Team", "on-call").inputs["parent_id"] == "id-of-platform"


def test_an_incident_starts_in_a_state_with_a_label(deploy: Deploy) -> None:
    data = run(deploy).one("Template").inputs["data"]
    assert data == {
        "title": "Incident: ",
        "priority": 1,
        "stateId": "id-of-platform.states.todo",
        "labelIds": ["id-of-incident"],
    }


def test_a_label_is_put_into_its_group_whichever_comes_first(deploy: Deploy) -> None:
    turned = dict(reversed(SETTINGS["labels"].items()))
    assert run(deploy, labels=turned).one("IssueLabel", "incident").inputs["parent_id"] == "id-of-kind"


def test_what_linear_makes_with_a_team_is_taken_over(deploy: Deploy) -> None:
    deployment = run(deploy)
    assert deployment.one("WorkflowState").inputs["adopt"] is True
    assert deployment.one("GitAutomation").inputs["states"] == {"start": "id-of-platform.states.todo"}


def test_a_webhook_without_a_team_hears_of_all_public_ones_and_its_secret_is_minted(deploy: Deploy) -> None:
    deployment = run(deploy)
    webhook = deployment.one("Webhook")
    assert (webhook.inputs["all_public_teams"], webhook.inputs["team_id"]) == (True, "")
    assert webhook.inputs["secret"] == "minted"
    assert "secret" in webhook.secrets
    assert "minted" not in str(SETTINGS)


def changed(section: str, entry: str, /, **members: Any) -> dict[str, Any]:
    return {section: {**SETTINGS[section], entry: {**SETTINGS[section].get(entry, {}), **members}}}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (changed("teams", "platform", key="sop"), "upper-case letters"),
        (changed("teams", "platform", key="ONC"), "is that of teams.platform"),
        (changed("teams", "platform", timezone="Chicago"), "must be a time zone"),
        (changed("teams", "platform", git={"merge": "done"}), 'no state of this team "done"'),
        (changed("teams", "platform", priority_to_leave_triage=True), "needs `triage: true`"),
        (changed("teams", "on-call", parent="platfrom"), 'did you mean "platform"'),
        (changed("teams", "platform", parent="on-call"), "has no parent itself"),
        (changed("labels", "incident", team="on-call"), "is a group of another team"),
        (changed("labels", "incident", parent="incident"), "no label group"),
        (changed("labels", "incident", name="Kind"), "is that of labels.kind"),
        (changed("labels", "kind", color="red"), "must be a colour"),
        (changed("projects", "agent", teams=["sales"]), 'no team "sales"'),
        (changed("projects", "agent", target_date="soon"), "must be a day"),
        (changed("projects", "agent", start_date="2027-02-01", target_date="2027-01-01"), "is before"),
        (changed("initiatives", "goal", projects=["agnet"]), 'did you mean "agent"'),
        (changed("templates", "incident", type="project"), "is what a template of type issue has"),
        (changed("templates", "incident", issue={"labels": ["kind"]}), 'no label "kind"'),
        (changed("templates", "incident", issue={"state": "done"}), 'no state of that team "done"'),
        (changed("templates", "incident", team=None), "is a team's: give `team`"),
        (changed("views", "open", filter={}), "at least 1"),
        (changed("webhooks", "n8n", url="http://n8n.test"), "must be an https address"),
        (changed("webhooks", "n8n", resource_types=["issue"]), "one of Linear's types"),
        (changed("webhooks", "n8n", secret="hunter2"), "secret"),
    ],
)
def test_settings_that_cannot_work_are_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        LinearSettings.model_validate({**SETTINGS, **changes})
    assert said in str(caught.value)


def test_no_two_stages_want_the_same_team() -> None:
    """They share one workspace, in which a team's key is its own."""
    teams = []
    for stage in Stage:
        config = yaml.safe_load((REPOSITORY / f"Pulumi.{stage.value}.yaml").read_text())["config"]
        settings = LinearSettings.model_validate(config["sophia-ai:linear"])
        teams += [team.key for team in settings.teams.values()]
    assert len(teams) == len(set(teams))


@pytest.mark.parametrize(
    ("status", "code", "message", "trouble"),
    [
        (400, "RATELIMITED", "Rate limit exceeded", Trouble.BUSY),
        (401, "AUTHENTICATION_ERROR", "Authentication required, not authenticated", Trouble.CREDENTIALS),
        (200, "FORBIDDEN", "Invalid scope", Trouble.FORBIDDEN),
        (200, "USAGE_LIMIT_EXCEEDED", "usage limit exceeded", Trouble.FORBIDDEN),
        (200, "INPUT_ERROR", "Entity not found: Team", Trouble.NOT_FOUND),
        (200, "INPUT_ERROR", "conflict on insert of Team", Trouble.CONFLICT),
        (200, "INPUT_ERROR", "duplicate label name", Trouble.CONFLICT),
        (200, "INVALID_INPUT", "Argument Validation Error", Trouble.INVALID),
        (500, "INTERNAL_SERVER_ERROR", "Something went wrong", Trouble.BROKEN),
    ],
)
def test_what_linear_says_is_understood(status: int, code: str, message: str, trouble: Trouble) -> None:
    error = {"message": message, "extensions": {"code": code, "userPresentableMessage": "For people"}}
    response = httpx.Response(status, json={"errors": [error], "data": None})
    assert LINEAR.trouble(response) is trouble
    assert LINEAR.said(response) == f"{code}: {message}: For people"


def test_a_no_without_an_error_is_one() -> None:
    assert LINEAR.trouble(httpx.Response(200, json={"data": {"teamDelete": {"success": False}}})) is Trouble.INVALID
    assert LINEAR.trouble(httpx.Response(200, json={"data": {"teamDelete": {"success": True}}})) is None
    assert LINEAR.trouble(httpx.Response(200, json={"data": {"team": None}})) is Trouble.NOT_FOUND
    assert LINEAR.trouble(httpx.Response(502, text="<html>")) is Trouble.BROKEN


def test_ids_are_the_same_for_the_same_and_others_for_others() -> None:
    assert derived_id("w", "team", "SOP", "0") == derived_id("w", "team", "SOP", "0")
    assert len({derived_id(*parts) for parts in (("a", "bc"), ("ab", "c"), ("a", "b", "c"))}) == 3


def read(probe: str, data: dict[str, Any], *resources: Resource, **settings: Any) -> Reading:
    (found,) = [one for one in HEALTH.probes if one.proves == probe]
    return found.read(Answer(httpx.Response(200, json={"data": data}), Subject(settings, resources=resources)))


def resource(kind: str, id_: str, **outputs: Any) -> Resource:
    return Resource(f"pulumi-python:dynamic/linear:{kind}", "platform", id_, None, outputs)


def viewer(*, admin: bool = True, left: int = 4000) -> dict[str, Any]:
    limits = [{"type": "requests", "allowedAmount": 5000, "remainingAmount": left}]
    return {"viewer": {"email": "a@b.c", "admin": admin, "active": True}, "rateLimitStatus": {"limits": limits}}


def test_a_key_that_cannot_do_what_is_asked_or_not_for_long_is_noticed() -> None:
    assert read("key and rights", viewer(), webhooks={"n8n": {}}).problems == ()
    assert read("key and rights", viewer(admin=False)).problems == (), "teams and labels need no administrator"
    (member,) = read("key and rights", viewer(admin=False), webhooks={"n8n": {}}).problems
    assert "who is no administrator: webhooks need one" in member.said
    (scarce,) = read("key and rights", viewer(left=20)).problems
    assert scarce.verdict == "degraded"


def test_what_was_put_away_behind_our_back_is_noticed() -> None:
    team = resource("Team", "t-1", name="Sophia")
    others: dict[str, Any] = {"issueLabels": {"nodes": []}, "projects": {"nodes": []}}
    live = {"id": "t-1", "archivedAt": None, "retiredAt": None}
    said = {
        "": [live],
        "was archived": [{**live, "archivedAt": "2026-01-01"}],
        "was retired": [{**live, "retiredAt": "2026-01-01"}],
        "is not there any more": [],
    }
    for expected, nodes in said.items():
        found = read("teams, labels and projects", {"teams": {"nodes": nodes}, **others}, team).problems
        assert [expected in problem.said for problem in found] == ([True] if expected else [])


def test_a_webhook_that_linear_switched_off_is_noticed() -> None:
    hook = resource("Webhook", "w-1", url="https://n8n.test", enabled=True)
    on, off = ({"webhooks": {"nodes": [{"id": "w-1", "enabled": enabled}]}} for enabled in (True, False))
    assert read("webhooks", on, hook).problems == ()
    (found,) = read("webhooks", off, hook).problems
    assert "is switched off, as Linear does after failures" in found.said
    assert read("webhooks", off, resource("Webhook", "w-1", enabled=False)).problems == (), "we did that"
