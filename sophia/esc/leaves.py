"""Every single text and number that the checks look at: as it is written, and as the definitions work it out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from esc.language import Diagnostics, Number
from esc.language.diagnostics import join_key
from esc.language.document import MappingNode, Node, ScalarNode, SequenceNode, read
from esc.language.terms import Literal
from esc.language.values import Value
from sophia.esc.evaluation import Evaluated, StackFile
from sophia.esc.files import Definition
from sophia.esc.findings import Spot
from sophia.esc.places import render


@dataclass(frozen=True)
class Leaf:
    """``name`` is the key that says what it is: for an element of a list, that of the list."""

    name: str
    text: str
    spot: Spot
    path: str
    string: bool
    secret: bool = False
    derived: bool = False
    """It does not stand there in so many words."""


def written(definition: Definition) -> Iterator[Leaf]:
    """What stands in an environment; nothing if it is no YAML."""
    for node, path, name in nodes(definition):
        if isinstance(node, ScalarNode):
            spot = Spot(definition.shown, node.range.begin.line, path)
            yield Leaf(name, node.text, spot, path, isinstance(node.value, str))


def nodes(definition: Definition) -> Iterator[tuple[Node, str, str]]:
    """Every node of an environment's text, with its path and the key that it stands under."""
    root = read(definition.name, definition.text, Diagnostics()) if definition.text else None
    return _nodes(root, "", "")


def configured(stack: StackFile) -> Iterator[Leaf]:
    """What stands in a stack file."""
    for entry in stack.document.entries:
        if entry.text is not None:
            path = render(entry.path)
            yield Leaf(entry.name, entry.text, Spot(stack.shown, entry.line, path), path, entry.string)


def worked_out(evaluated: Evaluated) -> Iterator[Leaf]:
    """What comes of the definitions, as far as git alone tells: known values that are defined in git."""
    for evaluation, stack in evaluated.pairs():
        if evaluation.environment is not None:
            for value, path, name in _values(evaluation.environment.value, "", ""):
                spot = evaluated.spot_of(value, f"values.{path}", stack)
                if spot is not None:
                    string, derived = isinstance(value.content, str), not isinstance(value.definition.term, Literal)
                    yield Leaf(name, str(value.content), spot, path, string, value.secret, derived)


def _nodes(node: Node | None, path: str, name: str) -> Iterator[tuple[Node, str, str]]:
    if node is None:
        return
    yield node, path, name
    if isinstance(node, SequenceNode):
        for index, item in enumerate(node.items):
            yield from _nodes(item, f"{path}[{index}]", name)
    elif isinstance(node, MappingNode):
        for entry in node.entries:
            inner = name if entry.name.startswith("fn::") else entry.name
            yield from _nodes(entry.value, join_key(path, entry.name), inner)


def _values(value: Value, path: str, name: str) -> Iterator[tuple[Value, str, str]]:
    if value.unknown:
        return
    if isinstance(value.content, dict):
        for key in value.keys:
            member = value.member(key)
            if member is not None:
                yield from _values(member, join_key(path, key), key)
    elif isinstance(value.content, list):
        for index, item in enumerate(value.content):
            yield from _values(item, f"{path}[{index}]", name)
    elif isinstance(value.content, str | Number):
        yield value, path, name
