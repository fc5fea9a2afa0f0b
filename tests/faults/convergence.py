"""A small estate on three platforms, and whether platforms, state and settings agree about it, object by object.

What is expected is worked out from the settings alone, and compared with what the sandbox's control API says exists:
nothing of the providers' own code is asked.
"""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sophia.backend import surroundings
from tests.small_estate import GONG

if TYPE_CHECKING:
    from tests.engine.conftest import Checkout

Settings = dict[str, Any]

PASSWORD = "planted-password-of-the-warehouse"
VARIABLES = {"PLANTED_PASSWORD": {"fn::secret": PASSWORD}}

ESTATE: Settings = {
    "airbyte": {
        "workspace": {"name": "sophia-dev"},
        "sources": {"gong": GONG},
        "destinations": {
            "warehouse": {
                "name": "Warehouse",
                "type": "snowflake",
                "configuration": {
                    "host": "payready-test.snowflakecomputing.com",
                    "role": "LOADER",
                    "warehouse": "WH",
                    "database": "RAW",
                    "schema": "PUBLIC",
                    "username": "LOADER",
                    "credentials": {"auth_type": "Username and Password"},
                },
                "secrets": {"credentials.password": {"environment": "PLANTED_PASSWORD"}},
            }
        },
        "connections": {
            "gong-to-raw": {
                "name": "Gong to raw",
                "source": "gong",
                "destination": "warehouse",
                "cron": "0 0 * * * ?",
                "prefix": "gong_",
            }
        },
    },
    "openrouter": {
        "workspace": {"slug": "sophia-dev", "name": "Sophia dev"},
        "guardrails": {"default": {"name": "Default", "models": ["openai/gpt-5.2"]}},
        "keys": {"web": {"name": "Web app", "limit_usd": 40, "guardrail": "default"}},
    },
    "slack": {"channels": {"alerts": {"name": "sophia-dev-alerts", "purpose": "What broke", "topic": "Alerts"}}},
}
"""One of each: containers, what is in them, references, a secret that goes in and one that comes out once."""


def _changed() -> Settings:
    changed = copy.deepcopy(ESTATE)
    airbyte, openrouter, slack = changed["airbyte"], changed["openrouter"], changed["slack"]
    airbyte["sources"]["gong"]["configuration"]["start_date"] = "2026-01-01T00:00:00Z"
    airbyte["destinations"]["lake"] = airbyte["destinations"].pop("warehouse") | {"name": "Lake"}
    airbyte["connections"]["gong-to-raw"]["destination"] = "lake"
    openrouter["guardrails"]["default"]["models"] = ["anthropic/claude-sonnet-4.5", "openai/gpt-5.2"]
    openrouter["keys"]["web"]["expires_at"] = "2031-01-01T00:00:00Z"
    slack["channels"]["alerts"]["purpose"] = "What breaks"
    return changed


CHANGED = _changed()
"""The same after a change of every sort: updates, replacements of what others refer to, one that is made and one that goes.

The key can only be replaced, and with it what puts it under its guardrail; so can the connection, whose destination
is another one.
"""

_MASK = "**********"
_OURS = "(managed by sophia-ai/dev)"
_SECRET = "1b47061264138c4ac30d75fd1eb44270"


@dataclass(frozen=True)
class Id:
    """Stands for the id that the state has of another resource."""

    of: str


def _own_key(key: str, _document: Mapping[str, Any]) -> str:
    return key


@dataclass(frozen=True)
class Wanted:
    """One live object: where, with which members (others are the platform's own affair)."""

    platform: str
    kind: str
    members: Mapping[str, Any]
    identity: Callable[[str, Mapping[str, Any]], str] = _own_key


def wanted(settings: Settings) -> dict[str, Wanted]:
    """The objects that the settings ask for, by module, class and logical name of their resources."""
    makers = {"airbyte": _airbyte, "openrouter": _openrouter, "slack": _slack}
    return {name: one for platform, mine in settings.items() for name, one in makers[platform](mine)}


