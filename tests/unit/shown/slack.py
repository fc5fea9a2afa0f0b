"""An object of every kind of Slack's: as it is asked for, and as Slack shows it."""

from __future__ import annotations

from providers import slack
from tests.unit.shown.example import OURS, Examples

SHOWN: Examples = {
    "slack channel": (
        slack.Channel,
        {"name": "sophia-alerts", "purpose": "What broke", "topic": "now"},
        {
            "id": "x",
            "name": "sophia-alerts",
            "is_private": False,
            "is_archived": False,
            "is_member": True,
            "created": 1764000000,
            "purpose": {"value": f"What broke {OURS}", "creator": "U1", "last_set": 1764000000},
            "topic": {"value": "now", "creator": "U1", "last_set": 1764000000},
            "previous_names": [],
        },
        "x",
    ),
    "slack user group": (
        slack.UserGroup,
        {"handle": "sophia", "name": "Sophia", "description": "Who helps", "channels": ["C2", "C1"]},
        {
            "id": "x",
            "handle": "sophia",
            "name": "Sophia",
            "description": f"Who helps {OURS}",
            "date_delete": 0,
            "prefs": {"channels": ["C1", "C2"], "groups": []},
            "users": ["U1"],
        },
        "x",
    ),
    "slack bookmark": (
        slack.Bookmark,
        {"channel_id": "C1", "title": "Runbook", "link": "https://payready.com/runbook", "emoji": ":books:"},
        {
            "id": "Bk1",
            "channel_id": "C1",
            "title": "Runbook",
            "link": "https://payready.com/runbook",
            "emoji": ":books:",
            "icon_url": None,
            "type": "link",
            "date_created": 1764000000,
        },
        "C1/Runbook",
    ),
    "slack existing app": (
        slack.ExistingApp,
        {"app_id": "A0123ABCDEF", "manifest": {"display_information": {"name": "Sophia"}}},
        {"manifest": {"display_information": {"name": "Sophia"}, "settings": {"org_deploy_enabled": False}}},
        "A0123ABCDEF",
    ),
    "slack app": (
        slack.App,
        {"manifest": {"display_information": {"name": "Sophia"}, "features": {"bot_user": {"display_name": "s"}}}},
        {
            "manifest": {
                "features": {"bot_user": {"display_name": "s", "always_online": False}},
                "display_information": {"name": "Sophia"},
                "settings": {"org_deploy_enabled": False},
            }
        },
        "x",
    ),
}
