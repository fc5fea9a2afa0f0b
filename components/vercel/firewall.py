"""What the stack file says about a project's firewall, and how the official package wants to have it said."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from components.explain import Mistake
from components.settings import Key, Settings

if TYPE_CHECKING:
    import pulumiverse_vercel as vercel

Action = Literal["log", "challenge", "deny", "bypass"]
Condition = Literal[
    "path", "target_path", "host", "method", "header", "query", "cookie", "ip_address", "user_agent", "geo_country",
    "geo_continent", "geo_as_number", "environment", "protocol",
]  # fmt: skip
Operator = Literal["eq", "neq", "pre", "suf", "sub", "re", "ex", "nex", "inc", "ninc"]


class ConditionSettings(Settings):
    """``what`` of a request, ``compared`` (in Vercel's words) with ``value``, or with ``values`` for ``inc`` and ``ninc``.

    ``key`` names the header, the cookie or the parameter.
    """

    what: Condition
    compared: Operator = "eq"
    key: str | None = None
    value: str | None = None
    values: tuple[str, ...] = ()

    def check(self) -> Iterator[Mistake]:
        """A value, several of them, or none, as the comparison has it; a key where there are many of a kind."""
        if self.compared in ("inc", "ninc"):
            if not self.values or self.value is not None:
                yield Mistake(("values",), f"is what {self.compared} compares with, and `value` is left out")
        elif self.compared in ("ex", "nex"):
            if self.value is not None or self.values:
                yield Mistake(("value",), f"is left out with {self.compared}")
        elif self.value is None or self.values:
            yield Mistake(("value",), f"is what {self.compared} compares with, and `values` is left out")
        if (self.key is None) == (self.what in ("header", "query", "cookie")):
            yield Mistake(("key",), "is the name of a header, a query parameter or a cookie, and of nothing else")


class RateLimitSettings(Settings):
    """So many requests from one client in ``seconds``; those beyond are answered by 429."""

    requests: Annotated[int, Field(ge=1, le=10_000_000)]
    seconds: Annotated[int, Field(ge=10, le=3600)]
    each: Annotated[tuple[Literal["ip", "ja4"], ...], Field(min_length=1)] = ("ip",)


class RuleSettings(Settings):
    """A rule of one's own: what it does with requests that all the conditions in ``when`` fit."""

    description: Annotated[str, Field(max_length=260)] = ""
    active: bool = True
    when: Annotated[tuple[ConditionSettings, ...], Field(min_length=1)]
    action: Action | None = None
    rate_limit: RateLimitSettings | None = None

    def check(self) -> Iterator[Mistake]:
        """One of the two."""
        if (self.action is None) == (self.rate_limit is None):
            yield Mistake((), "must give one of `action` and `rate_limit`")


class FirewallSettings(Settings):
    """Vercel's firewall of a project, as a whole. ``block`` has addresses or CIDR ranges, each with a note.

    ``bots`` and ``ai_crawlers`` are Vercel's managed rulesets. Its OWASP ruleset needs Enterprise, and is not here.
    """

    rules: dict[Key, RuleSettings] = Field(default_factory=dict)
    block: dict[str, str] = Field(default_factory=dict)
    bots: Literal["log", "challenge", "deny"] | None = None
    ai_crawlers: Literal["log", "deny"] | None = None

    def check(self) -> Iterator[Mistake]:
        """Addresses are addresses."""
        for address in self.block:
            try:
                ipaddress.ip_network(address)
            except ValueError as error:
                yield Mistake(("block", address), f"is no address and no CIDR range: {error}")

    def rules_of_package(self) -> vercel.FirewallConfigRulesArgsDict | None:
        return {"rules": [_rule(key, rule) for key, rule in self.rules.items()]} if self.rules else None

    def blocks_of_package(self) -> vercel.FirewallConfigIpRulesArgsDict | None:
        if not self.block:
            return None
        blocked: list[vercel.FirewallConfigIpRulesRuleArgsDict] = [
            {"action": "deny", "hostname": "*", "ip": address, "notes": note} for address, note in self.block.items()
        ]
        return {"rules": blocked}

    def managed_of_package(self) -> vercel.FirewallConfigManagedRulesetsArgsDict | None:
        managed: vercel.FirewallConfigManagedRulesetsArgsDict = {}
        if self.bots:
            managed["bot_protection"] = {"active": True, "action": self.bots}
        if self.ai_crawlers:
            managed["ai_bots"] = {"active": True, "action": self.ai_crawlers}
        return managed or None


def _rule(key: str, rule: RuleSettings) -> vercel.FirewallConfigRulesRuleArgsDict:
    action: vercel.FirewallConfigRulesRuleActionArgsDict = {"action": rule.action or "rate_limit"}
    if rule.rate_limit:
        action["rate_limit"] = {
            "action": "rate_limit",
            "algo": "fixed_window",
            "keys": list(rule.rate_limit.each),
            "limit": rule.rate_limit.requests,
            "window": rule.rate_limit.seconds,
        }
    made: vercel.FirewallConfigRulesRuleArgsDict = {
        "name": key,
        "active": rule.active,
        "action": action,
        "condition_groups": [{"conditions": [_condition(condition) for condition in rule.when]}],
    }
    if rule.description:
        made["description"] = rule.description
    return made


def _condition(condition: ConditionSettings) -> vercel.FirewallConfigRulesRuleConditionGroupConditionArgsDict:
    made: vercel.FirewallConfigRulesRuleConditionGroupConditionArgsDict = {
        "type": condition.what,
        "op": condition.compared,
    }
    if condition.key is not None:
        made["key"] = condition.key
    if condition.value is not None:
        made["value"] = condition.value
    if condition.values:
        made["values"] = list(condition.values)
    return made
