"""Every environment of git, and what each stack file asks for, evaluated offline as Pulumi Cloud does."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from functools import cached_property
from typing import Any

import yaml

from esc.language import ANONYMOUS, Diagnostic, Evaluation, Place, Position, Range, Severity, check, load
from esc.language.paths import parse_path
from esc.language.values import Value
from sophia.esc.files import CREDENTIALS, Environments
from sophia.esc.findings import Finding, Spot, finding
from sophia.esc.places import Document, Path, broken_line
from sophia.esc.plugins import PROVIDERS, ROTATORS, providers, rotators
from sophia.target import ORGANIZATION

_ENVIRONMENT = "environment"
_NOT_FOUND = re.compile(r'environment "(?P<name>[^"]*)" not found')
_NO_PLUGIN = re.compile(r'unknown (?P<kind>provider|rotator) "(?P<name>[^"]*)"')
_ADVICE = (
    ("cyclic import", "break the circle: what both need belongs into an environment that both import"),
    ("cyclic reference", "break the circle: one of the values must not refer to the other"),
    ("cannot override final value", "take the line out, or take fn::final off the value it would override"),
    ("unknown property", "correct the name, or set the value in this environment or in one that it imports"),
    ("is a reserved prefix", "functions are spelt as in the ESC reference, such as fn::toJSON"),
    ("is a reserved key", "give it another name"),
    ("duplicate key", "take one of them out"),
    ("alias nodes", "write out what the alias stands for: ESC knows no YAML aliases"),
    ("secret values must be string literals", "secrets are not in git at all: set it in credentials-<stage>"),
    ("yaml:", "correct the YAML"),
)


@dataclass(frozen=True)
class StackFile:
    """``Pulumi.<stage>.yaml``."""

    stage: str
    shown: str
    document: Document

    @cached_property
    def environment(self) -> Any:
        data = self.document.data
        return data.get(_ENVIRONMENT) if isinstance(data, dict) else None

    @property
    def imports(self) -> list[tuple[str, Path]]:
        """The environments that it names, with where they stand in the file."""
        entry, path = self.environment, Path((_ENVIRONMENT,))
        if isinstance(entry, dict):
            entry, path = entry.get("imports"), (*path, "imports")
        listed = entry if isinstance(entry, list) else []
        names = [next(iter(one), None) if isinstance(one, dict) else one for one in listed]
        return [(name, (*path, index)) for index, name in enumerate(names) if isinstance(name, str)]

    @property
    def definition(self) -> str:
        """Its environment as the engine sends it to be opened; "" if it has none."""
        if isinstance(self.environment, list):
            return json.dumps({"imports": self.environment})
        return yaml.safe_dump(self.environment) if self.environment else ""

    @property
    def config(self) -> Mapping[str, Any]:
        found = self.document.data.get("config") if isinstance(self.document.data, dict) else None
        return found if isinstance(found, dict) else {}

    def spot(self, path: Path, shown: str = "") -> Spot:
        return Spot(self.shown, self.document.line(path), shown)


@dataclass
class Evaluated:
    """All evaluations: those of the environments by full name, those of the stack files by stage."""

    environments: Environments
    stacks: tuple[StackFile, ...]
    definitions: dict[str, Evaluation] = field(default_factory=dict)
    programs: dict[str, Evaluation] = field(default_factory=dict)
    """What the program of a stage sees."""
    incomplete: set[str] = field(default_factory=set)
    """Stages whose programs do not see all that they import, as it cannot be read or does not exist."""

    def findings(self) -> Iterator[Finding]:
        """What does not resolve, once each: an imported environment is evaluated with every importer."""
        told = set[tuple[str, int, str]]()
        for evaluation, stack in self.pairs():
            for diagnostic in evaluation.diagnostics:
                spot = self._spot(diagnostic, stack)
                place = diagnostic.place.range
                key = (spot.file, place.begin.byte if place else 0, diagnostic.summary)
                if key not in told:
                    told.add(key)
                    yield self._finding(diagnostic, spot)

    def pairs(self) -> Iterator[tuple[Evaluation, StackFile | None]]:
        """Every evaluation, with the stack file where it is one's."""
        for evaluation in self.definitions.values():
            yield evaluation, None
        for stack in self.stacks:
            if stack.stage in self.programs:
                yield self.programs[stack.stage], stack

    def spot_of(self, value: Value, path: str, stack: StackFile | None = None) -> Spot | None:
        """Where a value was written; None if that is not in git."""
        where = value.definition.place.range
        return self._in(where.environment, where.begin.line, path, stack) if where else None

    def _spot(self, diagnostic: Diagnostic, stack: StackFile | None) -> Spot:
        where, path = diagnostic.place.range or Range(), diagnostic.place.path
        found = self._in(where.environment, where.begin.line, path, stack)
        return found or Spot(where.environment, where.begin.line, path)

    def _in(self, environment: str, line: int, path: str, stack: StackFile | None) -> Spot | None:
        definition = self.environments.definitions.get(environment.partition("@")[0])
        if definition is not None:
            return Spot(definition.shown, line, path)
        if environment != ANONYMOUS or stack is None:
            return None
        steps: Path = (_ENVIRONMENT, *_steps(path))
        if isinstance(stack.environment, list):
            steps = (_ENVIRONMENT, *(step for step in steps[1:] if step != "imports"))
        return stack.spot(steps, f"{_ENVIRONMENT}.{path}" if path else _ENVIRONMENT)

    def _finding(self, diagnostic: Diagnostic, spot: Spot) -> Finding:
        severity: Any = "error" if diagnostic.severity is Severity.ERROR else "warning"
        missing = _NOT_FOUND.search(diagnostic.summary)
        if missing:
            return self._not_found(missing["name"], spot)
        plugin = _NO_PLUGIN.search(diagnostic.summary)
        if plugin:
            known = PROVIDERS if plugin["kind"] == "provider" else ROTATORS
            near = get_close_matches(plugin["name"], known, n=1)
            do = f'did you mean "{near[0]}"?' if near else f"there are: {', '.join(known)}"
        else:
            do = next((text for sign, text in _ADVICE if sign in diagnostic.summary), f"correct {spot}")
        what = f"{spot.file} does not resolve" if severity == "error" else f"{spot.file} may not mean what it says"
        return finding("resolve", spot, what, said=diagnostic.summary, do=do, severity=severity)

    def _not_found(self, name: str, spot: Spot) -> Finding:
        environments = self.environments
        near = get_close_matches(name, environments.importable, n=1, cutoff=0.7)
        do = f"add {environments.folder.name}/{name.partition('/')[2] or name}.yaml, or correct the name"
        if CREDENTIALS in name:
            do = f"there are the stages {', '.join(environments.stages)}, each with credentials of its own"
        elif near and near[0] != name:
            do = f'did you mean "{near[0]}"?'
        return finding(
            "resolve",
            spot,
            f"{spot.file} does not resolve",
            said=f'environment "{name}" not found: git has no such environment',
            do=do,
        )


