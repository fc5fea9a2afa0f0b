"""From the tree of a document to an environment: its imports and values, and the expressions in them."""

from __future__ import annotations

from collections.abc import Callable

from esc.language.access import parse_text
from esc.language.diagnostics import Diagnostics, Place, edit_distance, quote
from esc.language.document import Entry, MappingNode, Node, ScalarNode, SequenceNode, read
from esc.language.terms import (
    Call,
    Declaration,
    Import,
    Interpolation,
    ListTerm,
    Literal,
    ObjectTerm,
    Property,
    Reference,
    Term,
)

_FIELDS = ("description", "imports", "values")
_UNARY = frozenset(
    f"fn::{name}" for name in ("concat", "final", "fromBase64", "fromJSON", "toBase64", "toJSON", "toString", "toYAML")
)


def load(name: str, text: str) -> tuple[Declaration | None, Diagnostics]:
    """The definition of environment ``name``; None if its YAML cannot be used at all.

    With other mistakes what could be understood is returned: ask the diagnostics whether it may be evaluated.
    """
    diagnostics = Diagnostics()
    if not text:
        return Declaration(), diagnostics
    root = read(name, text, diagnostics)
    if diagnostics.failed:
        return None, diagnostics
    return _Parser(diagnostics).environment(root), diagnostics


