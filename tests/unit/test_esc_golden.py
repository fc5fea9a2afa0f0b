"""Our evaluator against the results of ESC's own, folder by folder, where that data lies beside the checkout."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from esc.language import (
    Declaration,
    Diagnostic,
    Evaluation,
    LoadError,
    Mode,
    Number,
    Provider,
    ProviderError,
    Rotator,
    Secret,
    Source,
    evaluate_declaration,
    load,
    parse_schema,
    reveal,
)
from esc.language.evaluate import Run
from esc.language.paths import format_path, parse_path

GOLDEN = Path(__file__).resolve().parents[3] / "shared" / "esc-golden"
FOLDERS = sorted(path.parent for path in GOLDEN.glob("*/expected.json"))
CONTEXT = {"pulumi": {"user": {"id": "USER_123"}}}

_EITHER = [{"type": "string"}, {"type": "number"}]
_FOO = {"type": "object", "properties": {"foo": {"type": "string"}}, "required": ["foo"]}
_FIXED = [{"type": "string", "const": "hello"}, {"type": "string", "const": "world"}]
RECORD = parse_schema(
    {
        "$defs": {
            "defRecord": {
                "type": "object",
                "properties": {"baz": {"type": "string", "const": "qux"}},
                "required": ["baz"],
            }
        },
        "type": "object",
        "properties": {
            "null": {"type": "null"},
            "boolean": {"type": "boolean"},
            "false": {"type": "boolean", "const": False},
            "true": {"type": "boolean", "const": True},
            "number": {"type": "number"},
            "pi": {"type": "number", "const": 3.14},
            "string": {"type": "string"},
            "hello": {"type": "string", "const": "hello"},
            "array": {"type": "array", "items": True},
            "tuple": {"type": "array", "prefixItems": _FIXED, "items": False},
            "map": {"type": "object", "additionalProperties": True},
            "record": _FOO,
            "anyOf": {"anyOf": _EITHER},
            "oneOf": {"oneOf": _EITHER},
            "ref": {"$ref": "#/$defs/defRecord"},
            "const-array": {"type": "array", "const": ["hello", 42]},
            "const-object": {"type": "object", "const": {"hello": "world"}},
            "enum": {"type": "string", "enum": ["foo", "bar"]},
            "never": False,
            "always": True,
            "double": {"type": "array", "prefixItems": _EITHER, "items": False},
            "triple": {"type": "array", "prefixItems": [*_EITHER, {"type": "boolean"}], "items": False},
            "dependentReq": {
                "type": "object",
                "properties": {"foo": {"type": "string"}, "bar": {"type": "number"}},
                "dependentRequired": {"foo": ["bar"]},
            },
            "multiple": {"type": "number", "multipleOf": 2},
            "minimum": {"type": "number", "minimum": 1},
            "exclusiveMinimum": {"type": "number", "exclusiveMinimum": 1},
            "maximum": {"type": "number", "maximum": 1},
            "exclusiveMaximum": {"type": "number", "exclusiveMaximum": 1},
            "minLength": {"type": "string", "minLength": 1},
            "maxLength": {"type": "string", "maxLength": 1},
            "pattern": {"type": "string", "pattern": "^foo[0-9]+$"},
            "minItems": {"type": "array", "minItems": 3},
            "maxItems": {"type": "array", "maxItems": 2},
            "minProperties": {"type": "object", "minProperties": 1},
            "maxProperties": {"type": "object", "maxProperties": 1},
        },
    }
)
ALWAYS = parse_schema(True)
PAIR = parse_schema(
    {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}, "required": ["a", "b"]}
)
HISTORY = parse_schema(
    {
        "type": "object",
        "properties": {"current": {"type": "string"}, "previous": {"type": "string"}},
        "required": ["current"],
    }
)


@dataclass
class Echo:
    """Gives back its inputs, or fails with the text in ``why``."""

    inputs: Any = ALWAYS
    outputs: Any = ALWAYS
    secret: bool = False
    fails: bool = False

    def open(self, inputs: dict[str, Any]) -> Any:
        if self.fails:
            raise ProviderError(reveal(inputs["why"]))
        return Secret(inputs) if self.secret else inputs


class Swap:
    inputs, state, outputs = ALWAYS, PAIR, PAIR

    def open(self, inputs: dict[str, Any], state: dict[str, Any] | None) -> Any:
        return state

    def rotate(self, inputs: dict[str, Any], state: dict[str, Any] | None) -> dict[str, Any]:
        return {"a": state["b"], "b": state["a"]} if state else {"a": "a", "b": "b"}


class Successor:
    inputs = parse_schema(
        {"type": "object", "properties": {"next": {"type": "string"}}, "required": ["next"], "rotateOnly": ["next"]}
    )
    state, outputs = HISTORY, HISTORY

    def open(self, inputs: dict[str, Any], state: dict[str, Any] | None) -> Any:
        return state or {}

    def rotate(self, inputs: dict[str, Any], state: dict[str, Any] | None) -> dict[str, Any]:
        return {"current": inputs["next"], "previous": state["current"] if state else None}


WHY = parse_schema({"type": "object", "properties": {"why": {"type": "string"}}, "required": ["why"]})
PROVIDERS: dict[str, Provider] = {
    "test": Echo(),
    "secret-wrapper": Echo(secret=True),
    "error": Echo(WHY, fails=True),
    "schema": Echo(RECORD, RECORD),
}
ROTATORS: dict[str, Rotator] = {"swap": Swap(), "echo": Successor()}


def decrypt(encrypted: bytes) -> bytes:
    return bytes((byte + 128) % 256 for byte in encrypted)


def comparable(data: Any) -> Any:
    """Numbers by their text, as a number's text is part of the result."""
    if isinstance(data, Number):
        return ("number", data.text)
    if isinstance(data, dict):
        return {name: comparable(value) for name, value in data.items()}
    return [comparable(value) for value in data] if isinstance(data, list) else data


