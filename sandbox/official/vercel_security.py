"""Vercel's firewall, and what of the team the package has that our own provider manages instead: webhooks, tokens, drains.

Sources: vercel/terraform-provider-vercel and Vercel's documentation of the firewall's limits by plan.
"""

from __future__ import annotations

import ipaddress
import secrets
import time
from collections.abc import Collection, Iterator
from typing import Any

from sandbox.official.behaviour import Draft, Kind, Reference, paths, random_id, text
from sandbox.official.types import Failure
from sandbox.official.values import Properties, is_unknown
from sandbox.official.vercel_projects import (
    PROJECT,
    TEAM,
    account,
    named_in_team,
    of_project,
    of_team,
    team_refusals,
    words,
)

FIREWALL = "vercel:index/firewallConfig:FirewallConfig"
WEBHOOK = "vercel:index/webhook:Webhook"
USER_TOKEN = "vercel:index/userToken:UserToken"  # noqa: S105 - a type's name
LOG_DRAIN = "vercel:index/logDrain:LogDrain"

WEBHOOKS_LIMIT = 20
TOKEN_CHARACTERS = 24

_RULES = {"hobby": 3, "pro": 40, "enterprise": 1000}
_BLOCKED = {"hobby": 10, "pro": 100, "enterprise": 1000}
_ACTIONS = frozenset({"bypass", "log", "challenge", "deny", "rate_limit", "redirect"})
_MANAGED = frozenset({"log", "challenge", "deny"})
_CONDITIONS = words(
    "host path method header query cookie target_path ip_address region protocol scheme environment user_agent "
    "geo_continent geo_country geo_country_region geo_city geo_as_number ja4_digest ja3_digest rate_limit_api_id"
)
_OPERATORS = words("re eq neq ex nex inc ninc pre suf sub gt gte lt lte")
_SOURCES = frozenset({"static", "edge", "external", "build", "lambda", "firewall", "redirect"})


def _objects(value: Any, *path: str) -> list[Properties]:
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _expected(found: Any, expected: Collection[str], where: str) -> Iterator[Failure]:
    if not is_unknown(found) and found not in expected:
        yield Failure(where, f"expected one of {', '.join(sorted(expected))}")


def _firewall_failures(properties: Properties) -> Iterator[Failure]:
    for index, rule in enumerate(_objects(properties, "rules", "rules")):
        where = f"rules.rules[{index}]"
        if not 0 < len(text(rule, "name")) <= 160:
            yield Failure(f"{where}.name", "string length must be between 1 and 160")
        if len(text(rule, "description")) > 260:
            yield Failure(f"{where}.description", "string length must be at most 260")
        action = text(rule, "action", "action")
        yield from _expected(action, _ACTIONS, f"{where}.action.action")
        if action == "rate_limit" and "rateLimit" not in rule["action"]:
            yield Failure(f"{where}.action.rateLimit", "is required for the action rate_limit")
        if action == "redirect" and "redirect" not in rule["action"]:
            yield Failure(f"{where}.action.redirect", "is required for the action redirect")
        for group in _objects(rule, "conditionGroups"):
            for condition in _objects(group, "conditions"):
                yield from _condition_failures(condition, f"{where}.conditionGroups")
    for index, rule in enumerate(_objects(properties, "ipRules", "rules")):
        allowed = _ACTIONS - {"rate_limit", "redirect"}
        yield from _expected(rule.get("action"), allowed, f"ipRules.rules[{index}].action")


def _condition_failures(condition: Properties, where: str) -> Iterator[Failure]:
    yield from _expected(condition.get("type"), _CONDITIONS, f"{where}.type")
    operator = condition.get("op")
    yield from _expected(operator, _OPERATORS, f"{where}.op")
    if "value" in condition and "values" in condition:
        yield Failure(f"{where}.value", "conflicts with values")
    if operator in ("inc", "ninc") and "values" not in condition:
        yield Failure(f"{where}.values", f"is required for the operator {operator}")


def _firewall_refusals(draft: Draft) -> Iterator[str]:
    yield from team_refusals(draft)
    plan = account(draft)["plan"]
    rules, blocked = _objects(draft.asked, "rules", "rules"), _objects(draft.asked, "ipRules", "rules")
    if len(rules) > _RULES[plan]:
        yield f"firewall_rules_limit - The plan {plan} allows {_RULES[plan]} custom rules for a project"
    if len(blocked) > _BLOCKED[plan]:
        yield f"firewall_ips_limit - The plan {plan} allows {_BLOCKED[plan]} IP rules for a project"
    managed = draft.asked.get("managedRulesets") or {}
    if managed.get("owasp") and plan != "enterprise":
        yield "forbidden - The OWASP core ruleset is available on the plan Enterprise only"
    for name in ("botProtection", "aiBots"):
        action = text(managed, name, "action")
        if action and action not in _MANAGED:
            yield f"bad_request - managedRules.{name}.action: expected one of {', '.join(sorted(_MANAGED))}"
    for rule in blocked:
        try:
            ipaddress.ip_network(text(rule, "ip"), strict=False)
        except ValueError:
            yield f"bad_request - ips: {text(rule, 'ip')} is no IP address and no CIDR range"


def _firewall_fill(draft: Draft) -> Properties:
    return {"teamId": TEAM, "enabled": True, "id": draft.id}


