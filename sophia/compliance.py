"""Control by control: what the policies enforce, what the state shows of it, and what no code can prove.

The policies are the project's (``policies/``), so that what they say of a state is asked of a process of their own; the
state goes there as it is exported, with its secrets encrypted.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sophia.errors import Problem, RunFailed, SettingsError
from sophia.project import Project
from sophia.redact import redact
from sophia.runs import POLICIES
from sophia.stack import Stack
from sophia.state import State

Level = Literal["mandatory", "advisory"]


@dataclass(frozen=True)
class Violation:
    """A resource in the state that a policy does not allow."""

    urn: str
    problem: Problem


@dataclass(frozen=True)
class Policy:
    """A policy, and what the state shows of it: the titles of the resources that satisfy it, and the violations."""

    name: str
    summary: str
    level: Level
    in_runs: bool
    """Whether previews and ups ask it; else only this report does."""
    asked: bool
    """Whether a stack of this stage has to satisfy it."""
    satisfied: tuple[str, ...]
    violations: tuple[Violation, ...]

    @property
    def enforced(self) -> bool:
        """Whether no run gets past a violation."""
        return self.in_runs and self.asked and self.level == "mandatory"


@dataclass(frozen=True)
class Control:
    """A control of a framework, the policies that serve it, and what about it remains to be shown otherwise."""

    id: str
    name: str
    title: str
    unproven: str
    policies: tuple[Policy, ...]


@dataclass(frozen=True)
class Framework:
    """A body of rules; ``beyond`` is what of it lies outside of infrastructure code altogether."""

    name: str
    title: str
    beyond: str
    controls: tuple[Control, ...]


@dataclass(frozen=True)
class Compliance:
    """What can be said of a stack's state."""

    stack: str
    resources: int
    policies: tuple[Policy, ...]
    frameworks: tuple[Framework, ...]

    @property
    def violated(self) -> tuple[Policy, ...]:
        """The mandatory policies that the state violates: it was made before them, or changed by hand since."""
        return tuple(policy for policy in self.policies if policy.violations and policy.level == "mandatory")

    def framework(self, name: str) -> Framework:
        """Raises SettingsError, with those that there are, for one that no policy serves."""
        found = next((framework for framework in self.frameworks if framework.name == name), None)
        if found is None:
            known = ", ".join(framework.name for framework in self.frameworks)
            raise SettingsError(f'there is no framework "{name}"', setting="option --framework", do=f"one of {known}")
        return found


def check(stack: Stack) -> Compliance:
    """Asks the project's policies about the state of ``stack``. Runs no program, and asks no platform.

    Raises SettingsError for a checkout without policies, and SophiaError where the state cannot be read.
    """
    state = stack.state() or State({})
    return _compliance(stack.name, _ask(stack.project, state))


def _ask(project: Project, state: State) -> dict[str, Any]:
    if not (project.directory / POLICIES / "report.py").is_file():
        raise SettingsError(
            "this checkout has no policies",
            said=f"no {POLICIES}/report.py in {project.directory}",
            do="take the folder from the repository",
        )
    python = project.directory / ".venv" / "bin" / "python"
    done = subprocess.run(  # noqa: S603 - a list, no shell
        [str(python) if python.exists() else sys.executable, "-m", f"{POLICIES}.report"],
        cwd=project.directory,
        input=state.dump(),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        log = redact(done.stderr, os.environ)
        last = next((line for line in reversed(log.splitlines()) if line.strip()), "")
        raise RunFailed("the policies failed", said=last, do="run it again with --debug for their log", log=log)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def _compliance(stack: str, told: Mapping[str, Any]) -> Compliance:
    policies = {policy["name"]: _policy(policy) for policy in told["policies"]}
    frameworks = tuple(
        Framework(
            framework["name"],
            framework["title"],
            framework["beyond"],
            tuple(
                Control(
                    control["id"],
                    control["name"],
                    control["title"],
                    control["unproven"],
                    tuple(policies[name] for name in control["policies"]),
                )
                for control in framework["controls"]
            ),
        )
        for framework in told["frameworks"]
    )
    return Compliance(stack, told["resources"], tuple(policies.values()), frameworks)


def _policy(told: Mapping[str, Any]) -> Policy:
    violations = tuple(
        Violation(one["urn"], Problem(one["what"], one["why"], one["setting"], one["do"])) for one in told["violations"]
    )
    return Policy(
        told["name"],
        told["summary"],
        told["level"],
        told["in_runs"],
        told["asked"],
        tuple(told["satisfied"]),
        violations,
    )
