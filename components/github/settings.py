"""The settings of GitHub: the organisation, its teams, and a fleet of repositories as archetypes plus deviations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from components.explain import Mistake, Path
from components.github.archetypes import BUILT_IN, Traits, present, resolve
from components.github.plans import Plan, beyond_organization_plan, beyond_plan
from components.github.rulesets import OrganizationRulesetSettings, RulesetSettings
from components.github.values import (
    DEFAULT_SUBJECT,
    ActionsName,
    ActionsSettings,
    ClaimKey,
    ReviewerSettings,
    TeamSettings,
    VariableSource,
    WebhookSettings,
)
from components.settings import Key, SecretSource, Settings, matching, same_object, unknown_name

RepositoryName = Annotated[
    str, matching(r"[A-Za-z0-9._-]{1,100}", "must be up to 100 letters, digits, dots, hyphens and underscores")
]


class EnvironmentSettings(Settings):
    """A deployment environment of a repository.

    ``branches`` and ``tags`` are patterns of what may be deployed: only ``main`` unless they say otherwise, and
    everything with ``any_ref``. (GitHub's "protected branches" are no choice: a branch with a ruleset is none to it.)
    """

    reviewers: ReviewerSettings | None = None
    wait_minutes: Annotated[int, Field(ge=0, le=43200)] = 0
    branches: tuple[str, ...] = ("main",)
    tags: tuple[str, ...] = ()
    any_ref: bool = False
    secrets: dict[ActionsName, SecretSource] = Field(default_factory=dict)
    variables: dict[ActionsName, VariableSource] = Field(default_factory=dict)

    def check(self) -> Iterator[Mistake]:
        """Anything, or what is named."""
        if self.any_ref and {"branches", "tags"} & self.model_fields_set:
            yield Mistake(("any_ref",), "lets everything be deployed: leave out `branches` and `tags`")
        if not self.branches and not self.tags:
            yield Mistake(("branches",), "nothing could be deployed: name branches or tags")


class RepositorySettings(Traits):
    """A repository: its archetype, and what it has besides or otherwise.

    One that another stack owns (``owned: false``) only gets environments, secrets and variables here. ``secrets`` are
    for workflows, ``dependabot_secrets`` for Dependabot, which sees no others.
    """

    name: RepositoryName
    archetype: str | None = None
    owned: bool = True
    description: Annotated[str, Field(max_length=350)] = ""
    homepage: str = ""
    archive_on_destroy: bool = True
    environments: dict[Key, EnvironmentSettings] = Field(default_factory=dict)
    secrets: dict[ActionsName, SecretSource] = Field(default_factory=dict)
    dependabot_secrets: dict[ActionsName, SecretSource] = Field(default_factory=dict)
    variables: dict[ActionsName, VariableSource] = Field(default_factory=dict)

    def check(self) -> Iterator[Mistake]:
        """What only the owner may say."""
        if not self.owned:
            for field in sorted({*Traits.model_fields, "archetype", "description", "homepage"} & self.model_fields_set):
                yield Mistake((field,), "belongs in the stack that owns this repository (owned: false)")


class OrganizationSettings(Settings):
    """What holds for all repositories, whoever made them. Of one organisation only one stack says it: prod.

    ``two_factor`` and ``default_permission`` are asserted by `sophia health` and not set: GitHub lets only a person
    require the first, and the second is of one piece with the whole profile of the organisation.
    """

    two_factor: bool = True
    default_permission: Literal["none", "read"] = "none"
    actions: ActionsSettings | None = None
    workflow_permissions: Literal["read", "write"] = "read"
    oidc_subject: Annotated[tuple[ClaimKey, ...], Field(min_length=1)] | None = None
    rulesets: dict[Key, OrganizationRulesetSettings] = Field(default_factory=dict)
    webhooks: dict[Key, WebhookSettings] = Field(default_factory=dict)
    secrets: dict[ActionsName, SecretSource] = Field(default_factory=dict)
    variables: dict[ActionsName, VariableSource] = Field(default_factory=dict)


class GitHubSettings(Settings):
    """``sophia-ai:github``. The owner (organisation) comes from GITHUB_OWNER, as GitHub's own tools have it.

    ``archetypes`` deviate from those of `components.github.archetypes`, or are new ones; ``plan`` is what is paid for.
    """

    plan: Plan = "enterprise"
    organization: OrganizationSettings | None = None
    teams: dict[Key, TeamSettings] = Field(default_factory=dict)
    archetypes: dict[Key, Traits] = Field(default_factory=dict)
    repositories: dict[Key, RepositorySettings]

    def archetype_of(self, repository: RepositorySettings) -> Traits:
        """The archetype as this stack has it; nothing but the defaults for a repository without one."""
        name = repository.archetype or ""
        return resolve(BUILT_IN.get(name), self.archetypes.get(name))

    def traits_of(self, repository: RepositorySettings) -> Traits:
        """All that holds for a repository: its deviations over its archetype."""
        return resolve(self.archetype_of(repository), repository)

    def other_subject(self, repository: str) -> str:
        """What the subjects of a repository's tokens are made of, by its name, if it is not what GitHub does by itself."""
        for entry in self.repositories.values():
            if entry.owned and entry.name == repository:
                claims = self.traits_of(entry).oidc_subject or DEFAULT_SUBJECT
                return "" if claims == DEFAULT_SUBJECT else ", ".join(claims)
        return ""

    def check(self) -> Iterator[Mistake]:
        """Names that are declared, rules that go together, and nothing beyond the plan."""
        yield from same_object(("repositories",), self.repositories, "name")
        yield from same_object(("teams",), self.teams, "name")
        yield from self._check_parents()
        known = [*BUILT_IN, *(name for name in self.archetypes if name not in BUILT_IN)]
        for key, repository in self.repositories.items():
            path = ("repositories", key)
            if repository.archetype is not None and repository.archetype not in known:
                yield from unknown_name((*path, "archetype"), repository.archetype, known, "archetype")
            elif repository.owned:
                for mistake in self._check_repository(repository):
                    yield Mistake((*path, *mistake.path), mistake.message)
            yield from self._check_reviewers(path, repository)
        if self.organization is not None:
            for key, ruleset in self.organization.rulesets.items():
                yield from self._check_bypass(("organization", "rulesets", key), ruleset)
            for mistake in beyond_organization_plan(self.plan, self.organization.rulesets):
                yield Mistake(("organization", "rulesets", *mistake.path), mistake.message)

    def _check_parents(self) -> Iterator[Mistake]:
        for key, team in self.teams.items():
            if team.parent is not None:
                yield from unknown_name(("teams", key, "parent"), team.parent, self.teams, "team")
            above, seen = team.parent, {key}
            while above in self.teams and above not in seen:
                seen.add(above)
                above = self.teams[above].parent
            if above == key:
                yield Mistake(("teams", key, "parent"), "is below this very team")

    def _check_repository(self, repository: RepositorySettings) -> Iterator[Mistake]:
        traits = self.traits_of(repository)
        for team in present(traits.teams):
            yield from unknown_name(("teams", team), team, self.teams, "team")
        yield from traits.contradictions()
        for key, ruleset in present(traits.rulesets).items():
            for environment in ruleset.deployments:
                path = ("rulesets", key, "deployments")
                yield from unknown_name(path, environment, repository.environments, "environment")
            yield from self._check_bypass(("rulesets", key), ruleset)
        if traits.archived:
            for field in ("environments", "secrets", "dependabot_secrets", "variables"):
                if getattr(repository, field):
                    yield Mistake((field,), "an archived repository is read-only, and gets nothing more")
        yield from beyond_plan(self.plan, traits, repository.environments)

    def _check_bypass(self, path: Path, ruleset: RulesetSettings) -> Iterator[Mistake]:
        for index, actor in enumerate(ruleset.bypass):
            if actor.team is not None:
                yield from unknown_name((*path, "bypass", index, "team"), actor.team, self.teams, "team")

    def _check_reviewers(self, path: Path, repository: RepositorySettings) -> Iterator[Mistake]:
        for name, environment in repository.environments.items():
            for index, team in enumerate(environment.reviewers.teams if environment.reviewers else ()):
                if isinstance(team, str):
                    where = (*path, "environments", name, "reviewers", "teams", index)
                    yield from unknown_name(where, team, self.teams, "team")
