"""The models that the settings choose (``sophia-ai:openrouter.models``), held against what OpenRouter offers now.

Prices are in US dollars a million tokens, as OpenRouter lists them without conditions: those of long contexts, images and
cached prompts are others. A cheaper model is one that meets the declared needs and costs no more for either kind of
token; whether its answers are as good, no list tells.
Source of facts: OpenRouter's OpenAPI description (GET /models).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

from health.base import Problem, Verdict

LISTED: Mapping[str, str | int] = {"output_modalities": "all"}
LISTED_ZDR: Mapping[str, str | int] = {**LISTED, "zdr": "true"}
"""What is asked of GET /models: all of them, and those that some provider runs without retaining anything."""

_A_MILLION = 1_000_000
_SOON = timedelta(days=30)
_MOST_ALTERNATIVES = 3

Role = Literal["model", "fallback"]


@dataclass(frozen=True)
class Offer:
    """A model as OpenRouter offers it."""

    slug: str
    input: float
    output: float
    context: int
    parameters: frozenset[str]
    inputs: frozenset[str]
    outputs: frozenset[str]
    expires: date | None

    @classmethod
    def of(cls, model: Mapping[str, Any]) -> Offer:
        """From a member of the list. Raises KeyError, TypeError or ValueError for one that is shaped otherwise."""
        architecture, pricing = model["architecture"], model["pricing"]
        return cls(
            model["id"],
            round(float(pricing["prompt"]) * _A_MILLION, 6),
            round(float(pricing["completion"]) * _A_MILLION, 6),
            model["context_length"] or 0,
            frozenset(model["supported_parameters"]),
            frozenset(architecture["input_modalities"]),
            frozenset(architecture["output_modalities"]),
            date.fromisoformat(model["expiration_date"]) if model.get("expiration_date") else None,
        )

    @property
    def price(self) -> str:
        return f"{self.input:g} / {self.output:g}"


@dataclass(frozen=True)
class Task:
    """What the settings say of one task."""

    name: str
    model: str
    fallbacks: tuple[str, ...]
    ceiling: tuple[float, float]
    """Of input and of output."""
    needs: Mapping[str, Any]

    @property
    def is_private(self) -> bool:
        """Whether no provider may retain anything."""
        return bool(self.needs.get("zero_data_retention"))

    @property
    def chosen(self) -> Iterator[tuple[Role, str, str]]:
        """The role, the setting and the slug of each model."""
        setting = f"openrouter.models.{self.name}"
        yield "model", f"{setting}.model", self.model
        for index, slug in enumerate(self.fallbacks):
            yield "fallback", f"{setting}.fallbacks[{index}]", slug


def tasks_of(settings: Mapping[str, Any]) -> list[Task]:
    """The tasks in OpenRouter's settings, as they stand in the stack file."""
    return [
        Task(
            name,
            said["model"],
            tuple(said.get("fallbacks") or ()),
            (float(said["ceiling"]["input"]), float(said["ceiling"].get("output") or 0)),
            said.get("needs") or {},
        )
        for name, said in (settings.get("models") or {}).items()
    ]


def offers_of(document: Mapping[str, Any]) -> dict[str, Offer]:
    """By slug and by canonical slug, the models of a list that one can choose: with a price of their own."""
    found: dict[str, Offer] = {}
    for model in document["data"]:
        offer = Offer.of(model)
        if offer.input >= 0 and offer.output >= 0:
            found.setdefault(str(model.get("canonical_slug")), offer)
            found[offer.slug] = offer
    return found


def lacking(task: Task, offer: Offer) -> list[str]:
    """What a task needs that a model does not have. What its providers retain another list tells."""
    needs, found = task.needs, []
    context = int(needs.get("context") or 0)
    if offer.context < context:
        found.append(f"a context of {context:,} tokens (it has {offer.context:,})")
    if needs.get("tools") and "tools" not in offer.parameters:
        found.append("tools")
    if needs.get("structured_output") and "structured_outputs" not in offer.parameters:
        found.append("structured output")
    for word, asked, able in (
        ("input", needs.get("inputs") or ["text"], offer.inputs),
        ("output", needs.get("outputs") or ["text"], offer.outputs),
    ):
        found += [f"{kind} as {word}" for kind in asked if kind not in able]
    return found


def problems(tasks: Iterable[Task], offers: Mapping[str, Offer]) -> Iterator[Problem]:
    """What is no longer as the settings want it, but for what providers retain."""
    for task in tasks:
        for role, setting, slug in task.chosen:
            offer = offers.get(slug)
            worst: Verdict = "failing" if role == "model" else "degraded"
            if offer is None:
                do = "choose another; `sophia models` tells which meet the same needs"
                yield Problem(f"{slug} is not offered any more ({task.name})", do, setting, worst)
                continue
            if missing := lacking(task, offer):
                said = f"{slug} lacks {' and '.join(missing)} ({task.name})"
                yield Problem(said, "choose another, or need less", setting, worst)
            if over(task, offer):
                ceiling = f"{task.ceiling[0]:g} / {task.ceiling[1]:g}"
                said = f"{slug} costs {offer.price} USD a million tokens, the ceiling of {task.name} is {ceiling}"
                yield Problem(
                    said, f"choose another, or raise openrouter.models.{task.name}.ceiling", setting, "degraded"
                )
            if offer.expires and offer.expires <= (datetime.now(UTC) + _SOON).date():
                said = f"{slug} may be taken away from {offer.expires.isoformat()} on ({task.name})"
                yield Problem(said, "choose another before that", setting, "degraded")


def retention_problems(tasks: Iterable[Task], private: Mapping[str, Offer]) -> Iterator[Problem]:
    """What no provider runs any more without retaining data, where that is needed; ``private`` are the offers of those
    that retain none.
    """
    for task in tasks:
        for role, setting, slug in task.chosen if task.is_private else ():
            if slug not in private:
                yield Problem(
                    f"no provider runs {slug} without retaining data ({task.name})",
                    "choose another, or drop zero_data_retention where no data of residents is",
                    setting,
                    "failing" if role == "model" else "degraded",
                )


def over(task: Task, offer: Offer) -> bool:
    """Whether a model costs more than the task's ceiling."""
    return offer.input > task.ceiling[0] or offer.output > task.ceiling[1]


def alternatives(task: Task, offers: Mapping[str, Offer], private: Iterable[str]) -> list[Offer]:
    """The cheapest models that meet the needs and cost less than the chosen one, or than the ceiling, where that is gone.

    Variants (``:free``) and moving names (``~vendor/model-latest``) are not among them: those are limited, these change.
    """
    now, without_retention = offers.get(task.model), set(private)
    most = (now.input, now.output) if now else task.ceiling
    found = {
        offer.slug: offer
        for offer in offers.values()
        if ":" not in offer.slug
        and not offer.slug.startswith("~")
        and offer.input <= most[0]
        and offer.output <= most[1]
        and (now is None or (offer.input, offer.output) != most)
        and not lacking(task, offer)
        and (not task.is_private or offer.slug in without_retention)
    }
    return sorted(found.values(), key=lambda offer: (offer.input + offer.output, offer.slug))[:_MOST_ALTERNATIVES]
