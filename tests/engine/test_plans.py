"""A run of a plan: it does that and nothing else, and it may turn out to have less to do."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.engine.conftest import Checkout

SETTINGS: dict[str, Any] = {
    "openrouter": {
        "workspace": {"slug": "sophia-dev", "name": "Sophia dev"},
        "keys": {"agents": {"name": "Agents", "limit_usd": 40}},
    },
    "kubernetes": {
        "namespace": "sophia-ai-dev",
        "quota": {
            "cpu_requests": "4",
            "memory_requests": "16Gi",
            "cpu_limits": "8",
            "memory_limits": "24Gi",
            "pods": 40,
            "gpus": 1,
        },
        "containers": {
            "cpu_request": "100m",
            "memory_request": "128Mi",
            "cpu_limit": "1",
            "memory_limit": "512Mi",
        },
        "secrets": {
            "openrouter": {"name": "openrouter", "data": {"OPENROUTER_API_KEY": {"output": "openrouter.agents"}}}
        },
    },
}


def test_a_planned_replacement_that_is_not_needed_after_all_is_no_failure(checkout: Checkout) -> None:
    """The preview cannot know that an update leaves the key as it is, and expects the Secret with it to be replaced."""
    checkout.configure(**SETTINGS)
    stack = checkout.stack()
    stack.up(skip_preview=True)
    (secret,) = checkout.objects("kubernetes", "kubernetes:core/v1:Secret")
    changed = copy.deepcopy(SETTINGS)
    changed["openrouter"]["keys"]["agents"]["limit_usd"] = 45
    checkout.configure(**changed)
    plan = stack.preview()
    assert plan.counts.replaced == 1
    result = stack.up(plan=plan)
    assert (result.counts.updated, result.counts.replaced) == (1, 0)
    assert list(checkout.objects("kubernetes", "kubernetes:core/v1:Secret")) == [secret]
    assert not stack.preview().has_changes
