"""What is told of a Slack that answers: channels that somebody archived, and an app that nobody installed again."""

from __future__ import annotations

from typing import Any

import httpx

from health.base import Answer, Problem, Resource, Subject
from health.slack import HEALTH

TYPE = "pulumi-python:dynamic/slack:"
MANIFEST: dict[str, Any] = {"oauth_config": {"scopes": {"bot": ["chat:write", "reactions:read"]}}}


def channel(key: str) -> Resource:
    return Resource(f"{TYPE}Channel", key, f"C-{key}", None, {"name": f"sophia-{key}"})


def told(probe: str, subject: Subject, document: Any, **headers: str) -> list[Problem]:
    (found,) = (one for one in HEALTH.probes if one.proves == probe)
    answer = Answer(httpx.Response(200, json=document, headers=headers), subject)
    return list(found.read(answer).problems)


def test_a_channel_that_was_archived_or_left_is_named() -> None:
    subject = Subject(resources=[channel(key) for key in ("well", "archived", "left", "gone")])
    shown: dict[str, Any] = {"C-well": {}, "C-archived": {"is_archived": True}, "C-left": {"is_member": False}}
    listed = [{"id": id_, "is_member": True, **members} for id_, members in shown.items()]
    problems = told("channels", subject, {"ok": True, "channels": listed})
    assert [(p.setting.rpartition(".")[2], p.verdict) for p in problems] == [
        ("archived", "failing"),
        ("left", "degraded"),
        ("gone", "failing"),
    ]
    more = {"ok": True, "channels": listed, "response_metadata": {"next_cursor": "bmV4dA=="}}
    assert told("channels", subject, more) == [], "of what another page shows nothing is said"


def test_an_app_that_was_not_installed_again_is_told_with_the_address() -> None:
    address = "https://slack.com/oauth/v2/authorize?client_id=1.2"
    app = Resource(f"{TYPE}App", "sophia", "A1", None, {"oauth_authorize_url": address})
    settings = {"bot": "sophia", "apps": {"sophia": {"manifest": MANIFEST}}}
    subject = Subject(settings, resources=[app])
    header = {"x-oauth-scopes": "chat:write"}
    (problem,) = told("token and scopes of the bot", subject, {"ok": True}, **header)
    assert problem.verdict == "degraded"
    assert "reactions:read" in problem.said
    assert address in problem.do
    assert told("token and scopes of the bot", Subject({**settings, "bot": None}), {"ok": True}, **header) == []
