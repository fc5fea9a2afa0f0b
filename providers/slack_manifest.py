"""App manifests: what Slack would refuse, told before it is asked; and the form in which two of them can be compared.

Source of facts: docs.slack.dev (app manifest reference, apps.manifest.*), SchemaStore's slack-app-manifest.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from providers.base import Json
from providers.base.calls import at
from providers.base.inputs import has_unknown, merged
from providers.slack_scopes import EVENTS, FEATURES, METHODS, TOGETHER

Mistakes = Iterator[tuple[str, str]]

_SCOPES = {"bot": "oauth_config.scopes.bot", "user": "oauth_config.scopes.user"}
_EVENTS = {"bot": "settings.event_subscriptions.bot_events", "user": "settings.event_subscriptions.user_events"}
_SETS = (
    *_SCOPES.values(),
    *_EVENTS.values(),
    "oauth_config.redirect_urls",
    "features.unfurl_domains",
    "settings.allowed_ip_address_ranges",
)
"""Lists whose order means nothing, and which Slack gives back in its own."""

_WATCHED = (
    *_SCOPES.values(),
    *_EVENTS.values(),
    "oauth_config.redirect_urls",
    "features.slash_commands",
    "features.shortcuts",
)
"""Lists that are empty where nothing is said: what somebody adds to them by hand widens what the app may do."""

_SWITCHES = ("org_deploy_enabled", "socket_mode_enabled", "token_rotation_enabled")


def comparable(manifest: Any) -> Any:
    """A manifest with what it means without saying it, so that no default and no order is a difference."""
    if not isinstance(manifest, Mapping) or has_unknown(manifest):
        return manifest
    said: Json = {name: part for name, part in manifest.items() if name != "_metadata"}
    for path in _WATCHED:
        said = merged(_at_path(path, []), said)
    said = merged({"settings": dict.fromkeys(_SWITCHES, False)}, said)
    for path in _SETS:
        items = at(said, path)
        if isinstance(items, list) and all(isinstance(item, str) for item in items):
            said = merged(said, _at_path(path, sorted(set(items))))
    return said


def sendable(manifest: Mapping[str, Any]) -> Json:
    """A manifest without empty lists and mappings, which Slack refuses in some places and needs in none."""
    found: Json = _without_empty(manifest)
    return found


def app_mistakes(manifest: Mapping[str, Any]) -> Mistakes:
    """What Slack would refuse, each with its place: a dotted path within the manifest."""
    if not isinstance(manifest.get("display_information"), Mapping) or not manifest["display_information"].get("name"):
        yield "", "must have display_information.name"
    odd = [path for path in (*_SETS, *_WATCHED) if not isinstance(at(manifest, path) or [], list)]
    yield from ((path, "must be a list") for path in dict.fromkeys(odd))
    if odd:
        return
    for whose, path in _EVENTS.items():
        yield from _event_mistakes(manifest, whose, path)
    yield from _feature_mistakes(manifest)
    yield from _address_mistakes(manifest)
    for path in _SCOPES.values():
        scopes = at(manifest, path) or []
        for scope in scopes:
            if scope in TOGETHER and TOGETHER[scope] not in scopes:
                yield path, f"{scope} is given together with {TOGETHER[scope]} only: add that one"
    bot = at(manifest, _SCOPES["bot"]) or at(manifest, _EVENTS["bot"])
    if bot and not at(manifest, "features.bot_user.display_name"):
        yield "features.bot_user", "is missing: scopes and events of a bot need one, with a display_name"


def superfluous_scopes(
    manifest: Mapping[str, Any], methods: Iterable[str], also: Iterable[str] = ()
) -> Iterator[tuple[str, str]]:
    """The scopes that neither an event, a feature nor one of the methods needs, nor ``also`` has; each with its place."""
    methods, also = list(methods), set(also)
    features = {scope for name in at(manifest, "features") or {} for scope in FEATURES.get(name, ())}
    called = {scope for name in methods for scope in METHODS.get(name, ())}
    for whose, path in _SCOPES.items():
        scopes = set(at(manifest, path) or [])
        events = {scope for name in at(manifest, _EVENTS[whose]) or [] for scope in EVENTS.get(name, ())}
        used = events | called | also | (features if whose == "bot" else set())
        used |= {TOGETHER[scope] for scope in used & scopes & TOGETHER.keys()}
        yield from ((path, scope) for scope in sorted(scopes - used))


def missing_scopes(manifest: Mapping[str, Any], methods: Iterable[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The methods that the app could not call, with the scopes of which it would need one."""
    scopes = {scope for path in _SCOPES.values() for scope in at(manifest, path) or []}
    for name in methods:
        needed = METHODS.get(name, ())
        if needed and not scopes.intersection(needed):
            yield name, needed


def scopes_of(manifest: Mapping[str, Any], whose: str = "bot") -> list[str]:
    """The scopes that a manifest asks for, of the ``bot`` or the ``user``."""
    return list(at(manifest, _SCOPES[whose]) or [])


def _event_mistakes(manifest: Mapping[str, Any], whose: str, path: str) -> Mistakes:
    scopes = set(at(manifest, _SCOPES[whose]) or [])
    for event in at(manifest, path) or []:
        needed = EVENTS.get(event, ())
        if needed and not scopes.intersection(needed):
            yield path, f"{event} needs the scope {' or '.join(needed)} in {_SCOPES[whose]}"


def _feature_mistakes(manifest: Mapping[str, Any]) -> Mistakes:
    scopes = set(at(manifest, _SCOPES["bot"]) or [])
    for name, needed in FEATURES.items():
        if at(manifest, f"features.{name}") and not scopes.intersection(needed):
            yield f"features.{name}", f"needs the scope {' or '.join(needed)} in {_SCOPES['bot']}"


def _address_mistakes(manifest: Mapping[str, Any]) -> Mistakes:
    """Without socket mode Slack must know where to send what happens; it sends over HTTPS only."""
    settings = manifest.get("settings") or {}
    socket = bool(settings.get("socket_mode_enabled"))
    events, interactivity = settings.get("event_subscriptions") or {}, settings.get("interactivity") or {}
    commands = at(manifest, "features.slash_commands") or []
    told = bool(events.get("bot_events") or events.get("user_events"))
    places = [
        ("settings.event_subscriptions.request_url", events.get("request_url"), told),
        ("settings.interactivity.request_url", interactivity.get("request_url"), bool(interactivity.get("is_enabled"))),
        *((f"features.slash_commands[{n}].url", command.get("url"), True) for n, command in enumerate(commands)),
    ]
    for path, address, is_needed in places:
        if is_needed and not address and not socket:
            yield path, "is missing: Slack must know where to send what happens, or socket_mode_enabled must be true"
        elif isinstance(address, str) and not address.startswith("https://"):
            yield path, "must begin with https://: Slack sends nothing over an open line"
    if at(manifest, "features.shortcuts") and not interactivity.get("is_enabled"):
        yield "features.shortcuts", "need settings.interactivity.is_enabled: a shortcut is told by an interaction"
    for number, command in enumerate(commands):
        if not str(command.get("command", "")).startswith("/"):
            yield f"features.slash_commands[{number}].command", "must begin with a slash"


def _at_path(path: str, value: Any) -> Json:
    first, _, rest = path.partition(".")
    return {first: _at_path(rest, value) if rest else value}


def _without_empty(value: Any) -> Any:
    if isinstance(value, Mapping):
        parts = {name: _without_empty(part) for name, part in value.items()}
        return {name: part for name, part in parts.items() if part not in ({}, [])}
    return [_without_empty(item) for item in value] if isinstance(value, list) else value
