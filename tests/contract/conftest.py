"""Contract tests: what our providers send and our emulators answer, held against the vendors' own specifications.

``spec("openrouter/openrouter_openapi.yaml").check(method, path, status, request_json, response_json)`` raises an
``AssertionError`` that says what does not fit. The specifications are not part of the project: they are looked for in
``../shared/specs`` beside the checkout, or where SOPHIA_SPECS says; tests that need an absent one are skipped.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
import yaml
from jsonschema import Draft4Validator, Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError, best_match
from jsonschema.protocols import Validator
from openapi_schema_validator import OAS30Validator
from referencing import Registry
from referencing.jsonschema import DRAFT4, DRAFT202012
from starlette.types import ASGIApp

from sandbox.host import create_app
from sandbox.platform import Platform

_SPECS = Path(os.environ.get("SOPHIA_SPECS", Path(__file__).parents[3] / "shared" / "specs"))
_ROOT = "urn:spec"
_FORM = "application/x-www-form-urlencoded"

Json = Any


class _Loader(yaml.CSafeLoader):
    """Dates stay text, as in JSON."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}

_FORMATS = FormatChecker(formats=["uuid", "ipv4"])


@_FORMATS.checks("date-time", raises=ValueError)
def _is_date_time(value: object) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value) is not None


@dataclass(frozen=True)
class Operation:
    """One operation of a specification. ``pointer`` is where it is in the document."""

    method: str
    template: str
    pointer: str
    document: Mapping[str, Json]


