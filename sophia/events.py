"""The engine's events, typed.

Parsed from the raw JSON of ``--event-log`` (apitype.EngineEvent in Pulumi's Go SDK): the Automation API's own classes
turn five kinds into empty objects, the policy events among them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

_PLATFORM_TYPE = "sophia:platform:"
_STACK_TYPE = "pulumi:pulumi:Stack"
SECRET = "[secret]"  # noqa: S105 - the mask of a secret value, not one
UNKNOWN = "(known after the run)"
_UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""How the engine's events spell a value that is not known before the run (plugin.UnknownStringValue in its SDK)."""
_SIGNATURE = "4dabf18193072939515e22adb298388d"
_SECRET_SIGNATURE = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - marks secrets in the engine's protocol
_COLOR = re.compile(r"<\{%[^%]*%\}>")


@dataclass(frozen=True)
class Resource:
    """A resource, as its URN tells: ``urn:pulumi:STACK::PROJECT::PARENT_TYPE$TYPE::NAME``."""

    urn: str

    @property
    def _types(self) -> list[str]:
        parts = self.urn.split("::", 3)
        return parts[2].split("$") if len(parts) == 4 else [""]

    @property
    def name(self) -> str:
        return self.urn.split("::", 3)[-1]

    @property
    def type(self) -> str:
        return self._types[-1]

    @property
    def kind(self) -> str:
        """The type's last word as people say it: ``connection``, ``network policy``."""
        word = self.type.rpartition(":")[2]
        return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", word).lower()

    @property
    def platform(self) -> str:
        """The title of the platform whose component is among the parents, or "" for a resource of none."""
        titles = (t.removeprefix(_PLATFORM_TYPE) for t in self._types if t.startswith(_PLATFORM_TYPE))
        return next(titles, "")

    @property
    def title(self) -> str:
        """``Airbyte connection "gong-to-raw"``."""
        return f'{self.platform} {self.kind} "{self.name}"'.lstrip()

    @property
    def is_stack(self) -> bool:
        return self.type == _STACK_TYPE

    @property
    def is_dynamic(self) -> bool:
        """Whether its provider is one of this project, and not an official package."""
        return self.type.startswith("pulumi-python:")

    @property
    def is_provider(self) -> bool:
        return self.type.startswith("pulumi:providers:")


@dataclass(frozen=True)
class Step:
    """What the engine does, or would do, with one resource."""

    resource: Resource
    operation: str
    """The engine's word: same, create, update, delete, replace, create-replacement, delete-replaced, read, refresh…"""
    custom: bool
    """Whether it exists on a platform; a component exists only in the program."""
    old_inputs: Mapping[str, Any] = field(default_factory=dict, repr=False)
    new_inputs: Mapping[str, Any] = field(default_factory=dict, repr=False)
    old_outputs: Mapping[str, Any] = field(default_factory=dict, repr=False)
    new_outputs: Mapping[str, Any] = field(default_factory=dict, repr=False)
    logical: bool = True
    """Whether the program asked for it; what a refresh finds, nobody asked for."""
    replace_keys: tuple[str, ...] = ()
    differences: Mapping[str, tuple[str, bool]] = field(default_factory=dict)
    """Property path to (kind of difference, whether inputs were compared)."""
    changed_keys: tuple[str, ...] = ()
    """The properties that changed, where the provider gave no details."""

    @property
    def counts(self) -> bool:
        """Whether people count it: something that exists on a platform."""
        return self.custom and not self.resource.is_provider


@dataclass(frozen=True)
class Event:
    """Something that the engine reported. ``preview`` says that nothing was done yet."""

    time: datetime
    preview: bool


@dataclass(frozen=True)
class PhaseStarted(Event):
    """A preview or the real run begins."""


@dataclass(frozen=True)
class ResourceStarted(Event):
    step: Step

    def __str__(self) -> str:
        return f"{self.step.resource.platform} {self.step.resource.kind} {self.step.resource.name}: started"


@dataclass(frozen=True)
class ResourceDone(Event):
    step: Step

    def __str__(self) -> str:
        resource = self.step.resource
        return f"{resource.platform} {resource.kind} {resource.name}: {self.step.operation}".lstrip()


@dataclass(frozen=True)
class ResourceFailed(Event):
    step: Step

    def __str__(self) -> str:
        resource = self.step.resource
        return f"{resource.platform} {resource.kind} {resource.name}: {self.step.operation} failed".lstrip()


@dataclass(frozen=True)
class Diagnostic(Event):
    """A message of the engine, of the program or of a provider; ``severity`` is info, info#err, warning or error."""

    severity: str
    message: str
    resource: Resource | None = None
    ephemeral: bool = False


@dataclass(frozen=True)
class PolicyViolation(Event):
    """A policy is not satisfied; ``enforcement`` is warning, mandatory, remediate or none."""

    pack: str
    policy: str
    enforcement: str
    message: str
    resource: Resource | None = None


