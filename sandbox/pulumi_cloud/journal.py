"""The journal of an update: what the engine did to a state, step by step, and the state that comes of it.

With a journal the engine says what each step changed; without one it sends the whole state after each step. What the
entries mean is said by ``apitype.JournalEntry``, and what becomes of them by ``backend.JournalReplayer``, both in
github.com/pulumi/pulumi v3.258.0.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from enum import IntEnum
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from sandbox.pulumi_cloud.calls import ApiError, Json
from sandbox.pulumi_cloud.state_links import in_order, normalized, without_dangling_links

VERSION = 1
"""The version of the journal that is understood here; the engine speaks no other."""

_SCHEMA, _SCHEMA_WITH_FEATURES = 3, 4
_BYTE_STRING, _SNIPPETS = "byteString", "snippets-prototype"
# What an engine must know to read a resource that has the member (stack.ApplyFeatures).
_FEATURES = {
    "refreshBeforeUpdate": "refreshBeforeUpdate",
    "viewOf": "views",
    "resourceHooks": "hooks",
    "taint": "taint",
    "replaceWith": "replaceWith",
    "extensionRef": "extensionParameterization",
    "snippetID": _SNIPPETS,
}


class Kind(IntEnum):
    """What an entry tells."""

    BEGIN = 0
    SUCCESS = 1
    FAILURE = 2
    REFRESH_SUCCESS = 3
    OUTPUTS = 4
    WRITE = 5
    SECRETS_MANAGER = 6
    REBUILT_BASE_STATE = 7
    EXTENSION = 8
    SNIPPETS = 9


def _resource(value: Json) -> Json:
    urn = value.get("urn")
    if not isinstance(urn, str) or urn.count("::") < 3:
        raise ValueError("a resource needs a URN")
    return value


def _operation(value: Json) -> Json:
    resource = value.get("resource")
    if not value.get("type") or not isinstance(resource, dict):
        raise ValueError("an operation needs a type and a resource")
    _resource(resource)
    return value


def _snapshot(value: Json) -> Json:
    resources = value.get("resources") or []
    if not isinstance(resources, list) or not all(isinstance(resource, dict) for resource in resources):
        raise ValueError("a snapshot's resources must be a list of objects")
    for resource in resources:
        _resource(resource)
    return value


_Number = Annotated[int, Field(strict=True, ge=0)]


class Entry(BaseModel):
    """One entry. Numbers of "old" resources are places in the base's list, those of "new" ones are operations."""

    model_config = ConfigDict(alias_generator=to_camel, frozen=True)

    version: Literal[1]
    kind: Annotated[int, Field(strict=True, ge=min(Kind), le=max(Kind))]
    sequence: Annotated[int, Field(strict=True, ge=1, lt=2**63, alias="sequenceID")]
    operation_number: Annotated[_Number, Field(alias="operationID")]
    remove_old: _Number | None = None
    remove_new: _Number | None = None
    pending_replacement_old: _Number | None = None
    pending_replacement_new: _Number | None = None
    delete_old: _Number | None = None
    delete_new: _Number | None = None
    state: Annotated[dict[str, Any], AfterValidator(_resource)] | None = None
    operation: Annotated[dict[str, Any], AfterValidator(_operation)] | None = None
    is_refresh: bool = False
    secrets_provider: dict[str, Any] | None = None
    snippets: list[dict[str, Any]] | None = None
    new_snapshot: Annotated[dict[str, Any], AfterValidator(_snapshot)] | None = None
    extension_ref: str | None = None
    extension: Any = None
    requires_byte_string: bool = False

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        needed = {Kind.WRITE: "new_snapshot", Kind.SECRETS_MANAGER: "secrets_provider", Kind.EXTENSION: "extension_ref"}
        member = needed.get(Kind(self.kind))
        if member is not None and getattr(self, member) is None:
            raise ValueError(f"an entry of kind {self.kind} needs {to_camel(member)}")
        return self


def checked(document: Any) -> Entry:
    """The entry; 400 with every mistake if it is none."""
    try:
        return Entry.model_validate(document)
    except ValidationError as error:
        mistakes = [f"{'.'.join(map(str, one['loc'])) or 'entry'}: {one['msg']}" for one in error.errors()]
        number = document.get("sequenceID") if isinstance(document, dict) else None
        raise ApiError(400, f"Bad Request: journal entry {number} is not valid: {'; '.join(mistakes)}") from error


def replayed(base: Json, entries: Iterable[Entry], *, engine: str, time: str) -> Json:
    """The state that ``entries``, in the order of their sequence, make of ``base``, each in its envelope.

    ``engine`` is the version of the engine that wrote the entries, "" if unknown; ``time`` is when it did, in RFC 3339.
    An entry that refers to what is not there, because its batch was lost, changes nothing else.
    """
    replay = _Replay(base)
    for entry in entries:
        replay.add(entry)
    return replay.document(engine, time)


