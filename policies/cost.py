"""No bill is unbounded: warehouses, credits, model calls, GPUs.

What rented GPU instances cost is bounded by the most that each may cost an hour, as if it ran all the time; the namespace's
quota bounds the GPUs that its pods hold at once.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from policies import controls, kinds, places
from policies.model import EstatePolicy, Hidden, Policy, Resource, Situation, Violation, number
from policies.strictness import WAREHOUSE_SIZES

_MONTHS: Final[Mapping[str, float]] = {"daily": 31, "weekly": 31 / 7, "monthly": 1}
"""How often an interval starts anew in the longest month."""

_GPUS: Final = "nvidia.com/gpu"
_HOURS_A_MONTH: Final = 730

_COST = (controls.SOC2_A1_1,)


def _over(resource: Resource, what: str, stage: str, cap: str, setting: str) -> Violation:
    return Violation(resource, what, f"in {stage} the cap is {cap} (policies/strictness.py)", setting, f"at most {cap}")


def _warehouse(resource: Resource, situation: Situation) -> Iterator[Violation]:
    limits, stage = situation.limits, situation.stack
    size = resource.get("warehouseSize")
    if isinstance(size, str) and _rank(size) > _rank(limits.warehouse_size):
        what = f"would be of size {size}"
        yield _over(resource, what, stage, limits.warehouse_size, places.setting(resource, "size"))
    clusters = number(resource.get("maxClusterCount"))
    if clusters is not None and clusters > limits.warehouse_clusters:
        what = f"would grow to {clusters:g} clusters"
        yield _over(resource, what, stage, str(limits.warehouse_clusters), places.setting(resource, "max_clusters"))
    idle = resource.get("autoSuspend")
    seconds = number(idle)
    if not isinstance(idle, Hidden) and (not seconds or seconds < 0 or seconds > limits.warehouse_idle_seconds):
        yield Violation(
            resource,
            f"would stay awake {f'for {seconds:g} s' if seconds and seconds > 0 else 'for ever'} without a query",
            "credits are billed while it is awake",
            places.setting(resource, "auto_suspend_seconds"),
            f"at most {limits.warehouse_idle_seconds}",
        )


def _monitored(resource: Resource, _situation: Situation) -> Iterator[Violation]:
    if not resource.get("resourceMonitor"):
        yield Violation(
            resource,
            "would have no resource monitor",
            "nothing would stop it at the end of its credits",
            places.section(resource, "snowflake.resource_monitor"),
            "give a resource_monitor with a credit_quota and suspend_at",
        )


def _rank(size: str) -> int:
    """From small to large; a size that the table does not know (5X-LARGE) is larger than all."""
    spelled = size.upper().replace("-", "").replace("2XLARGE", "XXLARGE").replace("3XLARGE", "XXXLARGE")
    spelled = spelled.replace("4XLARGE", "X4LARGE")
    return WAREHOUSE_SIZES.index(spelled) if spelled in WAREHOUSE_SIZES else len(WAREHOUSE_SIZES)


def _monitor(resource: Resource, situation: Situation) -> Iterator[Violation]:
    credits_, cap = number(resource.get("creditQuota")), situation.limits.credits
    if credits_ is not None and credits_ > cap:
        what = f"would allow {credits_:g} credits a month"
        yield _over(resource, what, situation.stack, f"{cap} credits", places.setting(resource, "credit_quota"))
    if resource.get("suspendTrigger") is None and resource.get("suspendImmediateTrigger") is None:
        yield Violation(
            resource,
            "would only tell, and stop nothing",
            "a monitor without a suspend trigger is no cap",
            places.setting(resource, "suspend_at"),
            "set suspend_at, in percent of the quota",
        )


def monthly(amount: float, interval: Any) -> float:
    """What may be spent in a month, in US dollars; an amount that never starts anew counts once."""
    return amount * _MONTHS.get(str(interval), 1)


def _key_limit(resource: Resource, situation: Situation) -> Iterator[Violation]:
    limit = resource.get("limit")
    if isinstance(limit, Hidden):
        return
    amount, cap = number(limit), situation.limits.key_usd
    if amount is None:
        yield Violation(
            resource,
            "would have no spending limit",
            "whoever gets hold of it could spend all credits of the account",
            places.setting(resource, "limit_usd"),
            f"set it, to at most {cap:g}",
        )
    elif not math.isfinite(amount) or monthly(amount, resource.get("limit_reset")) > cap:
        what = f"could spend {monthly(amount, resource.get('limit_reset')):g} USD a month"
        yield _over(resource, what, situation.stack, f"{cap:g} USD a month", places.setting(resource, "limit_usd"))


def _budget(resource: Resource, situation: Situation) -> Iterator[Violation]:
    amount, cap = number(resource.get("limit_usd")), situation.limits.workspace_usd
    interval = resource.get("interval")
    # A lifetime's budget is spent once in all, and the shorter ones are capped by the monthly one.
    if interval == "monthly" and amount is not None and amount > cap:
        what = f"would allow {amount:g} USD a month"
        yield _over(resource, what, situation.stack, f"{cap:g} USD a month", places.setting(resource, ""))


def _workspaces_budgeted(resources: Sequence[Resource], situation: Situation) -> Iterator[Violation]:
    budgets = [r for r in resources if r.type == kinds.OPENROUTER_BUDGET]
    if any(budget.get("interval") in ("monthly", Hidden.UNKNOWN) for budget in budgets):
        return
    for workspace in resources:
        if workspace.type == kinds.OPENROUTER_WORKSPACE:
            yield Violation(
                workspace,
                "would have no monthly budget",
                "its keys together could spend whatever the account has",
                places.section(workspace, "openrouter.budgets.monthly"),
                f"set it, to at most {situation.limits.workspace_usd:g}",
            )


def _byok_budgeted(resources: Sequence[Resource], _situation: Situation) -> Iterator[Violation]:
    budgets = [r for r in resources if r.type == kinds.OPENROUTER_BUDGET]
    counted = all(budget.get("include_byok_in_budgets") in (True, Hidden.UNKNOWN) for budget in budgets)
    for credential in resources:
        if credential.type == kinds.OPENROUTER_PROVIDER_CREDENTIAL and not (budgets and counted):
            yield Violation(
                credential,
                "would spend past the workspace's budgets",
                "calls with a key of ours are on the provider's bill, which OpenRouter counts only where it is told to",
                places.section(credential, "openrouter.workspace.byok_in_budgets"),
                "set it to true",
            )


def _gpus(resource: Resource, situation: Situation) -> Iterator[Violation]:
    hard = resource.get("spec", "hard")
    if not isinstance(hard, Mapping):
        return
    for name, value in hard.items():
        count = number(value)
        if str(name).endswith(_GPUS) and count is not None and count > situation.limits.gpus:
            what = f"would let pods hold {count:g} GPUs"
            yield _over(resource, what, situation.stack, str(situation.limits.gpus), places.setting(resource, "gpus"))


def _gpu_hours(resources: Sequence[Resource], situation: Situation) -> Iterator[Violation]:
    instances = [resource for resource in resources if resource.type == kinds.LAMBDA_LABS_INSTANCE]
    usd = sum(number(one.get("max_price_cents")) or 0.0 for one in instances) / 100 * _HOURS_A_MONTH
    if usd > situation.limits.gpu_usd:
        dearest = max(instances, key=lambda one: number(one.get("max_price_cents")) or 0.0)
        what = f"would, with the stage's other instances, cost up to {usd:,.0f} USD a month"
        cap = f"{situation.limits.gpu_usd:,g} USD a month for all"
        yield _over(dearest, what, situation.stack, cap, places.setting(dearest, "max_usd_per_hour"))


POLICIES: Final = (
    Policy(
        "warehouse-cost",
        "A Snowflake warehouse is small, and sleeps soon.",
        (kinds.SNOWFLAKE_WAREHOUSE,),
        _COST,
        _warehouse,
    ),
    Policy(
        "warehouse-monitor",
        "A Snowflake warehouse has a resource monitor.",
        (kinds.SNOWFLAKE_WAREHOUSE,),
        _COST,
        _monitored,
        asked_of=lambda limits: limits.monitored,
    ),
    Policy(
        "credit-cap",
        "A resource monitor stops the warehouses at the stage's credits.",
        (kinds.SNOWFLAKE_MONITOR,),
        _COST,
        _monitor,
    ),
    Policy(
        "model-key-limit",
        "An OpenRouter key has a spending limit.",
        (kinds.OPENROUTER_KEY,),
        (*_COST, controls.SOC2_CC6_1),
        _key_limit,
    ),
    Policy(
        "model-budget",
        "An OpenRouter budget is within the stage's cap.",
        (kinds.OPENROUTER_BUDGET,),
        _COST,
        _budget,
    ),
    Policy(
        "gpu-cap",
        "Pods of a stage hold no more GPUs than its cap.",
        (kinds.KUBERNETES_QUOTA,),
        _COST,
        _gpus,
        says=lambda resource: any(_GPUS in str(name) for name in resource.get("spec", "hard") or {}),
    ),
)

ESTATE_POLICIES: Final = (
    EstatePolicy(
        "gpu-budget",
        "The rented GPU instances of a stage together cost no more a month than its cap.",
        (kinds.LAMBDA_LABS_INSTANCE,),
        _COST,
        _gpu_hours,
    ),
    EstatePolicy(
        "workspace-has-budget",
        "An OpenRouter workspace has a monthly budget.",
        (kinds.OPENROUTER_WORKSPACE,),
        _COST,
        _workspaces_budgeted,
        asked_of=lambda limits: limits.monitored,
    ),
    EstatePolicy(
        "byok-in-budgets",
        "What is spent with a key of ours at a provider counts towards the OpenRouter workspace's budgets.",
        (kinds.OPENROUTER_PROVIDER_CREDENTIAL,),
        _COST,
        _byok_budgeted,
    ),
)
