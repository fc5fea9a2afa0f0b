"""What a declaration says of one kind of object. Everything else about its life is the base's business."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from providers.base.api import Api, Json
from providers.base.calls import Call, Calls
from providers.base.inputs import CARRIED, IMMUTABLE, UNSEEN, WRITE_ONLY, Inputs
from providers.base.ownership import owner, unmarked


@dataclass(frozen=True)
class Out:
    """A value that the platform gives and that others may use: ``name`` in the program, ``member`` (a dotted path) in the
    answer.

    ``once``: only the create call shows it (a minted key); it is kept from then on. Such a value is always secret.
    ``renewed``: the member by which a later answer shows another one that takes its place (a rotated key).
    """

    name: str
    member: str
    secret: bool = False
    once: bool = False
    renewed: str = ""


@dataclass(frozen=True)
class Slow:
    """An object that is not ready when its creation returns: polled until it is.

    ``state`` reads a document: True is ready, False not yet, a text says why it never will be.
    """

    state: Callable[[Json], bool | str]
    interval: float = 2.0
    patience: float = 600.0


@dataclass(frozen=True)
class Within:
    """The container of a kind's objects: the ``input`` that has its id, and the ``kind`` of object that it is.

    ``empty``: whether a new one has nothing in it. HubSpot makes a pipeline with its stages.
    """

    input: str
    kind: Kind
    empty: bool = True


@dataclass(frozen=True)
class Kind:
    """One kind of object of one platform.

    - ``title``: what people call it ("connection"); ``setting``: its key under the platform's settings ("connections"), or
      "" where the platform's settings as a whole say what it is.
    - ``identity``: the member of the answer that is the id, or a template over the inputs ("{workspace_id}/{interval}")
      for objects that are addressed by what they are; it may name members of the answer ("{object_type}/{id}").
    - ``natural_key``: the inputs by which an existing object is recognised, in its container, as the one that is wanted.
    - ``within``: the container of the object. Listings are made within it, and a container made in this very run is
      known to be empty, unless it says otherwise.
    - ``mark``: the input with room for a word on who owns the object, without hurting a person's reading.
    - ``encode`` / ``decode``: payload to request body and document to inputs, both in wire names, where the platform reads
      differently from what it shows.
    - ``hidden``: tells of a document that it was deleted, though the platform still lists it (archived, disabled).
    - ``claim``: the calls that it takes before an existing object can be written to (a Slack bot must join a channel).
    - ``reset``: what a field goes back to when its setting is removed, in wire names; null where nothing is said.
    - ``irreplaceable``: for objects with data, which an empty one must not take the place of: what to do instead. A change
      of an immutable input is then a mistake in the settings.
    """

    api: Api
    title: str
    setting: str
    inputs: type[Inputs]
    calls: Calls
    identity: str
    natural_key: tuple[str, ...] = ()
    within: Within | None = None
    outputs: tuple[Out, ...] = ()
    mark: str | None = None
    encode: Callable[[Json, Inputs], Json] = lambda payload, _wanted: payload
    decode: Callable[[Json], Json] = lambda document: document
    hidden: Callable[[Json], bool] = lambda _document: False
    claim: Callable[[Json], tuple[Call, ...]] = lambda _document: ()
    slow: Slow | None = None
    delete_before_replace: bool = False
    reset: Mapping[str, Any] = field(default_factory=dict)
    irreplaceable: str = ""

    @property
    def immutable(self) -> list[str]:
        return self.inputs.marked(IMMUTABLE)

    @property
    def write_only(self) -> list[str]:
        return self.inputs.marked(WRITE_ONLY)

    @property
    def carried(self) -> list[str]:
        return self.inputs.marked(CARRIED)

    @property
    def unseen(self) -> list[str]:
        return self.inputs.marked(UNSEEN)

    def credentials(self) -> list[str]:
        """The values that must never be seen in a message about this kind."""
        auths = [call.auth for call in self.calls.every() if call.auth]
        return [*self.api.secrets(), *(secret for auth in auths for secret in auth.secrets() if secret)]

    @property
    def shows_secret_once(self) -> bool:
        return any(out.once for out in self.outputs)

    def container(self, inputs: Inputs) -> dict[str, Any]:
        """The input with the id of the object's container, if the kind has one and it is known."""
        value = getattr(inputs, self.within.input, None) if self.within else None
        return {} if self.within is None or value is None else {self.within.input: value}

    @property
    def place(self) -> set[str]:
        """The inputs that tell one object of the kind from all others: its natural key, and its container."""
        return {*self.natural_key, *([self.within.input] if self.within else [])}

    def identify(self, document: Json, inputs: Mapping[str, Any]) -> str:
        """The object's id; "" if the answer has none. What the document shows counts more than what the inputs say."""
        if "{" in self.identity:
            shown = self.shown(document)
            names = {name: self.inputs.wire_name(name) for name in self.inputs.model_fields}
            try:
                known = {**inputs, **{n: shown[w] for n, w in names.items() if w in shown}}
                return self.identity.format_map({**document, **known})
            except KeyError:
                return ""
        return str(document.get(self.identity) or "")

    def shown(self, document: Json) -> Json:
        """A document as inputs, in wire names, without the mark of its owner."""
        shown = self.decode(document)
        if not self.mark:
            return shown
        name = self.inputs.wire_name(self.mark)
        return {**shown, name: unmarked(shown.get(name))}

    def owner(self, document: Json) -> str | None:
        """The ``project/stack`` whose mark an object carries; None if it has none, or the kind has no room for one."""
        return owner(self.decode(document).get(self.inputs.wire_name(self.mark))) if self.mark else None

    def key_of(self, wire: Mapping[str, Any]) -> dict[str, Any]:
        """The members of inputs (or of what is shown), in wire names, that make up the natural key; absent ones left out."""
        names = [self.inputs.wire_name(name) for name in self.natural_key]
        return {name: wire[name] for name in names if name in wire}
