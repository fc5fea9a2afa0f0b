"""Vercel: ids, references and rules of the resource types that the estate uses.

Sources: vercel/terraform-provider-vercel (validators; what is replaced: ``RequiresReplace``), which
pulumiverse/pulumi-vercel wraps, and the errors of Vercel's REST API. A value of an environment variable never lies in
the store in clear, sensitive or not: the real platform keeps both encrypted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from sandbox.official.behaviour import Draft, Identity, Kind, Package, Reference, paths, random_id, text
from sandbox.official.types import Failure, Sdk
from sandbox.official.values import Properties, has_unknowns, is_unknown

TEAM = "team_sandbox"

_PROJECT = "vercel:index/project:Project"
_TARGETS = ("production", "preview", "development")
_PROJECT_NAME = re.compile(r"[a-z0-9-]{1,52}")
_DOMAIN = re.compile(r"(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}", re.IGNORECASE)
_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def _of_project(properties: Properties) -> Iterator[Reference]:
    project = text(properties, "projectId")
    yield Reference(_PROJECT, (project,), f"not_found - Project not found: {project}")


def _project_fill(draft: Draft) -> Properties:
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
        "prioritiseProductionBuilds": False,
        "vercelAuthentication": {"deploymentType": "standard_protection_new"},
    }


def _project_failures(properties: Properties) -> Iterator[Failure]:
    name = text(properties, "name")
    if name and not is_unknown(name) and not _PROJECT_NAME.fullmatch(name):
        rule = "can only contain alphanumeric lowercase characters and hyphens, at most 52"
        yield Failure("name", f"The name of a Project {rule}")


def _variable_failures(properties: Properties) -> Iterator[Failure]:
    if ("value" in properties) == ("valueWo" in properties):
        yield Failure("value", "exactly one of value, valueWo must be given")
    yield from _one_variable(properties, "")


def _variables_failures(properties: Properties) -> Iterator[Failure]:
    seen: list[Properties] = []
    variables = properties.get("variables")
    for index, variable in enumerate(variables if isinstance(variables, list) else ()):
        if not isinstance(variable, dict):
            continue
        yield from _one_variable(variable, f"variables[{index}].")
        if not has_unknowns(variable) and any(_same_variable(variable, other) for other in seen):
            yield Failure(f"variables[{index}].key", "the same variable is given twice for one target")
        seen.append(variable)


def _one_variable(variable: Properties, prefix: str) -> Iterator[Failure]:
    key = text(variable, "key")
    if key and not is_unknown(key) and not _KEY.fullmatch(key):
        yield Failure(f"{prefix}key", "may contain letters, digits and underscores, and must not start with a digit")
    if "targets" not in variable and "customEnvironmentIds" not in variable:
        yield Failure(f"{prefix}targets", "at least one of targets, customEnvironmentIds must be given")
    targets = variable.get("targets")
    for index, target in enumerate(targets if isinstance(targets, list) else ()):
        if target not in _TARGETS and not is_unknown(target):
            yield Failure(f"{prefix}targets[{index}]", f"expected one of {', '.join(_TARGETS)}")
    if targets == ["development"] and variable.get("sensitive") is True:
        yield Failure(f"{prefix}sensitive", "a variable for development alone cannot be sensitive")


def _same_variable(one: Properties, other: Properties) -> bool:
    same = all(text(one, name) == text(other, name) for name in ("projectId", "key", "gitBranch"))
    return same and bool(_places(one) & _places(other))


def _places(variable: Properties) -> set[Any]:
    return {*(variable.get("targets") or ()), *(variable.get("customEnvironmentIds") or ())}


def _variable_identity(properties: Properties) -> Identity:
    return (
        text(properties, "key"),
        text(properties, "projectId"),
        text(properties, "gitBranch"),
        *sorted(map(str, _places(properties))),
    )


def _variable_exists(identity: Identity) -> str:
    key, _, branch, *places = identity
    return (
        f"ENV_CONFLICT - A variable with the name `{key}` already exists for the target {','.join(places)} "
        f"on branch {branch or 'undefined'}"
    )


def _domain_failures(properties: Properties) -> Iterator[Failure]:
    domain = text(properties, "domain")
    if domain and not is_unknown(domain) and not _DOMAIN.fullmatch(domain):
        yield Failure("domain", "is not a domain name")


def _domain_fill(_: Draft) -> Properties:
    return {"teamId": TEAM, "verified": True, "misconfigured": False, "verifications": []}


def _domain_exists(identity: Identity) -> str:
    return f"domain_already_in_use - Cannot add {identity[0]} since it's already in use by one of your projects."


def _project_exists(_: Identity) -> str:
    return "conflict - A project with the same name already exists, please use a different name."


def _anything(properties: Properties) -> Identity:
    names = ("projectId", "name", "domain", "key")
    return tuple(text(properties, name) for name in names if name in properties)


_KINDS = {
    _PROJECT: Kind(
        identity=lambda properties: (text(properties, "name"),),
        make_id=lambda _: f"prj_{random_id(28)}",
        aliases=lambda properties: [(text(properties, "id"),)],
        import_ids=lambda properties: [text(properties, "name")],
        duplicate=_project_exists,
        replaces=paths("teamId"),
        fill=_project_fill,
        validate=_project_failures,
    ),
    "vercel:index/projectEnvironmentVariable:ProjectEnvironmentVariable": Kind(
        identity=_variable_identity,
        make_id=lambda _: random_id(16),
        conflicts=_same_variable,
        duplicate=_variable_exists,
        references=_of_project,
        replaces=paths("customEnvironmentIds", "key", "projectId", "teamId", "sensitive"),
        fill=lambda _: {"teamId": TEAM, "comment": "", "customEnvironmentIds": []},
        unordered=paths("targets", "customEnvironmentIds"),
        validate=_variable_failures,
        sensitive=paths("value", "valueWo"),
    ),
    "vercel:index/projectEnvironmentVariables:ProjectEnvironmentVariables": Kind(
        identity=lambda properties: (text(properties, "projectId"),),
        make_id=lambda properties: text(properties, "projectId"),
        duplicate=None,
        references=_of_project,
        replaces=paths("projectId", "teamId"),
        fill=lambda _: {"teamId": TEAM},
        validate=_variables_failures,
        unordered=paths("variables", "variables.*.targets"),
        sensitive=paths("variables.*.value"),
    ),
    "vercel:index/projectDomain:ProjectDomain": Kind(
        identity=lambda properties: (text(properties, "domain").lower(),),
        make_id=lambda properties: text(properties, "domain"),
        import_ids=lambda properties: [f"{text(properties, 'projectId')}/{text(properties, 'domain')}"],
        duplicate=_domain_exists,
        references=_of_project,
        replaces=paths("domain", "projectId", "teamId"),
        fill=_domain_fill,
        validate=_domain_failures,
    ),
}
_UNRULED = Kind(
    identity=_anything,
    make_id=lambda _: random_id(24),
    conflicts=lambda _new, _old: False,
)

PACKAGE = Package(
    sdk=Sdk("vercel", "pulumiverse_vercel", "pulumiverse-vercel"),
    kind=lambda token: _KINDS.get(token, _UNRULED),
)