@dataclass(frozen=True)
class PhaseDone(Event):
    """The end of a phase, with the engine's own counts (components and providers included)."""

    changes: Mapping[str, int]
    seconds: int


@dataclass(frozen=True)
class Progress(Event):
    """A plugin is downloaded or installed; ``total`` is 0 when unknown."""

    message: str
    done: bool


@dataclass(frozen=True)
class Expected(Event):
    """How many resources of each platform a refresh or destroy is about: those in the state."""

    totals: Mapping[str, int]


@dataclass(frozen=True)
class Stopping(Event):
    """Somebody asked the run to stop: what is in flight is finished, or abandoned if that takes too long."""

    abandoning: bool

    def __str__(self) -> str:
        if self.abandoning:
            return "abandoning what is in flight"
        return "finishing what is in flight (once more Ctrl-C abandons it)"


@dataclass(frozen=True)
class Other(Event):
    """An event of a kind that this version does not interpret."""

    kind: str
    content: Mapping[str, Any] = field(repr=False)


class EventParser:
    """Turns the lines of one event log into events; remembers in which phase the log is."""

    def __init__(self, *, previews_first: bool) -> None:
        self.preview = previews_first

    def parse(self, line: str) -> Event:
        """Raises ValueError for a line that is not JSON."""
        document: dict[str, Any] = json.loads(line)
        time = datetime.fromtimestamp(document.get("timestamp", 0), UTC)
        kind = next((k for k, v in document.items() if k.endswith("Event") and v is not None), "")
        content: dict[str, Any] = document.get(kind) or {}
        match kind:
            case "preludeEvent":
                return PhaseStarted(time, self.preview)
            case "resourcePreEvent":
                return ResourceStarted(time, self.preview, _step(content))
            case "resOutputsEvent":
                return ResourceDone(time, self.preview, _step(content))
            case "resOpFailedEvent":
                return ResourceFailed(time, self.preview, _step(content))
            case "diagnosticEvent":
                return _diagnostic(time, self.preview, content)
            case "policyEvent":
                return _violation(time, self.preview, content)
            case "progressEvent":
                return Progress(time, self.preview, str(content.get("message", "")), bool(content.get("done")))
            case "summaryEvent":
                preview = bool(content.get("isPreview", self.preview))
                self.preview = False
                changes = content.get("resourceChanges") or {}
                return PhaseDone(time, preview, changes, int(content.get("durationSeconds", 0)))
            case _:
                return Other(time, self.preview, kind, content)


def revealed(value: Any) -> Any:
    """A value as people see it: the engine's wrapping of a secret becomes `[secret]`, of an unknown a word."""
    if isinstance(value, Mapping):
        if value.get(_SIGNATURE) == _SECRET_SIGNATURE:
            return SECRET
        return {key: revealed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [revealed(item) for item in value]
    return UNKNOWN if value == _UNKNOWN else value


def plain(message: str) -> str:
    """A message without the engine's colour directives (``<{%fg 1%}>``)."""
    return _COLOR.sub("", message)


def _diagnostic(time: datetime, preview: bool, content: Mapping[str, Any]) -> Diagnostic:
    urn = content.get("urn")
    return Diagnostic(
        time,
        preview,
        severity=str(content.get("severity", "info")),
        message=plain(str(content.get("message", ""))),
        resource=Resource(urn) if urn else None,
        ephemeral=bool(content.get("ephemeral")),
    )


def _violation(time: datetime, preview: bool, content: Mapping[str, Any]) -> PolicyViolation:
    urn = content.get("resourceUrn")
    return PolicyViolation(
        time,
        preview,
        pack=str(content.get("policyPackName", "")),
        policy=str(content.get("policyName", "")),
        enforcement=str(content.get("enforcementLevel", "")),
        message=plain(str(content.get("message", ""))),
        resource=Resource(urn) if urn else None,
    )


def _step(content: Mapping[str, Any]) -> Step:
    metadata: Mapping[str, Any] = content.get("metadata") or {}
    old: Mapping[str, Any] = metadata.get("old") or {}
    new: Mapping[str, Any] = metadata.get("new") or {}
    detailed: Mapping[str, Any] = metadata.get("detailedDiff") or {}
    return Step(
        resource=Resource(str(metadata.get("urn", ""))),
        operation=str(metadata.get("op", "")),
        custom=bool(new.get("custom") or old.get("custom")),
        old_inputs=old.get("inputs") or {},
        new_inputs=new.get("inputs") or {},
        old_outputs=old.get("outputs") or {},
        new_outputs=new.get("outputs") or {},
        logical=bool(metadata.get("logical")),
        replace_keys=tuple(metadata.get("keys") or ()),
        differences={
            path: (str(difference.get("diffKind", "update")), bool(difference.get("inputDiff")))
            for path, difference in detailed.items()
        },
        changed_keys=tuple(metadata.get("diffs") or ()),
    )
