"""Prompts: templates with a model and a provider, in versions of which one is published."""

from __future__ import annotations

from typing import Any, Literal
from uuid import uuid4

from pydantic import Field
from starlette.responses import Response

from sandbox.http import ApiError, Body, Call, answer
from sandbox.portkey import providers
from sandbox.portkey.access import caller, narrowed, now
from sandbox.portkey.collections import collection_in
from sandbox.portkey.labels import label_in
from sandbox.portkey.lists import enveloped, page, slug_of, without_nothing
from sandbox.portkey.versions import Versions, status_of
from sandbox.store import Document

_prompts = Versions("prompt")
_CONTENT = (
    "string",
    "parameters",
    "model",
    "virtual_key",
    "version_description",
    "functions",
    "tools",
    "tool_choice",
    "template_metadata",
    "prompt_metadata",
    "is_raw_template",
)
_NEEDED = ("string", "parameters", "virtual_key")


class PromptUpdate(Body):
    patch: bool = False
    name: str | None = Field(None, min_length=1)
    collection_id: str | None = None
    string: str | None = None
    parameters: dict[str, Any] | None = None
    model: str | None = None
    virtual_key: str | None = None
    version_description: str | None = None
    functions: list[dict[str, Any]] | None = None
    tools: list[dict[str, Any]] | None = None
    tool_choice: dict[str, Any] | str | None = None
    template_metadata: dict[str, Any] | None = None
    prompt_metadata: dict[str, Any] | None = None
    is_raw_template: Literal[0, 1] | None = None


class PromptCreate(PromptUpdate):
    name: str = Field(min_length=1)
    collection_id: str
    string: str
    parameters: dict[str, Any]
    virtual_key: str


class Labelled(Body):
    label_id: str | None = None


def list_prompts(call: Call) -> Response:
    workspace, part = narrowed(call, call.query("workspace_id")), (call.query("search") or "").lower()
    named = call.query("collection_id")
    collection = collection_in(call.store.latest, workspace, named)["id"] if named else None
    found = [
        prompt
        for prompt in call.store.all("prompt")
        if workspace in (None, prompt["workspace_id"])
        and collection in (None, prompt["collection_id"])
        and part in prompt["name"].lower()
    ]
    return page(call, [_summary(call, prompt) for prompt in found])


def create_prompt(call: Call) -> Response:
    """In the workspace of its collection. The first version is published with it."""
    sent = call.body(PromptCreate)
    collection = collection_in(call.store.latest, caller(call).workspace, sent.collection_id)
    prompt: Document = {
        "id": str(uuid4()),
        "slug": slug_of(sent.name, "pp"),
        "name": sent.name,
        "collection_id": collection["id"],
        "workspace_id": collection["workspace_id"],
        "status": "active",
        "created_at": now(),
        "last_updated_at": now(),
    }
    version = _prompts.add(call.store, prompt, _content(call, prompt, sent))
    return answer({"id": prompt["id"], "slug": prompt["slug"], "version_id": version["id"], "object": "prompt"})


def read_prompt(call: Call) -> Response:
    prompt = _prompts.found(call)
    return answer(_shown(prompt, _prompts.asked(call, prompt)))


def update_prompt(call: Call) -> Response:
    """Name and collection change in place. Anything of the content makes a new version, which is not published."""
    prompt, sent = _prompts.found(call), call.body(PromptUpdate)
    if sent.name:
        prompt["name"] = sent.name
    if sent.collection_id:
        prompt["collection_id"] = collection_in(call.store.latest, prompt["workspace_id"], sent.collection_id)["id"]
    call.store.put("prompt", prompt["id"], prompt | {"last_updated_at": now()})
    content = _content(call, prompt, sent)
    if not content:
        return answer({})
    if sent.patch:
        content = _prompts.all(call.store, prompt)[0]["content"] | content
    absent = [name for name in _NEEDED if name not in content]
    if absent:
        raise ApiError(400, f"{', '.join(absent)}: is needed for a new version, unless patch is true")
    version = _prompts.add(call.store, prompt, content)
    return answer({"id": prompt["id"], "slug": prompt["slug"], "prompt_version_id": version["id"]})


def delete_prompt(call: Call) -> Response:
    _prompts.delete(call.store, _prompts.found(call))
    return answer({})


def publish_prompt(call: Call) -> Response:
    _prompts.publish(call)
    return answer({})


def list_versions(call: Call) -> Response:
    prompt = _prompts.found(call)
    found = [
        {
            "id": version["id"],
            "prompt_id": prompt["id"],
            "prompt_template": {"string": version["content"]["string"]},
            "prompt_version": version["number"],
            "prompt_description": version["content"].get("version_description"),
            "label_id": version["label_id"],
            "created_at": version["created_at"],
            "status": status_of(prompt, version),
            "object": "prompt",
        }
        for version in _prompts.all(call.store, prompt)
    ]
    return enveloped([without_nothing(version) for version in found])


def read_version(call: Call) -> Response:
    prompt = _prompts.found(call)
    return answer(_shown(prompt, _prompts.by_id(call, prompt, call.path("version"))))


def update_version(call: Call) -> Response:
    """The label only: the rest of a version never changes."""
    prompt, sent = _prompts.found(call), call.body(Labelled)
    version = _prompts.by_id(call, prompt, call.path("version"))
    if sent.label_id is not None:
        label_in(call.store.latest, prompt["workspace_id"], sent.label_id)
    _prompts.label(call.store, version, sent.label_id)
    return answer({})


def _content(call: Call, prompt: Document, sent: PromptUpdate) -> Document:
    """What was sent of a version; ``null`` counts as not sent. The provider is kept by its slug."""
    content = {name: value for name, value in sent.sent().items() if name in _CONTENT and value is not None}
    if "virtual_key" in content:
        provider = providers.in_workspace(call.store.latest, prompt["workspace_id"], content["virtual_key"])
        if provider is None:
            raise ApiError(400, f"virtual_key: there is no provider {content['virtual_key']} in this workspace")
        content["virtual_key"] = provider["slug"]
    return content


def _summary(call: Call, prompt: Document) -> Document:
    every = _prompts.all(call.store.latest, prompt)
    model = next((v["content"].get("model") for v in every if v["number"] == prompt["default"]), None)
    shown = {name: prompt[name] for name in ("id", "slug", "name", "collection_id", "status")}
    shown |= {"created_at": prompt["created_at"], "last_updated_at": prompt["last_updated_at"], "object": "prompt"}
    return without_nothing(shown | {"model": model})


def _shown(prompt: Document, version: Document) -> Document:
    content = dict(version["content"])
    description, raw = content.pop("version_description", None), content.pop("is_raw_template", 0)
    shown = {name: prompt[name] for name in ("id", "slug", "name", "collection_id", "status")} | content
    shown |= {
        "prompt_version": version["number"],
        "prompt_version_id": version["id"],
        "prompt_version_status": status_of(prompt, version),
        "prompt_version_description": description,
        "prompt_version_label_id": version["label_id"],
        "is_raw_template": raw,
        "created_at": prompt["created_at"],
        "last_updated_at": prompt["last_updated_at"],
    }
    return without_nothing(shown)
