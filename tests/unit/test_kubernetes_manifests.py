"""Every manifest of the stack files, as the API server of the version that they name would check it.

The schemas are those of kubernetes-validate, made from the API server's OpenAPI document; what they cannot say
(selectors, probes, pod security, names that lead nowhere) is checked by the stand-in's rules. What scanners ask of the
same manifests is in test_kubernetes_rules.py.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import kubernetes_validate  # type: ignore[import-untyped]  # ships no types
import pytest

from components.settings import Stage
from sandbox.official.behaviour import Draft
from sandbox.official.kubernetes import kind_of
from tests.unit.kubernetes_stages import made_by, settings_of


@pytest.fixture(scope="module", params=list(Stage), ids=str)
def manifests(request: pytest.FixtureRequest) -> list[Any]:
    """All objects of a stage: its namespace, what runs in it, and the monitoring of that."""
    return made_by(Stage(request.param))


def test_manifests_fit_the_schemas_of_the_named_version(manifests: list[Any]) -> None:
    version = settings_of(Stage.DEV).version
    assert version
    for resource in manifests:
        kubernetes_validate.validate(resource.inputs, version, strict=True)
    assert len(manifests) > 50


def test_nothing_in_them_would_be_refused(manifests: list[Any]) -> None:
    by_identity: dict[tuple[str, tuple[str, ...]], dict[str, Any]] = {}
    for resource in manifests:
        identity = (resource.type, kind_of(resource.type).identity(resource.inputs))
        assert identity not in by_identity, f"two objects are called {identity}"
        by_identity[identity] = resource.inputs
    for resource in manifests:
        kind = kind_of(resource.type)
        assert list(kind.validate(resource.inputs)) == [], resource.name
        referred = []
        for reference in kind.references(resource.inputs):
            known = by_identity.get((reference.token, reference.identity))
            assert known is not None or reference.identity in kind_of(reference.token).existing, reference.missing
            referred.append(known or {})
        assert list(kind.refusals(Draft("id", resource.inputs, {}, tuple(referred)))) == [], resource.name


def test_whoever_is_let_in_is_let_out_as_well(manifests: list[Any]) -> None:
    """Between pods of the namespace a connection needs both sides' policies."""
    into: dict[tuple[str, str], set[int]] = defaultdict(set)
    out: dict[tuple[str, str], set[int]] = defaultdict(set)
    for resource in manifests:
        if resource.inputs["kind"] != "NetworkPolicy":
            continue
        spec = resource.inputs["spec"]
        own = str(spec["podSelector"].get("matchLabels"))
        for found, rules, side in ((into, "ingress", "from"), (out, "egress", "to")):
            for rule in spec.get(rules, []):
                for peer in rule[side]:
                    if peer.keys() == {"podSelector"}:
                        other = str(peer["podSelector"].get("matchLabels"))
                        pair = (other, own) if rules == "ingress" else (own, other)
                        found[pair] |= {port["port"] for port in rule["ports"]}
    assert into == out
    assert into


@pytest.mark.parametrize("stage", list(Stage), ids=str)
def test_the_fleet_is_there_in_every_stage(stage: Stage) -> None:
    servers = settings_of(stage).mcp_servers
    assert len(servers) >= (6 if stage is Stage.DEV else 12)
    assert any(server.resources.gpus for server in servers.values())
