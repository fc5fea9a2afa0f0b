"""What expressions evaluate to: values that know their definition, what they override, and whether they are secret."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum, auto
from functools import cached_property
from typing import Any

from esc.language.diagnostics import Place, Range, quote
from esc.language.scalars import Number, Scalar, printable
from esc.language.schema import ALWAYS, Schema, constant, merged, record, tuple_of
from esc.language.terms import Accessor, Term

UNKNOWN = "[unknown]"
SECRET = "[secret]"  # noqa: S105 - the placeholder that is shown instead of a secret

Content = Scalar | list["Value"] | dict[str, "Value"]


class State(Enum):
    DECLARED = auto()
    EVALUATING = auto()
    DONE = auto()


@dataclass(eq=False)
class Step:
    """One accessor of a reference, and the value that it was resolved to."""

    accessor: Accessor
    value: Value | None = None


@dataclass(eq=False)
class Expression:
    """A term in one evaluation. ``term`` is None where a mistake left nothing to evaluate.

    ``base`` is the imported value that the expression overrides. Of the rest each kind of term uses its own:
    ``items``, ``properties``, the ``arguments`` of a call, and the ``steps`` of a reference or of the parts of a text.
    ``schemas`` are those of a provider's arguments. ``late`` is set for a property of an unknown value.
    """

    path: str
    term: Term | None
    schema: Schema
    base: Value | None = None
    state: State = State.DECLARED
    secret: bool = False
    value: Value | None = None
    items: list[Expression] = field(default_factory=list)
    properties: dict[str, Expression] = field(default_factory=dict)
    arguments: dict[str, Expression] = field(default_factory=dict)
    steps: list[list[Step]] = field(default_factory=list)
    schemas: dict[str, Schema] = field(default_factory=dict)
    late: tuple[Value, str] | None = None

    @property
    def place(self) -> Place:
        return self.term.place if self.term else Place()

    def range(self, environment: str) -> Range:
        """Where it is defined; nowhere in ``environment`` if nobody wrote it."""
        return self.place.range or Range(environment)


@dataclass(eq=False)
class Value:
    """One value. ``base`` is what it overrides or is merged with; objects show the properties of their base too."""

    definition: Expression
    schema: Schema
    content: Content = None
    base: Value | None = None
    unknown: bool = False
    secret: bool = False
    final: bool = False
    rotate_only: bool = False

    @cached_property
    def keys(self) -> list[str]:
        """The property names of an object, those of its base included; in alphabetical order."""
        if not isinstance(self.content, dict):
            return []
        return sorted({*self.content, *(self.base.keys if self.base else ())})

    def member(self, key: str, seen_from: Place | None = None) -> Value | None:
        """A property of this object or of its base; of an unknown value, a property that is bound later.

        A late-bound property has no place of its own: it is said to be defined at ``seen_from``.
        """
        if isinstance(self.content, dict) and key in self.content:
            return self.content[key]
        below = self.base.member(key, seen_from) if self.base else None
        if isinstance(self.content, dict) or not self.unknown:
            return below if isinstance(self.content, dict) else None
        schema = self.schema.property(key)
        late = Expression("", Term(seen_from or Place()), schema, below, State.DONE, late=(self, key))
        return Value(late, schema, base=below, unknown=True)

    @property
    def members(self) -> Iterator[Value]:
        if isinstance(self.content, list):
            yield from self.content
        for key in self.keys:
            member = self.member(key, self.definition.place)
            if member is not None:
                yield member

    @property
    def may_be_object(self) -> bool:
        if self.unknown:
            return self.schema.always or self.schema.type == "object"
        return isinstance(self.content, dict)

    def contains(self, test: Callable[[Value], bool]) -> bool:
        return test(self) or any(member.contains(test) for member in self.members)

    @property
    def contains_unknowns(self) -> bool:
        return self.contains(lambda value: value.unknown)

    @property
    def contains_secrets(self) -> bool:
        return self.contains(lambda value: value.secret)

    def combine(self, *others: Value) -> None:
        """Marks this value, which was computed from ``others``, unknown or secret if anything in them is."""
        self.unknown = self.unknown or any(other.contains_unknowns for other in others)
        self.secret = self.secret or any(other.contains_secrets for other in others)

    def is_same(self, other: Value) -> bool:
        """Whether both are one value: late-bound properties are made anew at each access."""
        if self is other:
            return True
        mine, theirs = self.definition.late, other.definition.late
        return mine is not None and theirs is not None and mine[1] == theirs[1] and mine[0].is_same(theirs[0])

    def merge(self, base: Value | None) -> None:
        """Lays this value over ``base``: objects are merged property by property, all else replaces."""
        if base is None or self.is_same(base):
            return
        if self.base is None:
            self.base = base
        else:
            self.base.merge(base)
        self.__dict__.pop("keys", None)
        if isinstance(self.content, dict):
            for key, member in self.content.items():
                member.merge(self.base.member(key, member.definition.place))
        self.schema = merged(self.base.schema, self.schema)

    def copy(self, copies: dict[int, Value] | None = None) -> Value:
        """A deep copy that keeps shared parts shared."""
        copies = {} if copies is None else copies
        if id(self) in copies:
            return copies[id(self)]
        twin = Value(self.definition, self.schema, self.content)
        copies[id(self)] = twin
        twin.unknown, twin.secret, twin.final = self.unknown, self.secret, self.final
        twin.base = self.base.copy(copies) if self.base else None
        if isinstance(self.content, list):
            twin.content = [member.copy(copies) for member in self.content]
        elif isinstance(self.content, dict):
            twin.content = {key: member.copy(copies) for key, member in self.content.items()}
        return twin

    def to_text(self) -> tuple[str, bool, bool]:
        """The text that stands for this value in a string, whether it is unknown, and whether it is secret."""
        if self.unknown:
            return UNKNOWN, True, self.secret
        if isinstance(self.content, list):
            texts = [("", *member.to_text()) for member in self.content]
        elif isinstance(self.content, dict):
            texts = [(f"{quote(key)}=", *self.content[key].to_text()) for key in sorted(self.content)]
        else:
            return scalar_text(self.content), False, self.secret
        text = ",".join(f"{label}{quote(one)}" for label, one, _, _ in texts)
        return text, any(one[2] for one in texts), self.secret or any(one[3] for one in texts)

    def plain(self, *, redact: bool = False) -> Any:
        """The value as plain data, with placeholders for what is unknown and, if asked, for secrets."""
        if self.secret and redact:
            return SECRET
        if self.unknown:
            return UNKNOWN
        if isinstance(self.content, list):
            return [member.plain(redact=redact) for member in self.content]
        if isinstance(self.content, dict):
            return {key: member.plain(redact=redact) for key in self.keys if (member := self.member(key))}
        return printable(self.content) if isinstance(self.content, str) else self.content

    def marked(self) -> Any:
        """The value as plain data in which secrets are wrapped in ``Secret``."""
        data: Any = self.content
        if self.unknown:
            data = UNKNOWN
        elif isinstance(self.content, list):
            data = [member.marked() for member in self.content]
        elif isinstance(self.content, dict):
            data = {key: member.marked() for key in self.keys if (member := self.member(key))}
        return Secret(data) if self.secret else data

    def members_marked(self) -> dict[str, Any]:
        """The properties of an object as ``marked`` gives them."""
        return {key: member.marked() for key in self.keys if (member := self.member(key))}


def scalar_text(value: Scalar) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


@dataclass(frozen=True)
class Secret:
    """Marks plain data that a provider returns as secret, with everything in it."""

    value: Any


def reveal(data: Any) -> Any:
    """Plain data without the marks of its secrets."""
    if isinstance(data, Secret):
        return reveal(data.value)
    if isinstance(data, list):
        return [reveal(one) for one in data]
    if isinstance(data, dict):
        return {key: reveal(one) for key, one in data.items()}
    return data


def from_plain(data: Any, definition: Expression, *, secret: bool = False) -> Value:
    """A value of plain data; all of it is defined by ``definition``."""
    if isinstance(data, Secret):
        return from_plain(data.value, definition, secret=True)
    secret = secret or definition.secret
    if isinstance(data, list):
        items = [from_plain(one, definition, secret=secret) for one in data]
        return Value(definition, tuple_of([one.schema for one in items]), items, secret=secret)
    if isinstance(data, dict):
        members = {key: from_plain(one, definition, secret=secret) for key, one in data.items()}
        schema = record({key: one.schema for key, one in members.items()})
        return Value(definition, schema, members, secret=secret)
    scalar: bool | Number | str | None = data
    return Value(definition, constant(scalar), scalar, secret=secret)


def unknown_value(definition: Expression, schema: Schema = ALWAYS) -> Value:
    return Value(definition, schema, unknown=True)


def missing(path: str = "", base: Value | None = None) -> Expression:
    """An expression for what a mistake left out."""
    return Expression(path, None, ALWAYS, base)
