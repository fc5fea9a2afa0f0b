"""Custom fields. None is ever deleted, and no picklist is made by the API; those that a team has were made by people."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field
from starlette.responses import Response

from sandbox.apollo.access import mine, new_id, now, require, sent, shown
from sandbox.http import ApiError, Body, Call, answer
from sandbox.store import Document

_PICKLISTS = ("picklist", "multipicklist")
_TEXTS = ("string", "textarea")
_SYSTEM: Document = {
    "id": "account.name",
    "label": "Company",
    "modality": "account",
    "type": "string",
    "source": "system",
    "category": "company",
    "editable": False,
}


class _Meta(Body):
    max_length: float | None = Field(None, ge=1)


class _New(Body):
    label: str = Field(min_length=1)
    modality: Literal["contact", "account", "opportunity"]
    type: Literal["string", "textarea", "number", "date", "datetime", "boolean"]
    meta: _Meta | None = None


class _Option(Body):
    name: str = Field(min_length=1)
    id: str | None = None


class _ChangedMeta(_Meta):
    picklist_values: list[_Option] | None = None


class _Change(Body):
    id: str
    label: str | None = Field(None, min_length=1)
    type: str | None = None
    meta: _ChangedMeta | None = None


class _Changes(Body):
    fields: list[_Change] = Field(min_length=1, max_length=1)


def list_fields(call: Call) -> Response:
    require(call, "fields", "index")
    source = call.query("source")
    if source not in (None, "system", "custom", "crm_synced"):
        raise ApiError(422, "source is not one of system, custom, crm_synced")
    custom = [*call.store.all("people_field", stage=call.caller), *call.store.all("field", stage=call.caller)]
    known = [*([_SYSTEM] if source in (None, "system") else []), *(custom if source in (None, "custom") else [])]
    return answer({"fields": [_listed(one) for one in known]})


def create_field(call: Call) -> Response:
    require(call, "fields", "create")
    wanted = sent(call, _New)
    _allowed(wanted.label)
    key = f"{wanted.modality}.{new_id()}"
    meta: dict[str, Any] = {"computed_type": "manual", "visibility_status": "active"}
    if wanted.meta and wanted.meta.max_length is not None and wanted.type in _TEXTS:
        meta["max_length"] = int(wanted.meta.max_length)
    field = {"id": key, "label": wanted.label, "modality": wanted.modality, "type": wanted.type, "source": "custom"}
    call.store.put("field", key, field | {"created_at": now(), "meta": meta, "stage": call.caller})
    return answer({"typed_custom_fields": [_typed(field | {"meta": meta})]})


def update_field(call: Call) -> Response:
    require(call, "fields", "update")
    (wanted,) = sent(call, _Changes).fields
    kind = next((kind for kind in ("field", "people_field") if mine(call, kind, wanted.id)), None)
    if kind is None:
        raise ApiError(422, "Some fields could not be found")
    field = mine(call, kind, wanted.id) or {}
    if wanted.type is not None and wanted.type != field["type"]:
        raise ApiError(422, "Cannot change field type after creation")
    changed = dict(field)
    if wanted.label is not None:
        _allowed(wanted.label)
        changed["label"] = wanted.label
    meta = wanted.meta or _ChangedMeta()
    if field["type"] in _PICKLISTS:
        if not meta.picklist_values:
            raise ApiError(422, "Picklist fields must have at least one option")
        changed["meta"] = {**field["meta"], "picklist_values": _options(field, meta.picklist_values)}
    elif meta.max_length is not None and field["type"] in _TEXTS:
        changed["meta"] = {**field["meta"], "max_length": int(meta.max_length)}
    call.store.put(kind, wanted.id, changed)
    return answer({"fields": [_listed(changed)], "typed_custom_fields": [_typed(changed)]})


def _options(field: Document, wanted: list[_Option]) -> list[dict[str, str]]:
    """The whole set: one without its id is another one, and what is left out is gone."""
    known = {one["id"] for one in field["meta"]["picklist_values"]}
    for option in wanted:
        if option.id is not None and option.id not in known:
            raise ApiError(422, f"There is no option {option.id}")
    return [{"id": one.id or new_id(), "name": one.name} for one in wanted]


def _allowed(label: str) -> None:
    if label.startswith("powerup_"):
        raise ApiError(422, "Field name with prefix 'powerup_' is not allowed. Please use another name.")


def _listed(field: Document) -> dict[str, Any]:
    return {**shown(field), "field_name": field["label"], "finder_view_ids": [], "is_local": False}


def _typed(field: Document) -> dict[str, Any]:
    """The older form, whose id is without the modality."""
    longest = field.get("meta", {}).get("max_length")
    typed = {"id": field["id"].partition(".")[2], "name": field["label"], "modality": field["modality"]}
    return {**typed, **({"text_field_max_length": longest} if longest is not None else {})}
