"""What exists on the platforms that our own providers manage: read inside the stack's ESC environment, changing nothing.

Credentials exist only there, so that the look at the platforms is a process of its own (``python -m providers.survey``),
which `pulumi env run` of the pinned engine starts: no secret passes through this process, a command line or a file, and what
it prints is freed of the environment's secrets by the engine.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sophia import diagnosis
from sophia.backend import surroundings
from sophia.errors import CredentialsError, Problem, RunFailed, SettingsError, SophiaError, UnreachableError
from sophia.project import Project
from sophia.redact import redact
from sophia.runner import EngineCommand
from sophia.target import Target

_ERRORS: Mapping[str, type[SophiaError]] = {
    "credentials": CredentialsError,
    "settings": SettingsError,
    "unreachable": UnreachableError,
}


@dataclass(frozen=True)
class Kind:
    """A kind of object; ``listed`` and ``marked`` say what can be known of it."""

    type: str
    title: str
    listed: bool
    """Whether the platform has a call that finds its objects."""
    marked: bool
    """Whether its objects have room for a word on who manages them."""


@dataclass(frozen=True)
class Object:
    """A live object of a platform, or one that it keeps after its deletion (``hidden``)."""

    type: str
    kind: str
    id: str
    key: Mapping[str, Any]
    container: Mapping[str, str] | None
    """``{"kind", "id"}`` of what it is in."""
    owner: str | None
    """``project/stack``, where it carries a mark."""
    hidden: bool
    made: str | None
    """RFC 3339; None where the platform does not tell."""
    inputs: Mapping[str, Any]

    @property
    def name(self) -> str:
        """What people call it."""
        return str(self.inputs.get("name") or " ".join(str(value) for value in self.key.values()))


@dataclass(frozen=True)
class Platform:
    name: str
    title: str
    kinds: tuple[Kind, ...]
    objects: tuple[Object, ...]
    error: Problem | None
    """Why not everything of it could be read."""
    marker: str = ""
    """``credentials`` or ``unreachable``, where the error is one of these."""


Verdict = Literal["same", "differs", "new", "waits", "refused", "unlisted"]


@dataclass(frozen=True)
class Difference:
    """What taking an object over would change."""

    path: str
    old: Any
    new: Any


@dataclass(frozen=True)
class Match:
    """What is known of a resource that the settings want and the state has not; the members are told in
    ``providers.base.matching``.
    """

    urn: str
    verdict: Verdict
    id: str | None
    hidden: bool = False
    differences: tuple[Difference, ...] = ()
    claims: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    reason: str = ""
    do: str = ""


@dataclass(frozen=True)
class Survey:
    """The answer of one look at the platforms."""

    platforms: tuple[Platform, ...]
    matches: tuple[Match, ...]

    def failure(self, needed: Sequence[str]) -> SophiaError | None:
        """The error of those platforms, among these, that could not be read."""
        failed = [p for p in self.platforms if p.error and p.name in needed]
        if not failed:
            return None
        error = next((_ERRORS[p.marker] for p in failed if p.marker in _ERRORS), RunFailed)
        return error([p.error for p in failed if p.error])


def survey(
    project: Project,
    stack: str,
    target: Target,
    engine: EngineCommand,
    platforms: Sequence[str] = (),
    request: Mapping[str, Any] | None = None,
) -> Survey:
    """Looks at these platforms (default: all that our own providers manage). ``request``: what is wanted.

    Raises SophiaError where the environment cannot be opened. A platform that cannot be read is told in the answer.
    """
    arguments = [part for name in platforms for part in ("--platform", name)]
    arguments += ["--wanted"] if request is not None else []
    inside = Inside(project, stack, target, engine)
    answer = inside.run("providers.survey", arguments, json.dumps(request) if request is not None else "")
    return Survey(
        tuple(_platform(told) for told in answer["platforms"]),
        tuple(_match(told) for told in answer["matches"]),
    )


@dataclass(frozen=True)
class Inside:
    """The stack's ESC environment, in which modules of the program can be run."""

    project: Project
    stack: str
    target: Target
    engine: EngineCommand

    def run(self, module: str, arguments: Sequence[str] = (), given: str = "") -> dict[str, Any]:
        """``python -m MODULE ARGUMENTS`` with ``given`` on standard input: the JSON object that it prints."""
        environment = surroundings(self.target)
        done = subprocess.run(  # noqa: S603 - a list, no shell
            [*self._opened(), self._python(), "-m", module, *arguments],
            cwd=self.project.directory,
            env={**environment, "PULUMI_SKIP_UPDATE_CHECK": "true"},
            input=given,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise _told_error(done.stdout) or self._failure(module, done, environment)
        try:
            answer: dict[str, Any] = json.loads(done.stdout)
        except ValueError as error:
            raise RunFailed(
                f"{module} answered with something that is no JSON",
                said=str(error),
                do="a secret of the ESC environment that is a single character or a word of JSON would do this: lengthen it",
                log=redact(done.stdout + done.stderr, environment),
            ) from error
        return answer

    def _opened(self) -> list[str]:
        """The command that opens the stack's environments one inside the other: the later ones win, as in the engine."""
        command: list[str] = []
        for name in self.project.environments(self.stack):
            command += [self.engine.command, "--non-interactive", "env", "run", self._qualified(name), "--"]
        inline = self._inline()
        # What a stack file says in plain text is no secret, and may be seen in a command line.
        return [*command, "env", *(f"{name}={value}" for name, value in inline.items())] if inline else command

    def _qualified(self, name: str) -> str:
        project = "" if "/" in name else "default/"
        return f"{self.target.organization}/{project}{name}" if self.target.organization else f"{project}{name}"

    def _inline(self) -> dict[str, str]:
        """The variables that the stack file itself sets, beside those of the environments that it imports."""
        import yaml

        file = self.project.settings_file(self.stack)
        entry = (yaml.safe_load(file.read_text(encoding="utf-8")) or {}).get("environment")
        values = (entry.get("values") or {}) if isinstance(entry, dict) else {}
        variables = values.get("environmentVariables") or {}
        for name, value in variables.items():
            if isinstance(value, (dict, list)) or "${" in str(value):
                raise SettingsError(
                    f"{name} can be worked out by Pulumi Cloud only",
                    setting=f"{file.name}: environment.values.environmentVariables.{name}",
                    do="put it into an ESC environment of its own, and import that",
                )
        return {name: str(value) for name, value in variables.items()}

    def _python(self) -> str:
        """The interpreter of the program."""
        own = self.project.directory / ".venv" / "bin" / "python"
        return str(own) if own.exists() else sys.executable

    def _failure(
        self, module: str, done: subprocess.CompletedProcess[str], environment: Mapping[str, str]
    ) -> Exception:
        stderr = redact(done.stderr, environment)
        if "Traceback" in stderr or "No module named" in stderr:
            last = [line for line in stderr.strip().splitlines() if not line.startswith("error: exit status")][-1]
            return RunFailed(f"{module} failed", said=last, do="run it again with --debug for its log", log=stderr)
        file = self.project.settings_file(self.stack).name
        failure = diagnosis.Failure(self.stack, file, self.target.backend, (), (), stderr, done.returncode, log=stderr)
        return diagnosis.diagnose(failure)


def _told_error(stdout: str) -> SophiaError | None:
    """The error that a module tells in its answer, ``{"error": {"code", "what", "said", "setting", "do"}}``, if it does."""
    try:
        told = json.loads(stdout)["error"]
        problem = Problem(told["what"], told["said"], told["setting"], told["do"])
    except (ValueError, KeyError, TypeError):
        return None
    return _ERRORS.get(told["code"], RunFailed)([problem])


def needed_platforms(project: Project, stack: str, state_types: Sequence[str]) -> list[str]:
    """The platforms that a stack has settings for or resources of: one of these that cannot be read is a failure."""
    import yaml

    document = yaml.safe_load(project.settings_file(stack).read_text(encoding="utf-8")) or {}
    prefix = f"{project.name}:"
    names = [key.removeprefix(prefix) for key in document.get("config") or {} if key.startswith(prefix)]
    names += [platform_of(type_) for type_ in state_types]
    return sorted({name for name in names if name})


def platform_of(type_: str) -> str:
    """The module of ``pulumi-python:dynamic/airbyte:Connection``; "" for other types."""
    return type_.partition(":dynamic/")[2].partition(":")[0]


def _platform(told: Mapping[str, Any]) -> Platform:
    error = told["error"]
    return Platform(
        told["name"],
        told["title"],
        tuple(Kind(k["type"], k["title"], k["listed"], k["marked"]) for k in told["kinds"]),
        tuple(Object(**one) for one in told["objects"]),
        Problem(error["what"], error["said"], error["setting"], error["do"]) if error else None,
        error["marker"] if error else "",
    )


def _match(told: Mapping[str, Any]) -> Match:
    lists = {name: tuple(told[name]) for name in ("claims", "unseen", "missing")}
    differences = tuple(Difference(**one) for one in told["differences"])
    return Match(**{**told, **lists, "differences": differences})
