"""A workspace's collections, partials and prompts as settings, each with the version that is published."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from components.existing.findings import CannotSayError, Findings, Section, key_of, listed
from components.portkey.settings import PARTIAL, CollectionSettings, PartialSettings, PromptSettings
from providers import portkey
from providers.base.survey import Found

_PROMPT = {"template_metadata": None, "prompt_metadata": None, "is_raw_template": 0}
"""Members that settings do not express, with what they are where nobody has set them."""


def take_prompts(findings: Findings, workspace: str, providers: Mapping[str, str]) -> None:
    """``providers``: the settings' keys of the providers, by slug."""
    collections = _collections(findings, workspace)
    partials = Section(findings, "partials", PartialSettings, lambda entry: entry.get("name"))
    partials.take(listed(portkey.Partial, workspace), _name, _partial)

    def prompt(found: Found, _key: str) -> Mapping[str, Any]:
        return _prompt(findings, found, collections, providers, partials.keys)

    prompts = Section(findings, "prompts", PromptSettings, lambda entry: entry.get("name"))
    prompts.take(listed(portkey.Prompt, workspace), _name, prompt)


def _name(found: Found) -> Sequence[Any]:
    return [found.inputs.get("name")]


def _collections(findings: Findings, workspace: str) -> Mapping[str, str]:
    """The collections' keys by id, those within others last. The one that every workspace begins with is none of ours."""
    found = [one for one in listed(portkey.Collection, workspace) if not one.document.get("is_default")]
    section = Section(
        findings, "collections", CollectionSettings, lambda entry: (entry.get("name"), entry.get("parent"))
    )

    def parent(one: Found) -> str | None:
        above = one.inputs.get("parent_collection_id")
        return key_of(section.keys, "collection", above) if above else None

    def identities(one: Found) -> Sequence[Any]:
        above = one.inputs.get("parent_collection_id")
        return [(one.inputs.get("name"), section.keys.get(above, above) if above else None)]

    for within in (False, True):
        section.take(
            [one for one in found if bool(one.inputs.get("parent_collection_id")) is within],
            identities,
            lambda one, _key: {"name": one.inputs.get("name"), "parent": parent(one)},
        )
    return section.keys


def _partial(found: Found, _key: str) -> Mapping[str, Any]:
    inputs = found.inputs
    return {"name": inputs.get("name"), "text": inputs.get("string"), "published": inputs.get("published")}


def _prompt(
    findings: Findings,
    found: Found,
    collections: Mapping[str, str],
    providers: Mapping[str, str],
    partials: Mapping[str, str],
) -> Mapping[str, Any]:
    inputs = found.inputs
    if found.document.get("functions"):
        raise CannotSayError("it has functions, and settings have tools, which took their place")
    collection = str(inputs.get("collection_id"))
    if collection not in collections:
        raise CannotSayError("its collection is not in the settings: move it out of the one that nobody can delete")
    findings.leave_fields(found, _PROMPT)
    return {
        "name": inputs.get("name"),
        "collection": collections[collection],
        "provider": key_of(providers, "provider", str(inputs.get("virtual_key")).removeprefix("@")),
        "model": inputs.get("model"),
        "messages": _messages(str(inputs.get("string")), partials),
        "parameters": inputs.get("parameters", {}),
        "tools": inputs.get("tools"),
        "tool_choice": inputs.get("tool_choice"),
        "published": inputs.get("published"),
    }


def _messages(string: str, partials: Mapping[str, str]) -> Any:
    """The messages, with the settings' keys of partials in the places of their slugs."""
    for slug in PARTIAL.findall(string):
        key_of(partials, "partial", slug)
    try:
        return json.loads(PARTIAL.sub(lambda found: f"{{{{>{partials[found[1]]}}}}}", string))
    except ValueError:
        raise CannotSayError("settings have a prompt's messages one by one, and its text is no list of them") from None
