"""Repositories, and the settings that a repository has once: alerts, labels, autolinks, what its workflows may be."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator

from sandbox.official.behaviour import Draft, Identity, Kind, Reference, WhenGone, paths, random_id, text
from sandbox.official.github.names import (
    ALERTS,
    OWNER,
    REPOSITORY,
    in_repository,
    invalid,
    no_references,
    number,
    objects,
    of_account,
    of_repository,
    one_of,
    private,
    refused,
    upgrade,
    with_account,
)
from sandbox.official.types import Failure
from sandbox.official.values import Properties, is_unknown

_NAME = re.compile(r"[-a-zA-Z0-9_.]{1,100}")
_TOPIC = re.compile(r"[a-z0-9][a-z0-9-]{0,49}")
_PREFIX = re.compile(r"[a-zA-Z0-9.=+:/#_-]*[a-zA-Z.=+:/#_-]")
_TARGET = re.compile(r"https?://[a-z0-9-.]*(:[0-9]+)?/.*?<num>.*")
_COLOR = re.compile(r"[0-9a-fA-F]{6}")
_MOST_TOPICS = 20
_LONGEST_DESCRIPTION = 350
_ALLOWED = ("all", "local_only", "selected")
_CLAIMS = re.compile(r"[a-z0-9_]+")
_MERGES = ("allowMergeCommit", "allowSquashMerge", "allowRebaseMerge")


def _fill(draft: Draft) -> Properties:
    name = text(draft.asked, "name")
    page = f"https://github.com/{OWNER}/{name}"
    repo_id = draft.kept("repoId", lambda: secrets.randbelow(900_000_000) + 100_000_000)
    is_private = draft.asked.get("visibility", "private" if draft.asked.get("private") else "public") != "public"
    return {
        "fullName": f"{OWNER}/{name}",
        "htmlUrl": page,
        "svnUrl": page,
        "httpCloneUrl": f"{page}.git",
        "gitCloneUrl": f"git://github.com/{OWNER}/{name}.git",
        "sshCloneUrl": f"git@github.com:{OWNER}/{name}.git",
        "nodeId": draft.kept("nodeId", lambda: f"R_{random_id(12)}"),
        "repoId": repo_id,
        "etag": draft.kept("etag", lambda: f'W/"{secrets.token_hex(32)}"'),
        "primaryLanguage": "",
        "defaultBranch": "main",
        "private": is_private,
        "visibility": "private" if is_private else "public",
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


def _failures(properties: Properties) -> Iterator[Failure]:
    name = text(properties, "name")
    if name and not is_unknown(name) and not _NAME.fullmatch(name):
        yield Failure("name", "must include only alphanumeric characters, underscores, periods or hyphens, at most 100")
    yield from one_of(properties, "visibility", ("public", "private", "internal"))
    if "private" in properties and "visibility" in properties:
        yield Failure("private", "conflicts with visibility")
    for topic in properties.get("topics") or ():
        if not is_unknown(topic) and not _TOPIC.fullmatch(str(topic)):
            yield Failure("topics", "must include only lowercase alphanumeric characters or hyphens, at most 50")
    for feature in properties.get("securityAndAnalysis") or {}:
        yield from one_of(properties, f"securityAndAnalysis.{feature}.status", ("enabled", "disabled"))


def _refusals(draft: Draft) -> Iterator[str]:
    asked, path = draft.asked, f"repos/{OWNER}/{text(draft.asked, 'name')}"
    if draft.previous.get("archived") and asked.get("archived", False) and _changed(draft):
        yield refused("PATCH", path, 403, "Repository was archived so is read-only.")
    if not draft.previous and asked.get("defaultBranch", "main") != "main":
        yield "cannot set the default branch on a new repository to something other than 'main'"
    if asked.get("visibility") == "internal" and of_account(draft, "plan") != "enterprise":
        said = "Visibility can only be internal in an organization that belongs to an enterprise"
        yield invalid("POST", f"orgs/{OWNER}/repos", "Repository", "visibility", said)
    if not any(asked.get(method, True) for method in _MERGES):
        said = "Sorry, you need to allow at least one merge strategy. (no_merge_method)"
        yield invalid("PATCH", path, "Repository", "merge_commit_allowed", said)
    if len(text(asked, "description")) > _LONGEST_DESCRIPTION:
        said = f"description is too long (maximum is {_LONGEST_DESCRIPTION} characters)"
        yield invalid("PATCH", path, "Repository", "description", said)
    if len(asked.get("topics") or ()) > _MOST_TOPICS:
        yield refused("PUT", f"{path}/topics", 422, f"Repositories can have at most {_MOST_TOPICS} topics.")
    yield from _unpaid(draft, path)


def _unpaid(draft: Draft, path: str) -> Iterator[str]:
    on = {
        feature
        for feature, value in (draft.asked.get("securityAndAnalysis") or {}).items()
        if text(value, "status") == "enabled"
    }
    if private(draft.asked):
        if not of_account(draft, "secretProtection") and any(name.startswith("secretScanning") for name in on):
            yield refused("PATCH", path, 422, "Secret scanning is not available for this repository.")
        if not of_account(draft, "codeSecurity") and on & {"codeSecurity", "advancedSecurity"}:
            yield refused("PATCH", path, 422, "Advanced security has not been purchased.")
    elif "advancedSecurity" in (draft.asked.get("securityAndAnalysis") or {}):
        yield refused("PATCH", path, 422, "Advanced security is always available for public repos.")
    if "secretScanningPushProtection" in on and "secretScanning" not in on:
        yield refused("PATCH", path, 422, "Secret scanning must be enabled to enable push protection.")


def _changed(draft: Draft) -> bool:
    own = {"archived", "archiveOnDestroy"}
    return any(draft.previous.get(name) != value for name, value in draft.asked.items() if name not in own)


def _archived(properties: Properties) -> Properties | None:
    return {**properties, "archived": True} if properties.get("archiveOnDestroy") else None


def _name_exists(_: Identity) -> str:
    said = "name already exists on this account"
    problem = f"{{Resource:Repository Field:name Code:custom Message:{said}}}"
    return refused("POST", f"orgs/{OWNER}/repos", 422, f"Repository creation failed. [{problem}]")


def _of_alerts(properties: Properties) -> Iterator[Reference]:
    yield from of_repository(properties)
    if properties.get("enabled"):
        repository = text(properties, "repository")
        yield Reference(ALERTS, (repository.lower(),), _no_alerts(repository), WhenGone.STAYS)


def _no_alerts(repository: str) -> str:
    said = "Vulnerability alerts must be enabled to configure Dependabot security updates."
    return refused("PUT", f"repos/{OWNER}/{repository}/automated-security-fixes", 422, said)


def _updates_refusals(draft: Draft) -> Iterator[str]:
    if draft.asked.get("enabled") and not draft.referred[1].get("enabled", True):
        yield _no_alerts(text(draft.asked, "repository"))


def _labels_refusals(draft: Draft) -> Iterator[str]:
    path = f"repos/{OWNER}/{text(draft.asked, 'repository')}/labels"
    seen: set[str] = set()
    for label in objects(draft.asked.get("labels")):
        name = text(label, "name").lower()
        if name in seen:
            yield refused("POST", path, 422, "Validation Failed [{Resource:Label Field:name Code:already_exists}]")
        seen.add(name)
        if not _COLOR.fullmatch(text(label, "color")):
            yield refused("POST", path, 422, "Validation Failed [{Resource:Label Field:color Code:invalid}]")
        if len(text(label, "description")) > 100:
            said = "description is too long (maximum is 100 characters)"
            yield invalid("POST", path, "Label", "description", said)


def _autolink_failures(properties: Properties) -> Iterator[Failure]:
    prefix, target = text(properties, "keyPrefix"), text(properties, "targetUrlTemplate")
    if prefix and not is_unknown(prefix) and not _PREFIX.fullmatch(prefix):
        yield Failure("keyPrefix", "must only contain letters, numbers, or .-_+=:/# and must not end with a number")
    if target and not is_unknown(target) and not _TARGET.fullmatch(target):
        yield Failure("targetUrlTemplate", "must be a valid URL and contain <num> token")


def _autolink_exists(identity: Identity) -> str:
    said = "Validation Failed [{Resource:KeyLink Field:key_prefix Code:already_exists}]"
    return refused("POST", f"repos/{OWNER}/{identity[0]}/autolinks", 422, f"{said} ({identity[1]})")


def subject_refusals(draft: Draft) -> Iterator[str]:
    """Of a template for the subjects of workflows' tokens."""
    keys = draft.asked.get("includeClaimKeys") or ()
    if draft.asked.get("useDefault") and keys:
        yield "include_claim_keys cannot be set when use_default is true"
    if any(not _CLAIMS.fullmatch(str(key)) for key in keys):
        yield refused("PUT", f"repos/{OWNER}/…/actions/oidc/customization/sub", 422, "Invalid claim key")


