"""What the models that the settings choose cost now, whether they are still offered, and which would do for less."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sophia.backend import engine_command
from sophia.errors import SettingsError
from sophia.health import TIMEOUT_SECONDS, Trouble, settings_of
from sophia.runner import EngineCommand
from sophia.stack import Stack
from sophia.survey import Inside


@dataclass(frozen=True)
class Price:
    """In US dollars a million tokens."""

    input: float
    output: float

    def __str__(self) -> str:
        return f"{self.input:g} / {self.output:g}"


@dataclass(frozen=True)
class Chosen:
    """A model of a task; ``price`` is None for one that is not offered any more."""

    model: str
    role: Literal["model", "fallback"]
    price: Price | None
    problems: tuple[Trouble, ...]


@dataclass(frozen=True)
class Task:
    """``cheaper``: models that meet the same declared needs and cost no more for either kind of token, cheapest first."""

    name: str
    ceiling: Price
    models: tuple[Chosen, ...]
    cheaper: tuple[tuple[str, Price], ...]


@dataclass(frozen=True)
class Models:
    """All tasks of a stack. ``told`` is the same as plain data, with the needs and what each model has."""

    stack: str
    tasks: tuple[Task, ...]
    told: tuple[Mapping[str, Any], ...]

    @property
    def problems(self) -> tuple[Trouble, ...]:
        return tuple(problem for task in self.tasks for chosen in task.models for problem in chosen.problems)


def report(stack: Stack, *, timeout: float = TIMEOUT_SECONDS, engine: EngineCommand | None = None) -> Models:
    """Asks OpenRouter for its list of models, once. ``timeout`` is in seconds. Changes nothing.

    Raises SettingsError for a stack whose settings choose no model, UnreachableError where there is no list to be had.
    """
    settings = settings_of(stack).get("openrouter") or {}
    if not settings.get("models"):
        raise SettingsError(
            f'stack "{stack.name}" chooses no models',
            setting=f"{stack.settings_file.name}: {stack.project.name}:openrouter.models",
            do="name a model for each task there; docs/openrouter.md has an example",
        )
    inside = Inside(stack.project, stack.name, stack.target, engine or engine_command(lambda _line: None))
    answer = inside.run("health.model_report", given=json.dumps({"settings": settings, "timeout": timeout}))
    return Models(stack.name, tuple(_task(told) for told in answer["tasks"]), tuple(answer["tasks"]))


def _task(told: Mapping[str, Any]) -> Task:
    return Task(
        told["task"],
        Price(**told["ceiling"]),
        tuple(_chosen(one) for one in told["models"]),
        tuple((one["model"], Price(one["input"], one["output"])) for one in told["cheaper"]),
    )


def _chosen(told: Mapping[str, Any]) -> Chosen:
    price = Price(told["input"], told["output"]) if told["offered"] else None
    return Chosen(told["model"], told["role"], price, tuple(Trouble(**one) for one in told["problems"]))
