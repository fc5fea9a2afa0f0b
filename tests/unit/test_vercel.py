"""Vercel: the right values reach the right deployments, and secrets cannot be read back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pulumi
import pytest
from pydantic import ValidationError

from components.settings import CredentialsError, SettingsError, Stage
from components.vercel import Vercel, VercelSettings

Deploy = Callable[..., Any]

PROJECT: dict[str, Any] = {
    "name": "sophia",
    "framework": "nextjs",
    "region": "iad1",
    "git": {"repository": "payready/sophia-ai"},
    "variables": {
        "NEXT_PUBLIC_STAGE": {"value": "prod", "targets": ["production", "development"]},
        "OPENROUTER_API_KEY": {"output": "openrouter.web"},
        "SLACK_SIGNING_SECRET": {"environment": "SLACK_SIGNING_SECRET"},
        "ALERTS_CHANNEL": {"output": "slack.channels.alerts", "sensitive": False},
    },
    "domains": [{"name": "www.sophia.example", "redirect": "sophia.example"}, {"name": "sophia.example"}],
}


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_SIGNING_SECRET", "hunter2")


def run(deploy: Deploy, *, stage: Stage = Stage.DEV, **changes: Any) -> Any:
    settings = VercelSettings.model_validate({"projects": {"web": {**PROJECT, **changes}}})

    def program() -> Vercel:
        outputs: dict[str, pulumi.Input[str]] = {
            "openrouter.web": pulumi.Output.secret("sk-or-hunter2"),
            "slack.channels.alerts": "C012345",
        }
        return Vercel("vercel", settings, stage=stage, outputs=outputs)

    return deploy(program, stack=stage.value)


def mistakes(**changes: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        VercelSettings.model_validate({"projects": {"web": {**PROJECT, **changes}}})
    return str(caught.value)


def test_a_project_builds_from_its_repository(deploy: Deploy) -> None:
    inputs = run(deploy).one("Project").inputs
    assert inputs["gitRepository"] == {"type": "github", "repo": "payready/sophia-ai", "productionBranch": "main"}
    assert (inputs["framework"], inputs["nodeVersion"], inputs["serverlessFunctionRegion"]) == (
        "nextjs",
        "22.x",
        "iad1",
    )


def test_strangers_see_no_previews_and_forks_get_no_secrets(deploy: Deploy) -> None:
    inputs = run(deploy).one("Project").inputs
    assert inputs["vercelAuthentication"] == {"deploymentType": "standard_protection_new"}
    assert inputs["gitForkProtection"] is True, "a fork's pull request would build with our keys"


def test_secrets_are_sensitive_at_vercel_and_secret_in_the_state(deploy: Deploy) -> None:
    deployment = run(deploy)
    for name, value in (("OPENROUTER_API_KEY", "sk-or-hunter2"), ("SLACK_SIGNING_SECRET", "hunter2")):
        variable = deployment.one("ProjectEnvironmentVariable", f"web.{name}")
        assert (variable.inputs["key"], variable.inputs["value"]) == (name, value)
        assert variable.inputs["sensitive"] is True, f"everybody in the team could read {name} at Vercel"
        assert "value" in variable.secrets, f"{name} would stand in the state in plain text"


def test_plain_values_can_be_read_back_and_go_where_they_are_wanted(deploy: Deploy) -> None:
    deployment = run(deploy)
    stage = deployment.one("ProjectEnvironmentVariable", "web.NEXT_PUBLIC_STAGE")
    assert (stage.inputs["sensitive"], stage.inputs["targets"]) == (False, ["production", "development"])
    channel = deployment.one("ProjectEnvironmentVariable", "web.ALERTS_CHANNEL")
    assert (channel.inputs["value"], channel.inputs["sensitive"]) == ("C012345", False)


def test_domains_and_the_url(deploy: Deploy) -> None:
    deployment = run(deploy)
    redirect = deployment.one("ProjectDomain", "web.www.sophia.example").inputs
    assert (redirect["redirect"], redirect["redirectStatusCode"]) == ("sophia.example", 308)
    component = deployment.one("sophia:platform:Vercel")
    assert component.outputs == {"project_ids": {"web": "id-of-web"}, "urls": {"web": "https://sophia.example"}}
    assert {r.parent for r in deployment.resources if r is not component} == {component.urn}
    assert {r.provider for r in deployment.resources} == {""}, "an explicit provider would put the token into the state"


def test_without_a_domain_the_url_is_vercels(deploy: Deploy) -> None:
    outputs = run(deploy, domains=[]).one("sophia:platform:Vercel").outputs
    assert outputs["urls"] == {"web": "https://sophia.vercel.app"}


@pytest.mark.parametrize(("stage", "kept"), [(Stage.PROD, True), (Stage.DEV, False)])
def test_projects_are_protected_in_prod(deploy: Deploy, stage: Stage, kept: bool) -> None:
    project = run(deploy, stage=stage).one("Project")
    assert (project.protect, project.retain_on_delete) == (kept, kept), "with the project the live site would go"


def test_a_missing_value_says_where_it_was_asked_for(deploy: Deploy, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError, match=r'vercel.projects.web.variables.X.output: no value "openrouter.wbe"'):
        run(deploy, variables={"X": {"output": "openrouter.wbe"}})
    monkeypatch.delenv("SLACK_SIGNING_SECRET")
    with pytest.raises(CredentialsError, match=r"SLACK_SIGNING_SECRET is not set, .*variables.SLACK_SIGNING_SECRET"):
        run(deploy)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "Sophia AI"}, "lower-case letters"),
        ({"framework": "nextsj"}, "nextjs"),
        ({"variables": {"VERCEL_URL": {"value": "x"}}}, "not start with VERCEL_"),
        ({"variables": {"X": {"value": "1", "output": "2"}}}, "must give one of"),
        ({"variables": {"X": {"environment": "X", "sensitive": False}}}, "cannot be false for a secret"),
        ({"variables": {"X": {"value": "1", "targets": ["prod"]}}}, "production"),
        ({"variables": {"X": {"value": "1", "targets": ["preview", "preview"]}}}, "names a target twice"),
        ({"domains": [{"name": "https://a.b"}]}, "without https://"),
        ({"domains": [{"name": "a.example", "redirect": "b.example"}]}, "no other domain of this project"),
    ],
)
def test_mistakes_that_vercel_would_find_late_are_found_early(changes: dict[str, Any], message: str) -> None:
    assert message in mistakes(**changes)
