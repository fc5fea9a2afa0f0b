"""Permission profiles. A PUT replaces the whole profile: what it leaves out is off afterwards. There is no deletion.

What Gong's description says of members that exclude each other is enforced; whether names are unique it does not say, and
they are not here, as is worse for whoever makes them.
"""

from __future__ import annotations

import secrets
from typing import Annotated, Any, Literal, Self

from pydantic import Field, create_model, model_validator
from starlette.responses import Response

from sandbox.gong import access
from sandbox.http import ApiError, Body, Call
from sandbox.store import Document

Level = Literal["all", "managers-team", "report-to-them", "own", "none"]


class Access(Body):
    permissionLevel: Level  # noqa: N815 - Gong's names, here and below
    teamLeadIds: list[str] | None = None  # noqa: N815

    @model_validator(mode="after")
    def _leads_with_teams(self) -> Self:
        if self.teamLeadIds and self.permissionLevel != "managers-team":
            raise ValueError("teamLeadIds populate the managers-team permission level only")
        return self


class Library(Body):
    permissionLevel: Literal["none", "all", "specific-folders"]  # noqa: N815
    libraryFolderIds: list[str] | None = None  # noqa: N815
    managePublicFolder: bool | None = None  # noqa: N815
    manageStreams: bool | None = None  # noqa: N815
    manageFolderCalls: bool | None = None  # noqa: N815
    shareFoldersAndStreams: bool | None = None  # noqa: N815

    @model_validator(mode="after")
    def _nothing_beside_none(self) -> Self:
        if self.permissionLevel == "none" and len(self.sent()) > 1:
            raise ValueError('permissionLevel must not be "none" if others are set')
        return self


class Forecast(Body):
    forecastAccess: Access | None = None  # noqa: N815
    forecastEditSubmissions: Access | None = None  # noqa: N815
    forecastEditTargets: Access | None = None  # noqa: N815


_ACCESSES = ("callsAccess", "dealsAccess", "coachingAccess", "insightsAccess", "usageAccess", "emailsAccess")
_FORECASTS = tuple(Forecast.model_fields)
FLAGS = (
    "scoreCalls", "overrideScore", "downloadCallMedia", "shareCallsWithCustomers", "manuallyScheduleAndUploadCalls",
    "privateCalls", "deleteCalls", "trimCalls", "listenInCalls", "deleteEmails", "callsAndSearch", "library", "deals",
    "createEditAndDeleteDealsBoards", "dealsInlineEditing", "account", "coaching", "usage", "teamStats",
    "initiatives", "market", "activity", "forecast", "forecastManage", "engageManageCompanyTemplates",
    "engageManageCompanySequences", "engageCreateAndManageRulesets", "engageSnoozeFlowToDosForOthers",
    "engageAllowCrmFieldsViewChange", "viewEngageAnalyticsActivity", "viewEngageAnalyticsPerformance",
    "viewEngageAnalyticsFlows", "manageGeneralBusinessSettings", "manageScorecards",
    "exportCallsAndCoachingDataToCSV", "crmDataInlineEditing", "crmDataImport", "viewRevenueAnalytics",
    "manageRevenueAnalytics", "engageReassignFlowToDosToOthers", "engageAssignFlowToDosToOthers", "dealsDataExport",
    "aiBuilder", "orchestrateCreateAndManagePlays",
)  # fmt: skip
"""What a profile allows or not."""

_MEMBERS: dict[str, Any] = {
    "id": (str | None, None),
    "name": (Annotated[str, Field(min_length=1)], ...),
    "description": (str | None, None),
    "libraryFolderAccess": (Library | None, None),
    "forecastPermissions": (Forecast | None, None),
    **dict.fromkeys(_ACCESSES, (Access | None, None)),
    **dict.fromkeys(FLAGS, (bool | None, None)),
}
Profile = create_model("Profile", __base__=Body, **_MEMBERS)


def list_profiles(call: Call) -> Response:
    """In the alphabetical order of their names."""
    found = call.store.all("profile", workspaceId=_workspace(call))
    return access.told(profiles=[_shown(one) for one in sorted(found, key=lambda one: str(one["name"]))])


def read_profile(call: Call) -> Response:
    return access.told(profile=_shown(_found(call)))


def create_profile(call: Call) -> Response:
    """Something that contradicts itself cannot be processed: 422."""
    workspace, wanted = _workspace(call), access.sent(call, Profile, 422)
    profile = _whole(call, workspace, wanted, 422) | {"id": f"61{secrets.randbelow(10**17):017}"}
    return access.told(profile=_shown(call.store.put("profile", profile["id"], profile)))


def replace_profile(call: Call) -> Response:
    """By what is sent, and nothing of what was there."""
    profile, wanted = _found(call), access.sent(call, Profile)
    if wanted.sent().get("id") not in (None, profile["id"]):
        raise ApiError(400, f"Invalid argument - id: {wanted.sent()['id']} is not the profile's")
    profile = _whole(call, profile["workspaceId"], wanted, 400) | {"id": profile["id"]}
    return access.told(profile=_shown(call.store.put("profile", profile["id"], profile)))


def list_users(call: Call) -> Response:
    """Those whom people gave the profile, which no call does: ``profiles`` of a user of the sandbox."""
    profile = _found(call)["id"]
    members = [one for one in call.store.all("user") if profile in one.get("profiles", ())]
    shown = [
        {
            "id": one["id"],
            "fullName": f"{one['firstName']} {one['lastName']}",
            "emailAddress": one["emailAddress"],
        }
        for one in members
    ]
    return access.told(users=shown)


def _workspace(call: Call) -> str:
    workspace = access.asked(call, "workspaceId")
    if call.store.latest.get("workspace", workspace) is None:
        raise ApiError(400, f"Invalid argument - workspaceId: no workspace {workspace}")
    return workspace


def _found(call: Call) -> Document:
    """Gong's description has no 404 here."""
    id_ = access.asked(call, "profileId")
    profile = call.store.get("profile", id_)
    if profile is None:
        raise ApiError(400, f"Invalid argument - profileId: no permission profile {id_}")
    return profile


def _whole(call: Call, workspace: str, wanted: Body, status: int) -> Document:
    """A profile with all of its members; whom and what it refers to must be there."""
    nobody: Document = {"permissionLevel": "none"}
    given = wanted.model_dump(mode="json", exclude_none=True)
    profile: Document = {
        "description": "",
        **dict.fromkeys(FLAGS, False),
        **dict.fromkeys([*_ACCESSES, "libraryFolderAccess"], nobody),
        **given,
        "forecastPermissions": {**dict.fromkeys(_FORECASTS, nobody), **given.get("forecastPermissions", {})},
        "workspaceId": workspace,
    }
    accesses = [profile[name] for name in _ACCESSES] + list(profile["forecastPermissions"].values())
    _refer(call, "user", [id_ for one in accesses for id_ in one.get("teamLeadIds") or ()], status)
    folders = profile["libraryFolderAccess"].get("libraryFolderIds") or ()
    _refer(call, "folder", [*folders], status, workspaceId=workspace)
    return profile


def _refer(call: Call, kind: str, ids: list[str], status: int, **where: str) -> None:
    known = {str(one["id"]) for one in call.store.latest.all(kind, **where)}
    for id_ in ids:
        if id_ not in known:
            raise ApiError(status, f"Invalid argument - no {kind} {id_}")


def _shown(profile: Document) -> Document:
    return {name: value for name, value in profile.items() if name != "workspaceId"}
