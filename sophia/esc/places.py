"""A YAML file with the line of everything in it: the stack files, and the list of required credentials."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

Path = tuple[str | int, ...]

_LOADER: type[yaml.SafeLoader | yaml.CSafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Entry:
    """A value in the file; ``text`` is that of a scalar as it is meant, None for mappings and lists."""

    path: Path
    line: int
    text: str | None
    string: bool
    """Whether it is a text, and not a number, a boolean or nothing."""

    @property
    def name(self) -> str:
        """The last key on the way to it; that of the list, for an element."""
        return next((step for step in reversed(self.path) if isinstance(step, str)), "")


class Document:
    """A YAML file in the dialect of the engine's stack files. Raises yaml.YAMLError for text that is none."""

    def __init__(self, text: str) -> None:
        try:
            root = yaml.compose(text, Loader=_LOADER)
            self.data: Any = yaml.load(text, Loader=_LOADER)  # noqa: S506 - a safe loader, as its name says
            self.entries: tuple[Entry, ...] = tuple(_entries(root, (), ())) if root is not None else ()
        except ValueError as error:
            # A date that is none, such as 2026-13-01.
            raise yaml.YAMLError(str(error)) from error
        except RecursionError as error:
            raise yaml.YAMLError("it is nested too deeply") from error
        self._lines = {entry.path: entry.line for entry in self.entries}

    def line(self, path: Path) -> int:
        """The line of what stands at ``path``, or of the nearest thing around it; 0 if there is nothing."""
        return next((self._lines[path[:n]] for n in range(len(path), -1, -1) if path[:n] in self._lines), 0)


def broken_line(text: str) -> int:
    """The line at which ``text`` stops being YAML; 0 if it does not. What is never closed is blamed where it begins."""
    try:
        yaml.compose(text, Loader=_LOADER)
    except yaml.YAMLError as error:
        return line_of(error, text)
    return 0


def line_of(error: yaml.YAMLError, text: str) -> int:
    """The line of an error; 0 if it has none."""
    marks = [mark for name in ("problem_mark", "context_mark") if (mark := getattr(error, name, None))]
    last = max(len(text.splitlines()), 1)
    lines = [mark.line + 1 for mark in marks]
    return next((line for line in lines if line <= last), last if lines else 0)


def render(path: Path) -> str:
    """``config["sophia-ai:slack"].channels[0]`` as people read it: ``config.sophia-ai:slack.channels[0]``."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def _entries(node: yaml.Node, path: Path, above: tuple[int, ...], line: int = 0) -> Iterator[Entry]:
    """``above`` are the nodes around this one: an alias may lead back to one of them. ``line`` is that of the key."""
    line = line or node.start_mark.line + 1
    if isinstance(node, yaml.ScalarNode):
        yield Entry(path, line, node.value, node.tag == "tag:yaml.org,2002:str")
        return
    yield Entry(path, line, None, string=False)
    if id(node) in above:
        return
    inside = (*above, id(node))
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode):
                yield from _entries(value, (*path, key.value), inside, key.start_mark.line + 1)
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield from _entries(item, (*path, index), inside)
