"""What the stack file says about Vercel (``sophia-ai:vercel``)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from components.explain import Mistake
from components.settings import (
    Adoptable,
    EnvironmentVariable,
    Key,
    SecretSource,
    Settings,
    matching,
    same_object,
    unknown_name,
    unknown_names,
)
from components.vercel.firewall import FirewallSettings
from providers.base import Instant
from providers.vercel_inputs import LONGEST_DAYS, Event, LogSource

Target = Literal["production", "preview", "development"]
Protection = Literal["standard_protection_new", "all_deployments", "only_preview_deployments", "none"]
Framework = Literal[
    "angular", "astro", "docusaurus-2", "eleventy", "express", "fastapi", "flask", "gatsby", "hono", "nestjs", "nextjs",
    "nuxtjs", "react-router", "remix", "storybook", "sveltekit-1", "vite", "vitepress", "vue",
]  # fmt: skip
Region = Literal[
    "arn1", "bom1", "cdg1", "cle1", "cpt1", "dub1", "dxb1", "fra1", "gru1", "hkg1", "hnd1", "iad1", "icn1", "kix1",
    "lhr1", "pdx1", "sfo1", "sin1", "syd1", "yul1",
]  # fmt: skip
Expiration = Literal["1d", "1w", "1m", "2m", "3m", "6m", "1y", "unlimited"]
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
Address = Annotated[str, matching(r"https://[^/\s]+(/\S*)?", "must be an address that begins with https://")]


class GitRepositorySettings(Settings):
    """What Vercel builds at every push. Its GitHub app must be installed for the repository (once, by hand).

    ``verified_commits``: only commits with a signature that GitHub has verified are built.
    """

    repository: Annotated[str, matching(r"[\w.-]+/[\w.-]+", "must be owner/name")]
    production_branch: str = "main"
    verified_commits: bool | None = None


class VariableSettings(Settings):
    """One environment variable: a plain ``value``, a secret ``environment`` variable, or an ``output``.

    Secrets and outputs are sensitive unless ``sensitive: false`` says that everybody in the team may read them again.
    ``branch`` is a preview branch; ``environments`` are keys of the project's custom environments.
    """

    value: str | None = None
    environment: EnvironmentVariable | None = None
    output: str | None = None
    sensitive: bool | None = None
    targets: tuple[Target, ...] = ("production", "preview")
    environments: tuple[str, ...] = ()
    branch: str | None = None
    comment: Annotated[str, Field(max_length=500)] = ""

    def check(self) -> Iterator[Mistake]:
        """One source; what ESC keeps secret stays so; what is sensitive is not on laptops; no target twice."""
        if sum(source is not None for source in (self.value, self.environment, self.output)) != 1:
            yield Mistake((), "must give one of `value`, `environment` (a variable that ESC sets) and `output`")
        if self.environment is not None and self.sensitive is False:
            yield Mistake(("sensitive",), "cannot be false for a secret from the environment")
        if len(set(self.targets)) != len(self.targets):
            yield Mistake(("targets",), "names a target twice")
        if not (self.targets or self.environments):
            yield Mistake(("targets",), "must name a target, where no custom environment is named")
        if self.is_sensitive and "development" in self.targets:
            yield Mistake(
                ("targets",), "cannot have development: what is sensitive is on no laptop, and Vercel refuses it"
            )
        if self.branch is not None and (self.targets != ("preview",) or self.environments):
            yield Mistake(("branch",), "is for `targets: [preview]` alone")

    @property
    def is_sensitive(self) -> bool:
        """Whether nobody can read the value back from Vercel."""
        return self.value is None if self.sensitive is None else self.sensitive


class SharedVariableSettings(VariableSettings):
    """A variable of several ``projects``, by key; without any it is there to be linked by hand."""

    projects: tuple[str, ...] = ()

    def check(self) -> Iterator[Mistake]:
        """A shared variable has neither branch nor environments of one project."""
        yield from super().check()
        for member in ("branch", "environments"):
            if getattr(self, member):
                yield Mistake((member,), "is a project's own: say it with that project's variables")


class DomainSettings(Settings):
    """A domain of the project. With ``redirect`` it only leads to that other domain; ``branch`` is for a preview branch,
    ``custom_environment`` for one of the project's, by key.
    """

    name: DomainName
    redirect: DomainName | None = None
    status: Literal[301, 302, 307, 308] = 308
    branch: str | None = None
    custom_environment: str | None = None

    def check(self) -> Iterator[Mistake]:
        """A domain shows one thing."""
        if sum(bool(shown) for shown in (self.redirect, self.branch, self.custom_environment)) > 1:
            yield Mistake((), "must give at most one of `redirect`, `branch` and `custom_environment`")


class CustomEnvironmentSettings(Settings):
    """An environment beside production, preview and development, with its own variables and domains: one on the plan Pro,
    twelve on Enterprise. ``branches`` are those that are deployed to it.
    """

    name: Annotated[
        str,
        matching(
            r"(?!(production|preview|development)$)[a-z0-9-]{1,32}",
            "must be up to 32 lower-case letters, digits and hyphens, and none of Vercel's own environments",
        ),
    ]
    description: str = ""
    match: Literal["equals", "startsWith", "endsWith"] = "equals"
    branches: Annotated[str | None, Field(min_length=1, max_length=100)] = None


class FunctionsSettings(Settings):
    """The project's functions: ``regions`` should be near the data; ``timeout_seconds`` is the longest that a call takes."""

    regions: Annotated[tuple[Region, ...], Field(min_length=1)] = ("iad1",)
    cpu: Literal["standard", "performance"] | None = None
    timeout_seconds: Annotated[int | None, Field(ge=1, le=900)] = None