class Spec:
    """One OpenAPI 3.1, 3.0 or Swagger 2.0 document, or a JSON schema (draft 4)."""

    def __init__(self, name: str, document: dict[str, Json]) -> None:
        self.name = name
        self.document = document

    def check(self, method: str, path: str, status: int, request_json: Json = None, response_json: Json = None) -> None:
        """Holds one exchange against the specification.

        ``path`` may be a whole address with a query. A member that the specification does not declare is a mistake in
        a request. An answer of an undocumented status is a mistake where it is a success.
        """
        operation = self.operation(method, path)
        problems = [
            *self._query_problems(operation, path),
            *self._request_problems(operation, path, request_json),
            *self._response_problems(operation, status, response_json),
        ]
        lines = "".join(f"\n  {problem}" for problem in problems)
        assert not problems, f"{self.name}, {operation.method} {operation.template}, {status}:{lines}"

    def operation(self, method: str, path: str) -> Operation:
        """The operation that an address belongs to: the template with the fewest parameters that fits."""
        inside = urlsplit(path).path
        if self._base and self._base in inside:
            inside = inside.split(self._base, 1)[1]
        # Slack takes every method by GET and by POST, its specification names one of them.
        verbs = (method.lower(), "get", "post") if self._swagger else (method.lower(),)
        for template in sorted(self.document["paths"], key=lambda template: template.count("{")):
            if not re.fullmatch(re.sub(r"\\\{.*?\\\}", "[^/]+", re.escape(template)), inside):
                continue
            for verb in verbs:
                found = self.document["paths"][template].get(verb)
                if found is not None:
                    return Operation(method, template, _pointer("paths", template, verb), found)
        raise AssertionError(f"{self.name} has no operation {method} {inside}")

    def check_document(self, document: Json) -> None:
        """Holds a document against the whole file, which is a JSON schema."""
        problems = self._problems("the document", "", document)
        assert not problems, f"{self.name}:" + "".join(f"\n  {problem}" for problem in problems)

    def problems(self, schema: str, document: Json) -> list[str]:
        """What keeps a document from being a ``schema`` of the specification's components."""
        return self._problems(schema, _pointer("components", "schemas", schema), document)

    @property
    def _swagger(self) -> bool:
        return "swagger" in self.document

    @cached_property
    def _base(self) -> str:
        """The path of the server's address, such as /api/v1."""
        if self._swagger:
            return str(self.document.get("basePath", ""))
        servers = self.document.get("servers") or [{}]
        return urlsplit(str(servers[0].get("url", ""))).path.rstrip("/")

    @cached_property
    def _validator(self) -> tuple[type[Validator], Registry[Json]]:
        version = str(self.document.get("openapi", ""))
        kind: type[Validator] = Draft202012Validator if version.startswith("3.1") else OAS30Validator
        if not version:
            kind = Draft4Validator
        dialect = DRAFT202012 if version else DRAFT4
        return kind, Registry().with_resource(_ROOT, dialect.create_resource(self.document))

    def _problems(self, what: str, pointer: str, document: Json) -> list[str]:
        kind, registry = self._validator
        validator = kind({"$ref": f"{_ROOT}#{pointer}"}, registry=registry, format_checker=_FORMATS)
        return [_explained(what, error) for error in validator.iter_errors(document)]

    def _parameters(self, operation: Operation) -> list[Mapping[str, Json]]:
        shared = self.document["paths"][operation.template].get("parameters", [])
        return [self._resolved(parameter) for parameter in [*shared, *operation.document.get("parameters", [])]]

    def _resolved(self, node: Mapping[str, Json]) -> Mapping[str, Json]:
        while "$ref" in node:
            target: Json = self.document
            for part in str(node["$ref"]).removeprefix("#/").split("/"):
                target = target[part.replace("~1", "/").replace("~0", "~")]
            node = target
        return node

    def _query_problems(self, operation: Operation, path: str) -> list[str]:
        declared = {str(p["name"]) for p in self._parameters(operation) if p["in"] == "query"}
        sent = [name for name, _ in parse_qsl(urlsplit(path).query)]
        return [f"query: {name} is not a parameter; {sorted(declared)} are" for name in sent if name not in declared]

    def _request_problems(self, operation: Operation, path: str, sent: Json) -> list[str]:
        if self._swagger:
            return self._swagger_request_problems(operation, {**dict(parse_qsl(urlsplit(path).query)), **(sent or {})})
        body = operation.document.get("requestBody")
        if body is None or sent is None:
            missing = body is not None and self._resolved(body).get("required", False)
            return ["request: a body is expected"] if missing else ["request: no body is expected"] * (sent is not None)
        content = self._resolved(body)["content"]
        media = next(name for name in ("application/json", _FORM) if name in content)
        pointer = operation.pointer + _pointer("requestBody", "content", media, "schema")
        declared = self._members(content[media]["schema"])
        unknown = [name for name in sent if name not in declared] if declared and isinstance(sent, dict) else []
        return [
            *(f"request: {name} is not a member; {sorted(declared)} are" for name in unknown),
            *self._problems("request", pointer, sent),
        ]

    def _swagger_request_problems(self, operation: Operation, given: Mapping[str, Json]) -> list[str]:
        parameters = {str(p["name"]): p for p in self._parameters(operation) if p["in"] in ("formData", "query")}
        unknown = [name for name in given if name not in parameters]
        missing = [name for name, p in parameters.items() if p.get("required") and name not in (*given, "token")]
        return [
            *(f"request: {name} is not a parameter; {sorted(parameters)} are" for name in unknown),
            *(f"request: {name} is missing" for name in missing),
        ]

    def _members(self, schema: Mapping[str, Json]) -> set[str]:
        """The members that an object may have; none where the schema leaves them open."""
        schema = self._resolved(schema)
        members = {*schema.get("properties", {}), *schema.get("required", [])}
        for part in schema.get("allOf", []):
            members |= self._members(part)
        return members

    def _response_problems(self, operation: Operation, status: int, answered: Json) -> list[str]:
        responses = operation.document["responses"]
        name = str(status)
        if self._swagger and isinstance(answered, dict) and answered.get("ok") is False:
            name = "default"
        if name not in responses:
            documented = ", ".join(sorted(responses))
            return [f"response: {status} is not documented; {documented} are"] if status < 300 else []
        response, pointer = responses[name], operation.pointer + _pointer("responses", name)
        while "$ref" in response:
            pointer = response["$ref"].removeprefix("#")
            response = self._resolved(response)
        if self._swagger:
            schema = "schema" if "schema" in response else None
        else:
            media = next((media for media in response.get("content", {}) if "json" in media), None)
            schema = _pointer("content", media, "schema") if media else None
        if schema is None:
            return [] if status >= 300 or answered in (None, "") else ["response: no body is expected"]
        return self._problems("response", pointer + (schema if schema.startswith("/") else f"/{schema}"), answered)


