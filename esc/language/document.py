"""The YAML of a definition as a tree of nodes that know where they stand.

The dialect is that of ESC's own parser: YAML 1.2 scalars with some leftovers of 1.1 (``0b`` and ``0o`` integers,
leading-zero octals, underscores in numbers), no aliases, string keys only, the first document only.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

import yaml
from yaml.scanner import ScannerError

from esc.language.diagnostics import Diagnostics, Place, Position, Range, join_key
from esc.language.scalars import Number, Scalar, format_float

_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_INTEGER = re.compile(r"[-+]?(0[xX][0-9a-fA-F]+|0[oO][0-7]+|0[bB][01]+|0[0-7]*|[1-9][0-9]*)")
_NOT_REPRESENTABLE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_JOINER = "\u200d"
_SKIN_TONES = "\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff"
_CORE_TAGS = {f"tag:yaml.org,2002:{kind}" for kind in ("null", "bool", "int", "float", "timestamp")}


# The parser in C is libyaml, of which ESC's own is a translation; the one in Python refuses some texts.
_LOADER: type[yaml.SafeLoader | yaml.CSafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Span:
    """Offsets into the text, in characters: what an edit of this node replaces."""

    start: int
    end: int


@dataclass(frozen=True)
class Node:
    """``place`` has always a range. ``flow`` says whether the node is written in braces, brackets or on one line."""

    place: Place
    span: Span
    flow: bool

    @property
    def range(self) -> Range:
        return self.place.range or Range()


@dataclass(frozen=True)
class ScalarNode(Node):
    """``text`` is the decoded text, ``value`` what it stands for; ``plain`` means without quotes, block or tag."""

    text: str
    value: Scalar
    plain: bool


@dataclass(frozen=True)
class SequenceNode(Node):
    items: tuple[Node, ...]


@dataclass(frozen=True)
class Entry:
    key: ScalarNode
    value: Node

    @property
    def name(self) -> str:
        return self.key.text


@dataclass(frozen=True)
class MappingNode(Node):
    entries: tuple[Entry, ...]


def read(name: str, text: str, diagnostics: Diagnostics) -> Node | None:
    """The root node of the definition of environment ``name``; None where there is no content or it cannot be read."""
    reader = _Reader(name, text, diagnostics)
    try:
        return reader.document()
    except yaml.MarkedYAMLError as error:
        diagnostics.error(Place(), f"yaml: {_line_of(error)}{error.problem or error.context}")
    except yaml.YAMLError as error:
        diagnostics.error(Place(), f"yaml: {' '.join(str(error).split())}")
    except RecursionError:
        diagnostics.error(Place(), "yaml: the document is nested too deeply")
    return None


def _line_of(error: yaml.MarkedYAMLError) -> str:
    """The line as ESC tells it: where the construct begins that is broken, if that is known."""
    lines = [mark.line for mark in (error.context_mark, error.problem_mark) if mark and mark.line]
    if not lines:
        return ""
    return f"line {lines[0] + isinstance(error, ScannerError)}: "


def resolve(text: str) -> Scalar:
    """What a plain scalar stands for. Raises ValueError for infinity and not-a-number, which JSON cannot carry."""
    if text in _WORDS:
        return _WORDS[text]
    digits = text.replace("_", "")
    if text[:1] in "+-0123456789" and _INTEGER.fullmatch(digits):
        value = _integer(digits)
        if -(2**63) <= value < 2**64:
            return Number(str(value))
    if text[:1] in "+-.0123456789" and _FLOAT.fullmatch(digits):
        number = float(digits)
        return text if number in (float("inf"), float("-inf")) else Number(format_float(number))
    if _NOT_REPRESENTABLE.fullmatch(text):
        raise ValueError(f"{text} is not a number that can be represented in JSON")
    return text


def _integer(digits: str) -> int:
    sign = -1 if digits.startswith("-") else 1
    body = digits.lstrip("+-")
    if len(body) > 1 and body[0] == "0" and body[1].isdigit():
        return sign * int(body, 8)
    return sign * int(body, 0)


class _Reader:
    def __init__(self, name: str, text: str, diagnostics: Diagnostics) -> None:
        self.name = name
        self.diagnostics = diagnostics
        self.text = text
        self.lines = _Lines(text)
        self.events: Iterator[yaml.Event] = yaml.parse(text, Loader=_LOADER)

    def document(self) -> Node | None:
        for event in self.events:
            if isinstance(event, yaml.DocumentStartEvent):
                root = self.node(next(self.events), "", False)
                empty = isinstance(root, ScalarNode) and root.value is None
                return None if empty else root
        return None

    def node(self, event: yaml.Event, path: str, flow: bool) -> Node | None:
        """None for an alias: it is reported, and nothing is made of a document with errors."""
        if isinstance(event, yaml.ScalarEvent):
            return self.scalar(event, path, flow)
        if isinstance(event, yaml.SequenceStartEvent):
            return self.sequence(event, path, flow)
        if isinstance(event, yaml.MappingStartEvent):
            return self.mapping(event, path, flow)
        line, column = _line_and_column(event)
        end = column + len((event.anchor or "").encode()) if isinstance(event, yaml.AliasEvent) else column
        place = Place(Range(self.name, self.lines.position(line, column), self.lines.position(line, end)), path)
        self.diagnostics.error(place, "alias nodes are not supported")
        return None

    def scalar(self, event: yaml.ScalarEvent, path: str, flow: bool) -> ScalarNode:
        line, column = self.start(event, flow)
        text = event.value
        tagged = event.tag is not None and event.tag != "!"
        block = event.style == "|" and not tagged
        last = text.rsplit("\n", 1)[-1] if block else text
        label = len(_short_tag(event.tag)) + 1 if tagged and not event.style else 0
        end_line = line + text.count("\n") if block else line
        end = self.lines.position(end_line, column + label + len(last.encode()))
        place = Place(Range(self.name, self.lines.position(line, column), end), path)
        span = Span(*_offsets(event))
        plain = not event.style and not tagged
        return ScalarNode(place, span, flow, text, self.value_of(event, tagged, place), plain)

    def start(self, event: yaml.ScalarEvent, flow: bool) -> tuple[int, int]:
        """Nothing at all, in braces or brackets, stands for ESC where the next thing begins."""
        start, end = _offsets(event)
        if not flow or start != end:
            return _line_and_column(event)
        following = start + len(self.text[start:]) - len(self.text[start:].lstrip())
        return self.text.count("\n", 0, following) + 1, following - self.text.rfind("\n", 0, following)

    def value_of(self, event: yaml.ScalarEvent, tagged: bool, place: Place) -> Scalar:
        if event.style or (tagged and event.tag not in _CORE_TAGS):
            return str(event.value)
        try:
            return resolve(event.value)
        except ValueError as error:
            self.diagnostics.error(place, str(error))
            return str(event.value)

    def sequence(self, event: yaml.SequenceStartEvent, path: str, flow: bool) -> SequenceNode:
        flow = flow or bool(event.flow_style)
        items: list[Node] = []
        index = 0
        while not isinstance(following := next(self.events), yaml.SequenceEndEvent):
            item = self.node(following, f"{path}[{index}]", flow)
            index += 1
            if item is not None:
                items.append(item)
        return SequenceNode(*self.extent(event, following, path, items), flow, tuple(items))

    def mapping(self, event: yaml.MappingStartEvent, path: str, flow: bool) -> MappingNode:
        flow = flow or bool(event.flow_style)
        entries: list[Entry] = []
        while not isinstance(following := next(self.events), yaml.MappingEndEvent):
            key_path = join_key(path, following.value if isinstance(following, yaml.ScalarEvent) else "")
            key = self.node(following, key_path, flow)
            if key is not None and not (isinstance(key, ScalarNode) and isinstance(key.value, str)):
                self.diagnostics.error(key.place, "mapping keys must be strings")
            value = self.node(next(self.events), key_path, flow)
            if isinstance(key, ScalarNode) and value is not None:
                entries.append(Entry(key, value))
        children = [entry.value for entry in entries]
        return MappingNode(*self.extent(event, following, path, children), flow, tuple(entries))

    def extent(self, start: yaml.Event, end: yaml.Event, path: str, children: list[Node]) -> tuple[Place, Span]:
        """A collection ends, for ESC, where its last child ends: a closing bracket does not count."""
        begin = self.lines.position(*_line_and_column(start))
        last = children[-1].range.end if children else begin
        in_flow = bool(getattr(start, "flow_style", False))
        # The end event of a block collection comes after the comments that follow it.
        stop = _offsets(end)[1] if in_flow or not children else children[-1].span.end
        return Place(Range(self.name, begin, last), path), Span(_offsets(start)[0], stop)


def _line_and_column(event: yaml.Event) -> tuple[int, int]:
    return (event.start_mark.line + 1, event.start_mark.column + 1) if event.start_mark else (1, 1)


def _offsets(event: yaml.Event) -> tuple[int, int]:
    return (event.start_mark.index, event.end_mark.index) if event.start_mark and event.end_mark else (0, 0)


def _short_tag(tag: str | None) -> str:
    return (tag or "").replace("tag:yaml.org,2002:", "!!", 1)


class _Lines:
    """Turns a line and a column into a position with its byte offset."""

    def __init__(self, text: str) -> None:
        self.lines = text.split("\n")
        self.offsets = [0]
        for line in self.lines:
            self.offsets.append(self.offsets[-1] + len(line.encode()) + 1)

    def position(self, line: int, column: int) -> Position:
        """ESC knows no byte offset on the last line of a text that does not end in a line break."""
        if line >= len(self.lines):
            return Position(line, column)
        text, offset = self.lines[line - 1], self.offsets[line - 1]
        if text.isascii():
            return Position(line, column, offset + column - 1)
        return Position(line, column, offset + _bytes_before_cell(text, column))


def _bytes_before_cell(text: str, column: int) -> int:
    """Bytes of the characters before display cell ``column``: ESC counts columns of a non-ASCII line in cells."""
    used, cell = 0, 1
    for cluster in clusters(text):
        if cell >= column:
            break
        used += len(cluster.encode())
        cell += cluster_width(cluster)
    return used


def clusters(text: str) -> Iterator[str]:
    """``text`` in what readers see as characters: a base with its combining marks, joiners and variation selectors."""
    current = ""
    for character in text:
        joins = (
            unicodedata.category(character) in ("Mn", "Me")
            or character == _JOINER
            or current.endswith(_JOINER)
            or character in _SKIN_TONES
        )
        if current and not joins:
            yield current
            current = ""
        current += character
    if current:
        yield current


def cluster_width(cluster: str) -> int:
    """How many cells of a terminal it takes."""
    first = cluster[0]
    if unicodedata.category(first) in ("Cc", "Cf", "Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(first) in ("W", "F") or "\ufe0f" in cluster else 1


def text_width(text: str) -> int:
    """How many cells of a terminal ``text`` takes."""
    return sum(map(cluster_width, clusters(text)))
