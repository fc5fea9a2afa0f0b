"""Which Pulumi packages a program needs: what is installed in its environment says so."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pulumi.runtime.proto.plugin_pb2 import PackageDependency, PackageParameterization

from .environment import PythonEnvironment
from .errors import HostError
from .versions import plugin_version

_INVENTORY = Path(__file__).with_name("inventory.py")
_INVENTORY_SECONDS = 60
_WITHOUT_PLUGIN = frozenset({"pulumi-policy", "pulumi-esc-sdk"})


@dataclass(frozen=True)
class Installed:
    """A distribution in a program's environment; `plugin` is its pulumi-plugin.json, where it has one."""

    name: str
    version: str
    requires: frozenset[str]
    plugin: Path | None


def installed(environment: PythonEnvironment) -> list[Installed]:
    """Everything installed in the environment, by name.

    Raises:
        HostError: the interpreter does not run.
    """
    command = [str(environment.python), "-I", str(_INVENTORY)]
    try:
        answer = subprocess.run(  # noqa: S603 - the interpreter that the project names
            command, capture_output=True, text=True, timeout=_INVENTORY_SECONDS, check=True
        )
    except subprocess.CalledProcessError as error:
        raise HostError(f"{environment.python} could not list its packages: {error.stderr.strip()}") from None
    except (OSError, subprocess.TimeoutExpired) as error:
        raise HostError(f"{environment.python} could not list its packages: {error}") from None
    return [
        Installed(
            row["name"], row["version"], frozenset(row["requires"]), Path(row["plugin"]) if row["plugin"] else None
        )
        for row in json.loads(answer.stdout)
    ]


def directly_wanted(everything: list[Installed]) -> list[Installed]:
    """Those that nothing else installed requires."""
    required = frozenset(name for one in everything for name in one.requires)
    return [one for one in everything if one.name not in required]


def required_packages(everything: Iterable[Installed]) -> list[PackageDependency]:
    """The packages whose plugins the engine must have, as their pulumi-plugin.json or their name and version tell.

    Raises:
        HostError: a pulumi-plugin.json that cannot be read.
    """
    return [dependency for one in everything if (dependency := _dependency(one)) is not None]


def _dependency(one: Installed) -> PackageDependency | None:
    described = _plugin_json(one)
    if one.name in _WITHOUT_PLUGIN or (described is None and not one.name.startswith("pulumi-")):
        return None
    described = {"resource": True} if described is None else described
    if not described.get("resource"):
        return None
    version = described.get("version") or plugin_version(one.version)
    if version is None:
        return None
    return PackageDependency(
        name=described.get("name") or one.name.removeprefix("pulumi-"),
        kind="resource",
        version="v" + version.removeprefix("v"),
        server=described.get("server", ""),
        parameterization=_parameterization(described.get("parameterization")),
        extension=_parameterization(described.get("extensionParameterization")),
    )


def _plugin_json(one: Installed) -> dict[str, Any] | None:
    if one.plugin is None:
        return None
    try:
        described: dict[str, Any] = json.loads(one.plugin.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise HostError(f"{one.plugin}, the description of the package {one.name}, cannot be read: {error}") from None
    return described


def _parameterization(described: dict[str, str] | None) -> PackageParameterization | None:
    if not described:
        return None
    return PackageParameterization(
        name=described["name"], version=described["version"], value=base64.b64decode(described.get("value", ""))
    )