@pytest.fixture(scope="session")
def spec(pytestconfig: pytest.Config) -> Callable[[str], Spec]:
    """``spec("airbyte/airbyte_api.yaml")``; parsed once in each worker, and kept as JSON between runs."""
    loaded: dict[str, Spec] = {}

    def load(name: str) -> Spec:
        path = _SPECS / name
        if not path.is_file():
            pytest.skip(f"THE VENDOR'S SPECIFICATION IS ABSENT, NOTHING IS CHECKED: {path} (SOPHIA_SPECS says where)")
        if name not in loaded:
            loaded[name] = Spec(name, _parsed(path, pytestconfig))
        return loaded[name]

    return load


def _parsed(path: Path, config: pytest.Config) -> dict[str, Json]:
    text = path.read_bytes()
    if path.suffix == ".json":
        read: dict[str, Json] = _repaired(json.loads(text))
        return read
    if config.cache is None:
        return _from_yaml(text)
    kept = config.cache.mkdir("specs") / f"{sha256(text).hexdigest()}.json"
    if kept.is_file():
        parsed: dict[str, Json] = json.loads(kept.read_text())
        return parsed
    document = _from_yaml(text)
    # Several workers may do this at once: each writes a file of its own and moves it into place whole.
    fresh = kept.with_suffix(f".{os.getpid()}")
    fresh.write_text(json.dumps(document))
    fresh.replace(kept)
    return document


def _from_yaml(text: bytes) -> dict[str, Json]:
    document: dict[str, Json] = _repaired(yaml.load(text, Loader=_Loader))
    return document


def _repaired(node: Json) -> Json:
    """What the files say in ways of their own: response codes as numbers, and Slack's lists of alternatives."""
    if isinstance(node, list):
        return [_repaired(item) for item in node]
    if not isinstance(node, dict):
        return node
    repaired = {str(name): _repaired(value) for name, value in node.items()}
    if isinstance(repaired.get("items"), list) and "type" not in repaired:
        repaired["anyOf"] = repaired.pop("items")
    return repaired


def _explained(what: str, error: ValidationError) -> str:
    """Where none of several alternatives fits: what is wrong by the one that comes nearest."""
    nearest = best_match([error]) or error
    return f"{what} {nearest.json_path}: {nearest.message[:300]}"


def _pointer(*parts: str) -> str:
    """A JSON pointer, escaped for a URI's fragment."""
    escaped = (part.replace("~", "~0").replace("/", "~1").replace("{", "%7B").replace("}", "%7D") for part in parts)
    return "".join(f"/{part}" for part in escaped)


@dataclass(frozen=True)
class Emulator:
    """One platform of a running sandbox: where it is, and what opens it."""

    url: str
    credentials: Mapping[str, str]
    app: Any

    def client(self, checked_by: Spec | None = None, **headers: str) -> httpx.Client:
        """A client of the platform. Every exchange that it has is held against ``checked_by``."""

        def check(response: httpx.Response) -> None:
            if checked_by is not None:
                _check_exchange(checked_by, response, str(response.request.url).removeprefix(self.url))

        return httpx.Client(base_url=self.url, headers=headers, event_hooks={"response": [check]})


def _check_exchange(spec: Spec, response: httpx.Response, address: str) -> None:
    """``address``: as it is in the platform's own terms, without the sandbox's."""
    response.read()
    request = response.request
    # A request that was refused as wrong is wrong on purpose: only the answer counts.
    refused = response.status_code in (400, 422)
    sent = None if refused or not request.content else _decoded(request.content, request.headers)
    answered = _decoded(response.content, response.headers) if response.content else None
    if refused:
        operation = spec.operation(request.method, address)
        problems = spec._response_problems(operation, response.status_code, answered)
        assert not problems, problems
    else:
        spec.check(request.method, address, response.status_code, sent, answered)


def _decoded(content: bytes, headers: httpx.Headers) -> Json:
    if headers.get("content-type", "").startswith(_FORM):
        return dict(parse_qsl(content.decode(), keep_blank_values=True))
    if "json" in headers.get("content-type", ""):
        return json.loads(content)
    return None


@pytest.fixture
def serve(tmp_path: Path, listen: Callable[[ASGIApp], str]) -> Iterator[Callable[[Platform], Emulator]]:
    """Starts a sandbox of the test's own, on a free port of this machine, and says where a platform is in it."""
    app = create_app(tmp_path / "sandbox")
    url = listen(app)

    def at(platform: Platform) -> Emulator:
        base = f"{url}/{platform.name}"
        filled = {name: value.replace("{url}", base) for name, value in platform.credentials.items()}
        return Emulator(base, filled, app)

    yield at
    app.state.database.close()