class _Parser:
    def __init__(self, diagnostics: Diagnostics) -> None:
        self.diagnostics = diagnostics

    def environment(self, root: Node | None) -> Declaration:
        if not isinstance(root, MappingNode):
            self.diagnostics.error(root.place if root else Place(), "environment must be an object")
            return Declaration()
        imports: tuple[Import, ...] = ()
        values: tuple[Property, ...] = ()
        description: str | None = None
        for entry in self.fields(root):
            match entry.name.casefold():
                case "imports":
                    imports = self.imports(entry.value)
                case "values":
                    values = self.values(entry.value)
                case "description":
                    description = self.description(entry.value)
                case _:
                    self.unknown_field(entry)
        return Declaration(imports, values, description)

    def fields(self, mapping: MappingNode) -> tuple[Entry, ...]:
        """The entries of a record; a repeated one is read again, so that the last wins."""
        seen: set[str] = set()
        for entry in mapping.entries:
            if entry.name in seen:
                self.diagnostics.warn(entry.key.place, f"duplicate key {quote(entry.name)}")
            seen.add(entry.name)
        return mapping.entries

    def unknown_field(self, entry: Entry) -> None:
        names = sorted((f"'{field}'" for field in _FIELDS), key=lambda field: edit_distance(entry.name, field))
        self.diagnostics.warn(
            entry.key.place,
            f"Field '{entry.name}' does not exist on Object 'environment'. Existing fields are: {', '.join(names)}",
        )

    def description(self, node: Node) -> str | None:
        term = self.expression(node)
        if isinstance(term, Literal) and isinstance(term.value, str):
            return term.value
        self.diagnostics.error(node.place, "description must be a string")
        return None

    def imports(self, node: Node) -> tuple[Import, ...]:
        if not isinstance(node, SequenceNode):
            self.diagnostics.error(node.place, "imports must be a list")
            return ()
        return tuple(self.import_entry(item) for item in node.items)

    def import_entry(self, node: Node) -> Import:
        match node:
            case ScalarNode(value=str(name)):
                return Import(name, node.place)
            case MappingNode(entries=(entry,)):
                return Import(entry.name, entry.key.place, self.merge(entry.value))
            case MappingNode():
                self.diagnostics.error(node.place, "import must have a single key")
            case _:
                self.diagnostics.error(node.place, "import must be a string or an object")
        return Import(None, node.place)

    def merge(self, node: Node) -> bool:
        if not isinstance(node, MappingNode):
            self.diagnostics.error(node.place, "import must be an object")
            return True
        merge = True
        for entry in self.fields(node):
            if entry.name.casefold() != "merge":
                continue
            if isinstance(entry.value, ScalarNode) and isinstance(entry.value.value, bool):
                merge = entry.value.value
            else:
                self.expression(entry.value)
                self.diagnostics.error(entry.value.place, "merge must be a boolean value")
                merge = False
        return merge

    def values(self, node: Node) -> tuple[Property, ...]:
        """The keys directly under ``values`` are taken as they are."""
        if not isinstance(node, MappingNode):
            self.diagnostics.error(node.place, "values must be an object")
            return ()
        for entry in node.entries:
            if entry.name.startswith("fn::"):
                message = f"builtin function call {quote(entry.name)} not allowed at the top level"
                self.diagnostics.error(entry.key.place, message)
        return tuple(Property(one.name, one.key.place, self.expression(one.value)) for one in node.entries)

    def expression(self, node: Node) -> Term:
        match node:
            case SequenceNode():
                return ListTerm(node.place, tuple(self.expression(item) for item in node.items))
            case MappingNode():
                return self.call(node) or self.object(node)
            case ScalarNode(value=str()):
                return self.string(node)
            case ScalarNode():
                return Literal(node.place, node.value)
        raise AssertionError(f"a document has no nodes of type {type(node).__name__}")

    def string(self, node: ScalarNode) -> Term:
        parts = parse_text(node, self.diagnostics)
        if not parts:
            return Literal(node.place, "")
        first = parts[0]
        if len(parts) == 1 and first.access is None:
            return Literal(node.place, first.text)
        if len(parts) == 1 and first.access is not None and not first.text:
            return Reference(node.place, first.access)
        return Interpolation(node.place, parts)

    def object(self, node: MappingNode) -> ObjectTerm:
        properties = []
        for entry in node.entries:
            key = self.string(entry.key)
            value = self.expression(entry.value)
            if isinstance(key, Literal):
                properties.append(Property(str(key.value), entry.key.place, value))
            else:
                self.diagnostics.error(entry.key.place, "object keys must be strings")
        return ObjectTerm(node.place, tuple(properties))

    def call(self, node: MappingNode) -> Call | None:
        """None if the mapping is no call of a builtin."""
        if len(node.entries) != 1:
            for entry in node.entries:
                if entry.name.startswith("fn::"):
                    self.diagnostics.error(
                        node.place,
                        f"illegal call to builtin function: {quote(entry.name)} must be the only key "
                        "within its containing object",
                    )
            return None
        (entry,) = node.entries
        name, _, short = entry.name.removeprefix("fn::").partition("::")
        parse = self.parser_of(entry.name, name, short)
        if parse is not None:
            return parse(node, entry, self.expression(entry.value))
        if entry.name.lower().startswith("fn::"):
            self.diagnostics.error(Place(entry.key.place.range, node.place.path), "'fn::' is a reserved prefix")
        return None

    def parser_of(self, key: str, name: str, short: str) -> Callable[[MappingNode, Entry, Term], Call] | None:
        if not key.startswith("fn::"):
            return None
        if key in _UNARY:
            return self.unary
        if key.startswith(("fn::open::", "fn::rotate::")):
            return lambda node, entry, argument: self.short(node, entry, argument, name, short)
        return {
            "fn::join": self.pair,
            "fn::split": self.pair,
            "fn::open": self.open,
            "fn::rotate": self.rotate,
            "fn::secret": self.secret,
            "fn::validate": self.validate,
        }.get(key)

    def make(
        self, node: Node, entry: Entry, argument: Term, provider: str | None = None, **arguments: Term | None
    ) -> Call:
        return Call(node.place, entry.name, entry.key.place, argument, arguments, provider)

    def unary(self, node: Node, entry: Entry, argument: Term) -> Call:
        if entry.name == "fn::concat" and not isinstance(argument, ListTerm):
            self.diagnostics.error(argument.place, "the argument to fn::concat must be an array of arrays")
        return self.make(node, entry, argument, value=argument)

    def pair(self, node: Node, entry: Entry, argument: Term) -> Call:
        if isinstance(argument, ListTerm) and len(argument.items) == 2:
            delimiter, value = argument.items
            return self.make(node, entry, argument, delimiter=delimiter, value=value)
        self.diagnostics.error(argument.place, f"the argument to {entry.name} must be a two-valued list")
        return self.make(node, entry, argument, delimiter=None, value=None)

    def secret(self, node: Node, entry: Entry, argument: Term) -> Call:
        if isinstance(argument, ObjectTerm) and len(argument.properties) == 1:
            ciphertext = argument.get("ciphertext")
            if isinstance(ciphertext, Literal) and isinstance(ciphertext.value, str):
                return self.make(node, entry, argument, ciphertext=ciphertext)
        if isinstance(argument, Literal) and isinstance(argument.value, str):
            return self.make(node, entry, argument, plaintext=argument)
        self.diagnostics.error(argument.place, "secret values must be string literals")
        return self.make(node, entry, argument, plaintext=Literal(Place(), ""))

    def validate(self, node: Node, entry: Entry, argument: Term) -> Call:
        if not isinstance(argument, ObjectTerm):
            message = "the argument to fn::validate must be an object containing 'schema' and 'value'"
            self.diagnostics.error(argument.place, message)
            return self.make(node, entry, argument, schema=None, value=None)
        schema, value = argument.get("schema"), argument.get("value")
        for name, given in (("schema", schema), ("value", value)):
            if given is None:
                self.diagnostics.error(argument.place, f"missing required property '{name}'")
        return self.make(node, entry, argument, schema=schema, value=value)

    def open(self, node: Node, entry: Entry, argument: Term) -> Call:
        if not isinstance(argument, ObjectTerm):
            message = "the argument to fn::open must be an object containing 'provider' and 'inputs'"
            self.diagnostics.error(argument.place, message)
            return self.make(node, entry, argument, provider_name=None, inputs=None)
        provider = self.provider(argument)
        inputs = self.inputs(argument)
        name = str(provider.value) if provider else None
        return self.make(node, entry, argument, name, provider_name=provider, inputs=inputs)

    def rotate(self, node: Node, entry: Entry, argument: Term) -> Call:
        if not isinstance(argument, ObjectTerm):
            message = "the argument to fn::rotate must be an object containing 'provider', 'inputs' and 'state'"
            self.diagnostics.error(argument.place, message)
            return self.make(node, entry, argument, provider_name=None, inputs=None, state=None)
        provider = self.provider(argument)
        inputs, state = self.inputs(argument), self.state(argument)
        name = str(provider.value) if provider else None
        return self.make(node, entry, argument, name, provider_name=provider, inputs=inputs, state=state)

    def short(self, node: Node, entry: Entry, argument: Term, name: str, provider: str) -> Call:
        """``fn::open::NAME: inputs`` and ``fn::rotate::NAME: {inputs, state}``."""
        written = Literal(entry.key.place, provider)
        if name == "open":
            return self.make(node, entry, argument, provider, provider_name=written, inputs=argument)
        if not isinstance(argument, ObjectTerm):
            message = "the argument to fn::rotate must be an object containing 'inputs' and 'state'"
            self.diagnostics.error(argument.place, message)
            return self.make(node, entry, argument, provider_name=None, inputs=None, state=None)
        inputs, state = self.inputs(argument), self.state(argument)
        return self.make(node, entry, argument, provider, provider_name=written, inputs=inputs, state=state)

    def provider(self, argument: ObjectTerm) -> Literal | None:
        term = argument.get("provider")
        if isinstance(term, Literal) and isinstance(term.value, str):
            return term
        if term is None:
            self.diagnostics.error(argument.place, "missing provider name ('provider')")
        else:
            self.diagnostics.error(term.place, "provider name must be a string literal")
        return None

    def inputs(self, argument: ObjectTerm) -> Term | None:
        inputs = argument.get("inputs")
        if inputs is None:
            self.diagnostics.error(argument.place, "missing provider inputs ('inputs')")
        return inputs

    def state(self, argument: ObjectTerm) -> Term:
        """A rotator that never ran has no state: null."""
        state = argument.get("state")
        if state is None:
            return Literal(Place(), None)
        if not isinstance(state, ObjectTerm):
            self.diagnostics.error(state.place, "rotation state must be an object literal")
        return state
