"""Association labels (v4): made for a pair of object types, in both directions at once."""

from __future__ import annotations

import re

from pydantic import Field
from starlette.responses import Response

from sandbox.http import ApiError, Body, Call, answer
from sandbox.hubspot.access import STANDARD, key_of, new_id, require_type, sent, type_of
from sandbox.store import Document

_MOST = 50
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_DEFINED = {("0-1", "0-2"): (279, 1), ("0-2", "0-1"): (280, 2), ("0-3", "0-2"): (341, 5), ("0-2", "0-3"): (342, 6)}
"""What HubSpot has by itself for a pair: without a label, and "Primary"."""


class LabelBody(Body):
    label: str = Field(min_length=1)
    name: str = Field(min_length=1)
    inverse_label: str | None = Field(None, alias="inverseLabel", min_length=1)


class LabelPatch(Body):
    association_type_id: int = Field(alias="associationTypeId")
    label: str = Field(min_length=1)
    inverse_label: str | None = Field(None, alias="inverseLabel", min_length=1)


def _pair(call: Call, right: str) -> tuple[str, str]:
    """The two types, which must be such that records can be associated."""
    both = [type_of(call, call.path(name)) for name in ("from", "to")]
    for one in both:
        require_type(call, one, right)
    first, second = (one["objectTypeId"] for one in both)
    return str(first), str(second)


def _of_pair(call: Call, first: str, second: str) -> list[Document]:
    return call.store.all("association_label", portal=call.caller, fromObjectType=first, toObjectType=second)


def _shown(document: Document) -> Document:
    return {"category": "USER_DEFINED", "typeId": document["typeId"], "label": document["label"]}


def list_labels(call: Call) -> Response:
    first, second = _pair(call, "read")
    plain, primary = _DEFINED.get((first, second), (449, None))
    defined = [{"category": "HUBSPOT_DEFINED", "typeId": plain, "label": None}]
    if primary:
        defined.insert(0, {"category": "HUBSPOT_DEFINED", "typeId": primary, "label": "Primary"})
    return answer({"results": [*defined, *(_shown(one) for one in _of_pair(call, first, second))]})


def create_label(call: Call) -> Response:
    """Both directions; of one object type with itself a label without an inverse is one type, else two."""
    (first, second), body = _pair(call, "write"), sent(call, LabelBody)
    _check_associable(call, first, second)
    if not _NAME.fullmatch(body.name):
        raise ApiError(400, f'Invalid name "{body.name}": it may have no hyphen, and begin with no digit')
    known = _of_pair(call, first, second)
    if any(body.name == one["name"] for one in known):
        raise ApiError(409, f'An association with the name "{body.name}" already exists')
    _check_labels(known, body.label, body.inverse_label)
    if len(known) >= _MOST:
        raise ApiError(400, f"At most {_MOST} labels are possible between two object types")
    there = {"fromObjectType": first, "toObjectType": second, "name": body.name, "label": body.label}
    back = {
        "fromObjectType": second,
        "toObjectType": first,
        "name": body.name,
        "label": body.inverse_label or body.label,
    }
    documents = [there] if first == second and not body.inverse_label else [there, back]
    ids = [int(new_id(call, "label", 101)) for _ in documents]
    made = [{**one, "typeId": id_, "pair": ids, "portal": call.caller} for one, id_ in zip(documents, ids, strict=True)]
    for one in made:
        call.store.put("association_label", key_of(call, str(one["typeId"])), one)
    # HubSpot promises no order: the inverse comes first here.
    return answer({"results": [_shown(one) for one in reversed(made)]})


def _check_associable(call: Call, first: str, second: str) -> None:
    """Of a custom object's types, those that its schema associates."""
    custom = [one for one in (first, second) if one not in STANDARD.values()]
    schemas = call.store.latest.all("schema_association", portal=call.caller)
    pairs = {(one["fromObjectTypeId"], one["toObjectTypeId"]) for one in schemas}
    if custom and first != second and not {(first, second), (second, first)} & pairs:
        raise ApiError(400, f"Records of {first} and {second} cannot be associated: the schema does not say so")


def _check_labels(known: list[Document], label: str, inverse: str | None) -> None:
    taken = {one["label"] for one in known}
    if label in taken or (inverse and inverse in taken):
        raise ApiError(409, f'A label "{label}" already exists between these object types')


def _found(call: Call, first: str, second: str, type_id: str) -> Document:
    known = call.store.get("association_label", key_of(call, type_id))
    if known is None or (known["fromObjectType"], known["toObjectType"]) != (first, second):
        raise ApiError(404, f"There is no label {type_id} between {first} and {second}")
    return known


def update_label(call: Call) -> Response:
    (first, second), body = _pair(call, "write"), sent(call, LabelPatch)
    known = _found(call, first, second, str(body.association_type_id))
    others = [one for one in _of_pair(call, first, second) if one["typeId"] not in known["pair"]]
    _check_labels(others, body.label, body.inverse_label)
    for id_ in known["pair"]:
        one = _by_id(call, id_)
        label = body.label if one["typeId"] == known["typeId"] else body.inverse_label or body.label
        call.store.put("association_label", key_of(call, str(id_)), one | {"label": label})
    return Response(status_code=204)


def _by_id(call: Call, id_: int) -> Document:
    return call.store.latest.get("association_label", key_of(call, str(id_))) or {}


def delete_label(call: Call) -> Response:
    """Both directions go."""
    first, second = _pair(call, "write")
    for id_ in _found(call, first, second, call.path("id"))["pair"]:
        call.store.delete("association_label", key_of(call, str(id_)))
    return Response(status_code=204)
