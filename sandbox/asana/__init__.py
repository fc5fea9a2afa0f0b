"""Asana's REST API 1.0: where work is put, a workspace for each stage."""

from __future__ import annotations

from starlette.responses import Response

from sandbox.asana import access, custom_fields, places, tasks, webhooks
from sandbox.http import ApiError, Routes
from sandbox.platform import Platform


def _failure(status: int, message: str) -> Response:
    return access.render(ApiError(status, message))


_routes = Routes("asana", access.admit, access.render)

PLATFORM = Platform(
    name="asana",
    title="Asana",
    routes=[
        _routes("/workspaces", GET=places.list_workspaces),
        _routes("/workspaces/{gid}", GET=places.read_workspace),
        _routes("/workspaces/{gid}/teams", GET=places.list_teams),
        _routes("/workspaces/{gid}/custom_fields", GET=custom_fields.list_fields),
        _routes("/workspaces/{gid}/tags", GET=tasks.list_tags_of_workspace, POST=tasks.create_tag),
        _routes("/workspaces/{gid}/tasks/search", GET=tasks.search_tasks),
        _routes("/users", GET=places.list_users),
        _routes("/users/{gid}", GET=places.read_user),
        _routes("/teams", POST=places.create_team),
        _routes("/teams/{gid}", GET=places.read_team, PUT=places.update_team),
        _routes("/projects", GET=places.list_projects, POST=places.create_project),
        _routes("/projects/{gid}", GET=places.read_project, PUT=places.update_project, DELETE=places.delete_project),
        _routes("/projects/{gid}/sections", GET=places.list_sections, POST=places.create_section),
        _routes("/projects/{gid}/sections/insert", POST=places.insert_section),
        _routes("/projects/{gid}/tasks", GET=tasks.list_tasks_of_project),
        _routes("/projects/{gid}/custom_field_settings", GET=custom_fields.list_settings),
        _routes("/projects/{gid}/addCustomFieldSetting", POST=custom_fields.add_setting),
        _routes("/projects/{gid}/removeCustomFieldSetting", POST=custom_fields.remove_setting),
        _routes("/sections/{gid}", GET=places.read_section, PUT=places.update_section, DELETE=places.delete_section),
        _routes("/sections/{gid}/tasks", GET=tasks.list_tasks_of_section),
        _routes("/sections/{gid}/addTask", POST=tasks.add_task),
        _routes("/memberships", GET=places.list_memberships, POST=places.create_membership),
        _routes(
            "/memberships/{gid}",
            GET=places.read_membership,
            PUT=places.update_membership,
            DELETE=places.delete_membership,
        ),
        _routes("/custom_fields", POST=custom_fields.create_field),
        _routes(
            "/custom_fields/{gid}",
            GET=custom_fields.read_field,
            PUT=custom_fields.update_field,
            DELETE=custom_fields.delete_field,
        ),
        _routes("/custom_fields/{gid}/enum_options", POST=custom_fields.create_option),
        _routes("/custom_fields/{gid}/enum_options/insert", POST=custom_fields.insert_option),
        _routes("/enum_options/{gid}", PUT=custom_fields.update_option),
        _routes("/tags", GET=tasks.list_tags, POST=tasks.create_tag),
        _routes("/tags/{gid}", GET=tasks.read_tag, PUT=tasks.update_tag, DELETE=tasks.delete_tag),
        _routes("/tasks", GET=tasks.list_tasks, POST=tasks.create_task),
        _routes("/tasks/{gid}", GET=tasks.read_task, PUT=tasks.update_task, DELETE=tasks.delete_task),
        _routes("/webhooks", GET=webhooks.list_webhooks, POST=webhooks.create_webhook),
        _routes(
            "/webhooks/{gid}",
            GET=webhooks.read_webhook,
            PUT=webhooks.update_webhook,
            DELETE=webhooks.delete_webhook,
        ),
    ],
    failure=_failure,
    credentials={"ASANA_BASE_URL": "{url}", "ASANA_ACCESS_TOKEN": access.access_token("{stage}")},
    secret=frozenset({"ASANA_ACCESS_TOKEN"}),
    simulated=(
        "teams, projects with members and sections in order, custom fields with options, tags, tasks, plans, pages and "
        "opt_fields; webhooks with the handshake in flight and signed events of tasks; no rules, portfolios or goals"
    ),
)
