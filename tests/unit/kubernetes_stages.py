"""All Kubernetes objects that the stack files make, one stage at a time: for the tests that are about all of them."""

from __future__ import annotations

import contextvars
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import pulumi
import pytest
import yaml

from components.kubernetes import Kubernetes, KubernetesSettings
from components.monitoring import Monitoring
from components.monitoring.rules import SEVERITIES
from components.monitoring.settings import MonitoringSettings
from components.settings import Settings, Stage, environment_variables
from tests.unit.conftest import _run

_REPOSITORY = Path(__file__).parents[2]

S = TypeVar("S", bound=Settings)


class Given(Mapping[str, str]):
    """Whatever another component hands over."""

    def __getitem__(self, name: str) -> str:
        return f"value of {name}"

    def __contains__(self, name: object) -> bool:
        return True

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def settings_of(stage: Stage) -> KubernetesSettings:
    """``sophia-ai:kubernetes`` of a stack file."""
    return _settings(stage, "kubernetes", KubernetesSettings)


@cache
def made_by(stage: Stage) -> list[Any]:
    """The objects, as they were registered. Nobody may change them: all tests see the same ones."""
    kubernetes, monitoring = settings_of(stage), _settings(stage, "monitoring", MonitoringSettings)

    def program() -> Monitoring:
        made = Kubernetes("kubernetes", kubernetes, stage=stage, outputs=Given())
        return Monitoring(
            "monitoring",
            monitoring,
            stage=stage,
            workloads=made.workloads,
            platforms=["pulumi"],
            outputs=Given(),
            carried=SEVERITIES,
            incidents_token=pulumi.Output.secret("shown to n8n"),
        )

    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("PULUMI_CONFIG", raising=False)
        patch.delenv("PULUMI_CONFIG_SECRET_KEYS", raising=False)
        for settings in (kubernetes, monitoring):
            for _, name in environment_variables(settings):
                patch.setenv(name, f"value of {name}")
        deployment = contextvars.Context().run(_run, program, stage.value, {})
    return [resource for resource in deployment.resources if resource.type.startswith("kubernetes:")]


def _settings(stage: Stage, platform: str, model: type[S]) -> S:
    document = yaml.safe_load((_REPOSITORY / f"Pulumi.{stage}.yaml").read_text())
    return model.model_validate(document["config"][f"sophia-ai:{platform}"])
