"""The policy pack through the real engine: what it refuses, before what, and what is said of a state."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from sophia import SettingsError
from sophia.cli.document import SCHEMA_FILE

if TYPE_CHECKING:
    from tests.engine.conftest import Checkout

REPOSITORY = Path(__file__).parents[2]

BAD_PROGRAM = """
import pulumi_snowflake

from providers import airbyte
from providers.base import dynamic

pulumi_snowflake.Database("loose", name="LOOSE", data_retention_time_in_days=7)
pulumi_snowflake.NetworkRule(
    "anywhere", name="ANYWHERE", database="LOOSE", schema="RAW", mode="INGRESS", type="IPV4", value_lists=["0.0.0.0/0"]
)
airbyte.Source(
    "leftover",
    dynamic(pulumi.ResourceOptions()),
    workspace_id="00000000-0000-4000-8000-000000000000",
    name="Leftover",
    source_type="snowflake",
    configuration={"host": "scoobyjava-vw02766.snowflakecomputing.com"},
)
"""
"""What somebody may add to the program itself, past the settings, which refuse most of this on their own."""

QUARTER_OF_A_GPU = """
import pulumi_kubernetes

pulumi_kubernetes.core.v1.ResourceQuota(
    "quarter", metadata={"name": "quarter"}, spec={"hard": {"requests.nvidia.com/gpu": "0.25"}}
)
"""

GITHUB: dict[str, Any] = {"repositories": {"leaky": {"name": "sophia-leaky", "visibility": "public"}}}
OPENROUTER: dict[str, Any] = {
    "workspace": {"slug": "sophia-prod", "name": "Sophia prod"},
    "budgets": {"monthly": 2500},
    "keys": {"web": {"name": "Web app", "limit_usd": 2000, "reset": "monthly"}},
}


@pytest.fixture
def guarded(checkout: Checkout) -> Checkout:
    checkout.enforce_policies()
    return checkout


def document(text: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(text)
    jsonschema.validate(found, json.loads(SCHEMA_FILE.read_text()))
    return found


def test_every_violation_is_told_before_anything_is_made(guarded: Checkout) -> None:
    guarded.configure("prod", github=GITHUB, openrouter=OPENROUTER)
    with (guarded.directory / "__main__.py").open("a") as program:
        program.write(BAD_PROGRAM)
    problems = document(guarded.run("up", "prod", "--yes", "--json", code=3).stdout)["problems"]
    told = {problem["what"]: problem for problem in problems}
    assert told.keys() == {
        'GitHub repository "leaky" would be public',
        'OpenRouter api key "web" could spend 2000 USD a month',
        'database "loose" holds data and is not protected',
        'network rule "anywhere" would let in 0.0.0.0/0',
        'source "leftover" would use the Snowflake account scoobyjava-vw02766',
    }
    public = told['GitHub repository "leaky" would be public']
    assert public["setting"] == "Pulumi.prod.yaml: sophia-ai:github.repositories.leaky.visibility"
    assert "no-public-repository" in public["said"]
    assert "SOC 2 CC6.1" in public["said"]
    assert all(problem["do"] and problem["setting"] for problem in problems)
    assert guarded.objects("openrouter", "key") == {}
    assert guarded.resources("prod") == {}, "a violation anywhere keeps everything from being made"


def test_a_quarter_of_a_gpu_is_refused_with_the_way_to_have_one(guarded: Checkout) -> None:
    guarded.configure()
    with (guarded.directory / "__main__.py").open("a") as program:
        program.write(QUARTER_OF_A_GPU)
    refused = guarded.run("preview", "dev", code=3).stderr
    assert 'resource quota "quarter" would ask for 0.25 of a GPU' in refused
    assert "time-slicing in the NVIDIA device plugin, with 4 replicas" in refused


def test_without_a_preview_the_run_itself_refuses(guarded: Checkout) -> None:
    guarded.configure(github=GITHUB)
    with pytest.raises(SettingsError, match="would be public"):
        guarded.stack().up(skip_preview=True)
    assert not [name for name in guarded.resources() if name.endswith("::leaky")]


def test_a_rule_about_several_resources_is_kept_in_a_preview(guarded: Checkout) -> None:
    unbounded = {**OPENROUTER, "budgets": {}, "keys": {}}
    guarded.configure("staging", openrouter=unbounded)
    with pytest.raises(SettingsError) as caught:
        guarded.stack("staging").preview()
    (problem,) = caught.value.problems
    assert problem.setting == "Pulumi.staging.yaml: sophia-ai:openrouter.budgets.monthly"
    guarded.configure("staging", openrouter={**unbounded, "budgets": {"monthly": 100}})
    assert guarded.stack("staging").preview().violations == ()


def test_compliance_says_what_the_state_shows(guarded: Checkout) -> None:
    (guarded.directory / "policies").unlink()
    guarded.configure(github=GITHUB, openrouter={**OPENROUTER, "keys": {"ci": {"name": "CI", "limit_usd": 10}}})
    guarded.stack().up(skip_preview=True)
    guarded.enforce_policies()

    found = document(guarded.run("compliance", "dev", "--json", "--framework", "soc2", code=2).stdout)
    policies = {policy["name"]: policy for policy in found["policies"]}
    (public,) = policies["no-public-repository"]["violations"]
    assert public["what"] == 'GitHub repository "leaky" would be public'
    assert policies["model-key-limit"]["satisfied"] == ['OpenRouter api key "ci"']
    (soc2,) = found["frameworks"]
    assert "no-public-repository" in next(c for c in soc2["controls"] if c["id"] == "CC6.1")["policies"]

    guarded.configure(openrouter={**OPENROUTER, "keys": {}})
    told = guarded.run("compliance", "dev", code=2).stdout
    assert "✗ no-public-repository" in told, "the state counts, and not what the settings say by now"
    assert "? not shown by code:" in told


def test_compliance_of_a_stack_that_was_never_deployed(guarded: Checkout) -> None:
    told = guarded.run("compliance", "staging", "--framework", "gdpr").stdout
    assert "0 resources" in told
    assert "✓" not in told
