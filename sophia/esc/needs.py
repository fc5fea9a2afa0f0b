"""Which variables a stage's settings need, and whether its environment, with its credentials, has them.

A setting names a variable itself (``environment: LINEAR_API_KEY``). Beyond that each platform that has settings needs the
variables by which its client reaches it: those that the checkout's provider module declares, or, for the platforms with an
official package, those that its stand-in in the sandbox hands out, as the package declares none that could be read.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path as File
from typing import Any

from esc.language import Evaluation
from esc.language.values import Value
from sophia.esc.evaluation import Evaluated, StackFile, part
from sophia.esc.files import CREDENTIALS, Environments
from sophia.esc.findings import Finding, Spot, finding
from sophia.esc.places import Path, render
from sophia.esc.stages import reached
from sophia.esc.types import CONFIGURATION, FILES, VARIABLES

_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]*")
_SOURCE = "environment"
"""The member of a setting that names a variable."""


@dataclass(frozen=True)
class Need:
    """A variable that must be set, and the setting that needs it."""

    variable: str
    spot: Spot
    reader: str


def needs(evaluated: Evaluated, stack: StackFile, program: File) -> Iterator[Need]:
    """What the settings of a stage need. ``program`` is the checkout."""
    prefix = f"{evaluated.environments.project}:"
    for key, settings in stack.config.items():
        if not str(key).startswith(prefix):
            continue
        path: Path = ("config", key)
        for variable in platform_variables(program, key.removeprefix(prefix)):
            yield Need(variable, stack.spot(path, key), f"the platform {key.removeprefix(prefix)}")
        for inner, variable in _named(settings, path):
            yield Need(variable, stack.spot(inner, render(inner[1:])), "the setting")
    evaluation = evaluated.programs.get(stack.stage)
    configured = part(evaluation, CONFIGURATION) if evaluation else None
    for key in configured.keys if configured else ():
        value = configured.member(key) if configured else None
        spot = evaluated.spot_of(value, f"values.{CONFIGURATION}.{key}", stack) if value else None
        if value is None or spot is None:
            continue
        for variable in platform_variables(program, key.removeprefix(prefix)) if key.startswith(prefix) else ():
            yield Need(variable, spot, f"the platform {key.removeprefix(prefix)}")
        for _, variable in _named(value.plain(), ()):
            yield Need(variable, spot, "the setting")


def unmet(evaluated: Evaluated, program: File) -> Iterator[Finding]:
    """Variables that settings need and nothing sets; one finding a variable and stage."""
    environments = evaluated.environments
    for stack in evaluated.stacks:
        evaluation = evaluated.programs.get(stack.stage)
        if evaluation is None or evaluation.environment is None or stack.stage in evaluated.incomplete:
            continue  # what hides the rest is told already
        present = set_by(evaluation)
        missing = {need.variable: need for need in reversed(list(needs(evaluated, stack, program)))}
        missing = {name: need for name, need in missing.items() if name not in present}
        own = environments.full_name(CREDENTIALS + stack.stage)
        listed = missing.keys() & environments.credentials.keys()
        if listed and own not in reached(environments, stack):
            yield _not_imported(environments, stack, own, len(listed))
            missing = {name: need for name, need in missing.items() if name not in listed}
        for need in missing.values():
            yield finding(
                "credential",
                need.spot,
                f"stage {stack.stage} has no {need.variable}",
                said=f"{need.reader} needs it; neither an environment in git sets it, nor does "
                f"{environments.required_file} list it",
                do=f"list it in {environments.required_file}, with where it comes from, and set it in {own}",
            )


def _not_imported(environments: Environments, stack: StackFile, own: str, count: int) -> Finding:
    definition = environments.definitions.get(environments.full_name(stack.stage))
    return finding(
        "credential",
        Spot(definition.shown if definition else stack.shown, 0, "imports"),
        f"stage {stack.stage} does not import its credentials",
        said=f"{count} of the variables that its settings need are in {own}",
        do=f"write {own} under imports",
    )


def unneeded(evaluated: Evaluated, program: File) -> Iterator[Finding]:
    """What the list of credentials asks for although no settings of any stage need it."""
    environments = evaluated.environments
    if not any(stack.config for stack in evaluated.stacks):
        return
    wanted = {need.variable for stack in evaluated.stacks for need in needs(evaluated, stack, program)}
    texts = " ".join(definition.text for definition in environments.definitions.values())
    for credential in environments.credentials.values():
        if credential.name not in wanted and not re.search(rf"\b{re.escape(credential.name)}\b", texts):
            yield finding(
                "credential",
                Spot(environments.required_file, credential.line, credential.name),
                f"nobody needs {credential.name}",
                said="no settings of any stage name it, and no platform that has settings reads it",
                do=f"take it out of the list, and of {CREDENTIALS}<stage> in Pulumi Cloud",
                severity="warning",
            )


def set_by(evaluation: Evaluation) -> set[str]:
    """The variables that an evaluated environment sets, those that name files among them."""
    return _keys(part(evaluation, VARIABLES)) | _keys(part(evaluation, FILES))


def platform_variables(program: File, platform: str) -> tuple[str, ...]:
    """The variables by which a platform is reached; none for one that is not known."""
    modules = sorted((program / "providers").glob(f"{platform}*.py"))
    declared = dict.fromkeys(name for module in modules for name in _declared(module.read_text(encoding="utf-8")))
    if modules:
        return tuple(declared)
    return tuple(_official().get(platform, ()))


@cache
def _declared(source: str) -> tuple[str, ...]:
    """The arguments of every ``Environment("NAME")`` in a provider module."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return ()  # the program itself tells
    found = dict.fromkeys(
        str(node.args[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant) and _names(node.func)
    )
    return tuple(found)


def _names(function: ast.expr) -> bool:
    """Whether this is ``Environment``, by itself or in its module."""
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    return name == "Environment"


@cache
def _official() -> Mapping[str, tuple[str, ...]]:
    from sandbox import official

    return {platform.name: tuple(platform.credentials) for platform in official.PLATFORMS}


def _named(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    """Every ``environment: NAME`` in settings, with the path of the name."""
    if isinstance(value, Mapping):
        name = value.get(_SOURCE)
        if isinstance(name, str) and _VARIABLE.fullmatch(name):
            yield (*path, _SOURCE), name
        for key, item in value.items():
            yield from _named(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _named(item, (*path, index))


def _keys(value: Value | None) -> set[str]:
    return set(value.keys) if value else set()


def required_of(environments: Environments) -> str:
    """What a person must put into ``credentials-<stage>``, a line a variable."""
    width = max((len(name) for name in environments.credentials), default=0)
    return "\n".join(f"{one.name:<{width}}  {one.source}" for one in environments.credentials.values())
