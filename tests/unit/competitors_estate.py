"""Competitive intelligence as the stack files declare it, over what it stands on, under the recording engine."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pulumi
import pytest

from components.competitors import Competitors, CompetitorsSettings
from components.n8n import N8n, N8nSettings
from components.settings import Stage
from components.slack import Slack, SlackSettings
from components.snowflake import Snowflake
from components.snowflake.settings import SnowflakeSettings
from components.warehouse import Warehouse
from tests.unit.stack_files import platforms_of

HANDED_OVER = {
    "aws.snowflake.payments": "arn:aws:iam::123456789012:role/sophia-ai-snowflake-payments",
    "aws.failures.role": "arn:aws:iam::123456789012:role/sophia-ai-snowflake-failures",
    "aws.failures.topic": "arn:aws:sns:us-west-2:123456789012:sophia-ai-snowflake-failures",
}
VARIABLES = ("SLACK_BOT_TOKEN", "SLACK_API_URL", "SNOWFLAKE_ORGANIZATION_NAME", "SNOWFLAKE_ACCOUNT_NAME")
SECTIONS = ("tables", "streams", "views", "tasks", "dynamic_tables", "pipes", "stages", "file_formats")
"""Of Snowflake's own settings, what a test of this module has no use for."""


def settings(stage: str = "dev", **changes: Any) -> CompetitorsSettings:
    return CompetitorsSettings.model_validate({**platforms_of(stage)["competitors"], **changes})


def surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.setenv(name, f"the-{name}")
    monkeypatch.setenv("SLACK_API_URL", "https://slack.test/api")
    monkeypatch.setenv("SNOWFLAKE_ORGANIZATION_NAME", "PAYREADY")
    monkeypatch.setenv("SNOWFLAKE_ACCOUNT_NAME", "ZNB04675")
    features = json.dumps(["snowflake_table_resource"])
    monkeypatch.setenv("PULUMI_CONFIG", json.dumps({"snowflake:previewFeaturesEnabled": features}))


def fully_qualified(_name: str, inputs: dict[str, Any]) -> dict[str, Any]:
    names = [inputs[member] for member in ("database", "schema", "name")]
    return {"fullyQualifiedName": ".".join(f'"{name}"' for name in names)}


COMPUTED = {
    f"snowflake:index/{kind[0].lower()}{kind[1:]}:{kind}": fully_qualified
    for kind in ("AuthenticationPolicy", "MaskingPolicy", "StreamOnTable", "Table", "Tag", "Task", "View")
}


def deployed(deploy: Callable[..., Any], wanted: CompetitorsSettings, stage: Stage = Stage.DEV) -> Any:
    """``wanted`` in a stage, beside the roles, users and schemas of its stack file."""
    stack = platforms_of(stage.value)
    kept = {name: its for name, its in stack["snowflake"].items() if name not in SECTIONS}
    for section in ("row_access_policies", "recovery", "notifications", "masking_policies", "tags"):
        kept.pop(section, None)
    for schema in kept["schemas"].values():
        schema.pop("tags", None)
    credentials = {"slack": stack["n8n"]["credentials"]["slack"]}
    report = {"error-report": {**stack["n8n"]["workflows"]["error-report"], "values": {"channel": "C1"}, "tags": []}}
    channel = wanted.channel

    def program() -> Competitors:
        snowflake_settings = SnowflakeSettings.model_validate(kept)
        keys = dict.fromkeys(snowflake_settings.users, "MIIBIjANBgkq")
        snowflake = Snowflake(
            "snowflake", snowflake_settings, stage=stage, public_keys=keys, second_public_keys=keys, outputs=HANDED_OVER
        )
        private = {user: pulumi.Output.secret(f"private-key-of-{user}") for user in keys}
        n8n = N8n(
            "n8n",
            N8nSettings.model_validate({"credentials": credentials, "workflows": report}),
            stage=stage,
            outputs={},
        )
        slack = Slack(
            "slack", SlackSettings.model_validate({"channels": {channel: {"name": "competitors"}}}), outputs={}
        )
        return Competitors(
            "competitors",
            wanted,
            stage=stage,
            snowflake=snowflake,
            warehouse=Warehouse(snowflake.logins, private, snowflake.schemas),
            n8n=n8n,
            slack=slack,
        )

    return deploy(program, stack=stage.value, computed=COMPUTED)
