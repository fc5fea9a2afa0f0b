"""AWS and Snowflake through the real engine: a role that Snowflake is told of before it exists, drift, and the account."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.engine.conftest import Checkout

ROLE, ROLE_POLICY = "aws:iam/role:Role", "aws:iam/rolePolicy:RolePolicy"
BUCKET_POLICY, KEY = "aws:s3/bucketPolicy:BucketPolicy", "aws:kms/key:Key"
INTEGRATION = "snowflake:index/storageIntegrationAws:StorageIntegrationAws"
NOTIFICATION = "aws:s3/bucketNotification:BucketNotification"
PIPE = "snowflake:index/pipe:Pipe"


def properties(checkout: Checkout, platform: str, kind: str) -> dict[str, dict[str, Any]]:
    return {key: one["properties"] for key, one in checkout.objects(platform, kind).items()}


def statement(document: str) -> dict[str, Any]:
    (only,) = json.loads(document)["Statement"]
    return dict(only)


def test_snowflake_reads_the_bucket_with_a_role_that_trusts_only_its_integration(checkout: Checkout) -> None:
    settings = checkout.settings("staging")
    checkout.configure("staging", aws=settings["aws"], snowflake=settings["snowflake"])
    staging = checkout.stack("staging")
    staging.up(skip_preview=True)

    (integration,) = properties(checkout, "snowflake", INTEGRATION).values()
    roles = properties(checkout, "aws", ROLE)
    role = roles["snowflake-payments-staging"]
    assert integration["storageAwsRoleArn"] == role["arn"], "Snowflake was told of the role before it existed"
    (described,) = integration["describeOutputs"]
    trust = statement(role["assumeRolePolicy"])
    assert trust["Principal"] == {"AWS": described["iamUserArn"]}
    assert trust["Condition"] == {"StringEquals": {"sts:ExternalId": described["externalId"]}}
    (pipe,) = properties(checkout, "snowflake", PIPE).values()
    (notification,) = properties(checkout, "aws", NOTIFICATION).values()
    assert [queue["queueArn"] for queue in notification["queues"]] == [pipe["notificationChannel"]]

    assert staging.up(skip_preview=True).counts.changed == 0, "a second run has nothing to do"
    policy = properties(checkout, "aws", BUCKET_POLICY)["pay-ready-payments-staging"]["policy"]
    document = checkout.objects("aws", BUCKET_POLICY)["pay-ready-payments-staging"]
    opened = {"Version": "2012-10-17", "Statement": []}
    document["properties"]["policy"] = json.dumps(opened)
    checkout.running.change_object("aws", BUCKET_POLICY, "pay-ready-payments-staging", document)
    staging.refresh()
    repaired = staging.up(skip_preview=True)
    assert [(c.resource.kind, c.operation) for c in repaired.changes] == [("bucket policy", "update")]
    again = properties(checkout, "aws", BUCKET_POLICY)["pay-ready-payments-staging"]["policy"]
    assert json.loads(again) == json.loads(policy)

    staging.destroy()
    assert not any(checkout.running.objects("aws").objects.values())


def test_another_account_is_refused_before_anything_is_made(checkout: Checkout) -> None:
    aws = checkout.settings()["aws"]
    checkout.configure(aws={**aws, "account": "999999999999"})
    done = checkout.run("up", "dev", "--yes", code=None)
    assert done.returncode != 0
    said = " ".join((done.stdout + done.stderr).split())
    assert 'aws.account is "999999999999"' in said
    assert "nothing was touched" in said
    assert not any(checkout.running.objects("aws").objects.values())


def test_the_credentials_are_proved_and_a_wrong_account_is_seen(checkout: Checkout) -> None:
    aws = checkout.settings()["aws"]
    checkout.configure(aws=aws)
    done = checkout.run("health", "dev", "--json", "--platform", "aws")
    (check,) = json.loads(done.stdout)["health"][0]["checks"]
    assert check["verdict"] == "well"
    checkout.configure(variables={"AWS_SECRET_ACCESS_KEY": "another-secret-key"}, aws=aws)
    done = checkout.run("health", "dev", "--json", "--platform", "aws", code=1)
    (check,) = json.loads(done.stdout)["health"][0]["checks"]
    assert "SignatureDoesNotMatch" in check["problems"][0]["said"]
    assert "another-secret-key" not in done.stdout + done.stderr
    checkout.configure(variables={"AWS_ACCOUNT_ID": "210987654321"}, aws=aws)
    done = checkout.run("health", "dev", "--json", "--platform", "aws", code=1)
    (check,) = json.loads(done.stdout)["health"][0]["checks"]
    assert "of the account 123456789012, not 210987654321" in check["problems"][0]["said"]
