"""The schemas of object types: HubSpot's own, which are read only, and custom objects."""

from __future__ import annotations

import re

from pydantic import Field
from starlette.responses import Response

from sandbox.http import ApiError, Body, Call, answer
from sandbox.hubspot import properties
from sandbox.hubspot.access import (
    STANDARD,
    key_of,
    new_id,
    now,
    require,
    require_enterprise,
    require_type,
    sent,
    type_of,
)
from sandbox.store import Document

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_MOST = 10


class LabelsBody(Body):
    singular: str = Field(min_length=1)
    plural: str = Field(min_length=1)


class FirstPropertyBody(properties.PropertyBody):
    """A property in a schema: without a group it comes into that of the custom object."""

    group_name: str = Field("", alias="groupName")


class SchemaBody(Body):
    name: str = Field(min_length=1)
    labels: LabelsBody
    description: str = ""
    properties: list[FirstPropertyBody] = Field(min_length=1)
    required_properties: list[str] = Field(alias="requiredProperties")
    associated_objects: list[str] = Field(alias="associatedObjects")
    searchable_properties: list[str] = Field(default_factory=list, alias="searchableProperties")
    secondary_display_properties: list[str] = Field(default_factory=list, alias="secondaryDisplayProperties")
    primary_display_property: str | None = Field(None, alias="primaryDisplayProperty")


class SchemaPatch(Body):
    labels: LabelsBody | None = None
    description: str | None = None
    required_properties: list[str] | None = Field(None, alias="requiredProperties")
    searchable_properties: list[str] | None = Field(None, alias="searchableProperties")
    secondary_display_properties: list[str] | None = Field(None, alias="secondaryDisplayProperties")
    primary_display_property: str | None = Field(None, alias="primaryDisplayProperty")


class AssociationBody(Body):
    from_object_type_id: str = Field(alias="fromObjectTypeId")
    to_object_type_id: str = Field(alias="toObjectTypeId")
    name: str | None = None


def list_schemas(call: Call) -> Response:
    """Custom ones only."""
    require(call, "crm.schemas.custom.read")
    mine = call.store.all("schema", portal=call.caller, archived=call.flag("archived"))
    return answer({"results": [_shown(call, one) for one in mine]})


def _shown(call: Call, document: Document) -> Document:
    type_id = document["objectTypeId"]
    mine = call.store.latest.all("property", portal=call.caller, objectType=type_id, archived=False)
    associations = call.store.latest.all("schema_association", portal=call.caller, fromObjectTypeId=type_id)
    shown = {name: value for name, value in document.items() if name != "portal"}
    hidden = ("portal", "objectType")
    return shown | {
        "properties": [{name: value for name, value in one.items() if name not in hidden} for one in mine],
        "associations": [{name: value for name, value in one.items() if name != "portal"} for one in associations],
    }


def read_schema(call: Call) -> Response:
    if call.path("type") not in (*STANDARD, *STANDARD.values()):
        return answer(_shown(call, _custom(call, "read")))
    object_type = type_of(call, call.path("type"))
    require_type(call, object_type, "read")
    name = object_type["name"].upper()
    plain: Document = {"id": object_type["objectTypeId"], "objectTypeId": object_type["objectTypeId"], "name": name}
    labels = {"singular": name.title(), "plural": object_type["name"].title()}
    empty: Document = {"requiredProperties": [], "searchableProperties": [], "properties": [], "associations": []}
    return answer(plain | {"labels": labels, "fullyQualifiedName": name, "archived": False} | empty)


def create_schema(call: Call) -> Response:
    require(call, "crm.schemas.custom.write")
    require_enterprise(call)
    body = sent(call, SchemaBody)
    every = call.store.latest.all("schema", portal=call.caller)
    if not _NAME.fullmatch(body.name) or body.name in STANDARD:
        raise ApiError(400, f'Invalid object type name "{body.name}"')
    if any(one["name"] == body.name for one in every):
        said = f'An object type named "{body.name}" already exists; an archived one must be deleted for good first'
        raise ApiError(409, said, subCategory="ObjectTypeError.NAME_TAKEN")
    if len([one for one in every if not one["archived"]]) >= _MOST:
        raise ApiError(400, f"The account can have at most {_MOST} custom objects")
    made = body.model_dump(mode="json", by_alias=True, exclude={"properties", "associated_objects"})
    number = new_id(call, "schema", 34_500_001)
    document = made | {
        "id": number,
        "objectTypeId": f"2-{number}",
        "fullyQualifiedName": f"p{call.caller}_{body.name}",
        "archived": False,
        "createdAt": now(),
        "updatedAt": now(),
    }
    _check_roles(document, [one.name for one in body.properties])
    call.store.put("schema", key_of(call, document["objectTypeId"]), document | {"portal": call.caller})
    for one in body.properties:
        group = one.group_name or properties.default_group(document)
        properties.add_property(call, document, one.model_copy(update={"group_name": group}))
    for other in body.associated_objects:
        _associated(call, document["objectTypeId"], type_of(call, other)["objectTypeId"], None)
    return answer(_shown(call, document), 201)


