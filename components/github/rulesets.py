"""Rulesets: what a branch, a tag or a push must satisfy, and who may pass it by.

Source of facts: docs.github.com, "Available rules for rulesets"; the REST API's "Rules"; terraform-provider-github.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

import pulumi
from pydantic import Field

from components.explain import Mistake
from components.github.values import PositiveId
from components.settings import Key, Settings

GITHUB_ACTIONS = 15368
"""The app that reports the checks of workflows. A check of this app cannot be forged with a token that sets statuses."""

_ROLES = {"maintain": 2, "write": 4, "admin": 5}
"""The ids of the repository roles that every organisation has."""

_REF_PREFIX = {"branch": "refs/heads/", "tag": "refs/tags/"}


class BypassSettings(Settings):
    """Somebody whom a ruleset does not hold: a team (by its key), an app, a role, or the organisation's owners.

    ``pull_request``: they may merge a pull request that breaks the rules, which is seen; ``always``: they may push.
    """

    team: Key | None = None
    app: PositiveId | None = None
    role: Literal["maintain", "write", "admin"] | None = None
    owners: Literal[True] | None = None
    mode: Literal["pull_request", "always"] = "pull_request"

    def check(self) -> Iterator[Mistake]:
        """Exactly one of them."""
        if sum(value is not None for value in (self.team, self.app, self.role, self.owners)) != 1:
            yield Mistake((), "must name one: `team`, `app`, `role`, or `owners: true`")

    def actor(self, teams: Mapping[str, pulumi.Output[int]]) -> dict[str, Any]:
        """As the provider wants it."""
        if self.team is not None:
            return {"actor_type": "Team", "actor_id": teams[self.team], "bypass_mode": self.mode}
        if self.app is not None:
            return {"actor_type": "Integration", "actor_id": self.app, "bypass_mode": self.mode}
        if self.role is not None:
            return {"actor_type": "RepositoryRole", "actor_id": _ROLES[self.role], "bypass_mode": self.mode}
        return {"actor_type": "OrganizationAdmin", "bypass_mode": self.mode}


class RulesetSettings(Settings):
    """Rules for the refs that are named: by default for the default branch, which nobody deletes or rewrites.

    ``refs`` are patterns like ``release/*`` (``~DEFAULT_BRANCH``, ``~ALL``); with ``approvals`` changes come by pull
    request only. ``checks`` are jobs of workflows, reported by the app ``checks_app`` (GitHub Actions; null: by anybody).
    ``locked``: what is there is never changed, as tags of releases; ``no_creation``: and nothing is added.
    A ruleset for ``push`` has the ``files_*`` members only, and holds for a private repository and all its forks.
    """

    target: Literal["branch", "tag", "push"] = "branch"
    enforcement: Literal["active", "evaluate", "disabled"] = "active"
    refs: Annotated[tuple[str, ...], Field(min_length=1)] = ("~DEFAULT_BRANCH",)
    except_refs: tuple[str, ...] = ()
    permanent: bool = True
    locked: bool = False
    no_creation: bool = False
    approvals: Annotated[int, Field(ge=0, le=10)] | None = None
    code_owners: bool = False
    last_push_approval: bool = False
    checks: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    checks_app: PositiveId | None = GITHUB_ACTIONS
    up_to_date: bool = True
    signed_commits: bool = False
    linear_history: bool = False
    deployments: tuple[Key, ...] = ()
    files_paths: tuple[str, ...] = ()
    files_extensions: tuple[str, ...] = ()
    files_largest_mb: Annotated[int, Field(ge=1, le=100)] | None = None
    bypass: tuple[BypassSettings, ...] = ()

    def contradictions(self) -> Iterator[Mistake]:
        """What does not go together, once deviations are applied."""
        if self.approvals is None:
            for field in ("code_owners", "last_push_approval"):
                if getattr(self, field):
                    yield Mistake((field,), "needs `approvals`: only then changes come by pull request")
        if self.target == "push":
            of_refs = (self.approvals is not None, *(getattr(self, field) for field in _OF_REFS))
            if any(of_refs):
                yield Mistake(("target",), "push takes rules about files only: paths, extensions, size")
        elif self.files():
            yield Mistake(("target",), "must be push for rules about files")
        if self.target == "tag" and (self.approvals is not None or self.checks or self.deployments):
            yield Mistake(("target",), "tag takes no pull requests, checks or deployments: those are of branches")
        if not self.rules():
            yield Mistake((), "would ask for nothing")

    def files(self) -> dict[str, Any]:
        """The rules about what is pushed."""
        found: dict[str, Any] = {}
        if self.files_paths:
            found["file_path_restriction"] = {"restricted_file_paths": self.files_paths}
        if self.files_extensions:
            found["file_extension_restriction"] = {"restricted_file_extensions": self.files_extensions}
        if self.files_largest_mb:
            found["max_file_size"] = {"max_file_size": self.files_largest_mb}
        return found

    def rules(self) -> dict[str, Any]:
        """As the provider wants them; a rule that does not hold is left out."""
        if self.target == "push":
            return self.files()
        switches = {
            "deletion": self.permanent,
            "non_fast_forward": self.permanent,
            "update": self.locked,
            "creation": self.no_creation,
            "required_signatures": self.signed_commits,
            "required_linear_history": self.linear_history,
        }
        found: dict[str, Any] = {name: True for name, holds in switches.items() if holds}
        if self.approvals is not None:
            found["pull_request"] = {
                "required_approving_review_count": self.approvals,
                "require_code_owner_review": self.code_owners,
                "require_last_push_approval": self.last_push_approval,
                "dismiss_stale_reviews_on_push": True,
                "required_review_thread_resolution": True,
            }
        if self.checks:
            app = {"integration_id": self.checks_app} if self.checks_app else {}
            found["required_status_checks"] = {
                "required_checks": [{"context": check, **app} for check in self.checks],
                "strict_required_status_checks_policy": self.up_to_date,
            }
        if self.deployments:
            found["required_deployments"] = {"required_deployment_environments": self.deployments}
        return found

    def ref_condition(self) -> dict[str, Any]:
        """Which refs it is about; a ruleset for pushes is about all."""
        if self.target == "push":
            return {}
        return {"ref_name": {"includes": self._refs(self.refs), "excludes": self._refs(self.except_refs)}}

    def _refs(self, names: tuple[str, ...]) -> list[str]:
        return [name if name.startswith(("~", "refs/")) else f"{_REF_PREFIX[self.target]}{name}" for name in names]


_OF_REFS = ("locked", "no_creation", "checks", "signed_commits", "linear_history", "deployments")


class OrganizationRulesetSettings(RulesetSettings):
    """A ruleset of the organisation: for all repositories whose names match, whoever made them."""

    repositories: Annotated[tuple[str, ...], Field(min_length=1)] = ("~ALL",)
    except_repositories: tuple[str, ...] = ()

    def check(self) -> Iterator[Mistake]:
        """Nothing is merged into it, so it must hold together as it is."""
        yield from self.contradictions()
        if self.deployments:
            yield Mistake(("deployments",), "are asked for by a repository's own rulesets only")
