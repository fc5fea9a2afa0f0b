"""The stand-in for GitHub's package refuses what GitHub and the provider refuse, in their words."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.official import github
from sandbox.official.behaviour import RefusedError
from sandbox.official.objects import Objects
from sandbox.official.types import failures
from sandbox.store import Database, Store

REPOSITORY = "github:index/repository:Repository"
TEAM, MEMBERS = "github:index/team:Team", "github:index/teamMembers:TeamMembers"
TEAM_REPOSITORY = "github:index/teamRepository:TeamRepository"
RULESET = "github:index/repositoryRuleset:RepositoryRuleset"
ORGANIZATION_RULESET = "github:index/organizationRuleset:OrganizationRuleset"
ENVIRONMENT = "github:index/repositoryEnvironment:RepositoryEnvironment"
POLICY = "github:index/repositoryEnvironmentDeploymentPolicy:RepositoryEnvironmentDeploymentPolicy"
ALERTS = "github:index/repositoryVulnerabilityAlerts:RepositoryVulnerabilityAlerts"
UPDATES = "github:index/repositoryDependabotSecurityUpdates:RepositoryDependabotSecurityUpdates"
LABELS = "github:index/issueLabels:IssueLabels"
AUTOLINK = "github:index/repositoryAutolinkReference:RepositoryAutolinkReference"
HOOK, ORGANIZATION_HOOK = (
    "github:index/repositoryWebhook:RepositoryWebhook",
    "github:index/organizationWebhook:OrganizationWebhook",
)
SUBJECT = (
    "github:index/actionsRepositoryOidcSubjectClaimCustomizationTemplate:"
    "ActionsRepositoryOidcSubjectClaimCustomizationTemplate"
)
SECRET = "github:index/actionsSecret:ActionsSecret"
VARIABLE = "github:index/actionsVariable:ActionsVariable"
ORGANIZATION_SECRET = "github:index/actionsOrganizationSecret:ActionsOrganizationSecret"
TOKENS = "github:index/actionsOrganizationWorkflowPermissions:ActionsOrganizationWorkflowPermissions"
MAIN = {"refName": {"includes": ["~DEFAULT_BRANCH"], "excludes": []}}
RULES: dict[str, Any] = {
    "repository": "sophia",
    "name": "main",
    "target": "branch",
    "enforcement": "active",
    "conditions": MAIN,
    "rules": {"deletion": True},
}


class Account:
    """GitHub as a program meets it: the checks of the provider first, then GitHub's own."""

    def __init__(self, database: Database) -> None:
        self.store = Store(database, "github")
        self.objects = Objects(self.store, github.PACKAGE)

    def has(self, **properties: Any) -> None:
        document = {"id": github.OWNER, "properties": properties, "filled": {}}
        self.store.put(github.ORGANIZATION, github.OWNER, document)

    def create(self, token: str, **asked: Any) -> tuple[str, dict[str, Any]]:
        assert not self.complaints(token, **asked)
        return self.objects.create(token, asked, ())

    def complaints(self, token: str, **asked: Any) -> list[str]:
        found = [*failures(asked, github.PACKAGE.sdk.inputs(token)), *github.PACKAGE.kind(token).validate(asked)]
        return [f"{failure.property}: {failure.reason}" for failure in found]

    def refusal(self, token: str, **asked: Any) -> str:
        with pytest.raises(RefusedError) as caught:
            self.create(token, **asked)
        return str(caught.value)


@pytest.fixture
def account(tmp_path: Path) -> Iterator[Account]:
    database = Database(tmp_path / "sandbox.sqlite3")
    yield Account(database)
    database.close()


@pytest.fixture
def sophia(account: Account) -> Account:
    """With a private repository."""
    account.create(REPOSITORY, name="sophia", visibility="private")
    return account