def actions_failures(properties: Properties) -> Iterator[Failure]:
    """Of the permissions of Actions, of a repository and of an organisation."""
    yield from one_of(properties, "allowedActions", _ALLOWED)


def _protected_repository(properties: Properties) -> Iterator[Reference]:
    named = text(properties, "repositoryId")
    missing = f"Could not resolve to a node with the global id of '{named}'"
    yield Reference(REPOSITORY, (named,) if named.startswith("R_") else (named.lower(),), missing)


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


KINDS = {
    REPOSITORY: Kind(
        identity=lambda properties: (text(properties, "name").lower(),),
        make_id=lambda properties: text(properties, "name"),
        aliases=lambda properties: [(text(properties, "nodeId"),)],
        duplicate=_name_exists,
        references=with_account(no_references),
        fill=_fill,
        validate=_failures,
        refusals=_refusals,
        retired=_archived,
        unordered=paths("topics"),
    ),
    "github:index/branchProtection:BranchProtection": Kind(
        identity=lambda properties: (text(properties, "repositoryId"), text(properties, "pattern")),
        make_id=lambda _: f"BPR_{random_id(20)}",
        import_ids=lambda properties: [f"{text(properties, 'repositoryId')}:{text(properties, 'pattern')}"],
        duplicate=lambda identity: f"Name already protected: {identity[1]}",
        references=with_account(_protected_repository),
        refusals=lambda draft: upgrade(draft, "graphql"),
        replaces=paths("repositoryId"),
        fill=_protection_fill,
    ),
    ALERTS: in_repository(
        replaces=paths("repository"),
        fill=lambda draft: {"enabled": True, "repositoryId": draft.parent.get("repoId")},
    ),
    "github:index/repositoryDependabotSecurityUpdates:RepositoryDependabotSecurityUpdates": in_repository(
        _of_alerts, _updates_refusals, replaces=paths("repository")
    ),
    "github:index/issueLabels:IssueLabels": in_repository(
        refusals=_labels_refusals, replaces=paths("repository"), unordered=paths("labels")
    ),
    "github:index/repositoryAutolinkReference:RepositoryAutolinkReference": in_repository(
        refusals=lambda draft: upgrade(draft, f"repos/{OWNER}/{text(draft.asked, 'repository')}/autolinks"),
        identity=lambda properties: (text(properties, "repository").lower(), text(properties, "keyPrefix")),
        make_id=number,
        import_ids=lambda properties: [f"{text(properties, 'repository')}/{text(properties, 'keyPrefix')}"],
        duplicate=_autolink_exists,
        validate=_autolink_failures,
        replaces=paths("repository", "keyPrefix", "targetUrlTemplate", "isAlphanumeric"),
        fill=lambda _: {"isAlphanumeric": True},
    ),
    "github:index/actionsRepositoryOidcSubjectClaimCustomizationTemplate:"
    "ActionsRepositoryOidcSubjectClaimCustomizationTemplate": in_repository(refusals=subject_refusals),
    "github:index/actionsRepositoryPermissions:ActionsRepositoryPermissions": in_repository(
        validate=actions_failures,
        unordered=paths("allowedActionsConfig.patternsAlloweds"),
        fill=lambda _: {"enabled": True, "shaPinningRequired": False},
    ),
}
