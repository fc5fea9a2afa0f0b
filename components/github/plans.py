"""What GitHub's plans allow: said in the settings' words before GitHub says it half-way through a run.

Source of facts: docs.github.com, "GitHub's plans", "About rulesets", "Managing environments for deployment".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Literal

from components.explain import Mistake
from components.github.archetypes import Traits, present

if TYPE_CHECKING:
    from components.github.rulesets import RulesetSettings
    from components.github.settings import EnvironmentSettings

Plan = Literal["free", "team", "enterprise"]


def beyond_plan(plan: Plan, traits: Traits, environments: Mapping[str, EnvironmentSettings]) -> Iterator[Mistake]:
    """What of a repository its plan does not have. Public repositories have almost everything on every plan."""
    if traits.visibility == "internal" and plan != "enterprise":
        yield Mistake(("visibility",), f"internal is for the plan enterprise, not {plan}")
    for key, ruleset in present(traits.rulesets).items():
        if ruleset.enforcement == "evaluate" and plan != "enterprise":
            yield Mistake(("rulesets", key, "enforcement"), f"evaluate is for the plan enterprise, not {plan}")
        if plan == "free" and traits.visibility != "public":
            yield Mistake(("rulesets", key), "rulesets of private repositories need the plan team")
    if traits.visibility == "public" or plan == "enterprise":
        return
    for name, environment in environments.items():
        if plan == "free":
            yield Mistake(("environments", name), "environments of private repositories need the plan team")
        for field in ("reviewers", "wait_minutes"):
            if getattr(environment, field):
                yield Mistake(
                    ("environments", name, field), f"needs the plan enterprise in a private repository: {plan}"
                )


def beyond_organization_plan(plan: Plan, rulesets: Mapping[str, RulesetSettings]) -> Iterator[Mistake]:
    """What of the organisation's rulesets its plan does not have."""
    for key, ruleset in rulesets.items():
        if plan == "free":
            yield Mistake((key,), "rulesets of an organisation need the plan team")
        elif ruleset.enforcement == "evaluate" and plan != "enterprise":
            yield Mistake((key, "enforcement"), f"evaluate is for the plan enterprise, not {plan}")
