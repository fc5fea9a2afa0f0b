"""GitHub: repositories are private, their branches hold, and secrets stay secrets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pulumi
import pytest
from pydantic import ValidationError

from components.github import GitHub, GitHubSettings
from components.settings import CredentialsError, SettingsError, Stage

Deploy = Callable[..., Any]

REPOSITORY: dict[str, Any] = {
    "name": "sophia-ai",
    "archetype": "service",
    "rulesets": {"main": {"approvals": 2, "bypass": [{"team": "platform"}, {"role": "admin"}, {"owners": True}]}},
    "teams": {"platform": "maintain"},
    "labels": {"bug": None, "payments": {"color": "0e8a16"}},
    "autolinks": {"PAY-": "https://linear.app/pay-ready/issue/PAY-<num>"},
    "webhooks": {"events": {"url": "https://n8n.payready.com/webhook/github-events", "events": ["push"]}},
    "secrets": {
        "OPENROUTER_API_KEY": {"output": "openrouter.ci"},
        "SLACK_BOT_TOKEN": {"environment": "SLACK_BOT_TOKEN"},
    },
    "variables": {"STAGE": {"value": "prod"}, "ALERTS": {"output": "slack.channels.alerts"}},
    "environments": {
        "prod": {
            "branches": ["main", "release/*"],
            "tags": ["v*"],
            "reviewers": {"teams": [42, "platform"], "users": [7]},
            "wait_minutes": 15,
            "secrets": {"DEPLOY_KEY": {"output": "openrouter.ci"}},
            "variables": {"DATABASE": {"value": "SOPHIA_AI"}},
        },
        "staging": {},
        "dev": {"any_ref": True},
    },
}
TEAMS: dict[str, Any] = {
    "platform": {"name": "sophia-platform", "parent": "engineering", "members": {"ada": "maintainer"}},
    "engineering": {"name": "sophia-engineering"},
}
ORGANIZATION: dict[str, Any] = {
    "actions": {"patterns": ["pulumi/auth-actions@*"]},
    "oidc_subject": ["repo", "context"],
    "rulesets": {"tags": {"target": "tag", "refs": ["v*"], "locked": True, "repositories": ["sophia-*"]}},
    "webhooks": {"audit": {"url": "https://n8n.payready.com/webhook/audit", "events": ["member"], "generation": 2}},
    "variables": {"ALERTS": {"output": "slack.channels.alerts"}},
    "secrets": {"SLACK_BOT_TOKEN": {"environment": "SLACK_BOT_TOKEN"}},
}


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-hunter2")
    monkeypatch.setenv("GITHUB_OWNER", "payready")
    monkeypatch.setattr("components.github.numeric_id", lambda text: len(text))  # ids of the recorder are no numbers


def run(
    deploy: Deploy,
    *,
    stage: Stage = Stage.DEV,
    organization: dict[str, Any] | None = None,
    archetypes: dict[str, Any] | None = None,
    **repositories: dict[str, Any],
) -> Any:
    settings = GitHubSettings.model_validate(
        {
            "organization": organization,
            "teams": TEAMS,
            "archetypes": archetypes or {},
            "repositories": repositories or {"sophia": REPOSITORY},
        }
    )

    def program() -> GitHub:
        outputs: dict[str, pulumi.Input[str]] = {
            "openrouter.ci": pulumi.Output.from_input("sk-or-hunter2"),
            "slack.channels.alerts": "C012345",
        }
        return GitHub("github", settings, stage=stage, outputs=outputs)

    computed = {
        "github:index/repository:Repository": lambda name, inputs: {
            "nodeId": f"node-{name}",
            "fullName": f"payready/{inputs['name']}",
            "htmlUrl": f"https://github.com/payready/{inputs['name']}",
        },
        "github:index/team:Team": lambda _, inputs: {"slug": inputs["name"]},
        "pulumi-python:dynamic/passwords:Password": lambda _, inputs: {"password": f"minted-{inputs['generation']}"},
    }
    return deploy(program, stack=stage.value, computed=computed)


def test_repositories_are_private_unless_the_settings_say_public(deploy: Deploy) -> None:
    deployment = run(deploy, closed={"name": "closed"}, open={"name": "open", "visibility": "public"})
    assert deployment.one("Repository", "closed").inputs["visibility"] == "private", "GitHub's own default is public"
    assert deployment.one("Repository", "open").inputs["visibility"] == "public"


def test_a_repository_is_archived_and_not_deleted(deploy: Deploy) -> None:
    assert run(deploy).one("Repository").inputs["archiveOnDestroy"] is True, "years of history would be gone"


@pytest.mark.parametrize(("stage", "kept"), [(Stage.PROD, True), (Stage.DEV, False)])
def test_repositories_are_protected_in_prod(deploy: Deploy, stage: Stage, kept: bool) -> None:
    repository = run(deploy, stage=stage).one("Repository")
    assert (repository.protect, repository.retain_on_delete) == (kept, kept)


def test_nobody_pushes_past_the_review(deploy: Deploy) -> None:
    inputs = run(deploy).one("RepositoryRuleset", "sophia.main").inputs
    assert (inputs["target"], inputs["enforcement"]) == ("branch", "active")
    assert inputs["conditions"] == {"refName": {"includes": ["~DEFAULT_BRANCH"], "excludes": []}}
    rules = inputs["rules"]
    assert (rules["deletion"], rules["nonFastForward"]) == (True, True)
    assert rules["pullRequest"] == {
        "requiredApprovingReviewCount": 2,
        "requireCodeOwnerReview": False,
        "requireLastPushApproval": False,
        "dismissStaleReviewsOnPush": True,
        "requiredReviewThreadResolution": True,
    }
    checks = rules["requiredStatusChecks"]["requiredChecks"]
    assert checks == [{"context": name, "integrationId": 15368} for name in ("lint", "test")], "nobody forges a check"


def test_who_may_pass_the_rules_by_does_it_in_a_pull_request(deploy: Deploy) -> None:
    actors = run(deploy).one("RepositoryRuleset", "sophia.main").inputs["bypassActors"]
    assert actors == [
        {"actorType": "Team", "actorId": len("id-of-platform"), "bypassMode": "pull_request"},
        {"actorType": "RepositoryRole", "actorId": 5, "bypassMode": "pull_request"},
        {"actorType": "OrganizationAdmin", "bypassMode": "pull_request"},
    ]


def test_a_repository_is_what_its_archetype_says_except_where_it_deviates(deploy: Deploy) -> None:
    deployment = run(
        deploy,
        archetypes={"service": {"teams": {"engineering": "push"}, "topics": ["sophia-ai"]}},
        plain={"name": "plain", "archetype": "service"},
        own={
            "name": "own",
            "archetype": "service",
            "teams": {"engineering": None, "platform": "admin"},
            "rulesets": {"main": {"checks": ["dbt-build"]}},
            "labels": {"bug": None},
            "security": {"push_protection": False},
        },
    )
    assert deployment.one("Repository", "plain").inputs["topics"] == ["sophia-ai"]
    permissions = {r.name: r.inputs["permission"] for r in deployment.of("TeamRepository")}
    assert permissions == {"plain.engineering": "push", "own.platform": "admin"}
    rules = deployment.one("RepositoryRuleset", "own.main").inputs["rules"]
    assert [check["context"] for check in rules["requiredStatusChecks"]["requiredChecks"]] == ["dbt-build"]
    assert rules["pullRequest"]["requiredApprovingReviewCount"] == 1, "what it does not say stays the archetype's"
    labels = {label["name"] for label in deployment.one("IssueLabels", "own").inputs["labels"]}
    assert "bug" not in labels
    assert "incident" in labels
    assert deployment.one("Repository", "own").inputs["securityAndAnalysis"] == {
        "secretScanning": {"status": "enabled"},
        "secretScanningPushProtection": {"status": "disabled"},
    }


def test_only_an_archetype_makes_a_repository_public_so_that_policies_let_it(deploy: Deploy) -> None:
    deployment = run(
        deploy,
        archetypes={"open-source": {"visibility": "public", "topics": ["python"]}},
        meant={"name": "meant", "archetype": "open-source"},
        closed={"name": "closed", "archetype": "open-source", "visibility": "private"},
        mistake={"name": "mistake", "visibility": "public"},
    )
    topics = {r.name: r.inputs.get("topics", []) for r in deployment.of("Repository")}
    assert topics == {"meant": ["python", "open-source"], "closed": ["python"], "mistake": []}
    with pytest.raises(ValidationError, match="gets by itself"):
        GitHubSettings.model_validate({"repositories": {"a": {"name": "a", "topics": ["open-source"]}}})


def test_an_archived_repository_gets_nothing_that_github_would_refuse(deploy: Deploy) -> None:
    deployment = run(deploy, old={"name": "old", "archetype": "archived"})
    children = {r.type for r in deployment.resources if r.type.startswith("github:")}
    assert children == {
        "github:index/repository:Repository",
        "github:index/team:Team",
        "github:index/teamMembers:TeamMembers",
    }
    assert deployment.one("Repository").inputs["archived"] is True


def test_every_repository_is_watched_for_weak_dependencies(deploy: Deploy) -> None:
    deployment = run(deploy)
    updates = deployment.one("RepositoryDependabotSecurityUpdates")
    assert (deployment.one("RepositoryVulnerabilityAlerts").inputs["enabled"], updates.inputs["enabled"]) == (
        True,
        True,
    )
    assert deployment.one("RepositoryVulnerabilityAlerts").urn in updates.depends_on, "GitHub refuses it before"


def test_webhooks_are_signed_with_secrets_that_nobody_has_seen(deploy: Deploy) -> None:
    deployment = run(deploy, organization=ORGANIZATION, sophia=REPOSITORY)
    secrets = {}
    for kind, name in (("RepositoryWebhook", "sophia.events"), ("OrganizationWebhook", "audit")):
        hook = deployment.one(kind, name)
        secrets[name] = hook.inputs["configuration"]["secret"]
        assert hook.inputs["configuration"]["contentType"] == "json"
        assert hook.inputs["configuration"]["insecureSsl"] is False
    assert secrets == {"sophia.events": "minted-1", "audit": "minted-2"}
    outputs = deployment.one("sophia:platform:GitHub").outputs["webhook_secrets"]
    assert outputs == secrets, "whoever receives the events checks their signatures"


def test_tokens_of_workflows_have_the_subject_that_aws_trusts(deploy: Deploy) -> None:
    inputs = run(deploy).one("ActionsRepositoryOidcSubjectClaimCustomizationTemplate").inputs
    assert inputs == {"repository": "sophia-ai", "useDefault": False, "includeClaimKeys": ["repo", "context"]}


def test_teams_are_made_after_their_parents_and_with_all_their_members(deploy: Deploy) -> None:
    deployment = run(deploy)
    platform, engineering = deployment.one("Team", "platform"), deployment.one("Team", "engineering")
    assert platform.inputs["parentTeamId"] == "id-of-engineering"
    assert {team.inputs["privacy"] for team in (platform, engineering)} == {"closed"}, "a secret team has no parent"
    members = deployment.one("TeamMembers").inputs
    assert members == {"teamSlug": "sophia-platform", "members": [{"username": "ada", "role": "maintainer"}]}


def test_the_organisation_allows_named_actions_only_and_reads_by_default(deploy: Deploy) -> None:
    deployment = run(deploy, stage=Stage.PROD, organization=ORGANIZATION, sophia=REPOSITORY)
    actions = deployment.one("ActionsOrganizationPermissions").inputs
    assert (actions["allowedActions"], actions["shaPinningRequired"]) == ("selected", True)
    assert actions["allowedActionsConfig"] == {
        "githubOwnedAllowed": True,
        "verifiedAllowed": False,
        "patternsAlloweds": ["pulumi/auth-actions@*"],
    }
    tokens = deployment.one("ActionsOrganizationWorkflowPermissions")
    assert tokens.inputs == {
        "organizationSlug": "payready",
        "defaultWorkflowPermissions": "read",
        "canApprovePullRequestReviews": False,
    }
    assert tokens.retain_on_delete, "with the stack's end everything would be allowed again"
    tags = deployment.one("OrganizationRuleset", "tags").inputs
    assert tags["conditions"] == {
        "refName": {"includes": ["refs/tags/v*"], "excludes": []},
        "repositoryName": {"includes": ["sophia-*"], "excludes": []},
    }
    assert tags["rules"] == {"deletion": True, "nonFastForward": True, "update": True}
    secret = deployment.one("ActionsOrganizationSecret")
    assert secret.inputs["visibility"] == "private"
    assert "value" in secret.secrets


def test_actions_secrets_are_secret_in_the_state_and_variables_are_not(deploy: Deploy) -> None:
    deployment = run(deploy)
    secrets = (*deployment.of("ActionsSecret"), *deployment.of("ActionsEnvironmentSecret"))
    assert {s.name: s.inputs["value"] for s in secrets} == {
        "sophia.OPENROUTER_API_KEY": "sk-or-hunter2",
        "sophia.SLACK_BOT_TOKEN": "xoxb-hunter2",
        "sophia.prod.DEPLOY_KEY": "sk-or-hunter2",
    }
    for secret in secrets:
        assert "value" in secret.secrets, f"{secret.name} would stand in the state in plain text"
    variable = deployment.one("ActionsVariable", "sophia.ALERTS")
    assert (variable.inputs["value"], variable.secrets) == ("C012345", frozenset())


def test_production_waits_for_a_reviewer_and_takes_only_its_branches(deploy: Deploy) -> None:
    deployment = run(deploy)
    prod = deployment.one("RepositoryEnvironment", "sophia.prod").inputs
    assert (prod["waitTimer"], prod["preventSelfReview"], prod["canAdminsBypass"]) == (15, True, False)
    assert prod["reviewers"] == [{"teams": [42, len("id-of-platform")], "users": [7]}]
    assert prod["deploymentBranchPolicy"] == {"protectedBranches": False, "customBranchPolicies": True}
    patterns = {
        r.inputs.get("branchPattern") or f"tag {r.inputs['tagPattern']}"
        for r in deployment.of("RepositoryEnvironmentDeploymentPolicy")
        if r.inputs["environment"] == "prod"
    }
    assert patterns == {"main", "release/*", "tag v*"}


def test_without_branches_only_main_is_deployed_and_anything_only_where_it_says_so(deploy: Deploy) -> None:
    deployment = run(deploy)
    of_staging = [r.inputs for r in deployment.of("RepositoryEnvironmentDeploymentPolicy") if "staging" in r.name]
    assert [inputs["branchPattern"] for inputs in of_staging] == ["main"]
    assert "reviewers" not in deployment.one("RepositoryEnvironment", "sophia.staging").inputs
    dev = deployment.one("RepositoryEnvironment", "sophia.dev").inputs
    assert "deploymentBranchPolicy" not in dev


def test_a_repository_of_another_stack_only_gets_environments(deploy: Deploy) -> None:
    deployment = run(deploy, sophia={"name": "sophia-ai", "owned": False, "environments": {"dev": {}}})
    assert deployment.one("RepositoryEnvironment").inputs["repository"] == "sophia-ai"
    assert not deployment.of("Repository"), "two stacks that own one repository undo each other's changes"


def test_outputs_and_parents(deploy: Deploy) -> None:
    deployment = run(deploy)
    component = deployment.one("sophia:platform:GitHub")
    assert component.outputs == {
        "names": {"sophia": "sophia-ai"},
        "full_names": {"sophia": "payready/sophia-ai"},
        "urls": {"sophia": "https://github.com/payready/sophia-ai"},
        "team_ids": {"platform": len("id-of-platform"), "engineering": len("id-of-engineering")},
        "webhook_secrets": {"sophia.events": "minted-1"},
    }
    own = [r for r in deployment.resources if r is not component and r.name != "dynamic"]
    assert {r.parent for r in own} == {component.urn}
    providers = {r.provider for r in deployment.resources if r.type.startswith("github:")}
    assert providers == {""}, "an explicit provider would put the token into the state"


def test_a_missing_value_says_where_it_was_asked_for(deploy: Deploy, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError, match=r'repositories.a.secrets.KEY.output: no value "openrouter.cii"'):
        run(deploy, a={"name": "a", "secrets": {"KEY": {"output": "openrouter.cii"}}})
    monkeypatch.delenv("SLACK_BOT_TOKEN")
    with pytest.raises(CredentialsError, match=r"SLACK_BOT_TOKEN is not set, .*repositories.sophia.secrets"):
        run(deploy)


def test_a_repository_that_is_made_again_is_deleted(deploy: Deploy) -> None:
    inputs = run(deploy, lab={"name": "lab", "archive_on_destroy": False}).one("Repository").inputs
    assert inputs["archiveOnDestroy"] is False, "an archived one keeps its name: the next up could not make it"
