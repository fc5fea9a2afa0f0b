"""What model calls may cost through Portkey, and what they may cost in all: OpenRouter's budget and Portkey's limits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from policies import controls, kinds, places
from policies.cost import monthly
from policies.model import EstatePolicy, Hidden, Policy, Resource, Situation, Violation, items, number

_COST = (controls.SOC2_A1_1,)


def _amount(limit: Any) -> float | None:
    """What a limit lets be spent in a month, in US dollars; None if it is none, or one of tokens."""
    if not isinstance(limit, Mapping) or limit.get("type") != "cost":
        return None
    amount = number(limit.get("credit_limit"))
    return None if amount is None else monthly(amount, limit.get("periodic_reset"))


def _key_limit(resource: Resource, situation: Situation) -> Iterator[Violation]:
    limit, cap = resource.get("usage_limits"), situation.limits.key_usd
    if isinstance(limit, Hidden):
        return
    amount = _amount(limit)
    if amount is None:
        yield Violation(
            resource,
            "would have no spending limit",
            "whoever gets hold of it could spend what the whole workspace may",
            places.setting(resource, "usage_limit"),
            f"give one of type cost, of at most {cap:g}",
        )
    elif amount > cap:
        yield Violation(
            resource,
            f"could spend {amount:g} USD a month",
            f"in {situation.stack} the cap is {cap:g} USD a month (policies/strictness.py)",
            places.setting(resource, "usage_limit.credit_limit"),
            f"at most {cap:g}",
        )


def _workspace_limit(resource: Resource, situation: Situation) -> Iterator[Violation]:
    limits = resource.get("usage_limits")
    if isinstance(limits, Hidden) or any(_amount(limit) is not None for limit in items(limits)):
        return
    yield Violation(
        resource,
        "would have no spending limit",
        "its keys together could spend whatever the vendors' accounts have",
        places.setting(resource, "usage_limit"),
        f"give one of type cost; all budgets for models together may be {situation.limits.models_usd:g} a month",
    )


def _openrouter(resources: Sequence[Resource]) -> float:
    budgets = [r for r in resources if r.type == kinds.OPENROUTER_BUDGET and r.get("interval") == "monthly"]
    return sum(number(budget.get("limit_usd")) or 0 for budget in budgets)


def _portkey(resources: Sequence[Resource]) -> float:
    """The workspace's own limit bounds all that is in it; without one the policies do, each once a month."""
    limits = [
        limit
        for workspace in resources
        if workspace.type == kinds.PORTKEY_WORKSPACE
        for limit in items(workspace.get("usage_limits"))
    ]
    if not any(_amount(limit) for limit in limits):
        limits = [policy.inputs for policy in resources if policy.type == kinds.PORTKEY_USAGE_POLICY]
    return sum(_amount(limit) or 0 for limit in limits)


def _together(resources: Sequence[Resource], situation: Situation) -> Iterator[Violation]:
    openrouter, portkey = _openrouter(resources), _portkey(resources)
    cap = situation.limits.models_usd
    blamed = next((r for r in resources if r.type == kinds.PORTKEY_WORKSPACE), None)
    if blamed is not None and openrouter + portkey > cap:
        yield Violation(
            blamed,
            f"would bring the budgets for models to {openrouter + portkey:g} USD a month",
            f"OpenRouter's budget is {openrouter:g} and Portkey's limits are {portkey:g}; "
            f"in {situation.stack} the cap is {cap:g} USD a month for both (policies/strictness.py)",
            f"{places.section(blamed, 'portkey.workspace.usage_limit')} and openrouter.budgets.monthly",
            f"lower one of the two by {openrouter + portkey - cap:g}",
        )


POLICIES: Final = (
    Policy(
        "gateway-key-limit",
        "A Portkey key has a spending limit.",
        (kinds.PORTKEY_KEY,),
        (*_COST, controls.SOC2_CC6_1),
        _key_limit,
    ),
    Policy(
        "gateway-limit",
        "A Portkey workspace has a spending limit.",
        (kinds.PORTKEY_WORKSPACE,),
        _COST,
        _workspace_limit,
        asked_of=lambda limits: limits.monitored,
    ),
)

ESTATE_POLICIES: Final = (
    EstatePolicy(
        "model-budgets-together",
        "The budgets of OpenRouter and Portkey together are within the stage's cap.",
        (kinds.OPENROUTER_BUDGET, kinds.PORTKEY_USAGE_POLICY, kinds.PORTKEY_WORKSPACE),
        _COST,
        _together,
    ),
)
