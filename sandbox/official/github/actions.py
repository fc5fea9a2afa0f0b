"""What workflows may use: deployment environments with their rules, secrets and variables."""

from __future__ import annotations

import base64
import re
import secrets
import zlib
from collections.abc import Iterator

from sandbox.official.behaviour import Draft, Identity, Kind, Reference, WhenGone, now, paths, text
from sandbox.official.github.names import (
    ENVIRONMENT,
    OWNER,
    in_repository,
    no_references,
    objects,
    of_account,
    of_environment,
    of_repository,
    one_of,
    private,
    refused,
    repository_id,
    team_reference,
    upgrade,
    with_account,
)
from sandbox.official.types import Failure
from sandbox.official.values import Properties, is_unknown

_SECRET_VALUES = ("value", "valueEncrypted", "encryptedValue", "plaintextValue")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LARGEST = 48 * 1024
_MOST_REVIEWERS = 6
_LONGEST_WAIT = 43200
_VISIBILITIES = ("all", "private", "selected")


def _environment_references(properties: Properties) -> Iterator[Reference]:
    yield from of_repository(properties)
    for reviewers in objects(properties.get("reviewers")):
        for team in reviewers.get("teams") or ():
            missing = refused(
                "PUT", _environment_path(properties), 422, f"Could not resolve to a Team with the id {team}."
            )
            yield team_reference(str(team), missing, WhenGone.STAYS)


def _environment_path(properties: Properties) -> str:
    return f"repos/{OWNER}/{text(properties, 'repository')}/environments/{text(properties, 'environment')}"


def _environment_failures(properties: Properties) -> Iterator[Failure]:
    wait = properties.get("waitTimer", 0)
    if isinstance(wait, int) and not 0 <= wait <= _LONGEST_WAIT:
        yield Failure("waitTimer", f"expected waitTimer to be in the range (0 - {_LONGEST_WAIT}), got {wait}")


def _environment_refusals(draft: Draft) -> Iterator[str]:
    path = _environment_path(draft.asked)
    yield from upgrade(draft, path)
    reviewers = sum(len(ids) for one in objects(draft.asked.get("reviewers")) for ids in one.values())
    if reviewers > _MOST_REVIEWERS:
        yield refused("PUT", path, 422, f"Reviewers must have at most {_MOST_REVIEWERS} elements")
    policy = draft.asked.get("deploymentBranchPolicy")
    if policy and policy.get("protectedBranches") == policy.get("customBranchPolicies"):
        said = "protected_branches and custom_branch_policies cannot have the same value"
        yield refused("PUT", path, 422, said)
    if private(draft.parent) and of_account(draft, "plan") != "enterprise":
        for asked, rule in ((draft.asked.get("waitTimer"), "wait timer"), (reviewers, "required reviewers")):
            if asked:
                said = "Failed to create the environment protection rule. Please ensure the billing plan supports the"
                yield refused("PUT", path, 422, f"{said} {rule} protection rule.")


def _policy_identity(properties: Properties) -> Identity:
    members = ("repository", "environment", "branchPattern", "tagPattern")
    return tuple(text(properties, member).lower() for member in members)


def _policy_failures(properties: Properties) -> Iterator[Failure]:
    if ("branchPattern" in properties) == ("tagPattern" in properties):
        yield Failure("branchPattern", "one of `branch_pattern,tag_pattern` must be specified, and only one")


def _policy_refusals(draft: Draft) -> Iterator[str]:
    policy = draft.referred[1].get("deploymentBranchPolicy") or {}
    if not policy.get("customBranchPolicies"):
        yield refused("POST", f"{_environment_path(draft.asked)}/deployment-branch-policies", 404, "Not Found")


def _times(draft: Draft) -> Properties:
    return {"createdAt": draft.kept("createdAt", now), "updatedAt": now(), "repositoryId": draft.parent.get("repoId")}


def _secret_fill(draft: Draft) -> Properties:
    times = _times(draft)
    key = base64.b64encode(secrets.token_bytes(8)).decode()
    return {**times, "remoteUpdatedAt": times["updatedAt"], "keyId": draft.kept("keyId", lambda: key)}


def _secret_failures(properties: Properties) -> Iterator[Failure]:
    yield from _name_failures(properties, "secretName", "Secret")
    given = [name for name in _SECRET_VALUES if name in properties]
    if len(given) != 1:
        listed = ", ".join(_SECRET_VALUES)
        yield Failure(given[-1] if given else "value", f"exactly one of {listed} must be given, not {len(given)}")
    if ("valueEncrypted" in given or "encryptedValue" in given) and "keyId" not in properties:
        yield Failure("keyId", "an encrypted value needs the id of the key that it was encrypted with")
    yield from one_of(properties, "visibility", _VISIBILITIES)


