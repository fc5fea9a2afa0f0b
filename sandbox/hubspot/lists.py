"""Lists (v3): definitions with their filters. A deleted one is kept for 90 days, and can be restored."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import Field
from starlette.responses import Response

from sandbox.http import ApiError, Body, Call, answer
from sandbox.hubspot.access import key_of, new_id, now, require, sent, type_of
from sandbox.hubspot.properties import types_of
from sandbox.store import Document

_TYPES = ("MANUAL", "DYNAMIC", "SNAPSHOT")
_KEPT = timedelta(days=90)
_LARGEST_PAGE = 500
_FILTER_TYPES = frozenset(
    {
        "PROPERTY", "ASSOCIATION", "IN_LIST", "FORM_SUBMISSION", "EMAIL_EVENT", "PAGE_VIEW", "EVENT",
        "UNIFIED_EVENTS", "CONSTANT", "NUM_ASSOCIATIONS", "PROPERTY_ASSOCIATION", "WEBINAR", "PRIVACY",
    }
)  # fmt: skip
_OPERATORS = {
    "STRING": {"IS_EQUAL_TO", "IS_NOT_EQUAL_TO", "CONTAINS", "DOES_NOT_CONTAIN", "STARTS_WITH", "ENDS_WITH"},
    "MULTISTRING": {"IS_EQUAL_TO", "IS_NOT_EQUAL_TO", "CONTAINS", "DOES_NOT_CONTAIN", "STARTS_WITH", "ENDS_WITH"},
    "NUMBER": {
        "IS_EQUAL_TO", "IS_NOT_EQUAL_TO", "IS_GREATER_THAN", "IS_GREATER_THAN_OR_EQUAL_TO", "IS_LESS_THAN",
        "IS_LESS_THAN_OR_EQUAL_TO",
    },
    "BOOL": {"IS_EQUAL_TO", "IS_NOT_EQUAL_TO"},
    "ENUMERATION": {"IS_ANY_OF", "IS_NONE_OF", "IS_EXACTLY", "IS_NOT_EXACTLY", "CONTAINS_ALL", "DOES_NOT_CONTAIN_ALL"},
    "ALL_PROPERTY": {"IS_KNOWN", "IS_UNKNOWN"},
    "TIME_POINT": {"IS_AFTER", "IS_BEFORE"},
    "TIME_RANGED": {"IS_BETWEEN", "IS_NOT_BETWEEN"},
}  # fmt: skip
_OF_TYPE = {"enumeration": "ENUMERATION", "number": "NUMBER", "bool": "BOOL", "string": "STRING"}


class ListBody(Body):
    name: str = Field(min_length=1)
    object_type_id: str = Field(alias="objectTypeId")
    processing_type: str = Field(alias="processingType")
    filter_branch: dict[str, Any] | None = Field(None, alias="filterBranch")


class FiltersBody(Body):
    filter_branch: dict[str, Any] = Field(alias="filterBranch")


class SearchBody(Body):
    offset: int = Field(0, ge=0)
    count: int = Field(20, ge=1, le=_LARGEST_PAGE)
    query: str | None = None
    list_ids: list[str] | None = Field(None, alias="listIds")
    processing_types: list[str] | None = Field(None, alias="processingTypes")


def _live(call: Call) -> list[Document]:
    return [one for one in call.store.all("list", portal=call.caller) if not one.get("deletedAt")]


def _shown(call: Call, document: Document, *, always: bool = False) -> Document:
    """Filters come only where they are asked for."""
    hidden = ("portal",) if always or call.flag("includeFilters") else ("portal", "filterBranch")
    return {name: value for name, value in document.items() if name not in hidden}


def _found(call: Call) -> Document:
    """A deleted one too, as long as it is kept."""
    document = call.store.get("list", key_of(call, call.path("id")))
    if document is None or _purged(document):
        raise ApiError(404, f"List does not exist with ID {call.path('id')}.", subCategory="ListError.LIST_NOT_FOUND")
    return document


def _purged(document: Document) -> bool:
    deleted = document.get("deletedAt")
    return deleted is not None and datetime.fromisoformat(deleted) < datetime.now(UTC) - _KEPT


def read_list(call: Call) -> Response:
    require(call, "crm.lists.read")
    return answer({"list": _shown(call, _found(call))})


def read_lists(call: Call) -> Response:
    require(call, "crm.lists.read")
    ids = call.many("listIds")
    return answer({"lists": [_shown(call, one) for one in _live(call) if one["listId"] in ids]})


def find_list(call: Call) -> Response:
    """By object type and name; a deleted one where no other has the name."""
    require(call, "crm.lists.read")
    type_id = type_of(call, call.path("type"))["objectTypeId"]
    every = call.store.all("list", portal=call.caller, objectTypeId=type_id, name=call.path("name"))
    kept = [one for one in every if not _purged(one)]
    kept.sort(key=lambda one: (bool(one.get("deletedAt")), -int(one["listId"])))
    if not kept:
        raise ApiError(
            404, f"List does not exist with name {call.path('name')}.", subCategory="ListError.LIST_NOT_FOUND"
        )
    return answer({"list": _shown(call, kept[0])})


def search_lists(call: Call) -> Response:
    """Live ones, page by page, without their filters."""
    require(call, "crm.lists.read")
    body = sent(call, SearchBody)
    found = [
        one
        for one in _live(call)
        if (body.query or "").casefold() in one["name"].casefold()
        and one["listId"] in (body.list_ids or [one["listId"]])
        and one["processingType"] in (body.processing_types or _TYPES)
    ]
    page = found[body.offset : body.offset + body.count]
    shown = [{n: v for n, v in one.items() if n not in ("portal", "filterBranch", "size")} for one in page]
    after = body.offset + len(page)
    lists = [{**one, "additionalProperties": {}} for one in shown]
    return answer({"lists": lists, "offset": after, "hasMore": after < len(found), "total": len(found)})


def create_list(call: Call) -> Response:
    require(call, "crm.lists.write")
    body = sent(call, ListBody)
    type_id = type_of(call, body.object_type_id)["objectTypeId"]
    if body.processing_type not in _TYPES:
        raise ApiError(400, f"processingType is one of {', '.join(_TYPES)}", subCategory="ListError.ENUM_CONVERSION")
    if (body.processing_type == "MANUAL") != (body.filter_branch is None):
        raise ApiError(400, "DYNAMIC and SNAPSHOT lists have a filterBranch, and MANUAL ones have none")
    _check_name(call, body.name)
    if body.filter_branch is not None:
        _check_filters(call, type_id, body.filter_branch)
    id_ = new_id(call, "list", 4001)
    document: Document = {
        "listId": id_,
        "listVersion": 1,
        "name": body.name,
        "objectTypeId": type_id,
        "processingType": body.processing_type,
        "processingStatus": "COMPLETE",
        "createdAt": now(),
        "updatedAt": now(),
        "filtersUpdatedAt": now(),
        "createdById": "7",
        "updatedById": "7",
        "size": 0,
    }
    if body.filter_branch is not None:
        document["filterBranch"] = body.filter_branch
    call.store.put("list", key_of(call, id_), document | {"portal": call.caller})
    return answer({"list": _shown(call, document, always=True)})


def _check_name(call: Call, name: str, but: str = "") -> None:
    if any(one["name"] == name and one["listId"] != but for one in _live(call)):
        raise ApiError(409, f"List name '{name}' is taken", subCategory="ListError.DUPLICATE_NAME")


def _check_filters(call: Call, type_id: str, branch: dict[str, Any]) -> None:
    """An OR of ANDs, which is all that HubSpot's pages can show, of filters on properties that are there."""
    ors = branch.get("filterBranchType") == "OR" and branch.get("filterBranches") and not branch.get("filters")
    if not ors or any(one.get("filterBranchType") != "AND" for one in branch["filterBranches"]):
        raise ApiError(400, "The root of filters is an OR of one or more ANDs", subCategory="ListError.INVALID_FILTERS")
    types = types_of(call, type_id)
    for one in _filters(branch):
        if one.get("filterType") not in _FILTER_TYPES:
            raise ApiError(400, f"filterType {one.get('filterType')} is none", subCategory="ListError.ENUM_CONVERSION")
        if one["filterType"] == "PROPERTY":
            _check_filter(one, types)


