"""Stacks: creation, listing, tags, configuration, renaming, removal, import and export of their state."""

from __future__ import annotations

import json
import re
import sqlite3
import uuid
from dataclasses import replace
from typing import Any

from starlette.responses import Response
from starlette.routing import Route

from sandbox.pulumi_cloud import checkpoints, environments, environments_store
from sandbox.pulumi_cloud.account import ORGANIZATIONS, USER, USER_INFO
from sandbox.pulumi_cloud.calls import Answer, ApiError, Call, Json, routes
from sandbox.pulumi_cloud.records import (
    STACK,
    Stack,
    add_update,
    find_stack,
    history,
    list_stacks,
    running_update,
    stack_named,
)
from sandbox.pulumi_cloud.secrets import seal, unseal
from sandbox.pulumi_cloud.state import Address, renamed, resealed, secrets_address, with_secrets_address
from sandbox.pulumi_cloud.vault import VaultError

_NAME = re.compile(r"[A-Za-z0-9_.-]{1,100}")


def _list(call: Call) -> Answer:
    wanted = call.request.query_params
    found = []
    for stack in list_stacks(call.connection):
        value = stack.tags.get(wanted.get("tagName", ""))
        if (
            wanted.get("project") in (None, "", stack.project)
            and wanted.get("organization") in (None, "", stack.organization)
            and (not wanted.get("tagName") or value is not None)
            and wanted.get("tagValue") in (None, "", value)
        ):
            found.append(_summary(call.connection, stack))
    return {"stacks": found}


def _summary(connection: sqlite3.Connection, stack: Stack) -> Json:
    updates = history(connection, stack)
    summary: Json = {**_identity(stack), "links": {"self": ""}}
    if updates:
        summary["lastUpdate"] = int(updates[0].ended or updates[0].started)
        summary["resourceCount"] = checkpoints.latest_resource_count(connection, stack)
    return summary


def _identity(stack: Stack) -> Json:
    return {"id": stack.id, "orgName": stack.organization, "projectName": stack.project, "stackName": stack.name}


def _project_exists(call: Call) -> Answer:
    owner, project = call.parameter("organization"), call.parameter("project")
    exists = any((s.organization, s.project) == (owner, project) for s in list_stacks(call.connection))
    return Response(status_code=200 if exists else 404)


def _create(call: Call) -> Answer:
    request = call.document()
    owner, project = call.parameter("organization"), call.parameter("project")
    if owner not in ORGANIZATIONS:
        raise ApiError(404, f"Not Found: Organization '{owner}' not found; the sandbox has {', '.join(ORGANIZATIONS)}")
    name = _name("stack", request.get("stackName"))
    _name("project", project)
    if stack_named(call.connection, owner, project, name):
        raise ApiError(409, f"Conflict: Stack '{owner}/{project}/{name}' already exists")
    tags, config = _tags(request.get("tags") or {}), request.get("config")
    stack = Stack(str(uuid.uuid4()), owner, project, name, tags, config, 0, "")
    call.connection.execute(
        "INSERT INTO stacks (id, organization, project, name, tags, config) VALUES (?, ?, ?, ?, ?, ?)",
        (stack.id, owner, project, name, json.dumps(tags), json.dumps(config) if config else None),
    )
    if request.get("state"):
        checkpoints.save(call.connection, stack.id, 0, checkpoints.checked(request["state"]))
    _create_remote_configuration(call, stack)
    return {"messages": []}


def _create_remote_configuration(call: Call, stack: Stack) -> None:
    """``pulumi stack init --remote-config`` only names an environment: the service makes it, empty."""
    project, _, name = str((stack.config or {}).get("environment") or "").partition("/")
    if name and not environments_store.find(call.connection, stack.organization, project, name):
        state = call.request.app.state
        environments.write_environment(state.database, state.vault, stack.organization, project, name, "")


