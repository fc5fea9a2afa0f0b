"""Presets: what of an inference request's body is kept under a name. There is no call that deletes one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

from pydantic import Field
from starlette.responses import Response

from sandbox.http import ApiError, Body, Call, answer
from sandbox.openrouter.access import USER, now
from sandbox.openrouter.workspaces import DEFAULT, paged
from sandbox.store import Document

_KEPT = (
    "model",
    "models",
    "temperature",
    "top_p",
    "top_k",
    "max_tokens",
    "max_output_tokens",
    "frequency_penalty",
    "presence_penalty",
    "provider",
    "plugins",
    "reasoning",
    "response_format",
    "seed",
    "stop",
    "tool_choice",
    "tools",
)


class Chat(Body):
    messages: list[dict[str, Any]] = Field(min_length=1)

    def prompt(self) -> str | None:
        """The system message."""
        found = [message["content"] for message in self.messages if message.get("role") == "system"]
        return str(found[0]) if found else None


class Messages(Body):
    model: str
    messages: list[dict[str, Any]] | None
    system: str | None = None

    def prompt(self) -> str | None:
        return self.system


class Responses(Body):
    instructions: str | None = None

    def prompt(self) -> str | None:
        return self.instructions


def list_presets(call: Call) -> Response:
    """The one that was changed last comes first."""
    found = sorted(call.store.all("preset"), key=lambda preset: str(preset["updated_at"]), reverse=True)
    return paged(call, [_without_versions(preset) for preset in found])


def read_preset(call: Call) -> Response:
    return answer({"data": _shown(_preset(call))})


def list_versions(call: Call) -> Response:
    return paged(call, _preset(call)["versions"])


def read_version(call: Call) -> Response:
    for version in _preset(call)["versions"]:
        if str(version["version"]) == call.path("version"):
            return answer({"data": version})
    raise ApiError(404, "Preset version not found")


def write(shape: type[Chat | Messages | Responses]) -> Callable[[Call], Response]:
    """The handler that makes a preset, or its next version, from a body of this shape."""

    def written(call: Call) -> Response:
        slug, prompt = call.path("slug"), call.body(shape).prompt()
        preset = call.store.get("preset", slug) or _new(slug)
        sent: Document = call.body(Anything).model_dump()
        version = {
            "id": str(uuid4()),
            "preset_id": preset["id"],
            "creator_id": USER,
            "version": len(preset["versions"]) + 1,
            "system_prompt": prompt,
            "config": {name: sent[name] for name in _KEPT if sent.get(name) is not None},
            "created_at": now(),
            "updated_at": now(),
        }
        preset |= {"designated_version_id": version["id"], "updated_at": now()}
        preset["versions"] = [*preset["versions"], version]
        return answer({"data": _shown(call.store.put("preset", slug, preset))})

    return written


class Anything(Body, extra="allow"):
    """A body as it is."""


def _preset(call: Call) -> Document:
    preset = call.store.get("preset", call.path("slug"))
    if preset is None:
        raise ApiError(404, "Preset not found")
    return preset


def _new(slug: str) -> Document:
    return {
        "id": str(uuid4()),
        "slug": slug,
        "name": slug,
        "description": None,
        "status": "active",
        "status_updated_at": None,
        "creator_user_id": USER,
        "workspace_id": DEFAULT,
        "created_at": now(),
        "versions": [],
    }


def _without_versions(preset: Document) -> Document:
    return {name: value for name, value in preset.items() if name != "versions"}


def _shown(preset: Document) -> Document:
    """With the version that calls use."""
    designated = next(v for v in preset["versions"] if v["id"] == preset["designated_version_id"])
    return {**_without_versions(preset), "designated_version": designated}
