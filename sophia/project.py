"""The Pulumi project on disk: its name, its stacks, which ESC environments they use. Reads, never writes."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sophia.errors import SettingsError

_PREFIX, _SUFFIX = "Pulumi.", ".yaml"


@dataclass(frozen=True)
class Project:
    directory: Path
    name: str

    @classmethod
    def find(cls, start: Path | None = None) -> Project:
        """The project in ``start`` (default: the working directory) or above it. Raises SettingsError."""
        origin = (start or Path.cwd()).resolve()
        for directory in (origin, *origin.parents):
            file = directory / "Pulumi.yaml"
            if file.is_file():
                name = _mapping(file).get("name")
                if not isinstance(name, str) or not name:
                    raise SettingsError("the project has no name", setting=f"{file.name}: name", do="give it one")
                return cls(directory, name)
        raise SettingsError(
            "there is no Pulumi project here",
            said=f"no Pulumi.yaml in {origin} or above it",
            do="go to the checkout, or pass --directory",
        )

    @property
    def stacks(self) -> tuple[str, ...]:
        """Those that have a settings file; least dangerous first, so that what is suggested is not prod."""
        names = [f.name[len(_PREFIX) : -len(_SUFFIX)] for f in self.directory.glob(f"{_PREFIX}*{_SUFFIX}")]
        return tuple(sorted(names, key=lambda n: ({"dev": 0, "staging": 1, "prod": 3}.get(n, 2), n)))

    def settings_file(self, stack: str) -> Path:
        """Raises SettingsError, with the nearest name, for a stack that has none."""
        if stack in self.stacks:
            return self.directory / f"{_PREFIX}{stack}{_SUFFIX}"
        near = difflib.get_close_matches(stack, self.stacks, n=1, cutoff=0.5)
        raise SettingsError(
            f'there is no stack "{stack}"',
            said=f"the project {self.name} has {', '.join(self.stacks) or 'no stacks'}",
            setting=f"{_PREFIX}{stack}{_SUFFIX}",
            do=f'did you mean "{near[0]}"?' if near else f"add {_PREFIX}{stack}{_SUFFIX}",
        )

    def environments(self, stack: str) -> tuple[str, ...]:
        """The ESC environments that the stack's settings file imports; inline definitions have no name."""
        entry = _mapping(self.settings_file(stack)).get("environment")
        if isinstance(entry, dict):
            entry = entry.get("imports")
        return tuple(e for e in entry if isinstance(e, str)) if isinstance(entry, list) else ()


def _mapping(file: Path) -> dict[str, Any]:
    import yaml

    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
    except (OSError, yaml.YAMLError) as error:
        raise SettingsError(
            f"{file.name} cannot be read", said=str(error), setting=file.name, do="correct it"
        ) from None
    if not isinstance(content, dict):
        raise SettingsError(f"{file.name} is not a mapping", setting=file.name, do="write key: value pairs")
    return content
