"""Checking and opening environments of the sandbox: what the language's evaluator needs to know of this place."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.responses import JSONResponse, Response

from esc.language import (
    ANONYMOUS,
    Diagnostic,
    Evaluation,
    Loader,
    LoadError,
    Provider,
    ProviderError,
    Secret,
    Severity,
    Source,
    check,
    from_python,
    has_errors,
    open_environment,
    parse_schema,
    reveal,
    to_json,
)
from sandbox.pulumi_cloud import environments_store as store
from sandbox.pulumi_cloud.account import USER
from sandbox.pulumi_cloud.calls import ApiError, Call

StackOutputs = Callable[[str, str, str], dict[str, tuple[Any, bool]] | None]
"""A stack's outputs by organisation, project and stack name, each with whether it is secret; None: no such stack."""

_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_DURATION = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(h|ms|m|s|us|µs|ns)")
_DEFAULT_SECONDS = 3600.0


@dataclass(frozen=True)
class StacksProvider:
    """``fn::open::pulumi-stacks``: the outputs of stacks of the same organisation."""

    organization: str
    outputs_of: StackOutputs

    inputs = parse_schema(
        {
            "type": "object",
            "properties": {
                "stacks": {
                    "type": "object",
                    "additionalProperties": {
                        "type": "object",
                        "properties": {"stack": {"type": "string"}},
                        "required": ["stack"],
                    },
                }
            },
            "required": ["stacks"],
        }
    )
    outputs = parse_schema({"type": "object", "additionalProperties": {"type": "object", "additionalProperties": True}})

    def open(self, inputs: dict[str, Any]) -> dict[str, Any]:
        stacks: dict[str, dict[str, str]] = reveal(inputs["stacks"])
        return {alias: self.read(one["stack"]) for alias, one in stacks.items()}

    def read(self, stack: str) -> dict[str, Any]:
        project, _, name = stack.partition("/")
        outputs = self.outputs_of(self.organization, project, name) if name else None
        if outputs is None:
            raise ProviderError(
                f"stack {stack!r} not found in organization {self.organization!r}: name it project/stack"
            )
        return {
            key: Secret(from_python(value)) if secret else from_python(value)
            for key, (value, secret) in outputs.items()
        }


@dataclass(frozen=True)
class Evaluator:
    """Evaluates definitions in the scope of one organisation."""

    call: Call
    organization: str

    def check(self, name: str, text: str, *, show_secrets: bool = False) -> Evaluation:
        return check(
            name,
            text,
            self.loader({}),
            decrypter=store.decrypter(self.call.vault, self.organization),
            show_secrets=show_secrets,
            context=self.context,
            providers=self.providers,
        )

    def open(self, name: str, text: str, overrides: Mapping[str, str] | None = None) -> Evaluation:
        return open_environment(
            name,
            text,
            self.loader(overrides or {}),
            decrypter=store.decrypter(self.call.vault, self.organization),
            context=self.context,
            providers=self.providers,
        )

    @property
    def context(self) -> dict[str, Any]:
        return {"pulumi": {"user": {"login": USER}, "organization": {"login": self.organization}}}

    @property
    def providers(self) -> dict[str, Provider]:
        outputs_of: StackOutputs | None = getattr(self.call.request.app.state, "stack_outputs", None)
        return {"pulumi-stacks": StacksProvider(self.organization, outputs_of)} if outputs_of else {}

    def loader(self, overrides: Mapping[str, str]) -> Loader:
        def load(name: str) -> Source:
            text = stored_definition(self.call.connection, self.organization, overrides.get(name, name))
            if text is None:
                raise LoadError(f'environment "{name}" not found')
            return Source(text, store.decrypter(self.call.vault, self.organization))

        return load


def stored_definition(connection: sqlite3.Connection, organization: str, reference: str) -> str | None:
    """The text of ``project/env``, ``project/env@version``; a bare name is in the project ``default``."""
    path, _, version = reference.partition("@")
    project, _, name = path.rpartition("/")
    environment = store.find(connection, organization, project or "default", name)
    found = environment and store.revision(connection, environment, version or store.LATEST)
    return found.text if found else None


def refusal(found: list[Diagnostic], message: str) -> Response:
    """400 with the diagnostics, of which the command line shows the position and the summary."""
    first = next(one for one in found if one.severity is Severity.ERROR)
    document = {"code": 400, "message": f"{message}: {first}", "diagnostics": [one.to_json() for one in found]}
    return JSONResponse(document, 400)


def answer_check(evaluation: Evaluation) -> Response:
    if has_errors(evaluation.diagnostics):
        return refusal(evaluation.diagnostics, "Bad Request: the definition has errors")
    return Response(document_json(evaluation), media_type="application/json")


def document_json(evaluation: Evaluation) -> str:
    """The evaluated environment. Nulls are written out, and so is an empty key beside an index: clients need both."""
    if evaluation.environment is None:
        return "{}"
    document = dict(evaluation.environment.document)
    document["exprs"] = _with_keys(document.get("exprs", {}))
    document["properties"] = {key: _explicit(value) for key, value in document.get("properties", {}).items()}
    context = document["executionContext"]
    properties = {key: _explicit(value) for key, value in context["properties"].items()}
    return to_json({**document, "executionContext": {**context, "properties": properties}})


def _explicit(value: dict[str, Any]) -> dict[str, Any]:
    content = value.get("value")
    if isinstance(content, list):
        content = [_explicit(one) for one in content]
    elif isinstance(content, dict):
        content = {key: _explicit(one) for key, one in content.items()}
    trace = value["trace"]
    if "base" in trace:
        trace = {**trace, "base": _explicit(trace["base"])}
    return {**value, "value": content, "trace": trace}


def _with_keys(node: Any) -> Any:
    if isinstance(node, list):
        return [_with_keys(one) for one in node]
    if not isinstance(node, dict):
        return node
    walked = {key: _with_keys(value) for key, value in node.items()}
    return {"key": "", **walked} if isinstance(node.get("index"), int) else walked


def seconds(duration: str | None) -> float:
    """The seconds of a Go duration such as ``2h0m0s``; an hour where none is given. 400 for anything else."""
    if duration is None:
        return _DEFAULT_SECONDS
    if not duration or _DURATION.sub("", duration):
        raise ApiError(400, f"Bad Request: invalid duration {duration!r}: write it like 2h0m0s")
    return sum(float(number) * _UNITS[unit] for number, unit in _DURATION.findall(duration))


__all__ = ["ANONYMOUS", "Evaluator", "answer_check", "document_json", "refusal", "seconds"]
