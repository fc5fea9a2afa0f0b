"""Who is told by e-mail of what goes wrong, and when a task counts as going wrong."""

from __future__ import annotations

import re
from typing import Any

from graphql import GraphQLError

from sandbox.estuary import access, publications
from sandbox.estuary.identifiers import is_name, is_prefix, new_id, now
from sandbox.estuary.relay import Arguments, Resolver, connection, demand, matching
from sandbox.http import Call, merged
from sandbox.store import Document

_PAGE = 50
_EMAIL = re.compile(r"[^@\s<>]+@[^@\s<>.]+(\.[^@\s<>.]+)+")
_TYPES: dict[str, tuple[str, bool, bool]] = {
    "auto_discover_failed": ("Auto-Discovery Failed", False, False),
    "background_publication_failed": ("Background Publication Failed", False, False),
    "data_movement_stalled": ("Data Movement Stalled", True, False),
    "free_trial": ("Free Trial", True, True),
    "free_trial_ending": ("Free Trial Ending", True, True),
    "free_trial_stalled": ("Free Trial Stalled", True, True),
    "missing_payment_method": ("Missing Payment Method", True, True),
    "shard_failed": ("Task Failed", True, False),
    "task_auto_disabled_failing": ("Task Auto-Disabled (Failing)", False, False),
    "task_auto_disabled_idle": ("Task Auto-Disabled (Idle)", False, False),
    "task_chronically_failing": ("Task Chronically Failing", False, False),
    "task_idle": ("Task Idle", False, False),
}
"""By type: its name, whether a subscription that names none has it, and whether it is about the account."""


def list_types(_: Call, __: Arguments) -> list[Document]:
    return [
        {"alertType": kind, "displayName": name, "description": f"{name}.", "isDefault": default, "isSystem": system}
        for kind, (name, default, system) in _TYPES.items()
    ]


def list_subscriptions(call: Call, arguments: Arguments) -> list[Document]:
    prefix = arguments["by"]["prefix"]
    demand(call, prefix)
    return [
        _shown(found) for found in call.store.all("alert_subscription") if found["catalogPrefix"].startswith(prefix)
    ]


def create_subscription(call: Call, arguments: Arguments) -> Document:
    prefix, email = arguments["prefix"], arguments["email"]
    demand(call, prefix)
    if not _EMAIL.fullmatch(email):
        raise GraphQLError(
            "email address is invalid, expected a plain email address like 'foo@bar.test', see: "
            "https://html.spec.whatwg.org/multipage/input.html#valid-e-mail-address"
        )
    if not is_prefix(prefix):
        raise GraphQLError(f"invalid catalog prefix: {prefix}")
    if call.store.latest.get("alert_subscription", f"{prefix} {email}") is not None:
        raise GraphQLError(f"an alert subscription already exists for email '{email}' and prefix '{prefix}'")
    types = arguments.get("alertTypes")
    subscription = {
        "catalogPrefix": prefix,
        "email": email,
        "alertTypes": [kind for kind, about in _TYPES.items() if about[1]] if types is None else types,
        "detail": arguments.get("detail"),
        "createdAt": now(),
        "updatedAt": now(),
    }
    return _shown(call.store.put("alert_subscription", f"{prefix} {email}", subscription))


def update_subscription(call: Call, arguments: Arguments) -> Document:
    """What is left out, or null, stays as it is."""
    demand(call, arguments["prefix"])
    changes = {name: arguments[name] for name in ("alertTypes", "detail") if arguments.get(name) is not None}
    if not changes:
        raise GraphQLError("must provide at least one of: alertTypes, detail")
    key, existing = _subscription(call, arguments)
    return _shown(call.store.put("alert_subscription", key, existing | changes | {"updatedAt": now()}))


def delete_subscription(call: Call, arguments: Arguments) -> Document:
    demand(call, arguments["prefix"])
    key, existing = _subscription(call, arguments)
    call.store.delete("alert_subscription", key)
    return _shown(existing)