class PasswordSettings(SecretSource):
    """A password for those who are not in the team (Enterprise, or the add-on Advanced Deployment Protection)."""

    deployments: Literal["standard_protection_new", "all_deployments", "only_preview_deployments"] = "all_deployments"


class TrustedSettings(Settings):
    """The only networks that reach the deployments (Enterprise): address or CIDR range to a note."""

    addresses: Annotated[dict[str, str], Field(min_length=1)]
    deployments: Literal[
        "standard_protection_new", "all_deployments", "only_production_deployments", "only_preview_deployments"
    ] = "all_deployments"


class BypassSettings(Settings):
    """A secret with which a program reaches protected deployments. A higher ``generation`` makes another one, and then takes
    this one away.
    """

    generation: Annotated[int, Field(ge=1)] = 1


class ProtectionSettings(Settings):
    """Who may see deployments: by default people who are logged in to the team, except on the production domains."""

    authentication: Protection = "standard_protection_new"
    password: PasswordSettings | None = None
    trusted_ips: TrustedSettings | None = None
    bypasses: dict[Key, BypassSettings] = Field(default_factory=dict)


class RetentionSettings(Settings):
    """How long deployments can still be reached. The newest of production always can."""

    preview: Expiration = "3m"
    production: Expiration = "1y"
    canceled: Expiration = "1m"
    errored: Expiration = "3m"


class ProjectSettings(Settings):
    """A web project: what it is built from and how, where its functions run, who sees it.

    ``ignore_command`` says by 0 that a push needs no build.
    """

    name: Annotated[str, matching(r"[a-z0-9-]{1,52}", "must be up to 52 lower-case letters, digits and hyphens")]
    framework: Framework | None = None
    node_version: Literal["20.x", "22.x", "24.x"] = "22.x"
    git: GitRepositorySettings | None = None
    root_directory: str | None = None
    install_command: str | None = None
    build_command: str | None = None
    output_directory: str | None = None
    ignore_command: str | None = None
    build_machine: Literal["standard", "enhanced", "turbo", "elastic"] | None = None
    functions: FunctionsSettings | None = None
    protection: ProtectionSettings = Field(default_factory=ProtectionSettings)
    retention: RetentionSettings | None = None
    skew_protection: Literal["30 minutes", "4 hours", "12 hours", "1 day", "7 days"] | None = None
    environments: dict[Key, CustomEnvironmentSettings] = Field(default_factory=dict)
    variables: dict[VariableName, VariableSettings] = Field(default_factory=dict)
    domains: tuple[DomainSettings, ...] = ()
    firewall: FirewallSettings | None = None
    attack_challenge_until: Instant | None = None

    def check(self) -> Iterator[Mistake]:
        """Domains are named once, and redirect to one of the project's own; environments are those that are declared."""
        yield from same_object(("environments",), self.environments, "name")
        names = [domain.name for domain in self.domains]
        leading = {domain.name for domain in self.domains if domain.redirect}
        for index, domain in enumerate(self.domains):
            if domain.name in names[:index]:
                yield Mistake(("domains", index, "name"), f'"{domain.name}" stands there twice')
            if domain.redirect and (domain.redirect in leading or domain.redirect not in names):
                yield Mistake(("domains", index, "redirect"), f'"{domain.redirect}" is no other domain of this project')
            if domain.custom_environment is not None:
                place = ("domains", index, "custom_environment")
                yield from unknown_name(place, domain.custom_environment, self.environments, "environment")
            yield from self._is_no_preview(("domains", index, "branch"), domain.branch)
        for name, variable in self.variables.items():
            named = ("variables", name, "environments")
            yield from unknown_names(named, variable.environments, self.environments, "environment")
            yield from self._is_no_preview(("variables", name, "branch"), variable.branch)

    def _is_no_preview(self, place: tuple[str | int, ...], branch: str | None) -> Iterator[Mistake]:
        if branch is not None and self.git is None:
            yield Mistake(place, "needs `git`: a project without a repository has no branches")
        elif branch is not None and self.git is not None and branch == self.git.production_branch:
            yield Mistake(place, "is the production branch: its deployments are no previews")


