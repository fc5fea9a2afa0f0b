"""Sending inputs to a platform: the whole of them, or what changed, in the spelling that its calls want."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from providers.base.api import Json
from providers.base.calls import KNOWN
from providers.base.errors import PlatformError, Trouble
from providers.base.inputs import Inputs, merged, project
from providers.base.kind import Kind
from providers.base.ownership import marked


@dataclass(frozen=True)
class Writing:
    """The write side of a kind for one stack (``project/stack``, which the ownership mark names)."""

    kind: Kind
    stack: str

    def create(self, inputs: Inputs) -> Json:
        """One create call with all inputs that it takes; the answer's object."""
        takes = self.kind.calls.create_takes
        names = [n for n in self.kind.inputs.model_fields if takes is None or self.kind.inputs.wire_name(n) in takes]
        return self.kind.calls.create.send(self.kind.api, inputs.state(), self._payload(inputs, names))

    def rehearse(self, inputs: Inputs) -> None:
        """Has the platform try all inputs, and change nothing. Raises ``PlatformError`` with what it finds."""
        if self.kind.calls.rehearse:
            payload = self._payload(inputs, list(self.kind.inputs.model_fields))
            self.kind.calls.rehearse.send(self.kind.api, inputs.state(), payload)

    def pending(self, inputs: Inputs, document: Json, *, taken_over: bool, as_it_is: bool = False) -> set[str]:
        """What is left to set after a create or a takeover: inputs that have calls of their own, and differences.

        ``as_it_is``: only in what the platform shows; no mark is set, and no secret sent, on an object that somebody else
        made and that works as it is.
        """
        takes = self.kind.calls.create_takes
        if as_it_is:
            return self._shown_differences(inputs, document)
        if taken_over:
            return self._differences(inputs, document)
        if takes is None:
            return set()
        return {n for n in self._differences(inputs, document) if self.kind.inputs.wire_name(n) not in takes}

    def apply(self, id_: str, inputs: Inputs, changed: Iterable[str], known: Mapping[str, Any] | None = None) -> Json:
        """Sends the inputs named: those with a call of their own by it, the others in one update. The last answer.

        ``known``: what the state has of the object.
        """
        calls, values = self.kind.calls, {**inputs.state(), "id": id_, KNOWN: known or {}}
        document: Json = {}
        together = []
        for name in sorted(changed):
            setter = calls.setters.get(self.kind.inputs.wire_name(name))
            if setter:
                document = {**document, **setter.send(self.kind.api, values, self._payload(inputs, [name], clear=True))}
            else:
                together.append(name)
        if together and calls.update:
            payload = self._update_payload(id_, inputs, together)
            document = {**document, **calls.update.send(self.kind.api, values, payload)}
        return document

    def claim(self, id_: str, inputs: Inputs, found: Json) -> None:
        """Makes an existing object one that we can write to; one that was deleted, and is kept, is brought back."""
        values = {**inputs.state(), "id": id_}
        for call in self.kind.calls.revive if self.kind.hidden(found) else ():
            try:
                call.send(self.kind.api, values)
            except PlatformError:
                # One whose answer was lost is refused when it is sent again: there is nothing left to bring back.
                read = self.kind.calls.read
                if read is None or self.kind.hidden(read.send(self.kind.api, values)):
                    raise
        for call in self.kind.claim(found):
            call.send(self.kind.api, values)

    def wait_until_ready(self, id_: str, inputs: Inputs, document: Json) -> Json:
        """Polls a slow object, of which ``document`` is what is known. Raises ``PlatformError`` if it failed for good or
        our patience ends.
        """
        slow, read = self.kind.slow, self.kind.calls.read
        if slow is None or read is None:
            return document
        deadline = time.monotonic() + slow.patience
        while (state := slow.state(document) if document else False) is not True:
            if state:
                raise PlatformError(Trouble.INVALID, str(state))
            if time.monotonic() > deadline:
                raise PlatformError(
                    Trouble.BUSY, f"not ready after {slow.patience:.0f} s; it stays known and is looked at again"
                )
            if document:
                time.sleep(slow.interval)
            document = {**document, **read.send(self.kind.api, {**inputs.state(), "id": id_})}
        return document

    def _update_payload(self, id_: str, inputs: Inputs, names: list[str]) -> Json:
        calls = self.kind.calls
        if calls.update_sends == "changed":
            return self._payload(inputs, names, clear=True)
        whole = self._payload(inputs, [n for n in self.kind.inputs.model_fields if n not in self.kind.immutable])
        if calls.update_sends == "merged" and calls.read:
            live = calls.read.send(self.kind.api, {**inputs.state(), "id": id_})
            both: Json = merged(live, whole)
            return both
        return whole

    def _payload(self, inputs: Inputs, names: list[str], *, clear: bool = False) -> Json:
        """The wire form of some inputs. ``clear``: one without a value goes back to what the kind says, else to null."""
        wire = inputs.wire()
        payload: Json = {}
        for name in names:
            key = self.kind.inputs.wire_name(name)
            if key in wire:
                payload[key] = wire[key]
            elif clear:
                payload[key] = self.kind.reset.get(key)
        if self.kind.mark in names:
            key = self.kind.inputs.wire_name(str(self.kind.mark))
            payload[key] = marked(wire.get(key), self.stack)
        body: Json = self.kind.encode(payload, inputs)
        return body

    def _differences(self, inputs: Inputs, document: Json) -> set[str]:
        """The inputs in which a live object is not what is wanted. Its secrets are unknown, so they are always sent."""
        mark = {self.kind.mark} if self.kind.mark and self.kind.owner(document) != self.stack else set()
        secret = {n for n in self.kind.write_only if n in inputs.state() and n not in self.kind.carried}
        return mark | secret | self._shown_differences(inputs, document)

    def _shown_differences(self, inputs: Inputs, document: Json) -> set[str]:
        shown = self.kind.shown(document)
        live = self.kind.inputs.from_wire(project(shown, inputs.wire()))
        silent = {name for name in self.kind.immutable if self.kind.inputs.wire_name(name) not in shown}
        unseen = {*self.kind.write_only, *self.kind.carried, *self.kind.unseen, *silent}
        return {name for name, wanted in inputs.state().items() if name not in unseen and live.get(name) != wanted}
