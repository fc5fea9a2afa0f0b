"""Properties and their groups. HubSpot's own are there, and nobody changes them here."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pydantic import Field
from starlette.responses import Response

from sandbox.http import ApiError, Body, Call, answer
from sandbox.hubspot.access import key_of, now, require_type, sent, type_of
from sandbox.store import Document

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_FIELD_TYPES = {
    "string": ("text", "textarea", "file", "html", "phonenumber", "calculation_equation"),
    "number": ("number", "calculation_equation"),
    "date": ("date",),
    "datetime": ("date",),
    "enumeration": ("select", "radio", "checkbox", "booleancheckbox", "calculation_equation"),
    "bool": ("booleancheckbox", "calculation_equation"),
}
_MOST_UNIQUE = 10
_DEFINED = {
    "contacts": ("contactinformation", "email", "firstname", "lastname", "jobtitle"),
    "companies": ("companyinformation", "name", "domain", "city", "state"),
    "deals": ("dealinformation", "dealname", "amount", "dealstage", "pipeline"),
    "tickets": ("ticketinformation", "subject", "hs_pipeline", "hs_pipeline_stage"),
}
"""Of each object type the group that HubSpot has for it, and some of its properties."""


class OptionBody(Body):
    label: str = Field(min_length=1)
    value: str = Field(min_length=1)
    hidden: bool
    description: str | None = None
    display_order: int | None = Field(None, alias="displayOrder")


class PropertyBody(Body):
    name: str = Field(min_length=1, max_length=100)
    label: str = Field(min_length=1)
    type: str
    field_type: str = Field(alias="fieldType")
    group_name: str = Field(alias="groupName")
    description: str = ""
    options: list[OptionBody] = Field(default_factory=list)
    has_unique_value: bool = Field(False, alias="hasUniqueValue")
    hidden: bool = False
    form_field: bool = Field(False, alias="formField")
    display_order: int = Field(-1, alias="displayOrder", ge=-1)
    calculation_formula: str | None = Field(None, alias="calculationFormula")
    external_options: bool = Field(False, alias="externalOptions")


class PropertyPatch(Body):
    label: str | None = Field(None, min_length=1)
    type: str | None = None
    field_type: str | None = Field(None, alias="fieldType")
    group_name: str | None = Field(None, alias="groupName")
    description: str | None = None
    options: list[OptionBody] | None = None
    hidden: bool | None = None
    form_field: bool | None = Field(None, alias="formField")
    display_order: int | None = Field(None, alias="displayOrder", ge=-1)
    calculation_formula: str | None = Field(None, alias="calculationFormula")


class GroupBody(Body):
    name: str = Field(min_length=1)
    label: str = Field(min_length=1)
    display_order: int = Field(-1, alias="displayOrder", ge=-1)


class GroupPatch(Body):
    label: str | None = Field(None, min_length=1)
    display_order: int | None = Field(None, alias="displayOrder", ge=-1)


def _the_type(call: Call, right: str) -> Document:
    found = type_of(call, call.path("type"))
    require_type(call, found, right)
    return found


def _defined(object_type: Document) -> Iterator[Document]:
    group, *names = _DEFINED.get(object_type["name"], (f"{object_type['name']}_information", "hs_object_id"))
    for name in names:
        written = PropertyBody(name=name, label=name.title(), type="string", fieldType="text", groupName=group)
        yield _document(object_type["objectTypeId"], written) | {
            "hubspotDefined": True,
            "modificationMetadata": {"archivable": False, "readOnlyDefinition": True, "readOnlyValue": False},
        }


def _document(type_id: str, body: PropertyBody) -> Document:
    made = now()
    document: Document = body.model_dump(mode="json", by_alias=True, exclude_none=True)
    return document | {
        "objectType": type_id,
        "options": [_option(one) for one in body.options],
        "hubspotDefined": False,
        "calculated": body.field_type == "calculation_equation",
        "archived": False,
        "createdAt": made,
        "updatedAt": made,
        "modificationMetadata": {"archivable": True, "readOnlyDefinition": False, "readOnlyValue": False},
    }


def _option(option: OptionBody) -> Document:
    document: Document = option.model_dump(mode="json", by_alias=True, exclude_none=True)
    return document


def _shown(document: Document) -> Document:
    return {name: value for name, value in document.items() if name not in ("portal", "objectType")}


def list_properties(call: Call) -> Response:
    """The live ones, or with ``archived`` those that are not."""
    object_type, archived = _the_type(call, "read"), call.flag("archived")
    mine = call.store.all("property", portal=call.caller, objectType=object_type["objectTypeId"], archived=archived)
    defined = [] if archived else list(_defined(object_type))
    return answer({"results": [_shown(one) for one in [*defined, *mine]]})


def _own(call: Call, object_type: Document, name: str) -> Document | None:
    return call.store.get("property", key_of(call, object_type["objectTypeId"], name))


def _found(call: Call, object_type: Document, *, archived: bool = False) -> Document:
    name = call.path("name")
    own = _own(call, object_type, name)
    if own is not None and own["archived"] == archived:
        return own
    for one in _defined(object_type):
        if one["name"] == name and not archived:
            return one
    raise ApiError(404, f"Property {name} does not exist", subCategory="Properties.PROPERTY_NOT_FOUND")


def read_property(call: Call) -> Response:
    return answer(_shown(_found(call, _the_type(call, "read"), archived=call.flag("archived"))))


def create_property(call: Call) -> Response:
    """An archived property of that name comes back, with what the request says."""
    object_type, body = _the_type(call, "write"), sent(call, PropertyBody)
    _check_name(body.name)
    type_id = object_type["objectTypeId"]
    was = call.store.latest.get("property", key_of(call, type_id, body.name))
    if (was and not was["archived"]) or body.name in [one["name"] for one in _defined(object_type)]:
        said = f'A property named "{body.name}" already exists.'
        raise ApiError(409, said, subCategory="Properties.PROPERTY_EXISTS")
    return answer(_shown(add_property(call, object_type, body)), 201)


def add_property(call: Call, object_type: Document, body: PropertyBody) -> Document:
    """After the checks that a new property takes, wherever it comes from."""
    type_id = object_type["objectTypeId"]
    if body.group_name not in _groups(call, object_type):
        raise ApiError(
            400, f'Property group "{body.group_name}" does not exist', context={"groupName": [body.group_name]}
        )
    document = _document(type_id, body)
    _check(document)
    unique = [one for one in _live(call, type_id) if one["hasUniqueValue"] and one["name"] != body.name]
    if body.has_unique_value and len(unique) >= _MOST_UNIQUE:
        raise ApiError(400, f"An object type can have at most {_MOST_UNIQUE} properties with unique values")
    return call.store.put("property", key_of(call, type_id, body.name), document | {"portal": call.caller})


def _live(call: Call, type_id: str) -> list[Document]:
    return call.store.latest.all("property", portal=call.caller, objectType=type_id, archived=False)


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise ApiError(400, f'Property name "{name}" must begin with a letter and be of a-z, 0-9 and _')


def _check(document: Document) -> None:
    """What the types allow."""
    type_, field_type = document["type"], document["fieldType"]
    if type_ not in _FIELD_TYPES:
        raise ApiError(400, f"Invalid property type {type_}", context={"type": sorted(_FIELD_TYPES)})
    if field_type not in _FIELD_TYPES[type_]:
        raise ApiError(400, f"Field type {field_type} is not valid for property type {type_}")
    options = document["options"]
    if type_ == "enumeration" and not options and not document["externalOptions"]:
        raise ApiError(400, "Enumeration properties need options")
    if type_ == "bool" and not {"true", "false"} >= {one["value"] for one in options}:
        raise ApiError(400, "Boolean properties have the options true and false")
    if type_ not in ("enumeration", "bool") and options:
        raise ApiError(400, f"Properties of type {type_} have no options")
    for member in ("value", "label"):
        texts = [one[member] for one in options]
        if len(set(texts)) < len(texts):
            raise ApiError(400, f"Property options have the same {member} more than once")
    if document["hasUniqueValue"] and type_ not in ("string", "number"):
        raise ApiError(400, f"Properties of type {type_} cannot have unique values")
    if field_type == "calculation_equation" and not document.get("calculationFormula"):
        raise ApiError(400, "A calculation needs a calculationFormula")


def update_property(call: Call) -> Response:
    object_type = _the_type(call, "write")
    document, body = _found(call, object_type), sent(call, PropertyPatch)
    if document["hubspotDefined"]:
        raise ApiError(400, f"The definition of {document['name']} is HubSpot's, and read-only")
    changes = body.sent()
    group = changes.get("groupName")
    if group is not None and group not in _groups(call, object_type):
        raise ApiError(400, f'Property group "{group}" does not exist', context={"groupName": [group]})
    if body.options is not None:
        changes["options"] = [_option(one) for one in body.options]
    changed = document | changes | {"updatedAt": now()}
    _check(changed)
    return answer(_shown(call.store.put("property", _key(call, changed), changed)))


def _key(call: Call, document: Document) -> str:
    return key_of(call, document["objectType"], document["name"])


def archive_property(call: Call) -> Response:
    """Kept for 90 days. What a custom object's schema names, a list filters by or a formula uses stays."""
    object_type = _the_type(call, "write")
    document = _found(call, object_type)
    if document["hubspotDefined"]:
        raise ApiError(400, f"The property {document['name']} is HubSpot's, and cannot be archived")
    users = list(_users(call, object_type, document["name"]))
    if users:
        said = f"The property {document['name']} is in use and cannot be archived"
        raise ApiError(400, said, context={"usedBy": users})
    gone = {"archived": True, "archivedAt": now()}
    call.store.put("property", _key(call, document), document | gone)
    return Response(status_code=204)


