"""Teams, who is in them, and what they may do with repositories."""

from __future__ import annotations

from collections.abc import Iterator

from sandbox.official.behaviour import Draft, Identity, Kind, Reference, paths, text
from sandbox.official.github.names import (
    API,
    OWNER,
    TEAM,
    in_repository,
    invalid,
    no_references,
    objects,
    of_account,
    of_repository,
    one_of,
    refused,
    slug_of,
    team_number,
    team_reference,
    with_account,
)
from sandbox.official.types import Failure
from sandbox.official.values import Properties, is_unknown

_PERMISSIONS = ("pull", "triage", "push", "maintain", "admin")
_ROLES = ("member", "maintainer")


def _slug(properties: Properties) -> str:
    return slug_of(text(properties, "name"))


def _parent(properties: Properties) -> Iterator[Reference]:
    if parent := text(properties, "parentTeamId"):
        yield team_reference(parent)


def _fill(draft: Draft) -> Properties:
    child = bool(text(draft.asked, "parentTeamId"))
    return {
        "slug": _slug(draft.asked),
        "nodeId": f"T_{draft.id}",
        "membersCount": 0,
        "privacy": "secret",
        "notificationSetting": "notifications_enabled",
        "parentTeamReadId": text(draft.asked, "parentTeamId"),
        "parentTeamReadSlug": text(draft.parent, "slug") if child else "",
    }


def _failures(properties: Properties) -> Iterator[Failure]:
    yield from one_of(properties, "privacy", ("secret", "closed"))
    yield from one_of(properties, "notificationSetting", ("notifications_enabled", "notifications_disabled"))


def _refusals(draft: Draft) -> Iterator[str]:
    path = f"orgs/{OWNER}/teams"
    if text(draft.asked, "parentTeamId"):
        if draft.asked.get("privacy", "secret") != "closed":
            yield invalid("POST", path, "Team", "privacy", "A nested team must be visible: privacy is closed")
        if draft.parent.get("privacy", "secret") != "closed":
            yield invalid("POST", path, "Team", "parent_team_id", "The parent team must be visible: privacy is closed")
        if text(draft.asked, "parentTeamId") == draft.id:
            yield invalid("PATCH", path, "Team", "parent_team_id", "A team cannot be its own parent")


def _exists(identity: Identity) -> str:
    said = f"Name must be unique for this org ({identity[0]})"
    return invalid("POST", f"orgs/{OWNER}/teams", "Team", "name", said)


def _named(properties: Properties) -> str:
    """The team that a list of members is about: its slug or its id."""
    return text(properties, "teamSlug") or text(properties, "teamId")


def _members_failures(properties: Properties) -> Iterator[Failure]:
    if ("teamSlug" in properties) == ("teamId" in properties):
        yield Failure("teamSlug", "one of `team_id,team_slug` must be specified, and only one")
    for index, member in enumerate(objects(properties.get("members"))):
        role = member.get("role", "member")
        if role not in _ROLES and not is_unknown(role):
            yield Failure(f"members[{index}].role", f"expected role to be one of {list(_ROLES)}, got {role}")


def _strangers(draft: Draft) -> Iterator[str]:
    known = of_account(draft, "members")
    asked = [text(member, "username") for member in objects(draft.asked.get("members"))]
    for login in [*asked, *filter(None, [text(draft.asked, "username")])]:
        if known is not None and login.lower() not in {str(one).lower() for one in known}:
            path = f"orgs/{OWNER}/teams/{_named(draft.asked)}/memberships/{login}"
            yield refused("PUT", path, 404, "Not Found")


def _members_id(properties: Properties) -> str:
    named = _named(properties)
    return named if named.isdecimal() else team_number(named)


def _permission_refusals(draft: Draft) -> Iterator[str]:
    permission = text(draft.asked, "permission")
    if permission and permission not in _PERMISSIONS:
        path = f"orgs/{OWNER}/teams/{text(draft.asked, 'teamId')}/repos/{OWNER}/{text(draft.asked, 'repository')}"
        yield f"PUT {API}/{path}: 422 Invalid permission: '{permission}' is no role of this organization"


def _of_repository_and_team(properties: Properties) -> Iterator[Reference]:
    yield from of_repository(properties)
    yield team_reference(text(properties, "teamId"))


KINDS = {
    TEAM: Kind(
        identity=lambda properties: (_slug(properties),),
        make_id=lambda properties: team_number(_slug(properties)),
        aliases=lambda properties: [(text(properties, "nodeId").removeprefix("T_"),)],
        import_ids=lambda properties: [_slug(properties), text(properties, "name")],
        duplicate=_exists,
        references=with_account(_parent),
        validate=_failures,
        refusals=_refusals,
        fill=_fill,
    ),
    "github:index/teamMembers:TeamMembers": Kind(
        identity=lambda properties: (_named(properties).lower(),),
        make_id=_members_id,
        import_ids=lambda properties: [_named(properties)],
        duplicate=None,
        references=with_account(lambda properties: [team_reference(_named(properties))]),
        validate=_members_failures,
        refusals=_strangers,
        replaces=paths("teamId"),
        unordered=paths("members"),
    ),
    "github:index/teamMembership:TeamMembership": Kind(
        identity=lambda properties: (text(properties, "teamId"), text(properties, "username").lower()),
        make_id=lambda properties: f"{text(properties, 'teamId')}:{text(properties, 'username')}",
        duplicate=None,
        references=with_account(lambda properties: [team_reference(text(properties, "teamId"))]),
        validate=lambda properties: one_of(properties, "role", _ROLES),
        refusals=_strangers,
        replaces=paths("teamId", "username"),
        fill=lambda _: {"role": "member"},
    ),
    "github:index/teamRepository:TeamRepository": in_repository(
        _of_repository_and_team,
        _permission_refusals,
        identity=lambda properties: (text(properties, "teamId"), text(properties, "repository").lower()),
        make_id=lambda properties: f"{text(properties, 'teamId')}:{text(properties, 'repository')}",
        replaces=paths("teamId", "repository"),
        fill=lambda _: {"permission": "pull"},
    ),
    "github:index/membership:Membership": Kind(
        identity=lambda properties: (text(properties, "username").lower(),),
        make_id=lambda properties: f"{OWNER}:{text(properties, 'username')}",
        duplicate=None,
        references=with_account(no_references),
        validate=lambda properties: one_of(properties, "role", ("member", "admin")),
        refusals=_strangers,
        replaces=paths("username"),
        fill=lambda _: {"role": "member"},
    ),
}
