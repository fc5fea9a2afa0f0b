"""The whole check: every environment of git and every stack file, offline."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from sophia.esc.clear import listed_in_clear, secrets_in_clear
from sophia.esc.evaluation import Evaluated, StackFile, evaluate
from sophia.esc.files import FOLDER, REQUIRED, Environments, not_yaml, unreadable
from sophia.esc.findings import Finding
from sophia.esc.needs import unmet, unneeded
from sophia.esc.places import Document
from sophia.esc.stages import mixed_stages, own_environments
from sophia.esc.types import lost_types
from sophia.esc.wrong import wrong_values
from sophia.project import Project

PROJECT_FILE = "Pulumi.yaml"


@dataclass(frozen=True)
class Report:
    """What a check found, in the order of the files."""

    environments: tuple[str, ...]
    findings: tuple[Finding, ...]

    @property
    def errors(self) -> tuple[Finding, ...]:
        return tuple(one for one in self.findings if one.severity == "error")

    @property
    def warnings(self) -> tuple[Finding, ...]:
        return tuple(one for one in self.findings if one.severity == "warning")


def examine(project: Project, environ: Mapping[str, str] | None = None) -> Report:
    """Everything that is wrong, and what may be. Needs no network, no engine and no credentials.

    ``environ`` (default: the process's own) is looked through for wrong accounts.
    """
    environments = Environments.of(project)
    findings = list(environments.faults)
    texts = {one.shown: one.text for one in environments.definitions.values()}
    stacks, others = list[StackFile](), list[StackFile]()
    for stage in project.stacks:
        stacks += _read(project.settings_file(stage), stage, texts, findings)
    others += _read(project.directory / PROJECT_FILE, "", texts, findings)
    required = environments.folder / REQUIRED
    if required.is_file():
        texts[environments.required_file] = required.read_text(encoding="utf-8", errors="replace")
    evaluated = evaluate(environments, tuple(stacks))
    findings += _checks(evaluated, project, texts, os.environ if environ is None else environ, others)
    order = {name: number for number, name in enumerate(texts)}
    findings.sort(key=lambda one: (order.get(one.file, len(order)), one.line, one.severity))
    return Report(tuple(environments.definitions), tuple(findings))


def _read(file: Path, stage: str, texts: dict[str, str], findings: list[Finding]) -> list[StackFile]:
    """The file, and its text among ``texts``; a finding instead if it cannot be read."""
    try:
        texts[file.name] = file.read_text(encoding="utf-8")
        return [StackFile(stage, file.name, Document(texts[file.name]))]
    except yaml.YAMLError as error:
        findings.append(not_yaml(file.name, texts[file.name], error))
    except (OSError, UnicodeDecodeError) as error:
        findings.append(unreadable(file.name, error))
    return []


def _checks(
    evaluated: Evaluated,
    project: Project,
    texts: Mapping[str, str],
    environ: Mapping[str, str],
    others: Sequence[StackFile],
) -> Iterator[Finding]:
    environments = evaluated.environments
    yield from evaluated.findings()
    yield from secrets_in_clear(evaluated, texts)
    yield from wrong_values(evaluated, environ, others)
    yield from lost_types(evaluated)
    if not (project.directory / FOLDER).is_dir():
        return  # a project without environments of its own has none to be measured by
    yield from mixed_stages(environments, evaluated.stacks)
    yield from own_environments(environments, evaluated.stacks)
    yield from unmet(evaluated, project.directory)
    yield from unneeded(evaluated, project.directory)
    yield from listed_in_clear(evaluated)
