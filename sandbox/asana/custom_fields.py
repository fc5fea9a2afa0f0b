"""Custom fields, their options, and the projects that use them."""

from __future__ import annotations

from typing import Literal

from pydantic import Field
from starlette.responses import Response

from sandbox.asana import answers
from sandbox.asana.access import caller, found, meant, new_gid, require_plan, sent, without_stage, workspace
from sandbox.http import ApiError, Body, Call
from sandbox.store import Document

_TAKEN = ("due date", "assignee", "name", "projects", "tags", "created on", "completed on")
"""What tasks have by themselves, which no custom field may be called."""

_MOST_OPTIONS = 500
_ENUMS = ("enum", "multi_enum")


class OptionBody(Body):
    name: str | None = Field(None, min_length=1)
    color: str | None = None
    enabled: bool | None = None
    insert_before: str | None = None
    insert_after: str | None = None


class InsertBody(Body):
    enum_option: str
    before_enum_option: str | None = None
    after_enum_option: str | None = None


class FieldBody(Body):
    name: str | None = Field(None, min_length=1)
    workspace: str | None = None
    resource_subtype: Literal["text", "enum", "multi_enum", "number", "date", "people", "reference"] | None = None
    description: str | None = None
    precision: int | None = Field(None, ge=0, le=6)
    format: Literal["currency", "identifier", "percentage", "custom", "duration", "none"] | None = None
    currency_code: str | None = Field(None, pattern="^[A-Z]{3}$")
    custom_label: str | None = None
    custom_label_position: Literal["prefix", "suffix"] | None = None
    has_notifications_enabled: bool | None = None
    enum_options: list[OptionBody] | None = None


class SettingBody(Body):
    custom_field: str
    is_important: bool = False
    insert_before: str | None = None
    insert_after: str | None = None


class RemoveBody(Body):
    custom_field: str


def list_fields(call: Call) -> Response:
    found(call, "workspace", call.path("gid"))
    require_plan(call, "custom fields")
    return answers.page(call, [field(call, one) for one in call.store.all("custom_field", stage=call.caller)])


def create_field(call: Call) -> Response:
    require_plan(call, "custom fields")
    body = sent(call, FieldBody)
    for name in ("workspace", "resource_subtype", "name"):
        if getattr(body, name) is None:
            raise ApiError(400, f"{name}: Missing input")
    own = workspace(call, str(body.workspace))
    _free_name(call, str(body.name))
    options = body.enum_options or []
    if (body.resource_subtype in _ENUMS) != bool(options):
        said = "needs at least one enum option" if body.resource_subtype in _ENUMS else "has no enum options"
        raise ApiError(400, f"enum_options: A custom field of type {body.resource_subtype} {said}")
    _check_number(body.resource_subtype, body.sent())
    gid = new_gid()
    base: Document = {
        "gid": gid,
        "resource_type": "custom_field",
        "description": "",
        "has_notifications_enabled": False,
    }
    if body.resource_subtype == "number":
        base |= {"precision": 0, "format": "none"}
    document = base | body.sent() | {"workspace": own["gid"], "stage": call.caller, "created_by": caller(call)["gid"]}
    document["enum_options"] = []
    for option in options:
        document["enum_options"].append(_new_option(call, gid, document["enum_options"], option))
    call.store.put("custom_field", gid, document)
    return answers.one(call, field(call, document), 201)


def _free_name(call: Call, name: str, own: str = "") -> None:
    same = [
        one
        for one in call.store.latest.all("custom_field", stage=call.caller)
        if one["name"].casefold() == name.casefold() and one["gid"] != own
    ]
    if name.casefold() in _TAKEN:
        raise ApiError(400, f'name: "{name}" is the name of a property that every task has')
    if same:
        raise ApiError(400, f'name: A custom field with the name "{name}" already exists in this workspace')


def _check_number(subtype: str | None, members: Document) -> None:
    wrong = [name for name in ("precision", "format", "currency_code") if name in members and subtype != "number"]
    if wrong:
        raise ApiError(400, f"{wrong[0]}: Only custom fields of type number have it")
    if members.get("currency_code") and members.get("format") != "currency":
        raise ApiError(400, "currency_code: Only custom fields with the format currency have it")


def read_field(call: Call) -> Response:
    require_plan(call, "custom fields")
    return answers.one(call, field(call, found(call, "custom_field", call.path("gid"))))


def update_field(call: Call) -> Response:
    require_plan(call, "custom fields")
    document, changes = found(call, "custom_field", call.path("gid")), sent(call, FieldBody).sent()
    for name in ("resource_subtype", "workspace"):
        if changes.get(name, document[name]) != document[name]:
            raise ApiError(400, f"{name}: Cannot be changed")
    if "enum_options" in changes:
        raise ApiError(400, "enum_options: Cannot be changed here; see the endpoints of enum options")
    if changes.get("name"):
        _free_name(call, changes["name"], document["gid"])
    _check_number(document["resource_subtype"], {**document, **changes})
    return answers.one(call, field(call, call.store.put("custom_field", document["gid"], document | changes)))


def delete_field(call: Call) -> Response:
    require_plan(call, "custom fields")
    document = found(call, "custom_field", call.path("gid"))
    gid = document["gid"]
    for setting in call.store.latest.all("custom_field_setting", custom_field=gid):
        call.store.delete("custom_field_setting", setting["gid"])
    for option in document["enum_options"]:
        call.store.delete("enum_option", option["gid"])
    call.store.delete("custom_field", gid)
    return answers.nothing()