def _users(call: Call, object_type: Document, name: str) -> Iterator[str]:
    roles = [object_type.get("primaryDisplayProperty"), *object_type.get("requiredProperties", [])]
    roles += [*object_type.get("searchableProperties", []), *object_type.get("secondaryDisplayProperties", [])]
    if name in roles:
        yield f"the schema of {object_type['name']}"
    for one in call.store.latest.all("list", portal=call.caller, objectTypeId=object_type["objectTypeId"]):
        if not one.get("deletedAt") and name in _filtered(one.get("filterBranch")):
            yield f"the list {one['name']}"


def _filtered(branch: Document | None) -> Iterator[str]:
    """The properties that a list's filters name."""
    for one in (branch or {}).get("filters") or ():
        if one.get("property"):
            yield one["property"]
    for inner in (branch or {}).get("filterBranches") or ():
        yield from _filtered(inner)


def _groups(call: Call, object_type: Document) -> dict[str, Document]:
    type_id = object_type["objectTypeId"]
    defined = _DEFINED.get(object_type["name"], (f"{object_type['name']}_information",))[0]
    mine = call.store.latest.all("property_group", portal=call.caller, objectType=type_id)
    own = {"name": defined, "label": defined.title(), "displayOrder": 0, "archived": False}
    return {defined: own, **{one["name"]: one for one in mine}}


