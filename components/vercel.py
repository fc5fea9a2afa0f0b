"""Vercel: the web projects, what they are built from, and what they know at run time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Literal

import pulumi
from pydantic import Field

from components.explain import Mistake, render
from components.settings import (
    EnvironmentVariable,
    Key,
    Settings,
    Stage,
    data_store_options,
    matching,
    output_named,
    secret_from_environment,
)

if TYPE_CHECKING:
    import pulumiverse_vercel as vercel

Target = Literal["production", "preview", "development"]
Framework = Literal[
    "astro", "express", "fastapi", "gatsby", "hono", "nextjs", "nuxtjs", "remix", "sveltekit", "vite"
]  # fmt: skip
VariableName = Annotated[
    str,
    matching(
        r"(?!VERCEL_)[A-Za-z][A-Za-z0-9_]*", "must be letters, digits and underscores, and not start with VERCEL_"
    ),
]
DomainName = Annotated[
    str,
    matching(r"([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}", "must be a domain name in lower case, without https://"),
]


class GitRepositorySettings(Settings):
    """What Vercel builds at every push. Its GitHub app must be installed for the repository (once, by hand)."""

    repository: Annotated[str, matching(r"[\w.-]+/[\w.-]+", "must be owner/name")]
    production_branch: str = "main"


class VariableSettings(Settings):
    """One environment variable of the project: a plain ``value``, a secret ``environment`` variable, or an ``output``.

    Secrets and outputs are sensitive unless ``sensitive: false`` says that everybody in the team may read them again.
    """

    value: str | None = None
    environment: EnvironmentVariable | None = None
    output: str | None = None
    sensitive: bool | None = None
    targets: Annotated[tuple[Target, ...], Field(min_length=1)] = ("production", "preview")
    comment: str = ""

    def check(self) -> Iterator[Mistake]:
        """One source; what ESC keeps secret stays so; no target twice."""
        if sum(source is not None for source in (self.value, self.environment, self.output)) != 1:
            yield Mistake((), "must give one of `value`, `environment` (a variable that ESC sets) and `output`")
        if self.environment is not None and self.sensitive is False:
            yield Mistake(("sensitive",), "cannot be false for a secret from the environment")
        if len(set(self.targets)) != len(self.targets):
            yield Mistake(("targets",), "names a target twice")

    @property
    def is_sensitive(self) -> bool:
        """Whether nobody can read the value back from Vercel."""
        return self.value is None if self.sensitive is None else self.sensitive


class DomainSettings(Settings):
    """A domain of the project. With ``redirect`` it only leads to that other domain; ``branch`` is for preview domains."""

    name: DomainName
    redirect: DomainName | None = None
    branch: str | None = None


class ProjectSettings(Settings):
    """A web project. ``region`` is where its functions run (``iad1``…), which should be near the data."""

    name: Annotated[str, matching(r"[a-z0-9][a-z0-9._-]{0,99}", "must be lower-case letters, digits, dots and hyphens")]
    framework: Framework | None = None
    node_version: Literal["20.x", "22.x", "24.x"] = "22.x"
    git: GitRepositorySettings | None = None
    root_directory: str | None = None
    build_command: str | None = None
    region: Annotated[str, matching(r"[a-z]{3}\d", "must be a region of Vercel, such as iad1")] | None = None
    variables: dict[VariableName, VariableSettings] = Field(default_factory=dict)
    domains: tuple[DomainSettings, ...] = ()

    def check(self) -> Iterator[Mistake]:
        """Domains are named once, and redirect to one of the project's own."""
        names = [domain.name for domain in self.domains]
        for index, domain in enumerate(self.domains):
            if domain.name in names[:index]:
                yield Mistake(("domains", index, "name"), f'"{domain.name}" stands there twice')
            if domain.redirect and (domain.redirect == domain.name or domain.redirect not in names):
                yield Mistake(("domains", index, "redirect"), f'"{domain.redirect}" is no other domain of this project')


class VercelSettings(Settings):
    """``sophia-ai:vercel``. Token and team come from VERCEL_API_TOKEN and VERCEL_TEAM, as the provider has them."""

    projects: dict[Key, ProjectSettings]


