"""Slack: channels, groups and apps from data."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError

from components.slack import Slack, SlackSettings
from providers.base import Call
from providers.base.survey import resources_of
from providers.slack_manifest import comparable, sendable
from providers.slack_scopes import METHODS, provisioning, serving

Deploy = Callable[..., Any]

SETTINGS: dict[str, Any] = {
    "channels": {"alerts": {"name": "sophia-alerts", "purpose": "What broke"}, "deals": {"name": "d", "private": True}},
    "usergroups": {"platform": {"handle": "sophia", "name": "Sophia", "channels": ["alerts"]}},
    "apps": {"sophia": {"manifest": {"display_information": {"name": "Sophia"}}}},
}


def run(deploy: Deploy, **changes: Any) -> Any:
    settings = SlackSettings.model_validate({**SETTINGS, **changes})
    return deploy(lambda: Slack("slack", settings))


def mistakes(**changes: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        SlackSettings.model_validate({**SETTINGS, **changes})
    return str(caught.value)


def test_channels_are_public_unless_the_settings_say_private(deploy: Deploy) -> None:
    deployment = run(deploy)
    assert deployment.one("Channel", "alerts").inputs["is_private"] is False
    assert deployment.one("Channel", "deals").inputs["is_private"] is True


def test_a_group_joins_the_channels_it_names(deploy: Deploy) -> None:
    deployment = run(deploy)
    (joined,) = deployment.one("UserGroup").inputs["channels"]
    assert joined == "id-of-alerts", "the id of the channel, which Slack wants, and not its name"


def test_an_app_is_its_manifest(deploy: Deploy) -> None:
    assert run(deploy).one("App").inputs["manifest"] == SETTINGS["apps"]["sophia"]["manifest"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"channels": {"a": {"name": "Sophia Alerts"}}, "usergroups": {}}, "lower-case letters"),
        ({"usergroups": {"p": {"handle": "p", "name": "P", "channels": ["alert"]}}}, 'did you mean "alerts"'),
        ({"channels": {"a": {"name": "x"}, "b": {"name": "x"}}, "usergroups": {}}, "is that of channels.a"),
        ({"apps": {"sophia": {"manifest": {}}}}, "display_information.name"),
        ({"channels": {"a": {"name": "a", "purpose": "x" * 201}}, "usergroups": {}}, "200"),
    ],
    ids=[
        "channel name",
        "unknown channel",
        "one name twice",
        "manifest without a name",
        "purpose too long for the mark",
    ],
)
def test_settings_that_cannot_work_are_refused(changes: dict[str, Any], said: str) -> None:
    assert said in mistakes(**changes)


GOOD: dict[str, Any] = {
    "display_information": {"name": "Sophia"},
    "features": {"bot_user": {"display_name": "sophia"}},
    "oauth_config": {"scopes": {"bot": ["app_mentions:read"]}},
    "settings": {"event_subscriptions": {"request_url": "https://example.com/e", "bot_events": ["app_mention"]}},
}
COMMAND = {"command": "/sophia", "description": "Ask", "url": "https://example.com/c"}


def with_app(*path: str, value: Any = None, **app: Any) -> dict[str, Any]:
    """The settings with one good app, of whose manifest the value at a path is another one."""
    manifest = copy.deepcopy(GOOD)
    at: Any = manifest
    for part in path[:-1]:
        at = at.setdefault(part, {})
    if path:
        at[path[-1]] = value
    return {"apps": {"sophia": {"manifest": manifest, **app}}}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (with_app("oauth_config", "scopes", "bot", value=["chat:write"]), "app_mention needs the scope app_mentions:read"),
        (with_app("features", "slash_commands", value=[COMMAND]), "needs the scope commands"),
        (with_app("features", value={}), "scopes and events of a bot need one"),
        (with_app("settings", "event_subscriptions", "request_url", value=""), "Slack must know where to send"),
        (with_app("settings", "event_subscriptions", "request_url", value="http://a.b"), "must begin with https://"),
        (with_app("settings", "interactivity", value={"is_enabled": True}), "is missing: Slack must know where"),
        (
            with_app("oauth_config", "scopes", "bot", value=["app_mentions:read", "files:read"]),
            "nothing here needs files:read",
        ),
        (with_app(methods=["chat.postMesage"]), 'did you mean "chat.postMessage"'),
        (with_app(methods=["chat.postMessage"]), "chat.postMessage needs the scope chat:write"),
        (with_app(signing_secret={"environment": "SLACK_SIGNING_SECRET"}), "is that of an app that exists"),
        ({**with_app(), "bot": "sophi"}, 'did you mean "sophia"'),
        ({**with_app(), "bot": "sophia"}, "lacks channels:join, channels:manage"),
        (
            {"channels": {"a": {"name": "a", "members": {"usergroups": ["platfrm"]}}}, "usergroups": {}},
            'no user group "platfrm" is declared',
        ),
        ({"channels": {"a": {"name": "a", "members": {}}}, "usergroups": {}}, "must name people or usergroups"),
        ({"channels": {"a": {"name": "a", "members": {"people": ["Ada"]}}}, "usergroups": {}}, "e-mail address"),
    ],
)  # fmt: skip
def test_what_slack_would_refuse_is_told_before_it_is_asked(changes: dict[str, Any], said: str) -> None:
    assert said in mistakes(**changes)


def test_a_scope_that_only_a_reason_needs_is_allowed() -> None:
    scopes = ["app_mentions:read", "files:read"]
    reasons = {"files:read": "the payments service reads the invoices that people attach"}
    changes = with_app("oauth_config", "scopes", "bot", value=scopes, reasons=reasons)
    SlackSettings.model_validate({**SETTINGS, **changes})


def test_no_default_and_no_order_is_a_difference() -> None:
    written = copy.deepcopy(GOOD)
    written["oauth_config"]["scopes"]["bot"] = ["chat:write", "app_mentions:read"]
    exported = copy.deepcopy(written)
    exported["oauth_config"]["scopes"]["bot"].reverse()
    exported["settings"] |= {"org_deploy_enabled": False, "token_rotation_enabled": False}
    exported["_metadata"] = {"major_version": 1}
    assert comparable(written) == comparable(exported)
    exported["oauth_config"]["redirect_urls"] = ["https://elsewhere.example.com"]
    assert comparable(written) != comparable(exported), "where people are sent with a code is no detail"
    assert sendable(comparable(written)) == {
        **written,
        "oauth_config": {"scopes": {"bot": ["app_mentions:read", "chat:write"]}},
        "settings": {
            **written["settings"],
            "org_deploy_enabled": False,
            "socket_mode_enabled": False,
            "token_rotation_enabled": False,
        },
    }, "empty lists are not sent: Slack refuses some"


def test_members_are_ids_of_groups_that_have_theirs_and_addresses_of_people(deploy: Deploy) -> None:
    channel = {"name": "a", "members": {"people": ["ada@payready.com"], "usergroups": ["platform"], "mode": "exact"}}
    group = {"handle": "p", "name": "P", "members": {"people": ["grace@payready.com"]}}
    deployment = run(deploy, channels={"alerts": channel}, usergroups={"platform": group})
    inputs = deployment.one("ChannelMembers").inputs
    assert (inputs["channel"], inputs["people"], inputs["exact"]) == ("id-of-alerts", ["ada@payready.com"], True)
    assert inputs["usergroups"] == ["id-of-platform.members"], "only once its members are in it"
    assert deployment.one("UserGroupMembers").inputs["exact"] is False


def test_an_app_that_exists_is_taken_over_and_its_secret_is_what_people_know(
    deploy: Deploy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLACK_SIGNING_SECRET", "hunter2")
    secret = {"environment": "SLACK_SIGNING_SECRET"}
    deployment = run(deploy, **with_app(app_id="A0123ABCDEF", signing_secret=secret))
    inputs = deployment.one("ExistingApp").inputs
    assert (inputs["app_id"], inputs["adopt"]) == ("A0123ABCDEF", True)


def test_every_scope_that_the_stacks_bot_needs_serves_a_method_that_it_calls() -> None:
    """The table of what the bot needs, held against the methods that the provider calls."""
    calls = [call for resource in resources_of("slack") for call in resource.kind.calls.every()]
    called = {call.path.strip("/") for call in calls if isinstance(call, Call)} & METHODS.keys()
    called |= {
        "conversations.join",
        "users.info",
        "users.lookupByEmail",
        "bookmarks.edit",
        "bookmarks.list",
        "usergroups.users.update",
    }
    everything = provisioning(channels=True, private=True, members=True, bookmarks=True, usergroups=True)
    assert everything - {"chat:write"} <= serving(called)
    assert all(everything.intersection(METHODS[name]) for name in called if METHODS[name])
