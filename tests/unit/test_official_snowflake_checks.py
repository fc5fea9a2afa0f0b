"""What the stand-in for pulumi_snowflake checks of inputs, as the real provider does before it says anything."""

from __future__ import annotations

from typing import Any

import pytest
from pulumi.runtime.proto import provider_pb2 as rpc

from sandbox.official.check import checked
from sandbox.official.snowflake import PACKAGE

Properties = dict[str, Any]

IN = {"database": "D", "schema": "S"}
IN_S = {"inSchema": "D.S"}
GRANT = {"accountRoleName": "R"}
TASK = {**IN, "name": "NIGHTLY", "started": True, "sqlStatement": "SELECT 1", "schedule": {"minutes": 5}}
MASK = {
    **IN,
    "name": "MASK",
    "arguments": [{"name": "VAL", "type": "VARCHAR"}],
    "returnDataType": "VARCHAR",
    "body": "VAL",
}
INTEGRATION = {
    "name": "LAKE",
    "enabled": True,
    "storageProvider": "S3",
    "storageAwsRoleArn": "arn:aws:iam::111122223333:role/lake",
    "storageAllowedLocations": ["s3://lake/raw/"],
}


@pytest.mark.parametrize(
    ("kind", "inputs", "complaint"),
    [
        ("Warehouse", {"name": "W", "warehouseSize": "HUGE"}, "warehouseSize: invalid warehouse size: HUGE"),
        ("Warehouse", {"name": "W", "autoResume": "yes"}, "autoResume: expected one of [true false], got yes"),
        ("Warehouse", {"name": "W", "autoSuspend": -5}, "autoSuspend: expected to be at least (0), got -5"),
        (
            "Schema",
            {"name": "S", "database": "D", "maxDataExtensionTimeInDays": 91},
            "maxDataExtensionTimeInDays: expected to be in the range (0 - 90), got 91",
        ),
        ("ResourceMonitor", {"name": "M", "frequency": "DAILY"}, "frequency: all of frequency, startTimestamp must"),
        ("Task", {**TASK, "schedule": {"minutes": 5, "usingCron": "0 0 * * * UTC"}}, "schedule.usingCron: exactly one"),
        ("Task", {**TASK, "afters": ["D.S.X"]}, "schedule: conflicts with afters"),
        ("MaskingPolicy", {**MASK, "returnDataType": "STRNG"}, "returnDataType: invalid data type: STRNG"),
        ("Tag", {**IN, "name": "G", "allowedValues": ["a"], "noAllowedValues": True}, "allowedValues: conflicts with"),
        (
            "GrantPrivilegesToAccountRole",
            {
                **GRANT,
                "privileges": ["APPLY"],
                "onSchemaObject": {"future": {"objectTypePlural": "TAGS", "inSchema": "D.S"}},
            },
            "onSchemaObject.future.objectTypePlural: invalid object type for future: TAGS",
        ),
        (
            "GrantPrivilegesToAccountRole",
            {**GRANT, "privileges": ["USAGE"], "onSchema": {"schemaName": "S"}},
            "onSchema.schemaName: the correct form of the fully qualified name for this field is: <database_name>.<name>",
        ),
        ("FileFormatCsv", {**IN, "name": "F", "parseHeader": "true", "skipHeader": 1}, "parseHeader: conflicts with"),
        ("FileFormatParquet", {**IN, "name": "F", "compression": "GZIP"}, "compression: invalid parquet compression"),
        ("StageInternal", {**IN, "name": "G", "encryption": {}}, "encryption.snowflakeFull: exactly one of"),
        ("StorageIntegrationAws", {**INTEGRATION, "storageAllowedLocations": []}, "storageAllowedLocations: 1 item"),
        (
            "TagAssociation",
            {"objectIdentifiers": ["X"], "objectType": "MOON", "tagId": "D.S.G", "tagValue": "v"},
            "object",
        ),
        (
            "AuthenticationPolicy",
            {**IN, "name": "A", "authenticationMethods": ["FAX"]},
            "authenticationMethods[0]: inv",
        ),
    ],
)
def test_what_the_provider_refuses_before_anything_is_sent(kind: str, inputs: Properties, complaint: str) -> None:
    token = f"snowflake:index/{kind[0].lower()}{kind[1:]}:{kind}"
    urn = f"urn:pulumi:dev::sophia-ai::{token}::thing"
    _, failures = checked(PACKAGE, token, rpc.CheckRequest(urn=urn), {}, inputs)
    said = [f"{failure.property}: {failure.reason}" for failure in failures]
    assert [text for text in said if text.startswith(complaint)], said