class Vercel(pulumi.ComponentResource):
    """Web projects with their environment variables and domains.

    Preview deployments are for people who are logged in to the team, and pull requests from forks wait for a member,
    since both would see the project's environment variables. In prod projects are protected: deleting one deletes its
    deployments.

    Outputs, by key of the project: ``project_ids`` and ``urls`` (the first domain that is no redirect, else the project's
    address at vercel.app).

    Not managed, on purpose: deployments (a push makes them), DNS records (the registrar's), team members, and webhooks
    and tokens, whose secrets are shown once and belong to what receives them.
    """

    project_ids: Mapping[str, pulumi.Output[str]]
    urls: Mapping[str, pulumi.Output[str]]

    def __init__(
        self,
        name: str,
        settings: VercelSettings,
        *,
        stage: Stage,
        outputs: Mapping[str, pulumi.Input[str]],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """``outputs``: the values of other components that variables name with ``output:``.

        Raises SettingsError for an output that nobody hands over, CredentialsError for a secret's missing variable.
        """
        super().__init__("sophia:platform:Vercel", name, None, opts)
        import pulumiverse_vercel  # here, because it takes half a second, and only stacks with Vercel should pay for it

        self._sdk = pulumiverse_vercel
        self._child = pulumi.ResourceOptions(parent=self)
        self._store = data_store_options(stage, self._child)

        projects = {key: self._create_project(key, project) for key, project in settings.projects.items()}
        for key, project in settings.projects.items():
            for variable, source in project.variables.items():
                self._create_variable(
                    f"{key}.{variable}", variable, source, projects[key], _value(key, variable, source, outputs)
                )
            for domain in project.domains:
                self._create_domain(key, domain, projects[key])

        self.project_ids = {key: project.id for key, project in projects.items()}
        self.urls = {key: _url(settings.projects[key], project.name) for key, project in projects.items()}
        self.register_outputs({"project_ids": self.project_ids, "urls": self.urls})

    def _create_project(self, key: str, settings: ProjectSettings) -> vercel.Project:
        repository: vercel.ProjectGitRepositoryArgsDict | None = None
        if settings.git:
            repository = {
                "type": "github",
                "repo": settings.git.repository,
                "production_branch": settings.git.production_branch,
            }
        return self._sdk.Project(
            key,
            name=settings.name,
            framework=settings.framework,
            node_version=settings.node_version,
            git_repository=repository,
            root_directory=settings.root_directory,
            build_command=settings.build_command,
            serverless_function_region=settings.region,
            git_fork_protection=True,
            vercel_authentication={"deployment_type": "standard_protection_new"},
            opts=self._store,
        )

    def _create_variable(
        self, key: str, variable: str, settings: VariableSettings, project: vercel.Project, value: pulumi.Input[str]
    ) -> None:
        self._sdk.ProjectEnvironmentVariable(
            key,
            project_id=project.id,
            key=variable,
            value=value,
            targets=settings.targets,
            sensitive=settings.is_sensitive,
            comment=settings.comment or None,
            # Vercel refuses a second variable of the same name, and a change of `sensitive` makes a new one.
            opts=pulumi.ResourceOptions.merge(self._child, pulumi.ResourceOptions(delete_before_replace=True)),
        )

    def _create_domain(self, key: str, settings: DomainSettings, project: vercel.Project) -> None:
        self._sdk.ProjectDomain(
            f"{key}.{settings.name}",
            project_id=project.id,
            domain=settings.name,
            redirect=settings.redirect,
            redirect_status_code=308 if settings.redirect else None,
            git_branch=settings.branch,
            opts=self._child,
        )


def _value(
    project: str, variable: str, settings: VariableSettings, outputs: Mapping[str, pulumi.Input[str]]
) -> pulumi.Input[str]:
    setting = render(("vercel", "projects", project, "variables", variable))
    if settings.environment is not None:
        return secret_from_environment(settings.environment, f"{setting}.environment")
    value = settings.value
    found = value if value is not None else output_named(str(settings.output), outputs, f"{setting}.output")
    return pulumi.Output.secret(found) if settings.is_sensitive else found


def _url(settings: ProjectSettings, name: pulumi.Output[str]) -> pulumi.Output[str]:
    own = [domain.name for domain in settings.domains if domain.redirect is None and domain.branch is None]
    return (
        pulumi.Output.from_input(f"https://{own[0]}") if own else pulumi.Output.concat("https://", name, ".vercel.app")
    )
