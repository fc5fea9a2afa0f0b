"""The language of Pulumi ESC environments: checking, opening and rotating definitions, and storing their secrets.

Pure: no network and no state of its own. Imported environments come from a ``Loader``, secrets are decrypted by a
``Decrypter``, ``fn::open`` calls the providers that are given. The behaviour is that of the evaluator in the Pulumi
CLI 3.258.0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from esc.language.diagnostics import Diagnostic, Diagnostics, Place, Position, Range, Severity, has_errors
from esc.language.evaluate import ANONYMOUS, Mode, Run, environment_schema, evaluate
from esc.language.export import ValueExport, expression_json
from esc.language.parse import load
from esc.language.providers import (
    Decrypter,
    Loader,
    LoadError,
    Patch,
    Provider,
    ProviderError,
    Rotator,
    Source,
)
from esc.language.scalars import Number, from_python, to_json
from esc.language.schema import Schema, SchemaError, parse_schema
from esc.language.secrets import DefinitionError, decrypt_definition, encrypt_definition
from esc.language.terms import Declaration
from esc.language.values import Secret, Value, reveal

__all__ = [
    "ANONYMOUS",
    "Declaration",
    "Decrypter",
    "DefinitionError",
    "Diagnostic",
    "Diagnostics",
    "Environment",
    "Evaluation",
    "LoadError",
    "Loader",
    "Mode",
    "Number",
    "Patch",
    "Place",
    "Position",
    "Provider",
    "ProviderError",
    "Range",
    "Rotator",
    "Schema",
    "SchemaError",
    "Secret",
    "Severity",
    "Source",
    "check",
    "decrypt_definition",
    "encrypt_definition",
    "evaluate_declaration",
    "from_python",
    "has_errors",
    "load",
    "open_environment",
    "parse_schema",
    "reveal",
    "to_json",
]


@dataclass(frozen=True)
class Environment:
    """An evaluated environment. ``document`` is its JSON form, with numbers as ``Number``; see ``to_json``."""

    value: Value
    document: dict[str, Any]

    def plain(self, *, redact: bool = False) -> dict[str, Any]:
        """Its values as plain data; what is unknown, and secrets if ``redact`` is set, are placeholders."""
        data: dict[str, Any] = self.value.plain(redact=redact)
        return data


@dataclass(frozen=True)
class Evaluation:
    """What came of an evaluation. There is no environment where the definition is empty or cannot be read."""

    diagnostics: list[Diagnostic]
    environment: Environment | None = None
    patches: tuple[Patch, ...] = ()

    @property
    def failed(self) -> bool:
        return has_errors(self.diagnostics)


def check(
    name: str,
    text: str,
    loader: Loader,
    *,
    decrypter: Decrypter | None = None,
    show_secrets: bool = False,
    context: Mapping[str, Any] | None = None,
    providers: Mapping[str, Provider] | None = None,
    rotators: Mapping[str, Rotator] | None = None,
) -> Evaluation:
    """Checks a definition without opening anything: stored secrets and provider values stay unknown.

    ``name`` is ``project/env`` or ``ANONYMOUS``; ``context`` has the members of ``context`` that the service knows,
    such as ``{"pulumi": {"user": {"login": …}}}``. Syntax errors end the check.
    """
    run = Run(Mode.CHECK, loader, show_secrets, providers or {}, rotators or {})
    return _whole(run, name, text, decrypter, context or {})


def open_environment(
    name: str,
    text: str,
    loader: Loader,
    *,
    decrypter: Decrypter | None = None,
    context: Mapping[str, Any] | None = None,
    providers: Mapping[str, Provider] | None = None,
    rotators: Mapping[str, Rotator] | None = None,
) -> Evaluation:
    """Opens a definition: secrets are decrypted and providers called. Syntax errors end it."""
    run = Run(Mode.OPEN, loader, providers=providers or {}, rotators=rotators or {})
    return _whole(run, name, text, decrypter, context or {})


def _whole(run: Run, name: str, text: str, decrypter: Decrypter | None, context: Mapping[str, Any]) -> Evaluation:
    declaration, found = load(name, text)
    if declaration is None or found.failed:
        return Evaluation(found.found)
    run.diagnostics = found
    return evaluate_declaration(run, name, declaration, decrypter, context)


def evaluate_declaration(
    run: Run,
    name: str,
    declaration: Declaration,
    decrypter: Decrypter | None = None,
    context: Mapping[str, Any] | None = None,
) -> Evaluation:
    """Evaluates a definition that was loaded before, even one with errors, as far as it was understood."""
    if declaration.empty:
        return Evaluation(run.diagnostics.found)
    try:
        scope, value = evaluate(run, name, declaration, decrypter, context or {})
        exports = ValueExport()
        facts = exports.value(scope.context, name)
        document = {
            "exprs": {key: expression_json(one, name) for key, one in scope.root.properties.items()},
            "properties": exports.value(value, name)["value"],
            "schema": environment_schema(value).to_json(),
            "executionContext": {"properties": facts["value"], "schema": scope.context.schema.to_json()},
        }
    except RecursionError:
        run.diagnostics.error(Place(Range(name)), "the environment is nested too deeply to be evaluated")
        return Evaluation(run.diagnostics.found)
    kept = {member: part for member, part in document.items() if part not in ({}, None)}
    return Evaluation(run.diagnostics.found, Environment(value, kept), tuple(run.patches))
