"""Settings of GitHub that cannot be, and are refused before the run."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from components.estate import Estate
from components.github import GitHubSettings


def mistakes(repository: dict[str, Any]) -> str:
    with pytest.raises(ValidationError) as caught:
        GitHubSettings.model_validate({"repositories": {"sophia": repository}})
    return str(caught.value)


@pytest.mark.parametrize(
    ("repository", "message"),
    [
        ({"name": "a b"}, "letters, digits, dots"),
        ({"name": "a", "secrets": {"GITHUB_X": {"environment": "X"}}}, "must not start with GITHUB_"),
        ({"name": "a", "secrets": {"X": {}}}, "must give either `environment`"),
        ({"name": "a", "variables": {"X": {"value": "1", "output": "2"}}}, "must give either `value` or `output`"),
        ({"name": "a", "owned": False, "topics": ["x"]}, "belongs in the stack that owns"),
        ({"name": "a", "archetype": "servce"}, 'no archetype "servce" is declared (did you mean'),
        ({"name": "a", "archetype": "service", "teams": {"ops": "push"}}, 'no team "ops" is declared'),
        ({"name": "a", "rulesets": {"main": {"code_owners": True}}}, "needs `approvals`"),
        ({"name": "a", "rulesets": {"main": {"target": "push", "permanent": False}}}, "would ask for nothing"),
        ({"name": "a", "rulesets": {"main": {"target": "push", "approvals": 1}}}, "rules about files only"),
        ({"name": "a", "rulesets": {"main": {"files_largest_mb": 5}}}, "must be push"),
        ({"name": "a", "rulesets": {"main": {"target": "tag", "checks": ["x"]}}}, "takes no pull requests"),
        ({"name": "a", "rulesets": {"main": {"deployments": ["prod"]}}}, 'no environment "prod" is declared'),
        ({"name": "a", "rulesets": {"main": {"bypass": [{"team": "ops"}]}}}, 'no team "ops" is declared'),
        ({"name": "a", "rulesets": {"main": {"bypass": [{}]}}}, "must name one"),
        ({"name": "a", "labels": {"Bug": {"color": "000000"}, "bug": {"color": "000000"}}}, "is there twice"),
        ({"name": "a", "labels": {"bug": {"color": "#000000"}}}, "six hexadecimal digits"),
        ({"name": "a", "security": {"push_protection": True}}, "needs `secret_scanning`"),
        ({"name": "a", "security": {"alerts": False}}, "needs `alerts`"),
        ({"name": "a", "autolinks": {"PAY-1": "https://linear.app/PAY-<num>"}}, "must not end with a digit"),
        ({"name": "a", "autolinks": {"PAY-": "https://linear.app/pay-ready"}}, "with <num> in it"),
        ({"name": "a", "webhooks": {"x": {"url": "http://n8n", "events": ["push"]}}}, "must be an https:// address"),
        ({"name": "a", "webhooks": {"x": {"url": "https://n8n/x", "events": ["pushed"]}}}, "'push'"),
        ({"name": "a", "archetype": "archived", "variables": {"X": {"value": "1"}}}, "read-only"),
        ({"name": "a", "environments": {"dev": {"any_ref": True, "branches": ["x"]}}}, "everything be deployed"),
        ({"name": "a", "environments": {"dev": {"branches": []}}}, "nothing could be deployed"),
        ({"name": "a", "environments": {"dev": {"reviewers": {"teams": ["ops"]}}}}, 'no team "ops" is declared'),
        ({"name": "a", "actions": {"allowed": "all", "verified": True}}, "for `allowed: selected` only"),
        ({"name": "a", "environments": {"prod": {"reviewers": {"users": list(range(1, 8))}}}}, "at most 6"),
        ({"name": "a", "environments": {"prod": {"reviewers": {}}}}, "must name one to six"),
        ({"name": "a", "visibility": "secret"}, "'private', 'internal' or 'public'"),
    ],
)
def test_mistakes_that_github_would_find_late_are_found_early(repository: dict[str, Any], message: str) -> None:
    assert message in mistakes(repository)


@pytest.mark.parametrize(
    ("plan", "repository", "message"),
    [
        ("team", {"visibility": "internal"}, "internal is for the plan enterprise"),
        ("team", {"environments": {"prod": {"wait_minutes": 5}}}, "needs the plan enterprise"),
        ("team", {"rulesets": {"main": {"enforcement": "evaluate"}}}, "evaluate is for the plan enterprise"),
        ("free", {"archetype": "service"}, "rulesets of private repositories need the plan team"),
        ("free", {"environments": {"dev": {}}}, "environments of private repositories need the plan team"),
    ],
)
def test_what_the_plan_does_not_have_is_said_before_the_run(
    plan: str, repository: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValidationError, match=message):
        GitHubSettings.model_validate({"plan": plan, "repositories": {"a": {"name": "a", **repository}}})
    GitHubSettings.model_validate({"repositories": {"a": {"name": "a", **repository}}})


def test_teams_are_no_circle_and_repositories_no_twins() -> None:
    circle = {"a": {"name": "a", "parent": "b"}, "b": {"name": "b", "parent": "a"}}
    with pytest.raises(ValidationError, match="is below this very team"):
        GitHubSettings.model_validate({"teams": circle, "repositories": {}})
    with pytest.raises(ValidationError, match="each needs its own"):
        GitHubSettings.model_validate({"repositories": {"a": {"name": "one"}, "b": {"name": "one"}}})


def test_aws_and_github_agree_on_the_subjects() -> None:
    github = {"repositories": {"infrastructure": {"name": "infra", "oidc_subject": ["repo", "ref"]}}}
    aws = {
        "identity_providers": {"github": "owned"},
        "key": {"alias": "sophia"},
        "boundary": "sophia-boundary",
        "roles": {
            "deploy": {"name": "d", "purpose": "deploy", "workflows": {"repository": "infra", "branches": ["main"]}}
        },
    }
    both = Estate.of(["github", "aws"])
    with pytest.raises(ValidationError, match="trusts subjects by repo and context, but github gives it repo, ref"):
        both.model_validate({"github": github, "aws": aws})
    github["repositories"]["infrastructure"]["oidc_subject"] = ["repo", "context"]
    both.model_validate({"github": github, "aws": aws})
