"""n8n by its public API: projects and their members, tags, variables, credentials, workflows.

Needs an API key, which is made in n8n's own pages only, and which may do what its scopes say.
Source of facts: n8n's public API description 1.1.1 (n8n 2; what it calls ``publish`` was ``activate`` before).
"""

from __future__ import annotations

from typing import Annotated, Any

import httpx
import pulumi
from pydantic import AfterValidator, Field

from providers import base
from providers.base import Call, Calls, Environment, Immutable, Json, Kind, Out, Unordered, Within, WriteOnly, rest
from providers.n8n_calls import (
    V1,
    AddMember,
    Bare,
    ChangeMember,
    CreateCredential,
    CreateVariable,
    Licensed,
    LicensedListing,
    MakeSo,
    UpdateCredential,
    licensed_listing,
    listing,
    normalised_nodes,
    owner_of,
    workflow_shown,
)

WHERE_KEYS_ARE_MADE = "an owner or administrator makes API keys in n8n, Settings, n8n API"


def _said(response: httpx.Response) -> str:
    message = str(response.json()["message"])
    return f"{message} ({WHERE_KEYS_ARE_MADE})" if response.status_code == httpx.codes.UNAUTHORIZED else message


N8N = base.Api(
    name="n8n",
    title="n8n",
    base_url=Environment("N8N_BASE_URL"),
    auth=base.Bearer(Environment("N8N_API_KEY"), header="X-N8N-API-KEY", prefix=""),
    said=_said,
    limit=base.Unpublished(),
)


class ProjectInputs(base.Inputs):
    name: str = Field(min_length=1, max_length=255)


class Project(base.Resource):
    """A team's project, which workflows, credentials and variables may be in. Only some licences have projects.

    Deleting one deletes what is still in it. n8n has no room for a mark of who manages it.
    """

    kind = Kind(
        api=N8N,
        title="project",
        setting="projects",
        inputs=ProjectInputs,
        calls=Calls(
            create=Licensed(Call("POST", f"{V1}/projects"), "projects"),
            update=Call("PUT", f"{V1}/projects/{{id}}"),
            delete=Call("DELETE", f"{V1}/projects/{{id}}"),
            listing=licensed_listing("/projects", "projects"),
            update_sends="whole",
        ),
        identity="id",
        natural_key=("name",),
    )


class ProjectMemberInputs(base.Inputs):
    project_id: Immutable[str]
    email: Immutable[Annotated[str, AfterValidator(str.lower)]]
    role: str = Field(description="project:admin, project:editor, project:viewer, or a role of the instance's own")


class ProjectMember(base.Resource):
    """A person's role in a project. The person must be a user of this n8n already."""

    user_id: pulumi.Output[str]

    kind = Kind(
        api=N8N,
        title="project member",
        setting="projects",
        inputs=ProjectMemberInputs,
        calls=Calls(
            create=AddMember(),
            update=ChangeMember("PATCH"),
            delete=ChangeMember("DELETE"),
            listing=LicensedListing(
                Call("GET", f"{V1}/projects/{{project_id}}/users"), pages=listing("").pages, setting="projects"
            ),
        ),
        identity="{project_id}/{email}",
        natural_key=("email",),
        within=Within("project_id", Project.kind),
        outputs=(Out("user_id", "id"),),
        decode=lambda document: {**document, "email": str(document.get("email", "")).lower()},
        delete_before_replace=True,
    )


class TagInputs(base.Inputs):
    name: str = Field(min_length=1, max_length=24)


class Tag(base.Resource):
    """A tag, by which workflows are found. n8n has one of a name, and no room in it for a mark of who manages it."""

    kind = Kind(
        api=N8N,
        title="tag",
        setting="tags",
        inputs=TagInputs,
        calls=rest(f"{V1}/tags", update="PUT", update_sends="whole", listing=listing("/tags")),
        identity="id",
        natural_key=("name",),
    )


