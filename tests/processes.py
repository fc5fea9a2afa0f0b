"""The processes that a run of the engine is made of."""

from __future__ import annotations

import os
from pathlib import Path

import psutil


def engine_of(pid: int) -> psutil.Process:
    """The engine that a process runs, as the one child that leads a session of its own."""
    (found,) = [child for child in psutil.Process(pid).children() if _command(child).split(" ")[0].endswith("/pulumi")]
    return found


def provider_hosts(engine: psutil.Process) -> list[psutil.Process]:
    """The processes of dynamic providers in an engine's session."""
    return [
        one for one in psutil.process_iter() if "pulumi.dynamic" in _command(one) and _session(one.pid) == engine.pid
    ]


def hosts_in(directory: Path) -> list[psutil.Process]:
    """The processes of dynamic providers that work in a folder."""
    return [one for one in psutil.process_iter() if "pulumi.dynamic" in _command(one) and _works_in(one, directory)]


def commands() -> set[str]:
    """The command lines of all processes of this machine."""
    return {_command(process) for process in psutil.process_iter()}


def _command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""  # it has ended, or is somebody else's


def _works_in(process: psutil.Process, directory: Path) -> bool:
    try:
        return Path(process.cwd()) == directory
    except psutil.Error:
        return False


def _session(pid: int) -> int:
    try:
        return os.getsid(pid)
    except ProcessLookupError:
        return -1
