"""Pinecone: the Admin API, the control plane of each project, and the login that gives tokens for the first."""

from __future__ import annotations

from starlette.responses import Response

from sandbox.http import ApiError, Routes
from sandbox.pinecone import access, admin, backups, indexes, schedules
from sandbox.platform import Platform


def _failure(status: int, message: str) -> Response:
    return access.render(ApiError(status, message))


_login = Routes("pinecone", access.admit_administrator, access.render_login)
_admin = Routes("pinecone", access.admit_administrator, access.render)
_control = Routes("pinecone", access.admit_program(access.DATABASE_VERSIONS), access.render)
_scheduled = Routes("pinecone", access.admit_program(access.SCHEDULE_VERSIONS), access.render)

PLATFORM = Platform(
    name="pinecone",
    title="Pinecone",
    routes=[
        _login("/oauth/token", public=True, POST=access.create_token),
        _admin("/admin/organizations", GET=admin.list_organizations),
        _admin("/admin/organizations/{id}", GET=admin.read_organization, PATCH=admin.update_organization),
        _admin("/admin/projects", GET=admin.list_projects, POST=admin.create_project),
        _admin(
            "/admin/projects/{project}",
            GET=admin.read_project,
            PATCH=admin.update_project,
            DELETE=admin.delete_project,
        ),
        _admin("/admin/projects/{project}/api-keys", GET=admin.list_keys, POST=admin.create_key),
        _admin("/admin/api-keys/{key}", GET=admin.read_key, PATCH=admin.update_key, DELETE=admin.delete_key),
        _control("/indexes", GET=indexes.list_indexes, POST=indexes.create_index),
        _control("/indexes/create-for-model", POST=indexes.create_index_for_model),
        _control(
            "/indexes/{index}",
            GET=indexes.read_index,
            PATCH=indexes.configure_index,
            DELETE=indexes.delete_index,
        ),
        _control("/indexes/{index}/backups", GET=backups.list_backups_of_index, POST=backups.create_backup),
        _control("/backups", GET=backups.list_backups),
        _control("/backups/{backup}", GET=backups.read_backup, DELETE=backups.delete_backup),
        _control("/backups/{backup}/create-index", POST=backups.create_index_from_backup),
        _control("/restore-jobs", GET=backups.list_restore_jobs),
        _control("/restore-jobs/{job}", GET=backups.read_restore_job),
        _control("/collections", GET=backups.list_collections, POST=backups.create_collection),
        _control("/collections/{collection}", GET=backups.read_collection, DELETE=backups.delete_collection),
        _scheduled("/indexes/{index}/backup-schedules", GET=schedules.list_schedules, POST=schedules.create_schedule),
        _scheduled(
            "/backup-schedules/{schedule}",
            GET=schedules.read_schedule,
            PATCH=schedules.update_schedule,
            DELETE=schedules.delete_schedule,
        ),
    ],
    failure=_failure,
    credentials={
        "PINECONE_API_URL": "{url}",
        "PINECONE_LOGIN_URL": "{url}",
        "PINECONE_CLIENT_ID": access.CLIENT_ID,
        "PINECONE_CLIENT_SECRET": access.CLIENT_SECRET,
        "PINECONE_API_KEY": access.control_key("{stage}"),
    },
    secret=frozenset({"PINECONE_CLIENT_SECRET", "PINECONE_API_KEY"}),
    simulated=(
        "a project for each stage, API keys with their roles, serverless and pod indexes, backups, restores, collections "
        "and backup schedules, with the limits of the plan Standard; no vectors, no searches"
    ),
)
