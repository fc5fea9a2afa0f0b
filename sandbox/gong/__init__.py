"""Gong's REST API 2: one company with a workspace for each stage, whose requests of a second and of a day are counted."""

from __future__ import annotations

from starlette.responses import Response

from sandbox.gong import access, company, crm, profiles
from sandbox.http import ApiError, Routes
from sandbox.platform import Platform


def _failure(status: int, message: str) -> Response:
    return access.render(ApiError(status, message))


_routes = Routes("gong", access.admit, access.render)

PLATFORM = Platform(
    name="gong",
    title="Gong",
    routes=[
        _routes("/v2/workspaces", GET=company.list_workspaces),
        _routes("/v2/users", GET=company.list_users),
        _routes("/v2/users/extensive", POST=company.find_users),
        _routes("/v2/users/{id}", GET=company.read_user),
        _routes("/v2/settings/trackers", GET=company.list_trackers),
        _routes("/v2/settings/scorecards", GET=company.list_scorecards),
        _routes("/v2/library/folders", GET=company.list_folders),
        _routes("/v2/all-permission-profiles", GET=profiles.list_profiles),
        _routes(
            "/v2/permission-profile",
            GET=profiles.read_profile,
            POST=profiles.create_profile,
            PUT=profiles.replace_profile,
        ),
        _routes("/v2/permission-profile/users", GET=profiles.list_users),
        _routes("/v2/crm/integrations", GET=crm.list_integrations, PUT=crm.register),
    ],
    failure=_failure,
    credentials={
        "GONG_BASE_URL": "{url}",
        "GONG_ACCESS_KEY": access.access_key("{stage}"),
        "GONG_ACCESS_KEY_SECRET": access.access_key_secret("{stage}"),
    },
    secret=frozenset({"GONG_ACCESS_KEY", "GONG_ACCESS_KEY_SECRET"}),
    simulated=(
        "permission profiles, replaced whole; workspaces, users in pages, trackers, scorecards, library folders, the one "
        "CRM integration; 3 requests a second and 10,000 a day; no calls, no automation rules"
    ),
)
