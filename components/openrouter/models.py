"""Which model does what, as data: what it may cost, and what it must be able to do.

Nothing here asks OpenRouter. Whether the models still exist, what they cost now, and which cheaper one would do as well
is told by `sophia health` and `sophia models`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import Field

from components.explain import Mistake, Path
from components.settings import Key, Settings, matching

Model = Annotated[str, matching(r"[\w.-]+/[\w.:-]+", "must be a model of OpenRouter, such as openai/gpt-5.2")]
Price = Annotated[float, Field(ge=0)]


class CeilingSettings(Settings):
    """The most that a model may cost, in US dollars a million tokens."""

    input: Price
    output: Price = 0


class NeedsSettings(Settings):
    """What a model must be able to do; ``context`` is in tokens."""

    context: Annotated[int, Field(ge=1)] | None = None
    tools: bool = False
    structured_output: bool = False
    inputs: tuple[Literal["text", "image", "file", "audio", "video"], ...] = ("text",)
    outputs: tuple[Literal["text", "image", "embeddings", "audio"], ...] = ("text",)
    zero_data_retention: bool = False


class ModelSettings(Settings):
    """The model of a task. ``fallbacks`` are tried in their order; they are under the same ceiling and meet the same needs.

    ``guardrail`` is that of the keys with which the task is done.
    """

    model: Model
    fallbacks: list[Model] = Field(default_factory=list)
    ceiling: CeilingSettings
    needs: NeedsSettings = Field(default_factory=NeedsSettings)
    guardrail: Key | None = None

    def check(self) -> Iterator[Mistake]:
        """A fallback is another model."""
        for index, model in enumerate(self.fallbacks):
            if model in (self.model, *self.fallbacks[:index]):
                yield Mistake(("fallbacks", index), f"{model} stands there already")

    def chosen(self) -> Iterator[tuple[Path, str]]:
        """The model and its fallbacks, each with its place."""
        yield ("model",), self.model
        yield from ((("fallbacks", index), model) for index, model in enumerate(self.fallbacks))

    def routing(self) -> dict[str, Any]:
        """What OpenRouter is to see to in each call: the ceiling, and what the providers behind a model must do."""
        a_million = {"prompt": f"{self.ceiling.input:g}", "completion": f"{self.ceiling.output:g}"}
        private = {"zdr": True, "data_collection": "deny"} if self.needs.zero_data_retention else {}
        strict = {"require_parameters": True} if self.needs.tools or self.needs.structured_output else {}
        return {"max_price": a_million, **private, **strict}
