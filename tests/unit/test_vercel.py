"""Vercel: the right values reach the right deployments, and secrets cannot be read back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pulumi
import pytest
from pydantic import ValidationError

from components.settings import CredentialsError, SettingsError, Stage
from components.vercel import Vercel, VercelSettings

EVERYTHING: dict[str, Any] = {
    "environments": {"qa": {"name": "qa", "match": "startsWith", "branches": "release/"}},
    "firewall": {
        "bots": "challenge",
        "block": {"203.0.113.7": "scans us"},
        "rules": {
            "payments": {
                "when": [{"what": "path", "compared": "pre", "value": "/api/payments"}],
                "rate_limit": {"requests": 20, "seconds": 60},
            }
        },
    },
    "attack_challenge_until": "2027-01-31T00:00:00Z",
    "retention": {"preview": "1m"},
    "protection": {"authentication": "all_deployments", "bypasses": {"pipeline": {}}},
}
OWN: dict[str, Any] = {
    "tokens": {"pipeline": {"name": "Pipeline", "days": 30}},
    "webhooks": {
        "events": {
            "url": "https://n8n.example/webhook/vercel-events",
            "events": ["deployment.error"],
            "projects": ["web"],
        }
    },
    "drains": {
        "logs": {
            "name": "Logs",
            "endpoint": "https://n8n.example/webhook/vercel-logs",
            "headers": {"X-Token": {"environment": "SLACK_SIGNING_SECRET"}},
            "sources": ["lambda"],
        }
    },
}

Deploy = Callable[..., Any]

PROJECT: dict[str, Any] = {
    "name": "sophia",
    "framework": "nextjs",
    "functions": {"regions": ["iad1"], "timeout_seconds": 60},
    "ignore_command": "git diff --quiet HEAD^ HEAD -- web",
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
    monkeypatch.setenv("VERCEL_TEAM", "team_1")


def run(deploy: Deploy, *, stage: Stage = Stage.DEV, beside: dict[str, Any] | None = None, **changes: Any) -> Any:
    """Deploys the project with some changes, and with what the settings say ``beside`` the projects."""
    settings = VercelSettings.model_validate({"projects": {"web": {**PROJECT, **changes}}, **(beside or {})})

    def program() -> Vercel:
        outputs: dict[str, pulumi.Input[str]] = {
            "openrouter.web": pulumi.Output.secret("sk-or-hunter2"),
            "slack.channels.alerts": "C012345",
        }
        return Vercel("vercel", settings, stage=stage, outputs=outputs)

    return deploy(program, stack=stage.value)


def mistakes(beside: dict[str, Any] | None = None, **changes: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        VercelSettings.model_validate({"projects": {"web": {**PROJECT, **changes}}, **(beside or {})})
    return str(caught.value)


def test_a_project_builds_from_its_repository(deploy: Deploy) -> None:
    inputs = run(deploy).one("Project").inputs
    assert inputs["gitRepository"] == {"type": "github", "repo": "payready/sophia-ai", "productionBranch": "main"}
    assert (inputs["framework"], inputs["nodeVersion"]) == ("nextjs", "22.x")
    assert inputs["resourceConfig"] == {"functionDefaultRegions": ["iad1"], "functionDefaultTimeout": 60}
    assert inputs["ignoreCommand"] == "git diff --quiet HEAD^ HEAD -- web"


def test_everything_is_the_teams(deploy: Deploy, monkeypatch: pytest.MonkeyPatch) -> None:
    deployment = run(deploy, **EVERYTHING)
    official = [r for r in deployment.resources if r.type.startswith("vercel:")]
    assert {r.type.rpartition(":")[2] for r in official} == {
        "Project", "ProjectEnvironmentVariable", "ProjectDomain", "CustomEnvironment", "FirewallConfig",
        "AttackChallengeMode", "ProjectDeploymentRetention",
    }  # fmt: skip
    personal = [r.name for r in official if r.inputs.get("teamId") != "team_1"]
    assert personal == [], "the official provider would make it in the personal account of the token's owner"
    monkeypatch.setenv("VERCEL_TEAM", "pay-ready")
    with pytest.raises(CredentialsError, match=r"VERCEL_TEAM is pay-ready: it must be the team's id, team_"):
        run(deploy)


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
        ({"name": "sophia.web"}, "lower-case letters"),
        ({"variables": {"X": {"output": "x", "targets": ["development"]}}}, "Vercel refuses it"),
        ({"variables": {"X": {"value": "x", "branch": "develop"}}}, "is for `targets: [preview]` alone"),
        ({"variables": {"X": {"value": "x", "branch": "main", "targets": ["preview"]}}}, "is the production branch"),
        ({"variables": {"X": {"value": "x", "environments": ["qa"]}}}, 'no environment "qa" is declared'),
        ({"variables": {"X": {"value": "x", "targets": []}}}, "must name a target"),
        ({"environments": {"qa": {"name": "preview"}}}, "none of Vercel's own environments"),
        ({"domains": [{"name": "a.example", "branch": "main"}]}, "is the production branch"),
        ({"domains": [{"name": "a.example", "branch": "x", "custom_environment": "qa"}]}, "at most one of"),
        ({"functions": {"regions": ["iad9"]}}, "iad1"),
        ({"firewall": {"block": {"10.0.0.300": ""}}}, "is no address"),
        (
            {"firewall": {"rules": {"x": {"when": [{"what": "header", "value": "x"}], "action": "deny"}}}},
            "is the name of",
        ),
        (
            {"firewall": {"rules": {"x": {"when": [{"what": "path", "value": "x"}]}}}},
            "one of `action` and `rate_limit`",
        ),
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


@pytest.mark.parametrize(
    ("beside", "message"),
    [
        ({"webhooks": {"x": {"url": "http://a.example", "events": ["deployment.error"]}}}, "begins with https://"),
        ({"webhooks": {"x": {"url": "https://a.example", "events": ["deployment.broke"]}}}, "deployment.error"),
        ({"drains": {"x": {"name": "x", "endpoint": "https://a.example", "projects": ["wbe"]}}}, 'did you mean "web"'),
        (
            {
                "drains": {
                    "x": {"name": "x", "endpoint": "https://a.example", "data": "analytics", "sources": ["lambda"]}
                }
            },
            "alone",
        ),
        ({"tokens": {"x": {"name": "x", "days": 91}}}, "less than or equal to 90"),
        (
            {"shared_variables": {"ALERTS_CHANNEL": {"value": "x", "projects": ["web"]}}},
            "a variable of that name itself",
        ),
    ],
)
def test_mistakes_beside_the_projects(beside: dict[str, Any], message: str) -> None:
    assert message in mistakes(beside)


def test_a_domain_is_one_projects() -> None:
    other = {"name": "portal", "domains": [{"name": "sophia.example"}]}
    with pytest.raises(ValidationError, match=r"is a domain of projects\.web"):
        VercelSettings.model_validate({"projects": {"web": PROJECT, "portal": other}})


def test_a_custom_environment_has_variables_and_domains_of_its_own(deploy: Deploy) -> None:
    deployment = run(
        deploy,
        environments=EVERYTHING["environments"],
        variables={"X": {"value": "1", "targets": [], "environments": ["qa"]}},
        domains=[{"name": "qa.sophia.example", "custom_environment": "qa"}],
    )
    made = deployment.one("CustomEnvironment", "web.qa")
    assert made.inputs["branchTracking"] == {"type": "startsWith", "pattern": "release/"}
    assert deployment.one("ProjectEnvironmentVariable").inputs["customEnvironmentIds"] == ["id-of-web.qa"]
    assert deployment.one("ProjectDomain").inputs["customEnvironmentId"] == "id-of-web.qa"
    assert deployment.one("sophia:platform:Vercel").outputs["urls"] == {"web": "https://sophia.vercel.app"}


def test_the_firewall_is_said_in_the_packages_words(deploy: Deploy) -> None:
    inputs = run(deploy, **EVERYTHING).one("FirewallConfig").inputs
    (rule,) = inputs["rules"]["rules"]
    assert rule["action"]["rateLimit"] == {
        "action": "rate_limit",
        "algo": "fixed_window",
        "keys": ["ip"],
        "limit": 20,
        "window": 60,
    }
    assert rule["conditionGroups"] == [{"conditions": [{"type": "path", "op": "pre", "value": "/api/payments"}]}]
    assert inputs["ipRules"]["rules"] == [{"action": "deny", "hostname": "*", "ip": "203.0.113.7", "notes": "scans us"}]
    assert inputs["managedRulesets"] == {"botProtection": {"active": True, "action": "challenge"}}


def test_a_password_and_a_bypass_are_secrets(deploy: Deploy) -> None:
    protection = {**EVERYTHING["protection"], "password": {"environment": "SLACK_SIGNING_SECRET"}}
    deployment = run(deploy, protection=protection)
    project = deployment.one("Project")
    assert project.inputs["passwordProtection"]["password"] == "hunter2"
    assert "passwordProtection.password" in project.secrets, "the password would stand in the state in plain text"
    bypass = deployment.one("ProtectionBypass", "web.pipeline")
    assert (bypass.inputs["project_id"], bypass.inputs["name"]) == ("id-of-web", "pipeline")
    assert "secret" in bypass.secrets


def test_tokens_webhooks_and_drains_are_of_our_own_provider(deploy: Deploy) -> None:
    deployment = run(deploy, beside=OWN)
    assert deployment.one("Token", "pipeline").inputs["lifetime_days"] == 30
    assert deployment.one("Webhook", "events").inputs["project_ids"] == ["id-of-web"]
    drain = deployment.one("Drain", "logs")
    assert drain.inputs["headers"] == {"X-Token": "hunter2"}
    assert {"headers", "secret"} <= set(drain.secrets)
    ours = [r for r in deployment.resources if r.type.startswith("pulumi-python:dynamic/vercel")]
    assert all(r.provider for r in ours), "the default provider would put the whole configuration into the state"


def test_a_stack_without_them_starts_no_process_for_them(deploy: Deploy) -> None:
    assert not [r for r in run(deploy).resources if r.type == "pulumi:providers:pulumi-python"]
