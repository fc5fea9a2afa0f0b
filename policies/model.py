"""What a policy is: data, and a pure function from resources to violations."""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from policies.controls import Control
from policies.strictness import Limits

_PLATFORM_TYPE = "sophia:platform:"


class Hidden(enum.Enum):
    """Stands for a value that a policy cannot see. It is there all the same: not the same as a missing one."""

    UNKNOWN = "known after the run"
    SECRET = "secret"  # noqa: S105 - the word that stands for one


class Level(enum.StrEnum):
    """What a violation does: a mandatory policy ends the preview or the run, an advisory one warns."""

    MANDATORY = "mandatory"
    ADVISORY = "advisory"


@dataclass(frozen=True)
class Resource:
    """A resource as a policy sees it: its inputs, official packages' and dynamic ones alike."""

    type: str
    urn: str
    inputs: Mapping[str, Any]
    protected: bool = False
    retained: bool | None = None
    """Whether a deletion leaves the object on its platform; None in a run, where the engine does not tell policies."""
    created: datetime | None = None
    """When the state got it; None in a run, for the same reason."""

    @property
    def name(self) -> str:
        return self.urn.split("::", 3)[-1]

    @property
    def stack(self) -> str:
        return self.urn.removeprefix("urn:pulumi:").partition("::")[0]

    @property
    def project(self) -> str:
        return self.urn.split("::")[1] if self.urn.count("::") > 1 else ""

    @property
    def platform(self) -> str:
        """The title of the platform whose component made it; "" for what no component made."""
        types = self.urn.split("::", 3)[2].split("$") if self.urn.count("::") > 2 else []
        return next((t.removeprefix(_PLATFORM_TYPE) for t in types if t.startswith(_PLATFORM_TYPE)), "")

    @property
    def title(self) -> str:
        """``GitHub repository "sophia"``."""
        word = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", self.type.rpartition(":")[2]).lower()
        return f'{self.platform} {word} "{self.name}"'.lstrip()

    def get(self, *path: str) -> Any:
        """The input at a path of keys; None where there is none, Hidden where an unknown or a secret is in the way."""
        value: Any = self.inputs
        for key in path:
            if isinstance(value, Hidden):
                return value
            value = value.get(key) if isinstance(value, Mapping) else None
        return value


@dataclass(frozen=True)
class Situation:
    """What a policy knows besides the resource. A stack that the table does not know is held to what prod is."""

    stack: str
    limits: Limits
    now: datetime


@dataclass(frozen=True)
class Violation:
    """A resource that a policy does not allow."""

    resource: Resource
    what: str
    """What is wrong, after the resource's title: ``would be public``."""
    why: str
    setting: str
    """Where it is said, as people find it."""
    do: str


@dataclass(frozen=True)
class _Policy:
    name: str
    summary: str
    """One sentence, as a rule: what has to be so."""
    kinds: tuple[str, ...]
    """The types of resources that it is about; none means all."""
    controls: tuple[Control, ...]
    """What it serves; never empty."""

    def concerns(self, resource: Resource) -> bool:
        return not self.kinds or resource.type in self.kinds


def _every_stage(_limits: Limits) -> bool:
    return True


def _every_resource(_resource: Resource) -> bool:
    return True


@dataclass(frozen=True)
class Policy(_Policy):
    """A rule about single resources. The engine asks it before it does anything with the resource."""

    check: Callable[[Resource, Situation], Iterator[Violation]]
    level: Level = Level.MANDATORY
    of_state: bool = False
    """Whether only a state shows what it looks at, so that it holds in reports and not in runs."""
    asked_of: Callable[[Limits], bool] = _every_stage
    """Whether a stage has to satisfy it. One that need not is no evidence for it."""
    says: Callable[[Resource], bool] = _every_resource
    """Whether a resource that it concerns says anything about it, and so can be evidence; it is checked in any case."""


@dataclass(frozen=True)
class EstatePolicy(_Policy):
    """A rule about resources together. The engine asks it when all are known: at the end of a preview, or of an up."""

    check: Callable[[Sequence[Resource], Situation], Iterator[Violation]]
    level: Level = Level.MANDATORY
    of_state: bool = False
    """Whether it holds in reports and not in runs."""
    asked_of: Callable[[Limits], bool] = _every_stage


def message(policy: Policy | EstatePolicy, violation: Violation) -> str:
    """A violation in the four parts that all errors have, with the first control of each framework."""
    cited = {control.framework: control.name for control in reversed(policy.controls)}
    said = f"{violation.why} (policy {policy.name}, for {', '.join(reversed(cited.values()))})"
    return "\n".join(
        (
            f"{violation.resource.title} {violation.what}",
            f"  said     {said}",
            f"  setting  {violation.setting}",
            f"  do       {violation.do}",
        )
    )


def number(value: Any) -> float | None:
    """The number that a property holds, also where a provider has numbers as texts; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except ValueError:
        return None


def items(value: Any) -> Sequence[Any]:
    """The items of a list; nothing where there is none, or where it is not known yet."""
    return value if isinstance(value, list | tuple) else ()


def texts(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every text in a value, with its path (``spec.containers[0].image``)."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            if not str(key).startswith("__"):  # the SDK's own members, such as the pickled provider
                yield from texts(item, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from texts(item, f"{path}[{index}]")
