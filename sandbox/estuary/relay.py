"""What the GraphQL resolvers share: pages after Relay, refusals, and whether the caller may."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from graphql import GraphQLError

from sandbox.estuary import access
from sandbox.http import Call
from sandbox.store import Document

Arguments = Mapping[str, Any]
Resolver = Callable[[Call, Arguments], Any]


def connection(items: Sequence[Document], cursor: str, arguments: Arguments, page: int) -> Document:
    """One page of ``items``, which are in the order of their member ``cursor``; ``page`` is the usual length of one."""
    first, last = arguments.get("first"), arguments.get("last")
    for name, value in (("first", first), ("last", last)):
        if value is not None and value < 0:
            raise GraphQLError(f'The "{name}" parameter must be a non-negative number')
    if first is not None and last is not None:
        raise GraphQLError('The "first" and "last" parameters cannot exist at the same time')
    keys = [str(item[cursor]) for item in items]
    start = keys.index(arguments["after"]) + 1 if arguments.get("after") in keys else 0
    end = keys.index(arguments["before"]) if arguments.get("before") in keys else len(items)
    if last is not None:
        start = max(start, end - last)
    else:
        end = min(end, start + (page if first is None else first))
    shown = list(items[start:end])
    return {
        "edges": [{"cursor": str(item[cursor]), "node": item} for item in shown],
        "pageInfo": {
            "startCursor": str(shown[0][cursor]) if shown else None,
            "endCursor": str(shown[-1][cursor]) if shown else None,
            "hasPreviousPage": start > 0,
            "hasNextPage": end < len(items),
        },
    }


def demand(call: Call, name: str, capability: str = "admin") -> None:
    """Refuses a caller who may not do this much with a prefix or name."""
    if not access.may(call.store, call.caller, capability, name):
        email = access.email_of(call.store, call.caller)
        raise GraphQLError(
            f"PermissionDenied: {email} is not authorized to access prefix or name '{name}' "
            f"with required capability {capability}"
        )


def matching(filter_: Mapping[str, Any] | None, names: Sequence[str]) -> list[str]:
    """The names that a ``PrefixFilter`` lets through."""
    wanted = filter_ or {}
    among, start = wanted.get("in"), wanted.get("startsWith")
    if among is not None and start is not None:
        raise GraphQLError("`startsWith` and `in` are mutually exclusive")
    if among is not None and not 1 <= len(among) <= 100:
        raise GraphQLError("`in` must have between 1 and 100 entries")
    return [n for n in names if (among is None or n in among) and (start is None or n.startswith(start))]
