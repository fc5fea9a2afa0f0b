"""Each policy on good resources, on bad ones, and on values that a preview does not know yet."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from policies import kinds
from policies.catalogue import ALL, ESTATE_POLICIES, POLICIES
from policies.model import EstatePolicy, Policy, Resource, Situation, message
from policies.places import setting
from policies.strictness import LIMITS, limits_of
from tests.unit.policy_examples import BAD, DEPLOYMENT, GOOD, NOW, UNKNOWN, pod

BY_NAME = {policy.name: policy for policy in ALL}
PLATFORMS = {
    "apollo": "Apollo",
    "airbyte": "Airbyte",
    "estuary": "Estuary",
    "github": "GitHub",
    "kubernetes": "Kubernetes",
    "openrouter": "OpenRouter",
    "gong": "Gong",
    "portkey": "Portkey",
    "slack": "Slack",
    "snowflake": "Snowflake",
    "vercel": "Vercel",
}


def resource(kind: str, name: str = "it", *, stack: str = "prod", protected: bool = False, **more: Any) -> Resource:
    """A resource of one of our components; ``inputs`` are its properties."""
    module = kind.removeprefix("pulumi-python:dynamic/").split(":")[0]
    parent = f"sophia:platform:{PLATFORMS[module]}$" if module in PLATFORMS else ""
    urn = f"urn:pulumi:{stack}::sophia-ai::{parent}{kind}::{name}"
    return Resource(kind, urn, more.pop("inputs", {}), protected=protected, **more)


def situation(stack: str) -> Situation:
    return Situation(stack, limits_of(stack), NOW)


def violations(name: str, *resources: Resource) -> list[str]:
    """The messages of a policy about these, as a run gets them."""
    policy, stack = BY_NAME[name], resources[0].stack
    if not policy.asked_of(limits_of(stack)):
        return []
    if isinstance(policy, EstatePolicy):
        return [message(policy, found) for found in policy.check(resources, situation(stack))]
    found = [v for r in resources if policy.concerns(r) for v in policy.check(r, situation(stack))]
    return [message(policy, violation) for violation in found]


AWS_MEMBERS = (
    *("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"),
    *("policy", "assumeRolePolicy", "enableKeyRotation", "kmsMasterKeyId", "rules"),
)


@pytest.mark.parametrize(("name", "kind", "inputs"), GOOD)
def test_what_is_as_it_should_be_is_allowed(name: str, kind: str, inputs: dict[str, Any]) -> None:
    assert violations(name, resource(kind, inputs=inputs)) == []


@pytest.mark.parametrize(("name", "kind", "inputs", "tells"), BAD)
def test_what_is_not_is_told_in_four_parts(name: str, kind: str, inputs: dict[str, Any], tells: str) -> None:
    told = "\n".join(violations(name, resource(kind, inputs=inputs)))
    assert tells in told
    what, said, setting, do = told.splitlines()[:4]
    assert what
    assert said.startswith("  said     ")
    assert f"policy {name}" in said
    assert setting.startswith("  setting  ")
    assert do.startswith("  do       ")


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.name)
def test_every_policy_bears_a_resource_of_which_nothing_is_known(policy: Policy) -> None:
    every = {key for _, kind, inputs in GOOD if policy.name for key in inputs}
    every |= {"visibility", "spec", "columns", *AWS_MEMBERS}
    for kind in policy.kinds or ("random:index:X",):
        unknown = resource(kind, protected=True, inputs=dict.fromkeys(every, UNKNOWN))
        assert list(policy.check(unknown, situation("prod"))) == [], "what is not known yet is checked when it is"


def test_there_is_a_bad_example_of_every_policy() -> None:
    of_state = {policy.name for policy in ALL if policy.of_state}
    assert {name for name, *_ in BAD} == {policy.name for policy in POLICIES} - of_state


@pytest.mark.parametrize("stack", ["dev", "staging"])
def test_only_prod_writes_to_real_people(stack: str) -> None:
    active = {"active": True, "sends_real_mail": True}
    (found,) = violations("real-mail", resource(kinds.APOLLO_SEQUENCE, stack=stack, inputs=active))
    assert f"{stack} is for trying things out" in found
    assert violations("real-mail", resource(kinds.APOLLO_SEQUENCE, stack=stack, inputs={"active": False})) == []


@pytest.mark.parametrize("stack", ["dev", "staging"])
def test_only_prod_has_to_protect_its_data_and_name_images_by_digest(stack: str) -> None:
    assert violations("data-is-protected", resource(kinds.SNOWFLAKE_DATABASE, stack=stack)) == []
    assert violations("pinned-images", resource(DEPLOYMENT, stack=stack, inputs=pod("app:1.2.3"))) == []
    for floating in ("app", "app:latest", "redis:7", "registry.example:5000/app", "app:main"):
        assert violations("pinned-images", resource(DEPLOYMENT, stack=stack, inputs=pod(floating))), floating


def test_protected_data_is_allowed_in_prod() -> None:
    assert violations("data-is-protected", resource(kinds.SNOWFLAKE_DATABASE, protected=True)) == []


def test_a_stack_that_nobody_foresaw_is_held_to_what_prod_is() -> None:
    assert limits_of("experiment") == LIMITS["prod"]
    assert violations("data-is-protected", resource(kinds.SNOWFLAKE_DATABASE, stack="experiment"))


def test_later_stages_allow_nothing_that_earlier_ones_forbid_but_size() -> None:
    dev, staging, prod = (LIMITS[stage] for stage in ("dev", "staging", "prod"))
    for earlier, later in ((dev, staging), (staging, prod)):
        for rule in ("protect_data", "monitored", "known_networks", "image_digests", "approvals", "time_travel_days"):
            assert getattr(later, rule) >= getattr(earlier, rule), rule


def test_a_state_tells_whether_data_stays_and_how_old_a_key_is() -> None:
    kept, lost = (resource(kinds.SNOWFLAKE_DATABASE, retained=retained) for retained in (True, False))
    assert violations("data-is-retained", kept) == []
    assert "retain_on_delete" in violations("data-is-retained", lost)[0]
    young, old = (resource(kinds.OPENROUTER_KEY, created=NOW - timedelta(days=days)) for days in (90, 91))
    assert violations("credential-age", young) == []
    assert "91 days old" in violations("credential-age", old)[0]


def test_a_workspace_needs_a_budget_and_a_key_a_guardrail() -> None:
    workspace, key = resource(kinds.OPENROUTER_WORKSPACE), resource(kinds.OPENROUTER_KEY, "web")
    monthly = resource(kinds.OPENROUTER_BUDGET, "monthly", inputs={"interval": "monthly"})
    daily = resource(kinds.OPENROUTER_BUDGET, "daily", inputs={"interval": "daily"})
    assert "openrouter.budgets.monthly" in violations("workspace-has-budget", workspace, key, daily)[0]
    assert violations("workspace-has-budget", workspace, monthly) == []
    assert "openrouter.keys.web.guardrail" in violations("keys-have-guardrails", key, workspace)[0]
    assert violations("keys-have-guardrails", key, resource(kinds.OPENROUTER_GUARDRAIL_KEY, "web")) == []


def test_what_a_key_of_ours_spends_at_a_provider_counts() -> None:
    credential = resource(kinds.OPENROUTER_PROVIDER_CREDENTIAL, "anthropic")
    inputs = {"interval": "monthly", "limit_usd": 100}
    silent, counting = (
        resource(kinds.OPENROUTER_BUDGET, "monthly", inputs={**inputs, **more})
        for more in ({}, {"include_byok_in_budgets": True})
    )
    for budgets in ((), (silent,), (silent, counting)):
        assert "openrouter.workspace.byok_in_budgets" in violations("byok-in-budgets", credential, *budgets)[0]
    assert violations("byok-in-budgets", credential, counting) == []
    assert violations("byok-in-budgets", silent) == []


def test_a_repository_needs_a_protected_branch() -> None:
    repository = resource(kinds.GITHUB_REPOSITORY, "sophia")
    rule = resource(kinds.GITHUB_BRANCH_PROTECTION, "sophia.main")
    reviewed = {"conditions": {"refName": {"includes": ["~DEFAULT_BRANCH"]}}, "rules": {"pullRequest": {}}}
    for protecting in (rule, resource(kinds.GITHUB_RULESET, "sophia.main", inputs=reviewed)):
        assert violations("repository-is-protected", repository, protecting) == []
    unreviewed = resource(kinds.GITHUB_RULESET, "sophia.main", inputs={**reviewed, "rules": {"deletion": True}})
    assert "github.repositories.sophia.rulesets" in violations("repository-is-protected", repository, unreviewed)[0]
    kept = resource(kinds.GITHUB_REPOSITORY, "old", inputs={"archived": True})
    assert violations("repository-is-protected", kept) == []


def test_no_message_holds_the_value_of_a_property_that_may_be_a_secret() -> None:
    secret = "xoxb-not-for-anybody"
    leaking = resource(kinds.KUBERNETES_CONFIG_MAP, inputs={"data": {"SLACK_BOT_TOKEN": secret}})
    account = resource(kinds.AIRBYTE_SOURCE, inputs={"secret_configuration": f"{secret} scoobyjava-vw02766"})
    for name, found in (("secrets-are-hidden", leaking), ("no-wrong-account", account)):
        told = violations(name, found)
        assert told
        assert secret not in told[0]


@pytest.mark.parametrize(
    ("kind", "name", "place"),
    [
        (kinds.GITHUB_ENVIRONMENT_VARIABLE, "lab.dev.A", "github.repositories.lab.environments.dev.variables.A"),
        (kinds.GITHUB_VARIABLE, "lab.A", "github.repositories.lab.variables.A"),
        (kinds.VERCEL_VARIABLE, "web.A", "vercel.projects.web.variables.A"),
        (kinds.GITHUB_RULESET, "lab.main", "github.repositories.lab.rulesets.main"),
        (kinds.KUBERNETES_NETWORK_POLICY, "allow.https-out", "kubernetes.allow.https-out"),
    ],
)
def test_a_violation_names_the_setting_as_it_stands_in_the_stack_file(kind: str, name: str, place: str) -> None:
    assert setting(resource(kind, name), "x") == f"Pulumi.prod.yaml: sophia-ai:{place}.x"


def test_what_no_component_made_is_named_by_its_property() -> None:
    own = Resource(kinds.GITHUB_REPOSITORY, f"urn:pulumi:prod::sophia-ai::{kinds.GITHUB_REPOSITORY}::mine", {})
    assert setting(own, "visibility").startswith("property visibility of repository")
    assert setting(resource(kinds.VERCEL_VARIABLE, "odd"), "sensitive").startswith("property sensitive of Vercel")


def test_estate_policies_bear_an_estate_without_their_platform() -> None:
    for policy in ESTATE_POLICIES:
        assert list(policy.check([resource("random:index:X")], situation("prod"))) == []