def list_configs(call: Call, arguments: Arguments) -> Document:
    readable = {
        config["catalogPrefixOrName"]: config
        for config in call.store.all("alert_config")
        if access.may(call.store, call.caller, "read", config["catalogPrefixOrName"])
    }
    names = matching((arguments.get("filter") or {}).get("catalogPrefixOrName"), sorted(readable))
    shown = [readable[name] | {"effective": _effective(call, name)} for name in names]
    return connection(shown, "catalogPrefixOrName", arguments, _PAGE)


def update_config(call: Call, arguments: Arguments) -> Document:
    """Creates or replaces; a detail that is left out stays."""
    name, config = arguments["catalogPrefixOrName"], arguments["config"]
    governing = name if name.endswith("/") else name[: name.rfind("/") + 1]
    if not (is_prefix(name) if name.endswith("/") else is_name(name)):
        raise GraphQLError(f"invalid catalog {'prefix' if name.endswith('/') else 'name'}: {name}")
    if not isinstance(config, dict):
        raise GraphQLError('Failed to parse "JSON": invalid type, expected struct AlertConfig')
    demand(call, governing)
    if not name.endswith("/") and name not in publications.live(call.store):
        raise GraphQLError(f"catalog task '{name}' does not exist; use a trailing '/' to create a prefix-scoped config")
    kept = call.store.latest.get("alert_config", name)
    fresh: Document = {"id": new_id(), "catalogPrefixOrName": name, "detail": None, "createdAt": now()}
    entry = (kept or fresh) | {"config": config, "updatedAt": now(), "lastModifiedBy": call.caller}
    if arguments.get("detail") is not None:
        entry["detail"] = arguments["detail"]
    call.store.put("alert_config", name, entry)
    return {"id": entry["id"], "catalogPrefixOrName": name, "created": kept is None}


def effective_config(call: Call, arguments: Arguments) -> Document:
    demand(call, arguments["catalogPrefixOrName"], "read")
    return _effective(call, arguments["catalogPrefixOrName"])


def _effective(call: Call, name: str) -> Document:
    """The configurations of all prefixes above and the name's own, the nearest last."""
    layers = [c for c in call.store.latest.all("alert_config") if _governs(c["catalogPrefixOrName"], name)]
    config: Document = {}
    sources: dict[str, str] = {}
    for layer in sorted(layers, key=lambda layer: len(layer["catalogPrefixOrName"])):
        config = merged(config, layer["config"])
        scope: str = layer["catalogPrefixOrName"]
        sources |= dict.fromkeys(_paths(layer["config"]), scope)
    return {"config": config, "provenance": [{"path": path, "source": source} for path, source in sources.items()]}


def _governs(scope: str, name: str) -> bool:
    return scope == name or (scope.endswith("/") and name.startswith(scope))


def _paths(config: Any, above: str = "") -> list[str]:
    if not isinstance(config, dict):
        return [above]
    return [path for name, member in config.items() for path in _paths(member, f"{above}.{name}".strip("."))]


def _subscription(call: Call, arguments: Arguments) -> tuple[str, Document]:
    prefix, email = arguments["prefix"], arguments["email"]
    existing = call.store.latest.get("alert_subscription", f"{prefix} {email}")
    if existing is None:
        raise GraphQLError(f"no alert subscription exists for prefix '{prefix}' and email '{email}'")
    return f"{prefix} {email}", existing


def _shown(subscription: Document) -> Document:
    return subscription | {"destination": f"mailto:{subscription['email']}"}


RESOLVERS: dict[str, Resolver] = {
    "alertTypes": list_types,
    "alertSubscriptions": list_subscriptions,
    "createAlertSubscription": create_subscription,
    "updateAlertSubscription": update_subscription,
    "deleteAlertSubscription": delete_subscription,
    "alertConfigs": list_configs,
    "effectiveAlertConfig": effective_config,
    "updateAlertConfig": update_config,
}
