"""What the rest of the project knows of an engine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from .recipe import GO_VERSION, OLDEST_VERSION

Source = Literal["path", "cached", "downloaded", "built"]


@dataclass(frozen=True)
class Engine:
    """A Pulumi engine with its Python language host, ready to run.

    `bin_dir` goes first on PATH; `source` tells where the engine came from in this call.
    """

    bin_dir: Path
    version: str
    source: Source

    def __str__(self) -> str:
        where = f"on PATH in {self.bin_dir}" if self.source == "path" else self.source
        return f"pulumi {self.version}, {where}"


@dataclass(frozen=True)
class Attempt:
    """A way to an engine that was tried, and what it said."""

    way: str
    said: str


class WayClosed(Exception):  # noqa: N818 - not an error: the next way is tried
    """One way does not lead to an engine on this machine; the text says why, for people."""


class EngineUnavailable(Exception):  # noqa: N818 - the name that callers read in an except clause
    """No way led to an engine. The text says what was tried, what each way said, and what to do."""

    def __init__(self, attempts: list[Attempt]) -> None:
        self.attempts = tuple(attempts)
        width = max(len(label) for label in [*(attempt.way for attempt in attempts), "do"])
        lines = ["no Pulumi engine on this machine, and none could be had"]
        lines += [_indented(attempt.way, attempt.said, width) for attempt in attempts]
        lines.append(
            _indented(
                "do",
                f"install Pulumi {OLDEST_VERSION} or newer (https://www.pulumi.com/docs/install/), "
                f"or Go {GO_VERSION} or newer (https://go.dev/doc/install), and run this again",
                width,
            )
        )
        super().__init__("\n".join(lines))


def _indented(label: str, text: str, width: int) -> str:
    first, *rest = text.strip().splitlines() or [""]
    return "\n".join([f"  {label:<{width}}  {first}", *(f"  {'':<{width}}  {line}" for line in rest)])
