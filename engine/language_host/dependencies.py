"""`pulumi install`: brings the environment of a program up to its requirements.txt."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from pulumi.runtime.proto.language_pb2 import InstallDependenciesResponse, ProgramInfo

from .environment import python_environment
from .errors import HostError
from .processes import Processes

_REQUIREMENTS = "requirements.txt"


def install_dependencies(info: ProgramInfo, processes: Processes) -> Iterator[InstallDependenciesResponse]:
    """Yields the installer's output as it comes.

    Raises:
        HostError: no virtual environment, or the installer failed.
    """
    environment = python_environment(info)
    folder = Path(info.program_directory)
    if not (folder / _REQUIREMENTS).is_file():
        yield InstallDependenciesResponse(
            stdout=f"{folder} has no {_REQUIREMENTS}: its packages are installed by `make setup`\n".encode()
        )
        return
    uv = shutil.which("uv")
    python = str(environment.python)
    installer = [uv, "pip", "install", "--python", python] if uv else [python, "-m", "pip", "install"]
    process = processes.start(
        [*installer, "-r", _REQUIREMENTS],
        variables=environment.variables(os.environ),
        folder=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    for line in process.stdout or ():
        yield InstallDependenciesResponse(stdout=line)
    if (code := processes.wait(process)) != 0:
        raise HostError(f"installing {folder / _REQUIREMENTS} failed with exit code {code}; its output says why")
