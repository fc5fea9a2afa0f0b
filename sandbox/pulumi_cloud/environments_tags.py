"""The tags of environments and of their revisions."""

from __future__ import annotations

import re
from typing import Any

from sandbox.pulumi_cloud import environments_store as store
from sandbox.pulumi_cloud.account import USER
from sandbox.pulumi_cloud.calls import Answer, ApiError, Call
from sandbox.pulumi_cloud.environments_lookup import environment_of, page_of, text_member, whole_number
from sandbox.pulumi_cloud.environments_store import Environment, Tag

_ENVIRONMENT, _REVISION = "environment", "revision"
_REVISION_TAG = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,99}")


def _editor() -> dict[str, str]:
    return {"editorLogin": USER, "editorName": USER}


def _times(tag: Tag) -> dict[str, str]:
    return {"created": tag.created, "modified": tag.modified}


def _tag_json(environment: Environment, tag: Tag) -> dict[str, Any]:
    identity = {"id": f"{environment.id}-{tag.name}", "name": tag.name, "value": tag.value}
    return {**identity, **_times(tag), **_editor()}


def _revision_tag_json(tag: Tag) -> dict[str, Any]:
    return {"name": tag.name, "revision": int(tag.value), **_times(tag), **_editor()}


def _found(call: Call, kind: str) -> tuple[Environment, Tag]:
    environment, name = environment_of(call), call.parameter("tag")
    tag = store.tag(call.connection, environment, kind, name)
    if tag is None:
        raise ApiError(404, f"Not Found: environment {environment.full_name} has no {kind} tag {name!r}")
    return environment, tag


def list_tags(call: Call) -> Answer:
    environment = environment_of(call)
    page = page_of(call, store.tags(call.connection, environment, _ENVIRONMENT))
    # The command line goes on asking until the next token is "0".
    token = page.tags[-1].name if page.more else "0"
    return {"tags": {tag.name: _tag_json(environment, tag) for tag in page.tags}, "nextToken": token}


def create_tag(call: Call) -> Answer:
    environment, body = environment_of(call), call.document()
    name = text_member(body, "name")
    if store.tag(call.connection, environment, _ENVIRONMENT, name):
        raise ApiError(409, f"Conflict: environment {environment.full_name} has a tag {name!r} already")
    return _put_tag(call, environment, name, text_member(body, "value", empty=True))


def _put_tag(call: Call, environment: Environment, name: str, value: str) -> Answer:
    store.put_tag(call.connection, environment, _ENVIRONMENT, name, value)
    tag = store.tag(call.connection, environment, _ENVIRONMENT, name)
    return _tag_json(environment, tag) if tag else None


def get_tag(call: Call) -> Answer:
    return _tag_json(*_found(call, _ENVIRONMENT))


def update_tag(call: Call) -> Answer:
    environment, tag = _found(call, _ENVIRONMENT)
    body = call.document()
    current, new = body.get("currentTag") or {}, body.get("newTag") or {}
    if current.get("value", tag.value) != tag.value:
        raise ApiError(409, f"Conflict: tag {tag.name!r} was changed by someone else: its value is {tag.value!r}")
    name = str(new.get("name") or tag.name)
    if name != tag.name:
        if store.tag(call.connection, environment, _ENVIRONMENT, name):
            raise ApiError(409, f"Conflict: environment {environment.full_name} has a tag {name!r} already")
        store.delete_tag(call.connection, environment, _ENVIRONMENT, tag.name)
    return _put_tag(call, environment, name, str(new.get("value", tag.value)))


def delete_tag(call: Call) -> Answer:
    environment, tag = _found(call, _ENVIRONMENT)
    store.delete_tag(call.connection, environment, _ENVIRONMENT, tag.name)
    return None


def list_revision_tags(call: Call) -> Answer:
    environment = environment_of(call)
    page = page_of(call, store.tags(call.connection, environment, _REVISION))
    return {
        "tags": [_revision_tag_json(tag) for tag in page.tags],
        "nextToken": page.tags[-1].name if page.more else "",
    }


def create_revision_tag(call: Call) -> Answer:
    environment, body = environment_of(call), call.document()
    name = text_member(body, "name")
    if not _REVISION_TAG.fullmatch(name):
        raise ApiError(
            400, f"Bad Request: {name!r} cannot be a revision tag: it begins with a letter and has no blanks"
        )
    if store.tag(call.connection, environment, _REVISION, name):
        raise ApiError(409, f"Conflict: environment {environment.full_name} has a revision tag {name!r} already")
    newest = store.revisions(call.connection, environment, 0, 1)[0].number
    _tag_revision(call, environment, name, whole_number(body.get("revision") or newest, "revision"))
    return None


def get_revision_tag(call: Call) -> Answer:
    return _revision_tag_json(_found(call, _REVISION)[1])


def update_revision_tag(call: Call) -> Answer:
    environment, tag = _found(call, _REVISION)
    _not_latest(tag)
    _tag_revision(call, environment, tag.name, whole_number(call.document().get("revision"), "revision"))
    return None


def delete_revision_tag(call: Call) -> Answer:
    environment, tag = _found(call, _REVISION)
    _not_latest(tag)
    store.delete_tag(call.connection, environment, _REVISION, tag.name)
    return None


def _tag_revision(call: Call, environment: Environment, name: str, number: int) -> None:
    if store.revision(call.connection, environment, str(number)) is None:
        raise ApiError(404, f"Not Found: environment {environment.full_name} has no revision {number}")
    store.put_tag(call.connection, environment, _REVISION, name, str(number))


def _not_latest(tag: Tag) -> None:
    if tag.name == store.LATEST:
        raise ApiError(400, "Bad Request: the tag 'latest' always names the newest revision")
