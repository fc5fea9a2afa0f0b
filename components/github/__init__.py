"""GitHub: the organisation's rules and teams, its repositories, and what their workflows may use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pulumi

from components.explain import render
from components.github.archetypes import OPEN_SOURCE, Traits, present
from components.github.organization import create_organization
from components.github.settings import EnvironmentSettings, GitHubSettings, RepositorySettings
from components.github.values import WebhookSettings, numeric_id
from components.settings import Stage, data_store_options
from providers.base import dynamic
from providers.passwords import Password

if TYPE_CHECKING:
    import pulumi_github as github

__all__ = ["GitHub", "GitHubSettings"]


class GitHub(pulumi.ComponentResource):
    """A fleet of repositories as archetypes plus deviations, with the teams and the organisation's rules around them.

    Each repository gets what its archetype says: visibility, merge rules, rulesets, security settings, labels, teams'
    permissions, autolinks, webhooks, the subject of its workflows' tokens; then environments with reviewers, secrets and
    variables. Repositories are private unless their archetype says otherwise. In prod repositories and teams are
    protected, and what is taken out of the settings there stays on GitHub; elsewhere a destroyed repository is archived,
    and deleted only where its settings say ``archive_on_destroy: false``. (An archived one keeps its name, so it cannot
    be made again.)

    Outputs, by key: ``names``, ``full_names`` (``owner/name``) and ``urls`` of repositories, ``team_ids`` (numbers), and
    ``webhook_secrets`` (secrets; ``<webhook>`` of the organisation, ``<repository>.<webhook>`` of a repository).

    Not managed, on purpose: who belongs to the organisation (single sign-on), what is in the repositories (workflows and
    CODEOWNERS are code and live there), the default branch (``main`` in a repository made here), the GitHub Apps and what
    they may see (only a person installs one), billing and plan. Two-factor authentication and the members' base
    permission are asserted by `sophia health`.
    """

    names: Mapping[str, pulumi.Output[str]]
    full_names: Mapping[str, pulumi.Output[str]]
    urls: Mapping[str, pulumi.Output[str]]
    team_ids: Mapping[str, pulumi.Output[int]]
    webhook_secrets: Mapping[str, pulumi.Output[str]]

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
        self._settings = settings
        self._child = pulumi.ResourceOptions(parent=self)
        self._store = data_store_options(stage, self._child)
        self._outputs = outputs

        teams = self._create_teams()
        self.team_ids = {key: team.id.apply(numeric_id) for key, team in teams.items()}
        secrets: dict[str, pulumi.Output[str]] = {}
        if settings.organization is not None:
            hooks = {key: self._mint(key, hook) for key, hook in settings.organization.webhooks.items()}
            create_organization(settings.organization, self.team_ids, hooks, outputs, self._child, self._store)
            secrets |= hooks
        owned: dict[str, github.Repository] = {}
        for key, entry in settings.repositories.items():
            if entry.owned:
                traits = settings.traits_of(entry)
                owned[key] = self._create_repository(key, entry, traits)
                if not traits.archived:
                    secrets |= self._create_surroundings(key, traits, owned[key], teams)
            repository_name = owned[key].name if key in owned else pulumi.Output.from_input(entry.name)
            self._create_actions_values(key, entry, repository_name)
            for environment, values in entry.environments.items():
                self._create_environment(key, environment, values, repository_name)

        self.names = {key: repository.name for key, repository in owned.items()}
        self.full_names = {key: repository.full_name for key, repository in owned.items()}
        self.urls = {key: repository.html_url for key, repository in owned.items()}
        self.webhook_secrets = secrets
        self.register_outputs(
            {
                "names": self.names,
                "full_names": self.full_names,
                "urls": self.urls,
                "team_ids": self.team_ids,
                "webhook_secrets": self.webhook_secrets,
            }
        )

    def _mint(self, name: str, webhook: WebhookSettings) -> pulumi.Output[str]:
        return Password(f"webhook.{name}", generation=webhook.generation, opts=dynamic(self._child)).password

    def _create_teams(self) -> dict[str, github.Team]:
        teams: dict[str, github.Team] = {}
        waiting = dict(self._settings.teams)
        while waiting:  # the settings have made sure that the parents are no circle
            for key, team in list(waiting.items()):
                if team.parent is not None and team.parent in waiting:
                    continue
                teams[key] = self._sdk.Team(
                    key,
                    name=team.name,
                    description=team.description,
                    privacy="closed",  # seen by the members of the organisation, which a team with a parent must be
                    parent_team_id=teams[team.parent].id if team.parent else None,
                    opts=self._store,
                )
                if team.members:
                    self._sdk.TeamMembers(
                        key,
                        team_slug=teams[key].slug,
                        members=[{"username": login, "role": role} for login, role in team.members.items()],
                        opts=self._child,
                    )
                del waiting[key]
        return teams

    def _create_repository(self, key: str, settings: RepositorySettings, traits: Traits) -> github.Repository:
        topics = traits.topics
        if self._settings.archetype_of(settings).visibility == traits.visibility == "public":
            topics = (*topics, OPEN_SOURCE)
        scanned = {
            "secret_scanning": traits.security.secret_scanning,
            "secret_scanning_push_protection": traits.security.push_protection,
            "code_security": traits.security.code_security,
        }
        analysis: Any = {
            name: {"status": "enabled" if on else "disabled"} for name, on in scanned.items() if on is not None
        }
        return self._sdk.Repository(
            key,
            name=settings.name,
            description=settings.description,
            homepage_url=settings.homepage or None,
            visibility=traits.visibility,
            archived=traits.archived,
            topics=topics,
            auto_init=True,  # an empty repository has no branch that could be protected
            has_issues=traits.issues,
            has_projects=False,
            has_wiki=False,
            allow_merge_commit="merge" in traits.merge_methods,
            allow_rebase_merge="rebase" in traits.merge_methods,
            allow_squash_merge="squash" in traits.merge_methods,
            allow_auto_merge=traits.auto_merge,
            delete_branch_on_merge=True,
            web_commit_signoff_required=traits.signed_off,
            security_and_analysis=analysis or None,
            archive_on_destroy=settings.archive_on_destroy,
            opts=self._store,
        )

    def _create_surroundings(
        self, key: str, traits: Traits, repository: github.Repository, teams: Mapping[str, github.Team]
    ) -> dict[str, pulumi.Output[str]]:
        """All that a repository's archetype asks for beside the repository itself; the secrets of its webhooks."""
        sdk, name = self._sdk, repository.name
        alerts = sdk.RepositoryVulnerabilityAlerts(
            key, repository=name, enabled=traits.security.alerts, opts=self._child
        )
        sdk.RepositoryDependabotSecurityUpdates(
            key,
            repository=name,
            enabled=traits.security.updates,
            opts=pulumi.ResourceOptions.merge(self._child, pulumi.ResourceOptions(depends_on=[alerts])),
        )
        for team, permission in present(traits.teams).items():
            sdk.TeamRepository(
                f"{key}.{team}", team_id=teams[team].id, repository=name, permission=permission, opts=self._child
            )
        for rule, ruleset in present(traits.rulesets).items():
            rules: Any = ruleset.rules()
            conditions: Any = ruleset.ref_condition()
            actors: Any = [actor.actor(self.team_ids) for actor in ruleset.bypass]
            sdk.RepositoryRuleset(
                f"{key}.{rule}",
                repository=name,
                name=rule,
                target=ruleset.target,
                enforcement=ruleset.enforcement,
                conditions=conditions or None,
                rules=rules,
                bypass_actors=actors or None,
                opts=self._child,
            )
        if labels := present(traits.labels):
            sdk.IssueLabels(
                key,
                repository=name,
                labels=[{"name": label, **one.model_dump()} for label, one in labels.items()],
                opts=self._child,
            )
        for prefix, address in present(traits.autolinks).items():
            sdk.RepositoryAutolinkReference(
                f"{key}.{prefix}",
                repository=name,
                key_prefix=prefix,
                target_url_template=address,
                # a link cannot be changed, and a prefix has one
                opts=pulumi.ResourceOptions.merge(self._child, pulumi.ResourceOptions(delete_before_replace=True)),
            )
        if traits.oidc_subject:
            sdk.ActionsRepositoryOidcSubjectClaimCustomizationTemplate(
                key, repository=name, use_default=False, include_claim_keys=traits.oidc_subject, opts=self._child
            )
        if traits.actions:
            sdk.ActionsRepositoryPermissions(
                key,
                repository=name,
                allowed_actions=traits.actions.allowed,
                allowed_actions_config=traits.actions.selection(),
                sha_pinning_required=traits.actions.pinned,
                opts=self._child,
            )
        return {
            f"{key}.{hook}": self._create_webhook(key, hook, webhook, name)
            for hook, webhook in present(traits.webhooks).items()
        }

    def _create_webhook(
        self, key: str, hook: str, settings: WebhookSettings, repository: pulumi.Output[str]
    ) -> pulumi.Output[str]:
        secret = self._mint(f"{key}.{hook}", settings)
        self._sdk.RepositoryWebhook(
            f"{key}.{hook}",
            repository=repository,
            events=settings.events,
            active=settings.active,
            configuration={"url": settings.url, "content_type": "json", "insecure_ssl": False, "secret": secret},
            opts=self._child,
        )
        return secret

    def _create_actions_values(self, key: str, settings: RepositorySettings, repository: pulumi.Output[str]) -> None:
        path = ("github", "repositories", key)
        for secret, source in settings.secrets.items():
            self._sdk.ActionsSecret(
                f"{key}.{secret}",
                repository=repository,
                secret_name=secret,
                value=source.resolve(self._outputs, render((*path, "secrets", secret))),
                opts=self._child,
            )
        for secret, source in settings.dependabot_secrets.items():
            self._sdk.DependabotSecret(
                f"{key}.{secret}",
                repository=repository,
                secret_name=secret,
                value=source.resolve(self._outputs, render((*path, "dependabot_secrets", secret))),
                opts=self._child,
            )
        for variable, value in settings.variables.items():
            self._sdk.ActionsVariable(
                f"{key}.{variable}",
                repository=repository,
                variable_name=variable,
                value=value.resolve(self._outputs, render((*path, "variables", variable))),
                opts=self._child,
            )

    def _create_environment(
        self, key: str, name: str, settings: EnvironmentSettings, repository: pulumi.Output[str]
    ) -> None:
        reviewers: Any = None
        if settings.reviewers:
            teams = [team if isinstance(team, int) else self.team_ids[team] for team in settings.reviewers.teams]
            named = {"teams": teams, "users": settings.reviewers.users}
            reviewers = [{kind: ids for kind, ids in named.items() if ids}]
        environment = self._sdk.RepositoryEnvironment(
            f"{key}.{name}",
            repository=repository,
            environment=name,
            wait_timer=settings.wait_minutes,
            can_admins_bypass=False,
            prevent_self_review=reviewers is not None,
            reviewers=reviewers,
            deployment_branch_policy=None
            if settings.any_ref
            else {"protected_branches": False, "custom_branch_policies": True},
            opts=self._child,
        )
        patterns = [] if settings.any_ref else [("branch_pattern", branch) for branch in settings.branches]
        patterns += [("tag_pattern", tag) for tag in settings.tags]
        for kind, pattern in patterns:
            self._sdk.RepositoryEnvironmentDeploymentPolicy(
                f"{key}.{name}.{pattern}" if kind == "branch_pattern" else f"{key}.{name}.tag:{pattern}",
                repository=repository,
                environment=environment.environment,
                **{kind: pattern},
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
