"""Gong: permission profiles; and that the workspaces, users, trackers, scorecards, library folders and the CRM integration
which people make there are as a stack counts on them.

Source of facts: Gong's OpenAPI description (``gong_openapi_v2.json``). What takes more than one request is in
``providers/gong_calls.py``, the inputs are in ``providers/gong_inputs.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from providers import base
from providers.base import Calls, Inputs, Json, Kind, Within
from providers.gong_calls import CREATE_PROFILE, GONG, PROFILES, USERS, ReadProfile, ReplaceProfile, listing
from providers.gong_inputs import (
    PERMISSIONS,
    CrmIntegrationInputs,
    LibraryFolderInputs,
    PermissionProfileInputs,
    ProfileMemberInputs,
    ScorecardInputs,
    TrackerInputs,
    UserInputs,
    WorkspaceInputs,
    permission_on_the_wire,
)

_OR_ELSE = "or say in this setting what it is there; another one goes under another key"


class Workspace(base.Resource):
    """A workspace of the company, which an administrator has made."""

    kind = base.asserted(
        api=GONG,
        title="workspace",
        setting="workspaces",
        inputs=WorkspaceInputs,
        listing=listing("/v2/workspaces", "workspaces"),
        identity="id",
        natural_key=("name",),
        show="name",
        do=f"an administrator makes or renames it in Gong (Admin center, Settings, Workspaces), {_OR_ELSE}",
    )


def _user_shown(document: Json) -> Json:
    """What is recorded and imported of a user stands among the user's settings."""
    settings = document.get("settings") or {}
    return {**document, **settings, "emailAddress": str(document.get("emailAddress", "")).lower()}


class User(base.Resource):
    """Somebody with a seat in Gong, by the address. Who has one, people and their directory (SCIM) say."""

    kind = base.asserted(
        api=GONG,
        title="user",
        setting="users",
        inputs=UserInputs,
        listing=USERS,
        identity="id",
        natural_key=("email",),
        decode=_user_shown,
        show="emailAddress",
        do=f"an administrator invites or changes them in Gong (Admin center, People, Team members), {_OR_ELSE}",
    )


def _tracker_shown(document: Json) -> Json:
    """Keywords by language; of those in two entries of one language, both."""
    keywords: dict[str, dict[str, bool]] = {}
    for entry in document.get("languageKeywords") or []:
        keywords.setdefault(str(entry.get("language")), {}).update(dict.fromkeys(entry.get("keywords") or [], True))
    return {**document, "keywords": keywords}


class Tracker(base.Resource):
    """A keyword tracker of a workspace. (Smart trackers, which are trained, no call shows.)"""

    kind = base.asserted(
        api=GONG,
        title="tracker",
        setting="trackers",
        inputs=TrackerInputs,
        # One list has those of all workspaces: a list for each would take as many of the day's requests.
        listing=listing("/v2/settings/trackers", "keywordTrackers"),
        identity="trackerId",
        natural_key=("name", "workspace"),
        beside=("workspace",),
        decode=_tracker_shown,
        show="trackerName",
        do=f"somebody who manages trackers makes or changes it in Gong (Admin center, Settings, Trackers), {_OR_ELSE}",
    )


def _scorecard_shown(document: Json) -> Json:
    """Ids of workspaces are numbers here, and texts everywhere else."""
    questions = [str(one.get("questionText")) for one in document.get("questions") or []]
    return {
        **document,
        "workspaceId": str(document.get("workspaceId")),
        "questions": dict.fromkeys(questions, True),
    }


class Scorecard(base.Resource):
    """A scorecard of a workspace, with which people or Gong's own AI score calls."""

    kind = base.asserted(
        api=GONG,
        title="scorecard",
        setting="scorecards",
        inputs=ScorecardInputs,
        listing=listing("/v2/settings/scorecards", "scorecards"),
        identity="scorecardId",
        natural_key=("name", "workspace"),
        beside=("workspace",),
        decode=_scorecard_shown,
        show="scorecardName",
        do=f"somebody who manages scorecards makes or changes it in Gong (Admin center, Settings, Scorecards), {_OR_ELSE}",
    )