def _attack_failures(properties: Properties) -> Iterator[Failure]:
    until = properties.get("attackModeActiveUntil")
    if isinstance(until, int) and until < 0:
        yield Failure("attackModeActiveUntil", "value must be at least 0")


def _of_projects(properties: Properties) -> Iterator[Reference]:
    projects = properties.get("projectIds")
    for project in projects if isinstance(projects, list) else ():
        yield Reference(PROJECT, (str(project),), f"bad_request - Project not found: {project}")


def _webhook_refusals(draft: Draft) -> Iterator[str]:
    yield from team_refusals(draft)
    if not text(draft.asked, "endpoint").startswith(("https://", "http://")):
        yield "bad_request - Invalid request: `url` should match pattern ^https?://"
    if account(draft)["plan"] == "hobby":
        yield "forbidden - Webhooks are available on the plans Pro and Enterprise"
    if len(draft.others()) >= WEBHOOKS_LIMIT:
        yield f"webhooks_limit - A team can have {WEBHOOKS_LIMIT} webhooks"


def _token_fill(draft: Draft) -> Properties:
    made = int(time.time() * 1000)
    return {
        "id": draft.id,
        "type": "token",
        "origin": "manual",
        "createdAt": draft.kept("createdAt", lambda: made),
        "activeAt": made,
        "bearerToken": f"sandbox{random_id(TOKEN_CHARACTERS)}",
    }


def _token_failures(properties: Properties) -> Iterator[Failure]:
    if len(text(properties, "name")) > 256:
        yield Failure("name", "string length must be at most 256")
    expires = properties.get("expiresAt")
    if isinstance(expires, int) and expires < 1:
        yield Failure("expiresAt", "value must be at least 1")


def _token_refusals(draft: Draft) -> Iterator[str]:
    yield from team_refusals(draft)
    expires = draft.asked.get("expiresAt")
    if expires is not None and expires <= time.time() * 1000:
        yield "bad_request - Invalid request: `expiresAt` must be in the future"


def _drain_failures(properties: Properties) -> Iterator[Failure]:
    yield from _expected(properties.get("deliveryFormat"), ("json", "ndjson"), "deliveryFormat")
    for name, expected in (("sources", _SOURCES), ("environments", frozenset({"production", "preview"}))):
        found = properties.get(name)
        for item in found if isinstance(found, list) else ():
            yield from _expected(item, expected, name)
        if found == []:
            yield Failure(name, "must have at least one element")
    rate = properties.get("samplingRate")
    if isinstance(rate, int | float) and not 0 <= rate <= 1:
        yield Failure("samplingRate", "value must be between 0 and 1")
    secret = text(properties, "secret")
    if secret and not is_unknown(secret) and len(secret) < 32:
        yield Failure("secret", "string length must be at least 32")
    headers = properties.get("headers")
    if isinstance(headers, dict) and len(headers) > 5:
        yield Failure("headers", "must have at most 5 elements")


KINDS = {
    FIREWALL: Kind(
        identity=lambda properties: (text(properties, "projectId"),),
        make_id=of_team,
        import_ids=named_in_team("projectId"),
        duplicate=None,
        references=of_project,
        replaces=paths("projectId", "teamId"),
        fill=_firewall_fill,
        validate=_firewall_failures,
        refusals=_firewall_refusals,
    ),
    "vercel:index/attackChallengeMode:AttackChallengeMode": Kind(
        identity=lambda properties: (text(properties, "projectId"),),
        make_id=lambda properties: text(properties, "projectId"),
        duplicate=None,
        references=of_project,
        replaces=paths("projectId", "teamId"),
        fill=lambda _: {"teamId": TEAM},
        validate=_attack_failures,
        refusals=team_refusals,
    ),
    WEBHOOK: Kind(
        identity=lambda properties: (text(properties, "endpoint"),),
        make_id=lambda _: f"account_hook_{random_id(24)}",
        conflicts=lambda _new, _old: False,
        references=_of_projects,
        replaces=paths("endpoint", "events", "projectIds", "teamId"),
        fill=lambda draft: {"teamId": TEAM, "secret": draft.kept("secret", lambda: secrets.token_hex(20))},
        refusals=_webhook_refusals,
        unordered=paths("events", "projectIds"),
        sensitive=paths("secret"),
    ),
    USER_TOKEN: Kind(
        identity=lambda properties: (text(properties, "name"),),
        make_id=lambda _: secrets.token_hex(32),
        conflicts=lambda _new, _old: False,
        replaces=paths("expiresAt", "name", "projectId", "teamId"),
        fill=_token_fill,
        validate=_token_failures,
        refusals=_token_refusals,
        sensitive=paths("bearerToken"),
    ),
    LOG_DRAIN: Kind(
        identity=lambda properties: (text(properties, "name"),),
        make_id=lambda _: f"drn_{random_id(16)}",
        conflicts=lambda _new, _old: False,
        references=_of_projects,
        replaces=paths(
            "deliveryFormat",
            "endpoint",
            "environments",
            "headers",
            "name",
            "projectIds",
            "samplingRate",
            "secret",
            "sources",
            "teamId",
        ),
        fill=lambda draft: {"teamId": TEAM, "secret": draft.kept("secret", lambda: secrets.token_hex(20))},
        validate=_drain_failures,
        refusals=team_refusals,
        unordered=paths("environments", "projectIds", "sources"),
        sensitive=paths("headers", "secret"),
    ),
}