def test_names_are_unique_whatever_their_case(sophia: Account) -> None:
    assert "422 Repository creation failed" in sophia.refusal(REPOSITORY, name="SOPHIA")
    sophia.create(TEAM, name="Platform", privacy="closed")
    assert "Name must be unique for this org (platform)" in sophia.refusal(TEAM, name="platform")
    sophia.create(RULESET, **RULES)
    assert "Name must be unique (main)" in sophia.refusal(RULESET, **RULES)
    hook = {"repository": "sophia", "events": ["push"], "configuration": {"url": "https://n8n.example.com/x"}}
    sophia.create(HOOK, **hook)
    assert "Hook already exists on this repository" in sophia.refusal(HOOK, **hook)
    link = {"repository": "sophia", "keyPrefix": "PAY-", "targetUrlTemplate": "https://linear.app/x/PAY-<num>"}
    sophia.create(AUTOLINK, **link)
    assert "Code:already_exists" in sophia.refusal(AUTOLINK, **link)
    sophia.create(VARIABLE, repository="sophia", variableName="STAGE", value="dev")
    assert "409 Already exists" in sophia.refusal(VARIABLE, repository="sophia", variableName="stage", value="x")


def test_ids_are_those_of_the_provider(sophia: Account) -> None:
    team, made = sophia.create(TEAM, name="platform", privacy="closed")
    assert team.isdecimal()
    assert made["slug"] == "platform"
    member = [{"username": "ada"}]
    assert sophia.create(MEMBERS, teamSlug="platform", members=member)[0] == team
    permission = {"teamId": team, "repository": "sophia", "permission": "push"}
    assert sophia.create(TEAM_REPOSITORY, **permission)[0] == f"{team}:sophia"
    ruleset, made = sophia.create(RULESET, **RULES)
    assert made["rulesetId"] == int(ruleset)
    assert sophia.objects.found_by(RULESET, f"sophia:{ruleset}") == ruleset, "as it is imported"
    assert sophia.objects.found_by(TEAM, "platform") == team
    assert sophia.create(LABELS, repository="sophia", labels=[])[0] == "sophia"


@pytest.mark.parametrize(
    ("token", "asked", "complaint"),
    [
        (REPOSITORY, {"name": "a", "visibility": "secret"}, "expected visibility to be one of"),
        (REPOSITORY, {"name": "a", "topics": ["Sophia"]}, "lowercase"),
        (REPOSITORY, {"name": "a", "securityAndAnalysis": {"secretScanning": {"status": "on"}}}, "to be one of"),
        (TEAM, {"name": "a", "privacy": "open"}, "expected privacy to be one of"),
        (MEMBERS, {"members": []}, "one of `team_id,team_slug` must be specified"),
        (MEMBERS, {"teamSlug": "a", "members": [{"username": "ada", "role": "boss"}]}, "members[0].role"),
        (RULESET, {**RULES, "target": "branches"}, "expected target to be one of"),
        (RULESET, {**RULES, "enforcement": "on"}, "expected enforcement to be one of"),
        (RULESET, {**RULES, "rules": {"maxFileSize": {"maxFileSize": 5}}}, "not valid for branch target"),
        (RULESET, {**RULES, "target": "push", "rules": {"deletion": True}}, "not valid for push target"),
        (RULESET, {**RULES, "target": "push", "rules": {}}, "ref_name must not be set for push target"),
        (RULESET, {**RULES, "rules": {"pullRequest": {"requiredApprovingReviewCount": 11}}}, "range (0 - 10)"),
        (RULESET, {**RULES, "rules": {"requiredStatusChecks": {"requiredChecks": []}}}, "1 item minimum"),
        (RULESET, {**RULES, "rules": {"delition": True}}, "did you mean 'deletion'"),
        (RULESET, {**RULES, "bypassActors": [{"actorType": "Robot", "bypassMode": "always"}]}, "actorType"),
        (ORGANIZATION_RULESET, {**RULES, "repository": "x"}, "Unknown property 'repository'"),
        (AUTOLINK, {"repository": "a", "keyPrefix": "PAY1", "targetUrlTemplate": "https://x.io/<num>"}, "end with a"),
        (AUTOLINK, {"repository": "a", "keyPrefix": "PAY-", "targetUrlTemplate": "https://x.io/"}, "<num> token"),
        (ENVIRONMENT, {"repository": "a", "environment": "dev", "waitTimer": 43201}, "range (0 - 43200)"),
        (POLICY, {"repository": "a", "environment": "dev"}, "must be specified, and only one"),
        (SECRET, {"repository": "a", "secretName": "1X", "value": "x"}, "must not start with a number"),
        (SECRET, {"repository": "a", "secretName": "X", "value": "x", "plaintextValue": "x"}, "exactly one of"),
        (ORGANIZATION_SECRET, {"secretName": "X", "value": "x", "visibility": "public"}, "visibility to be one of"),
        (TOKENS, {"organizationSlug": "x", "defaultWorkflowPermissions": "admin"}, "to be one of"),
        (UPDATES, {"repository": "a"}, "Missing required property 'enabled'"),
        (HOOK, {"repository": "a", "configuration": {"url": "https://x.io"}}, "Missing required property 'events'"),
    ],
)
def test_what_the_provider_refuses_in_a_preview(
    account: Account, token: str, asked: dict[str, Any], complaint: str
) -> None:
    assert any(complaint in found for found in account.complaints(token, **asked)), account.complaints(token, **asked)


