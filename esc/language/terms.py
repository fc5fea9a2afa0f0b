"""What a definition says, before anything is evaluated: terms, and the environment that they make up."""

from __future__ import annotations

from dataclasses import dataclass

from esc.language.diagnostics import Place, Range
from esc.language.scalars import Scalar


@dataclass(frozen=True)
class Term:
    """One expression of the language, and where it stands; a term that nobody wrote has an empty place."""

    place: Place


@dataclass(frozen=True)
class Literal(Term):
    value: Scalar


@dataclass(frozen=True)
class Accessor:
    """One step of a reference: a property's name (a string) or an element's index (an integer).

    ``range`` is known for accessors in plain scalars on one line only.
    """

    key: str | int
    range: Range | None = None


Access = tuple[Accessor, ...]


@dataclass(frozen=True)
class Part:
    """Text, and the access whose value follows it."""

    text: str
    access: Access | None = None


@dataclass(frozen=True)
class Interpolation(Term):
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Reference(Term):
    """A string that is one access and nothing else; it has the type of its target."""

    access: Access


@dataclass(frozen=True)
class ListTerm(Term):
    items: tuple[Term, ...]


@dataclass(frozen=True)
class Property:
    key: str
    place: Place
    value: Term


@dataclass(frozen=True)
class ObjectTerm(Term):
    properties: tuple[Property, ...]

    def get(self, key: str) -> Term | None:
        """The value of the last property of that name."""
        return next((one.value for one in reversed(self.properties) if one.key == key), None)


@dataclass(frozen=True)
class Call(Term):
    """A builtin. ``arguments`` are named as the builtin needs them; one that is missing is None."""

    name: str
    name_place: Place
    argument: Term
    arguments: dict[str, Term | None]
    provider: str | None = None

    @property
    def function(self) -> str:
        """The builtin's name, also of a short form: ``fn::open`` of ``fn::open::NAME``."""
        return "::".join(self.name.split("::")[:2])

    @property
    def short(self) -> bool:
        return self.name != self.function


@dataclass(frozen=True)
class Import:
    """``name`` is None where the entry could not be understood."""

    name: str | None
    place: Place
    merge: bool = True


@dataclass(frozen=True)
class Declaration:
    """An environment's definition."""

    imports: tuple[Import, ...] = ()
    values: tuple[Property, ...] = ()
    description: str | None = None

    @property
    def empty(self) -> bool:
        return not self.imports and not self.values
