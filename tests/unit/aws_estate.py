"""A stage of AWS with everything in it, run by the recording engine: for the tests of the component, and against moto."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pulumi

from components.aws import AWS
from components.aws.account import Account
from components.aws.settings import AwsSettings
from components.settings import Stage

ACCOUNT = "123456789012"
SNOWFLAKES_USER = "arn:aws:iam::012345678901:user/abc10000-s"
EXTERNAL_ID = "PAYREADY_SFCRole=2_kfKk="
QUEUE = "arn:aws:sqs:us-west-2:012345678901:sf-snowpipe-AIDAEXAMPLE"

WORKFLOWS: dict[str, Any] = {"repository": "sophia-infrastructure", "environments": ["prod"]}
SETTINGS: dict[str, Any] = {
    "identity_providers": {"github": "owned", "pulumi": "owned"},
    "key": {"alias": "sophia-ai"},
    "boundary": "sophia-ai-boundary",
    "buckets": {
        "payments": {
            "name": "pay-ready-payments",
            "logs_to": "logs",
            "archive_after_days": 90,
            "notifications": {"settlements": {"output": "snowflake.queues.settlements", "folder": "settlements/"}},
        },
        "backups": {"name": "pay-ready-backups", "logs_to": "logs", "lock_days": 35, "expire_after_days": 1095},
        "logs": {"name": "pay-ready-logs", "expire_after_days": 400},
    },
    "roles": {
        "preview": {"name": "sophia-preview", "purpose": "preview", "workflows": WORKFLOWS},
        "deploy": {
            "name": "sophia-deploy",
            "purpose": "deploy",
            "workflows": {**WORKFLOWS, "branches": ["main"]},
            "environments": ["sophia-ai/credentials-prod"],
        },
        "backup": {
            "name": "sophia-backup",
            "purpose": "backup",
            "workflows": WORKFLOWS,
            "bucket": "backups",
            "folder": "postgres/",
        },
    },
    "snowflake": {
        "integrations": {"payments": {"role": "snowflake-payments", "bucket": "payments", "folder": "settlements/"}},
        "failures": {"role": "snowflake-failures", "topic": "snowflake-failures"},
    },
}


def run(deploy: Callable[..., Any], stage: Stage = Stage.PROD, **changes: Any) -> Any:
    """What the component registers, with ARNs as AWS gives them."""
    settings = AwsSettings.model_validate({**SETTINGS, **changes})
    account = Account(ACCOUNT, "us-west-2")

    def program() -> AWS:
        pulumi.runtime.settings.SETTINGS.organization = "scoobyjava-org"
        outputs: dict[str, pulumi.Input[str]] = {"snowflake.queues.settlements": QUEUE}
        for key in ("payments", "failures"):
            outputs[f"snowflake.trust.{key}.user"] = pulumi.Output.from_input(SNOWFLAKES_USER)
            outputs[f"snowflake.trust.{key}.external_id"] = pulumi.Output.from_input(EXTERNAL_ID)
        return AWS("aws", settings, stage=stage, account=account, outputs=outputs)

    key = {"keyId": "1234abcd-12ab-34cd-56ef-1234567890ab"}
    computed = {
        "aws:kms/key:Key": lambda *_: {**key, "arn": f"arn:aws:kms:us-west-2:{ACCOUNT}:key/{key['keyId']}"},
        "aws:iam/role:Role": lambda _, inputs: {"arn": account.role(inputs["name"])},
        "aws:iam/policy:Policy": lambda _, inputs: {"arn": account.policy(inputs["name"])},
        "aws:sns/topic:Topic": lambda _, inputs: {"arn": account.topic(inputs["name"])},
    }
    return deploy(program, stack=stage.value, computed=computed)


def documents(deployment: Any) -> dict[str, dict[str, Any]]:
    """Every policy document that was registered, by ``Kind name``."""
    members = ("policy", "assumeRolePolicy")
    found = {}
    for resource in deployment.resources:
        kind = resource.type.rpartition(":")[2]
        for member in members:
            if isinstance(resource.inputs.get(member), str):
                found[f"{kind} {resource.name}"] = json.loads(resource.inputs[member])
    return found
