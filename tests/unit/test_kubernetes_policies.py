"""No policy has anything against what the stack file of prod, the strictest, has in its cluster."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.kubernetes import Kubernetes, KubernetesSettings
from components.settings import Stage, environment_variables
from policies.catalogue import POLICIES
from policies.model import Resource, Situation
from policies.strictness import limits_of

REPOSITORY = Path(__file__).parents[2]


class Given(dict[str, str]):
    """Whatever another component hands over."""

    def __missing__(self, name: str) -> str:
        return f"value of {name}"

    def __contains__(self, name: object) -> bool:
        return True


def test_prod_keeps_every_policy(deploy: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    document = yaml.safe_load((REPOSITORY / "Pulumi.prod.yaml").read_text())
    settings = KubernetesSettings.model_validate(document["config"]["sophia-ai:kubernetes"])
    for _, name in environment_variables(settings):
        monkeypatch.setenv(name, f"value of {name}")
    deployment = deploy(
        lambda: Kubernetes("kubernetes", settings, stage=Stage.PROD, outputs=Given()), stack=Stage.PROD.value
    )
    made = [
        Resource(one.type, one.urn, one.inputs, protected=one.protect)
        for one in deployment.resources
        if one.type.startswith("kubernetes:")
    ]
    situation = Situation("prod", limits_of("prod"), datetime.now(UTC))
    found = [
        f"{policy.name}: {violation.resource.name} {violation.what}"
        for policy in POLICIES
        for one in made
        if policy.concerns(one)
        for violation in policy.check(one, situation)
    ]
    assert found == []
    assert len(made) > 100