HOOK_TO = {"repository": "sophia", "events": ["push"]}
RULED = {"repository": "sophia", "name": "r", "enforcement": "active", "rules": {"deletion": True}}


@pytest.mark.parametrize(
    ("token", "asked", "said"),
    [
        (REPOSITORY, {"name": "a", "description": "x" * 351}, "maximum is 350"),
        (REPOSITORY, {"name": "a", "defaultBranch": "trunk"}, "cannot set the default branch on a new repository"),
        (
            REPOSITORY,
            {"name": "a", **dict.fromkeys(("allowMergeCommit", "allowSquashMerge", "allowRebaseMerge"), False)},
            "no_merge_method",
        ),
        (
            REPOSITORY,
            {"name": "a", "securityAndAnalysis": {"secretScanningPushProtection": {"status": "enabled"}}},
            "Secret scanning must be enabled",
        ),
        (TEAM_REPOSITORY, {"teamId": "4711", "repository": "sophia"}, "teams/4711: 404 Not Found"),
        (MEMBERS, {"teamSlug": "nobody", "members": []}, "teams/nobody: 404 Not Found"),
        (RULESET, {**RULES, "repository": "none"}, "repos/sophia-sandbox/none: 404 Not Found"),
        (
            RULESET,
            {**RULES, "bypassActors": [{"actorType": "Team", "actorId": 1, "bypassMode": "always"}]},
            "Actor Team must be part of the ruleset source",
        ),
        (RULESET, {**RULES, "conditions": {"refName": {"includes": ["main"], "excludes": []}}}, "patterns: 'main'"),
        (RULESET, {**RULES, "target": "tag"}, "Invalid target patterns: '~DEFAULT_BRANCH'"),
        (RULESET, {**RULED, "target": "branch"}, "ref_name include can't be blank"),
        (
            RULESET,
            {**RULES, "rules": {"requiredDeployments": {"requiredDeploymentEnvironments": ["prod"]}}},
            "no environment prod",
        ),
        (
            ENVIRONMENT,
            {"repository": "sophia", "environment": "prod", "reviewers": [{"teams": [4711]}]},
            "Could not resolve to a Team with the id 4711",
        ),
        (
            ENVIRONMENT,
            {"repository": "sophia", "environment": "prod", "reviewers": [{"users": list(range(1, 8))}]},
            "at most 6",
        ),
        (
            ENVIRONMENT,
            {
                "repository": "sophia",
                "environment": "prod",
                "deploymentBranchPolicy": {"protectedBranches": True, "customBranchPolicies": True},
            },
            "cannot have the same value",
        ),
        (UPDATES, {"repository": "sophia", "enabled": True}, "Vulnerability alerts must be enabled"),
        (LABELS, {"repository": "sophia", "labels": [{"name": "bug", "color": "red"}]}, "Field:color Code:invalid"),
        (
            LABELS,
            {"repository": "sophia", "labels": [{"name": n, "color": "ffffff"} for n in ("bug", "Bug")]},
            "Code:already_exists",
        ),
        (HOOK, {**HOOK_TO, "configuration": {"url": "n8n.example.com"}}, "url is missing a scheme"),
        (HOOK, {**HOOK_TO, "configuration": {"url": "http://localhost:5678/x"}}, "reachable over the public Internet"),
        (HOOK, {**HOOK_TO, "configuration": {"url": "https://x.io", "contentType": "xml"}}, "json or form"),
        (
            HOOK,
            {"repository": "sophia", "events": ["pushed"], "configuration": {"url": "https://x.io"}},
            '"pushed" event cannot be subscribed to',
        ),
        (
            HOOK,
            {"repository": "sophia", "events": ["membership"], "configuration": {"url": "https://x.io"}},
            '"membership" event cannot be subscribed to',
        ),
        (
            SUBJECT,
            {"repository": "sophia", "useDefault": True, "includeClaimKeys": ["repo"]},
            "cannot be set when use_default is true",
        ),
        (VARIABLE, {"repository": "sophia", "variableName": "X", "value": "x" * 49153}, "at most 49152 bytes"),
        (TOKENS, {"organizationSlug": "another-organization"}, "404 Not Found"),
    ],
)
def test_what_github_refuses_in_the_run(sophia: Account, token: str, asked: dict[str, Any], said: str) -> None:
    assert said in sophia.refusal(token, **asked)


