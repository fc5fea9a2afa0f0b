"""Gong: whether the key is taken and may read what the stack looks at, and whether that is still there.

A key's age Gong does not tell, nor what is left of the day's requests: a check costs one request for each kind of thing that
the stack has.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from health.base import Answer, Credential, Health, Probe, Problem, Reading, Service, Subject
from providers.gong_calls import GONG

KEY, SECRET = "GONG_ACCESS_KEY", "GONG_ACCESS_KEY_SECRET"
_WORKSPACE = "pulumi-python:dynamic/gong:Workspace"
_USER = "pulumi-python:dynamic/gong:User"
_TRACKER = "pulumi-python:dynamic/gong:Tracker"
_SCORECARD = "pulumi-python:dynamic/gong:Scorecard"
_PROFILE = "pulumi-python:dynamic/gong:PermissionProfile"
_A_PAGE = 100
"""So many users come in one answer: those that settings name are fewer."""


def _workspaces(answer: Answer) -> Reading:
    """The workspaces of the settings are among those that the key sees, also before the first deployment."""
    seen = {str(one["name"]) for one in answer.document["workspaces"]}
    wanted: Mapping[str, Any] = answer.subject.settings.get("workspaces") or {}
    return Reading(
        tuple(
            Problem(
                f"there is no workspace {entry['name']}; the key sees {', '.join(sorted(seen)) or 'none'}",
                "make or rename it in Gong, or correct the name: `sophia up` needs it",
                f"sophia-ai:gong.workspaces.{key}",
            )
            for key, entry in wanted.items()
            if entry["name"] not in seen
        )
    )


def _first_workspace(subject: Subject) -> str:
    return subject.of_type(_WORKSPACE)[0].id


def _profiles(answer: Answer) -> Reading:
    """Those of one workspace: that the key may read profiles at all is what this proves."""
    live, workspace = {str(one["id"]) for one in answer.document["profiles"]}, _first_workspace(answer.subject)
    do = "`sophia refresh`, then `sophia up`, which makes it again; people must be put into it in Gong"
    return Reading(
        tuple(
            Problem(
                f"the permission profile {one.name} is not there any more", do, f"sophia-ai:gong.profiles.{one.name}"
            )
            for one in answer.subject.of_type(_PROFILE)
            if one.outputs.get("workspace") == workspace and one.id not in live
        )
    )


def _users(answer: Answer) -> Reading:
    """Whoever the stack counts on still has a seat, and uses it."""
    live = {str(one["id"]): one for one in answer.document["users"]}
    problems = []
    for user in answer.subject.of_type(_USER)[:_A_PAGE]:
        shown, who = live.get(user.id), user.outputs.get("email")
        if shown is None or (user.outputs.get("active") and not shown.get("active")):
            said = f"{who} is {'not there' if shown is None else 'not active'} any more"
            do = "name somebody else who is responsible, or have an administrator activate them in Gong"
            problems.append(Problem(said, do, f"sophia-ai:gong.users.{user.name}", "degraded"))
    return Reading(tuple(problems))


def _there(type_: str, items: str, identity: str, setting: str) -> Callable[[Answer], Reading]:
    """What the state knows is in the list ``items``, whose objects show their ids as ``identity``."""

    def read(answer: Answer) -> Reading:
        live = {str(one[identity]) for one in answer.document[items]}
        return Reading(
            tuple(
                Problem(
                    f"{resource.outputs.get('name')} is not there any more",
                    "somebody has removed it in Gong: make it again there, then `sophia refresh` and `sophia up`",
                    f"sophia-ai:gong.{setting}.{resource.name}",
                    "degraded",
                )
                for resource in answer.subject.of_type(type_)
                if resource.id not in live
            )
        )

    return read


def _has(*types: str) -> Callable[[Subject], bool]:
    return lambda subject: all(subject.of_type(type_) for type_ in types)


HEALTH = Health(
    platform="gong",
    title="Gong",
    service=replace(Service.of(GONG, status_page="https://status.gong.io"), pause=0.5),
    probes=(
        Probe("key and workspaces", "/v2/workspaces", credentials=(KEY, SECRET), read=_workspaces),
        Probe(
            "permission profiles",
            lambda subject: f"/v2/all-permission-profiles?workspaceId={_first_workspace(subject)}",
            credentials=(KEY, SECRET),
            read=_profiles,
            needed=_has(_WORKSPACE, _PROFILE),
        ),
        Probe(
            "users",
            "/v2/users/extensive",
            method="POST",
            body=lambda subject: {"filter": {"userIds": [user.id for user in subject.of_type(_USER)][:_A_PAGE]}},
            credentials=(KEY, SECRET),
            read=_users,
            needed=_has(_USER),
        ),
        Probe(
            "trackers",
            "/v2/settings/trackers",
            credentials=(KEY, SECRET),
            read=_there(_TRACKER, "keywordTrackers", "trackerId", "trackers"),
            needed=_has(_TRACKER),
        ),
        Probe(
            "scorecards",
            "/v2/settings/scorecards",
            credentials=(KEY, SECRET),
            read=_there(_SCORECARD, "scorecards", "scorecardId", "scorecards"),
            needed=_has(_SCORECARD),
        ),
    ),
    credentials=(
        Credential(
            SECRET,
            "by hand: Gong, Admin center, API, another key with its secret; both into ESC, then the old one is deleted "
            "there. Both work meanwhile",
            by_api=False,
        ),
    ),
    identifiers=(KEY,),
)
