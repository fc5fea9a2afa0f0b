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
    "branch_protection": {"main": {"approvals": 2, "status_checks": ["lint", "test"]}},
    "secrets": {
        "OPENROUTER_API_KEY": {"output": "openrouter.ci"},
        "SLACK_BOT_TOKEN": {"environment": "SLACK_BOT_TOKEN"},
    },
    "variables": {"STAGE": {"value": "prod"}, "ALERTS": {"output": "slack.channels.alerts"}},
    "environments": {
        "prod": {
            "branches": ["main", "release/*"],
            "reviewers": {"teams": [42]},
            "wait_minutes": 15,
            "secrets": {"DEPLOY_KEY": {"output": "openrouter.ci"}},
            "variables": {"DATABASE": {"value": "SOPHIA_AI"}},
        },
        "dev": {},
    },
}


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-hunter2")


def run(deploy: Deploy, *, stage: Stage = Stage.DEV, **repositories: dict[str, Any]) -> Any:
    settings = GitHubSettings.model_validate({"repositories": repositories or {"sophia": REPOSITORY}})

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
        }
    }
    return deploy(program, stack=stage.value, computed=computed)


def mistakes(repository: dict[str, Any]) -> str:
    with pytest.raises(ValidationError) as caught:
        GitHubSettings.model_validate({"repositories": {"sophia": repository}})
    return str(caught.value)


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
    inputs = run(deploy).one("BranchProtection", "sophia.main").inputs
    assert inputs["repositoryId"] == "node-sophia", "the node id survives a renaming"
    assert (inputs["enforceAdmins"], inputs["allowsForcePushes"], inputs["allowsDeletions"]) == (True, False, False)
    assert inputs["requiredPullRequestReviews"] == [
        {"requiredApprovingReviewCount": 2, "requireCodeOwnerReviews": False, "dismissStaleReviews": True}
    ]
    assert inputs["requiredStatusChecks"] == [{"contexts": ["lint", "test"], "strict": True}]


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
    assert prod["reviewers"] == [{"teams": [42]}]
    assert prod["deploymentBranchPolicy"] == {"protectedBranches": False, "customBranchPolicies": True}
    patterns = [p.inputs["branchPattern"] for p in deployment.of("RepositoryEnvironmentDeploymentPolicy")]
    assert sorted(patterns) == ["main", "release/*"]


def test_without_branches_only_protected_ones_deploy(deploy: Deploy) -> None:
    inputs = run(deploy).one("RepositoryEnvironment", "sophia.dev").inputs
    assert inputs["deploymentBranchPolicy"] == {"protectedBranches": True, "customBranchPolicies": False}
    assert "reviewers" not in inputs


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
    }
    assert {r.parent for r in deployment.resources if r is not component} == {component.urn}
    assert {r.provider for r in deployment.resources} == {""}, "an explicit provider would put the token into the state"


def test_a_missing_value_says_where_it_was_asked_for(deploy: Deploy, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError, match=r'repositories.a.secrets.KEY.output: no value "openrouter.cii"'):
        run(deploy, a={"name": "a", "secrets": {"KEY": {"output": "openrouter.cii"}}})
    monkeypatch.delenv("SLACK_BOT_TOKEN")
    with pytest.raises(CredentialsError, match=r"SLACK_BOT_TOKEN is not set, .*repositories.sophia.secrets"):
        run(deploy)


@pytest.mark.parametrize(
    ("repository", "message"),
    [
        ({"name": "a b"}, "letters, digits, dots"),
        ({"name": "a", "secrets": {"GITHUB_X": {"environment": "X"}}}, "must not start with GITHUB_"),
        ({"name": "a", "secrets": {"X": {}}}, "must give either `environment`"),
        ({"name": "a", "variables": {"X": {"value": "1", "output": "2"}}}, "must give either `value` or `output`"),
        ({"name": "a", "owned": False, "topics": ["x"]}, "belongs in the stack that owns"),
        ({"name": "a", "branch_protection": {"x": {}, "y": {}}}, "is protected by branch_protection.x already"),
        ({"name": "a", "environments": {"prod": {"reviewers": {"users": list(range(1, 8))}}}}, "at most 6"),
        ({"name": "a", "environments": {"prod": {"reviewers": {}}}}, "must name one to six"),
        ({"name": "a", "visibility": "secret"}, "'private', 'internal' or 'public'"),
    ],
)
def test_mistakes_that_github_would_find_late_are_found_early(repository: dict[str, Any], message: str) -> None:
    assert message in mistakes(repository)


def test_a_repository_that_is_made_again_is_deleted(deploy: Deploy) -> None:
    inputs = run(deploy, lab={"name": "lab", "archive_on_destroy": False}).one("Repository").inputs
    assert inputs["archiveOnDestroy"] is False, "an archived one keeps its name: the next up could not make it"
