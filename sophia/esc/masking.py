"""Definitions as they may be shown: without the arguments of ``fn::secret``, and without what looks like a secret.

Nobody but Pulumi Cloud can say whether two encrypted secrets are the same, so that a difference between them is not shown.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from esc.language import Diagnostics
from esc.language.document import MappingNode, Node, ScalarNode, SequenceNode, read
from sophia.esc import leaks
from sophia.redact import HIDDEN, redact

_SECRET = "fn::secret"  # noqa: S105 - the name of a function


def mask(text: str) -> str:
    """The definition with ``[secret]`` for every secret. What is no YAML is not shown at all."""
    diagnostics = Diagnostics()
    root = read("", text, diagnostics) if text.strip() else None
    if diagnostics.failed:
        return f"{HIDDEN} (it is no valid YAML, so that nobody knows what in it is secret)\n"
    for node in sorted(_hidden(root, ""), key=lambda one: one.span.start, reverse=True):
        tail = "\n" if text[node.span.start : node.span.end].endswith("\n") else ""
        text = f"{text[: node.span.start]}{HIDDEN}{tail}{text[node.span.end :]}"
    lines = [f"{HIDDEN}" if leaks.shape(line) else line for line in text.splitlines()]
    return redact("\n".join(lines) + ("\n" if text.endswith("\n") else ""), os.environ)


def _hidden(node: Node | None, name: str) -> Iterator[Node]:
    """The outermost nodes that must not be seen."""
    if isinstance(node, SequenceNode):
        for item in node.items:
            yield from _hidden(item, name)
    elif isinstance(node, MappingNode):
        for entry in node.entries:
            if entry.name.casefold() == _SECRET:
                yield entry.value
            else:
                inner = name if entry.name.startswith("fn::") else entry.name
                yield from _hidden(entry.value, inner)
    elif isinstance(node, ScalarNode) and (
        leaks.shape(node.text) or leaks.promises_secret(name, node.text) or leaks.looks_drawn(name, node.text)
    ):
        yield node
