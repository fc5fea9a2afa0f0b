"""The text of a string: ``$$``, and accesses such as ``${a.b["c"][0]}``."""

from __future__ import annotations

import re

from esc.language.diagnostics import Diagnostics, Place, Position, Range
from esc.language.document import ScalarNode, text_width
from esc.language.terms import Access, Accessor, Part

_INDEX = re.compile(r"[-+]?[0-9]{1,18}")
_UNCLOSED = "missing closing brace '}' in interpolation"
_UNCLOSED_SUBSCRIPT = "subscript is missing closing bracket ']'"


def parse_text(node: ScalarNode, diagnostics: Diagnostics) -> tuple[Part, ...]:
    """The parts of a string scalar; mistakes are reported, and reading goes on after them."""
    return _Parser(node, diagnostics).parts()


class _Parser:
    """``at`` is an index into the text in characters; ranges convert it to bytes and cells."""

    def __init__(self, node: ScalarNode, diagnostics: Diagnostics) -> None:
        self.node = node
        self.diagnostics = diagnostics
        self.text = node.text
        self.at = 0

    def parts(self) -> tuple[Part, ...]:
        parts: list[Part] = []
        text = ""
        while self.at < len(self.text):
            if self.text.startswith("$$", self.at):
                text, self.at = text + "$", self.at + 2
            elif self.text.startswith("${", self.at):
                self.at += 2
                parts.append(Part(text, self.access()))
                text = ""
            else:
                text, self.at = text + self.text[self.at], self.at + 1
        if text:
            parts.append(Part(text))
        return tuple(parts)

    def access(self) -> Access:
        """Everything up to the closing brace; without any accessor it is the property named ""."""
        accessors: list[Accessor] = []
        end = self.at
        while True:
            start = end = self.at
            following = self.peek()
            if following == "}":
                self.at += 1
                break
            if not following or _is_space(following):
                self.error(start, _UNCLOSED)
                break
            if following == "[":
                accessors.append(self.subscript(first=not accessors))
                continue
            if following == ".":
                self.at += 1
            accessors.append(self.name(start))
        return tuple(accessors) or (Accessor("", self.range(end)),)

    def name(self, start: int) -> Accessor:
        begin = self.at
        while (following := self.peek()) and not _ends_name(following):
            self.at += 1
        if self.at == begin:
            self.error(start, "property name must not be empty")
        return Accessor(self.text[begin : self.at], self.range(start))

    def subscript(self, *, first: bool) -> Accessor:
        start = self.at
        self.at += 1
        if not self.peek():
            self.error(start, _UNCLOSED_SUBSCRIPT)
            return Accessor("", self.range(start))
        key: str | int
        if self.peek() == '"':
            self.at += 1
            key = self.quoted(start)
        else:
            key = self.index(start, first=first)
        if self.peek() == "]":
            self.at += 1
        else:
            self.error(start, _UNCLOSED_SUBSCRIPT)
        return Accessor(key, self.range(start))

    def quoted(self, start: int) -> str:
        key = ""
        while following := self.peek():
            if self.text.startswith('\\"', self.at):
                self.at += 1
            elif following == '"':
                self.at += 1
                if not key:
                    self.error(start + 1, "key subscript must not be empty")
                return key
            key += self.text[self.at]
            self.at += 1
        self.error(start + 1, "key subscript is missing closing quote '\"'")
        return key

    def index(self, start: int, *, first: bool) -> str | int:
        begin = self.at
        while (following := self.peek()) and following != "]" and not _ends_name(following):
            self.at += 1
        digits = self.text[begin : self.at]
        if not _INDEX.fullmatch(digits):
            self.error(start + 1, "numeric subscript must be a positive base-10 integer")
            return digits
        if first:
            self.error(start, "the first accessor must be a property name or key subscript, not a numeric subscript")
        return int(digits)

    def peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def error(self, start: int, summary: str) -> None:
        self.diagnostics.error(Place(self.range(start) or self.node.place.range, self.node.place.path), summary)

    def range(self, start: int) -> Range | None:
        """From ``start`` to here; None where the text of the scalar is not the text of the file."""
        if not self.node.plain:
            return None
        return Range(self.node.range.environment, self.position(start), self.position(self.at))

    def position(self, index: int) -> Position:
        begin, before = self.node.range.begin, self.text[:index]
        return Position(begin.line, begin.column + text_width(before), begin.byte + len(before.encode()))


def _is_space(character: str) -> bool:
    return character in "\t\n\v\f\r "


def _ends_name(character: str) -> bool:
    return character in ".[}" or _is_space(character)
