"""What a check of the ESC environments finds: problems that know the file and the line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sophia.errors import Problem

Severity = Literal["error", "warning"]
Kind = Literal["resolve", "secret", "stage", "credential", "wrong-value", "type"]


@dataclass(frozen=True)
class Finding(Problem):
    """A problem with its place. ``line`` counts from 1; 0 is the file as a whole."""

    kind: Kind = "resolve"
    severity: Severity = "error"
    file: str = ""
    line: int = 0


@dataclass(frozen=True)
class Spot:
    """Where a finding is: a file as people name it (``esc/dev.yaml``), a line, and a path inside it."""

    file: str
    line: int = 0
    path: str = ""

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        return f"{where}: {self.path}" if self.path else where


def finding(
    kind: Kind, spot: Spot, what: str, *, said: str = "", do: str = "", severity: Severity = "error"
) -> Finding:
    return Finding(what, said, str(spot), do, kind, severity, spot.file, spot.line)