class VariableInputs(base.Inputs):
    key: str = Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=50)
    value: str = Field(max_length=1000)
    project_id: str | None = Field(None, alias="projectId")


class Variable(base.Resource):
    """A value that workflows read as ``$vars.KEY``. No place for secrets: n8n shows it. Only some licences have them."""

    kind = Kind(
        api=N8N,
        title="variable",
        setting="variables",
        inputs=VariableInputs,
        calls=Calls(
            create=Licensed(CreateVariable(), "variables"),
            update=Call("PUT", f"{V1}/variables/{{id}}"),
            delete=Call("DELETE", f"{V1}/variables/{{id}}"),
            listing=licensed_listing("/variables", "variables"),
            update_sends="whole",
        ),
        identity="id",
        natural_key=("key", "project_id"),
        decode=lambda document: {**document, "projectId": owner_of(document)},
    )


class CredentialInputs(base.Inputs):
    name: str = Field(min_length=3, max_length=128)
    type: Immutable[str] = Field(description="n8n's name of the type, such as httpHeaderAuth")
    data: WriteOnly[dict[str, Any]]
    project_id: str | None = Field(None, alias="projectId")


def _credential_shown(document: Json) -> Json:
    owners = [one["id"] for one in document.get("shared") or [] if one.get("role") == "credential:owner"]
    return {**document, **({"projectId": owners[0]} if owners else {})}


class Credential(base.Resource):
    """What workflows show other systems. Its data are encrypted by n8n and never shown again.

    New data go into the credential that exists, so that its id, which workflows refer to, stays. The name ends with the
    stack that manages it. Another type is another credential.
    """

    kind = Kind(
        api=N8N,
        title="credential",
        setting="credentials",
        inputs=CredentialInputs,
        calls=Calls(
            create=CreateCredential(),
            update=UpdateCredential(),
            delete=Call("DELETE", f"{V1}/credentials/{{id}}"),
            listing=listing("/credentials"),
        ),
        identity="id",
        natural_key=("name", "type"),
        mark="name",
        decode=_credential_shown,
    )


Nodes = Annotated[list[dict[str, Any]], Field(min_length=1), AfterValidator(normalised_nodes)]


class WorkflowInputs(base.Inputs):
    name: str = Field(min_length=1, max_length=90)
    nodes: Nodes
    connections: dict[str, Any]
    settings: dict[str, Any]
    tag_ids: Unordered[str] = Field(default_factory=list, alias="tagIds")
    published: bool = False
    project_id: str | None = Field(None, alias="projectId")


class Workflow(base.Resource):
    """A workflow: what it does, its tags, the project that it is in, and whether it is published, which is to say runs.

    It is compared by what its settings and its file say; what n8n adds (defaults, versions, titles of credentials) is no
    difference, a draft that somebody left unpublished is one. The name ends with the stack that manages it, because n8n
    takes tags only after a workflow is made, and nothing else.

    Deleting archives it: it stops at once, and its executions stay until n8n prunes them. One that is declared again
    under its name is brought back, and not made anew. Deleting for good is left to people.
    """

    kind = Kind(
        api=N8N,
        title="workflow",
        setting="workflows",
        inputs=WorkflowInputs,
        calls=Calls(
            create=Call("POST", f"{V1}/workflows"),
            read=Call("GET", f"{V1}/workflows/{{id}}"),
            update=MakeSo(),
            delete=Bare("POST", f"{V1}/workflows/{{id}}/archive"),
            create_takes=frozenset({"name", "nodes", "connections", "settings", "projectId"}),
            listing=listing("/workflows", excludePinnedData="true"),
            update_sends="whole",
            revive=(Bare("POST", f"{V1}/workflows/{{id}}/unarchive"),),
        ),
        identity="id",
        natural_key=("name",),
        mark="name",
        decode=workflow_shown,
        hidden=lambda document: bool(document.get("isArchived")),
    )