class LibraryFolder(base.Resource):
    """A public folder of a workspace's library. Private and archived ones no call shows."""

    kind = base.asserted(
        api=GONG,
        title="library folder",
        setting="folders",
        inputs=LibraryFolderInputs,
        listing=listing("/v2/library/folders", "folders", workspaceId="{workspace}"),
        identity="id",
        natural_key=("name",),
        within=Within("workspace", Workspace.kind),
        show="name",
        do=f"somebody who manages the library makes it in Gong (Library), {_OR_ELSE}",
    )


class CrmIntegration(base.Resource):
    """The CRM integration that somebody has registered through the API. It is looked at, and never registered or deleted:
    Gong has room for one, a native one of HubSpot or Salesforce counts, and deleting it deletes all that it brought.
    """

    kind = base.asserted(
        api=GONG,
        title="CRM integration",
        setting="crm_integration",
        inputs=CrmIntegrationInputs,
        listing=listing("/v2/crm/integrations", "integrations"),
        identity="integrationId",
        natural_key=("name",),
        decode=lambda document: {**document, "ownerEmail": str(document.get("ownerEmail", "")).lower()},
        show="name",
        do=(
            "leave crm_integration out where Gong is connected to HubSpot or Salesforce itself; else whoever looks after "
            "the integration registers it (PUT /v2/crm/integrations), which no deployment does"
        ),
    )


def _profile_written(payload: Json, _wanted: Inputs) -> Json:
    """Each permission is a member of its own on the wire; the workspace stands in the address."""
    permissions: Mapping[str, bool] = payload.get("permissions") or {}
    others = {name: value for name, value in payload.items() if name not in ("permissions", "workspace")}
    return {**others, **{permission_on_the_wire(name): allowed for name, allowed in permissions.items()}}


def _profile_shown(document: Json) -> Json:
    shown: dict[str, Any] = {name: document.get(permission_on_the_wire(name)) for name in PERMISSIONS}
    return {**document, "permissions": {name: allowed for name, allowed in shown.items() if allowed is not None}}


class PermissionProfile(base.Resource):
    """A permission profile of a workspace: whose calls, deals and e-mails its members see, and what they may do.

    What the inputs do not name stays as people set it. Its description ends with the stack that manages it; names are
    not unique, so that two of one name are an error. Gong has no call to delete one: destroying it forgets it, with a
    warning. Who is in it, people say: Gong has no call for that either.
    """

    kind = Kind(
        api=GONG,
        title="permission profile",
        setting="profiles",
        inputs=PermissionProfileInputs,
        calls=Calls(
            create=CREATE_PROFILE,
            read=ReadProfile(),
            update=ReplaceProfile(),
            update_sends="whole",
            delete=base.StaysThere("permission profile"),
            listing=PROFILES,
        ),
        identity="id",
        natural_key=("name",),
        within=Within("workspace", Workspace.kind),
        mark="description",
        encode=_profile_written,
        decode=_profile_shown,
        irreplaceable="people are in it, who do not move with the setting: declare another profile under another key",
    )


class ProfileMember(base.Resource):
    """Somebody's being in a permission profile, by the address. Only people put others into one, or take them out."""

    kind = base.asserted(
        api=GONG,
        title="member of a profile",
        setting="profiles",
        inputs=ProfileMemberInputs,
        listing=listing("/v2/permission-profile/users", "users", profileId="{profile}"),
        identity="id",
        natural_key=("email",),
        within=Within("profile", PermissionProfile.kind),
        decode=_user_shown,
        show="emailAddress",
        do="an administrator gives them the profile in Gong (Admin center, People, Team members); or take them out here",
    )
