"""The evaluation of a definition: imports, merging, and each expression once, when it is first needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

from esc.language.builtins import SCHEMAS, call
from esc.language.diagnostics import Diagnostics, Place, join_key, quote
from esc.language.parse import load
from esc.language.providers import Decrypter, Loader, LoadError, Patch, Provider, Rotator
from esc.language.resolve import resolve
from esc.language.schema import ALWAYS, ARRAY, OBJECT, STRING, Schema, constant, merged, record, tuple_of
from esc.language.terms import Call, Declaration, Interpolation, ListTerm, Literal, ObjectTerm, Reference, Term
from esc.language.validate import fits
from esc.language.values import (
    UNKNOWN,
    Expression,
    State,
    Step,
    Value,
    from_plain,
    missing,
    unknown_value,
)

ANONYMOUS = "<yaml>"
"""The name of a definition that is not stored anywhere."""

_RESERVED = ("imports", "context", "environments")


class Mode(Enum):
    """CHECK opens no provider and leaves stored secrets unknown; ROTATE first asks rotators for a new state."""

    CHECK = auto()
    OPEN = auto()
    ROTATE = auto()


@dataclass(eq=False)
class Run:
    """What all environments of one evaluation share. ``rotate_paths`` limits a rotation; empty means all."""

    mode: Mode
    load: Loader
    show_secrets: bool = False
    providers: Mapping[str, Provider] = field(default_factory=dict)
    rotators: Mapping[str, Rotator] = field(default_factory=dict)
    rotate_paths: frozenset[str] = frozenset()
    diagnostics: Diagnostics = field(default_factory=Diagnostics)
    patches: list[Patch] = field(default_factory=list)
    imported: dict[str, Value | None] = field(default_factory=dict)
    """By name as written; None while it is being evaluated."""

    @property
    def decrypts(self) -> bool:
        return self.show_secrets or not self.checking

    @property
    def checking(self) -> bool:
        return self.mode is Mode.CHECK

    @property
    def rotating(self) -> bool:
        return self.mode is Mode.ROTATE

    def rotates(self, path: str) -> bool:
        """Whether a rotation concerns the call at ``path``."""
        return not self.rotate_paths or path in self.rotate_paths


class Scope:
    """One environment under evaluation: the names that its expressions see."""

    def __init__(
        self, run: Run, name: str, source: Declaration, decrypt: Decrypter | None, parent: Scope | None
    ) -> None:
        self.run = run
        self.name = name
        self.declaration = source
        self.decrypt = decrypt
        self.is_root = parent is None
        # Below an anonymous root each environment that it imports counts as a root of its own.
        inherited = parent.root_name if parent else ANONYMOUS
        self.root_name: str = name if inherited == ANONYMOUS else inherited
        self.facts: Mapping[str, Any] = parent.facts if parent else {}
        self.base: Value | None = None
        self.context: Value
        self.imports: Value
        self.root: Expression

    @property
    def diagnostics(self) -> Diagnostics:
        return self.run.diagnostics

    def evaluate(self) -> Value:
        """The environment's value, with everything that it imports merged below it."""
        self.run.imported[self.name] = None
        self.context = self.evaluate_context()
        self.imports = self.evaluate_imports()
        self.root = Expression(f"<{self.name}>", ObjectTerm(Place(), ()), OBJECT, self.base)
        for entry in self.declaration.values:
            if entry.key in _RESERVED:
                self.diagnostics.error(entry.place, f"{quote(entry.key)} is a reserved key")
            elif entry.key in self.root.properties:
                self.diagnostics.error(entry.place, f"duplicate key {quote(entry.key)}")
            else:
                base = self.base.member(entry.key, entry.place) if self.base else None
                self.root.properties[entry.key] = self.declare(entry.key, entry.value, base)
        value = self.value_of(self.root)
        self.run.imported[self.name] = value
        return value

    def evaluate_context(self) -> Value:
        names = {"currentEnvironment": {"name": self.name}, "rootEnvironment": {"name": self.root_name}}
        return from_plain({**self.facts, **names}, Expression("", Term(Place()), ALWAYS, state=State.DONE))

    def evaluate_imports(self) -> Value:
        found: dict[str, Value] = {}
        for entry in self.declaration.imports:
            if entry.name is None:
                continue
            value = self.import_environment(entry.name, entry.place)
            if value is None:
                continue
            found[entry.name] = value
            if entry.merge:
                top = value.copy()
                top.merge(self.base)
                self.base = top
        schema = record({name: value.schema for name, value in found.items()})
        return Value(Expression("", Term(Place()), schema, state=State.DONE), schema, dict(found))

    def import_environment(self, name: str, place: Place) -> Value | None:
        """The value of another environment, evaluated once in a run; None if it cannot be had, which is reported."""
        if name in self.run.imported:
            value = self.run.imported[name]
            if value is None:
                self.diagnostics.error(place, f"cyclic import of {name}")
            return value
        try:
            source = self.run.load(name)
        except LoadError as error:
            self.diagnostics.error(place, str(error))
            return None
        declaration, found = load(name, source.text)
        self.diagnostics.extend(found.found)
        if declaration is None or found.failed:
            return None
        return Scope(self.run, name, declaration, source.decrypt, self).evaluate()

    def declare(self, path: str, term: Term | None, base: Value | None = None) -> Expression:
        """The expression for a term, and for the terms inside it."""
        match term:
            case Literal():
                return Expression(path, term, constant(term.value), base)
            case Interpolation():
                steps = [[Step(one) for one in part.access or ()] for part in term.parts]
                return Expression(path, term, STRING, base, steps=steps)
            case Reference():
                return Expression(path, term, ALWAYS, base, steps=[[Step(one) for one in term.access]])
            case ListTerm():
                items = [self.declare(f"{path}[{index}]", item) for index, item in enumerate(term.items)]
                return Expression(path, term, ARRAY, base, items=items)
            case ObjectTerm():
                return Expression(path, term, OBJECT, base, properties=self.declare_properties(path, term, base))
            case Call():
                arguments = {name: self.declare("", one) for name, one in term.arguments.items()}
                for name in ("plaintext", "ciphertext"):
                    if name in arguments:
                        arguments[name].secret = True
                return Expression(path, term, SCHEMAS[term.function], base, arguments=arguments)
        return missing(path, base)

    def declare_properties(self, path: str, term: ObjectTerm, base: Value | None) -> dict[str, Expression]:
        properties: dict[str, Expression] = {}
        for entry in term.properties:
            if entry.key in properties:
                self.diagnostics.error(entry.place, f"duplicate key {quote(entry.key)}")
                continue
            overridden = base.member(entry.key, entry.place) if base else None
            properties[entry.key] = self.declare(join_key(path, entry.key), entry.value, overridden)
        return properties

    def value_of(self, expression: Expression, accept: Schema = ALWAYS) -> Value:
        """The expression's value, merged with what it overrides; computed at most once.

        ``accept`` is the schema of what the value is for; it decides only whether a rotation alone reads it.
        """
        if expression.state is State.DONE and expression.value is not None:
            return expression.value
        if expression.state is State.EVALUATING:
            self.diagnostics.error(expression.place, f"cyclic reference to {expression.path}")
            return unknown_value(expression)
        expression.state = State.EVALUATING
        expression.value = self.compute(expression, accept)
        expression.state = State.DONE
        return expression.value

    def compute(self, expression: Expression, accept: Schema) -> Value:
        if accept.rotating and (self.run.mode is Mode.OPEN or not self.is_root):
            skipped = unknown_value(missing(expression.path, expression.base))
            skipped.rotate_only = True
            return skipped
        if expression.base is not None and expression.base.final:
            self.diagnostics.warn(expression.place, "cannot override final value")
            expression.schema = expression.base.schema
            return expression.base
        value = self.evaluate_term(expression, accept)
        value.rotate_only = value.rotate_only or accept.rotating
        value.secret = value.secret or expression.secret
        value.merge(expression.base)
        expression.schema = value.schema
        return value

    def evaluate_term(self, expression: Expression, accept: Schema) -> Value:
        match expression.term:
            case Literal(value=content):
                return Value(expression, expression.schema, content)
            case Interpolation(parts=parts):
                return self.interpolate(expression, [part.text for part in parts])
            case Reference():
                return self.refer(expression, expression.steps[0], accept)
            case ListTerm():
                items = [self.value_of(item, accept.item(index)) for index, item in enumerate(expression.items)]
                return Value(expression, tuple_of([item.schema for item in items]), items)
            case ObjectTerm():
                # In alphabetical order, so that a cycle is always reported at the same place.
                names = sorted(expression.properties)
                members = {name: self.value_of(expression.properties[name], accept.property(name)) for name in names}
                return Value(expression, record({name: one.schema for name, one in members.items()}), members)
            case Call():
                return call(self, expression, expression.term)
        return unknown_value(expression, expression.schema)

    def typed(self, expression: Expression, accept: Schema) -> tuple[Value, bool]:
        """The value of an argument, and whether it is of the type wanted."""
        value = self.value_of(expression, accept)
        return value, fits(value, accept, self.diagnostics)

    def interpolate(self, expression: Expression, texts: Sequence[str]) -> Value:
        value = Value(expression, expression.schema)
        text = ""
        for literal, steps in zip(texts, expression.steps, strict=True):
            text += literal
            if steps:
                found, unknown, secret = self.refer(expression, steps, ALWAYS).to_text()
                value.unknown, value.secret = value.unknown or unknown, value.secret or secret
                text += found
        value.content = UNKNOWN if value.unknown else text
        return value

    def refer(self, expression: Expression, steps: list[Step], accept: Schema) -> Value:
        """A copy of what an access finds, as merging it with what ``expression`` overrides must not touch that."""
        value = resolve(self, expression, steps, accept).copy()
        value.definition = expression
        return value


def evaluate(
    run: Run, name: str, declaration: Declaration, decrypt: Decrypter | None, facts: Mapping[str, Any]
) -> tuple[Scope, Value]:
    """Evaluates a root environment. ``facts`` are the members of ``context`` besides the environments' names."""
    scope = Scope(run, name, declaration, decrypt, None)
    scope.facts = facts
    return scope, scope.evaluate()


def environment_schema(value: Value) -> Schema:
    return merged(value.base.schema, value.schema) if value.base else value.schema
