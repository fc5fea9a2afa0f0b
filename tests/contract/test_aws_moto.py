"""What the program hands to the engine, made in moto with AWS's own SDK and read back; and the SDK against our emulator."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import httpx
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from moto import mock_aws

from health.aws_signature import Signature
from sandbox import control
from sandbox.official.api import aws as emulator
from sandbox.official.aws_documents import problem
from tests.unit.aws_estate import ACCOUNT, QUEUE, documents, run
from tests.unit.conftest import deploy  # noqa: F401 - the fixture

pytestmark = pytest.mark.filterwarnings("ignore:.*has been deprecated in favor of:DeprecationWarning")
"""The SDK of the package warns of its own older names when it is imported."""


@pytest.fixture
def estate(deploy: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:  # noqa: F811 - the fixture
    """A prod stage as the program declares it, while all of AWS is moto's."""
    for name, value in (("GITHUB_OWNER", "payready"), ("AWS_DEFAULT_REGION", "us-west-2")):
        monkeypatch.setenv(name, value)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, "testing")
    deployment = run(deploy)
    with mock_aws():
        yield deployment


def client(service: str) -> Any:
    return boto3.client(service, region_name="us-west-2")


def test_every_document_is_taken_by_iam_and_read_back_as_it_was(estate: Any) -> None:
    iam = client("iam")
    boundary = estate.one("aws:iam/policy:Policy").inputs
    made = iam.create_policy(PolicyName=boundary["name"], PolicyDocument=boundary["policy"])["Policy"]
    for provider in estate.of("OpenIdConnectProvider"):
        arn = iam.create_open_id_connect_provider(
            Url=provider.inputs["url"], ClientIDList=provider.inputs["clientIdLists"]
        )
        issuer = provider.inputs["url"].removeprefix("https://")
        assert arn["OpenIDConnectProviderArn"] == f"arn:aws:iam::{ACCOUNT}:oidc-provider/{issuer}", (
            "as the trusts name it"
        )
    for role in estate.of("aws:iam/role:Role"):
        wanted = role.inputs
        iam.create_role(
            RoleName=wanted["name"],
            AssumeRolePolicyDocument=wanted["assumeRolePolicy"],
            MaxSessionDuration=wanted["maxSessionDuration"],
            PermissionsBoundary=made["Arn"],
        )
        inline = estate.one("RolePolicy", role.name).inputs
        iam.put_role_policy(RoleName=wanted["name"], PolicyName=inline["name"], PolicyDocument=inline["policy"])
        found = iam.get_role(RoleName=wanted["name"])["Role"]
        assert found["Arn"] == f"arn:aws:iam::{ACCOUNT}:role/{wanted['name']}", "the name is what Snowflake was told"
        assert found["AssumeRolePolicyDocument"] == json.loads(wanted["assumeRolePolicy"])
        assert found["PermissionsBoundary"]["PermissionsBoundaryArn"] == wanted["permissionsBoundary"]
        read = iam.get_role_policy(RoleName=wanted["name"], PolicyName=inline["name"])["PolicyDocument"]
        assert read == json.loads(inline["policy"])


def test_the_key_and_its_alias_are_made_as_declared(estate: Any) -> None:
    kms = client("kms")
    wanted = estate.one("aws:kms/key:Key").inputs
    key = kms.create_key(Policy=wanted["policy"], Description=wanted["description"])["KeyMetadata"]["KeyId"]
    kms.enable_key_rotation(KeyId=key)
    kms.create_alias(AliasName=estate.one("Alias").inputs["name"], TargetKeyId=key)
    assert kms.describe_key(KeyId="alias/sophia-ai")["KeyMetadata"]["KeyId"] == key
    assert json.loads(kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"]) == json.loads(wanted["policy"])


def test_buckets_are_made_as_declared(estate: Any) -> None:
    s3 = client("s3")
    for bucket in estate.of("aws:s3/bucket:Bucket"):
        where = {"LocationConstraint": "us-west-2"}
        locked = bool(bucket.inputs.get("objectLockEnabled"))
        s3.create_bucket(
            Bucket=bucket.inputs["bucket"], CreateBucketConfiguration=where, ObjectLockEnabledForBucket=locked
        )
    for bucket in estate.of("aws:s3/bucket:Bucket"):
        name = bucket.inputs["bucket"]
        versioning = estate.one("BucketVersioning", bucket.name).inputs["versioningConfiguration"]
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": versioning["status"]})
        (rule,) = estate.one("BucketServerSideEncryptionConfiguration", bucket.name).inputs["rules"]
        default = rule["applyServerSideEncryptionByDefault"]
        encryption = {"SSEAlgorithm": default["sseAlgorithm"]}
        if "kmsMasterKeyId" in default:
            encryption["KMSMasterKeyID"] = default["kmsMasterKeyId"]
        rules = [{"ApplyServerSideEncryptionByDefault": encryption, "BucketKeyEnabled": rule["bucketKeyEnabled"]}]
        s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration={"Rules": rules})
        policy = estate.one("BucketPolicy", bucket.name).inputs["policy"]
        s3.put_bucket_policy(Bucket=name, Policy=policy)
        assert json.loads(s3.get_bucket_policy(Bucket=name)["Policy"]) == json.loads(policy)
        read = s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"]
        assert read == rules


