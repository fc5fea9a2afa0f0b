"""What the stand-in for pulumi_snowflake calls a change, and what of it replaces the object."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.official.diff import compared
from sandbox.official.snowflake import PACKAGE

Properties = dict[str, Any]

IN = {"database": "D", "schema": "S"}
WAREHOUSE = {"name": "W", "warehouseSize": "SMALL"}
MONITOR = {"name": "M", "creditQuota": 10, "suspendTrigger": 90}
TABLE = {**IN, "name": "T", "columns": [{"name": "ID", "type": "NUMBER(38,0)"}, {"name": "MAIL", "type": "VARCHAR"}]}
STAGE = {**IN, "name": "LANDING", "url": "s3://lake/raw/gong/", "storageIntegration": "LAKE"}
COPY = "COPY INTO D.S.T FROM @D.S.LANDING"
PIPE = {**IN, "name": "P", "copyStatement": COPY}
STREAM = {**IN, "name": "X", "table": "D.S.T"}
TASK = {**IN, "name": "NIGHTLY", "started": True, "sqlStatement": "SELECT 1", "schedule": {"minutes": 5}}
LAG = {"maximumDuration": "1 hour"}
DYNAMIC = {**IN, "name": "Y", "warehouse": "W", "query": "SELECT 1", "targetLag": LAG}
TAG = {**IN, "name": "G", "allowedValues": ["a", "b"]}
MASK = {
    **IN,
    "name": "MASK",
    "arguments": [{"name": "VAL", "type": "VARCHAR"}],
    "returnDataType": "VARCHAR",
    "body": "VAL",
}
GRANT = {"accountRoleName": '"R"', "privileges": ["USAGE"], "onSchema": {"schemaName": '"D"."S"'}}
EXECUTE = {"execute": "SELECT 1", "revert": "SELECT 1"}


@pytest.mark.parametrize(
    ("kind", "old", "change"),
    [
        ("Warehouse", WAREHOUSE, {"warehouseSize": "small"}),
        ("Warehouse", {**WAREHOUSE, "warehouseSize": "X-SMALL"}, {"warehouseSize": "XSMALL"}),
        ("Warehouse", {**WAREHOUSE, "warehouseSize": "2X-LARGE"}, {"warehouseSize": "XXLARGE"}),
        ("Table", TABLE, {"columns": [{"name": "ID", "type": "NUMBER"}, {"name": "MAIL", "type": "STRING"}]}),
        ("Pipe", PIPE, {"copyStatement": f"{COPY};\n"}),
        ("StreamOnTable", STREAM, {"table": '"D"."S"."T"'}),
        ("DynamicTable", DYNAMIC, {"warehouse": '"W"'}),
        ("Tag", TAG, {"allowedValues": ["b", "a"]}),
        ("MaskingPolicy", MASK, {"returnDataType": "TEXT", "body": " VAL "}),
        ("GrantPrivilegesToAccountRole", GRANT, {"accountRoleName": "R", "onSchema": {"schemaName": "D.S"}}),
    ],
)
def test_another_spelling_is_no_change(kind: str, old: Properties, change: Properties) -> None:
    assert _changes(kind, old, change) == (set(), set())


@pytest.mark.parametrize(
    ("kind", "old", "change"),
    [
        ("Warehouse", WAREHOUSE, {"warehouseSize": "LARGE"}),
        ("ResourceMonitor", MONITOR, {"creditQuota": 20}),
        ("Table", TABLE, {"columns": [{"name": "ID", "type": "NUMBER"}]}),
        ("StageExternalS3", STAGE, {"url": "s3://lake/raw/x/"}),
        ("StreamOnTable", STREAM, {"table": "D.S.U"}),
        ("Task", TASK, {"sqlStatement": "SELECT 2"}),
        ("DynamicTable", DYNAMIC, {"targetLag": {"downstream": True}}),
        ("Tag", TAG, {"name": "H"}),
        ("MaskingPolicy", MASK, {"body": "'*'"}),
        ("GrantPrivilegesToAccountRole", GRANT, {"privileges": ["MODIFY"]}),
        ("Execute", EXECUTE, {"revert": "SELECT 2"}),
    ],
)
def test_what_is_changed_in_place(kind: str, old: Properties, change: Properties) -> None:
    assert _changes(kind, old, change) == (set(change), set())


@pytest.mark.parametrize(
    ("kind", "old", "change"),
    [
        ("Warehouse", WAREHOUSE, {"warehouseSize": None}),
        ("ResourceMonitor", MONITOR, {"suspendTrigger": None}),
        ("ResourceMonitor", MONITOR, {"name": "N"}),
        ("Table", TABLE, {"schema": "OTHER"}),
        ("StageExternalS3", STAGE, {"storageIntegration": None}),
        ("Pipe", PIPE, {"copyStatement": "COPY INTO D.S.U FROM @D.S.L"}),
        ("Pipe", PIPE, {"autoIngest": True}),
        ("Task", TASK, {"name": "DAILY"}),
        ("DynamicTable", DYNAMIC, {"query": "SELECT 2"}),
        ("MaskingPolicy", MASK, {"arguments": [{"name": "V", "type": "VARCHAR"}]}),
        ("GrantPrivilegesToAccountRole", GRANT, {"onSchema": {"futureSchemasInDatabase": "D"}}),
        ("Execute", EXECUTE, {"execute": "SELECT 2"}),
    ],
)
def test_what_replaces_the_object(kind: str, old: Properties, change: Properties) -> None:
    assert _changes(kind, old, change) == (set(change), set(change))


def _changes(kind: str, old: Properties, change: Properties) -> tuple[set[str], set[str]]:
    """The inputs that differ, and those of them that replace the object; a change to None takes the input away."""
    new = {name: value for name, value in {**old, **change}.items() if value is not None}
    found = compared(PACKAGE, PACKAGE.kind(f"snowflake:index/{kind[0].lower()}{kind[1:]}:{kind}"), old, new)
    return set(found.diffs), {path.split(".")[0].split("[")[0] for path in found.replaces}
