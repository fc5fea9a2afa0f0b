"""Vercel: the web projects, what they are built from, what they know at run time, who reaches them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

import pulumi

from components.explain import Path, render
from components.settings import (
    CredentialsError,
    Stage,
    data_store_options,
    output_named,
    secret_from_environment,
    where,
)
from components.vercel.project import arguments
from components.vercel.settings import DomainSettings, ProjectSettings, VariableSettings, VercelSettings
from providers import vercel as api
from providers.base import dynamic
from providers.base.errors import PlatformError
from providers.passwords import Password

if TYPE_CHECKING:
    import pulumiverse_vercel as vercel

__all__ = ["Vercel", "VercelSettings"]

_BYPASS_CHARACTERS = 32
"""As many letters and digits as Vercel wants in a bypass: 128 random bits."""


class Vercel(pulumi.ComponentResource):
    """Web projects with environments, variables, domains, protection and firewall; the team's tokens, webhooks and drains.

    Preview deployments are for people who are logged in to the team, and pull requests from forks wait for a member,
    since both would see the project's environment variables. In prod projects are protected: deleting one deletes its
    deployments. Everything is the team's, VERCEL_TEAM: the official provider by itself would take the personal account
    of the token's owner.

    Outputs, by key: ``project_ids``, ``urls`` (the first domain that only shows production, else the address at
    vercel.app), ``environment_ids`` (``project.environment``); as secrets ``tokens``, ``webhook_secrets``,
    ``drain_secrets``, ``bypasses`` (``project.bypass``).

    Not managed, on purpose: deployments (a push makes them), DNS records (the registrar's), members of the team (the
    identity provider's; ``sophia health`` tells of owners whom the settings do not name), integrations and their stores
    (the marketplace bills them), edge configs (feature switches are the application's), spend management (in
    Vercel's pages only; the event ``budget.reached`` tells).
    """

    project_ids: Mapping[str, pulumi.Output[str]]
    urls: Mapping[str, pulumi.Output[str]]
    environment_ids: Mapping[str, pulumi.Output[str]]
    tokens: Mapping[str, pulumi.Output[str]]
    webhook_secrets: Mapping[str, pulumi.Output[str]]
    drain_secrets: Mapping[str, pulumi.Output[str]]
    bypasses: Mapping[str, pulumi.Output[str]]

    def __init__(
        self,
        name: str,
        settings: VercelSettings,
        *,
        stage: Stage,
        outputs: Mapping[str, pulumi.Input[str]],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """``outputs``: the values of other components that settings name with ``output:``.

        Raises SettingsError for an output that nobody hands over, CredentialsError for a secret's missing variable, and
        for a VERCEL_TEAM that is no team's id.
        """
        super().__init__("sophia:platform:Vercel", name, None, opts)
        import pulumiverse_vercel  # here, because it takes half a second, and only stacks with Vercel should pay for it

        self._sdk = pulumiverse_vercel
        self._team = _team()
        self._given = outputs
        self._child = pulumi.ResourceOptions(parent=self)
        self._store = data_store_options(stage, self._child)

        projects = {key: self._create_project(key, project) for key, project in settings.projects.items()}
        self.project_ids = {key: project.id for key, project in projects.items()}
        self.urls = {key: _url(settings.projects[key], project.name) for key, project in projects.items()}
        self.environment_ids = self._create_environments(settings)
        self._create_shared_variables(settings)
        for key, project in settings.projects.items():
            self._create_variables(key, project)
            self._create_domains(key, project)
            self._create_limits(key, project)
        self._create_own(settings)
        self.register_outputs({"project_ids": self.project_ids, "urls": self.urls})

    def _create_project(self, key: str, settings: ProjectSettings) -> vercel.Project:
        password = None
        if settings.protection.password is not None:
            place = f"vercel.projects.{key}.protection.password"
            password = settings.protection.password.resolve(self._given, place)
        return self._sdk.Project(
            key, name=settings.name, team_id=self._team, opts=self._store, **arguments(settings, password)
        )

    def _create_environments(self, settings: VercelSettings) -> dict[str, pulumi.Output[str]]:
        made: dict[str, pulumi.Output[str]] = {}
        for key, project in settings.projects.items():
            for name, environment in project.environments.items():
                tracked: vercel.CustomEnvironmentBranchTrackingArgsDict | None = None
                if environment.branches:
                    tracked = {"type": environment.match, "pattern": environment.branches}
                made[f"{key}.{name}"] = self._sdk.CustomEnvironment(
                    f"{key}.{name}",
                    project_id=self.project_ids[key],
                    name=environment.name,
                    description=environment.description,
                    branch_tracking=tracked,
                    team_id=self._team,
                    opts=self._child,
                ).id
        return made

    def _create_shared_variables(self, settings: VercelSettings) -> None:
        for variable, source in settings.shared_variables.items():
            self._sdk.SharedEnvironmentVariable(
                variable,
                key=variable,
                value=self._value(("vercel", "shared_variables", variable), source),
                targets=source.targets,
                sensitive=source.is_sensitive,
                comment=source.comment or None,
                project_ids=[self.project_ids[project] for project in source.projects],
                team_id=self._team,
                opts=self._alone,
            )

    def _create_variables(self, key: str, settings: ProjectSettings) -> None:
        for variable, source in settings.variables.items():
            environments = [self.environment_ids[f"{key}.{name}"] for name in source.environments]
            self._sdk.ProjectEnvironmentVariable(
                f"{key}.{variable}",
                project_id=self.project_ids[key],
                key=variable,
                value=self._value(("vercel", "projects", key, "variables", variable), source),
                targets=source.targets or None,
                custom_environment_ids=environments or None,
                git_branch=source.branch,
                sensitive=source.is_sensitive,
                comment=source.comment or None,
                team_id=self._team,
                opts=self._alone,
            )

    @property
    def _alone(self) -> pulumi.ResourceOptions:
        """Vercel refuses a second variable of the same name, and a change of ``sensitive`` makes a new one."""
        return pulumi.ResourceOptions.merge(self._child, pulumi.ResourceOptions(delete_before_replace=True))

    def _create_domains(self, key: str, settings: ProjectSettings) -> None:
        """Those that lead to another one come after it: Vercel redirects to what the project has."""
        made: dict[str, pulumi.Resource] = {}
        for domain in sorted(settings.domains, key=lambda one: one.redirect is not None):
            after = [made[domain.redirect]] if domain.redirect else []
            opts = pulumi.ResourceOptions.merge(self._child, pulumi.ResourceOptions(depends_on=after))
            made[domain.name] = self._create_domain(key, domain, opts)

    def _create_domain(self, key: str, settings: DomainSettings, opts: pulumi.ResourceOptions) -> pulumi.Resource:
        name = settings.custom_environment
        environment = self.environment_ids[f"{key}.{name}"] if name else None
        return self._sdk.ProjectDomain(
            f"{key}.{settings.name}",
            project_id=self.project_ids[key],
            domain=settings.name,
            redirect=settings.redirect,
            redirect_status_code=settings.status if settings.redirect else None,
            git_branch=settings.branch,
            custom_environment_id=environment,
            team_id=self._team,
            opts=opts,
        )

    def _create_limits(self, key: str, settings: ProjectSettings) -> None:
        """Who is kept out, and what is thrown away."""
        project = self.project_ids[key]
        if settings.firewall is not None:
            self._sdk.FirewallConfig(
                key,
                project_id=project,
                rules=settings.firewall.rules_of_package(),
                ip_rules=settings.firewall.blocks_of_package(),
                managed_rulesets=settings.firewall.managed_of_package(),
                team_id=self._team,
                opts=self._child,
            )
        if settings.attack_challenge_until is not None:
            until = datetime.fromisoformat(settings.attack_challenge_until)
            self._sdk.AttackChallengeMode(
                key,
                project_id=project,
                enabled=True,
                attack_mode_active_until=int(until.timestamp() * 1000),
                team_id=self._team,
                opts=self._child,
            )
        if settings.retention is not None:
            self._sdk.ProjectDeploymentRetention(
                key,
                project_id=project,
                expiration_preview=settings.retention.preview,
                expiration_production=settings.retention.production,
                expiration_canceled=settings.retention.canceled,
                expiration_errored=settings.retention.errored,
                team_id=self._team,
                opts=self._child,
            )

    def _create_own(self, settings: VercelSettings) -> None:
        """What our own provider manages."""
        bypasses = {
            (key, name): bypass.generation
            for key, project in settings.projects.items()
            for name, bypass in project.protection.bypasses.items()
        }
        self.tokens, self.webhook_secrets, self.drain_secrets, self.bypasses = {}, {}, {}, {}
        if not (settings.tokens or settings.webhooks or settings.drains or bypasses):
            return
        opts = dynamic(self._child)
        self.tokens = {
            key: api.Token(key, opts, name=token.name, lifetime_days=token.days, generation=token.generation).token
            for key, token in settings.tokens.items()
        }
        self.webhook_secrets = {
            key: api.Webhook(
                key,
                opts,
                url=webhook.url,
                events=list(webhook.events),
                project_ids=[self.project_ids[project] for project in webhook.projects],
                generation=webhook.generation,
            ).secret
            for key, webhook in settings.webhooks.items()
        }
        self.bypasses = {
            f"{key}.{name}": self._create_bypass(key, name, generation, opts)
            for (key, name), generation in bypasses.items()
        }
        self.drain_secrets = {key: self._create_drain(key, settings, opts) for key in settings.drains}

    def _create_bypass(self, key: str, name: str, generation: int, opts: pulumi.ResourceOptions) -> pulumi.Output[str]:
        password = Password(f"{key}.{name}", generation=generation, opts=dynamic(self._child)).password
        secret = password.apply(lambda text: str(text)[:_BYPASS_CHARACTERS])
        api.ProtectionBypass(
            f"{key}.{name}",
            opts,
            project_id=self.project_ids[key],
            name=name if generation == 1 else f"{name}-{generation}",
            secret=secret,
        )
        return secret

    def _create_drain(self, key: str, settings: VercelSettings, opts: pulumi.ResourceOptions) -> pulumi.Output[str]:
        drain = settings.drains[key]
        secret = Password(f"drain.{key}", generation=drain.generation, opts=dynamic(self._child)).password
        headers = {
            name: source.resolve(self._given, f"vercel.drains.{key}.headers.{name}")
            for name, source in drain.headers.items()
        }
        api.Drain(
            key,
            opts,
            adopt=drain.adopt,
            name=drain.name,
            data=drain.data,
            endpoint=drain.endpoint,
            encoding=drain.encoding,
            compression=drain.compression,
            headers=headers or None,
            secret=secret,
            sources=list(drain.sources) or None,
            environments=list(drain.environments) or None,
            project_ids=[self.project_ids[project] for project in drain.projects] or None,
            sampling_rate=drain.sampling,
            status="enabled" if drain.enabled else "disabled",
        )
        return secret

    def _value(self, place: Path, settings: VariableSettings) -> pulumi.Input[str]:
        setting = render(place)
        if settings.environment is not None:
            return secret_from_environment(settings.environment, f"{setting}.environment")
        value = settings.value
        found = value if value is not None else output_named(str(settings.output), self._given, f"{setting}.output")
        return pulumi.Output.secret(found) if settings.is_sensitive else found


def _team() -> str:
    try:
        return api.team_id()
    except PlatformError as error:
        raise CredentialsError([f"{where('vercel')}: {error.said}"]) from error


def _url(settings: ProjectSettings, name: pulumi.Output[str]) -> pulumi.Output[str]:
    own = [
        domain.name
        for domain in settings.domains
        if not (domain.redirect or domain.branch or domain.custom_environment)
    ]
    return (
        pulumi.Output.from_input(f"https://{own[0]}") if own else pulumi.Output.concat("https://", name, ".vercel.app")
    )
