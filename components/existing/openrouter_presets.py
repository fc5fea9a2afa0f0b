"""OpenRouter's presets as settings, each with the task whose model, fallbacks and ceiling it has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from components.existing.findings import CannotSayError, Findings, Section, new_key, parsed, plain
from components.openrouter.models import ModelSettings
from components.openrouter.settings import PresetSettings
from providers import openrouter
from providers.base import Call, Listing, Offset
from providers.base.survey import Found

_OF_THE_PRESET = ("system_prompt", "temperature", "top_p", "max_tokens")
_KNOWN = {"slug", "model", "models", "provider", *_OF_THE_PRESET}


def take_presets(findings: Findings, workspace: str) -> None:
    """Those whose slug begins with the workspace's: presets are the account's, and have no room for a mark."""
    listing = Listing(Call("GET", "/presets"), pages=Offset(size=100))
    slugs = [str(one["slug"]) for one in listing.fetch(openrouter.OPENROUTER, {})]
    own = [slug for slug in slugs if slug.startswith(f"{workspace}-")]
    if others := len(slugs) - len(own):
        reason = f"{others} begin otherwise than with {workspace}-, and are no part of this stack"
        findings.left.append({"kind": openrouter.Preset.kind.title, "id": "", "name": "", "reason": reason})
    section = Section(findings, "presets", PresetSettings, lambda entry: entry.get("slug"))
    section.take(
        [_preset(slug, slug.removeprefix(f"{workspace}-")) for slug in own],
        lambda found: [found.id],
        lambda found, _key: _described(findings, found),
    )


def _preset(slug: str, name: str) -> Found:
    kind = openrouter.Preset.kind
    document = Call("GET", "/presets/{slug}", answer="data").send(openrouter.OPENROUTER, {"slug": slug})
    shown = kind.shown(document)
    return Found(
        openrouter.Preset,
        slug,
        None,
        None,
        {"name": name, **kind.inputs.from_wire(shown)},
        document.get("status", "active") != "active",
        shown,
    )


def _described(findings: Findings, found: Found) -> Mapping[str, Any]:
    said = {name: value for name, value in found.document.items() if value is not None}
    if more := sorted(said.keys() - _KNOWN):
        raise CannotSayError(f"settings have no words for its {', '.join(more)}, which the next version would lose")
    members = {"slug": found.id, **{name: said[name] for name in _OF_THE_PRESET if name in said}}
    parsed(PresetSettings, {**members, "task": "any"})
    return {**members, "task": _task(findings, found, said)}


def _task(findings: Findings, found: Found, said: Mapping[str, Any]) -> str:
    """The task that has this model and routing: one of the settings, or a new one, which others may share."""
    models = said.get("models") or [said.get("model")]
    routing = said.get("provider") or {}
    for task, entry in (findings.settings.get("models") or {}).items():
        settings = ModelSettings.model_validate(entry)
        if [settings.model, *settings.fallbacks] == models and settings.routing() == routing:
            return str(task)
    prices = routing.get("max_price") or {}
    if "prompt" not in prices:
        raise CannotSayError("it has no highest price (provider.max_price), and settings have a ceiling for each model")
    made = parsed(
        ModelSettings,
        {
            "model": said.get("model"),
            "fallbacks": models[1:],
            "ceiling": {"input": float(prices["prompt"]), "output": float(prices.get("completion", 0))},
            # Which of its parameters a provider must know is not told: tools stand for them, and ask for the same.
            "needs": {
                "tools": bool(routing.get("require_parameters")),
                "zero_data_retention": bool(routing.get("zdr")),
            },
        },
    )
    if made.routing() != routing or models[0] != made.model:
        raise CannotSayError("settings make another routing (models, provider) of what they can say")
    task = new_key(str(found.inputs["name"]), "model", findings.settings.get("models") or {})
    findings.add(("models", task), found, plain(made))
    return task