def without_traces(data: Any) -> Any:
    """The value in a rotation's patch: the state that the rotator made has no traces of its own here."""
    if isinstance(data, dict) and "trace" in data:
        return without_traces(data.get("value"))
    if isinstance(data, dict):
        return {name: without_traces(value) for name, value in data.items()}
    return [without_traces(value) for value in data] if isinstance(data, list) else data


def found(diagnostics: Iterable[Diagnostic]) -> list[tuple[Any, ...]]:
    """What a golden diagnostic tells, in an order of our own: that of equal positions is arbitrary."""
    return sorted(
        ((one.severity.value, one.summary, one.place.path, comparable(range_of(one))) for one in diagnostics),
        key=repr,
    )


def range_of(one: Diagnostic) -> Any:
    where = one.place.range
    if where is None:
        return None
    ends = {"Start": where.begin, "End": where.end}
    return {"Filename": where.environment} | {
        name: {"Line": at.line, "Column": at.column, "Byte": at.byte} for name, at in ends.items()
    }


def expected(diagnostics: Iterable[dict[str, Any]] | None) -> list[tuple[Any, ...]]:
    numbers = {name: Number(str(name)) for name in (1, 2)}
    return sorted(
        (
            (
                next(severity for severity, number in numbers.items() if one["Severity"] == number),
                one["Summary"],
                one["Path"],
                plain_numbers(one["Subject"]),
            )
            for one in diagnostics or ()
        ),
        key=repr,
    )


def plain_numbers(data: Any) -> Any:
    if isinstance(data, Number):
        return int(data.text)
    return {name: plain_numbers(value) for name, value in data.items()} if isinstance(data, dict) else data


def result(evaluation: Evaluation) -> Any:
    return with_number_positions(evaluation.environment.document) if evaluation.environment else None


def with_number_positions(data: Any) -> Any:
    """Our positions are Python's integers; the golden ones were read as numbers like any other."""
    if isinstance(data, dict):
        return {name: with_number_positions(value) for name, value in data.items()}
    if isinstance(data, list):
        return [with_number_positions(value) for value in data]
    return Number(str(data)) if isinstance(data, int) and not isinstance(data, bool) else data


@pytest.mark.skipif(not FOLDERS, reason=f"NOT COMPARED WITH ESC: its golden data is not at {GOLDEN}")
def test_there_is_golden_data() -> None:
    assert len(FOLDERS) > 20


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_golden(folder: Path) -> None:
    wanted = json.loads((folder / "expected.json").read_text(), parse_int=Number, parse_float=Number)
    overrides_file = folder / "overrides.json"
    overrides = json.loads(overrides_file.read_text()) if overrides_file.exists() else {}
    name = overrides.get("rootEnvironment", folder.name)

    def loader(imported: str) -> Source:
        path = folder / f"{imported}.yaml"
        if not path.exists():
            raise LoadError(f'environment "{imported}" not found')
        return Source(path.read_text(), decrypt)

    declaration, load_diagnostics = load(name, (folder / "env.yaml").read_text())
    if "YAML" in str(wanted.get("loadDiags")) or any("yaml: " in one["Summary"] for one in wanted.get("loadDiags", ())):
        # The message is that of another YAML parser.
        assert load_diagnostics.failed
        return
    assert found(load_diagnostics.found) == expected(wanted.get("loadDiags"))

    def run(mode: Mode) -> Evaluation:
        paths = frozenset(f"values.{format_path(parse_path(path))}" for path in overrides.get("rotatePaths", ()))
        shared = Run(mode, loader, overrides.get("showSecrets", False), PROVIDERS, ROTATORS, paths)
        return evaluate_declaration(shared, name, declaration or Declaration(), decrypt, CONTEXT)

    check = run(Mode.CHECK)
    assert found(check.diagnostics) == expected(wanted.get("checkDiags"))
    assert comparable(result(check)) == comparable(wanted.get("check"))
    assert comparable(plain(check, redact=True)) == comparable(wanted.get("checkJson"))

    opened = run(Mode.OPEN)
    assert found(opened.diagnostics) == expected(wanted.get("evalDiags"))
    assert comparable(result(opened)) == comparable(wanted.get("eval"))
    assert comparable(plain(opened, redact=True)) == comparable(wanted.get("evalJsonRedacted"))
    assert comparable(plain(opened, redact=False)) == comparable(wanted.get("evalJSONRevealed"))

    if overrides.get("rotate"):
        rotated = run(Mode.ROTATE)
        assert found(rotated.diagnostics) == expected(wanted.get("rotateDiags"))
        assert comparable(result(rotated)) == comparable(wanted.get("rotate"))
        assert comparable(plain(rotated, redact=True)) == comparable(wanted.get("rotateJson"))
        patches = {(one.path, json.dumps(reveal(one.state), sort_keys=True)) for one in rotated.patches}
        assert patches == {
            (one["DocPath"], json.dumps(without_traces(one["Replacement"]), sort_keys=True))
            for one in wanted.get("rotatePatches", ())
        }


def plain(evaluation: Evaluation, *, redact: bool) -> Any:
    return evaluation.environment.plain(redact=redact) if evaluation.environment else None