def _airbyte(settings: Settings) -> Iterator[tuple[str, Wanted]]:
    within = {"workspaceId": Id("airbyte:Workspace::workspace")}
    yield "airbyte:Workspace::workspace", Wanted("airbyte", "workspace", {"name": settings["workspace"]["name"]})
    for kind in ("source", "destination"):
        for key, actor in settings.get(f"{kind}s", {}).items():
            members = {"name": actor["name"], f"{kind}Type": actor["type"], "configuration": _masked(actor), **within}
            yield f"airbyte:{kind.title()}::{key}", Wanted("airbyte", kind, members)
    for key, connection in settings.get("connections", {}).items():
        members = {
            "name": connection["name"],
            "sourceId": Id(f"airbyte:Source::{connection['source']}"),
            "destinationId": Id(f"airbyte:Destination::{connection['destination']}"),
            "schedule": {"scheduleType": "cron", "cronExpression": f"{connection['cron']} UTC"},
            "prefix": connection["prefix"],
            "status": "active",
            **within,
        }
        yield f"airbyte:Connection::{key}", Wanted("airbyte", "connection", members)


def _masked(actor: Settings) -> Settings:
    configuration: Settings = json.loads(json.dumps(actor["configuration"]))
    for place in actor["secrets"]:
        *parents, leaf = place.split(".")
        branch = configuration
        for parent in parents:
            branch = branch[parent]
        branch[leaf] = _MASK
    return configuration


def _openrouter(settings: Settings) -> Iterator[tuple[str, Wanted]]:
    within = {"workspace_id": Id("openrouter:Workspace::workspace")}
    workspace = settings["workspace"]
    members = {"slug": workspace["slug"], "name": workspace["name"], "description": _OURS}
    yield "openrouter:Workspace::workspace", Wanted("openrouter", "workspace", members)
    for key, guardrail in settings.get("guardrails", {}).items():
        members = {"name": guardrail["name"], "allowed_models": guardrail["models"], "description": _OURS}
        yield f"openrouter:Guardrail::{key}", Wanted("openrouter", "guardrail", members)
    for key, made in settings.get("keys", {}).items():
        members = {
            "name": f"{made['name']} {_OURS}",
            "limit": made["limit_usd"],
            "limit_reset": "monthly",
            "disabled": False,
            "expires_at": made.get("expires_at"),
            **within,
        }
        yield f"openrouter:ApiKey::{key}", Wanted("openrouter", "key", members)
        if "guardrail" in made:
            members = {
                "guardrail_id": Id(f"openrouter:Guardrail::{made['guardrail']}"),
                "key_hash": Id(f"openrouter:ApiKey::{key}"),
            }
            yield (
                f"openrouter:GuardrailKey::{key}",
                Wanted("openrouter", "assignment", members, lambda key, found: f"{found['guardrail_id']}/{key}"),
            )


def _slack(settings: Settings) -> Iterator[tuple[str, Wanted]]:
    for key, channel in settings.get("channels", {}).items():
        members = {
            "name": channel["name"],
            "purpose": {"value": f"{channel['purpose']} {_OURS}"},
            "topic": {"value": channel["topic"]},
            "is_private": False,
        }
        yield f"slack:Channel::{key}", Wanted("slack", "channel", members)


def _alive(platform: str, kind: str, document: Mapping[str, Any]) -> bool:
    """Not one of those that the platform has anyway, nor one that it keeps after its deletion."""
    if (platform, kind) == ("openrouter", "model"):
        return False
    if (platform, kind) in (("airbyte", "token"), ("openrouter", "workspace")) and document.get("slug") in (
        None,
        "default",
    ):
        return False
    return not (document.get("deleted") or document.get("is_archived") or document.get("date_delete"))


