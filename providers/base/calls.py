"""How the operations on a kind of object are spelled on the wire: REST, RPC over POST and GraphQL alike are data here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol
from urllib.parse import quote

from providers.base.api import Api, Json
from providers.base.auth import Auth
from providers.base.errors import PlatformError, Trouble
from providers.base.inputs import leaves

KNOWN = "known"
"""Where ``values`` hold what the state knows of the object, when it is updated or deleted."""


class Operation(Protocol):
    """What is asked of a platform about one object: nearly always one request (``Call``), rarely a conversation."""

    @property
    def auth(self) -> Auth | None:
        """Other credentials than those of the API, if it needs them."""

    def send(self, api: Api, values: Mapping[str, Any], payload: Json | None = None) -> Json:
        """Asks, and returns the object that is answered. Raises ``PlatformError``.

        ``values`` are the inputs and, for an object that exists, its ``id``; ``payload`` is what is to be written.
        """


@dataclass(frozen=True)
class Call:
    """One request. ``path``, ``params`` and the constant ``body`` may name ``{id}``, any input as ``{field}`` and the API's
    constants. ``{id:/}`` in a path is an id that has slashes of its own.

    The payload goes into the body at ``payload``, a dotted path ("" is the body itself); GraphQL puts it
    at ``variables.input``. ``answer`` is the dotted path of the object in the answer; members beside it are kept
    (OpenRouter answers a new key as ``{"data": {…}, "key": "sk-…"}``). ``bare`` is one that has no body, though its method
    has one: Apollo's searches are POSTs whose words stand in the address.
    """

    method: str
    path: str
    body: Json = field(default_factory=dict)
    params: Mapping[str, str] = field(default_factory=dict)
    payload: str = ""
    answer: str = ""
    repeatable: bool | None = None
    auth: Auth | None = None
    bare: bool = False

    def send(self, api: Api, values: Mapping[str, Any], payload: Json | None = None) -> Json:
        """Sends the request and returns the object in its answer. ``values`` fill the places in path, params and body."""
        values = {**{name: value.value() for name, value in api.constants.items()}, **values}
        body = _filled(self.body, values)
        if payload is not None:
            _put(body, self.payload, payload)
        path = self.path.format_map(_Quoted(values))
        params = {name: text for name, text in _filled(dict(self.params), values).items() if text != ""}
        has_body = not self.bare and (bool(body) or self.method in ("POST", "PUT", "PATCH"))
        answer = api.request(
            self.method,
            path,
            body=body if has_body else None,
            params=params,
            repeatable=self.repeatable,
            auth=self.auth,
            about=list(leaves(values)),
            values=values,
        )
        return _inside(answer, self.answer)


@dataclass(frozen=True)
class Pick:
    """The one object of a list that has the values of some inputs, for a platform that shows single objects in lists only.

    ``items`` is the dotted path of the list in the answer; ``by`` maps the members of an object to the inputs.
    """

    call: Call
    items: str
    by: Mapping[str, str]

    @property
    def auth(self) -> Auth | None:
        return self.call.auth

    def send(self, api: Api, values: Mapping[str, Any], payload: Json | None = None) -> Json:
        found = at(self.call.send(api, values, payload), self.items) or []
        wanted = {member: values.get(name) for member, name in self.by.items()}
        for item in found:
            if all(at(item, member) == value for member, value in wanted.items()):
                picked: Json = item
                return picked
        raise PlatformError(Trouble.NOT_FOUND, f"the list has nothing with {wanted}")


@dataclass(frozen=True)
class Offset:
    """Pages by ``offset`` and ``limit``; a page with fewer than ``size`` objects is the last."""

    size: int = 100
    limit_param: str | None = "limit"
    offset_param: str = "offset"

    def next(self, values: Json, got: int, answer: Json) -> Json | None:  # noqa: ARG002 - one signature for all ways of paging
        return {**values, self.offset_param: values.get(self.offset_param, 0) + got} if got >= self.size else None

    def first(self) -> Json:
        return {self.limit_param: self.size} if self.limit_param else {}


@dataclass(frozen=True)
class Cursor:
    """Pages by a cursor that each answer gives for the next; an empty one ends, or a false at ``more_at``.

    Without ``limit_param`` the platform says itself how long a page is.
    """

    next_at: str
    param: str = "cursor"
    size: int = 200
    limit_param: str | None = "limit"
    more_at: str = ""

    def next(self, values: Json, got: int, answer: Json) -> Json | None:  # noqa: ARG002 - one signature for all ways of paging
        cursor = at(answer, self.next_at) if not self.more_at or at(answer, self.more_at) else None
        return {**values, self.param: cursor} if cursor else None

    def first(self) -> Json:
        return {self.limit_param: self.size} if self.limit_param else {}


@dataclass(frozen=True)
class Numbered:
    """Pages by their number, from ``start`` on; a page with fewer than ``size`` objects is the last."""

    size: int = 100
    param: str = "page"
    limit_param: str = "page_size"
    start: int = 0

    def next(self, values: Json, got: int, answer: Json) -> Json | None:  # noqa: ARG002 - one signature for all ways of paging
        return {**values, self.param: values[self.param] + 1} if got >= self.size else None

    def first(self) -> Json:
        return {self.limit_param: self.size, self.param: self.start}


@dataclass(frozen=True)
class Listing:
    """The call that lists the objects of a kind, whole enough that it serves reads too.

    ``items`` is the dotted path of the list in an answer, ``each`` that of the object in an item ("node" in Relay's).
    """

    call: Call
    items: str = "data"
    each: str = ""
    pages: Offset | Cursor | Numbered | None = None

    def fetch(self, api: Api, values: Mapping[str, Any]) -> Iterator[Json]:
        """Every object of the list, page by page. The page's members go where the call's other data go."""
        page: Json | None = self.pages.first() if self.pages else {}
        while page is not None:
            in_body = self.call.method == "POST" and not self.call.bare
            call = self.call if in_body else _with_params(self.call, page)
            answer = call.send(api, values, page if in_body else None)
            items = at(answer, self.items) or []
            yield from (at(item, self.each) for item in items)
            page = self.pages.next(page, len(items), answer) if self.pages else None


@dataclass(frozen=True)
class Calls:
    """What can be done with a kind of object.

    ``create_takes`` names the inputs (wire names) that the create call accepts, where it does not take all; ``setters`` are
    calls that set one input each. ``update_sends`` is ``changed`` (PATCH), ``whole`` (PUT of all that we manage) or
    ``merged`` (read, merge, write: for APIs that replace the object and hold things that we do not manage).
    ``revive`` are the calls that bring back, in this order, an object that the platform keeps after its deletion (an
    archived Slack channel); ``find`` is the call that shows such an object by its natural key, where no list does (a
    deleted list of HubSpot's). ``rehearse`` has the platform try what create or update would do, and change nothing; it is
    asked when somebody wants to know (``sophia preview --rehearse``).
    """

    create: Operation
    read: Operation | None = None
    delete: Operation | None = None
    update: Operation | None = None
    listing: Listing | None = None
    create_takes: frozenset[str] | None = None
    setters: Mapping[str, Operation] = field(default_factory=dict)
    update_sends: str = "changed"
    revive: tuple[Call, ...] = ()
    find: Operation | None = None
    rehearse: Operation | None = None

    def every(self) -> Iterator[Operation]:
        """All calls there are."""
        listing = self.listing.call if self.listing else None
        for call in (self.create, self.read, self.update, self.delete, listing, self.find):
            if call:
                yield call
        yield from self.setters.values()
        yield from self.revive


def rest(
    collection: str,
    *,
    listing: Listing | None = None,
    answer: str = "",
    update: str | None = "PATCH",
    update_sends: str = "changed",
) -> Calls:
    """The usual REST spelling: POST on the collection; GET, PATCH (or PUT) and DELETE on ``collection/{id}``."""
    item = collection + "/{id}"
    return Calls(
        create=Call("POST", collection, answer=answer),
        read=Call("GET", item, answer=answer),
        update=Call(update, item, answer=answer) if update else None,
        delete=Call("DELETE", item),
        listing=listing,
        update_sends=update_sends,
    )


class _Quoted(dict[str, Any]):
    """Values as path segments: a slash or a space in a name must not change which object is meant."""

    def __getitem__(self, key: str) -> _Segment:
        return _Segment(super().__getitem__(key))


class _Segment(str):
    """``{id}`` is one segment; ``{id:/}`` is an id made of several, whose slashes stand."""

    __slots__ = ()

    def __format__(self, spec: str) -> str:
        return quote(self, safe=spec)


def _filled(template: Any, values: Mapping[str, Any]) -> Any:
    if isinstance(template, str):
        if template.startswith("{") and template.endswith("}") and template[1:-1].isidentifier():
            return values.get(template[1:-1], "")
        return template
    if isinstance(template, Mapping):
        return {key: _filled(item, values) for key, item in template.items()}
    if isinstance(template, list):
        return [_filled(item, values) for item in template]
    return template


def _put(body: Json, path: str, payload: Json) -> None:
    for part in path.split(".") if path else []:
        body = body.setdefault(part, {})
    body.update(payload)


def at(answer: Any, path: str) -> Any:
    """The value at a dotted path of an answer; None where there is none."""
    for part in path.split(".") if path else []:
        answer = answer.get(part) if isinstance(answer, Mapping) else None
    return answer


def _inside(answer: Json, path: str) -> Json:
    """The object at ``path``, with the members that stand beside it on the outermost level."""
    if not path:
        return answer
    outer = path.split(".")[0]
    found = at(answer, path)
    beside = {key: value for key, value in answer.items() if key != outer}
    return {**beside, **found} if isinstance(found, Mapping) else beside


def _with_params(call: Call, page: Json) -> Call:
    return replace(call, params={**call.params, **page})
