"""How Linear is asked: one address, GraphQL, ids that we choose ourselves, people by their addresses.

Source of facts: Linear's GraphQL schema (linear/linear, ``packages/sdk/src/schema.graphql``) and its developer pages. What
an error is, is told by ``extensions.code`` and, for what stands in the way, by the text alone.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any
from uuid import UUID

import httpx

from providers import base
from providers.base import Call, Cursor, Environment, Json, Listing, PlatformError, Trouble

IDS = 20
"""How many ids one object may go through: each removal that Linear keeps in its trash uses one up."""

_CODES = {
    "RATELIMITED": Trouble.BUSY,
    "LOCK_TIMEOUT": Trouble.BUSY,
    "AUTHENTICATION_ERROR": Trouble.CREDENTIALS,
    "FORBIDDEN": Trouble.FORBIDDEN,
    "FEATURE_NOT_ACCESSIBLE": Trouble.FORBIDDEN,
    "USAGE_LIMIT_EXCEEDED": Trouble.FORBIDDEN,
    "INTERNAL_ERROR": Trouble.BROKEN,
    "INTERNAL_SERVER_ERROR": Trouble.BROKEN,
}

_IN_THE_WAY = re.compile(
    r"conflict on insert|already (exists|in use|taken|a member)|duplicate|not unique", re.IGNORECASE
)
_INSERTED = "conflict on insert"
_PEOPLE = {"user": "userId", "lead": "leadId", "owner": "ownerId", "members": "memberIds"}
"""The members of payloads that have the addresses of people, and what Linear wants in their places."""


def _said(response: httpx.Response) -> str:
    errors = response.json().get("errors")
    if not errors:
        return "it did not do that, and does not say why"
    error = errors[0]
    extensions = error.get("extensions") or {}
    message, shown = str(error["message"]), str(extensions.get("userPresentableMessage") or "")
    code = f"{extensions['code']}: " if "code" in extensions else ""
    return code + (f"{message}: {shown}" if shown and shown != message else message)


def _trouble(response: httpx.Response) -> Trouble | None:
    """Linear tells failures in ``errors``, under whatever status; a mutation may also say no without one."""
    try:
        answer = response.json()
    except ValueError:
        if not response.is_error:
            raise
        return base.trouble_of(response.status_code)
    if errors := answer.get("errors"):
        return _meaning(errors[0], response.status_code)
    if response.is_error:
        return base.trouble_of(response.status_code)
    payloads = list((answer.get("data") or {}).values())
    if None in payloads:
        return Trouble.NOT_FOUND
    refused = any(isinstance(payload, dict) and payload.get("success") is False for payload in payloads)
    return Trouble.INVALID if refused else None


def _meaning(error: Json, status: int) -> Trouble:
    extensions, message = error.get("extensions") or {}, str(error.get("message"))
    if extensions.get("code") in _CODES:
        return _CODES[extensions["code"]]
    if "not found" in message.lower():
        return Trouble.NOT_FOUND
    if _IN_THE_WAY.search(f"{message} {extensions.get('userPresentableMessage')}"):
        return Trouble.CONFLICT
    return Trouble.BROKEN if status >= httpx.codes.INTERNAL_SERVER_ERROR else Trouble.INVALID


LINEAR = base.Api(
    name="linear",
    title="Linear",
    base_url=Environment("LINEAR_API_URL"),
    auth=base.Bearer(Environment("LINEAR_API_KEY"), prefix=""),
    said=_said,
    trouble=_trouble,
    # What a key may do in an hour depends on the plan, and is told with each answer only.
    limit=base.Unpublished(start=10.0, most=25.0),
)


def graphql(query: str, answer: str = "", **variables: str) -> Call:
    """One operation. All are repeatable: creates have ids of ours, and the rest says what is to be, not what to add."""
    body: Json = {"query": " ".join(query.split()), "variables": variables}
    return Call("POST", "", body, payload="variables.input", answer=answer, repeatable=True)


def read(field: str, node: str) -> Call:
    """One object by its id, whether it is archived or not."""
    return graphql(f"query ($id: String!) {{ {field}(id: $id) {{ {node} }} }}", f"data.{field}", id="{id}")


def update(entity: str, node: str, shown: str = "") -> Call:
    """The mutation that changes an object, for example ``update("team", …)``; ``shown``: where the answer has it."""
    title, field = entity[0].upper() + entity[1:], f"{entity}Update"
    return graphql(
        f"mutation ($id: String!, $input: {title}UpdateInput!) {{ {field}(id: $id, input: $input) "
        f"{{ success {shown or entity} {{ {node} }} }} }}",
        f"data.{field}.{shown or entity}",
        id="{id}",
    )


def act(mutation: str) -> Call:
    """A mutation that needs nothing but the id: delete, archive, retire, restore."""
    return graphql(f"mutation ($id: String!) {{ {mutation}(id: $id) {{ success }} }}", id="{id}")


def pages(field: str, node: str, *, archived: bool = False, size: int = 100) -> Listing:
    """Everything of a kind in the workspace. ``size`` keeps what a page may cost (10,000 points) where nodes nest."""
    also = ", includeArchived: true" if archived else ""
    text = (
        f"query ($first: Int, $after: String) {{ {field}(first: $first, after: $after{also}) "
        f"{{ nodes {{ {node} }} pageInfo {{ hasNextPage endCursor }} }} }}"
    )
    call = Call("POST", "", {"query": text}, payload="variables", repeatable=True)
    info = f"data.{field}.pageInfo"
    cursor = Cursor(f"{info}.endCursor", param="after", size=size, limit_param="first", more_at=f"{info}.hasNextPage")
    return Listing(call, items=f"data.{field}.nodes", pages=cursor)


_REFERENCES = ("team", "parent", "project", "state", "status", "lead", "owner")


def flat(document: Json) -> Json:
    """An object with what it refers to by id (``teamId``), and people by address, as inputs have them.

    A reference to nothing is "", which no id is.
    """
    shown: Json = {}
    for name, value in document.items():
        if isinstance(value, Mapping) and "nodes" in value:
            people = [node["email"].lower() for node in value["nodes"] if "email" in node]
            shown |= {name: sorted(people)} if people else {}
            shown[f"{name[:-1]}Ids"] = sorted(node["id"] for node in value["nodes"])
        elif isinstance(value, Mapping) and "id" in value:
            shown[f"{name}Id"] = value["id"]
            shown |= {name: value["email"].lower()} if "email" in value else {}
        else:
            shown[name] = value
    absent = [name for name in _REFERENCES if name in document and document[name] is None]
    return {**shown, **{f"{name}Id": "" for name in absent}}


_WORKSPACE = graphql("query { organization { id } }", "data.organization")
_workspaces: dict[tuple[str, str], str] = {}
_asking = Lock()


def workspace_of(api: base.Api) -> str:
    """The id of the workspace that the API key is of; asked for once in a process."""
    who = (api.base_url.of({}).value(), hashlib.sha256("".join(api.secrets()).encode()).hexdigest())
    with _asking:
        if who not in _workspaces:
            _workspaces[who] = str(_WORKSPACE.send(api, {})["id"])
        return _workspaces[who]


def derived_id(*parts: str) -> str:
    """The same UUID for the same parts, with the bits of version 4, which Linear asks for."""
    return str(UUID(bytes=hashlib.sha256("\n".join(parts).encode()).digest()[:16], version=4))


@dataclass(frozen=True)
class Create:
    """Makes an object under an id that follows from what it is: workspace, entity and the members of ``key``.

    So it can be sent again when its answer was lost: the second one finds the id taken, and by what. An id that is taken
    by something else (an object of that name which was renamed since, or lies in the trash) is passed over for the next.
    """

    entity: str
    node: str
    key: tuple[str, ...]
    mark: str = ""
    """The member with the mark of the managing stack: one that carries another mark is not the one that we sent."""
    shown: str = ""
    """Where the answer has the object, if not under the entity's name."""
    auth: base.Bearer | None = None

    @property
    def call(self) -> Call:
        title, field, shown = (
            self.entity[0].upper() + self.entity[1:],
            f"{self.entity}Create",
            self.shown or self.entity,
        )
        return graphql(
            f"mutation ($input: {title}CreateInput!) {{ {field}(input: $input) "
            f"{{ success {shown} {{ {self.node} }} }} }}",
            f"data.{field}.{shown}",
        )

    def send(self, api: base.Api, values: Mapping[str, Any], payload: Json | None = None) -> Json:
        given = with_people(api, payload or {})
        what = [str(given.get(name) or "") for name in self.key]
        for turn in range(IDS):
            id_ = derived_id(workspace_of(api), self.entity, *what, str(turn))
            try:
                return self.call.send(api, values, {**given, "id": id_})
            except PlatformError as error:
                if error.trouble is not Trouble.CONFLICT or not _is_about(id_, error):
                    raise
                taken = self._taken(api, id_)
                if taken is not None and self._is_wanted(taken, what):
                    if self.mark and taken.get(self.mark) != given.get(self.mark):
                        raise
                    return taken
        raise PlatformError(Trouble.CONFLICT, f"{IDS} objects of that name were made and removed: give it another one")

    def _taken(self, api: base.Api, id_: str) -> Json | None:
        """The live object with an id; None where Linear keeps it for itself."""
        try:
            found = read(self.entity, self.node).send(api, {"id": id_})
        except PlatformError as error:
            if error.trouble is Trouble.NOT_FOUND:
                return None
            raise
        return None if found.get("archivedAt") or found.get("retiredAt") else found

    def _is_wanted(self, found: Json, what: list[str]) -> bool:
        shown = flat(found)
        return [str(shown.get(name) or "") for name in self.key] == what


