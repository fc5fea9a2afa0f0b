"""Vercel's projects and what belongs to one: domains, custom environments, bypasses, retention, members.

Sources: vercel/terraform-provider-vercel (validators, what is replaced, ids), the errors of Vercel's REST API, and its
documentation of plans. What a plan allows is looked up in the team (``PLAN_KIND``), which the control API can change.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection, Iterator
from typing import Any

from sandbox.official.behaviour import Draft, Identity, Kind, Reference, paths, random_id, text
from sandbox.official.types import Failure
from sandbox.official.values import Properties, is_unknown

TEAM = "team_sandbox"
PLAN_KIND = "team"
PLANS = ("hobby", "pro", "enterprise")

PROJECT = "vercel:index/project:Project"
CUSTOM_ENVIRONMENT = "vercel:index/customEnvironment:CustomEnvironment"
DOMAIN = "vercel:index/projectDomain:ProjectDomain"


def words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_PROJECT_NAME = re.compile(r"[a-z0-9-]{1,52}")
_DOMAIN_NAME = re.compile(r"(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}", re.IGNORECASE)
_ENVIRONMENT_NAME = re.compile(r"[a-z0-9-]{1,32}")
_BUILT_IN = ("production", "preview", "development")
_PROTECTED = ("standard_protection_new", "standard_protection", "all_deployments", "only_preview_deployments")
_CUSTOM_ENVIRONMENTS = {"hobby": 0, "pro": 1, "enterprise": 12}
_REGIONS = words("arn1 bom1 cdg1 cle1 cpt1 dub1 dxb1 fra1 gru1 hkg1 hnd1 iad1 icn1 kix1 lhr1 pdx1 sfo1 sin1 syd1 yul1")
_FRAMEWORKS = words(
    "angular astro blitzjs brunch create-react-app docusaurus docusaurus-2 dojo eleventy ember express fastapi fasthtml "
    "fastify flask gatsby gridsome h3 hexo hono hugo hydrogen ionic-angular ionic-react jekyll middleman nestjs nextjs "
    "nitro nuxtjs parcel polymer preact react-router redwoodjs remix saber sanity sanity-v3 sapper scully solidstart "
    "solidstart-1 storybook svelte sveltekit sveltekit-1 umijs vite vitepress vue vuepress xmcp zola"
)
_EXPIRATIONS = ("1d", "1w", "1m", "2m", "3m", "6m", "1y", "unlimited")


def account(draft: Draft) -> Properties:
    """The team, as it is while nobody has changed it: on the plan Pro, without add-ons."""
    return {"plan": "pro", "addOns": [], "sensitiveEnvironmentVariablePolicy": "off"} | (
        draft.noted(PLAN_KIND, TEAM) or {}
    )


def one_of(properties: Properties, expected: Collection[str], *path: str) -> Iterator[Failure]:
    found = text(properties, *path)
    if found and not is_unknown(found) and found not in expected:
        yield Failure(".".join(path), f"expected one of {', '.join(sorted(expected))}")


def spelled(properties: Properties, name: str, pattern: re.Pattern[str], rule: str) -> Iterator[Failure]:
    found = text(properties, name)
    if found and not is_unknown(found) and not pattern.fullmatch(found):
        yield Failure(name, rule)


def of_project(properties: Properties) -> Iterator[Reference]:
    project = text(properties, "projectId")
    yield Reference(PROJECT, (project,), f"not_found - Project not found: {project}")


def of_environments(properties: Properties, *names: str) -> Iterator[Reference]:
    """The custom environments that some members name."""
    for name in names:
        value = properties.get(name)
        for id_ in value if isinstance(value, list) else [value] if value else []:
            yield Reference(CUSTOM_ENVIRONMENT, (str(id_),), f"not_found - Custom environment not found: {id_}")


def team_refusals(draft: Draft) -> Iterator[str]:
    team = text(draft.asked, "teamId")
    if team and team != TEAM:
        yield f"forbidden - Not authorized: {team} is no team of this token's owner"


def production_branch(project: Properties) -> str:
    return text(project, "gitRepository", "productionBranch")


def _fill(draft: Draft) -> Properties:
    repository = {"productionBranch": "main"} if draft.asked.get("gitRepository") else None
    return {
        "id": draft.id,
        "teamId": TEAM,
        "autoAssignCustomDomains": True,
        "automaticallyExposeSystemEnvironmentVariables": True,
        "directoryListing": False,
        "functionFailover": False,
        "gitForkProtection": True,
        "gitLfs": False,
        "nodeVersion": "24.x",
        "oidcTokenConfig": {"issuerMode": "team"},
        "prioritiseProductionBuilds": False,
        "resourceConfig": {"fluid": True, "functionDefaultCpuType": "standard", "functionDefaultTimeout": 300},
        "vercelAuthentication": {"deploymentType": "standard_protection_new"},
        **({"gitRepository": repository} if repository else {}),
    }


def _failures(properties: Properties) -> Iterator[Failure]:
    rule = "The name of a Project can only contain alphanumeric lowercase characters and hyphens, at most 52"
    yield from spelled(properties, "name", _PROJECT_NAME, rule)
    yield from one_of(properties, _FRAMEWORKS, "framework")
    yield from one_of(properties, ("18.x", "20.x", "22.x", "24.x"), "nodeVersion")
    yield from one_of(properties, (*_PROTECTED, "none"), "vercelAuthentication", "deploymentType")
    yield from one_of(properties, _PROTECTED, "passwordProtection", "deploymentType")
    trusted = ("standard_protection_new", "standard_protection", "all_deployments", "only_production_deployments")
    yield from one_of(properties, (*trusted, "only_preview_deployments"), "trustedIps", "deploymentType")
    yield from one_of(properties, ("trusted_ip_required", "trusted_ip_optional"), "trustedIps", "protectionMode")
    yield from one_of(properties, ("30 minutes", "4 hours", "12 hours", "1 day", "7 days"), "skewProtection")
    yield from one_of(properties, ("standard", "enhanced", "turbo", "elastic"), "buildMachineType")
    yield from one_of(properties, ("team", "global"), "oidcTokenConfig", "issuerMode")
    yield from one_of(properties, ("github", "gitlab", "bitbucket"), "gitRepository", "type")
    yield from one_of(properties, _REGIONS, "serverlessFunctionRegion")
    password = text(properties, "passwordProtection", "password")
    if len(password) > 72 and not is_unknown(password):
        yield Failure("passwordProtection.password", "string length must be between 1 and 72")
    yield from _function_failures(properties)


def _function_failures(properties: Properties) -> Iterator[Failure]:
    cpus = ("standard_legacy", "standard", "performance")
    yield from one_of(properties, cpus, "resourceConfig", "functionDefaultCpuType")
    functions = properties.get("resourceConfig")
    if not isinstance(functions, dict):
        return
    timeout = functions.get("functionDefaultTimeout")
    if isinstance(timeout, int) and not 1 <= timeout <= 900:
        yield Failure("resourceConfig.functionDefaultTimeout", "value must be between 1 and 900")
    if functions.get("fluid") is True and functions.get("functionDefaultCpuType") == "standard_legacy":
        yield Failure("resourceConfig", "Fluid compute is only supported with the standard or performance CPU types")
    regions = functions.get("functionDefaultRegions")
    if regions and properties.get("serverlessFunctionRegion"):
        yield Failure("serverlessFunctionRegion", "conflicts with resourceConfig.functionDefaultRegions")
    for region in regions if isinstance(regions, list) else ():
        if not is_unknown(region) and region not in _REGIONS:
            yield Failure("resourceConfig.functionDefaultRegions", f"{region} is no region of Vercel")


def _refusals(draft: Draft) -> Iterator[str]:
    yield from team_refusals(draft)
    plan, extras = account(draft)["plan"], account(draft)["addOns"]
    protected = plan == "enterprise" or "advanced_deployment_protection" in extras
    if draft.asked.get("passwordProtection") and not protected:
        yield "forbidden - Password Protection needs the plan Enterprise, or the add-on Advanced Deployment Protection"
    trusted = draft.asked.get("trustedIps")
    if trusted and plan != "enterprise":
        yield "forbidden - Trusted IPs are available on the plan Enterprise only"
    for address in trusted.get("addresses", ()) if isinstance(trusted, dict) else ():
        if not _is_network(str(address.get("value"))):
            yield f"bad_request - Invalid request: trustedIps: {address.get('value')} is no IP address and no CIDR range"
    repository = text(draft.asked, "gitRepository", "repo")
    if repository and not re.fullmatch(r"[\w.-]+/[\w.-]+", repository):
        yield f"bad_request - The repository {repository} could not be found"


def _is_network(value: str) -> bool:
    try:
        ipaddress.ip_network(value, strict=False)
    except ValueError:
        return False
    return True


def _domain_failures(properties: Properties) -> Iterator[Failure]:
    yield from spelled(properties, "domain", _DOMAIN_NAME, "is not a domain name")
    status = properties.get("redirectStatusCode")
    if status is not None and status not in (301, 302, 307, 308):
        yield Failure("redirectStatusCode", "expected one of 301, 302, 307, 308")
    if properties.get("gitBranch") and properties.get("customEnvironmentId"):
        yield Failure("gitBranch", "conflicts with customEnvironmentId")


def _domain_references(properties: Properties) -> Iterator[Reference]:
    yield from of_project(properties)
    yield from of_environments(properties, "customEnvironmentId")


def _domain_refusals(draft: Draft) -> Iterator[str]:
    yield from team_refusals(draft)
    branch, target = text(draft.asked, "gitBranch"), text(draft.asked, "redirect")
    if branch and branch == production_branch(draft.parent):
        yield f'bad_request - Cannot set Production Branch "{branch}" for a Preview Domain.'
    own = {
        text(other, "domain").lower()
        for other in draft.others()
        if text(other, "projectId") == text(draft.asked, "projectId")
    }
    if target and target.lower() not in own:
        yield f"bad_request - The domain {target} is not assigned to this project, so nothing can be redirected to it"


def _domain_exists(identity: Identity) -> str:
    return f"domain_already_in_use - Cannot add {identity[0]} since it's already in use by one of your projects."


def _project_exists(_: Identity) -> str:
    return "conflict - A project with the same name already exists, please use a different name."


def _environment_failures(properties: Properties) -> Iterator[Failure]:
    rule = "The name of a Custom Environment can only contain up to 32 alphanumeric lowercase characters and hyphens"
    yield from spelled(properties, "name", _ENVIRONMENT_NAME, rule)
    yield from one_of(properties, ("startsWith", "endsWith", "equals"), "branchTracking", "type")
    if not 1 <= len(text(properties, "branchTracking", "pattern") or "x") <= 100:
        yield Failure("branchTracking.pattern", "string length must be between 1 and 100")


def _environment_refusals(draft: Draft) -> Iterator[str]:
    yield from team_refusals(draft)
    name, plan = text(draft.asked, "name"), account(draft)["plan"]
    if name in _BUILT_IN:
        yield f"bad_request - The name {name} is reserved"
    there = sum(text(other, "projectId") == text(draft.asked, "projectId") for other in draft.others())
    if there >= _CUSTOM_ENVIRONMENTS[plan]:
        allowed = _CUSTOM_ENVIRONMENTS[plan]
        yield f"custom_environments_limit - The plan {plan} allows {allowed} custom environments for a project"


def _retention_failures(properties: Properties) -> Iterator[Failure]:
    for name in ("expirationCanceled", "expirationErrored", "expirationPreview", "expirationProduction"):
        yield from one_of(properties, _EXPIRATIONS, name)


def _bypass_failures(properties: Properties) -> Iterator[Failure]:
    yield from spelled(
        properties, "secret", re.compile(r"[a-zA-Z0-9]{32}"), "must be a 32 character alphanumeric string"
    )
    if len(text(properties, "note")) > 100:
        yield Failure("note", "string length must be at most 100")


def of_team(properties: Properties) -> str:
    """The id by which the bridge knows what there is once in a project."""
    return f"{TEAM}/{text(properties, 'projectId')}"


def named_in_team(*names: str) -> Any:
    """What the official provider imports by: with the team before it, or without."""

    def import_ids(properties: Properties) -> list[str]:
        path = "/".join(text(properties, name) for name in names)
        return [path, f"{TEAM}/{path}"]

    return import_ids


KINDS = {
    PROJECT: Kind(
        identity=lambda properties: (text(properties, "name"),),
        make_id=lambda _: f"prj_{random_id(28)}",
        aliases=lambda properties: [(text(properties, "id"),)],
        import_ids=lambda p: [text(p, "name"), f"{TEAM}/{text(p, 'name')}", f"{TEAM}/{text(p, 'id')}"],
        duplicate=_project_exists,
        replaces=paths("teamId"),
        fill=_fill,
        validate=_failures,
        refusals=_refusals,
        unordered=paths("resourceConfig.functionDefaultRegions", "trustedIps.addresses"),
        sensitive=paths("passwordProtection.password", "trustedIps.addresses.*.value"),
    ),
    DOMAIN: Kind(
        identity=lambda properties: (text(properties, "domain").lower(),),
        make_id=lambda properties: text(properties, "domain"),
        import_ids=named_in_team("projectId", "domain"),
        duplicate=_domain_exists,
        references=_domain_references,
        replaces=paths("domain", "projectId", "teamId"),
        fill=lambda _: {"teamId": TEAM, "verified": True, "misconfigured": False, "verifications": []},
        validate=_domain_failures,
        refusals=_domain_refusals,
    ),
    CUSTOM_ENVIRONMENT: Kind(
        identity=lambda properties: (text(properties, "projectId"), text(properties, "name")),
        make_id=lambda _: f"env_{random_id(28)}",
        aliases=lambda properties: [(text(properties, "id"),)],
        import_ids=named_in_team("projectId", "name"),
        duplicate=lambda identity: f"conflict - An environment with the name {identity[1]} already exists.",
        references=of_project,
        replaces=paths("projectId", "teamId"),
        fill=lambda draft: {"id": draft.id, "teamId": TEAM, "description": ""},
        validate=_environment_failures,
        refusals=_environment_refusals,
    ),
    "vercel:index/projectProtectionBypass:ProjectProtectionBypass": Kind(
        identity=lambda properties: (text(properties, "projectId"), text(properties, "note")),
        make_id=lambda properties: f"{text(properties, 'projectId')}/{text(properties, 'secret') or random_id(32)}",
        conflicts=lambda _new, _old: False,
        references=of_project,
        replaces=paths("projectId", "secret", "teamId"),
        fill=lambda draft: {"teamId": TEAM, "scope": "automation-bypass", "secret": draft.id.partition("/")[2]},
        validate=_bypass_failures,
        refusals=team_refusals,
        sensitive=paths("secret"),
    ),
    "vercel:index/projectDeploymentRetention:ProjectDeploymentRetention": Kind(
        identity=lambda properties: (text(properties, "projectId"),),
        make_id=of_team,
        duplicate=None,
        references=of_project,
        replaces=paths("projectId", "teamId"),
        fill=lambda _: {
            "teamId": TEAM,
            "expirationCanceled": "1m",
            "expirationErrored": "3m",
            "expirationPreview": "6m",
            "expirationProduction": "1y",
        },
        validate=_retention_failures,
        refusals=team_refusals,
    ),
}
