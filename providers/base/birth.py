"""How an object comes under management: found and taken over, or made, and never made twice."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from providers.base.api import Json
from providers.base.errors import PlatformError, ProviderError, Trouble
from providers.base.inputs import Inputs
from providers.base.inventory import Inventory
from providers.base.kind import Kind
from providers.base.writing import Writing

TRIES = 5
"""How often a create is sent, each time after the platform was asked whether the one before has worked."""

FIRST_WAIT_SECONDS = 0.5


@dataclass
class Birth:
    """Brings one object about, for one resource of one stack."""

    kind: Kind
    inputs: Inputs
    stack: str
    inventory: Inventory
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
            listed = self.inventory.list(self.kind, self.inputs, fresh=fresh)
            return self._only([document for document in listed if self.kind.matches(document, self.inputs)])
        if "{" in self.kind.identity and self.kind.calls.read:
            try:
                return self.kind.calls.read.send(self.kind.api, self.inputs.state())
            except PlatformError as error:
                if error.trouble is not Trouble.NOT_FOUND:
                    raise
        return None

    def _only(self, matches: list[Json]) -> Json | None:
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
        for attempt in range(TRIES):
            try:
                document = writing.create(self.inputs)
            except PlatformError as error:
                found = self._after(error, attempt)
                if found is None:
                    continue
                if error.trouble is Trouble.CONFLICT:
                    return self._take_over(found, adopt=adopt, interrupted=interrupted)
                if not self.kind.shows_secret_once:
                    self.taken_over = True
                    return self._id(found), found
                self._remove(found)
                continue
            id_ = self._id(document)
            if not id_:
                raise PlatformError(Trouble.UNANSWERED, f"the answer to the create call has no {self.kind.identity}")
            self.inventory.created(self.kind, self.inputs, id_, document)
            return id_, document
        raise PlatformError(Trouble.BROKEN, f"the platform failed {TRIES} times and made nothing")

    def _after(self, error: PlatformError, attempt: int) -> Json | None:
        """What a create that failed has left on the platform; None if nothing, so that it may be sent again.

        Before the create there was no such object, or we would have stopped: one that is there now is the create's work.
        """
        if error.trouble is Trouble.CONFLICT:
            found = self._existing(fresh=True) if self._can_look else None
            if found is None:
                raise error
            return found
        if not error.outcome_unknown:
            raise error
        if not self._can_look:
            raise self._refusal(
                f"{error.said}; the platform offers no way to see whether it was made",
                "look for it on the platform: delete it there if it exists, then run the same command again",
            ) from error
        if attempt == TRIES - 1:
            raise error
        time.sleep(FIRST_WAIT_SECONDS * 2**attempt)
        return self._existing(fresh=True)

    def _take_over(self, found: Json, *, adopt: bool, interrupted: bool) -> tuple[str, Json]:
        id_, whose = self._id(found), self.kind.owner(found)
        if whose not in (None, self.stack):
            raise self._refusal(
                f"it exists already ({id_}) and is managed by {whose}",
                f"remove it from {whose} first, or give this one another {self._key()}",
            )
        ours = whose == self.stack
        if self.kind.shows_secret_once:
            return self._replace(found, ours=ours)
        if not (ours or adopt or interrupted):
            raise self._refusal(
                f"it exists already ({id_}) and is not managed by this stack",
                f"set `adopt: true` on this setting to take it over as it is, or give it another {self._key()}",
            )
        if self.kind.hidden(found):
            Writing(self.kind, self.stack).revive(id_, self.inputs)
        self.taken_over = True
        return id_, found

    def _replace(self, found: Json, *, ours: bool) -> tuple[str, Json]:
        """An object of ours whose secret was lost with the run that made it is worthless: a new one takes its place."""
        if not ours:
            raise self._refusal(
                f"it exists already ({self._id(found)}), and its secret was shown only to whoever made it",
                f"delete it on the platform, or give this one another {self._key()}; it cannot be adopted",
            )
        self._remove(found)
        return self._make(adopt=False, interrupted=False)

    def _remove(self, document: Json) -> None:
        if self.kind.calls.delete:
            self.kind.calls.delete.send(self.kind.api, {**self.inputs.state(), "id": self._id(document)})
        self.inventory.forget(self.kind, self.inputs)

    @property
    def _can_look(self) -> bool:
        return bool(self.kind.calls.listing) or ("{" in self.kind.identity and self.kind.calls.read is not None)

    def _id(self, document: Json) -> str:
        return self.kind.identify(document, self.inputs.state())

    def _key(self) -> str:
        """The natural key in words: ``name``, or ``source_id and destination_id``."""
        return " and ".join(name for name in self.kind.natural_key if name != self.kind.scope) or "name"

    def _refusal(self, said: str, do: str) -> ProviderError:
        return ProviderError("", said, "", do)
