"""Secrets in the text of a definition: encrypted before it is stored, decrypted for who may see them.

Only the arguments of ``fn::secret`` are rewritten, in place: comments and layout stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import yaml

from esc.language.diagnostics import Diagnostics
from esc.language.document import Entry, MappingNode, Node, ScalarNode, SequenceNode, read, resolve
from esc.language.envelope import EnvelopeError, unwrap, wrap
from esc.language.providers import Decrypter

Encrypter = Callable[[bytes], bytes]

_SECRET = "fn::secret"  # noqa: S105 - the name of a builtin
_SAME_LINE = re.compile(r"[ \t]*:[ \t]*")
_NEXT_LINE = re.compile(r"[ \t]*:\s*")
_SAFE_PLAIN = re.compile(r"[A-Za-z0-9_./][A-Za-z0-9_./+=@-]*")


class DefinitionError(ValueError):
    """A definition whose secrets cannot be rewritten; the text says why."""


@dataclass(frozen=True)
class _Edit:
    start: int
    end: int
    text: str


def encrypt_definition(name: str, text: str, encrypt: Encrypter) -> str:
    """``text`` with every plaintext argument of ``fn::secret`` encrypted; stored ciphertexts stay.

    Malformed secrets are left alone: checking the definition reports them. Raises DefinitionError for broken YAML.
    """
    edits = []
    for entry, column in _secrets(_root(name, text)):
        argument = entry.value
        if isinstance(argument, ScalarNode) and isinstance(argument.value, str):
            stored = wrap(encrypt(argument.value.encode("utf-8", "surrogatepass")))
            edits.append(_encrypted(text, entry, argument, stored, column))
    return _apply(text, edits)


def decrypt_definition(name: str, text: str, decrypt: Decrypter) -> str:
    """``text`` with every stored ciphertext under ``values`` turned back into plaintext. Raises DefinitionError."""
    edits = []
    for entry, _ in _secrets(_root(name, text)):
        match entry.value:
            case MappingNode(entries=(Entry(key=ScalarNode(text="ciphertext"), value=ScalarNode() as stored),)):
                if isinstance(stored.value, str) and entry.value.place.path.startswith("values"):
                    edits.append(_decrypted(text, entry, _plaintext(stored, decrypt)))
    return _apply(text, edits)


def _root(name: str, text: str) -> Node | None:
    diagnostics = Diagnostics()
    root = read(name, text, diagnostics) if text else None
    if diagnostics.failed:
        raise DefinitionError("; ".join(map(str, diagnostics.found)))
    return root


def _secrets(node: Node | None, indent: int = 0) -> Iterator[tuple[Entry, int]]:
    """Every call of ``fn::secret``, and the column (from 0) in which the call's key stands."""
    if isinstance(node, SequenceNode):
        for item in node.items:
            yield from _secrets(item, indent)
    elif isinstance(node, MappingNode):
        if len(node.entries) == 1 and node.entries[0].name == _SECRET:
            yield node.entries[0], node.range.begin.column - 1
        for entry in node.entries:
            yield from _secrets(entry.value, indent)


def _encrypted(text: str, entry: Entry, argument: ScalarNode, stored: str, column: int) -> _Edit:
    span = argument.span
    # A block scalar's end takes in the line break after it.
    tail = "\n" if text[span.start : span.end].endswith("\n") else ""
    if argument.flow:
        return _Edit(span.start, span.end, f"{{ciphertext: {stored}}}")
    between = text[entry.key.span.end : span.start]
    if not _SAME_LINE.fullmatch(between):
        return _Edit(span.start, span.end, f"ciphertext: {stored}{tail}")
    return _Edit(entry.key.span.end, span.end, f":\n{' ' * (column + 2)}ciphertext: {stored}{tail}")


def _plaintext(stored: ScalarNode, decrypt: Decrypter) -> str:
    try:
        return decrypt(unwrap(stored.text)).decode("utf-8", "replace")
    except EnvelopeError as error:
        raise DefinitionError(f"{stored.place.path}: invalid ciphertext: {error}") from error
    except ValueError as error:
        raise DefinitionError(f"{stored.place.path}: decrypting: {error}") from error


def _decrypted(text: str, entry: Entry, plaintext: str) -> _Edit:
    span = entry.value.span
    written = _written(plaintext)
    between = text[entry.key.span.end : span.start]
    if not entry.value.flow and _NEXT_LINE.fullmatch(between):
        return _Edit(entry.key.span.end, span.end, f": {written}")
    return _Edit(span.start, span.end, written)


def _written(plaintext: str) -> str:
    """A scalar on one line that stands for just this string."""
    try:
        plain = bool(_SAFE_PLAIN.fullmatch(plaintext)) and isinstance(resolve(plaintext), str)
    except ValueError:
        plain = False
    if plain:
        return plaintext
    quoted: str = yaml.dump(plaintext, default_style='"', width=2**31, allow_unicode=True)
    return quoted.strip("\n")


def _apply(text: str, edits: list[_Edit]) -> str:
    for edit in sorted(edits, key=lambda edit: edit.start, reverse=True):
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text
