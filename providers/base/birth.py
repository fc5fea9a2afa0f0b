"""How an object comes under management: found and taken over, or made, and never made twice."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from providers.base.api import Json, looking
from providers.base.calls import Operation
from providers.base.errors import PlatformError, ProviderError, Trouble
from providers.base.inputs import Inputs, project
from providers.base.inventory import Inventory
from providers.base.kind import Kind
from providers.base.writing import Writing

TRIES = 4
"""How often a create is sent, each time after the platform was asked whether the one before has worked."""

LOOK_AFTER_SECONDS = (0.5, 1.0, 2.0)
"""The pauses before each look for what an unanswered create has made: a new object may be seen late."""


@dataclass
class Birth:
    """Brings one object about, for one resource of one stack."""

    kind: Kind
    inputs: Inputs
    stack: str
    inventory: Inventory
    urn: str = ""
    taken_over: bool = field(default=False, init=False)
    as_it_is: bool = field(default=False, init=False)
    """Whether what was taken over is somebody else's work: nothing is sent that cannot be seen to differ."""
    maybe_made: bool = field(default=False, init=False)
    """Whether a create was sent of which the platform never told the outcome."""

    def bring_about(self, *, adopt: bool, interrupted: bool) -> tuple[str, Json]:
        """The object's id and document. Raises ``ProviderError`` for one that exists and is not ours to take."""
        found = self._existing()
        if found is None and interrupted:
            found = self._look_or_refuse()
        if found is None:
            return self._make(adopt=adopt, interrupted=interrupted)
        return self._take_over(found, adopt=adopt, interrupted=interrupted)

    def _existing(self, *, fresh: bool = False) -> Json | None:
        """The one live object with our natural key, if there is one."""
        if not fresh and self.inventory.empty_container(self.kind, self.inputs):
            return None
        if self.kind.calls.listing:
            listed = self.inventory.find(self.kind, self.inputs, fresh=fresh)
            found = self._only(listed if fresh else [document for document in listed if self._exists(document)])
            return found if found or not self.kind.calls.find else self._asked(self.kind.calls.find)
        if "{" in self.kind.identity and self.kind.calls.read:
            return self._asked(self.kind.calls.read)
        return None

    def _asked(self, call: Operation) -> Json | None:
        """The object that a call shows by what the inputs say; None if there is none."""
        try:
            with looking():
                return call.send(self.kind.api, self.inputs.state())
        except PlatformError as error:
            if error.trouble is not Trouble.NOT_FOUND:
                raise
        return None

    def _exists(self, listed: Json) -> bool:
        """Whether an object that a list shows can be read: lists may show what was deleted a moment ago."""
        id_, read = self._id(listed), self.kind.calls.read
        if read is None:
            return True
        try:
            read.send(self.kind.api, {**self.inputs.state(), "id": id_})
        except PlatformError as error:
            if error.trouble is not Trouble.NOT_FOUND:
                raise
            self.inventory.forget(self.kind, self.inputs, id_, gone=True)
            return False
        return True

    def _only(self, matches: list[Json]) -> Json | None:
        if not self.kind.calls.revive:
            matches = [document for document in matches if not self.kind.hidden(document)]
        ours = [document for document in matches if self.kind.owner(document) == self.stack]
        if len(ours) == 1 or not matches:
            return ours[0] if ours else None
        if len(matches) == 1:
            return matches[0]
        ids = ", ".join(self._id(document) for document in matches)
        raise self._refusal(
            f"{len(matches)} objects with the same {self._key()} exist: {ids}",
            "remove or rename all but one on the platform, so that it is clear which one is meant",
        )

    def _make(self, *, adopt: bool, interrupted: bool) -> tuple[str, Json]:
        writing = Writing(self.kind, self.stack)
        failure: PlatformError | None = None
        for _ in range(TRIES):
            try:
                document = writing.create(self.inputs)
                id_ = self._told_id(document)
            except PlatformError as error:
                found = self._left_behind(error)
                if found is None:
                    failure = error
                    continue
                quicker = failure is None and error.trouble is Trouble.CONFLICT
                if quicker or self.kind.owner(found) not in (None, self.stack):
                    return self._take_over(found, adopt=adopt, interrupted=interrupted)
                failure = error
                if self.kind.shows_secret_once:
                    self._remove(found)
                    continue
                self.taken_over, id_, document = True, self._id(found), found
            self.inventory.created(self.kind, self.inputs, id_, document, self.urn)
            if failure is not None and not self.taken_over:
                self._remove_twins(id_)
            return id_, document
        raise failure or PlatformError(Trouble.BROKEN, "the platform made nothing")

    def _remove_twins(self, id_: str) -> None:
        """What a create left that was given up for lost, and sent again, because it was not to be seen in time."""
        if self.kind.calls.listing is None or self.kind.calls.delete is None:
            return
        time.sleep(LOOK_AFTER_SECONDS[-1])
        for document in self.inventory.find(self.kind, self.inputs, fresh=True):
            ours = self.kind.owner(document) == (self.stack if self.kind.mark else None)
            if ours and self._id(document) != id_ and not self.kind.hidden(document):
                self._remove(document)

    def _told_id(self, document: Json) -> str:
        id_ = self._id(document)
        if not id_:
            raise PlatformError(Trouble.UNANSWERED, f"the answer to the create call has no {self.kind.identity}")
        return id_

    def _left_behind(self, error: PlatformError) -> Json | None:
        """What a create that failed has left on the platform; None if nothing, so that it may be sent again.

        Before the create there was no such object, or we would have stopped: one that is there now is the create's work,
        or, where the platform speaks of a conflict at once, that of somebody quicker.
        """
        self.maybe_made = self.maybe_made or error.outcome_unknown
        if not (error.outcome_unknown or error.trouble is Trouble.CONFLICT):
            raise error
        if not self._can_look:
            if error.trouble is Trouble.CONFLICT:
                raise error
            raise self._refusal(
                f"{error.said}; the platform offers no way to see whether it was made",
                self._check(),
            ) from error
        found = self._look()
        if found is None and error.trouble is Trouble.CONFLICT:
            raise error
        return found

    def _look_or_refuse(self) -> Json | None:
        if not self._can_look:
            raise self._refusal(
                "an interrupted run may have made it, and the platform offers no way to see whether it did",
                self._check(),
            )
        return self._look()

    def _check(self) -> str:
        """What a person is to do where only a person can look."""
        stack = self.stack.rpartition("/")[2]
        forget = f"`sophia refresh {stack} --forget-interrupted`"
        return f"look for it on the platform, delete it there if it exists; then {forget}, and the same command again"

    def _look(self) -> Json | None:
        """What an earlier create has made, which may be seen late."""
        for pause in LOOK_AFTER_SECONDS:
            time.sleep(pause)
            found = self._existing(fresh=True)
            if found is not None:
                return found
        return None

    def _take_over(self, found: Json, *, adopt: bool, interrupted: bool) -> tuple[str, Json]:
        id_, whose = self._id(found), self.kind.owner(found)
        if whose not in (None, self.stack):
            raise self._refusal(
                f"it exists already ({id_}) and is managed by {whose}",
                f"remove it from {whose} first, or give this one another {self._key()}",
            )
        ours = whose == self.stack
        if self.kind.shows_secret_once:
            return self._replace(found, ours=ours or (interrupted and not self.kind.mark))
        # What was deleted, of a kind with no room for a mark, is nobody's any more.
        left = self.kind.hidden(found) and not self.kind.mark
        if not (ours or left or adopt or interrupted):
            raise self._refusal(
                f"it exists already ({id_}) and is not managed by this stack",
                f"take it over with `sophia adopt {self.stack.rpartition('/')[2]}`, or set `adopt: true` on this setting; "
                f"or give it another {self._key()}",
            )
        if fixed := self._fixed_otherwise(found):
            raise self._refusal(
                f"it exists already ({id_}) with another {' and '.join(fixed)}, which the platform cannot change",
                f"give this one another {self._key()}, or set {' and '.join(fixed)} back to what it is there",
            )
        if not self.inventory.take_over(self.kind, id_, self.urn):
            raise self._taken(id_)
        Writing(self.kind, self.stack).claim(id_, self.inputs, found)
        self.taken_over, self.as_it_is = True, adopt and not (ours or interrupted)
        return id_, found

    def _fixed_otherwise(self, found: Json) -> list[str]:
        """The immutable inputs in which an object is not what is wanted.

        A replacement finds the very object that it is to replace: taking that over would delete it right afterwards.
        """
        wire, shown = self.inputs.wire(), self.kind.shown(found)
        live, wanted = self.kind.inputs.from_wire(project(shown, wire)), self.inputs.state()
        container = self.kind.container(self.inputs)
        names = [(name, self.kind.inputs.wire_name(name)) for name in self.kind.immutable if name not in container]
        return [name for name, key in names if key in wire and key in shown and live.get(name) != wanted.get(name)]

    def _replace(self, found: Json, *, ours: bool) -> tuple[str, Json]:
        """An object of ours whose secret was lost with the run that made it is worthless: a new one takes its place."""
        if not ours:
            raise self._refusal(
                f"it exists already ({self._id(found)}), and its secret was shown only to whoever made it",
                f"delete it on the platform, or give this one another {self._key()}; it cannot be adopted",
            )
        if not self.inventory.take_over(self.kind, self._id(found), self.urn):
            raise self._taken(self._id(found))
        self._remove(found)
        return self._make(adopt=False, interrupted=False)

    def _remove(self, document: Json) -> None:
        id_, delete = self._id(document), self.kind.calls.delete
        if delete is None:
            raise self._refusal(
                f"it exists already ({id_}), its secret is lost, and the platform has no call to delete it",
                f"give this one another {self._key()}",
            )
        try:
            delete.send(self.kind.api, {**self.inputs.state(), "id": id_})
        except PlatformError as error:
            if error.trouble is not Trouble.NOT_FOUND:
                raise
        self.inventory.forget(self.kind, self.inputs, id_, gone=True)

    @property
    def _can_look(self) -> bool:
        return bool(self.kind.calls.listing) or ("{" in self.kind.identity and self.kind.calls.read is not None)

    def _id(self, document: Json) -> str:
        return self.kind.identify(document, self.inputs.state())

    def _key(self) -> str:
        """The natural key in words: ``name``, or ``source_id and destination_id``."""
        given = self.inputs.state()
        return " and ".join(name for name in self.kind.natural_key if name in given) or "name"

    def _taken(self, id_: str) -> ProviderError:
        return self._refusal(
            f"it exists already ({id_}): another resource of this stack has it",
            f"give this one another {self._key()}, or remove one of the two",
        )

    def _refusal(self, said: str, do: str) -> ProviderError:
        return ProviderError("", said, "", do)
