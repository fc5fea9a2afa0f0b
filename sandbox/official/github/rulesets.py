"""Rulesets of repositories and of the organisation, as the provider checks them and as GitHub refuses them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from sandbox.official.behaviour import Draft, Identity, Kind, Reference, WhenGone, paths, text
from sandbox.official.github.names import (
    ENVIRONMENT,
    OWNER,
    in_repository,
    invalid,
    number,
    objects,
    of_account,
    of_repository,
    one_of,
    refused,
    team_reference,
    upgrade,
    with_account,
)
from sandbox.official.types import Failure
from sandbox.official.values import Properties, at, is_unknown

_ORGANIZATION_ACTORS = ("Integration", "OrganizationAdmin", "RepositoryRole", "Team", "DeployKey", "EnterpriseOwner")
_REPOSITORY_ACTORS = (*_ORGANIZATION_ACTORS, "User")
_MODES = ("always", "pull_request", "exempt")
_PUSH_RULES = frozenset({"filePathRestriction", "maxFilePathLength", "fileExtensionRestriction", "maxFileSize"})
_METADATA = (
    "branchNamePattern",
    "commitAuthorEmailPattern",
    "commitMessagePattern",
    "committerEmailPattern",
    "tagNamePattern",
)
_OPERATORS = ("starts_with", "ends_with", "contains", "regex")
_MERGES = ("merge", "squash", "rebase")
_RANGES = {
    ("rules", "pullRequest", "requiredApprovingReviewCount"): (0, 10),
    ("rules", "maxFileSize", "maxFileSize"): (1, 100),
    ("rules", "maxFilePathLength", "maxFilePathLength"): (1, 32767),
    ("rules", "mergeQueue", "checkResponseTimeoutMinutes"): (0, 360),
    ("rules", "mergeQueue", "maxEntriesToBuild"): (0, 100),
    ("rules", "mergeQueue", "maxEntriesToMerge"): (0, 100),
}
_NOT_EMPTY = (
    ("rules", "requiredStatusChecks", "requiredChecks"),
    ("rules", "filePathRestriction", "restrictedFilePaths"),
    ("rules", "fileExtensionRestriction", "restrictedFileExtensions"),
    ("rules", "pullRequest", "allowedMergeMethods"),
)
_LONGEST_NAME = 100
_WITHOUT_ID = frozenset({"OrganizationAdmin", "DeployKey", "EnterpriseOwner"})
_PREFIXES = {"branch": ("refs/heads/", "~DEFAULT_BRANCH", "~ALL"), "tag": ("refs/tags/", "~ALL")}


def _failures(actors: tuple[str, ...]) -> Callable[[Properties], Iterator[Failure]]:
    def found(properties: Properties) -> Iterator[Failure]:
        name = text(properties, "name")
        if len(name) > _LONGEST_NAME:
            yield Failure("name", f"expected length of name to be in the range (1 - {_LONGEST_NAME})")
        yield from one_of(properties, "target", ("branch", "tag", "push"))
        yield from one_of(properties, "enforcement", ("disabled", "active", "evaluate"))
        for index, actor in enumerate(objects(properties.get("bypassActors"))):
            for member, allowed in (("actorType", actors), ("bypassMode", _MODES)):
                value = text(actor, member)
                if value and not is_unknown(value) and value not in allowed:
                    yield Failure(f"bypassActors[{index}].{member}", f"expected one of {list(allowed)}, got {value}")
        yield from _rule_failures(properties)
        yield from _condition_failures(properties)

    return found


def _rule_failures(properties: Properties) -> Iterator[Failure]:
    rules, target = properties.get("rules"), text(properties, "target")
    held = [name for name, value in rules.items() if value not in (False, [], {})] if isinstance(rules, dict) else []
    for name in held:
        if target in ("branch", "tag", "push") and (name in _PUSH_RULES) != (target == "push"):
            yield Failure(f"rules.{name}", f"this rule is not valid for {target} target")
    for pattern in _METADATA:
        yield from one_of(properties, f"rules.{pattern}.operator", _OPERATORS)
    if {"branchNamePattern", "tagNamePattern"} <= set(held):
        yield Failure("rules.branchNamePattern", "conflicts with rules.tagNamePattern")
    yield from _value_failures(properties)


def _value_failures(properties: Properties) -> Iterator[Failure]:
    for path, (lowest, highest) in _RANGES.items():
        value = at(properties, path)
        if isinstance(value, int) and not lowest <= value <= highest:
            yield Failure(".".join(path), f"expected to be in the range ({lowest} - {highest}), got {value}")
    for path in _NOT_EMPTY:
        if at(properties, path) == []:
            yield Failure(".".join(path), "requires 1 item minimum, but config has only 0 declared")
    for method in at(properties, ("rules", "pullRequest", "allowedMergeMethods")) or ():
        if method not in _MERGES and not is_unknown(method):
            yield Failure("rules.pullRequest.allowedMergeMethods", f"expected one of {list(_MERGES)}, got {method}")


def _condition_failures(properties: Properties) -> Iterator[Failure]:
    conditions, target = properties.get("conditions"), text(properties, "target")
    if not isinstance(conditions, dict):
        return
    if target == "push" and conditions.get("refName"):
        yield Failure("conditions.refName", "ref_name must not be set for push target")
    if target in ("branch", "tag") and not conditions.get("refName"):
        yield Failure("conditions.refName", f"ref_name must be set for {target} target")


def _organization_failures(properties: Properties) -> Iterator[Failure]:
    yield from _failures(_ORGANIZATION_ACTORS)(properties)
    conditions = properties.get("conditions")
    if isinstance(conditions, dict):
        given = [name for name in ("repositoryName", "repositoryIds", "repositoryProperty") if conditions.get(name)]
        if len(given) != 1:
            yield Failure("conditions", "exactly one of repository_name, repository_id, repository_property is needed")


def _teams(properties: Properties) -> Iterator[Reference]:
    for actor in objects(properties.get("bypassActors")):
        if actor.get("actorType") == "Team":
            missing = _invalid(properties, "Actor Team must be part of the ruleset source or owner organization")
            yield team_reference(text(actor, "actorId"), missing, WhenGone.STAYS)


def _of_repository(properties: Properties) -> Iterator[Reference]:
    yield from of_repository(properties)
    yield from _teams(properties)
    repository = text(properties, "repository")
    for name in at(properties, ("rules", "requiredDeployments", "requiredDeploymentEnvironments")) or ():
        missing = _invalid(properties, f"Invalid rule 'required_deployments': no environment {name}")
        yield Reference(ENVIRONMENT, (repository.lower(), str(name)), missing, WhenGone.STAYS)


def _path(properties: Properties) -> str:
    repository = text(properties, "repository")
    return f"repos/{OWNER}/{repository}/rulesets" if repository else f"orgs/{OWNER}/rulesets"


def _invalid(properties: Properties, said: str) -> str:
    return refused("POST", _path(properties), 422, f"Validation Failed [{said}]")


def _refusals(draft: Draft) -> Iterator[str]:
    asked = draft.asked
    if asked.get("enforcement") == "evaluate" and of_account(draft, "plan") != "enterprise":
        yield _invalid(asked, "Enforcement evaluate option is not supported on this plan")
    if of_account(draft, "plan") != "enterprise" and any(name in asked.get("rules", {}) for name in _METADATA):
        yield _invalid(asked, "Metadata restrictions are not supported on this plan")
    target = text(asked, "target")
    refs: Any = at(asked, ("conditions", "refName")) or {}
    if target != "push" and not refs.get("includes"):
        yield _invalid(asked, "Conditions ref_name include can't be blank")
    for ref in [*(refs.get("includes") or ()), *(refs.get("excludes") or ())]:
        if not str(ref).startswith(_PREFIXES.get(target, "")):
            yield _invalid(asked, f"Invalid target patterns: '{ref}'")
    for actor in objects(asked.get("bypassActors")):
        kind = actor.get("actorType")
        if kind not in _WITHOUT_ID and not actor.get("actorId"):
            yield _invalid(asked, f"Actor {kind} needs an id")
        if kind == "DeployKey" and actor.get("bypassMode") == "pull_request":
            yield _invalid(asked, "Bypass mode pull_request is not applicable for DeployKey")


def _repository_refusals(draft: Draft) -> Iterator[str]:
    yield from upgrade(draft, _path(draft.asked))
    if draft.parent.get("visibility") == "public" and draft.asked.get("target") == "push":
        yield _invalid(draft.asked, "Push rulesets are only available for private and internal repositories")
    yield from _refusals(draft)


def _organization_refusals(draft: Draft) -> Iterator[str]:
    if of_account(draft, "plan") == "free":
        yield refused("POST", _path(draft.asked), 403, "Upgrade to GitHub Team to enable this feature.")
    if not draft.asked.get("conditions"):
        yield _invalid(draft.asked, "Conditions can't be blank")
    yield from _refusals(draft)


def _exists(identity: Identity) -> str:
    where = f"repos/{OWNER}/{identity[0]}" if len(identity) > 1 else f"orgs/{OWNER}"
    return invalid("POST", f"{where}/rulesets", "Ruleset", "name", f"Name must be unique ({identity[-1]})")


def _fill(draft: Draft) -> Properties:
    return {"rulesetId": int(draft.id), "nodeId": f"RRS_{draft.id}", "etag": f'W/"{draft.id}"'}


_UNORDERED = paths("bypassActors", "rules.requiredStatusChecks.requiredChecks")

KINDS = {
    "github:index/repositoryRuleset:RepositoryRuleset": in_repository(
        _of_repository,
        _repository_refusals,
        identity=lambda properties: (text(properties, "repository").lower(), text(properties, "name")),
        make_id=number,
        import_ids=lambda properties: [f"{text(properties, 'repository')}:{text(properties, 'rulesetId')}"],
        duplicate=_exists,
        validate=_failures(_REPOSITORY_ACTORS),
        fill=_fill,
        unordered=_UNORDERED,
    ),
    "github:index/organizationRuleset:OrganizationRuleset": Kind(
        identity=lambda properties: (text(properties, "name"),),
        make_id=number,
        duplicate=_exists,
        references=with_account(_teams),
        validate=_organization_failures,
        refusals=_organization_refusals,
        fill=_fill,
        unordered=_UNORDERED,
    ),
}