class Agreement:
    """What the platforms have, what the state knows, what the settings want."""

    def __init__(self, checkout: Checkout, settings: Settings) -> None:
        self.wanted = wanted(settings)
        self.live: dict[tuple[str, str], dict[str, dict[str, Any]]] = {}
        for platform in ("airbyte", "openrouter", "slack"):
            for kind, found in checkout.running.objects(platform).objects.items():
                alive = {key: document for key, document in found.items() if _alive(platform, kind, document)}
                if alive:
                    self.live[platform, kind] = alive
        state = checkout.stack().state()
        self.deployment: dict[str, Any] = (state.document.get("deployment") or {}) if state else {}
        resources = [r for r in self.deployment.get("resources") or [] if "dynamic/" in r["type"]]
        self.state = {_short(resource): resource for resource in resources}
        self.twice = len(resources) - len(self.state)
        self.checkout = checkout

    def complaints(self) -> list[str]:
        """Everything in which they do not agree; empty if all is well."""
        return [*self._names(), *self.strays(), *self._members(), *self._notes(), *self._secrets()]

    def _names(self) -> Iterator[str]:
        for name in self.wanted.keys() - self.state.keys():
            yield f"{name} is not in the state"
        for name in self.state.keys() - self.wanted.keys():
            yield f"{name} is in the state and nobody wants it"

    def strays(self) -> Iterator[str]:
        """What exists and the state does not know, and the reverse: there is none either when a run has failed."""
        places = {(one.platform, one.kind): one.identity for one in self.wanted.values()}
        for place in places.keys() | self.live.keys():
            identity = places.get(place, _own_key)
            live = sorted(identity(key, document) for key, document in self.live.get(place, {}).items())
            known = sorted(
                self.state[name]["id"]
                for name, one in self.wanted.items()
                if (one.platform, one.kind) == place and name in self.state
            )
            if live != known:
                yield f"{'.'.join(place)}: {live} exist, the state knows {known}"

    def _members(self) -> Iterator[str]:
        for name, one in self.wanted.items():
            id_ = self.state.get(name, {}).get("id")
            objects = self.live.get((one.platform, one.kind), {}).items()
            for document in [document for key, document in objects if one.identity(key, document) == id_]:
                for member, value in one.members.items():
                    expected = self.state.get(value.of, {}).get("id") if isinstance(value, Id) else value
                    if not _shows(document.get(member), expected):
                        yield f"{name}: {member} is {document.get(member)!r}, not {expected!r}"

    def _notes(self) -> Iterator[str]:
        """What a run that was cut off leaves in a state."""
        for operation in self.deployment.get("pending_operations") or []:
            yield f"{operation['resource']['urn']} is still noted as {operation['type']}"
        if self.twice:
            yield f"{self.twice} resources are in the state twice"
        for name, resource in self.state.items():
            for mark in ("initErrors", "delete", "taint", "pendingReplacement"):
                if resource.get(mark):
                    yield f"{name} has {mark}: {resource[mark]}"
            if "unfinished" in resource.get("outputs", {}):
                yield f"{name} is unfinished: {resource['outputs']['unfinished']}"

    def _secrets(self) -> Iterator[str]:
        """A secret that is shown once is encrypted, and that of the very object which lives."""
        keys = [name for name in self.wanted if name.startswith("openrouter:ApiKey::") and name in self.state]
        plain = shown_secrets(self.checkout) if keys else {}
        for name in keys:
            kept = self.state[name]["outputs"].get("key")
            if not (isinstance(kept, dict) and _SECRET in kept.values() and kept.get("ciphertext")):
                yield f"{name}: its key is not encrypted in the state"
                continue
            value = json.loads(plain[name]["outputs"]["key"]["plaintext"])
            if hashlib.sha256(value.encode()).hexdigest() != self.state[name]["id"]:
                yield f"{name}: the key in the state is not that of the object which lives"


def shown_secrets(checkout: Checkout) -> dict[str, dict[str, Any]]:
    """The dynamic resources of the state with their secrets in clear."""
    stack = checkout.stack()
    export = ["stack", "export", "--show-secrets", "--stack", stack.full_name]
    exported = checkout.command.execute(export, checkout.directory, surroundings(stack.target)).stdout
    resources = json.loads(exported)["deployment"]["resources"]
    return {_short(resource): resource for resource in resources if "dynamic/" in resource["type"]}


def _short(resource: Mapping[str, Any]) -> str:
    return f"{resource['type'].rpartition('/')[2]}::{resource['urn'].rpartition('::')[2]}"


def _shows(live: Any, expected: Any) -> bool:
    """Whether what is shown has what is expected, at every depth."""
    if isinstance(live, dict) and isinstance(expected, dict):
        return all(_shows(live.get(key), value) for key, value in expected.items())
    return bool(live == expected)
