"""Which Python a program runs with: the `runtime.options` of Pulumi.yaml and PulumiPolicy.yaml."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pulumi.runtime.proto.language_pb2 import ProgramInfo

from .errors import HostError

_TOOLCHAINS = ("pip", "uv")
_UV_FOLDER = ".venv"


@dataclass(frozen=True)
class PythonEnvironment:
    """An interpreter, and the virtual environment that it belongs to (None: the machine's own Python)."""

    python: Path
    virtualenv: Path | None

    def variables(self, base: Mapping[str, str]) -> dict[str, str]:
        """The process environment of a program: `base` with the virtual environment activated."""
        variables = dict(base)
        if self.virtualenv is not None:
            variables.pop("PYTHONHOME", None)
            variables["VIRTUAL_ENV"] = str(self.virtualenv)
            variables["PATH"] = os.pathsep.join([str(self.virtualenv / "bin"), base.get("PATH", os.defpath)])
        return variables


def python_environment(info: ProgramInfo) -> PythonEnvironment:
    """The environment that the project asks for; a relative `virtualenv` counts from the project's folder.

    Raises:
        HostError: an option that this host does not know, or a virtual environment that is not there.
    """
    root = Path(info.root_directory or info.program_directory)
    toolchain = _option(info, root, "toolchain") or "pip"
    if toolchain not in _TOOLCHAINS:
        raise HostError(
            f"{_project_file(root)}: runtime.options.toolchain is {toolchain!r}; "
            f"this Python language host knows {' and '.join(_TOOLCHAINS)}"
        )
    if _option(info, root, "typechecker") is not None:
        raise HostError(
            f"{_project_file(root)}: runtime.options.typechecker is not known to this Python language host; "
            "remove it and run the type checker by itself"
        )
    name = _option(info, root, "virtualenv") or (_UV_FOLDER if toolchain == "uv" else None)
    return _machine_python() if name is None else _virtual_environment(root, name)


def _option(info: ProgramInfo, root: Path, key: str) -> str | None:
    if key not in info.options:
        return None
    value = info.options[key]
    if not isinstance(value, str):
        raise HostError(f"{_project_file(root)}: runtime.options.{key} must be a text")
    return value


def _virtual_environment(root: Path, name: str) -> PythonEnvironment:
    folder = Path(os.path.normpath(root / name))
    python = folder / "bin" / "python"
    if not python.exists():
        what = "is not a virtual environment (it has no bin/python)" if folder.exists() else "does not exist"
        raise HostError(
            f"{folder} {what}, and {_project_file(root)} (runtime.options.virtualenv) says that the program runs "
            "in it; run `make setup` to create it"
        )
    return PythonEnvironment(python, folder)


def _machine_python() -> PythonEnvironment:
    wanted = os.environ.get("PULUMI_PYTHON_CMD")
    for command in [wanted] if wanted else ["python3", "python"]:
        if found := shutil.which(command):
            return PythonEnvironment(Path(found), None)
    raise HostError(f"{wanted or 'python3'} is not on PATH, and the project names no virtualenv")


def _project_file(root: Path) -> str:
    return "PulumiPolicy.yaml" if (root / "PulumiPolicy.yaml").exists() else "Pulumi.yaml"
