"""n8n's public API, an instance for each stage: what manages workflows, and not what runs them."""

from __future__ import annotations

from starlette.responses import Response

from sandbox.http import ApiError, Routes
from sandbox.n8n import access, credentials, others, workflows
from sandbox.platform import Platform


def _failure(status: int, message: str) -> Response:
    return access.render(ApiError(status, message))


_routes = Routes("n8n", access.admit, access.render)
_V1 = "/api/v1"

PLATFORM = Platform(
    name="n8n",
    title="n8n",
    routes=[
        _routes("/healthz", public=True, GET=others.is_well),
        _routes(f"{_V1}/workflows", GET=workflows.list_workflows, POST=workflows.create_workflow),
        _routes(
            f"{_V1}/workflows/{{id}}",
            GET=workflows.read_workflow,
            PUT=workflows.update_workflow,
            DELETE=workflows.delete_workflow,
        ),
        _routes(f"{_V1}/workflows/{{id}}/publish", POST=workflows.publish_workflow),
        _routes(f"{_V1}/workflows/{{id}}/unpublish", POST=workflows.unpublish_workflow),
        _routes(f"{_V1}/workflows/{{id}}/activate", POST=workflows.publish_workflow),
        _routes(f"{_V1}/workflows/{{id}}/deactivate", POST=workflows.unpublish_workflow),
        _routes(f"{_V1}/workflows/{{id}}/archive", POST=workflows.archive_workflow),
        _routes(f"{_V1}/workflows/{{id}}/unarchive", POST=workflows.unarchive_workflow),
        _routes(f"{_V1}/workflows/{{id}}/transfer", PUT=workflows.transfer_workflow),
        _routes(f"{_V1}/workflows/{{id}}/tags", GET=workflows.read_tags, PUT=workflows.update_tags),
        _routes(f"{_V1}/credentials", GET=credentials.list_credentials, POST=credentials.create_credential),
        _routes(f"{_V1}/credentials/schema/{{type}}", GET=credentials.read_schema),
        _routes(
            f"{_V1}/credentials/{{id}}",
            GET=credentials.read_credential,
            PATCH=credentials.update_credential,
            DELETE=credentials.delete_credential,
        ),
        _routes(f"{_V1}/credentials/{{id}}/transfer", PUT=credentials.transfer_credential),
        _routes(f"{_V1}/tags", GET=others.list_tags, POST=others.create_tag),
        _routes(f"{_V1}/tags/{{id}}", GET=others.read_tag, PUT=others.update_tag, DELETE=others.delete_tag),
        _routes(f"{_V1}/variables", GET=others.list_variables, POST=others.create_variable),
        _routes(f"{_V1}/variables/{{id}}", PUT=others.update_variable, DELETE=others.delete_variable),
        _routes(f"{_V1}/projects", GET=others.list_projects, POST=others.create_project),
        _routes(f"{_V1}/projects/{{id}}", PUT=others.update_project, DELETE=others.delete_project),
        _routes(f"{_V1}/projects/{{id}}/users", GET=others.list_members, POST=others.add_members),
        _routes(f"{_V1}/projects/{{id}}/users/{{user}}", PATCH=others.change_member, DELETE=others.remove_member),
        _routes(f"{_V1}/users/{{user}}", GET=others.read_user),
        _routes(f"{_V1}/executions", GET=workflows.list_executions),
    ],
    failure=_failure,
    credentials={"N8N_BASE_URL": "{url}", "N8N_API_KEY": access.api_key("{stage}")},
    secret=frozenset({"N8N_API_KEY"}),
    simulated=(
        "workflows with drafts, published versions, tags and archives, credentials held against the schemas of the types "
        "that the estate uses, variables, projects and members, scopes and licences; no workflow ever runs"
    ),
)