def field(call: Call, document: Document) -> Document:
    subtype = document["resource_subtype"]
    shown = {name: value for name, value in without_stage(document).items() if name != "workspace"}
    if subtype not in _ENUMS:
        shown.pop("enum_options", None)
    own = call.store.latest.get("user", document["created_by"]) or {}
    return shown | {
        "type": subtype,
        "representation_type": subtype,
        "is_formula_field": False,
        "is_global_to_workspace": True,
        "created_by": answers.compact(own),
    }


def create_option(call: Call) -> Response:
    """At the end, unless the request says before or after which other one."""
    document, body = found(call, "custom_field", call.path("gid")), sent(call, OptionBody)
    if document["resource_subtype"] not in _ENUMS:
        raise ApiError(400, "custom_field: Enum options can only be added to enum and multi_enum custom fields")
    options = list(document["enum_options"])
    option = _new_option(call, document["gid"], options, body)
    at = _place(options, body.insert_before, body.insert_after) if body.insert_before or body.insert_after else None
    options.insert(len(options) if at is None else at, option)
    call.store.put("custom_field", document["gid"], document | {"enum_options": options})
    return answers.one(call, option, 201)


def _new_option(call: Call, field_gid: str, others: list[Document], body: OptionBody) -> Document:
    if not body.name:
        raise ApiError(400, "name: Missing input")
    if any(one["name"].casefold() == body.name.casefold() for one in others):
        raise ApiError(400, f'name: An enum option with the name "{body.name}" already exists')
    if len(others) >= _MOST_OPTIONS:
        raise ApiError(400, f"A custom field can have at most {_MOST_OPTIONS} enum options")
    gid = new_gid()
    call.store.put("enum_option", gid, {"custom_field": field_gid, "stage": call.caller})
    color = body.color or "none"
    return {"gid": gid, "resource_type": "enum_option", "name": body.name, "enabled": True, "color": color}


def _place(options: list[Document], before: str | None, after: str | None) -> int:
    gids = [one["gid"] for one in options]
    at = before or after or ""
    if at not in gids:
        raise ApiError(400, f"enum_option: Not a recognized ID: {at}")
    return gids.index(at) + (0 if before else 1)


def update_option(call: Call) -> Response:
    gid = call.path("gid")
    owner = found(call, "enum_option", gid)["custom_field"]
    document, changes = meant(call, "custom_field", owner, "custom_field"), sent(call, OptionBody).sent()
    options = [one | changes if one["gid"] == gid else one for one in document["enum_options"]]
    if not any(one["enabled"] for one in options):
        raise ApiError(400, "enabled: An enum custom field needs at least one enabled enum option")
    names = [one["name"].casefold() for one in options]
    if len(set(names)) < len(names):
        raise ApiError(400, f'name: An enum option with the name "{changes["name"]}" already exists')
    call.store.put("custom_field", owner, document | {"enum_options": options})
    return answers.one(call, next(one for one in options if one["gid"] == gid))


def insert_option(call: Call) -> Response:
    document, body = found(call, "custom_field", call.path("gid")), sent(call, InsertBody)
    moved = [one for one in document["enum_options"] if one["gid"] == body.enum_option]
    if not moved:
        raise ApiError(400, f"enum_option: Not a recognized ID: {body.enum_option}")
    options = [one for one in document["enum_options"] if one not in moved]
    options.insert(_place(options, body.before_enum_option, body.after_enum_option), moved[0])
    call.store.put("custom_field", document["gid"], document | {"enum_options": options})
    return answers.one(call, moved[0])


def list_settings(call: Call) -> Response:
    gid = found(call, "project", call.path("gid"))["gid"]
    return answers.page(call, [_setting(call, one) for one in _settings_in_order(call, gid)])


def _settings_in_order(call: Call, project_gid: str) -> list[Document]:
    return sorted(call.store.all("custom_field_setting", project=project_gid), key=lambda one: int(one["order"]))


def add_setting(call: Call) -> Response:
    require_plan(call, "custom fields")
    gid, body = found(call, "project", call.path("gid"))["gid"], sent(call, SettingBody)
    used = meant(call, "custom_field", body.custom_field, "custom_field")
    others = _settings_in_order(call, gid)
    if any(one["custom_field"] == used["gid"] for one in others):
        raise ApiError(400, f"custom_field: The custom field {used['gid']} is on this project already")
    setting_gid = new_gid()
    setting: Document = {"gid": setting_gid, "project": gid, "custom_field": used["gid"], "stage": call.caller}
    setting["is_important"] = body.is_important
    gids = [one["gid"] for one in others]
    at = body.insert_before or body.insert_after
    if at is not None and at not in gids:
        raise ApiError(400, f"insert_{'before' if body.insert_before else 'after'}: Not a recognized ID: {at}")
    index = len(others) if at is None else gids.index(at) + (0 if body.insert_before else 1)
    for order, one in enumerate([*others[:index], setting, *others[index:]]):
        call.store.put("custom_field_setting", one["gid"], one | {"order": order})
    return answers.one(call, _setting(call, setting))


def remove_setting(call: Call) -> Response:
    gid, body = found(call, "project", call.path("gid"))["gid"], sent(call, RemoveBody)
    setting = call.store.latest.first("custom_field_setting", project=gid, custom_field=body.custom_field)
    if setting is None:
        raise ApiError(400, f"custom_field: The custom field {body.custom_field} is not on this project")
    call.store.delete("custom_field_setting", setting["gid"])
    return answers.nothing()


def _setting(call: Call, document: Document) -> Document:
    latest = call.store.latest
    own = answers.compact(latest.get("project", document["project"]) or {})
    return {
        "gid": document["gid"],
        "resource_type": "custom_field_setting",
        "project": own,
        "parent": own,
        "is_important": document["is_important"],
        "custom_field": field(call, latest.get("custom_field", document["custom_field"]) or {}),
    }
