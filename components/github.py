"""GitHub: the repositories, how their branches are protected, and what their workflows may use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Literal

import pulumi
from pydantic import Field

from components.explain import Mistake, render
from components.settings import (
    Key,
    SecretSource,
    Settings,
    Stage,
    data_store_options,
    matching,
    output_named,
)

if TYPE_CHECKING:
    import pulumi_github as github

RepositoryName = Annotated[
    str, matching(r"[A-Za-z0-9._-]{1,100}", "must be up to 100 letters, digits, dots, hyphens and underscores")
]
ActionsName = Annotated[
    str,
    matching(
        r"(?!GITHUB_)[A-Z_][A-Z0-9_]*",
        "must be upper-case letters, digits and underscores, and must not start with GITHUB_, which GitHub keeps",
    ),
]
NumericIds = Annotated[tuple[Annotated[int, Field(gt=0)], ...], Field(max_length=6)]


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


class BranchProtectionSettings(Settings):
    """What a branch asks of a pull request. Force pushes and deletion are never allowed, for administrators neither."""

    pattern: str = "main"
    approvals: Annotated[int, Field(ge=0, le=6)] = 1
    code_owners: bool = False
    status_checks: tuple[str, ...] = ()
    up_to_date: bool = True
    signed_commits: bool = False
    linear_history: bool = True


class ReviewerSettings(Settings):
    """Who may let a deployment through: six ids in all, of which one is enough.

    Ids and not names, because looking a name up would be a request in every run:
    ``gh api orgs/ORG/teams/TEAM --jq .id``, ``gh api users/LOGIN --jq .id``.
    """

    teams: NumericIds = ()
    users: NumericIds = ()

    def check(self) -> Iterator[Mistake]:
        """One to six."""
        if not 1 <= len(self.teams) + len(self.users) <= 6:
            yield Mistake((), "must name one to six teams and users in all")

    def ids(self) -> github.RepositoryEnvironmentReviewerArgsDict:
        """As the provider wants them."""
        ids: github.RepositoryEnvironmentReviewerArgsDict = {}
        if self.teams:
            ids["teams"] = self.teams
        if self.users:
            ids["users"] = self.users
        return ids


class EnvironmentSettings(Settings):
    """A deployment environment of a repository. ``branches`` are patterns; without them all protected branches deploy."""

    reviewers: ReviewerSettings | None = None
    wait_minutes: Annotated[int, Field(ge=0, le=43200)] = 0
    branches: tuple[str, ...] = ()
    secrets: dict[ActionsName, SecretSource] = Field(default_factory=dict)
    variables: dict[ActionsName, VariableSource] = Field(default_factory=dict)


class RepositorySettings(Settings):
    """A repository. One that another stack owns (``owned: false``) only gets environments, secrets and variables here."""

    name: RepositoryName
    owned: bool = True
    description: str = ""
    visibility: Literal["private", "internal", "public"] = "private"
    archive_on_destroy: bool = True
    topics: tuple[Annotated[str, matching(r"[a-z0-9][a-z0-9-]{0,49}", "must be lower case, with hyphens")], ...] = ()
    branch_protection: dict[Key, BranchProtectionSettings] = Field(default_factory=dict)
    environments: dict[Key, EnvironmentSettings] = Field(default_factory=dict)
    secrets: dict[ActionsName, SecretSource] = Field(default_factory=dict)
    variables: dict[ActionsName, VariableSource] = Field(default_factory=dict)

    def check(self) -> Iterator[Mistake]:
        """What only the owner may say; one rule a pattern."""
        if not self.owned:
            for field in ("description", "visibility", "topics", "branch_protection"):
                if field in self.model_fields_set:
                    yield Mistake((field,), "belongs in the stack that owns this repository (owned: false)")
        patterns: dict[str, str] = {}
        for key, rule in self.branch_protection.items():
            if rule.pattern in patterns:
                path = ("branch_protection", key, "pattern")
                yield Mistake(
                    path, f'"{rule.pattern}" is protected by branch_protection.{patterns[rule.pattern]} already'
                )
            patterns[rule.pattern] = key


class GitHubSettings(Settings):
    """``sophia-ai:github``. The owner (organisation) comes from GITHUB_OWNER, as GitHub's own tools have it."""

    repositories: dict[Key, RepositorySettings]