def test_a_policy_of_branches_is_for_an_environment_that_has_its_own(sophia: Account) -> None:
    sophia.create(ENVIRONMENT, repository="sophia", environment="dev")
    assert "404 Not Found" in sophia.refusal(POLICY, repository="sophia", environment="dev", branchPattern="main")


def test_teams_are_nested_only_where_they_are_seen_and_go_with_their_parents(account: Account) -> None:
    parent, _ = account.create(TEAM, name="engineering", privacy="closed")
    secret, _ = account.create(TEAM, name="board", privacy="secret")
    assert "A nested team must be visible" in account.refusal(TEAM, name="a", parentTeamId=parent)
    assert "parent team must be visible" in account.refusal(TEAM, name="a", parentTeamId=secret, privacy="closed")
    child, made = account.create(TEAM, name="platform", parentTeamId=parent, privacy="closed")
    assert made["parentTeamReadSlug"] == "engineering"
    account.objects.delete(TEAM, parent)
    assert account.store.get(TEAM, child) is None


def test_an_archived_repository_is_read_only(account: Account) -> None:
    key, _ = account.create(REPOSITORY, name="old", archived=True)
    assert "archived so is read-only" in account.refusal(RULESET, **{**RULES, "repository": "old"})
    with pytest.raises(RefusedError, match="archived so is read-only"):
        account.objects.update(REPOSITORY, key, {"name": "old", "archived": True, "description": "new"}, ())
    account.objects.update(REPOSITORY, key, {"name": "old", "archived": False}, ())
    account.create(RULESET, **{**RULES, "repository": "old"})


def test_what_is_not_paid_for_is_refused(sophia: Account) -> None:
    sophia.has(plan="team", secretProtection=False, codeSecurity=False)
    assert "belongs to an enterprise" in sophia.refusal(REPOSITORY, name="a", visibility="internal")
    scanning = {"secretScanning": {"status": "enabled"}}
    assert "is not available" in sophia.refusal(
        REPOSITORY, name="a", visibility="private", securityAndAnalysis=scanning
    )
    environment = {"repository": "sophia", "environment": "prod"}
    assert "supports the wait timer" in sophia.refusal(ENVIRONMENT, **environment, waitTimer=5)
    assert "supports the required reviewers" in sophia.refusal(ENVIRONMENT, **environment, reviewers=[{"users": [1]}])
    assert "evaluate option is not supported" in sophia.refusal(RULESET, **{**RULES, "enforcement": "evaluate"})
    sophia.has(plan="free")
    assert "403 Upgrade to GitHub Team" in sophia.refusal(RULESET, **RULES)
    assert "403 Upgrade to GitHub Team" in sophia.refusal(ENVIRONMENT, **environment)
    sophia.create(REPOSITORY, name="open", visibility="public")
    sophia.create(RULESET, **{**RULES, "repository": "open"})


def test_only_members_become_members_of_a_team(account: Account) -> None:
    account.has(members=["Ada"])
    account.create(TEAM, name="platform", privacy="closed")
    account.create(MEMBERS, teamSlug="platform", members=[{"username": "ada"}])
    said = account.refusal(MEMBERS, teamSlug="platform", members=[{"username": "mallory"}])
    assert "memberships/mallory: 404 Not Found" in said


def test_a_webhooks_secret_is_not_read_again(sophia: Account) -> None:
    configuration = {"url": "https://n8n.example.com/x", "secret": "swordfish-77"}
    key, _ = sophia.create(ORGANIZATION_HOOK, events=["push"], configuration=configuration)
    assert "swordfish-77" not in str(sophia.store.get(ORGANIZATION_HOOK, key))