def _show(call: Call) -> Answer:
    stack = find_stack(call)
    answer: Json = {
        **_identity(stack),
        "tags": stack.tags,
        "version": stack.version,
        "activeUpdate": stack.active_update,
    }
    running = running_update(call.connection, stack)
    if running is not None:
        answer["currentOperation"] = {"kind": running.kind, "author": USER, "started": int(running.started)}
    if stack.config is not None:
        answer["config"] = stack.config
    return answer


def _remove(call: Call) -> Answer:
    stack = find_stack(call)
    checkpoints.take(call, stack)
    forced = call.request.query_params.get("force") == "true"
    if not forced and checkpoints.latest_resource_count(call.connection, stack):
        raise ApiError(400, "Bad Request: Stack still contains resources.")
    execute = call.connection.execute
    execute("DELETE FROM stack_events WHERE update_id IN (SELECT id FROM stack_updates WHERE stack = ?)", (stack.id,))
    execute("DELETE FROM stack_updates WHERE stack = ?", (stack.id,))
    execute("DELETE FROM stack_checkpoints WHERE stack = ?", (stack.id,))
    execute("DELETE FROM stacks WHERE id = ?", (stack.id,))
    return None


def _replace_tags(call: Call) -> Answer:
    stack = find_stack(call)
    call.connection.execute("UPDATE stacks SET tags = ? WHERE id = ?", (json.dumps(_tags(call.document())), stack.id))
    return None


def _replace_config(call: Call) -> Answer:
    stack = find_stack(call)
    config = call.document()
    call.connection.execute("UPDATE stacks SET config = ? WHERE id = ?", (json.dumps(config), stack.id))
    return config


def _rename(call: Call) -> Answer:
    stack, request = find_stack(call), call.document()
    name = _name("stack", request.get("newName") or stack.name)
    project = _name("project", request.get("newProject") or stack.project)
    checkpoints.take(call, stack)
    if stack_named(call.connection, stack.organization, project, name):
        raise ApiError(409, f"Conflict: Stack '{stack.organization}/{project}/{name}' already exists")
    tags = dict(stack.tags)
    if "pulumi:project" in tags:
        tags["pulumi:project"] = project
    call.connection.execute(
        "UPDATE stacks SET name = ?, project = ?, tags = ? WHERE id = ?", (name, project, json.dumps(tags), stack.id)
    )
    old, new = _address(stack), Address(stack.organization, project, name)
    for version in checkpoints.versions(call.connection, stack):
        document = checkpoints.load(call.connection, stack, version)
        document["deployment"] = renamed(document["deployment"], old, new)
        checkpoints.save(call.connection, stack.id, version, document)
    update = add_update(call, stack, kind="rename", dry_run=False, **_carried_over(call, stack))
    _finish_at_once(call, replace(stack, name=name, project=project), update)
    return {"updateId": update}


def _export(call: Call) -> Answer:
    stack = find_stack(call)
    text = call.request.path_params.get("version")
    version = stack.version if text is None else _version(text)
    if text is not None and not 1 <= version <= stack.version:
        raise ApiError(404, f"Not Found: Stack '{stack.path}' has no version {version}")
    document = checkpoints.load(call.connection, stack, version)
    url = str(call.request.base_url.replace(path="")).rstrip("/")
    document["deployment"] = with_secrets_address(document["deployment"], url, _address(stack))
    return document


def _import(call: Call) -> Answer:
    stack, document = find_stack(call), checkpoints.checked(call.document())
    checkpoints.take(call, stack)
    if document.get("deployment"):
        document["deployment"] = _own_secrets(call, stack, document["deployment"])
    update = add_update(call, stack, kind="import", dry_run=False, **_carried_over(call, stack))
    version = _finish_at_once(call, stack, update)
    checkpoints.save(call.connection, stack.id, version, document)
    call.connection.execute(
        "UPDATE stack_updates SET resource_count = ? WHERE id = ?", (checkpoints.resource_count(document), update)
    )
    return {"updateId": update}


