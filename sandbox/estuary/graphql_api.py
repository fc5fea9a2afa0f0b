"""``POST /api/graphql``: the vendor's types, names and texts, as far as infrastructure code uses them.

What goes wrong is told in ``errors`` of an answer with status 200. A resolver checks everything before it writes anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from graphql import ExecutionResult, GraphQLError, build_schema, execute, parse, validate
from starlette.responses import JSONResponse, Response

from sandbox.estuary import accounts, alerts, catalog, publications, storage
from sandbox.estuary.relay import Resolver
from sandbox.http import ApiError, Call, document_of

SCHEMA = build_schema((Path(__file__).parent / "schema.graphql").read_text())

_RESOLVERS: Mapping[str, Resolver] = {
    **accounts.RESOLVERS,
    **alerts.RESOLVERS,
    **catalog.RESOLVERS,
    **storage.RESOLVERS,
}


def handle(call: Call) -> Response:
    sent = document_of(call.payload)
    if not isinstance(sent, dict) or not isinstance(sent.get("query"), str):
        raise ApiError(400, "Invalid request: missing field `query`")
    publications.catch_up(call.store, call.request.app.state.vault)
    try:
        result = _executed(call, sent)
    except GraphQLError as error:
        result = ExecutionResult(None, [error])
    shown = result.formatted
    return JSONResponse({"data": shown.get("data"), **({"errors": shown["errors"]} if "errors" in shown else {})})


def _executed(call: Call, sent: Mapping[str, Any]) -> ExecutionResult:
    document = parse(sent["query"])
    mistakes = validate(SCHEMA, document)
    if mistakes:
        return ExecutionResult(None, mistakes)
    root = {name: _bound(call, resolver) for name, resolver in _RESOLVERS.items()}
    result = execute(
        SCHEMA, document, root, variable_values=sent.get("variables"), operation_name=sent.get("operationName")
    )
    if not isinstance(result, ExecutionResult):
        raise TypeError("every resolver answers at once")
    for error in result.errors or ():
        if error.original_error is not None and not isinstance(error.original_error, GraphQLError | ApiError):
            raise error.original_error
    return result


def _bound(call: Call, resolver: Resolver) -> Any:
    def resolve(_: Any, **arguments: Any) -> Any:
        return resolver(call, arguments)

    return resolve