def test_a_backup_cannot_be_deleted_while_it_is_locked(estate: Any) -> None:
    """Without the bucket's policy: moto takes what is denied under a condition as denied."""
    s3 = client("s3")
    s3.create_bucket(
        Bucket="pay-ready-backups",
        CreateBucketConfiguration={"LocationConstraint": "us-west-2"},
        ObjectLockEnabledForBucket=estate.one("aws:s3/bucket:Bucket", "backups").inputs["objectLockEnabled"],
    )
    lock = estate.one("BucketObjectLockConfiguration").inputs["rule"]["defaultRetention"]
    retention = {"Mode": lock["mode"], "Days": lock["days"]}
    s3.put_object_lock_configuration(
        Bucket="pay-ready-backups",
        ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": retention}},
    )
    s3.put_object(Bucket="pay-ready-backups", Key="postgres/today.dump", Body=b"rows")
    version = s3.list_object_versions(Bucket="pay-ready-backups")["Versions"][0]["VersionId"]
    with pytest.raises(s3.exceptions.ClientError, match="AccessDenied"):
        s3.delete_object(Bucket="pay-ready-backups", Key="postgres/today.dump", VersionId=version)


def test_lifecycle_logging_and_notifications_are_taken_by_s3(estate: Any) -> None:
    s3 = client("s3")
    where = {"LocationConstraint": "us-west-2"}
    for bucket in estate.of("aws:s3/bucket:Bucket"):
        s3.create_bucket(Bucket=bucket.inputs["bucket"], CreateBucketConfiguration=where)
    for bucket in estate.of("aws:s3/bucket:Bucket"):
        (rule,) = estate.one("BucketLifecycleConfiguration", bucket.name).inputs["rules"]
        sent: dict[str, Any] = {
            "ID": rule["id"],
            "Status": rule["status"],
            "Filter": {"Prefix": rule["filter"]["prefix"]},
            "AbortIncompleteMultipartUpload": {
                "DaysAfterInitiation": rule["abortIncompleteMultipartUpload"]["daysAfterInitiation"]
            },
            "NoncurrentVersionExpiration": {"NoncurrentDays": rule["noncurrentVersionExpiration"]["noncurrentDays"]},
        }
        if "expiration" in rule:
            sent["Expiration"] = {"Days": rule["expiration"]["days"]}
        moves = rule.get("transitions", [])
        if moves:
            sent["Transitions"] = [{"Days": m["days"], "StorageClass": m["storageClass"]} for m in moves]
        name = bucket.inputs["bucket"]
        s3.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration={"Rules": [sent]})
        assert s3.get_bucket_lifecycle_configuration(Bucket=name)["Rules"][0]["ID"] == "age"
    policy = documents(estate)["BucketPolicy logs"]
    # moto lets nobody log where everybody is refused something, and cannot read such a statement either.
    lets_in = {**policy, "Statement": [one for one in policy["Statement"] if one["Effect"] == "Allow"]}
    s3.put_bucket_policy(Bucket="pay-ready-logs", Policy=json.dumps(lets_in))
    for logging in estate.of("BucketLogging"):
        target = {"TargetBucket": logging.inputs["targetBucket"], "TargetPrefix": logging.inputs["targetPrefix"]}
        s3.put_bucket_logging(Bucket=logging.inputs["bucket"], BucketLoggingStatus={"LoggingEnabled": target})
        assert (
            s3.get_bucket_logging(Bucket=logging.inputs["bucket"])["LoggingEnabled"]["TargetBucket"] == "pay-ready-logs"
        )
    (queue,) = estate.one("BucketNotification").inputs["queues"]
    assert (queue["queueArn"], queue["events"]) == (QUEUE, ["s3:ObjectCreated:*"])