def _own_secrets(call: Call, stack: Stack, deployment: Json) -> Json:
    """Seals the secrets of a state that another stack of this sandbox exported for the stack that takes it over.

    The engine leaves them encrypted for the stack that the state names; every export names its own stack.
    """
    address = secrets_address(deployment)
    source = stack_named(call.connection, address.organization, address.project, address.stack) if address else None
    if source is None or source.id == stack.id:
        return deployment

    def seal_anew(ciphertext: str) -> str:
        try:
            return seal(call.vault, stack.id, unseal(call.vault, source.id, ciphertext))
        except VaultError as error:
            raise ApiError(
                400, f"Bad Request: a secret was not encrypted for stack '{source.path}': {error}"
            ) from error

    owned: Json = resealed(deployment, seal_anew)
    return owned


def _finish_at_once(call: Call, stack: Stack, update: str) -> int:
    """Records an update that is over when its request is answered; returns the stack's new version."""
    version = stack.version + 1
    call.connection.execute(
        "UPDATE stack_updates SET status = 'succeeded', version = ?, started = ?, ended = ? WHERE id = ?",
        (version, call.now, call.now, update),
    )
    call.connection.execute(
        "UPDATE stacks SET version = ?, active_update = ? WHERE id = ?", (version, update, stack.id)
    )
    return version


def _carried_over(call: Call, stack: Stack) -> Json:
    """The configuration of the latest update, for an entry that has none of its own.

    `pulumi config refresh` writes the latest entry's configuration into the stack file: an empty one would wipe it.
    """
    updates = history(call.connection, stack)
    environments_named = updates[0].environment if updates else {}
    return {"metadata": {"environment": environments_named}, "config": updates[0].config if updates else {}}


def _history(call: Call) -> Answer:
    stack = find_stack(call)
    updates = history(call.connection, stack)
    size = _version(call.request.query_params.get("pageSize") or "0")
    page = max(1, _version(call.request.query_params.get("page") or "1"))
    shown = updates[(page - 1) * size : page * size] if size else updates
    return {"updates": [update.info() for update in shown], "itemsPerPage": size or len(updates), "total": len(updates)}


def _latest(call: Call) -> Answer:
    stack = find_stack(call)
    updates = history(call.connection, stack)
    if not updates:
        raise ApiError(404, "Not Found: this stack has no updates")
    return {
        "info": updates[0].info(),
        "updateID": updates[0].id,
        "version": updates[0].version,
        "latestVersion": stack.version,
        "requestedBy": USER_INFO,
    }


def _policy_packs(call: Call) -> Answer:
    find_stack(call)
    return {"requiredPolicies": []}


def _address(stack: Stack) -> Address:
    return Address(stack.organization, stack.project, stack.name)


def _name(what: str, name: Any) -> str:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ApiError(400, f"Bad Request: a {what} name has 1 to 100 letters, digits, '-', '_' and '.': not {name!r}")
    return name


def _tags(tags: Json) -> dict[str, str]:
    if not all(isinstance(value, str) for value in tags.values()):
        raise ApiError(400, "Bad Request: tag values must be text")
    return tags


def _version(text: str) -> int:
    if not text.isdecimal():
        raise ApiError(400, f"Bad Request: not a number: {text!r}")
    return int(text)


ROUTES: list[Route] = routes(
    [
        ("GET", "/user/stacks", _list),
        ("GET", f"{STACK}/export", _export),
        ("GET", f"{STACK}/export/{{version}}", _export),
        ("GET", f"{STACK}/updates", _history),
        ("GET", f"{STACK}/updates/latest", _latest),
        ("GET", f"{STACK}/policypacks", _policy_packs),
        ("POST", f"{STACK}/import", _import),
        ("POST", f"{STACK}/rename", _rename),
        ("PATCH", f"{STACK}/tags", _replace_tags),
        ("PUT", f"{STACK}/config", _replace_config),
        ("GET", STACK, _show),
        ("DELETE", STACK, _remove),
        ("HEAD", "/stacks/{organization}/{project}", _project_exists),
        ("POST", "/stacks/{organization}/{project}", _create),
    ]
)
