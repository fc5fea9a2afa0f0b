"""What only people make, change or remove, in a platform's own pages: looked for, compared, told of, and never written."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from providers.base.api import Api, Json
from providers.base.auth import Auth
from providers.base.calls import Calls, Listing, Operation
from providers.base.errors import PlatformError, Trouble
from providers.base.inputs import Inputs, project
from providers.base.kind import Kind, Out, Within
from providers.base.notice import warn

_TOLD = 10
"""So many of the objects that are there are named where one is missing: those whose names come nearest."""


@dataclass(frozen=True)
class MustExist:
    """The create call of what people make: it is called where nothing was found, says so, and what to do.

    ``by`` are the members, in wire names, by which the object is known; ``beside`` those that say where it is, such as
    its workspace: what is elsewhere is not named. ``show``: the member that names an object in the list.
    """

    what: str
    there_are: Listing
    by: tuple[str, ...]
    show: str
    do: str
    beside: tuple[str, ...] = ()
    decode: Callable[[Json], Json] = lambda document: document
    auth: Auth | None = None

    def send(self, api: Api, values: Mapping[str, Any], payload: Json | None = None) -> Json:
        """Always a ``PlatformError``."""
        asked = {name: value for name, value in (payload or {}).items() if name in self.by}
        wanted = " and ".join(f"{name} {value!r}" for name, value in asked.items())
        near = [self.decode(one) for one in self.there_are.fetch(api, values)]
        seen = sorted(str(one.get(self.show)) for one in near if self._is_beside(one, payload or {}))
        told = _nearest(str(next(iter(asked.values()), "")), seen)
        said = f"no {self.what} has the {wanted}; {api.auth.variables} can see {told}"
        raise PlatformError(Trouble.INVALID, said, do=self.do)

    def _is_beside(self, document: Json, payload: Json) -> bool:
        return all(document.get(name) == payload.get(name) for name in self.beside)


@dataclass(frozen=True)
class MustBe:
    """The update call of what people change: it looks whether the object is as wanted by now, and else says in what not."""

    what: str
    there_are: Listing
    identity: str
    inputs: type[Inputs]
    show: str
    do: str
    decode: Callable[[Json], Json] = lambda document: document
    auth: Auth | None = None

    def send(self, api: Api, values: Mapping[str, Any], payload: Json | None = None) -> Json:
        """The object. Raises ``PlatformError`` where it differs, or is gone."""
        for document in self.there_are.fetch(api, values):
            if str(document.get(self.identity)) == values["id"]:
                break
        else:
            raise PlatformError(Trouble.INVALID, f"the {self.what} {values['id']} is not there any more", do=self.do)
        shown = self.decode(document)
        live = self.inputs.from_wire(project(shown, payload or {}))
        if otherwise := list(_differences("", live, self.inputs.from_wire(payload or {}))):
            said = f'the {self.what} "{shown.get(self.show)}" is otherwise in {api.title}: {"; ".join(otherwise)}'
            raise PlatformError(Trouble.INVALID, said, do=self.do)
        return document


@dataclass(frozen=True)
class StaysThere:
    """The delete call of what a platform has no call to delete: it stays, is no longer managed, and a warning says so.

    ``named`` is the input by which people know it.
    """

    what: str
    named: str = "name"
    do: str = "a person deletes it there"
    auth: Auth | None = None

    def send(self, api: Api, values: Mapping[str, Any], payload: Json | None = None) -> Json:  # noqa: ARG002 - one signature for all operations
        """Sends nothing."""
        warn(
            f'the {self.what} "{values.get(self.named, values["id"])}" stays in {api.title}, which has no call to delete '
            f"it, and is not managed any more: {self.do}"
        )
        return {}


def asserted(
    *,
    api: Api,
    title: str,
    setting: str,
    inputs: type[Inputs],
    listing: Listing,
    identity: str,
    natural_key: tuple[str, ...],
    show: str,
    do: str,
    beside: tuple[str, ...] = (),
    read: Operation | None = None,
    within: Within | None = None,
    outputs: tuple[Out, ...] = (),
    decode: Callable[[Json], Json] = lambda document: document,
) -> Kind:
    """A kind of objects that people make: a stack has them looked for, and compared with what its settings say.

    One that is missing or otherwise fails the run, with ``do`` as the advice; a refresh shows the difference as drift.
    Nothing is ever written, so that a resource of such a kind is declared with ``adopt=True``, always. ``show`` is the
    member that names an object, ``beside`` the inputs of ``natural_key`` that say where it is.
    """
    places = tuple(inputs.wire_name(name) for name in beside)
    by = tuple(inputs.wire_name(name) for name in natural_key if name not in beside)
    return Kind(
        api=api,
        title=title,
        setting=setting,
        inputs=inputs,
        calls=Calls(
            create=MustExist(title, listing, by, show, do, places, decode),
            read=read,
            update=MustBe(title, listing, identity, inputs, show, do, decode),
            listing=listing,
        ),
        identity=identity,
        natural_key=natural_key,
        within=within,
        outputs=outputs,
        decode=decode,
    )


def _nearest(wanted: str, seen: list[str]) -> str:
    if len(seen) <= _TOLD:
        return ", ".join(seen) or "none"
    near = get_close_matches(wanted, seen, 3, 0.5)
    return f"{len(seen)} others" + (f", among them {', '.join(near)}" if near else "")


def _differences(path: str, live: Any, wanted: Any) -> Iterator[str]:
    """Leaf by leaf in mappings; everything else whole."""
    if isinstance(wanted, Mapping) and isinstance(live, Mapping | None):
        for name, value in wanted.items():
            yield from _differences(f"{path}.{name}" if path else name, (live or {}).get(name), value)
    elif live is None:
        yield f"{path} is missing" if wanted is True else f"{path} has no value, and is to be {wanted!r}"
    elif live != wanted:
        yield f"{path} is {live!r}, and is to be {wanted!r}"
