"""Names and values that GitHub's settings share: what a workflow may use, who decides, where events go."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

import pulumi
from pydantic import Field

from components.explain import Mistake
from components.settings import Key, Settings, matching, output_named

ActionsName = Annotated[
    str,
    matching(
        r"(?!GITHUB_)[A-Z_][A-Z0-9_]*",
        "must be upper-case letters, digits and underscores, and must not start with GITHUB_, which GitHub keeps",
    ),
]
Permission = Literal["pull", "triage", "push", "maintain", "admin"]
PositiveId = Annotated[int, Field(gt=0)]

Event = Literal[
    "branch_protection_rule", "check_run", "check_suite", "code_scanning_alert", "create", "delete",
    "dependabot_alert", "deployment", "deployment_review", "deployment_status", "issue_comment", "issues", "label",
    "member", "membership", "organization", "public", "pull_request", "pull_request_review",
    "pull_request_review_comment", "push", "release", "repository", "repository_ruleset", "secret_scanning_alert",
    "status", "team", "team_add", "workflow_dispatch", "workflow_job", "workflow_run",
]  # fmt: skip
"""Those of docs.github.com, "Webhook events and payloads", that a team which deploys and collects payments may want."""

ClaimKey = Literal[
    "repo", "context", "job_workflow_ref", "ref", "environment", "actor", "event_name", "repository_id",
    "repository_owner", "repository_owner_id", "repository_visibility", "workflow",
]  # fmt: skip
"""What a subject can be made of (docs.github.com, "OpenID Connect reference")."""

DEFAULT_SUBJECT: tuple[ClaimKey, ...] = ("repo", "context")
"""GitHub's own subjects: ``repo:OWNER/NAME:environment:ENVIRONMENT``, or the branch, which is what AWS is told to trust."""


def numeric_id(text: str) -> int:
    """The number of a team: rulesets and reviewers name it so, while the provider has it as a text."""
    return int(text)


class VariableSource(Settings):
    """The value of an Actions variable: written here, or handed over by another component. Anyone in the repo reads it."""

    value: str | None = None
    output: str | None = None

    def check(self) -> Iterator[Mistake]:
        """Exactly one of the two."""
        if (self.value is None) == (self.output is None):
            yield Mistake((), "must give either `value` or `output` (a value that another component hands over)")

    def resolve(self, outputs: Mapping[str, pulumi.Input[str]], setting: str) -> pulumi.Input[str]:
        """The value; SettingsError for an output that nobody hands over."""
        if self.value is not None:
            return self.value
        return output_named(str(self.output), outputs, f"{setting}.output")


class WebhookSettings(Settings):
    """Where GitHub posts events, as JSON and signed. The secret is minted here; a higher ``generation`` mints another."""

    url: Annotated[str, matching(r"https://[^\s/?#]+(/\S*)?", "must be an https:// address")]
    events: Annotated[tuple[Event, ...], Field(min_length=1)]
    generation: Annotated[int, Field(ge=1)] = 1
    active: bool = True


class ActionsSettings(Settings):
    """Which actions workflows may use: their own organisation's, and those that are named.

    ``patterns`` are like ``pulumi/auth-actions@*``; ``pinned`` asks that every action is named by its full commit.
    """

    allowed: Literal["all", "local_only", "selected"] = "selected"
    github_owned: bool = True
    verified: bool = False
    patterns: tuple[
        Annotated[str, matching(r"[\w.*-]+/[\w.*/-]+(@[\w.*/-]+)?", "must be like owner/action or owner/*@v1")], ...
    ] = ()
    pinned: bool = True

    def check(self) -> Iterator[Mistake]:
        """What is selected is said only where something is."""
        if self.allowed != "selected":
            for field in ("github_owned", "verified", "patterns"):
                if field in self.model_fields_set:
                    yield Mistake((field,), f"is for `allowed: selected` only, not {self.allowed}")

    def selection(self) -> Any:
        """What is selected, as the provider wants it."""
        if self.allowed != "selected":
            return None
        return {
            "github_owned_allowed": self.github_owned,
            "verified_allowed": self.verified,
            "patterns_alloweds": self.patterns,
        }


class TeamSettings(Settings):
    """A team. Its name is its slug: lower case, with hyphens, as it stands in CODEOWNERS and addresses.

    ``members`` are all who are in it, by login; without any the team's members are left to single sign-on.
    """

    name: Annotated[str, matching(r"[a-z0-9]+(-[a-z0-9]+)*", "must be lower-case words joined by hyphens")]
    description: str = ""
    parent: Key | None = None
    members: dict[
        Annotated[str, matching(r"[A-Za-z0-9](-?[A-Za-z0-9_]){0,38}", "must be the login of a person")],
        Literal["member", "maintainer"],
    ] = Field(default_factory=dict)


class ReviewerSettings(Settings):
    """Who may let a deployment through: six in all, of which one is enough. A team by its key in ``teams``, or by id.

    Ids and not names, because looking a name up would be a request in every run:
    ``gh api orgs/ORG/teams/TEAM --jq .id``, ``gh api users/LOGIN --jq .id``.
    """

    teams: Annotated[tuple[PositiveId | Key, ...], Field(max_length=6)] = ()
    users: Annotated[tuple[PositiveId, ...], Field(max_length=6)] = ()

    def check(self) -> Iterator[Mistake]:
        """One to six."""
        if not 1 <= len(self.teams) + len(self.users) <= 6:
            yield Mistake((), "must name one to six teams and users in all")
