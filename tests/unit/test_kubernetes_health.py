"""The health check compares the cluster's version with the one that the manifests were checked for."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from health.base import Answer, Reading, Subject
from health.kubernetes import HEALTH


def reading(running: str, **settings: Any) -> Reading:
    probe = HEALTH.probes[0]
    response = httpx.Response(200, json={"gitVersion": running})
    return probe.read(Answer(response, Subject(settings=settings)))


@pytest.mark.parametrize("running", ["v1.34.0", "v1.34.3+k3s1", "v1.34.1-eks-1234"])
def test_the_named_version_is_well(running: str) -> None:
    assert reading(running, version="1.34").problems == ()
    assert reading(running).problems == (), "and so is any, when none is named"


def test_another_version_is_told_with_what_to_do() -> None:
    (problem,) = reading("v1.33.2", version="1.34").problems
    assert problem.said == "the cluster runs Kubernetes v1.33.2, and the stack file was written for 1.34"
    assert 'set it to "1.33"' in problem.do
    assert problem.setting == "kubernetes.version"
