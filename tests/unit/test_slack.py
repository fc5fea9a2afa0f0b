"""Slack: channels, groups and apps from data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError

from components.slack import Slack, SlackSettings

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