class GitHub(pulumi.ComponentResource):
    """A fleet of repositories with branch protection, deployment environments, Actions secrets and variables.

    Repositories are private unless the settings say otherwise. In prod they are protected, and what is taken out of the
    settings there stays on GitHub; elsewhere a destroyed repository is archived, and deleted only where its settings
    say ``archive_on_destroy: false``. (An archived one keeps its name, so it cannot be made again.)

    Outputs, by key of the repository: ``names``, ``full_names`` (``owner/name``) and ``urls``.

    Not managed, on purpose: members and teams (they come from single sign-on), what is in the repositories (workflows are
    code and live there), repository webhooks, and the default branch, which is ``main`` in a repository made here.
    """

    names: Mapping[str, pulumi.Output[str]]
    full_names: Mapping[str, pulumi.Output[str]]
    urls: Mapping[str, pulumi.Output[str]]

    def __init__(
        self,
        name: str,
        settings: GitHubSettings,
        *,
        stage: Stage,
        outputs: Mapping[str, pulumi.Input[str]],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """``outputs``: the values of other components that secrets and variables name with ``output:``.

        Raises SettingsError for an output that nobody hands over, CredentialsError for a secret's missing variable.
        """
        super().__init__("sophia:platform:GitHub", name, None, opts)
        import pulumi_github  # here, because it takes half a second, and only stacks with GitHub should pay for it

        self._sdk = pulumi_github
        self._child = pulumi.ResourceOptions(parent=self)
        self._store = data_store_options(stage, self._child)
        self._outputs = outputs

        owned = {key: self._create_repository(key, r) for key, r in settings.repositories.items() if r.owned}
        for key, repository in settings.repositories.items():
            repository_name = owned[key].name if key in owned else pulumi.Output.from_input(repository.name)
            self._create_actions_values(key, repository, repository_name)
            for environment, values in repository.environments.items():
                self._create_environment(key, environment, values, repository_name)

        self.names = {key: repository.name for key, repository in owned.items()}
        self.full_names = {key: repository.full_name for key, repository in owned.items()}
        self.urls = {key: repository.html_url for key, repository in owned.items()}
        self.register_outputs({"names": self.names, "full_names": self.full_names, "urls": self.urls})

    def _create_repository(self, key: str, settings: RepositorySettings) -> github.Repository:
        repository = self._sdk.Repository(
            key,
            name=settings.name,
            description=settings.description,
            visibility=settings.visibility,
            topics=settings.topics,
            auto_init=True,  # an empty repository has no branch that could be protected
            has_issues=True,
            has_projects=False,
            has_wiki=False,
            allow_merge_commit=False,
            allow_rebase_merge=False,
            allow_squash_merge=True,
            delete_branch_on_merge=True,
            archive_on_destroy=settings.archive_on_destroy,
            opts=self._store,
        )
        self._sdk.RepositoryVulnerabilityAlerts(key, repository=repository.name, enabled=True, opts=self._child)
        for rule, protection in settings.branch_protection.items():
            self._protect_branch(f"{key}.{rule}", protection, repository)
        return repository

    def _protect_branch(self, key: str, settings: BranchProtectionSettings, repository: github.Repository) -> None:
        reviews: github.BranchProtectionRequiredPullRequestReviewArgsDict = {
            "required_approving_review_count": settings.approvals,
            "require_code_owner_reviews": settings.code_owners,
            "dismiss_stale_reviews": True,
        }
        checks: github.BranchProtectionRequiredStatusCheckArgsDict = {
            "contexts": settings.status_checks,
            "strict": settings.up_to_date,
        }
        self._sdk.BranchProtection(
            key,
            repository_id=repository.node_id,  # survives a renaming, which the name as an id does not
            pattern=settings.pattern,
            enforce_admins=True,
            allows_deletions=False,
            allows_force_pushes=False,
            require_conversation_resolution=True,
            require_signed_commits=settings.signed_commits,
            required_linear_history=settings.linear_history,
            required_pull_request_reviews=[reviews],
            required_status_checks=[checks] if settings.status_checks else None,
            opts=self._child,
        )

    def _create_actions_values(self, key: str, settings: RepositorySettings, repository: pulumi.Output[str]) -> None:
        for secret, source in settings.secrets.items():
            setting = render(("github", "repositories", key, "secrets", secret))
            self._sdk.ActionsSecret(
                f"{key}.{secret}",
                repository=repository,
                secret_name=secret,
                value=source.resolve(self._outputs, setting),
                opts=self._child,
            )
        for variable, value in settings.variables.items():
            setting = render(("github", "repositories", key, "variables", variable))
            self._sdk.ActionsVariable(
                f"{key}.{variable}",
                repository=repository,
                variable_name=variable,
                value=value.resolve(self._outputs, setting),
                opts=self._child,
            )

    def _create_environment(
        self, key: str, name: str, settings: EnvironmentSettings, repository: pulumi.Output[str]
    ) -> None:
        reviewers = settings.reviewers.ids() if settings.reviewers else None
        environment = self._sdk.RepositoryEnvironment(
            f"{key}.{name}",
            repository=repository,
            environment=name,
            wait_timer=settings.wait_minutes,
            can_admins_bypass=False,
            prevent_self_review=reviewers is not None,
            reviewers=[reviewers] if reviewers else None,
            deployment_branch_policy={
                "protected_branches": not settings.branches,
                "custom_branch_policies": bool(settings.branches),
            },
            opts=self._child,
        )
        for branch in settings.branches:
            self._sdk.RepositoryEnvironmentDeploymentPolicy(
                f"{key}.{name}.{branch}",
                repository=repository,
                environment=environment.environment,
                branch_pattern=branch,
                opts=self._child,
            )
        path = ("github", "repositories", key, "environments", name)
        for secret, source in settings.secrets.items():
            self._sdk.ActionsEnvironmentSecret(
                f"{key}.{name}.{secret}",
                repository=repository,
                environment=environment.environment,
                secret_name=secret,
                value=source.resolve(self._outputs, render((*path, "secrets", secret))),
                opts=self._child,
            )
        for variable, value in settings.variables.items():
            self._sdk.ActionsEnvironmentVariable(
                f"{key}.{name}.{variable}",
                repository=repository,
                environment=environment.environment,
                variable_name=variable,
                value=value.resolve(self._outputs, render((*path, "variables", variable))),
                opts=self._child,
            )
