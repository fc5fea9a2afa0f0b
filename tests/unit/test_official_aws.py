"""The stand-in for AWS's package refuses what AWS refuses, in AWS's words."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.official import aws
from sandbox.official.behaviour import RefusedError
from sandbox.official.objects import Objects
from sandbox.store import Database, Store

BUCKET, BUCKET_POLICY = "aws:s3/bucket:Bucket", "aws:s3/bucketPolicy:BucketPolicy"
ROLE, POLICY, KEY = "aws:iam/role:Role", "aws:iam/policy:Policy", "aws:kms/key:Key"
LIFECYCLE = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
ROOT = {"AWS": f"arn:aws:iam::{aws.ACCOUNT}:root"}


def document(**statement: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})


TRUST = document(Principal=ROOT, Action="sts:AssumeRole")
PERMISSION = document(Action="s3:GetObject", Resource="arn:aws:s3:::pay-ready/*")


@pytest.fixture
def account(tmp_path: Path) -> Iterator[Objects]:
    database = Database(tmp_path / "sandbox.sqlite3")
    yield Objects(Store(database, "aws"), aws.PACKAGE)
    database.close()


def refusal(account: Objects, token: str, **asked: Any) -> str:
    with pytest.raises(RefusedError) as caught:
        account.create(token, asked, ())
    return str(caught.value)


def test_ids_and_arns_are_those_of_aws(account: Objects) -> None:
    key, made = account.create(ROLE, {"name": "deploy", "assumeRolePolicy": TRUST}, ())
    assert (key, made["arn"]) == ("deploy", f"arn:aws:iam::{aws.ACCOUNT}:role/deploy")
    assert made["uniqueId"].startswith("AROA")
    key, made = account.create(BUCKET, {"bucket": "pay-ready"}, ())
    assert (key, made["arn"]) == ("pay-ready", "arn:aws:s3:::pay-ready")
    key, made = account.create(POLICY, {"name": "boundary", "policy": PERMISSION}, ())
    assert key == made["arn"] == f"arn:aws:iam::{aws.ACCOUNT}:policy/boundary"


def test_names_are_unique_and_bucket_names_in_all_the_world(account: Objects) -> None:
    account.create(BUCKET, {"bucket": "pay-ready"}, ())
    assert "BucketAlreadyOwnedByYou" in refusal(account, BUCKET, bucket="pay-ready")
    assert "BucketAlreadyExists" in refusal(account, BUCKET, bucket="backups")
    account.create(ROLE, {"name": "deploy", "assumeRolePolicy": TRUST}, ())
    assert "EntityAlreadyExists" in refusal(account, ROLE, name="deploy", assumeRolePolicy=TRUST)


@pytest.mark.parametrize(
    ("token", "asked", "said"),
    [
        (ROLE, {"name": "r", "assumeRolePolicy": document(Principal=ROOT, Action="s3:GetObject")}, "only specify STS"),
        (
            ROLE,
            {"name": "r", "assumeRolePolicy": document(Action="sts:AssumeRole")},
            "Missing required field Principal",
        ),
        (
            ROLE,
            {"name": "r", "assumeRolePolicy": document(Principal=ROOT, Action="sts:AssumeRole", Resource="*")},
            "prohibited field Resource",
        ),
        (
            ROLE,
            {"name": "r", "assumeRolePolicy": TRUST, "permissionsBoundary": "arn:aws:iam::1:policy/b"},
            "NoSuchEntity",
        ),
        (
            POLICY,
            {"name": "p", "policy": document(Principal="*", Action="a:b", Resource="*")},
            "not specify a principal",
        ),
        (POLICY, {"name": "p", "policy": document(Sid="a b", Action="a:b", Resource="*")}, "Statement IDs (SID)"),
        (POLICY, {"name": "p", "policy": document(Action=["a:b"] * 1500, Resource="*")}, "quota for PolicySize: 6144"),
        (KEY, {"policy": document(Principal={"AWS": "123"}, Action="kms:*", Resource="*")}, "Invalid principal"),
        (
            KEY,
            {"policy": document(Principal=ROOT, Action="kms:Decrypt", Resource="*")},
            "will not allow you to update the key policy",
        ),
        (BUCKET_POLICY, {"bucket": "none", "policy": PERMISSION}, "NoSuchBucket"),
    ],
)
def test_what_aws_refuses(account: Objects, token: str, asked: dict[str, Any], said: str) -> None:
    assert said in refusal(account, token, **asked)


def test_a_bucket_takes_a_policy_about_itself_only(account: Objects) -> None:
    account.create(BUCKET, {"bucket": "pay-ready"}, ())
    other = document(Principal=ROOT, Action="s3:GetObject", Resource="arn:aws:s3:::another/*")
    assert "Policy has invalid resource" in refusal(account, BUCKET_POLICY, bucket="pay-ready", policy=other)


def test_files_expire_after_they_moved(account: Objects) -> None:
    account.create(BUCKET, {"bucket": "pay-ready"}, ())
    rule = {"id": "a", "expiration": {"days": 30}, "transitions": [{"days": 90, "storageClass": "GLACIER_IR"}]}
    assert "must be greater than 'Days' in the Transition" in refusal(
        account, LIFECYCLE, bucket="pay-ready", rules=[rule]
    )


def test_a_boundary_that_a_role_has_is_not_deleted(account: Objects) -> None:
    key, made = account.create(POLICY, {"name": "boundary", "policy": PERMISSION}, ())
    account.create(ROLE, {"name": "r", "assumeRolePolicy": TRUST, "permissionsBoundary": made["arn"]}, ())
    with pytest.raises(RefusedError, match="DeleteConflict"):
        account.delete(POLICY, key)
