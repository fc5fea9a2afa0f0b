"""What the policies say of a state: ``python -m policies.report < state.json`` prints one JSON document.

Secrets stay what they are in an exported state, encrypted, and are looked at by no policy. Runs no engine and asks no
platform: what was changed there by hand shows after a refresh.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from policies.catalogue import ALL
from policies.controls import FRAMEWORKS, Control
from policies.credentials import instant
from policies.model import EstatePolicy, Hidden, Policy, Resource, Situation, Violation
from policies.strictness import limits_of

_SIGNATURE = "4dabf18193072939515e22adb298388d"
_SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - marks secrets in the engine's states


def report(state: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """Policy by policy what satisfies it and what does not, and control by control which policies serve it."""
    resources = resources_of(state)
    return {
        "resources": len(resources),
        "policies": [_policy(policy, resources, now) for policy in ALL],
        "frameworks": [
            {
                "name": framework.value,
                "title": about.title,
                "beyond": about.beyond,
                "controls": [_control(control) for control in controls() if control.framework is framework],
            }
            for framework, about in FRAMEWORKS.items()
        ],
    }


def controls() -> tuple[Control, ...]:
    """Those that a policy serves, in the order of their numbers."""
    served = dict.fromkeys(control for policy in ALL for control in policy.controls)
    return tuple(sorted(served, key=lambda control: control.sorting))


def resources_of(state: Mapping[str, Any]) -> tuple[Resource, ...]:
    """What the state knows to exist; what waits for its deletion after a replacement is left out."""
    return tuple(
        Resource(
            type=resource["type"],
            urn=resource["urn"],
            inputs=revealed(resource.get("inputs") or {}),
            protected=bool(resource.get("protect")),
            retained=bool(resource.get("retainOnDelete")),
            created=instant(resource.get("created")),
        )
        for resource in (state.get("deployment") or {}).get("resources") or []
        if resource.get("custom")
        and not (resource.get("external") or resource.get("delete"))
        and not resource["type"].startswith("pulumi:providers:")
    )


def revealed(value: Any) -> Any:
    """A property as policies want it, with a mark in the place of each secret."""
    if isinstance(value, Mapping):
        if value.get(_SIGNATURE) == _SECRET:
            return Hidden.SECRET
        return {key: revealed(item) for key, item in value.items()}
    return [revealed(item) for item in value] if isinstance(value, list) else value


def _policy(policy: Policy | EstatePolicy, resources: Sequence[Resource], now: datetime) -> dict[str, Any]:
    concerned = [resource for resource in resources if policy.concerns(resource)]
    stack = concerned[0].stack if concerned else ""
    situation = Situation(stack, limits_of(stack), now)
    asked = not concerned or policy.asked_of(situation.limits)
    violations: list[Violation] = []
    if asked and isinstance(policy, EstatePolicy):
        violations = list(policy.check(resources, situation)) if concerned else []
    elif asked and isinstance(policy, Policy):
        violations = [violation for resource in concerned for violation in policy.check(resource, situation)]
        concerned = [resource for resource in concerned if policy.says(resource)]
    violating = {violation.resource.urn for violation in violations}
    satisfied = [resource.title for resource in concerned if asked and resource.urn not in violating]
    return {
        "name": policy.name,
        "summary": policy.summary,
        "level": policy.level.value,
        "in_runs": not policy.of_state,
        "asked": asked,
        "satisfied": satisfied,
        "violations": [_violation(violation) for violation in violations],
    }


def _violation(violation: Violation) -> dict[str, str]:
    return {
        "urn": violation.resource.urn,
        "what": f"{violation.resource.title} {violation.what}",
        "why": violation.why,
        "setting": violation.setting,
        "do": violation.do,
    }


def _control(control: Control) -> dict[str, Any]:
    return {
        "id": control.id,
        "name": control.name,
        "title": control.title,
        "unproven": control.unproven,
        "policies": [policy.name for policy in ALL if control in policy.controls],
    }


if __name__ == "__main__":
    json.dump(report(json.load(sys.stdin), datetime.now(UTC)), sys.stdout)
