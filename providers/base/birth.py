"""How an object comes under management: found and taken over, or made, and never made twice."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from providers.base.api import Json
from providers.base.errors import PlatformError, ProviderError, Trouble
from providers.base.inputs import Inputs, project
from providers.base.inventory import Inventory
from providers.base.kind import Kind
from providers.base.writing import Writing

TRIES = 4
"""How often a create is sent, each time after the platform was asked whether the one before has worked."""

LOOK_AFTER_SECONDS = (0.5, 1.0, 2.0)
"""The pauses before each look for what an unanswered create has made: lists may show a new object late."""


@dataclass
class Birth:
    """Brings one object about, for one resource of one stack."""

    kind: Kind
    inputs: Inputs
    stack: str
    inventory: Inventory
    urn: str = ""
    taken_over: bool = field(default=False, init=False)

    def bring_about(self, *, adopt: bool, interrupted: bool) -> tuple[str, Json]:
        """The object's id and document. Raises ``ProviderError`` for one that exists and is not ours to take."""
        found = self._existing()
        if found is None:
            return self._make(adopt=adopt, interrupted=interrupted)
        return self._take_over(found, adopt=adopt, interrupted=interrupted)

    def _existing(self, *, fresh: bool = False) -> Json | None:
        """The one live object with our natural key, if there is one."""
        if not fresh and self.inventory.empty_container(self.kind, self.inputs):
            return None
        if self.kind.calls.listing:
            return self._only(self.inventory.find(self.kind, self.inputs, fresh=fresh))
        if "{" in self.kind.identity and self.kind.calls.read:
            try:
                return self.kind.calls.read.send(self.kind.api, self.inputs.state())
            except PlatformError as error:
                if error.trouble is not Trouble.NOT_FOUND:
                    raise
        return None

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
                found = self._left_behind(error, unanswered_before=failure is not None)
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
            return id_, document
        raise failure or PlatformError(Trouble.BROKEN, "the platform made nothing")

    def _told_id(self, document: Json) -> str:
        id_ = self._id(document)
        if not id_:
            raise PlatformError(Trouble.UNANSWERED, f"the answer to the create call has no {self.kind.identity}")
        return id_

    def _left_behind(self, error: PlatformError, *, unanswered_before: bool) -> Json | None:
        """What a create that failed has left on the platform; None if nothing, so that it may be sent again.

        Before the create there was no such object, or we would have stopped: one that is there now is the create's work,
        or, where the platform speaks of a conflict at once, that of somebody quicker.
        """
        if not (error.outcome_unknown or error.trouble is Trouble.CONFLICT):
            raise error
        if not self._can_look:
            if error.trouble is Trouble.CONFLICT:
                raise error
            raise self._refusal(
                f"{error.said}; the platform offers no way to see whether it was made",
                "look for it on the platform: delete it there if it exists, then run the same command again",
            ) from error
        found = self._look(patiently=error.outcome_unknown or unanswered_before)
        if found is None and error.trouble is Trouble.CONFLICT:
            raise error
        return found

    def _look(self, *, patiently: bool) -> Json | None:
        for pause in LOOK_AFTER_SECONDS if patiently else (0.0,):
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
        if not (ours or adopt or interrupted):
            raise self._refusal(
                f"it exists already ({id_}) and is not managed by this stack",
                f"set `adopt: true` on this setting to take it over as it is, or give it another {self._key()}",
            )
        if fixed := self._fixed_otherwise(found):
            raise self._refusal(
                f"it exists already ({id_}) with another {' and '.join(fixed)}, which the platform cannot change",
                f"give this one another {self._key()}, or set {' and '.join(fixed)} back to what it is there",
            )
        if not self.inventory.take_over(self.kind, id_, self.urn):
            raise self._taken(id_)
        Writing(self.kind, self.stack).claim(id_, self.inputs, found)
        self.taken_over = True
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
        delete.send(self.kind.api, {**self.inputs.state(), "id": id_})
        self.inventory.forget(self.kind, self.inputs, id_)

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