class _Replay:
    def __init__(self, base: Json) -> None:
        self.base: Json = base.get("deployment") or {}
        self.byte_string = _BYTE_STRING in (base.get("features") or [])
        self.refreshed = False
        self._forget()

    def _forget(self) -> None:
        """What was done to the base so far is part of it from now on."""
        self.new: dict[int, Json] = {}
        self.replaced: dict[int, Json] = {}
        self.removed: set[int] = set()
        self.marked: dict[int, Json] = {}
        self.begun: dict[int, Json] = {}
        self.extensions: Json = {}

    def add(self, entry: Entry) -> None:
        self.byte_string |= entry.requires_byte_string
        if entry.kind == Kind.BEGIN and entry.operation is not None:
            self.begun[entry.operation_number] = entry.operation
        elif entry.kind in (Kind.SUCCESS, Kind.REFRESH_SUCCESS, Kind.FAILURE):
            self.begun.pop(entry.operation_number, None)
            if entry.kind != Kind.FAILURE:
                self.refreshed |= entry.is_refresh or entry.kind == Kind.REFRESH_SUCCESS
                self._succeed(entry) if entry.kind == Kind.SUCCESS else self._replace(entry, entry.state)
        elif entry.kind == Kind.OUTPUTS and entry.state is not None:
            self._replace(entry, entry.state)
        elif entry.kind == Kind.WRITE:
            self.base = {"secrets_providers": self.base.get("secrets_providers"), **(entry.new_snapshot or {})}
        elif entry.kind == Kind.SECRETS_MANAGER:
            self.base = {**self.base, "secrets_providers": entry.secrets_provider}
        elif entry.kind == Kind.REBUILT_BASE_STATE:
            self.base = self._deployment(rebuilt=True)
            self._forget()
        elif entry.kind == Kind.EXTENSION and entry.extension_ref is not None:
            self.extensions[entry.extension_ref] = entry.extension
        elif entry.kind == Kind.SNIPPETS:
            self.base = {**self.base, "snippets": entry.snippets or []}

    def _succeed(self, entry: Entry) -> None:
        if entry.state is not None:
            self.new[entry.operation_number] = entry.state
        if entry.remove_old is not None:
            self.removed.add(entry.remove_old)
        if entry.remove_new is not None:
            self.new.pop(entry.remove_new, None)
        self._mark("delete", entry.delete_old, entry.delete_new)
        self._mark("pendingReplacement", entry.pending_replacement_old, entry.pending_replacement_new)

    def _mark(self, member: str, old: int | None, new: int | None) -> None:
        if old is not None:
            self.marked[old] = {**self.marked.get(old, {}), member: True}
        if new in self.new:
            self.new[new] = {**self.new[new], member: True}

    def _replace(self, entry: Entry, state: Json | None) -> None:
        """Another state in the place of a resource; without a state, the resource is gone."""
        if entry.remove_old is not None:
            if state is None:
                self.removed.add(entry.remove_old)
            else:
                self.replaced[entry.remove_old] = state
        if entry.remove_new in self.new:
            if state is None:
                del self.new[entry.remove_new]
            else:
                self.new[entry.remove_new] = state

    def _deployment(self, *, rebuilt: bool = False) -> Json:
        """The base as it is after the entries so far, but for its manifest."""
        kept = [
            {**self.replaced.get(place, resource), **self.marked.get(place, {})}
            for place, resource in enumerate(self.base.get("resources") or [])
            if place not in self.removed
        ]
        resources = [*self.new.values(), *kept]
        if self.refreshed:
            resources = without_dangling_links(resources, rebuilt=rebuilt)
        resources, current = normalized(resources)
        # What an unchanged resource's entry says is lost without an error when its batch is: the resource then stands
        # where it stood, after new ones that refer to it.
        resources = in_order(resources)
        # Only a person can tell what became of a creation that an earlier run did not see the end of.
        earlier = [one for one in self.base.get("pending_operations") or [] if one.get("type") == "creating"]
        metadata = {key: value for key, value in (self.base.get("metadata") or {}).items() if key != "integrity_error"}
        members = {
            "secrets_providers": self.base.get("secrets_providers"),
            "resources": resources,
            "pending_operations": [*self.begun.values(), *earlier],
            "snippets": [_referring(snippet, current) for snippet in self.base.get("snippets") or []],
            "extensions": {**self.extensions, **(self.base.get("extensions") or {})},
        }
        return {key: value for key, value in members.items() if value} | {"metadata": metadata}

    def document(self, engine: str, time: str) -> Json:
        magic = hashlib.sha256(engine.encode()).hexdigest() if engine else ""
        deployment = {"manifest": {"time": time, "magic": magic, "version": engine}, **self._deployment()}
        features = self._features(deployment)
        if not features:
            return {"version": _SCHEMA, "deployment": deployment}
        return {"version": _SCHEMA_WITH_FEATURES, "features": features, "deployment": deployment}

    def _features(self, deployment: Json) -> list[str]:
        resources = [
            *(deployment.get("resources") or []),
            *(operation.get("resource") or {} for operation in deployment.get("pending_operations") or []),
        ]
        found = {feature for member, feature in _FEATURES.items() if any(r.get(member) for r in resources)}
        if self.byte_string:
            found.add(_BYTE_STRING)
        if deployment.get("snippets"):
            found.add(_SNIPPETS)
        return sorted(found)


def _referring(snippet: Json, current: Any) -> Json:
    references = snippet.get("references")
    if not references:
        return snippet
    return {**snippet, "references": {name: current(urn) for name, urn in references.items()}}
