"""How the platforms of a stack are, and whether its credentials work: asked inside the stack's ESC environment, all at once.

The asking is done by ``python -m health``, which `sophia.survey.Inside` runs: no credential passes through this process, but
for the access token of Pulumi Cloud, which it has anyway.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sophia.alerts import Fact
from sophia.backend import engine_command
from sophia.errors import CredentialsError, Problem, SettingsError, UnreachableError
from sophia.runner import EngineCommand
from sophia.stack import Stack
from sophia.state import State
from sophia.survey import Inside
from sophia.target import access_token

Verdict = Literal["well", "degraded", "failing", "unasked"]
"""unasked: the platform has nothing that could be asked, and nobody knows how it is."""

PULUMI = "pulumi"
"""The platform that every stack uses, without a setting."""

TIMEOUT_SECONDS = 10.0
"""How long a platform has to answer everything that it is asked."""


@dataclass(frozen=True)
class Quota:
    """What may still be used of something: ``left`` in units of ``what``; ``of`` where there is a whole."""

    what: str
    left: float
    of: float | None

    def __str__(self) -> str:
        of = f" of {self.of:,.12g}" if self.of is not None else ""
        return f"{self.left:,.12g}{of} {self.what}"


@dataclass(frozen=True)
class Trouble:
    """Why a platform is not well."""

    said: str
    do: str
    setting: str
    verdict: Verdict


@dataclass(frozen=True)
class Check:
    """What is known of a platform after asking it."""

    platform: str
    title: str
    verdict: Verdict
    latency: float | None
    """Seconds of its slowest answer; None where there was none."""
    checked: tuple[str, ...]
    """What the good answers prove, in words."""
    quotas: tuple[Quota, ...]
    problems: tuple[Trouble, ...]
    unasked: str = ""
    """Why nobody can ask it."""


@dataclass(frozen=True)
class HealthReport:
    stack: str
    checks: tuple[Check, ...]
    duration: float
    """Seconds, the opening of the environment included."""

    @property
    def well(self) -> bool:
        """Whether nothing fails; what is degraded still works."""
        return all(check.verdict != "failing" for check in self.checks)

    @property
    def facts(self) -> list[Fact]:
        """The same for alerts."""
        return [_fact(check) for check in self.checks if check.verdict != "unasked"]

    @property
    def problems(self) -> Sequence[Problem]:
        """What fails, in the four parts of an error."""
        return [
            Problem(f"{check.title} is {check.verdict}", trouble.said, trouble.setting, trouble.do)
            for check in self.checks
            for trouble in check.problems
            if trouble.verdict == "failing"
        ]


def check(
    stack: Stack,
    platforms: Sequence[str] | None = None,
    *,
    timeout: float = TIMEOUT_SECONDS,
    engine: EngineCommand | None = None,
) -> HealthReport:
    """Asks the platforms that the stack's settings use, and Pulumi Cloud; or, of these, those named.

    ``timeout`` is in seconds. Raises SettingsError for settings of a platform that nobody can ask. Where the environment
    cannot be opened because Pulumi Cloud refuses or does not answer, that is a failing check, and no other is made.
    """
    started = time.monotonic()
    try:
        answer = ask(stack, platforms, timeout=timeout, engine=engine)
    except (CredentialsError, UnreachableError) as error:
        return HealthReport(stack.name, (_closed(error),), time.monotonic() - started)
    checks = tuple(_check(told) for told in answer["checks"])
    return HealthReport(stack.name, checks, time.monotonic() - started)


def ask(
    stack: Stack,
    platforms: Sequence[str] | None = None,
    *,
    timeout: float = TIMEOUT_SECONDS,
    engine: EngineCommand | None = None,
    more: Mapping[str, Any] | None = None,
    arguments: Sequence[str] = (),
) -> dict[str, Any]:
    """What ``python -m health ARGUMENTS`` answers about the stack; ``more`` is said to it besides. Raises SophiaError."""
    settings = settings_of(stack)
    asked = [name for name in platforms_of(stack, settings) if platforms is None or name in platforms]
    request = {
        "platforms": {name: settings.get(name) or {} for name in asked},
        "resources": (stack.state() or State({})).shown,
        "cloud": _cloud(stack),
        "timeout": timeout,
        **(more or {}),
    }
    inside = Inside(stack.project, stack.name, stack.target, engine or engine_command(lambda _line: None))
    return inside.run("health", arguments, json.dumps(request))


def settings_of(stack: Stack) -> dict[str, Any]:
    """The platforms' settings in the stack file, by platform. Raises SettingsError."""
    import yaml

    try:
        document = yaml.safe_load(stack.settings_file.read_text(encoding="utf-8")) or {}
        config = dict(document.get("config") or {})
    except (OSError, ValueError, AttributeError, TypeError, yaml.YAMLError) as error:
        name = stack.settings_file.name
        raise SettingsError(f"{name} cannot be read", said=str(error), setting=name, do="correct it") from None
    prefix = f"{stack.project.name}:"
    return {key.removeprefix(prefix): value for key, value in config.items() if key.startswith(prefix)}


def platforms_of(stack: Stack, settings: Mapping[str, Any]) -> list[str]:
    """Those that the stack uses: of its settings, and Pulumi Cloud where its state is there."""
    return [*settings, *([PULUMI] if stack.target.kind != "file" else [])]


def _cloud(stack: Stack) -> dict[str, str]:
    if stack.target.kind == "file":
        return {}
    environment = {**os.environ, **stack.target.environment}
    return {
        "backend": stack.target.backend,
        "organization": stack.target.organization,
        "token": access_token(stack.target.backend, environment),
        "credentials": f"{stack.project.name}/credentials-{stack.name}",
    }


def _check(told: Mapping[str, Any]) -> Check:
    return Check(
        told["platform"],
        told["title"],
        told["verdict"],
        told["latency_seconds"],
        tuple(told["checked"]),
        tuple(Quota(**quota) for quota in told["quotas"]),
        tuple(
            Trouble(**{name: one[name] for name in ("said", "do", "setting", "verdict")}) for one in told["problems"]
        ),
        told["unasked"],
    )


def _fact(check: Check) -> Fact:
    first = next((trouble for trouble in check.problems if trouble.verdict == check.verdict), None)
    return Fact(check.platform, check.title, check.verdict, first.said if first else "", first.do if first else "")


def _closed(error: CredentialsError | UnreachableError) -> Check:
    trouble = Trouble(f"{error.what}: {error.said}".rstrip(": "), error.do, error.setting, "failing")
    return Check(PULUMI, "Pulumi Cloud", "failing", None, (), (), (trouble,))