def test_the_emulator_takes_the_same_documents(estate: Any) -> None:
    for name, document in documents(estate).items():
        kind = name.split()[0]
        if kind == "Role":
            assert problem(json.dumps(document), trust=True) is None, name
        else:
            assert problem(json.dumps(document), identity=kind in ("RolePolicy", "Policy")) is None, name


STATEMENT = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::a/*"}


@pytest.mark.parametrize(
    "document",
    [
        {"Version": "2012-10-17", "Statement": [{**STATEMENT, "Effect": "Maybe"}]},
        {"Version": "2013-01-01", "Statement": [STATEMENT]},
        {"Version": "2012-10-17", "Statement": [{**STATEMENT, "Action": "GetObject"}]},
        {"Version": "2012-10-17", "Statement": [{**STATEMENT, "Resource": "a-bucket"}]},
        {"Version": "2012-10-17", "Statement": [{**STATEMENT, "Sid": "a"}, {**STATEMENT, "Sid": "a"}]},
        {"Version": "2012-10-17", "Statement": [{**STATEMENT, "Condition": {"Sometimes": {"a:b": "c"}}}]},
        {"Version": "2012-10-17", "Statement": [{**STATEMENT, "Extra": 1}]},
        {"Version": "2012-10-17"},
    ],
)
def test_what_iam_refuses_the_emulator_refuses(estate: Any, document: dict[str, Any]) -> None:
    iam = client("iam")
    with pytest.raises(iam.exceptions.MalformedPolicyDocumentException):
        iam.create_policy(PolicyName="wrong", PolicyDocument=json.dumps(document))
    assert problem(json.dumps(document), identity=True) is not None


@pytest.mark.parametrize("token", ["session-token", ""])
def test_our_signature_is_that_of_awss_own_sdk(monkeypatch: pytest.MonkeyPatch, token: str) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "ASIAIOSFODNN7EXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
    monkeypatch.setenv("AWS_SESSION_TOKEN", token)
    monkeypatch.setenv("AWS_REGION", "us-west-2")
    body = b"Action=GetCallerIdentity&Version=2011-06-15"
    ours = httpx.Request("POST", "https://sts.us-west-2.amazonaws.com/a%20b?z=1&a=b c", content=body)
    signed = next(Signature("sts").auth_flow(ours))
    theirs = AWSRequest("POST", str(ours.url), data=body)
    credentials = Credentials("ASIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", token or None)
    signer = SigV4Auth(credentials, "sts", "us-west-2")
    theirs.context["timestamp"] = signed.headers["x-amz-date"]
    theirs.headers["X-Amz-Date"] = signed.headers["x-amz-date"]
    if token:
        theirs.headers["X-Amz-Security-Token"] = token
    to_sign = signer.string_to_sign(theirs, signer.canonical_request(theirs))
    assert signed.headers["Authorization"].endswith(f"Signature={signer.signature(to_sign, theirs)}")


def sts_of(url: str, secret: str) -> Any:
    return boto3.client(
        "sts",
        endpoint_url=f"{url}/aws/",
        region_name="us-west-2",
        aws_access_key_id=emulator.ACCESS_KEY_ID,
        aws_secret_access_key=secret,
        aws_session_token=emulator.SESSION_TOKEN,
    )


def test_awss_own_sdk_asks_our_emulator_who_it_is(shared_sandbox: control.Running) -> None:
    identity = sts_of(shared_sandbox.url, emulator.SECRET_ACCESS_KEY).get_caller_identity()
    assert identity["Account"] == ACCOUNT
    assert identity["Arn"].startswith(f"arn:aws:sts::{ACCOUNT}:assumed-role/")
    wrong = sts_of(shared_sandbox.url, "another")
    with pytest.raises(wrong.exceptions.ClientError, match="SignatureDoesNotMatch"):
        wrong.get_caller_identity()
