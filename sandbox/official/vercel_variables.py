"""Vercel's environment variables, of one project and shared by several.

Sources: vercel/terraform-provider-vercel and the errors of Vercel's REST API. A value never lies in the store in clear,
sensitive or not: the real platform keeps both encrypted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from sandbox.official.behaviour import Draft, Identity, Kind, Reference, paths, random_id, text
from sandbox.official.types import Failure
from sandbox.official.values import Properties, has_unknowns, is_unknown
from sandbox.official.vercel_projects import (
    PROJECT,
    TEAM,
    account,
    of_environments,
    of_project,
    production_branch,
    team_refusals,
)

VARIABLE = "vercel:index/projectEnvironmentVariable:ProjectEnvironmentVariable"
SHARED = "vercel:index/sharedEnvironmentVariable:SharedEnvironmentVariable"

_TARGETS = ("production", "preview", "development")
_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_RESERVED = re.compile(
    r"VERCEL(_ENV|_URL|_REGION|_BRANCH_URL|_PROJECT_PRODUCTION_URL|_GIT_\w+)?|AWS_(REGION|LAMBDA_\w+)"
)
_MOST_BYTES = 64 * 1024
"""Of all variables of a deployment together; so that one alone is never longer."""


def _failures(properties: Properties) -> Iterator[Failure]:
    if ("value" in properties) == ("valueWo" in properties):
        yield Failure("value", "exactly one of value, valueWo must be given")
    yield from _one(properties, "")


def _of_list(properties: Properties) -> Iterator[Failure]:
    seen: list[Properties] = []
    variables = properties.get("variables")
    for index, variable in enumerate(variables if isinstance(variables, list) else ()):
        if not isinstance(variable, dict):
            continue
        yield from _one(variable, f"variables[{index}].")
        if not has_unknowns(variable) and any(_same(variable, other) for other in seen):
            yield Failure(f"variables[{index}].key", "the same variable is given twice for one target")
        seen.append(variable)


def _one(variable: Properties, prefix: str) -> Iterator[Failure]:
    key = text(variable, "key")
    if key and not is_unknown(key) and not _KEY.fullmatch(key):
        yield Failure(f"{prefix}key", "may contain letters, digits and underscores, and must not start with a digit")
    everywhere = variable.get("applyToAllCustomEnvironments") is True
    if not everywhere and "targets" not in variable and "customEnvironmentIds" not in variable:
        yield Failure(f"{prefix}targets", "at least one of targets, customEnvironmentIds must be given")
    targets = variable.get("targets")
    targets = targets if isinstance(targets, list) else []
    for index, target in enumerate(targets):
        if target not in _TARGETS and not is_unknown(target):
            yield Failure(f"{prefix}targets[{index}]", f"expected one of {', '.join(_TARGETS)}")
    if "development" in targets and variable.get("sensitive") is not False and not has_unknowns(variable):
        rule = "Environment variables targeting `development` must explicitly set `sensitive = false`"
        yield Failure(f"{prefix}sensitive", rule)
    if len(text(variable, "comment")) > 1000:
        yield Failure(f"{prefix}comment", "string length must be between 0 and 1000")


def _refusals(draft: Draft) -> Iterator[str]:
    yield from team_refusals(draft)
    key, branch, targets = text(draft.asked, "key"), text(draft.asked, "gitBranch"), draft.asked.get("targets") or []
    if _RESERVED.fullmatch(key):
        yield f'RESERVED_ENV_VARIABLE - The name of your Environment Variable is reserved: "{key}"'
    if len(text(draft.asked, "value").encode()) > _MOST_BYTES:
        yield "ENV_VALUE_TOO_LONG - The total size of all Environment Variables of a Deployment is at most 64 KB"
    if branch and targets != ["preview"]:
        yield "bad_request - gitBranch can only be set with the target preview alone"
    if branch and branch == production_branch(draft.parent):
        yield f'bad_request - Cannot set Production Branch "{branch}" for a Preview Environment Variable.'
    forced = account(draft)["sensitiveEnvironmentVariablePolicy"] == "on"
    if forced and draft.asked.get("sensitive") is False and targets != ["development"]:
        yield (
            "This team has a policy that forces environment variables targeting `preview`, `production`, or custom "
            "environments to be sensitive."
        )


def _same(one: Properties, other: Properties) -> bool:
    same = all(text(one, name) == text(other, name) for name in ("projectId", "key", "gitBranch"))
    return same and bool(_places(one) & _places(other))


def _same_shared(one: Properties, other: Properties) -> bool:
    return text(one, "key") == text(other, "key") and bool(_places(one) & _places(other))


def _places(variable: Properties) -> set[Any]:
    return {*(variable.get("targets") or ()), *(variable.get("customEnvironmentIds") or ())}


def _identity(properties: Properties) -> Identity:
    return (
        text(properties, "key"),
        text(properties, "projectId"),
        text(properties, "gitBranch"),
        *sorted(map(str, _places(properties))),
    )


def _exists(identity: Identity) -> str:
    key, _, branch, *places = identity
    return (
        f"ENV_CONFLICT - A variable with the name `{key}` already exists for the target {','.join(places)} "
        f"on branch {branch or 'undefined'}"
    )


def _shared_exists(identity: Identity) -> str:
    return (
        f"existing_key_and_target - A shared variable with the name {identity[0]} already exists for one of its targets"
    )


def _references(properties: Properties) -> Iterator[Reference]:
    yield from of_project(properties)
    yield from of_environments(properties, "customEnvironmentIds")


def _of_projects(properties: Properties) -> Iterator[Reference]:
    projects = properties.get("projectIds")
    for project in projects if isinstance(projects, list) else ():
        yield Reference(PROJECT, (str(project),), f"not_found - Project not found: {project}")


KINDS = {
    VARIABLE: Kind(
        identity=_identity,
        make_id=lambda _: random_id(16),
        import_ids=lambda p: [
            f"{text(p, 'projectId')}/{text(p, 'id')}",
            f"{TEAM}/{text(p, 'projectId')}/{text(p, 'id')}",
        ],
        conflicts=_same,
        duplicate=_exists,
        references=_references,
        replaces=paths("customEnvironmentIds", "key", "projectId", "teamId", "sensitive"),
        fill=lambda draft: {"id": draft.id, "teamId": TEAM, "comment": "", "customEnvironmentIds": []},
        unordered=paths("targets", "customEnvironmentIds"),
        validate=_failures,
        refusals=_refusals,
        sensitive=paths("value", "valueWo"),
    ),
    "vercel:index/projectEnvironmentVariables:ProjectEnvironmentVariables": Kind(
        identity=lambda properties: (text(properties, "projectId"),),
        make_id=lambda properties: text(properties, "projectId"),
        duplicate=None,
        references=of_project,
        replaces=paths("projectId", "teamId"),
        fill=lambda _: {"teamId": TEAM},
        validate=_of_list,
        refusals=team_refusals,
        unordered=paths("variables", "variables.*.targets"),
        sensitive=paths("variables.*.value"),
    ),
    SHARED: Kind(
        identity=lambda properties: (text(properties, "key"), *sorted(map(str, _places(properties)))),
        make_id=lambda _: f"env_{random_id(24)}",
        import_ids=lambda p: [f"{TEAM}/{text(p, 'id')}"],
        conflicts=_same_shared,
        duplicate=_shared_exists,
        references=_of_projects,
        replaces=paths("key", "sensitive", "teamId"),
        fill=lambda draft: {"id": draft.id, "teamId": TEAM, "comment": "", "applyToAllCustomEnvironments": False},
        unordered=paths("targets", "projectIds"),
        validate=_failures,
        refusals=_refusals,
        sensitive=paths("value", "valueWo"),
    ),
}