def _is_about(id_: str, error: PlatformError) -> bool:
    return id_ in error.said or _INSERTED in error.said.lower()


@dataclass(frozen=True)
class Update:
    """Changes an object, where some of the members are people."""

    call: Call
    auth: base.Bearer | None = None

    def send(self, api: base.Api, values: Mapping[str, Any], payload: Json | None = None) -> Json:
        return self.call.send(api, values, with_people(api, payload or {}))


_USERS = (
    "query ($emails: [String!]) { users(filter: {email: {in: $emails}}, first: 250) { nodes { id email active } } }"
)


def with_people(api: base.Api, payload: Json) -> Json:
    """A payload with the ids of people in the places of their addresses. Nobody of that address is an error."""
    given = {name: payload[name] for name in _PEOPLE if isinstance(payload.get(name), (str, list))}
    wanted = sorted(set(_addresses(given)))
    known: dict[str, str] = {}
    if wanted:
        known = {user["email"].lower(): user["id"] for user in _users(api, wanted) if user["active"]}
    if missing := [address for address in wanted if address not in known]:
        said = f"nobody in the workspace has the address {' or '.join(missing)}"
        raise PlatformError(
            Trouble.INVALID, said, do="invite them to the workspace first, or take them out of this setting"
        )
    ids: Json = {}
    for name, value in payload.items():
        if name not in _PEOPLE or isinstance(value, bool):
            ids[name] = value
        elif isinstance(value, list):
            ids[_PEOPLE[name]] = [known[address] for address in value]
        else:
            ids[_PEOPLE[name]] = known[value] if value else None
    return ids


def _users(api: base.Api, addresses: list[str]) -> list[Json]:
    body: Json = {"query": _USERS, "variables": {"emails": addresses}}
    users: list[Json] = Call("POST", "", body, answer="data.users", repeatable=True).send(api, {})["nodes"]
    return users


def _addresses(given: Mapping[str, Any]) -> Iterator[str]:
    for value in given.values():
        yield from [value] if isinstance(value, str) else value
