"""``POST /graphql``: what an operation costs, who is in the workspace, and the answer.

Source of facts: Linear's developer pages. A property costs 0.1 points, an object 1, a list as often as ``first`` says.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from math import ceil
from typing import Any

from graphql import (
    ExecutionResult,
    FieldNode,
    GraphQLError,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    execute,
    parse,
    validate,
)
from starlette.responses import JSONResponse, Response

from sandbox.http import ApiError, Call, document_of
from sandbox.linear import issues, labels, projects, teams
from sandbox.linear.access import invalid
from sandbox.linear.objects import ORGANIZATION, PAGE, SCHEMA, Arguments, Resolver, now, one, page, view
from sandbox.store import Document

MOST_POINTS = 10_000
"""That one operation may cost."""

_HOURLY = {"requests": 5_000, "complexity": 3_000_000}
_SEED_PEOPLE = (
    ("automation@payready.com", "Pay Ready Automation", True),
    ("platform@payready.com", "Platform Lead", True),
    ("collections@payready.com", "Collections Lead", False),
    ("support@payready.com", "Support Lead", False),
    ("member@payready.com", "A Member", False),
)
_SEED_STATUSES = (
    ("Backlog", "backlog"),
    ("Planned", "planned"),
    ("In Progress", "started"),
    ("Completed", "completed"),
    ("Canceled", "canceled"),
)


def handle(call: Call) -> Response:
    """An operation that is wrong by itself is told under 400, everything else that goes wrong under 200."""
    sent = document_of(call.payload)
    if not isinstance(sent, dict) or not isinstance(sent.get("query"), str):
        raise ApiError(400, "GraphQL operations must contain a non-empty `query`")
    _seed(call)
    try:
        document = parse(sent["query"])
        mistakes = validate(SCHEMA, document)
        if mistakes:
            return _wrong(mistakes)
        operation = next(node for node in document.definitions if isinstance(node, OperationDefinitionNode))
        points = ceil(_cost(operation.selection_set, sent.get("variables") or {}))
        if points > MOST_POINTS:
            raise invalid(f"Query too complex: {points} points, of which {MOST_POINTS} are allowed")
        result = _executed(call, document, sent)
    except GraphQLError as error:
        return _wrong([error])
    return _answer(result, points)


def _answer(result: ExecutionResult, points: int) -> Response:
    shown = result.formatted
    body = {"data": shown.get("data"), **({"errors": shown["errors"]} if shown.get("errors") else {})}
    reset = str(int((time.time() + 3600) * 1000))
    headers = {"X-Complexity": str(points)}
    for name, title in (("requests", "Requests"), ("complexity", "Complexity")):
        headers |= {f"X-RateLimit-{title}-Limit": str(_HOURLY[name]), f"X-RateLimit-{title}-Reset": reset}
        headers[f"X-RateLimit-{title}-Remaining"] = str(_HOURLY[name] - 1)
    return JSONResponse(body, headers=headers)


def _wrong(errors: list[GraphQLError]) -> Response:
    documents = []
    for error in errors:
        own = {"code": "GRAPHQL_VALIDATION_FAILED", "type": "graphql error", "userError": True}
        documents.append({**error.formatted, "extensions": error.extensions or own})
    return JSONResponse({"errors": documents}, 400)


def _executed(call: Call, document: Any, sent: Mapping[str, Any]) -> ExecutionResult:
    root = {name: _bound(call, resolver) for name, resolver in RESOLVERS.items()}
    result = execute(SCHEMA, document, root, variable_values=sent.get("variables"))
    if not isinstance(result, ExecutionResult):
        raise TypeError("every resolver answers at once")
    for error in result.errors or ():
        if error.original_error is not None and not isinstance(error.original_error, GraphQLError):
            raise error.original_error
        if error.path is None:
            error.extensions = {"code": "INVALID_INPUT", "type": "invalid input", "userError": True}
    return result


def _bound(call: Call, resolver: Resolver) -> Any:
    def resolve(_: Any, **arguments: Any) -> Any:
        return resolver(call, arguments)

    return resolve


def _cost(selected: SelectionSetNode | None, variables: Mapping[str, Any]) -> float:
    points = 0.0
    for node in selected.selections if selected else ():
        if isinstance(node, FieldNode):
            inside = _cost(node.selection_set, variables)
            times = _first(node, variables) if _is_list(node) else 1
            points += times * (1 + inside) if node.selection_set else 0.1
    return points


def _is_list(node: FieldNode) -> bool:
    nodes = node.selection_set.selections if node.selection_set else ()
    return any(isinstance(one_, FieldNode) and one_.name.value in ("nodes", "edges") for one_ in nodes)


def _first(node: FieldNode, variables: Mapping[str, Any]) -> int:
    for argument in node.arguments or ():
        if argument.name.value == "first":
            value = argument.value
            given = (
                variables.get(value.name.value) if isinstance(value, VariableNode) else getattr(value, "value", None)
            )
            return int(given or PAGE)
    return PAGE


def _seed(call: Call) -> None:
    """Who is in the workspace, and what every workspace has, before anybody did anything."""
    if call.store.latest.all("user"):
        return
    stamp = {"createdAt": now(), "updatedAt": now(), "archivedAt": None}
    for email, name, admin in _SEED_PEOPLE:
        id_ = str(uuid.uuid5(uuid.NAMESPACE_URL, email))
        own = {"id": id_, "email": email, "name": name, "displayName": name, "admin": admin}
        call.store.put("user", id_, {**own, "active": True, "guest": False, "organization": ORGANIZATION, **stamp})
    for position, (name, type_) in enumerate(_SEED_STATUSES):
        id_ = str(uuid.uuid4())
        own = {"id": id_, "name": name, "type": type_, "position": float(position * 1000), "color": "#bec2c8"}
        call.store.put("projectStatus", id_, {**own, "description": None, "indefinite": False, **stamp})


def _viewer(call: Call, _arguments: Arguments) -> Document:
    return view(call, "user", call.store.latest.first("user", email=call.caller) or {})


def _users(call: Call, arguments: Arguments) -> Document:
    wanted = (arguments.get("filter") or {}).get("email") or {}
    users = [
        user
        for user in call.store.all("user")
        if ("eq" not in wanted or user["email"] == wanted["eq"])
        and ("in" not in wanted or user["email"] in wanted["in"])
        and user["active"]
    ]
    return page(call, "user", users, arguments)


def _rate_limit(call: Call, _arguments: Arguments) -> Document:
    limits = [
        {
            "type": name,
            "requestedAmount": 1,
            "allowedAmount": allowed,
            "period": 3_600_000,
            "remainingAmount": allowed - 1,
            "reset": int((time.time() + 3600) * 1000),
        }
        for name, allowed in _HOURLY.items()
    ]
    return {"identifier": call.caller, "kind": "apiKey", "limits": limits}


RESOLVERS: Mapping[str, Any] = {
    "viewer": _viewer,
    "organization": lambda _call, _arguments: ORGANIZATION,
    "rateLimitStatus": _rate_limit,
    "user": one("user"),
    "users": _users,
    **teams.RESOLVERS,
    **labels.RESOLVERS,
    **projects.RESOLVERS,
    **issues.RESOLVERS,
}