class TokenSettings(Settings):
    """An access token for the team, with which programs deploy: ``output: vercel.tokens.<key>``.

    A higher ``generation`` makes another one before this one goes. Raise it before the token ends: ``sophia credentials``
    says when.
    """

    name: Annotated[str, Field(min_length=1, max_length=100)]
    days: Annotated[int, Field(ge=1, le=LONGEST_DAYS)] = LONGEST_DAYS
    generation: Annotated[int, Field(ge=1)] = 1


class WebhookSettings(Settings):
    """Where Vercel tells of events, of all projects or of those with the keys ``projects``. The signing secret is Vercel's:
    ``output: vercel.webhooks.<key>``. A higher ``generation`` makes a second webhook before the first goes; its URL
    ends with ``generation=2``, by which the receiver knows which secret to use.
    """

    url: Address
    events: Annotated[tuple[Event, ...], Field(min_length=1)]
    projects: tuple[str, ...] = ()
    generation: Annotated[int, Field(ge=1)] = 1


class DrainSettings(Adoptable):
    """Where Vercel sends logs, web analytics or speed insights as they come. The signing secret is ours, random, and changes
    in place with a higher ``generation``: ``output: vercel.drains.<key>``.
    """

    name: Annotated[str, Field(min_length=1, max_length=100)]
    data: Literal["log", "analytics", "speed_insights"] = "log"
    endpoint: Address
    encoding: Literal["json", "ndjson"] = "ndjson"
    compression: Literal["gzip", "none"] | None = None
    headers: Annotated[dict[str, SecretSource], Field(max_length=5)] = Field(default_factory=dict)
    sources: tuple[LogSource, ...] = ()
    environments: tuple[Literal["production", "preview"], ...] = ()
    projects: tuple[str, ...] = ()
    sampling: Annotated[float | None, Field(gt=0, le=1)] = None
    enabled: bool = True
    generation: Annotated[int, Field(ge=1)] = 1

    def check(self) -> Iterator[Mistake]:
        """Only logs have sources."""
        if self.sources and self.data != "log":
            yield Mistake(("sources",), "is for `data: log` alone")


class TeamSettings(Settings):
    """What is asserted of the team, and never changed: who owns it, and what it may cost in thirty days (US dollars)."""

    owners: tuple[str, ...] = ()
    monthly_usd: Annotated[float | None, Field(gt=0)] = None


class VercelSettings(Settings):
    """``sophia-ai:vercel``. VERCEL_API_TOKEN is a token of the service seat, VERCEL_TEAM the team's id."""

    team: TeamSettings = Field(default_factory=TeamSettings)
    projects: dict[Key, ProjectSettings]
    shared_variables: dict[VariableName, SharedVariableSettings] = Field(default_factory=dict)
    tokens: dict[Key, TokenSettings] = Field(default_factory=dict)
    webhooks: dict[Key, WebhookSettings] = Field(default_factory=dict)
    drains: dict[Key, DrainSettings] = Field(default_factory=dict)

    def check(self) -> Iterator[Mistake]:
        """Names are an object's own; a domain is one project's; projects are those that are declared."""
        yield from same_object(("projects",), self.projects, "name")
        yield from same_object(("tokens",), self.tokens, "name")
        yield from same_object(("webhooks",), self.webhooks, "url", "events", "projects")
        yield from same_object(("drains",), self.drains, "name")
        first: dict[str, str] = {}
        for key, project in self.projects.items():
            for index, domain in enumerate(project.domains):
                other = first.setdefault(domain.name, key)
                if other != key:
                    place = ("projects", key, "domains", index, "name")
                    yield Mistake(place, f"is a domain of projects.{other}: Vercel gives a domain to one project")
        for group in ("shared_variables", "webhooks", "drains"):
            for key, entry in getattr(self, group).items():
                yield from unknown_names((group, key, "projects"), entry.projects, self.projects, "project")
        for name, shared in self.shared_variables.items():
            for of in shared.projects:
                if of in self.projects and name in self.projects[of].variables:
                    said = f"has {of}, which has a variable of that name itself"
                    yield Mistake(("shared_variables", name, "projects"), said)
