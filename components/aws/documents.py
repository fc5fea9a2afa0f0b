"""Policy documents: who may do what with what, in the language of IAM.

Source of facts: the IAM user guide ("IAM JSON policy elements reference", "Actions, resources, and condition keys for AWS
services"), the S3 user guide ("Enforcement of data in transit", "Enabling server access logging"), the key policies of
the KMS developer guide. Every statement names its actions and its resources.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pulumi

from components.aws.account import Account, bucket_arn, issuer_of
from components.aws.settings import Issuer, WorkflowsSettings

Statement = dict[str, Any]
"""A statement; ARNs in it may be outputs."""

Conditions = Mapping[str, Mapping[str, Any]]


def document(statements: Iterable[Statement]) -> pulumi.Output[str]:
    """The text of a policy."""
    return pulumi.Output.json_dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(
    sid: str, actions: Sequence[str], resources: Sequence[pulumi.Input[str]], conditions: Conditions | None = None
) -> Statement:
    """Lets whoever has the policy do ``actions`` with ``resources``."""
    statement = {"Sid": sid, "Effect": "Allow", "Action": list(actions), "Resource": list(resources)}
    return {**statement, "Condition": conditions} if conditions else statement


def taken_by_workflows(account: Account, owner: str, workflows: WorkflowsSettings) -> Statement:
    """Trust in runs of GitHub Actions, each by its whole subject."""
    ids = workflows.ids
    repository = (
        f"repo:{owner}@{ids.owner}/{workflows.repository}@{ids.repository}"
        if ids
        else f"repo:{owner}/{workflows.repository}"
    )
    subjects = [f"{repository}:environment:{name}" for name in workflows.environments]
    subjects += [f"{repository}:ref:refs/heads/{name}" for name in workflows.branches]
    return _taken("Workflows", account, "github", "sts.amazonaws.com", subjects)


def taken_by_environments(account: Account, organization: str, environments: Sequence[str]) -> Statement:
    """Trust in ESC environments of the Pulumi organisation: those in which the login itself is written.

    By default the subject names the environment that is opened first, and any may import another; so these must say
    ``subjectAttributes: [currentEnvironment.name]`` (pulumi.com, "Customizing OIDC claims").
    """
    prefix = f"pulumi:environments:pulumi.organization.login:{organization}:currentEnvironment.name"
    subjects = [f"{prefix}:{name}" for name in environments]
    return _taken("Environments", account, "pulumi", f"aws:{organization}", subjects)


def _taken(sid: str, account: Account, issuer: Issuer, audience: str, subjects: Sequence[str]) -> Statement:
    name = issuer_of(issuer)
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": {"Federated": account.identity_provider(issuer)},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": {f"{name}:aud": audience, f"{name}:sub": list(subjects)}},
    }


def taken_by_snowflake(user: pulumi.Input[str], external_id: pulumi.Input[str]) -> Statement:
    """Trust in the user that Snowflake has made for one integration; the external id keeps its other customers out."""
    return {
        "Sid": "Snowflake",
        "Effect": "Allow",
        "Principal": {"AWS": user},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"sts:ExternalId": external_id}},
    }


def key_policy(account: Account) -> list[Statement]:
    """The account's own policies decide. Without this statement nobody could change the key's policy ever again."""
    return [
        {
            "Sid": "AccountPolicies",
            "Effect": "Allow",
            "Principal": {"AWS": account.root},
            "Action": "kms:*",
            "Resource": "*",  # in a key's policy: this key
        }
    ]


def bucket_policy(name: str, key: pulumi.Input[str] | None) -> list[Statement]:
    """Nothing in clear over the network, and nothing encrypted with another key than the bucket's (``key``)."""
    everything = [bucket_arn(name), f"{bucket_arn(name)}/*"]
    statements = [
        _forbidden("NoPlainHttp", "s3:*", everything, {"Bool": {"aws:SecureTransport": "false"}}),
        _forbidden("NoOldTls", "s3:*", everything, {"NumericLessThan": {"s3:TlsVersion": "1.2"}}),
    ]
    if key is not None:
        header = "s3:x-amz-server-side-encryption-aws-kms-key-id"
        other: Conditions = {"StringNotEquals": {header: key}, "Null": {header: "false"}}
        statements.append(_forbidden("NoOtherKey", "s3:PutObject", everything[1:], other))
    return statements


def _forbidden(sid: str, action: str, resources: Sequence[pulumi.Input[str]], conditions: Conditions) -> Statement:
    return {
        "Sid": sid,
        "Effect": "Deny",
        "Principal": "*",
        "Action": action,
        "Resource": list(resources),
        "Condition": conditions,
    }


def written_by_s3(name: str, sources: Sequence[str], account: Account) -> list[Statement]:
    """Lets S3 write the access log of each of ``sources``, buckets of the same account, into that one's own folder."""
    return [
        {
            "Sid": f"AccessLog{number}",
            "Effect": "Allow",
            "Principal": {"Service": "logging.s3.amazonaws.com"},
            "Action": "s3:PutObject",
            "Resource": f"{bucket_arn(name)}/{source}/*",
            "Condition": {
                "ArnLike": {"aws:SourceArn": bucket_arn(source)},
                "StringEquals": {"aws:SourceAccount": account.id},
            },
        }
        for number, source in enumerate(sources, 1)
    ]


def topic_policy(arn: pulumi.Input[str], publisher: pulumi.Input[str]) -> list[Statement]:
    """One role publishes, over TLS; subscriptions are made by the account's own policies."""
    publish = {"Effect": "Allow", "Principal": {"AWS": publisher}, "Action": "sns:Publish", "Resource": arn}
    plain = _forbidden("NoPlainHttp", "sns:Publish", [arn], {"Bool": {"aws:SecureTransport": "false"}})
    return [{"Sid": "Failures", **publish}, plain]
