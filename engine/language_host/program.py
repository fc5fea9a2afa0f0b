"""Runs a Pulumi program: the SDK's own executor with the project's interpreter."""

from __future__ import annotations

import json
import signal
from collections.abc import Mapping
from pathlib import Path

from pulumi.runtime.proto.language_pb2 import RunRequest, RunResponse

from .environment import PythonEnvironment

_ENDED_AFTER_TELLING_THE_USER = 32


def command(request: RunRequest, engine_address: str, executor: Path, environment: PythonEnvironment) -> list[str]:
    """The command line of the executor, unbuffered so that what the program prints shows while it runs."""
    flags = {
        "monitor": request.monitor_address,
        "engine": engine_address,
        "project": request.project,
        "root_directory": request.info.root_directory,
        "stack": request.stack,
        "pwd": request.pwd,
        "dry_run": "true" if request.dryRun else "false",
        "parallel": str(request.parallel),
        "organization": request.organization,
    }
    given = [part for flag, value in flags.items() if value for part in (f"--{flag}", value)]
    return [str(environment.python), "-u", str(executor), *given, request.info.entry_point or ".", *request.args]


def variables(request: RunRequest, environment: PythonEnvironment, base: Mapping[str, str]) -> dict[str, str]:
    """The process environment of the program: `base`, the virtual environment, and the stack's configuration.

    Configuration goes this way and not through the command line, which every user of the machine can read.
    """
    return environment.variables(base) | {
        "PULUMI_CONFIG": json.dumps(dict(request.config)),
        "PULUMI_CONFIG_SECRET_KEYS": json.dumps(list(request.configSecretKeys)),
    }


def response(exit_code: int, *, cancelled: bool) -> RunResponse:
    """What the engine is told when the program has ended."""
    if exit_code == 0:
        return RunResponse()
    if exit_code == _ENDED_AFTER_TELLING_THE_USER:
        return RunResponse(bail=True)
    if cancelled:
        return RunResponse(error="the program was stopped because the run was cancelled")
    if exit_code < 0:
        return RunResponse(error=f"the program was ended by {_signal_name(-exit_code)}")
    return RunResponse(error=f"program exited with non-zero exit code: {exit_code}")


def _signal_name(number: int) -> str:
    return signal.Signals(number).name if number in set(signal.Signals) else f"signal {number}"