def evaluate(environments: Environments, stacks: tuple[StackFile, ...]) -> Evaluated:
    """Evaluates all that can be read."""
    evaluated = Evaluated(environments, stacks)
    unreadable = set[str]()
    for name, definition in environments.definitions.items():
        found = _check(environments, name, definition.text)
        evaluated.definitions[name] = _placed(name, definition.text, found)
        if load(name, definition.text)[1].failed:
            unreadable.add(name)
    for stack in stacks:
        if stack.definition:
            found = _check(environments, ANONYMOUS, stack.definition)
            evaluated.programs[stack.stage] = _placed(ANONYMOUS, stack.definition, found)
            if any(_hides_an_import(one, unreadable) for one in found.diagnostics):
                evaluated.incomplete.add(stack.stage)
    return evaluated


def _hides_an_import(diagnostic: Diagnostic, unreadable: set[str]) -> bool:
    where = diagnostic.place.range
    if where is None or where.environment.partition("@")[0] in unreadable:
        return True
    return bool(_NOT_FOUND.search(diagnostic.summary)) or diagnostic.summary.startswith("cyclic import")


def _check(environments: Environments, name: str, text: str) -> Evaluation:
    pulumi = {"user": {"id": "user", "login": "user"}, "organization": {"id": ORGANIZATION, "login": ORGANIZATION}}
    return check(name, text, environments.load, context={"pulumi": pulumi}, providers=providers(), rotators=rotators())


def _placed(name: str, text: str, evaluation: Evaluation) -> Evaluation:
    """Broken YAML is reported without a range: that of the definition itself gets one, that of an import is left out, as
    the import is evaluated for itself too.
    """
    found = list[Diagnostic]()
    for one in evaluation.diagnostics:
        if one.place.range is not None:
            found.append(one)
        elif evaluation.environment is None:
            line = Position(broken_line(text))
            found.append(replace(one, place=Place(Range(name, line, line), one.place.path)))
    return replace(evaluation, diagnostics=found)


def _steps(path: str) -> Path:
    try:
        return parse_path(path)
    except ValueError:
        return ()


def part(evaluation: Evaluation, name: str) -> Value | None:
    """A top-level value of an evaluated environment, such as ``environmentVariables``."""
    return evaluation.environment.value.member(name) if evaluation.environment else None
