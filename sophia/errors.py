"""What can go wrong, told in four parts: what failed, what the other side said, which setting or object, what to do.

The exit codes are the same in every command; 2 (differences found) is a result, not an error, and so is not here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from sophia.drift import Drift
    from sophia.results import Partial


@dataclass(frozen=True)
class Problem:
    """One thing that went wrong. Only ``what`` is always known."""

    what: str
    said: str = ""
    setting: str = ""
    do: str = ""

    def render(self) -> str:
        """The message as people read it; further lines of a part are indented to stay under its first."""
        lines = [self.what]
        for label, text in (("said", self.said), ("setting", self.setting), ("do", self.do)):
            for number, line in enumerate(text.splitlines()):
                lines.append(f"  {label if number == 0 else '':<8} {line}".rstrip())
        return "\n".join(lines)


class SophiaError(Exception):
    """The root of every error that this package raises on purpose."""

    exit_code: ClassVar[int] = 1

    def __init__(
        self, what: str | Sequence[Problem], *, said: str = "", setting: str = "", do: str = "", log: str = ""
    ) -> None:
        self.problems = (Problem(what, said, setting, do),) if isinstance(what, str) else tuple(what)
        self.log = log
        """What the engine printed, without secrets: shown with --debug only."""
        self.partial: Partial | None = None
        """How far the run got, where it began to change platforms."""
        self.stack = ""
        """The stack of that run."""
        super().__init__("\n".join(problem.render() for problem in self.problems))

    @property
    def what(self) -> str:
        return self.problems[0].what

    @property
    def said(self) -> str:
        return self.problems[0].said

    @property
    def setting(self) -> str:
        return self.problems[0].setting

    @property
    def do(self) -> str:
        return self.problems[0].do


class RunFailed(SophiaError):  # noqa: N818 - reads as what happened, like subprocess.TimeoutExpired
    """The engine ran, and something in the run failed; what had been done before is in the state."""


class UnreadableError(RunFailed):
    """Objects could not be read, so that nobody can say whether they drifted; ``drift`` is what the others showed."""

    def __init__(self, problems: Sequence[Problem], drift: Drift, *, log: str = "") -> None:
        super().__init__(problems, log=log)
        self.drift = drift


class SettingsError(SophiaError):
    """A setting, a stack's name or a command's argument is not accepted; nothing was changed."""

    exit_code: ClassVar[int] = 3


class CredentialsError(SophiaError):
    """Credentials are missing or were refused."""

    exit_code: ClassVar[int] = 4


class LockedError(SophiaError):
    """Another run holds the stack."""

    exit_code: ClassVar[int] = 5


class UnreachableError(SophiaError):
    """Pulumi Cloud, the sandbox or a platform does not answer."""

    exit_code: ClassVar[int] = 6


class Interrupted(SophiaError):  # noqa: N818 - as above
    """Somebody stopped the run; what was in flight was finished and is in the state."""

    exit_code: ClassVar[int] = 130
