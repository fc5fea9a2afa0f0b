"""GitHub: ids, references and rules of the resource types that the estate uses.

Sources: integrations/terraform-provider-github (ids: ``buildID``; what is replaced: ``ForceNew``; defaults), the
schema of pulumi/pulumi-github, and GitHub's REST and GraphQL errors. The sandbox's one owner is ``OWNER``: the owner
that the program's environment names cannot be seen from here.
"""

from __future__ import annotations

import base64
import re
import secrets
import zlib
from collections.abc import Iterator

from sandbox.official.behaviour import Draft, Identity, Kind, Package, Reference, now, paths, random_id, text
from sandbox.official.types import Failure, Sdk
from sandbox.official.values import Properties, is_unknown

OWNER = "sophia-sandbox"

_REPOSITORY = "github:index/repository:Repository"
_ENVIRONMENT = "github:index/repositoryEnvironment:RepositoryEnvironment"
_SECRET_VALUES = ("value", "valueEncrypted", "encryptedValue", "plaintextValue")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_REPOSITORY_NAME = re.compile(r"[A-Za-z0-9._-]{1,100}")
_MISSING = "404 Not Found"


def _repository_identity(properties: Properties) -> Identity:
    return (text(properties, "name").lower(),)


def _repository_fill(draft: Draft) -> Properties:
    name = text(draft.asked, "name")
    page = f"https://github.com/{OWNER}/{name}"
    number = draft.kept("repoId", lambda: secrets.randbelow(900_000_000) + 100_000_000)
    private = draft.asked.get("visibility", "private" if draft.asked.get("private") else "public") != "public"
    return {
        "fullName": f"{OWNER}/{name}",
        "htmlUrl": page,
        "svnUrl": page,
        "httpCloneUrl": f"{page}.git",
        "gitCloneUrl": f"git://github.com/{OWNER}/{name}.git",
        "sshCloneUrl": f"git@github.com:{OWNER}/{name}.git",
        "nodeId": draft.kept("nodeId", lambda: f"R_{random_id(12)}"),
        "repoId": number,
        "etag": draft.kept("etag", lambda: f'W/"{secrets.token_hex(32)}"'),
        "primaryLanguage": "",
        "defaultBranch": "main",
        "private": private,
        "visibility": "private" if private else "public",
        "topics": [],
        "fork": "false",
        "sourceOwner": "",
        "sourceRepo": "",
        "allowForking": True,
        "allowMergeCommit": True,
        "allowSquashMerge": True,
        "allowRebaseMerge": True,
        "allowAutoMerge": False,
        "deleteBranchOnMerge": False,
        "archived": False,
        "webCommitSignoffRequired": False,
        "vulnerabilityAlerts": False,
        "squashMergeCommitTitle": "COMMIT_OR_PR_TITLE",
        "squashMergeCommitMessage": "COMMIT_MESSAGES",
        "mergeCommitTitle": "MERGE_MESSAGE",
        "mergeCommitMessage": "PR_TITLE",
    }


def _repository_failures(properties: Properties) -> Iterator[Failure]:
    name = text(properties, "name")
    if name and not is_unknown(name) and not _REPOSITORY_NAME.fullmatch(name):
        yield Failure("name", "must include only alphanumeric characters, underscores, periods or hyphens, at most 100")
    visibility = properties.get("visibility")
    if visibility not in (None, "public", "private", "internal") and not is_unknown(visibility):
        yield Failure("visibility", "expected visibility to be one of public, private, internal")


def _archived(properties: Properties) -> Properties | None:
    return {**properties, "archived": True} if properties.get("archiveOnDestroy") else None


def _in_repository(name: str) -> Reference:
    return Reference(_REPOSITORY, (name.lower(),), f"GET https://api.github.com/repos/{OWNER}/{name}: {_MISSING}")


def _of_repository(properties: Properties) -> Iterator[Reference]:
    yield _in_repository(text(properties, "repository"))


def _of_environment(properties: Properties) -> Iterator[Reference]:
    repository, environment = text(properties, "repository"), text(properties, "environment")
    yield _in_repository(repository)
    address = f"https://api.github.com/repos/{OWNER}/{repository}/environments/{environment}"
    yield Reference(_ENVIRONMENT, (repository.lower(), environment), f"GET {address}: {_MISSING}")


def _policy_identity(properties: Properties) -> Identity:
    members = ("repository", "environment", "branchPattern", "tagPattern")
    return tuple(text(properties, member).lower() for member in members)


def _protected_repository(properties: Properties) -> Iterator[Reference]:
    named = text(properties, "repositoryId")
    missing = f"Could not resolve to a node with the global id of '{named}'"
    yield Reference(_REPOSITORY, (named,) if named.startswith("R_") else (named.lower(),), missing)


