"""What the commands of ``sophia sandbox`` have in common: the checkout's sandbox, its documents, its errors."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sophia.errors import RunFailed, SettingsError, SophiaError, UnreachableError

if TYPE_CHECKING:
    from sandbox.control import Running


def checkout_of(directory: Path | None) -> Path:
    """The folder of the project. Raises SettingsError if there is none."""
    from sophia.project import Project

    return Project.find(directory).directory


def state_of(directory: Path | None) -> Path:
    """Where its sandbox keeps everything."""
    from sophia.target import SANDBOX_DIRECTORY

    return checkout_of(directory) / SANDBOX_DIRECTORY


def running_sandbox(directory: Path | None) -> Running:
    """The sandbox of the checkout. Raises UnreachableError if there is none."""
    from sandbox import control

    running = control.status(state_of(directory))
    if running is None:
        raise UnreachableError(
            "no sandbox runs in this checkout", setting=str(state_of(directory)), do="`sophia sandbox start`"
        )
    return running


def document(command: str, facts: dict[str, Any]) -> None:
    """Prints the JSON document of a command of this group."""
    from sophia.cli.document import base, dump

    click.echo(dump({**base(command, 0), "sandbox": facts}))


def translated(error: Exception) -> SophiaError:
    """An error of the sandbox as one of this package's."""
    text = str(error)
    if "does not answer" in text:
        return UnreachableError("the sandbox does not answer", said=text, do="`sophia sandbox start`")
    if "refused" in text:
        return SettingsError(
            "the sandbox does not accept this", said=text, do="`sophia sandbox --help` shows what it can"
        )
    return RunFailed("the sandbox failed", said=text, do=f"its log is in {Path(os.curdir, '.sandbox', 'sandbox.log')}")
