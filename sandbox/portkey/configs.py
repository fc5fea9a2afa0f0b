"""Gateway configurations, each with its versions, the last of which is in force."""

from __future__ import annotations

import json
from typing import Any, Literal
from uuid import uuid4

from pydantic import Field
from starlette.responses import Response

from sandbox.http import Body, Call, answer
from sandbox.portkey.access import ORGANISATION, OWNER, narrowed, now, placed, reaches
from sandbox.portkey.config_rules import check
from sandbox.portkey.errors import hidden
from sandbox.portkey.lists import enveloped, picked, slug_of
from sandbox.store import Document

_SUMMARY = (
    "id",
    "name",
    "slug",
    "organisation_id",
    "workspace_id",
    "is_default",
    "status",
    "owner_id",
    "updated_by",
    "created_at",
    "last_updated_at",
)


class ConfigUpdate(Body):
    name: str | None = Field(None, min_length=1)
    config: dict[str, Any] | None = None
    status: Literal["active", "archived"] | None = None


class ConfigCreate(Body):
    name: str = Field(min_length=1)
    config: dict[str, Any]
    isDefault: Literal[0, 1] = 0  # noqa: N815 - the member's name on the wire
    workspace_id: str | None = None


def list_configs(call: Call) -> Response:
    """All at once. An organisation's key sees those of every workspace, unless it names one."""
    workspace = narrowed(call, call.query("workspace_id"))
    found = [_summary(c) for c in call.store.all("config") if workspace in (None, c["workspace_id"])]
    return answer({"success": True, "object": "list", "total": len(found), "data": found})


def create_config(call: Call) -> Response:
    """Names are not unique. The default one of a workspace is one only."""
    sent = call.body(ConfigCreate)
    workspace = placed(call, sent.workspace_id)
    check(call.store.latest, workspace, sent.config)
    if sent.isDefault:
        for other in call.store.all("config", workspace_id=workspace, is_default=1):
            call.store.put("config", other["id"], other | {"is_default": 0})
    config: Document = {
        "id": str(uuid4()),
        "slug": slug_of(sent.name, "pc"),
        "name": sent.name,
        "config": sent.config,
        "organisation_id": ORGANISATION,
        "workspace_id": workspace,
        "is_default": sent.isDefault,
        "status": "active",
        "owner_id": OWNER,
        "updated_by": OWNER,
        "created_at": now(),
        "last_updated_at": now(),
    }
    config = _versioned(call, config)
    made = {"id": config["id"], "slug": config["slug"], "version_id": config["version_id"]}
    # The specification has the ids inside "data", the vendor's SDK and Terraform provider read them outside.
    return answer({"success": True, "data": made, "object": "config", **made})


def read_config(call: Call) -> Response:
    """The specification has the configuration as an object inside "data", the vendor's clients read text outside."""
    config = _config(call)
    shown = _summary(config) | {"version_id": config["version_id"], "format": "json", "type": "ORG_CONFIG"}
    document = {"success": True, "data": shown | {"config": config["config"]}, "object": "config"}
    return answer(document | shown | {"config": json.dumps(config["config"])})


def update_config(call: Call) -> Response:
    """Another configuration makes another version."""
    config, sent = _config(call), call.body(ConfigUpdate)
    config |= {name: value for name, value in sent.sent().items() if value is not None}
    config |= {"updated_by": OWNER, "last_updated_at": now()}
    if sent.config is not None:
        check(call.store.latest, config["workspace_id"], sent.config)
        config = _versioned(call, config)
    else:
        call.store.put("config", config["id"], config)
    return answer(
        {
            "success": True,
            "data": {"version_id": config["version_id"]},
            "object": "config",
            "version_id": config["version_id"],
        }
    )


def delete_config(call: Call) -> Response:
    config = _config(call)
    for version in call.store.all("config-version", config_id=config["id"]):
        call.store.delete("config-version", version["id"])
    call.store.delete("config", config["id"])
    return answer({})


def list_versions(call: Call) -> Response:
    """The latest first."""
    config = _config(call)
    found = [
        _summary(config)
        | {
            "config": json.dumps(version["config"]),
            "format": "json",
            "type": "ORG_CONFIG",
            "version_id": version["id"],
            "created_at": version["created_at"],
            "object": "config",
        }
        for version in call.store.all("config-version", config_id=config["id"])
    ]
    return enveloped(found[::-1])


def _versioned(call: Call, config: Document) -> Document:
    version = {"id": str(uuid4()), "config_id": config["id"], "workspace_id": config["workspace_id"]}
    version |= {"config": config["config"], "created_at": now()}
    call.store.put("config-version", version["id"], version)
    return call.store.put("config", config["id"], config | {"version_id": version["id"]})


def _config(call: Call) -> Document:
    config = picked(call.store, "config", call.path("slug"))
    if config is None or not reaches(call, config):
        raise hidden("config", call.path("slug"))
    return config


def _summary(config: Document) -> Document:
    return {name: config[name] for name in _SUMMARY}
