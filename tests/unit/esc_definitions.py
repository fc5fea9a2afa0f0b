"""Evaluates definitions of the ESC language, and looks at what comes of them: for the tests of the language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from esc.language import (
    Diagnostic,
    Evaluation,
    Loader,
    LoadError,
    Number,
    ProviderError,
    Secret,
    Severity,
    Source,
    check,
    open_environment,
    parse_schema,
    reveal,
)
from esc.language.envelope import wrap

SALT = b"salt and pepper"


def decrypt(encrypted: bytes) -> bytes:
    if encrypted == b"wrong-key":
        raise ValueError("made with another key")
    return encrypted[::-1].removesuffix(SALT)


def stored(plaintext: str) -> str:
    """The ciphertext in a definition that decrypts to ``plaintext``."""
    return wrap((plaintext.encode() + SALT)[::-1])


def loader(others: Mapping[str, str]) -> Loader:
    def load(name: str) -> Source:
        if name not in others:
            raise LoadError(f'environment "{name}" not found')
        return Source(others[name], decrypt)

    return load


class Vending:
    """A provider that gives what it is asked for, as a secret."""

    inputs = parse_schema({"type": "object", "properties": {"item": {"type": "string"}}, "required": ["item"]})
    outputs = parse_schema({"type": "object", "properties": {"got": {"type": "string"}}, "required": ["got"]})

    def __init__(self) -> None:
        self.calls = 0

    def open(self, inputs: dict[str, Any]) -> Any:
        self.calls += 1
        item = reveal(inputs["item"])
        if item == "nothing":
            raise ProviderError("sold out")
        return Secret({"got": f"a {item}"})


def opened(text: str, **others: str) -> Evaluation:
    named = {name.replace("__", "/"): other for name, other in others.items()}
    return open_environment("proj/env", text, loader(named), decrypter=decrypt, providers={"vending": Vending()})


def checked(text: str, **others: str) -> Evaluation:
    named = {name.replace("__", "/"): other for name, other in others.items()}
    return check("proj/env", text, loader(named), decrypter=decrypt, providers={"vending": Vending()})


def data(evaluation: Evaluation) -> dict[str, Any]:
    """The values, numbers by their text."""
    assert [str(one) for one in evaluation.diagnostics if one.severity is Severity.ERROR] == []
    assert evaluation.environment is not None

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: plain(one) for key, one in value.items()}
        if isinstance(value, list):
            return [plain(one) for one in value]
        return f"#{value.text}" if isinstance(value, Number) else value

    result: dict[str, Any] = plain(evaluation.environment.plain())
    return result


def told(evaluation: Evaluation) -> list[tuple[str, str]]:
    """The findings by path and summary."""
    return sorted((one.place.path, one.summary) for one in evaluation.diagnostics)


def only(evaluation: Evaluation) -> Diagnostic:
    (found,) = evaluation.diagnostics
    return found


def marks(evaluation: Evaluation, *path: str | int) -> tuple[bool, bool]:
    """Whether the value at ``path`` is secret, and whether it is unknown."""
    assert evaluation.environment is not None
    value: Any = {"value": evaluation.environment.document["properties"]}
    for step in path:
        value = value["value"][step]
    return bool(value.get("secret")), bool(value.get("unknown"))