def _check_roles(document: Document, names: list[str]) -> None:
    """Roles are of properties that are there."""
    primary = document.get("primaryDisplayProperty")
    lists = ("requiredProperties", "searchableProperties", "secondaryDisplayProperties")
    wanted = [*([primary] if primary else []), *(name for member in lists for name in document[member])]
    missing = sorted({name for name in wanted if name not in names})
    if missing:
        raise ApiError(400, "Some properties that the schema names do not exist", context={"properties": missing})


def _custom(call: Call, right: str = "write") -> Document:
    require(call, f"crm.schemas.custom.{right}")
    text = call.path("type")
    for one in call.store.all("schema", portal=call.caller, archived=call.flag("archived")):
        if text in (one["objectTypeId"], one["name"], one["fullyQualifiedName"]):
            return one
    raise ApiError(404, f"There is no custom object {text}")


def update_schema(call: Call) -> Response:
    document = _custom(call)
    changed = document | sent(call, SchemaPatch).sent() | {"updatedAt": now()}
    type_id = document["objectTypeId"]
    mine = call.store.latest.all("property", portal=call.caller, objectType=type_id, archived=False)
    _check_roles(changed, [one["name"] for one in mine])
    call.store.put("schema", key_of(call, type_id), changed)
    return answer({name: value for name, value in changed.items() if name != "portal"})


def delete_schema(call: Call) -> Response:
    """Archives it, once there are no records, associations and other properties; an archived one is purged."""
    document = _custom(call)
    type_id = document["objectTypeId"]
    if document["archived"]:
        for one in call.store.latest.all("property", portal=call.caller, objectType=type_id):
            call.store.delete("property", key_of(call, type_id, one["name"]))
        for one in call.store.latest.all("property_group", portal=call.caller, objectType=type_id):
            call.store.delete("property_group", key_of(call, type_id, one["name"]))
        call.store.delete("schema", key_of(call, type_id))
        return Response(status_code=204)
    for kind, what in (("record", "records"), ("schema_association", "associations")):
        member = "objectType" if kind == "record" else "fromObjectTypeId"
        left = call.store.latest.all(kind, portal=call.caller, **{member: type_id})
        if left:
            raise ApiError(400, f"The custom object {document['name']} has {len(left)} {what}: delete these first")
    mine = call.store.latest.all("property", portal=call.caller, objectType=type_id, archived=False)
    others = [one["name"] for one in mine if one["name"] != document.get("primaryDisplayProperty")]
    if others:
        said = f"The custom object {document['name']} has properties: delete these first"
        raise ApiError(400, said, context={"properties": others})
    call.store.put("schema", key_of(call, type_id), document | {"archived": True, "updatedAt": now()})
    return Response(status_code=204)


def create_association(call: Call) -> Response:
    document, body = _custom(call), sent(call, AssociationBody)
    type_id, other = document["objectTypeId"], type_of(call, body.to_object_type_id)["objectTypeId"]
    if body.from_object_type_id != type_id:
        raise ApiError(400, "fromObjectTypeId must be the object type of the address")
    known = call.store.latest.first(
        "schema_association", portal=call.caller, fromObjectTypeId=type_id, toObjectTypeId=other
    )
    if known is not None:
        raise ApiError(409, f"{type_id} and {other} can be associated already")
    return answer(_associated(call, type_id, other, body.name), 201)


def _associated(call: Call, type_id: str, other: str, name: str | None) -> Document:
    id_ = new_id(call, "association", 201)
    names = {"fromObjectTypeId": type_id, "toObjectTypeId": other, "name": name or f"{type_id}_to_{other}"}
    document = {"id": id_, **names, "createdAt": now(), "updatedAt": now()}
    call.store.put("schema_association", key_of(call, id_), document | {"portal": call.caller})
    return document


def delete_association(call: Call) -> Response:
    document, id_ = _custom(call), call.path("id")
    known = call.store.get("schema_association", key_of(call, id_))
    if known is None or known["fromObjectTypeId"] != document["objectTypeId"]:
        raise ApiError(404, f"There is no association {id_}")
    call.store.delete("schema_association", key_of(call, id_))
    return Response(status_code=204)
