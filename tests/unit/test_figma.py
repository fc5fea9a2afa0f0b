"""Figma: webhooks of the right context, passcodes that nobody writes down, variables by name, and how it is asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from components.figma import Figma, FigmaSettings
from components.settings import CredentialsError, Stage
from health.base import Answer, Probe, Resource, Subject
from health.figma import HEALTH
from providers import figma
from providers.base import Trouble
from tests.unit.base_platform import Engine

Deploy = Callable[..., Any]

TEAM = "1034567890"
ENDPOINT = "https://agents.payready.com/webhook/figma-events"
PRIMITIVES: dict[str, Any] = {
    "file": "tokens",
    "name": "Primitives",
    "modes": ["Base"],
    "variables": {"blue": {"type": "color", "value": "#0B5FFF"}, "four": {"type": "number", "value": 4}},
}
THEME: dict[str, Any] = {
    "file": "tokens",
    "name": "Theme",
    "modes": ["Light", "Dark"],
    "variables": {
        "pay": {"type": "color", "values": {"Light": {"alias": "blue", "of": "primitives"}, "Dark": "#ffffff"}},
        "link": {"type": "color", "value": {"alias": "pay"}},
        "dense": {"type": "boolean", "value": False},
    },
}
SETTINGS: dict[str, Any] = {
    "projects": {"portal": {"id": "501234501"}},
    "files": {"tokens": {"project": "portal", "key": "abcdefghij0123456789AB"}},
    "passcodes": {"events": {}},
    "webhooks": {
        "published": {"event": "LIBRARY_PUBLISH", "endpoint": ENDPOINT, "passcode": "events"},
        "comments": {"event": "FILE_COMMENT", "project": "portal", "endpoint": ENDPOINT, "passcode": "events"},
        "deleted": {
            "event": "FILE_DELETE",
            "file": "tokens",
            "endpoint": ENDPOINT,
            "passcode": "events",
            "paused": True,
        },
    },
    "dev_resources": {
        "form": {"file": "tokens", "node": "12:34", "name": "Form", "url": "https://github.com/payready/portal"}
    },
    "variables": {"theme": THEME, "primitives": PRIMITIVES},
}


@pytest.fixture(autouse=True)
def team(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIGMA_TEAM_ID", TEAM)


def run(deploy: Deploy, stage: Stage = Stage.DEV, **changes: Any) -> Any:
    settings = FigmaSettings.model_validate({**SETTINGS, **changes})
    computed = {"pulumi-python:dynamic/passwords:Password": lambda _name, _inputs: {"password": "minted"}}
    return deploy(lambda: Figma("figma", settings, stage=stage), computed=computed)


def mistakes(**changes: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        FigmaSettings.model_validate({**SETTINGS, **changes})
    return str(caught.value)


def test_a_webhook_is_of_what_its_settings_name(deploy: Deploy) -> None:
    deployment = run(deploy)
    contexts = {r.name: (r.inputs["context"], r.inputs["context_id"]) for r in deployment.of("Webhook")}
    assert contexts == {
        "published": ("team", TEAM),
        "comments": ("project", "id-of-portal"),
        "deleted": ("file", "id-of-tokens"),
    }
    statuses = {webhook.name: webhook.inputs["status"] for webhook in deployment.of("Webhook")}
    assert statuses == {"published": "ACTIVE", "comments": "ACTIVE", "deleted": "PAUSED"}


def test_a_team_that_nobody_names_is_asked_for(deploy: Deploy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FIGMA_TEAM_ID")
    with pytest.raises(CredentialsError, match="FIGMA_TEAM_ID is not set"):
        run(deploy)


def test_passcodes_are_minted_and_secret(deploy: Deploy) -> None:
    deployment = run(deploy, passcodes={"events": {"generation": 3}})
    assert deployment.one("Password", "events").inputs["generation"] == 3
    for webhook in deployment.of("Webhook"):
        assert webhook.inputs["passcode"] == "minted"
        assert "passcode" in webhook.secrets


def test_people_made_the_projects_and_files(deploy: Deploy) -> None:
    deployment = run(deploy)
    assert deployment.one("Project").inputs["adopt"] is True
    assert deployment.one("File").inputs["project_id"] == "id-of-portal"


def test_collections_come_after_those_that_they_point_at_and_by_their_names(deploy: Deploy) -> None:
    deployment = run(deploy)
    primitives, theme = (deployment.one("VariableCollection", key) for key in ("primitives", "theme"))
    assert primitives.urn in theme.depends_on
    assert theme.inputs["modes"] == {"Light": "default", "Dark": "other"}
    values = {name: variable["values"] for name, variable in theme.inputs["variables"].items()}
    assert values == {
        "pay": {"Light": {"variable": "blue", "collection": "Primitives"}, "Dark": "#ffffff"},
        "link": {"Light": {"variable": "pay"}, "Dark": {"variable": "pay"}},
        "dense": {"Light": False, "Dark": False},
    }


def test_what_designs_hang_on_is_protected_in_prod(deploy: Deploy) -> None:
    for stage, protected in ((Stage.DEV, False), (Stage.PROD, True)):
        found = {one.protect for one in run(deploy, stage).of("VariableCollection")}
        assert found == {protected}, "a collection that is made anew is another one to every design"


def webhooks(count: int, **members: Any) -> dict[str, Any]:
    return {
        f"w-{number}": {
            "event": "FILE_UPDATE",
            "endpoint": f"{ENDPOINT}/{number}",
            "passcode": "events",
            **members,
        }
        for number in range(count)
    }


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"webhooks": webhooks(21)}, "a team can have 20 webhooks"),
        ({"webhooks": webhooks(6, project="portal")}, "a project can have 5 webhooks"),
        ({"webhooks": webhooks(4, file="tokens")}, "a file can have 3 webhooks"),
        ({"webhooks": webhooks(1, event="PING")}, "LIBRARY_PUBLISH"),
        ({"webhooks": webhooks(1, file="tokens", project="portal")}, "is left out with `file`"),
        ({"webhooks": webhooks(1, passcode="event")}, 'did you mean "events"'),
        ({"webhooks": webhooks(1, endpoint="http://example.com")}, "begins with https://"),
        ({"dev_resources": {"x": {**SETTINGS["dev_resources"]["form"], "node": "12-34"}}}, "such as 12:34"),
        ({"variables": {"theme": THEME}}, 'no collection of variables "primitives"'),
        ({"variables": {"p": {**PRIMITIVES, "modes": ["A", "A"]}}}, 'has "A" 2 times'),
        ({"variables": {"p": {**PRIMITIVES, "variables": {"a.b": {"type": "number", "value": 1}}}}}, "without . {"),
        ({"variables": {"p": {**PRIMITIVES, "variables": {"a": {"type": "color", "value": "red"}}}}}, "is no color"),
        ({"variables": {"p": {**PRIMITIVES, "variables": {"a": {"type": "number", "value": True}}}}}, "is no number"),
        ({"variables": {"p": {**PRIMITIVES, "variables": {"a": {"type": "string"}}}}}, "must give either `value`"),
        (
            {"variables": {"p": {**THEME, "variables": {"a": {"type": "string", "values": {"Light": "x"}}}}}},
            "has no value for the mode Dark",
        ),
        (
            {"variables": {"p": {**PRIMITIVES, "variables": {"a": {"type": "string", "value": {"alias": "b"}}}}}},
            'no variable "b"',
        ),
        (
            {
                "variables": {
                    "primitives": PRIMITIVES,
                    "t": {
                        **THEME,
                        "variables": {"a": {"type": "color", "value": {"alias": "four", "of": "primitives"}}},
                    },
                }
            },
            "is a number, and this is a color",
        ),
        (
            {
                "variables": {
                    key: {
                        **PRIMITIVES,
                        "name": key,
                        "variables": {"a": {"type": "number", "value": {"alias": "a", "of": other}}},
                    }
                    for key, other in (("one", "two"), ("two", "one"))
                }
            },
            "in a circle",
        ),
    ],
)
def test_settings_that_cannot_work_are_told(changes: dict[str, Any], said: str) -> None:
    assert said in mistakes(**changes)


@pytest.mark.parametrize(
    ("status", "document", "trouble", "said"),
    [
        (403, {"status": 403, "err": "Invalid token"}, Trouble.CREDENTIALS, "Invalid token"),
        (403, {"status": 403, "error": True, "message": "Limited by Figma plan"}, Trouble.FORBIDDEN, "Figma plan"),
        (401, {"status": 401, "error": True, "message": "Unauthorized"}, Trouble.CREDENTIALS, "Unauthorized"),
        (429, {"status": 429, "err": "Rate limit exceeded"}, Trouble.BUSY, "(limit low of the plan org)"),
    ],
)
def test_refusals_in_either_shape_are_understood(
    status: int, document: dict[str, Any], trouble: Trouble, said: str
) -> None:
    headers = {"X-Figma-Plan-Tier": "org", "X-Figma-Rate-Limit-Type": "low"} if status == 429 else {}
    response = httpx.Response(status, json=document, headers=headers)
    assert figma.FIGMA.trouble(response) is trouble
    assert said in figma.FIGMA.said(response)


@pytest.mark.parametrize(
    ("given", "kept"),
    [("#0B5FFF", "#0b5fff"), ("#0B5FFFFF", "#0b5fff"), ("#0b5fff80", "#0b5fff80")],
)
def test_colors_are_spelled_in_one_way(given: str, kept: str) -> None:
    variable = {"type": "COLOR", "values": {"Base": given}}
    inputs = {"file_key": "f", "name": "x", "modes": {"Base": "default"}, "variables": {"blue": variable}}
    checked, refused = Engine(figma.VariableCollection).check(**inputs)
    assert refused == {}
    assert checked["variables"]["blue"]["values"] == {"Base": kept}


HOOK = "pulumi-python:dynamic/figma:Webhook"
STATE = Subject(resources=[Resource(HOOK, "published", "1", None, {"status": "ACTIVE"})])


def problems(proves: str, document: dict[str, Any], subject: Subject = STATE) -> list[str]:
    probe: Probe = next(probe for probe in HEALTH.probes if probe.proves == proves)
    reading = probe.read(Answer(httpx.Response(200, json=document), subject))
    return [problem.said for problem in reading.problems]


def webhook(**members: Any) -> dict[str, Any]:
    return {"webhooks": [{"id": "1", "status": "ACTIVE", **members}]}


def request(sent_at: str, error: str | None) -> dict[str, Any]:
    return {"request_info": {"sent_at": sent_at}, "error_msg": error}


def test_a_webhook_that_is_off_or_gone_is_told() -> None:
    assert problems("webhooks", webhook()) == []
    assert problems("webhooks", webhook(status="PAUSED")) == ["the webhook published is paused: nothing is delivered"]
    assert problems("webhooks", webhook(id="2")) == ["there is no webhook 1 in the plan"]
    assert problems("webhooks", webhook(id="2") | {"pagination": {"next_page": "https://x"}}) == []


def test_only_the_last_delivery_counts() -> None:
    failed, fine = request("2026-11-20T10:00:00Z", "500"), request("2026-11-21T10:00:00Z", None)
    assert problems("deliveries of webhook 1", {"requests": [failed, fine]}) == []
    assert problems("deliveries of webhook 1", {"requests": []}) == []
    late = request("2026-11-22T10:00:00Z", "timeout")
    (said,) = problems("deliveries of webhook 1", {"requests": [late, fine]})
    assert said == "the last delivery of the webhook published failed: timeout"


def test_a_token_of_the_plan_cannot_write_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    subject = Subject(settings={"variables": {"theme": {}}})
    monkeypatch.setenv("FIGMA_TOKEN", "figp_of-the-plan")
    assert problems("webhooks", {"webhooks": []}, subject) == ["the token is not a person's: it cannot write variables"]
    monkeypatch.setenv("FIGMA_TOKEN", "figd_of-a-person")
    assert problems("webhooks", {"webhooks": []}, subject) == []
