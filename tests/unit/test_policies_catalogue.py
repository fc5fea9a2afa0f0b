"""The catalogue holds together: policies, the controls that they serve, the resources that they look at."""

from __future__ import annotations

import re
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml

from components.settings import WRONG_SNOWFLAKE_ACCOUNTS
from policies import accounts, controls, kinds
from policies.catalogue import ALL
from policies.controls import FRAMEWORKS, Control, Framework
from policies.model import EstatePolicy, Policy
from policies.strictness import LIMITS, WAREHOUSE_SIZES

REPOSITORY = Path(__file__).parents[2]
CONTROLS = [value for value in vars(controls).values() if isinstance(value, Control)]
IDS = {
    Framework.SOC2: r"(CC|A|C|PI|P)\d\.\d{1,2}",
    Framework.GDPR: r"Art\. \d{1,2}(\(\d\))?(\([a-z]\))?",
    Framework.HIPAA: r"164\.3(08|10|12|14|16)(\([a-z0-9]+\))*(\([ivx]+\))?(\([A-Z]\))?",
    Framework.PCI_DSS: r"\d{1,2}\.\d{1,2}(\.\d{1,2}){1,2}",
    Framework.GLBA: r"314\.\d(\([a-z0-9]\))*",
    Framework.FDCPA: r"12 CFR 1006\.\d+(\([a-z0-9]\))*",
}
"""How each framework numbers what it asks for."""


@pytest.mark.parametrize("policy", ALL, ids=lambda policy: policy.name)
def test_a_policy_serves_controls_and_says_in_a_sentence_what_it_asks(policy: Policy | EstatePolicy) -> None:
    assert policy.controls
    assert set(policy.controls) <= set(CONTROLS)
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", policy.name)
    assert re.fullmatch(r"[A-Z][^\n]*\.", policy.summary)


def test_names_are_unique() -> None:
    assert len({policy.name for policy in ALL}) == len(ALL)
    assert len({control.name for control in CONTROLS}) == len(CONTROLS)


def test_every_control_is_served_and_has_the_number_of_its_framework() -> None:
    served = {control for policy in ALL for control in policy.controls}
    assert {control.name for control in CONTROLS} == {control.name for control in served}
    assert {control.framework for control in CONTROLS} == set(Framework) == FRAMEWORKS.keys()
    for control in CONTROLS:
        assert re.fullmatch(IDS[control.framework], control.id), control.name
        assert control.unproven.endswith("."), "no control is proven by code alone"


def test_the_policies_cover_what_they_were_asked_to() -> None:
    names = {policy.name for policy in ALL}
    assert names >= {
        "data-is-protected", "data-is-retained", "time-travel", "no-public-repository", "no-open-network",
        "personal-data-is-masked", "encrypted-on-the-way", "warehouse-cost", "credit-cap", "model-key-limit",
        "workspace-has-budget", "whole-gpus", "pinned-images", "no-wrong-account", "credential-expiry", "credential-age",
    }  # fmt: skip


def test_the_wrong_accounts_are_those_that_the_settings_refuse() -> None:
    assert set(accounts.WRONG_SNOWFLAKE_ACCOUNTS) == set(WRONG_SNOWFLAKE_ACCOUNTS)


def test_there_is_a_limit_for_every_stack_file() -> None:
    stages = {path.name.split(".")[1] for path in REPOSITORY.glob("Pulumi.*.yaml")}
    assert stages == LIMITS.keys()
    assert {limits.warehouse_size for limits in LIMITS.values()} <= set(WAREHOUSE_SIZES)


def tokens() -> set[str]:
    """The types of resources that policies name."""
    values = [value for name, value in vars(kinds).items() if name.isupper()]
    return {token for value in values for token in ([value] if isinstance(value, str) else value)}


def test_dynamic_resources_are_named_as_they_register_themselves() -> None:
    dynamic = {token for token in tokens() if token.startswith("pulumi-python:")}
    for token in dynamic:
        module, _, name = token.removeprefix("pulumi-python:dynamic/").partition(":")
        assert hasattr(import_module(f"providers.{module}"), name), token


@pytest.mark.parametrize("package", ["aws", "github", "kubernetes", "snowflake", "vercel"])
def test_official_resources_are_named_as_their_packages_do(package: str) -> None:
    """Read from the packages' own sources: importing them takes seconds."""
    module = {"vercel": "pulumiverse_vercel"}.get(package, f"pulumi_{package}")
    specification = find_spec(module)
    assert specification
    assert specification.origin
    folder = Path(specification.origin).parent
    named = {token for token in tokens() if token.startswith(f"{package}:")}
    assert named
    for token in named:
        _, path, name = token.split(":")
        version = path.rpartition("/")[2] if package == "kubernetes" else ""
        group = path.partition("/")[0]
        places = folder if group == "index" else folder / group
        sources = folder.rglob(f"{version}/{name}.py") if version else places.glob("*.py")
        assert any(f"'{token}'" in source.read_text() for source in sources), token


def test_the_pack_runs_with_the_projects_own_interpreter() -> None:
    pack = yaml.safe_load((REPOSITORY / "policies" / "PulumiPolicy.yaml").read_text())
    project = yaml.safe_load((REPOSITORY / "Pulumi.yaml").read_text())
    assert pack["runtime"]["options"]["virtualenv"] == f"../{project['runtime']['options']['virtualenv']}"
