"""The ESC environments of a checkout: the definitions in esc/, and what the credentials' environments must contain."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from esc.language import LoadError, Source
from esc.language.envelope import wrap
from sophia.errors import SettingsError
from sophia.esc.findings import Finding, Spot, finding
from sophia.esc.places import Document, line_of
from sophia.project import Project

FOLDER = "esc"
REQUIRED = "credentials.required.yaml"
CREDENTIALS = "credentials-"
"""How the names of the environments begin that exist only in Pulumi Cloud: ``credentials-<stage>``."""

_IN_FILES = "(under files)"
_UNKNOWN = b"known to Pulumi Cloud only"


@dataclass(frozen=True)
class Definition:
    """An environment as it stands in git."""

    name: str
    """``sophia-ai/dev``"""
    text: str
    file: Path
    shown: str
    """``esc/dev.yaml``"""


@dataclass(frozen=True)
class Credential:
    """A variable that ``credentials-<stage>`` must set."""

    name: str
    source: str
    """Where a person gets it."""
    line: int
    in_file: bool = False
    """Its value is a file's content, under ``files``; the variable then names the file."""


@dataclass(frozen=True)
class Environments:
    """``faults`` tell of files that could not be read; nothing of those is in the other members."""

    project: str
    folder: Path
    definitions: Mapping[str, Definition]
    stages: tuple[str, ...]
    credentials: Mapping[str, Credential]
    faults: tuple[Finding, ...] = ()

    @classmethod
    def of(cls, project: Project) -> Environments:
        """Those of a checkout; without an esc/ there are none."""
        return read(project.directory / FOLDER, project.name, project.stacks)

    @property
    def required_file(self) -> str:
        return f"{self.folder.name}/{REQUIRED}"

    def full_name(self, name: str) -> str:
        return f"{self.project}/{name}"

    def definition(self, name: str) -> Definition:
        """By its name without the project. Raises SettingsError, with the nearest name, if git has none."""
        found = self.definitions.get(self.full_name(name))
        if found is not None:
            return found
        known = [one.partition("/")[2] for one in self.definitions]
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
        raise SettingsError(
            f'there is no ESC environment "{name}" in git',
            said=f"{self.folder.name}/ has {', '.join(known) or 'none'}",
            setting=f"{self.folder.name}/{name}.yaml",
            do=f'did you mean "{near[0]}"?' if near else f"add {self.folder.name}/{name}.yaml",
        )

    def stage_of(self, name: str) -> str | None:
        """The stage whose own environment, or whose credentials', this is; None for what all may import."""
        project, _, short = name.partition("@")[0].partition("/")
        stage = short.removeprefix(CREDENTIALS)
        return stage if project == self.project and stage in self.stages else None

    def load(self, name: str) -> Source:
        """What an import of ``name`` gets. Git knows one revision of each environment, whichever is asked for."""
        plain = name.partition("@")[0]
        if plain in self.definitions:
            return Source(self.definitions[plain].text)
        if self.stage_of(plain) is not None and plain.startswith(f"{self.project}/{CREDENTIALS}"):
            return Source(self.credentials_text)
        raise LoadError(f'environment "{name}" not found')

    @property
    def importable(self) -> tuple[str, ...]:
        return (*self.definitions, *(self.full_name(CREDENTIALS + stage) for stage in self.stages))

    @property
    def credentials_text(self) -> str:
        """A definition like that of ``credentials-<stage>``: secrets of which nothing is known but their names."""
        secret = {"fn::secret": {"ciphertext": wrap(_UNKNOWN)}}
        variables = {name: secret for name, one in self.credentials.items() if not one.in_file}
        files = {name: secret for name, one in self.credentials.items() if one.in_file}
        return json.dumps({"values": {"environmentVariables": variables, "files": files}})


def read(folder: Path, project: str, stages: Sequence[str]) -> Environments:
    """The environments in ``folder``, in alphabetical order. ``stages`` are the stacks."""
    definitions, faults = dict[str, Definition](), list[Finding]()
    for file in sorted(folder.glob("*.yaml")):
        if file.name == REQUIRED:
            continue
        shown = f"{folder.name}/{file.name}"
        try:
            text = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            faults.append(unreadable(shown, error))
            continue
        definition = Definition(f"{project}/{file.stem}", text, file, shown)
        if file.stem.startswith(CREDENTIALS):
            faults.append(_in_git(definition))
        definitions[definition.name] = definition
    credentials = dict[str, Credential]()
    try:
        credentials = {one.name: one for one in read_required(folder / REQUIRED)}
    except (OSError, UnicodeDecodeError) as error:
        if definitions:
            faults.append(unreadable(f"{folder.name}/{REQUIRED}", error))
    except yaml.YAMLError as error:
        faults.append(not_yaml(f"{folder.name}/{REQUIRED}", (folder / REQUIRED).read_text("utf-8"), error))
    return Environments(project, folder, definitions, tuple(stages), credentials, tuple(faults))


def read_required(file: Path) -> list[Credential]:
    """The list of what ``credentials-<stage>`` must contain. Raises OSError, UnicodeDecodeError, yaml.YAMLError."""
    entries = [one for one in Document(file.read_text(encoding="utf-8")).entries if len(one.path) == 1]
    return [_credential(str(one.path[0]), one.text or "", one.line) for one in entries]


def _credential(name: str, text: str, line: int) -> Credential:
    return Credential(name, text.removeprefix(_IN_FILES).strip(), line, text.startswith(_IN_FILES))


def unreadable(file: str, error: Exception) -> Finding:
    """The finding for a file that is not there, or no text."""
    return finding("resolve", Spot(file), f"{file} cannot be read", said=str(error), do="write it as UTF-8 text")


def _in_git(definition: Definition) -> Finding:
    return finding(
        "secret",
        Spot(definition.shown),
        f"{definition.name} is in git",
        said="what credentials-<stage> contains exists only in Pulumi Cloud",
        do="take the file out of git, with its history, and make new credentials if they were in it",
    )


def not_yaml(file: str, text: str, error: yaml.YAMLError) -> Finding:
    """The finding for a file that is no YAML."""
    said = getattr(error, "problem", None) or getattr(error, "context", None) or error
    return finding(
        "resolve", Spot(file, line_of(error, text)), f"{file} is no YAML", said=str(said), do="correct the line"
    )