def _variable_failures(properties: Properties) -> Iterator[Failure]:
    yield from _name_failures(properties, "variableName", "Variable")
    yield from one_of(properties, "visibility", _VISIBILITIES)


def _name_failures(properties: Properties, where: str, what: str) -> Iterator[Failure]:
    name = text(properties, where)
    if not name or is_unknown(name):
        return
    if not _NAME.fullmatch(name):
        rule = "can only contain alphanumeric characters or underscores and must not start with a number"
        yield Failure(where, f"{what} names {rule}")
    elif name.upper().startswith("GITHUB_"):
        yield Failure(where, f"{what} names must not start with the GITHUB_ prefix")


def _too_large(draft: Draft) -> Iterator[str]:
    if any(len(text(draft.asked, name).encode()) > _LARGEST for name in ("value", "plaintextValue")):
        yield refused("PUT", "…/actions", 422, f"Validation Failed: the value must be at most {_LARGEST} bytes")


def _variable_exists(identity: Identity) -> str:
    where = f"repos/{OWNER}/{identity[0]}" if len(identity) > 1 else f"orgs/{OWNER}"
    return refused("POST", f"{where}/actions/variables", 409, "Already exists")


def _value(name: str, *, environment: bool, secret: bool) -> Kind:
    """A secret or variable of a repository or environment. GitHub puts secrets (again is fine) and posts variables.

    Names are upper-case for GitHub, however they are written.
    """
    members = ("environment", name) if environment else (name,)

    def identity(properties: Properties) -> Identity:
        above = (text(properties, "environment"),) if environment else ()
        return (text(properties, "repository").lower(), *above, text(properties, name).upper())

    return in_repository(
        of_environment if environment else of_repository,
        _too_large,
        identity=identity,
        make_id=lambda properties: repository_id(properties, *members),
        duplicate=None if secret else _variable_exists,
        replaces=paths(*members),
        delete_first=environment and secret,
        fill=_secret_fill if secret else _times,
        validate=_secret_failures if secret else _variable_failures,
    )


def _selected(draft: Draft) -> Iterator[str]:
    if draft.asked.get("visibility") != "selected" and draft.asked.get("selectedRepositoryIds"):
        yield "cannot use selected_repository_ids without visibility being set to selected"
    if draft.asked.get("visibility") == "private" and of_account(draft, "plan") == "free":
        said = "Organization secrets and variables cannot be used by private repositories with your plan."
        yield refused("PUT", f"orgs/{OWNER}/actions", 422, said)


def _of_organization(name: str, *, secret: bool) -> Kind:
    return Kind(
        identity=lambda properties: (text(properties, name).upper(),),
        make_id=lambda properties: text(properties, name),
        duplicate=None if secret else _variable_exists,
        references=with_account(no_references),
        replaces=paths(name),
        fill=_secret_fill if secret else _times,
        validate=_secret_failures if secret else _variable_failures,
        refusals=lambda draft: [*_selected(draft), *_too_large(draft)],
    )


KINDS = {
    ENVIRONMENT: in_repository(
        _environment_references,
        _environment_refusals,
        identity=lambda properties: (text(properties, "repository").lower(), text(properties, "environment")),
        make_id=lambda properties: repository_id(properties, "environment"),
        replaces=paths("environment"),
        validate=_environment_failures,
        fill=lambda draft: {
            "canAdminsBypass": True,
            "preventSelfReview": False,
            "repositoryId": draft.parent.get("repoId"),
        },
    ),
    "github:index/repositoryEnvironmentDeploymentPolicy:RepositoryEnvironmentDeploymentPolicy": in_repository(
        of_environment,
        _policy_refusals,
        identity=_policy_identity,  # GitHub answers 303 to the same again, and leads to the one that is there
        make_id=lambda p: f"{repository_id(p, 'environment')}:{zlib.crc32(repr(_policy_identity(p)).encode())}",
        replaces=paths("environment"),
        validate=_policy_failures,
    ),
    "github:index/actionsSecret:ActionsSecret": _value("secretName", environment=False, secret=True),
    "github:index/actionsVariable:ActionsVariable": _value("variableName", environment=False, secret=False),
    "github:index/actionsEnvironmentSecret:ActionsEnvironmentSecret": _value(
        "secretName", environment=True, secret=True
    ),
    "github:index/actionsEnvironmentVariable:ActionsEnvironmentVariable": _value(
        "variableName", environment=True, secret=False
    ),
    "github:index/dependabotSecret:DependabotSecret": _value("secretName", environment=False, secret=True),
    "github:index/actionsOrganizationSecret:ActionsOrganizationSecret": _of_organization("secretName", secret=True),
    "github:index/actionsOrganizationVariable:ActionsOrganizationVariable": _of_organization(
        "variableName", secret=False
    ),
}
