"""Slack's channels and user groups as settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from components.existing.findings import CannotSayError, Findings, Section, listed
from components.slack import ChannelSettings, SlackSettings, UserGroupSettings
from providers import slack
from providers.base.survey import Found

MODEL = SlackSettings


def existing(findings: Findings, _workspace: str | None) -> None:
    """Two listings; a token is of one workspace. Apps are told as left, whether there are any or not."""
    channels = Section(findings, "channels", ChannelSettings, lambda entry: entry.get("name"))
    channels.take(listed(slack.Channel), lambda found: [found.inputs.get("name")], _channel)

    def group(found: Found, _key: str) -> Mapping[str, Any]:
        return _group(found, channels.keys)

    groups = Section(findings, "usergroups", UserGroupSettings, lambda entry: entry.get("handle"))
    groups.take(listed(slack.UserGroup), lambda found: [found.inputs.get("handle")], group)
    findings.left.append(
        {
            "kind": slack.App.kind.title,
            "id": "",
            "name": "",
            "reason": "Slack lists no apps, and shows their secrets once only: whatever apps exist are not looked at",
        }
    )
    findings.left.append(
        {
            "kind": "members and bookmarks",
            "id": "",
            "name": "",
            "reason": "they are not read; of what has no `members` and no `bookmarks` in the settings they stay as they are",
        }
    )


def _channel(found: Found, _key: str) -> Mapping[str, Any]:
    document, inputs = found.document, found.inputs
    if document.get("is_general"):
        raise CannotSayError("it is the channel that everybody is in, which can be neither archived nor made private")
    if document.get("is_ext_shared") or document.get("is_org_shared"):
        raise CannotSayError("it is shared beyond this workspace, so that it is not this stack's alone to change")
    members = {"name": inputs.get("name"), "private": inputs.get("is_private", False)}
    return members | {name: inputs[name] for name in ("purpose", "topic") if inputs.get(name)}


def _group(found: Found, channels: Mapping[str, str]) -> Mapping[str, Any]:
    inputs = found.inputs
    if found.document.get("is_external"):
        raise CannotSayError("it belongs to another organisation")
    unknown = [channel for channel in inputs.get("channels", []) if channel not in channels]
    if unknown:
        raise CannotSayError(f"its members join channels that are not in the settings: {', '.join(unknown)}")
    members = {"handle": inputs.get("handle"), "name": inputs.get("name"), "description": inputs.get("description", "")}
    return members | {"channels": [channels[channel] for channel in inputs.get("channels", [])]}
