"""Credentials of n8n: held against their type's schema, never shown again, changed in place."""

from __future__ import annotations

from typing import Any

from pydantic import Field
from starlette.responses import Response

from sandbox.http import ApiError, Call, answer, digest
from sandbox.n8n.access import Strict, found, new_id, now, page, personal_project, require, sent, shown
from sandbox.store import Document


def _type(required: tuple[str, ...], **properties: str) -> dict[str, Any]:
    return {
        "additionalProperties": False,
        "type": "object",
        "properties": {name: {"type": type_} for name, type_ in properties.items()},
        "required": list(required),
    }


def _chosen(name: str, members: dict[str, str], schema: dict[str, Any]) -> dict[str, Any]:
    """``schema`` with an option ``name``, each value of which needs a member, and has not those of the others."""
    schema["properties"][name] = {"type": "string", "enum": list(members)}
    schema["allOf"] = [
        {
            "if": {"properties": {name: {"enum": [value]}}},
            "then": {"allOf": [{"required": [member]}]},
            "else": {"allOf": [{"not": {"required": [member]}}]},
        }
        for value, member in members.items()
    ]
    return schema


SCHEMAS: dict[str, dict[str, Any]] = {
    "httpHeaderAuth": _type(("name", "value"), name="string", value="string"),
    "httpBasicAuth": _type((), user="string", password="string"),  # noqa: S106 - a type, no password
    "httpBearerAuth": _type((), token="string"),  # noqa: S106 - a type, no token
    "crypto": _type((), hmacSecret="string", signPrivateKey="string"),
    "hubspotAppToken": _type((), appToken="string"),
    "snowflake": _chosen(
        "authentication",
        {"password": "password", "keyPair": "privateKey"},
        _type(
            (),
            **dict.fromkeys(("account", "database", "warehouse", "username", "password", "privateKey"), "string"),
            **dict.fromkeys(("passphrase", "schema", "role", "host"), "string"),
            clientSessionKeepAlive="boolean",
        ),
    ),
    "slackApi": _type(("accessToken",), accessToken="string", signatureSecret="string"),
}
"""Of the types that the estate uses, what ``GET /credentials/schema/{type}`` of n8n 2 answers."""


class CredentialCreate(Strict):
    id: str | None = Field(None, pattern=r"^[a-zA-Z0-9_-]+$", max_length=16)
    name: str = Field(min_length=1, max_length=128)
    type: str
    data: dict[str, Any]
    is_resolvable: bool = False
    project_id: str | None = None


class CredentialUpdate(Strict):
    name: str | None = Field(None, min_length=1, max_length=128)
    type: str | None = None
    data: dict[str, Any] | None = None
    is_global: bool | None = None
    is_resolvable: bool | None = None
    is_partial_data: bool = False


class Transfer(Strict):
    destination_project_id: str


def _check_data(type_: str, data: dict[str, Any]) -> None:
    schema = SCHEMAS.get(type_)
    if schema is None:
        raise ApiError(400, "req.body.type is not a known type")
    for name in schema["required"]:
        if name not in data:
            raise ApiError(400, f'request.body.data requires property "{name}"')
    for name, value in data.items():
        if name not in schema["properties"]:
            raise ApiError(400, f'request.body.data is not allowed to have the additional property "{name}"')
        if schema["properties"][name]["type"] == "string" and not isinstance(value, str):
            raise ApiError(400, f"request.body.data.{name} is not of a type(s) string")
        if value not in schema["properties"][name].get("enum", [value]):
            raise ApiError(400, f"request.body.data.{name} is not one of enum values")
    for index, condition in enumerate(schema.get("allOf", ())):
        ((option, values),) = condition["if"]["properties"].items()
        (member,) = condition["then"]["allOf"][0]["required"]
        if (member in data) != (option not in data or data[option] in values["enum"]):
            raise ApiError(400, f"request.body.data does not match allOf schema [subschema {index}] with 1 error[s]")


def _kept(data: dict[str, Any]) -> dict[str, str]:
    """What the emulator keeps of secrets: enough to tell whether they are the same."""
    return {name: digest(str(value)) for name, value in data.items()}


def _public(credential: Document) -> dict[str, Any]:
    return shown(credential, "data", "project")


def read_schema(call: Call) -> Response:
    schema = SCHEMAS.get(call.path("type"))
    if schema is None:
        raise ApiError(404, "Credential type not found")
    return answer(schema)


def list_credentials(call: Call) -> Response:
    require(call, "credential:list")
    projects = {one["id"]: one for one in call.store.latest.all("project", stage=call.caller)}
    documents = []
    for one in call.store.all("credential", stage=call.caller):
        project = projects.get(one["project"], personal_project(call))
        times = {"createdAt": one["createdAt"], "updatedAt": one["updatedAt"]}
        owner = {"id": project["id"], "name": project["name"], "role": "credential:owner", **times}
        documents.append({"id": one["id"], "name": one["name"], "type": one["type"], **times, "shared": [owner]})
    return page(call, documents)


def create_credential(call: Call) -> Response:
    require(call, "credential:create")
    body = sent(call, CredentialCreate)
    _check_data(body.type, body.data)
    project = _project(call, body.project_id)
    credential: Document = {
        "id": body.id or new_id(),
        "name": body.name,
        "type": body.type,
        "isManaged": False,
        "isGlobal": False,
        "isResolvable": body.is_resolvable,
        "resolvableAllowFallback": False,
        "resolverId": None,
        "createdAt": now(),
        "updatedAt": now(),
        "stage": call.caller,
        "project": project,
        "data": _kept(body.data),
    }
    return answer(_public(call.store.put("credential", credential["id"], credential)))


def _project(call: Call, id_: str | None) -> str:
    if id_ is None:
        return str(personal_project(call)["id"])
    project = call.store.latest.get("project", id_)
    if project is None or project["stage"] != call.caller:
        raise ApiError(404, f"Could not find any project with the ID: {id_}")
    return id_


def read_credential(call: Call) -> Response:
    require(call, "credential:read")
    return answer(_public(found(call, "credential")))


def update_credential(call: Call) -> Response:
    require(call, "credential:update")
    credential, body = found(call, "credential"), sent(call, CredentialUpdate)
    type_ = body.type or credential["type"]
    if type_ != credential["type"] and body.data is None:
        raise ApiError(400, "req.body.data is required when the type changes")
    if body.data is not None and not body.is_partial_data:
        _check_data(type_, body.data)
    kept = credential["data"] if body.data is None or body.is_partial_data else {}
    changes = body.sent() | {"type": type_, "data": kept | _kept(body.data or {}), "updatedAt": now()}
    changes.pop("isPartialData", None)
    return answer(_public(call.store.put("credential", credential["id"], credential | changes)))


def delete_credential(call: Call) -> Response:
    require(call, "credential:delete")
    credential = found(call, "credential")
    call.store.delete("credential", credential["id"])
    return answer(_public(credential) | {"usageScope": "project"})


def transfer_credential(call: Call) -> Response:
    require(call, "credential:move")
    credential = found(call, "credential")
    destination = _project(call, sent(call, Transfer).destination_project_id)
    call.store.put("credential", credential["id"], credential | {"project": destination, "updatedAt": now()})
    return Response(status_code=204)