def _filters(branch: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from branch.get("filters") or ()
    for inner in branch.get("filterBranches") or ():
        yield from _filters(inner)


def _check_filter(one: dict[str, Any], types: dict[str, str]) -> None:
    name, operation = one.get("property"), one.get("operation") or {}
    kind = operation.get("operationType")
    if name not in types:
        raise ApiError(400, f"Property {name} does not exist", subCategory="ListError.PROPERTY_NOT_FOUND")
    if operation.get("operator") not in _OPERATORS.get(str(kind), ()):
        said = f"operator {operation.get('operator')} of {kind} is none"
        raise ApiError(400, said, subCategory="ListError.ENUM_CONVERSION")
    wanted = _OF_TYPE.get(types[name])
    if kind not in ("ALL_PROPERTY", wanted) and not (wanted == "STRING" and kind == "MULTISTRING") and wanted:
        said = f"{kind} is not for the property {name}, a {types[name]}"
        raise ApiError(400, said, subCategory="ListError.INVALID_OPERATION_FOR_PROPERTY_TYPE")


def rename_list(call: Call) -> Response:
    require(call, "crm.lists.write")
    document, name = _found(call), call.query("listName")
    if not name:
        raise ApiError(400, "listName is missing")
    _check_name(call, name, document["listId"])
    return answer({"updatedList": _shown(call, _changed(call, document, name=name))})


def update_filters(call: Call) -> Response:
    require(call, "crm.lists.write")
    document, body = _found(call), sent(call, FiltersBody)
    if document["processingType"] != "DYNAMIC":
        said = f"Filters can be changed of DYNAMIC lists only, and this is a {document['processingType']} one"
        raise ApiError(400, said, subCategory="ListError.INVALID_PROCESSING_TYPE")
    _check_filters(call, document["objectTypeId"], body.filter_branch)
    changed = _changed(call, document, filterBranch=body.filter_branch, filtersUpdatedAt=now())
    return answer({"updatedList": _shown(call, changed, always=True)})


def _changed(call: Call, document: Document, **changes: Any) -> Document:
    more = {"updatedAt": now(), "listVersion": document["listVersion"] + 1}
    return call.store.put("list", key_of(call, document["listId"]), document | changes | more)


def delete_list(call: Call) -> Response:
    require(call, "crm.lists.write")
    document = _found(call)
    if not document.get("deletedAt"):
        _changed(call, document, deletedAt=now())
    return Response(status_code=204)


def restore_list(call: Call) -> Response:
    require(call, "crm.lists.write")
    document = _found(call)
    if not document.get("deletedAt"):
        raise ApiError(400, f"The list {document['listId']} is not deleted", subCategory="ListError.NOT_DELETED")
    _check_name(call, document["name"], document["listId"])
    changed = {name: value for name, value in document.items() if name != "deletedAt"}
    _changed(call, changed)
    return Response(status_code=204)
