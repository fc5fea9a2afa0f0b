"""AWS: whom a role trusts, what it may do, and what keeps a bucket closed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pydantic import ValidationError

from components.aws.account import Account, account_of, names
from components.aws.settings import AwsSettings
from components.settings import CredentialsError, SettingsError, Stage
from tests.unit.aws_estate import ACCOUNT, EXTERNAL_ID, QUEUE, SETTINGS, SNOWFLAKES_USER, documents, run

Deploy = Callable[..., Any]

pytestmark = pytest.mark.filterwarnings("ignore:.*has been deprecated in favor of:DeprecationWarning")
"""The SDK warns of its own older names when it is imported."""


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCOUNT_ID", ACCOUNT)
    monkeypatch.setenv("AWS_REGION", "us-west-2")
    monkeypatch.setenv("GITHUB_OWNER", "payready")


def allowed(document: dict[str, Any]) -> Iterator[tuple[dict[str, Any], list[str], list[str]]]:
    """Every statement that allows, with its actions and resources."""
    for statement in document["Statement"]:
        if statement["Effect"] == "Allow":
            actions, resources = (statement.get(name, []) for name in ("Action", "Resource"))
            yield (
                statement,
                actions if isinstance(actions, list) else [actions],
                resources if isinstance(resources, list) else [resources],
            )


def trusted(deployment: Any, role: str) -> list[dict[str, Any]]:
    statements: list[dict[str, Any]] = documents(deployment)[f"Role {role}"]["Statement"]
    return statements


def may(deployment: Any, role: str) -> set[str]:
    return {a for _, actions, _ in allowed(documents(deployment)[f"RolePolicy {role}"]) for a in actions}


def mistakes(**changes: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        AwsSettings.model_validate({**SETTINGS, **changes})
    return str(caught.value)


def test_a_workflow_is_trusted_by_its_whole_subject(deploy: Deploy) -> None:
    workflows, environments = trusted(run(deploy), "deploy")
    assert workflows["Condition"] == {
        "StringEquals": {
            "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
            "token.actions.githubusercontent.com:sub": [
                "repo:payready/sophia-infrastructure:environment:prod",
                "repo:payready/sophia-infrastructure:ref:refs/heads/main",
            ],
        }
    }, "anything but StringEquals, or a pattern in it, lets runs in that nobody has thought of"
    provider = f"arn:aws:iam::{ACCOUNT}:oidc-provider/"
    assert workflows["Principal"] == {"Federated": f"{provider}token.actions.githubusercontent.com"}
    subject = "pulumi:environments:pulumi.organization.login:scoobyjava-org:currentEnvironment.name"
    assert environments["Condition"] == {
        "StringEquals": {
            "api.pulumi.com/oidc:aud": "aws:scoobyjava-org",
            "api.pulumi.com/oidc:sub": [f"{subject}:sophia-ai/credentials-prod"],
        }
    }


def test_a_newer_repository_is_known_by_numbers_that_nobody_can_take_over(deploy: Deploy) -> None:
    workflows = {"repository": "sophia", "environments": ["prod"], "ids": {"owner": 17, "repository": 4711}}
    role = {"name": "r", "purpose": "preview", "workflows": workflows}
    (statement,) = trusted(run(deploy, roles={"preview": role}), "preview")
    subjects = statement["Condition"]["StringEquals"]["token.actions.githubusercontent.com:sub"]
    assert subjects == ["repo:payready@17/sophia@4711:environment:prod"]


def test_snowflake_takes_its_roles_with_its_external_id_only(deploy: Deploy) -> None:
    deployment = run(deploy)
    for role in ("snowflake-payments", "snowflake-failures"):
        (statement,) = trusted(deployment, role)
        assert statement["Principal"] == {"AWS": SNOWFLAKES_USER}
        assert statement["Condition"] == {"StringEquals": {"sts:ExternalId": EXTERNAL_ID}}, "or any customer of theirs"
    assert may(deployment, "snowflake-payments") == {
        "s3:GetObject", "s3:GetObjectVersion", "s3:ListBucket", "s3:GetBucketLocation", "kms:Decrypt",
    }  # fmt: skip


def test_every_role_is_taken_for_an_hour_and_within_the_boundary(deploy: Deploy) -> None:
    deployment = run(deploy)
    roles = deployment.of("aws:iam/role:Role")
    assert len(roles) == 5
    for role in roles:
        assert role.inputs["maxSessionDuration"] == 3600
        assert role.inputs["permissionsBoundary"] == f"arn:aws:iam::{ACCOUNT}:policy/sophia-ai-boundary", role.name


@pytest.mark.parametrize("stage", list(Stage))
def test_nothing_is_allowed_by_a_wildcard_where_aws_has_a_finer_form(deploy: Deploy, stage: Stage) -> None:
    only_star = {"kms:CreateKey", "kms:ListAliases"}
    for name, document in documents(run(deploy, stage)).items():
        for statement, actions, resources in allowed(document):
            if name == "Key key":
                assert statement["Principal"] == {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
                continue
            assert not [action for action in actions if "*" in action], name
            if "*" in resources:
                assert set(actions) <= only_star, name


def test_no_role_gets_beyond_the_boundary_or_changes_it(deploy: Deploy) -> None:
    found = documents(run(deploy))
    boundary = {action for _, actions, _ in allowed(found["Policy boundary"]) for action in actions}
    for name in found:
        if name.startswith("RolePolicy "):
            asked = {action for _, actions, _ in allowed(found[name]) for action in actions}
            assert asked <= boundary, f"{name} asks for what its boundary does not let it do"
    forbidden = {"iam:CreatePolicyVersion", "iam:SetDefaultPolicyVersion", "iam:DeleteRolePermissionsBoundary"}
    assert not boundary & forbidden
    for statement, actions, _ in allowed(found["Policy boundary"]):
        if {"iam:CreateRole", "iam:PutRolePolicy"} & set(actions):
            condition = {
                "StringEquals": {"iam:PermissionsBoundary": f"arn:aws:iam::{ACCOUNT}:policy/sophia-ai-boundary"}
            }
            assert statement["Condition"] == condition, "a role without the boundary could do everything"


def test_documents_are_no_longer_than_aws_takes_them(deploy: Deploy) -> None:
    limits = {"Policy": 6144, "RolePolicy": 10240, "Role": 2048, "BucketPolicy": 20480, "Key": 32768}
    for name, document in documents(run(deploy, Stage.DEV)).items():
        size = len(re.sub(r"\s", "", json.dumps(document)))
        assert size <= limits.get(name.split()[0], 30720), f"{name} has {size} characters"


def test_in_prod_the_deploying_role_deletes_nothing_that_holds_data(deploy: Deploy) -> None:
    destructive = {"s3:DeleteBucket", "s3:DeleteBucketPolicy", "kms:ScheduleKeyDeletion", "kms:DeleteAlias"}
    assert not may(run(deploy, Stage.PROD), "deploy") & destructive
    assert destructive <= may(run(deploy, Stage.DEV), "deploy"), "elsewhere a stage can be taken down again"


def test_a_backup_can_be_written_and_not_read(deploy: Deploy) -> None:
    document = documents(run(deploy))["RolePolicy backup"]
    (files,) = [resources for _, actions, resources in allowed(document) if "s3:PutObject" in actions]
    assert files == ["arn:aws:s3:::pay-ready-backups/postgres/*"]
    assert may(run(deploy), "backup") == {
        "s3:PutObject",
        "s3:AbortMultipartUpload",
        "kms:GenerateDataKey",
        "kms:Decrypt",
    }


def test_the_preview_role_changes_nothing_and_reads_no_file(deploy: Deploy) -> None:
    actions = may(run(deploy), "preview")
    assert all(re.match(r"\w+:(Get|List|Describe)", action) for action in actions)
    assert not actions & {"s3:GetObject", "kms:Decrypt"}


def test_a_bucket_is_closed_versioned_and_encrypted(deploy: Deploy) -> None:
    deployment = run(deploy)
    for bucket in deployment.of("Bucket"):
        block = deployment.one("BucketPublicAccessBlock", bucket.name).inputs
        switches = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
        assert [block[switch] for switch in switches] == [True] * 4
        ownership = deployment.one("BucketOwnershipControls", bucket.name).inputs["rule"]
        assert ownership == {"objectOwnership": "BucketOwnerEnforced"}
        versioning = deployment.one("BucketVersioning", bucket.name).inputs["versioningConfiguration"]
        assert versioning == {"status": "Enabled"}
        refused = [
            s["Sid"] for s in documents(deployment)[f"BucketPolicy {bucket.name}"]["Statement"] if s["Effect"] == "Deny"
        ]
        assert {"NoPlainHttp", "NoOldTls"} <= set(refused)
        (rule,) = deployment.one("BucketServerSideEncryptionConfiguration", bucket.name).inputs["rules"]
        algorithm = rule["applyServerSideEncryptionByDefault"]["sseAlgorithm"]
        assert algorithm == ("AES256" if bucket.name == "logs" else "aws:kms"), "S3 logs into no bucket with our key"
        assert rule["bucketKeyEnabled"] is (bucket.name != "logs"), "without it every file costs a call of KMS"
    key = deployment.one("aws:kms/key:Key").inputs
    assert (key["enableKeyRotation"], key["deletionWindowInDays"]) == (True, 30)


def test_backups_are_locked_and_files_age_as_the_settings_say(deploy: Deploy) -> None:
    deployment = run(deploy)
    assert deployment.one("Bucket", "backups").inputs["objectLockEnabled"] is True
    lock = deployment.one("BucketObjectLockConfiguration").inputs
    assert lock["rule"] == {"defaultRetention": {"mode": "GOVERNANCE", "days": 35}}
    (rule,) = deployment.one("BucketLifecycleConfiguration", "payments").inputs["rules"]
    assert rule["transitions"] == [{"days": 90, "storageClass": "GLACIER_IR"}]
    assert "expiration" not in rule


def test_new_files_are_told_to_the_pipe(deploy: Deploy) -> None:
    (queue,) = run(deploy).one("BucketNotification").inputs["queues"]
    assert (queue["queueArn"], queue["filterPrefix"]) == (QUEUE, "settlements/")


@pytest.mark.parametrize(("stage", "kept"), [(Stage.PROD, True), (Stage.DEV, False)])
def test_what_holds_data_stays_in_prod_with_all_that_guards_it(deploy: Deploy, stage: Stage, kept: bool) -> None:
    deployment = run(deploy, stage)
    for store in (*deployment.of("Bucket"), deployment.one("aws:kms/key:Key")):
        assert (store.protect, store.retain_on_delete) == (kept, kept), store.name
    for guard in (*deployment.of("BucketPublicAccessBlock"), *deployment.of("BucketPolicy")):
        assert guard.retain_on_delete is kept, "a bucket that stays would be left open"


def test_a_shared_identity_provider_is_another_stacks(deploy: Deploy) -> None:
    deployment = run(deploy, identity_providers={"github": "shared", "pulumi": "owned"})
    assert [p.name for p in deployment.of("OpenIdConnectProvider")] == ["pulumi"]
    resources = [
        r
        for _, a, rs in allowed(documents(deployment)["RolePolicy deploy"])
        for r in rs
        if "iam:CreateOpenIDConnectProvider" in a
    ]
    assert resources == [f"arn:aws:iam::{ACCOUNT}:oidc-provider/api.pulumi.com/oidc"]
    assert trusted(deployment, "preview"), "and is trusted all the same"


def test_names_are_known_before_anything_exists() -> None:
    found = names(AwsSettings.model_validate(SETTINGS), Account(ACCOUNT, "us-west-2"))
    assert found["aws.snowflake.payments"] == f"arn:aws:iam::{ACCOUNT}:role/snowflake-payments"
    assert found["aws.failures.topic"] == f"arn:aws:sns:us-west-2:{ACCOUNT}:snowflake-failures"
    assert found["aws.buckets.payments"] == "pay-ready-payments"


def test_another_account_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = AwsSettings.model_validate({**SETTINGS, "account": "999999999999"})
    with pytest.raises(SettingsError, match=r'account is "999999999999", but .* "123456789012" .*nothing was touched'):
        account_of(settings)
    monkeypatch.delenv("AWS_ACCOUNT_ID")
    with pytest.raises(CredentialsError, match="AWS_ACCOUNT_ID is not set"):
        account_of(settings)


def test_a_missing_value_says_where_it_was_asked_for(deploy: Deploy, monkeypatch: pytest.MonkeyPatch) -> None:
    integrations = {"paymints": {"role": "r", "bucket": "payments", "folder": "settlements/"}}
    with pytest.raises(SettingsError, match=r"aws.snowflake.integrations.paymints: no value"):
        run(deploy, snowflake={"integrations": integrations})
    monkeypatch.delenv("GITHUB_OWNER")
    with pytest.raises(CredentialsError, match=r"GITHUB_OWNER is not set, and .*aws.roles.preview.workflows"):
        run(deploy)


def test_outputs_and_parents(deploy: Deploy) -> None:
    deployment = run(deploy)
    component = deployment.one("sophia:platform:AWS")
    assert component.outputs["roles"]["deploy"] == f"arn:aws:iam::{ACCOUNT}:role/sophia-deploy"
    assert component.outputs["buckets"]["backups"] == "pay-ready-backups"
    assert {r.parent for r in deployment.resources if r is not component} == {component.urn}
    assert {r.provider for r in deployment.resources} == {""}, (
        "an explicit provider would put credentials into the state"
    )


ROLE = {"name": "r", "purpose": "preview"}
TRUST = {"workflows": {"repository": "a", "environments": ["dev"]}}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"account": "12345"}, "twelve digits"),
        ({"buckets": {"a": {"name": "Pay_Ready"}}}, "lower-case letters, digits and hyphens"),
        ({"buckets": {"a": {"name": "aaa"}, "b": {"name": "aaa"}}}, "is that of buckets.a"),
        ({"buckets": {"a": {"name": "aaa", "logs_to": "a"}}}, "without end"),
        ({"buckets": {"a": {"name": "aaa", "logs_to": "c"}}}, 'no bucket "c" is declared'),
        ({"buckets": {"a": {"name": "aaa", "lock_days": 30, "expire_after_days": 20}}}, "before the end of lock_days"),
        ({"buckets": {"a": {"name": "aaa", "lock_mode": "COMPLIANCE"}}}, "add lock_days"),
        (
            {"buckets": {"a": {"name": "aaa", "logs_to": "b"}, "b": {"name": "bbb", "lock_days": 9}}},
            "without lock_days and logs_to",
        ),
        (
            {"buckets": {"a": {"name": "aaa", "notifications": {"x": {"folder": "in/"}}}}},
            "must give either `output`",
        ),
        (
            {
                "buckets": {
                    "a": {
                        "name": "aaa",
                        "notifications": {
                            "x": {"folder": "in/", "output": "q"},
                            "y": {"folder": "in/a/", "output": "q"},
                        },
                    }
                }
            },
            "overlaps with notifications.x",
        ),
        ({"roles": {"a": ROLE}}, "nobody could take this role"),
        ({"roles": {"a": {**ROLE, "workflows": {"repository": "a"}}}}, "every run of the repository is trusted"),
        ({"roles": {"a": {**ROLE, "workflows": {"repository": "a", "branches": ["*"]}}}}, "no patterns"),
        ({"roles": {"a": {**ROLE, "workflows": {"repository": "a*", "branches": ["b"]}}}}, "name of a repository"),
        ({"roles": {"a": {**ROLE, **TRUST}}, "identity_providers": {}}, 'no identity provider "github" is declared'),
        ({"roles": {"a": {**ROLE, **TRUST, "purpose": "backup"}}}, "needs `bucket` and `folder`"),
        ({"roles": {"a": {**ROLE, **TRUST, "folder": "x/"}}}, "only a backup role"),
        (
            {"roles": {"a": {**ROLE, **TRUST, "purpose": "backup", "bucket": "no", "folder": "x/"}}},
            'no bucket "no" is declared',
        ),
        ({"roles": {"a": {**ROLE, **TRUST, "name": "snowflake-payments"}}}, "another role's already"),
        ({"key": {"alias": "aws/s3"}}, "aws/ is AWS's"),
    ],
)
def test_mistakes_that_aws_would_find_late_are_found_early(changes: dict[str, Any], message: str) -> None:
    assert message in mistakes(**{"roles": {}, "snowflake": {}, **changes} if "buckets" in changes else changes)