def default_group(object_type: Document) -> str:
    return _DEFINED.get(object_type["name"], (f"{object_type['name']}_information",))[0]


def types_of(call: Call, type_id: str) -> dict[str, str]:
    """The types of an object type's live properties, by their names."""
    live = [*_defined(type_of(call, type_id)), *_live(call, type_id)]
    return {one["name"]: one["type"] for one in live}


def list_groups(call: Call) -> Response:
    object_type = _the_type(call, "read")
    mine = call.store.all("property_group", portal=call.caller, objectType=object_type["objectTypeId"])
    own = _groups(call, object_type)[default_group(object_type)]
    return answer({"results": [_shown(one) for one in [own, *mine]]})


def _group(call: Call, object_type: Document) -> Document:
    name = call.path("name")
    found = call.store.get("property_group", key_of(call, object_type["objectTypeId"], name))
    if found is None and name == default_group(object_type):
        return _groups(call, object_type)[name]
    if found is None:
        raise ApiError(404, f"Property group {name} does not exist")
    return found


def read_group(call: Call) -> Response:
    return answer(_shown(_group(call, _the_type(call, "read"))))


def create_group(call: Call) -> Response:
    object_type, body = _the_type(call, "write"), sent(call, GroupBody)
    _check_name(body.name)
    if body.name in _groups(call, object_type):
        raise ApiError(409, f'Property group "{body.name}" already exists')
    type_id = object_type["objectTypeId"]
    document = body.model_dump(mode="json", by_alias=True) | {"archived": False}
    call.store.put(
        "property_group", key_of(call, type_id, body.name), document | {"portal": call.caller, "objectType": type_id}
    )
    return answer(document, 201)


def update_group(call: Call) -> Response:
    document = _group(call, _the_type(call, "write"))
    if "portal" not in document:
        raise ApiError(400, f"The group {document['name']} is HubSpot's")
    changed = document | sent(call, GroupPatch).sent()
    return answer(_shown(call.store.put("property_group", _key(call, changed), changed)))


def archive_group(call: Call) -> Response:
    """HubSpot refuses one that has live properties. Its name is free at once."""
    object_type = _the_type(call, "write")
    document = _group(call, object_type)
    inside = [one["name"] for one in _live(call, object_type["objectTypeId"]) if one["groupName"] == document["name"]]
    if inside or "portal" not in document:
        said = f"The group {document['name']} cannot be archived: properties are in it"
        raise ApiError(400, said, context={"properties": inside})
    call.store.delete("property_group", _key(call, document))
    return Response(status_code=204)
