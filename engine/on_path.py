"""A Pulumi that the machine has already."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

from .model import Engine, WayClosed
from .recipe import OLDEST_VERSION

_SECONDS_TO_ANSWER = 30


def find(*, ignore: Path) -> Engine:
    """The first good `pulumi` on PATH that does not lie in `ignore`, the cache of our own engines.

    Raises:
        WayClosed: there is none, or it is too old, or it comes without the Python language host.
    """
    refused = []
    for folder in _folders():
        command = folder / "pulumi"
        if command.resolve().is_relative_to(ignore.resolve()) or not (
            command.is_file() and os.access(command, os.X_OK)
        ):
            continue
        try:
            return _check(command)
        except WayClosed as reason:
            refused.append(str(reason))
    raise WayClosed("\n".join(refused) or "no pulumi there")


def _folders() -> list[Path]:
    named = (Path(entry) for entry in os.environ.get("PATH", os.defpath).split(os.pathsep) if entry)
    return list(dict.fromkeys(folder.absolute() for folder in named))


def _check(command: Path) -> Engine:
    version = _version(command)
    if _numbers(version) < _numbers(OLDEST_VERSION):
        raise WayClosed(f"{command} is version {version}; {OLDEST_VERSION} is the oldest that will do")
    beside = os.access(command.with_name("pulumi-language-python"), os.X_OK)
    if not beside and shutil.which("pulumi-language-python") is None:
        raise WayClosed(f"{command} comes without pulumi-language-python, which runs Python programs")
    return Engine(command.parent, version, "path")


def _version(command: Path) -> str:
    environment = os.environ | {"PULUMI_SKIP_UPDATE_CHECK": "true"}
    try:
        answer = subprocess.run(  # noqa: S603 - the pulumi that the user has on PATH
            [command, "version"],
            capture_output=True,
            text=True,
            timeout=_SECONDS_TO_ANSWER,
            check=True,
            env=environment,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise WayClosed(f"{command} does not tell its version: {error}") from error
    match = re.match(r"v?(\d+\.\d+\.\d+\S*)", answer.stdout.strip())
    if match is None:
        raise WayClosed(f"{command} tells no version, but {answer.stdout.strip()[:80]!r}")
    return match[1]


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])