def _protection_fill(_: Draft) -> Properties:
    switches = (
        "allowsDeletions",
        "allowsForcePushes",
        "enforceAdmins",
        "lockBranch",
        "requireConversationResolution",
        "requireSignedCommits",
        "requiredLinearHistory",
    )
    return dict.fromkeys(switches, False)


def _repository_id(properties: Properties, *names: str) -> str:
    return ":".join(text(properties, name).replace(":", "??") for name in ("repository", *names))


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


def _variable_failures(properties: Properties) -> Iterator[Failure]:
    yield from _name_failures(properties, "variableName", "Variable")


def _name_failures(properties: Properties, where: str, what: str) -> Iterator[Failure]:
    name = text(properties, where)
    if not name or is_unknown(name):
        return
    if not _NAME.fullmatch(name):
        rule = "can only contain alphanumeric characters or underscores and must not start with a number"
        yield Failure(where, f"{what} names {rule}")
    elif name.upper().startswith("GITHUB_"):
        yield Failure(where, f"{what} names must not start with the GITHUB_ prefix")


def _variable_exists(identity: Identity) -> str:
    repository = identity[0]
    return f"POST https://api.github.com/repos/{OWNER}/{repository}/actions/variables: 409 Already exists"


def _name_exists(_: Identity) -> str:
    problem = "{Resource:Repository Field:name Code:custom Message:name already exists on this account}"
    return f"POST https://api.github.com/orgs/{OWNER}/repos: 422 Repository creation failed. [{problem}]"


def _in_place(name: str, *, environment: bool, secret: bool) -> Kind:
    """A secret or variable of a repository or environment. GitHub puts secrets (again is fine) and posts variables."""
    members = ("environment", name) if environment else (name,)
    return Kind(
        identity=lambda p: (text(p, "repository").lower(), *(text(p, member) for member in members)),
        make_id=lambda p: _repository_id(p, *members),
        duplicate=None if secret else _variable_exists,
        references=_of_environment if environment else _of_repository,
        replaces=paths(*members),
        delete_first=environment and secret,
        fill=_secret_fill if secret else _times,
        validate=_secret_failures if secret else _variable_failures,
    )


def _anything(properties: Properties) -> Identity:
    """For the types without rules of their own: every one is another object."""
    names = ("repository", "name", "slug", "branch", "username", "teamId")
    return tuple(text(properties, name) for name in names if name in properties)


_KINDS = {
    _REPOSITORY: Kind(
        identity=_repository_identity,
        make_id=lambda properties: text(properties, "name"),
        aliases=lambda properties: [(text(properties, "nodeId"),)],
        duplicate=_name_exists,
        fill=_repository_fill,
        validate=_repository_failures,
        retired=_archived,
        unordered=paths("topics"),
    ),
    "github:index/branchProtection:BranchProtection": Kind(
        identity=lambda properties: (text(properties, "repositoryId"), text(properties, "pattern")),
        make_id=lambda _: f"BPR_{random_id(20)}",
        import_ids=lambda properties: [f"{text(properties, 'repositoryId')}:{text(properties, 'pattern')}"],
        duplicate=lambda identity: f"Name already protected: {identity[1]}",
        references=_protected_repository,
        replaces=paths("repositoryId"),
        fill=_protection_fill,
    ),
    _ENVIRONMENT: Kind(
        identity=lambda properties: (text(properties, "repository").lower(), text(properties, "environment")),
        make_id=lambda properties: _repository_id(properties, "environment"),
        duplicate=None,
        references=_of_repository,
        replaces=paths("environment"),
        fill=lambda draft: {
            "canAdminsBypass": True,
            "preventSelfReview": False,
            "repositoryId": draft.parent.get("repoId"),
        },
    ),
    "github:index/repositoryEnvironmentDeploymentPolicy:RepositoryEnvironmentDeploymentPolicy": Kind(
        identity=_policy_identity,
        make_id=lambda p: f"{_repository_id(p, 'environment')}:{zlib.crc32(repr(_policy_identity(p)).encode())}",
        duplicate=None,  # GitHub answers 303 and leads to the one that is there
        references=_of_environment,
        replaces=paths("environment"),
    ),
    "github:index/actionsSecret:ActionsSecret": _in_place("secretName", environment=False, secret=True),
    "github:index/actionsVariable:ActionsVariable": _in_place("variableName", environment=False, secret=False),
    "github:index/actionsEnvironmentSecret:ActionsEnvironmentSecret": _in_place(
        "secretName", environment=True, secret=True
    ),
    "github:index/actionsEnvironmentVariable:ActionsEnvironmentVariable": _in_place(
        "variableName", environment=True, secret=False
    ),
}
_UNRULED = Kind(
    identity=_anything,
    make_id=lambda properties: ":".join(_anything(properties)) or random_id(16),
    conflicts=lambda _new, _old: False,
)

PACKAGE = Package(
    sdk=Sdk("github", "pulumi_github", "pulumi-github"),
    kind=lambda token: _KINDS.get(token, _UNRULED),
)
