"""The workspace's objects: how they are kept, shown, found, listed, made and changed, whatever kind they are."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from graphql import GraphQLNonNull, GraphQLObjectType, build_schema

from sandbox.http import Call
from sandbox.linear.access import absent, invalid, taken
from sandbox.sealing import opened
from sandbox.store import Document

SCHEMA = build_schema((Path(__file__).parent / "schema.graphql").read_text())
ORGANIZATION: Document = {"id": "0f3c7a52-8d0e-4b7e-9c55-1a2b3c4d5e6f", "name": "Pay Ready", "urlKey": "pay-ready"}
PAGE, LONGEST_PAGE = 50, 250

Arguments = Mapping[str, Any]
Resolver = Callable[[Call, Arguments], Any]

_ONE: Mapping[str, Mapping[str, str]] = {
    "team": {"parent": "team", "defaultIssueState": "workflowState"},
    "teamMembership": {"team": "team", "user": "user"},
    "workflowState": {"team": "team"},
    "issueLabel": {"team": "team", "parent": "issueLabel"},
    "project": {"status": "projectStatus", "lead": "user"},
    "projectLabel": {"parent": "projectLabel"},
    "projectMilestone": {"project": "project"},
    "initiative": {"owner": "user"},
    "initiativeToProject": {"initiative": "initiative", "project": "project"},
    "template": {"team": "team"},
    "customView": {"team": "team", "owner": "user"},
    "webhook": {"team": "team"},
    "gitAutomationState": {"team": "team", "state": "workflowState"},
    "issue": {
        "team": "team",
        "state": "workflowState",
        "project": "project",
        "assignee": "user",
        "lastAppliedTemplate": "template",
    },
}
"""By kind the members that are another object, with its kind. The id is kept as ``<member>Id``."""

_MANY = {"project": {"teams": ("team", "teamIds"), "members": ("user", "memberIds")}}


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def title_of(kind: str) -> str:
    return kind[0].upper() + kind[1:]


def view(call: Call, kind: str, document: Document) -> Document:
    """An object as GraphQL walks it: what it refers to is looked up when it is asked for."""
    shown: Document = dict(document)
    for member, other in _ONE.get(kind, {}).items():
        shown[member] = _reference(call, other, document.get(f"{member}Id"))
    for member, (other, ids) in _MANY.get(kind, {}).items():
        shown[member] = _references(call, other, document[ids])
    if kind == "team":
        shown["gitAutomationStates"] = _rules(call, document["id"])
    if kind == "webhook":
        shown["secret"] = opened(call.request.app.state.vault, document["secret"])
    return shown


def _reference(call: Call, kind: str, id_: str | None) -> Callable[..., Document | None]:
    def resolve(_info: Any) -> Document | None:
        found = call.store.latest.get(kind, id_) if id_ else None
        return view(call, kind, found) if found else None

    return resolve


def _references(call: Call, kind: str, ids: list[str]) -> Callable[..., Document]:
    def resolve(_info: Any, **arguments: Any) -> Document:
        found = (call.store.latest.get(kind, id_) for id_ in ids)
        return page(call, kind, [document for document in found if document], arguments)

    return resolve


def _rules(call: Call, team: str) -> Callable[..., Document]:
    def resolve(_info: Any, **arguments: Any) -> Document:
        rules = call.store.all("gitAutomationState", teamId=team)
        return page(call, "gitAutomationState", rules, arguments)

    return resolve


def page(call: Call, kind: str, documents: list[Document], arguments: Arguments) -> Document:
    """One page after Relay; 50 objects unless asked otherwise."""
    first = arguments.get("first")
    size = PAGE if first is None else int(first)
    if not 0 < size <= LONGEST_PAGE:
        raise invalid(f"first must be from 1 to {LONGEST_PAGE}")
    ids = [document["id"] for document in documents]
    after = arguments.get("after")
    if after and after not in ids:
        raise invalid("after is no cursor of this list")
    start = ids.index(after) + 1 if after else 0
    shown = documents[start : start + size]
    return {
        "nodes": [view(call, kind, document) for document in shown],
        "pageInfo": {
            "startCursor": shown[0]["id"] if shown else None,
            "endCursor": shown[-1]["id"] if shown else None,
            "hasPreviousPage": start > 0,
            "hasNextPage": start + size < len(documents),
        },
    }


def one(kind: str) -> Resolver:
    """The query for a single object, which shows archived ones too."""

    def resolve(call: Call, arguments: Arguments) -> Document:
        found = call.store.get(kind, arguments["id"])
        if found is None:
            raise absent(title_of(kind))
        return view(call, kind, found)

    return resolve


def many(kind: str) -> Resolver:
    """The query for all of a kind, the newest first; what is archived, or in an archived team, only if asked for."""

    def resolve(call: Call, arguments: Arguments) -> Document:
        wanted = (arguments.get("filter") or {}).get("id") or {}
        documents = [
            document
            for document in call.store.all(kind)
            if (arguments.get("includeArchived") or is_live(call, document))
            and document["id"] in wanted.get("in", [document["id"]])
            and document["id"] == wanted.get("eq", document["id"])
        ]
        return page(call, kind, documents[::-1], arguments)

    return resolve


def is_live(call: Call, document: Document) -> bool:
    if document.get("archivedAt"):
        return False
    team = call.store.latest.get("team", document["teamId"]) if document.get("teamId") else None
    return team is None or not team["archivedAt"]


def live(call: Call, kind: str, id_: str) -> Document:
    """An object that something refers to, or that is to be changed; a refusal where there is none."""
    found = call.store.latest.get(kind, id_)
    if found is None or not is_live(call, found):
        raise absent(title_of(kind))
    return found


def live_ones(call: Call, kind: str, **equal: Any) -> Iterator[Document]:
    return (document for document in call.store.latest.all(kind, **equal) if is_live(call, document))


def same_name(one_: Document, other: Document) -> bool:
    return str(one_["name"]).casefold() == str(other["name"]).casefold() and one_["id"] != other["id"]


def new(call: Call, kind: str, sent: Document, defaults: Document) -> Document:
    """A document of what was sent, under the id that was sent or one of our own; nothing is stored."""
    id_ = sent.get("id") or str(uuid.uuid4())
    if not _is_version_4(id_):
        raise invalid("id must be a UUID")
    if call.store.latest.get(kind, id_) is not None:
        raise taken(title_of(kind), id_)
    given = {name: value for name, value in sent.items() if value is not None}
    stamp = now()
    own = {"id": id_, "createdAt": stamp, "updatedAt": stamp, "archivedAt": None}
    return {**defaults, **given, **own}


def changed(kind: str, document: Document, sent: Document) -> Document:
    """A document with what was sent in it. What an object always has cannot be taken away."""
    type_ = SCHEMA.type_map[title_of(kind)]
    fields = type_.fields if isinstance(type_, GraphQLObjectType) else {}
    for name, value in sent.items():
        field = fields.get(name.removesuffix("Id"))
        if value is None and field is not None and isinstance(field.type, GraphQLNonNull):
            raise invalid(f"{name} must not be null")
    return {**document, **sent, "updatedAt": now()}


def answered(call: Call, kind: str, document: Document, member: str = "") -> Document:
    """A mutation's payload."""
    return {"success": True, "lastSyncId": 1.0, member or kind: view(call, kind, document)}


def deleted(id_: str) -> Document:
    return {"success": True, "lastSyncId": 1.0, "entityId": id_}


def _is_version_4(text: str) -> bool:
    try:
        return uuid.UUID(text).version == 4
    except ValueError:
        return False
