"""The policies about AWS: on what the component makes, which breaks none, and on what a person might write."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from components.settings import Stage
from policies import cloud, kinds
from policies.model import EstatePolicy, Hidden, Resource, Situation, message
from policies.strictness import limits_of
from tests.unit.aws_estate import run

pytestmark = pytest.mark.filterwarnings("ignore:.*has been deprecated in favor of:DeprecationWarning")

SITUATION = Situation("prod", limits_of("prod"), datetime(2026, 11, 21, tzinfo=UTC))
BY_NAME = {policy.name: policy for policy in (*cloud.POLICIES, *cloud.ESTATE_POLICIES)}
GITHUB = "token.actions.githubusercontent.com"


def resource(kind: str, name: str = "it", **inputs: Any) -> Resource:
    return Resource(kind, f"urn:pulumi:prod::sophia-ai::sophia:platform:AWS${kind}::{name}", inputs)


def found(name: str, *resources: Resource) -> list[str]:
    policy = BY_NAME[name]
    if isinstance(policy, EstatePolicy):
        return [message(policy, violation) for violation in policy.check(resources, SITUATION)]
    concerned = [one for one in resources if policy.concerns(one)]
    return [message(policy, violation) for one in concerned for violation in policy.check(one, SITUATION)]


def document(**statement: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})


def test_what_the_component_makes_breaks_no_policy(deploy: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_OWNER", "payready")
    made = [Resource(one.type, one.urn, one.inputs) for one in run(deploy, Stage.PROD).resources]
    assert {one.type for one in made} >= {kinds.AWS_BUCKET, kinds.AWS_ROLE, kinds.AWS_ROLE_POLICY, kinds.AWS_TOPIC}
    assert {name: found(name, *made) for name in BY_NAME} == {name: [] for name in BY_NAME}


FEDERATED = {"Federated": f"arn:aws:iam::123456789012:oidc-provider/{GITHUB}"}
SUBJECT = {f"{GITHUB}:aud": "sts.amazonaws.com", f"{GITHUB}:sub": "repo:payready/sophia:environment:prod"}
CLOSED: dict[str, Any] = dict.fromkeys(
    ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"), True
)


@pytest.mark.parametrize(
    ("policy", "wrong", "said"),
    [
        (
            "no-public-bucket",
            resource(kinds.AWS_PUBLIC_ACCESS_BLOCK, **{**CLOSED, "blockPublicAcls": False}),
            "blockPublicAcls",
        ),
        ("no-public-bucket", resource(kinds.AWS_BUCKET_POLICY, policy=document(Principal="*")), "lets everybody in"),
        (
            "no-public-bucket",
            resource(kinds.AWS_TOPIC_POLICY, policy=document(Principal={"AWS": ["*"]})),
            "lets everybody in",
        ),
        ("aws-encryption", resource(kinds.AWS_KEY, enableKeyRotation=False), "never be rotated"),
        ("aws-encryption", resource(kinds.AWS_TOPIC), "without a key of ours"),
        (
            "least-privilege",
            resource(kinds.AWS_ROLE_POLICY, policy=document(Action="s3:*", Resource="arn:aws:s3:::a")),
            "s3:*",
        ),
        (
            "least-privilege",
            resource(kinds.AWS_POLICY, policy=document(NotAction="iam:*", Resource="a")),
            "all but some",
        ),
        (
            "least-privilege",
            resource(kinds.AWS_POLICY, policy=document(Action="s3:GetObject", Resource="*")),
            "every resource",
        ),
        (
            "narrow-trust",
            resource(kinds.AWS_ROLE, assumeRolePolicy=document(Principal={"AWS": "*"})),
            "trusts everybody",
        ),
        ("narrow-trust", resource(kinds.AWS_ROLE, assumeRolePolicy=document(Principal=FEDERATED)), "whatever its sub"),
        (
            "narrow-trust",
            resource(
                kinds.AWS_ROLE,
                assumeRolePolicy=document(
                    Principal=FEDERATED, Condition={"StringEquals": {**SUBJECT, f"{GITHUB}:sub": "repo:payready/*"}}
                ),
            ),
            "whatever its sub",
        ),
        (
            "narrow-trust",
            resource(kinds.AWS_ROLE, assumeRolePolicy=document(Principal={"AWS": "arn:aws:iam::999999999999:root"})),
            "without an external id",
        ),
        ("guarded-bucket", resource(kinds.AWS_BUCKET, bucket="lone"), "has no public access block"),
    ],
)
def test_what_is_wide_open_is_refused(policy: str, wrong: Resource, said: str) -> None:
    assert any(said in text for text in found(policy, wrong))


@pytest.mark.parametrize(
    ("policy", "right"),
    [
        ("narrow-trust", resource(kinds.AWS_ROLE, assumeRolePolicy=Hidden.UNKNOWN)),
        ("least-privilege", resource(kinds.AWS_ROLE_POLICY, policy=document(Action="kms:ListAliases", Resource="*"))),
        ("no-public-bucket", resource(kinds.AWS_PUBLIC_ACCESS_BLOCK, **CLOSED)),
        (
            "narrow-trust",
            resource(
                kinds.AWS_ROLE, assumeRolePolicy=document(Principal=FEDERATED, Condition={"StringEquals": SUBJECT})
            ),
        ),
    ],
)
def test_what_is_narrow_or_not_known_yet_is_left_alone(policy: str, right: Resource) -> None:
    assert found(policy, right) == []
