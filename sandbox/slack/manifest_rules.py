"""What Slack demands of an app manifest (docs.slack.dev/reference/app-manifest), with a pointer for every mistake."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Problem = dict[str, str]

_TYPES = {str: "string", bool: "boolean", int: "integer", list: "array", dict: "object"}


@dataclass(frozen=True)
class _Rule:
    """One member. ``longest`` counts characters, or the members of a list, each of which follows ``items``."""

    type: str = "string"
    required: bool = False
    longest: int | None = None
    shortest: int = 0
    pattern: str = ""
    options: tuple[str, ...] = ()
    members: Mapping[str, _Rule] = field(default_factory=dict)
    items: _Rule | None = None

    def problems(self, pointer: str, value: Any) -> Iterator[Problem]:
        if _TYPES.get(type(value)) != self.type:
            yield _problem(pointer, f"must be {self.type}")
            return
        if self.longest is not None and len(value) > self.longest:
            yield _problem(pointer, f"must not have more than {self.longest} {'items' if self.items else 'characters'}")
        if self.shortest and len(value) < self.shortest:
            yield _problem(pointer, f"must not have fewer than {self.shortest} items")
        if self.pattern and not re.search(self.pattern, value):
            yield _problem(pointer, f"must match pattern {self.pattern}")
        if self.options and value not in self.options:
            yield _problem(pointer, f"must be one of {', '.join(self.options)}")
        if self.items is not None:
            for position, item in enumerate(value):
                yield from self.items.problems(f"{pointer}/{position}", item)
        if self.members:
            yield from self._member_problems(pointer, value)

    def _member_problems(self, pointer: str, value: Mapping[str, Any]) -> Iterator[Problem]:
        for name, rule in self.members.items():
            if name in value:
                yield from rule.problems(f"{pointer}/{name}", value[name])
            elif rule.required:
                yield _problem(f"{pointer}/{name}", f"must have required property '{name}'")
        for name in value:
            if name not in self.members:
                yield _problem(f"{pointer}/{name}", f"must NOT have additional property '{name}'")


_TEXT, _FLAG, _NUMBER = _Rule(), _Rule("boolean"), _Rule("integer")
_URL = _Rule(pattern=r"^https://")


def _object(*, required: bool = False, **members: _Rule) -> _Rule:
    return _Rule("object", required=required, members=members)


def _list(items: _Rule = _TEXT, longest: int | None = None, shortest: int = 0) -> _Rule:
    return _Rule("array", items=items, longest=longest, shortest=shortest)


def _text(longest: int, *, required: bool = False, pattern: str = "") -> _Rule:
    return _Rule(required=required, longest=longest, pattern=pattern)


_SHORTCUT = _object(
    name=_Rule(required=True),
    callback_id=_text(255, required=True),
    description=_text(150, required=True),
    type=_Rule(required=True, options=("message", "global")),
)
_COMMAND = _object(
    command=_text(32, required=True, pattern="^/"),
    description=_text(2000, required=True),
    should_escape=_FLAG,
    url=_URL,
    usage_hint=_text(1000),
)
_MANIFEST = _object(
    _metadata=_object(major_version=_NUMBER, minor_version=_NUMBER),
    display_information=_object(
        required=True,
        name=_text(35, required=True),
        description=_text(140),
        long_description=_text(4000),
        background_color=_Rule(pattern=r"^#(?:[\da-fA-F]{3}){1,2}$"),
    ),
    settings=_object(
        allowed_ip_address_ranges=_list(),
        event_subscriptions=_object(request_url=_URL, bot_events=_list(longest=100), user_events=_list(longest=100)),
        interactivity=_object(
            is_enabled=_Rule("boolean", required=True), request_url=_URL, message_menu_options_url=_URL
        ),
        org_deploy_enabled=_FLAG,
        socket_mode_enabled=_FLAG,
        token_rotation_enabled=_FLAG,
    ),
    features=_object(
        app_home=_object(home_tab_enabled=_FLAG, messages_tab_enabled=_FLAG, messages_tab_read_only_enabled=_FLAG),
        assistant_view=_object(
            assistant_description=_text(300, required=True),
            suggested_prompts=_list(_object(title=_Rule(required=True), message=_Rule(required=True))),
        ),
        bot_user=_object(display_name=_text(80, required=True, pattern=r"^[\w.-]+$"), always_online=_FLAG),
        shortcuts=_list(_SHORTCUT, shortest=1),
        slash_commands=_list(_COMMAND, longest=50, shortest=1),
        unfurl_domains=_list(longest=5),
        workflow_steps=_list(_object(name=_text(50, required=True), callback_id=_text(50, required=True)), 10),
    ),
    oauth_config=_object(
        redirect_urls=_list(longest=1000),
        scopes=_object(bot=_list(longest=255), user=_list(longest=255)),
    ),
)


_CHANNELS = ("channels:read", "groups:read")
EVENT_SCOPES: Mapping[str, tuple[str, ...]] = {
    "app_mention": ("app_mentions:read",),
    "channel_archive": ("channels:read",),
    "channel_created": ("channels:read",),
    "channel_rename": ("channels:read",),
    "file_shared": ("files:read",),
    "link_shared": ("links:read",),
    "member_joined_channel": _CHANNELS,
    "member_left_channel": _CHANNELS,
    "message.channels": ("channels:history",),
    "message.groups": ("groups:history",),
    "message.im": ("im:history",),
    "message.mpim": ("mpim:history",),
    "pin_added": ("pins:read",),
    "reaction_added": ("reactions:read",),
    "reaction_removed": ("reactions:read",),
    "subteam_members_changed": ("usergroups:read",),
    "team_join": ("users:read",),
    "user_change": ("users:read",),
}
"""Of the events that apps mostly want, the scopes of which each needs one; the others are taken without a look."""


def problems(manifest: Mapping[str, Any]) -> list[Problem]:
    """Every mistake in a manifest; those between its parts only once each part is right."""
    return list(_MANIFEST.problems("", manifest)) or list(_inconsistencies(manifest))


def _inconsistencies(manifest: Mapping[str, Any]) -> Iterator[Problem]:
    yield from _scope_problems(manifest)
    settings = manifest.get("settings", {})
    if settings.get("socket_mode_enabled"):
        return
    events, interactivity = settings.get("event_subscriptions", {}), settings.get("interactivity", {})
    if (events.get("bot_events") or events.get("user_events")) and not events.get("request_url"):
        message = "Event Subscription requires either Request URL or Socket Mode Enabled"
        yield _problem("/settings/event_subscriptions", message)
    if interactivity.get("is_enabled") and not interactivity.get("request_url"):
        yield _problem("/settings/interactivity", "Interactivity requires a Request URL")
        yield _problem("/settings/interactivity", "Interactivity requires Socket Mode enabled")
    for position, command in enumerate(manifest.get("features", {}).get("slash_commands", [])):
        if not command.get("url"):
            pointer = f"/features/slash_commands/{position}"
            yield _problem(pointer, "Slash Command requires either a URL or Socket Mode Enabled")


def _scope_problems(manifest: Mapping[str, Any]) -> Iterator[Problem]:
    """What the app wants to hear, and to offer, it must ask for; and who asks for a bot must name it."""
    features, scopes = manifest.get("features", {}), manifest.get("oauth_config", {}).get("scopes", {})
    events = manifest.get("settings", {}).get("event_subscriptions", {})
    for whose in ("bot", "user"):
        asked = set(scopes.get(whose, []))
        for position, event in enumerate(events.get(f"{whose}_events", [])):
            needed = EVENT_SCOPES.get(event)
            if needed and not asked & set(needed):
                pointer = f"/settings/event_subscriptions/{whose}_events/{position}"
                yield _problem(pointer, f"Event {event} requires the scope {' or '.join(needed)}")
    for feature in ("slash_commands", "shortcuts"):
        if features.get(feature) and "commands" not in scopes.get("bot", []):
            yield _problem(f"/features/{feature}", f"{feature} requires the scope commands")
    if scopes.get("bot") and "bot_user" not in features:
        yield _problem("/features/bot_user", "Bot scopes require a bot user")


def _problem(pointer: str, message: str) -> Problem:
    return {"message": message, "pointer": pointer or "/"}
