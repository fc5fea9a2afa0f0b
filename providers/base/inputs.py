"""A resource's inputs: what a declaration may say of a field, and how values are compared with what a platform shows."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Self, TypeVar, cast

from pulumi.output import UNKNOWN, Unknown
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    ValidationError,
    ValidatorFunctionWrapHandler,
    field_validator,
)

T = TypeVar("T")


@dataclass(frozen=True)
class _Marker:
    name: str


IMMUTABLE = _Marker("immutable")
WRITE_ONLY = _Marker("write-only")
CARRIED = _Marker("carried")
UNSEEN = _Marker("unseen")

Immutable = Annotated[T, IMMUTABLE]
"""The platform cannot change this on an object that exists: another value makes a new object."""

WriteOnly = Annotated[T, WRITE_ONLY]
"""A secret that the platform takes and never shows again. Compared by salted hash, stored encrypted."""

Carried = Annotated[T, CARRIED]
"""Needed to spell another input on the wire, and nothing by itself: never compared, never read back."""

Unseen = Annotated[T, UNSEEN]
"""Compared with what the state knows only, because no platform shows it: how often a key was rotated."""

Unordered = Annotated[list[T], AfterValidator(lambda items: sorted(set(items)))]
"""A list whose order and repetitions mean nothing to the platform."""


def _as_utc(text: str) -> str:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise ValueError("must be a moment with its time zone, for example 2027-01-31T00:00:00Z")
    return moment.astimezone(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")


Instant = Annotated[str, AfterValidator(_as_utc)]
"""A moment, RFC 3339: in whichever zone and precision a platform shows it, the same moment is no difference."""


class Inputs(BaseModel):
    """The inputs of one kind of resource: snake_case in the program and in the state, the vendor's names on the wire.

    A field without a value (None) is not managed: the platform's own choice stays, and no drift is seen in it. Values
    that are not known yet pass (the engine previews with them), everything else about the field is still checked.
    """

    model_config = ConfigDict(
        extra="forbid", frozen=True, populate_by_name=True, validate_default=True, loc_by_alias=False
    )

    @field_validator("*", mode="wrap")
    @classmethod
    def _let_unknowns_pass(cls, value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
        if isinstance(value, Unknown):
            return value
        try:
            return handler(whole_numbers(value))
        except ValidationError as error:
            if all(is_about_unknown(found["type"], found["input"]) for found in error.errors(include_url=False)):
                return value
            raise

    @classmethod
    def marked(cls, marker: _Marker) -> list[str]:
        return [name for name, info in cls.model_fields.items() if marker in info.metadata]

    def state(self) -> dict[str, Any]:
        """The inputs as the state holds them."""
        return self.model_dump(exclude_none=True, warnings=False)

    def wire(self) -> dict[str, Any]:
        """The inputs as the platform wants them."""
        return self.model_dump(by_alias=True, exclude_none=True, warnings=False)

    @classmethod
    def from_state(cls, known: Mapping[str, Any]) -> Self:
        """Inputs as an earlier version of the program may have written them: what no longer fits is taken as it is."""
        return cls._as_far_as_it_fits({k: v for k, v in known.items() if k in cls.model_fields and v is not None})

    @classmethod
    def from_wire(cls, shown: Mapping[str, Any]) -> dict[str, Any]:
        """What a platform shows, as the state holds it: in our names and, where it fits our types, in our spelling."""
        names = {cls.wire_name(name): name for name in cls.model_fields}
        ours = {names[key]: value for key, value in shown.items() if key in names and value is not None}
        return cls._as_far_as_it_fits(ours).state()

    @classmethod
    def _as_far_as_it_fits(cls, given: Mapping[str, Any]) -> Self:
        """Inputs of which some may be missing or have forms that we do not know: those do not spoil the others."""
        try:
            return cls.model_validate(given, extra="ignore")
        except ValidationError as error:
            odd = {str(found["loc"][0]) for found in error.errors(include_url=False)}
            others = cls.model_validate({**given, **dict.fromkeys(odd, UNKNOWN)}, extra="ignore")
            values = {name: getattr(others, name) for name in cls.model_fields if name not in odd}
            raw = whole_numbers({name: given[name] for name in odd if name in given})
            return cast(Self, cls.model_construct(None, **values, **raw))

    @classmethod
    def wire_name(cls, field: str) -> str:
        info = cls.model_fields[field]
        return info.serialization_alias or info.alias or field


def is_about_unknown(kind: str, value: Any) -> bool:
    """Whether pydantic's finding of this kind is only that something is not known yet."""
    return isinstance(value, Unknown) or (kind == "value_error" and has_unknown(value))


def has_unknown(value: Any) -> bool:
    if isinstance(value, Unknown):
        return True
    if isinstance(value, Mapping):
        return any(has_unknown(item) for item in value.values())
    return isinstance(value, (list, tuple)) and any(has_unknown(item) for item in value)


def whole_numbers(value: Any) -> Any:
    """The engine's protocol knows only floats: ``5432.0`` was ``5432`` when it was written."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {key: whole_numbers(item) for key, item in value.items()}
    if isinstance(value, list):
        return [whole_numbers(item) for item in value]
    return value


def project(live: Any, wanted: Any) -> Any:
    """Of what a platform shows, that which we manage: ``live`` cut to the members that ``wanted`` names.

    What the platform adds by itself (defaults, timestamps, ids) is thereby never a difference. Lists are compared whole;
    their elements one by one where there are as many as we want.
    """
    if isinstance(live, dict) and isinstance(wanted, dict):
        return {key: project(live[key], value) for key, value in wanted.items() if key in live}
    if isinstance(live, list) and isinstance(wanted, list) and len(live) == len(wanted):
        return [project(one, other) for one, other in zip(live, wanted, strict=True)]
    return live


def merged(base: Any, over: Any) -> Any:
    """``base`` with the members of ``over``, at every depth; what is no mapping is replaced."""
    if isinstance(base, Mapping) and isinstance(over, Mapping):
        return {**base, **{key: merged(base.get(key), value) for key, value in over.items()}}
    return over


def fingerprint(value: Any, salt: str | None = None) -> Any:
    """A salted hash of every leaf of a secret, in the secret's own shape: says whether it changed, and nothing else."""
    if isinstance(value, Mapping):
        return {key: fingerprint(item, salt) for key, item in value.items()}
    if isinstance(value, list):
        return [fingerprint(item, salt) for item in value]
    salt = salt or secrets.token_hex(8)
    digest = hashlib.blake2b(repr(value).encode(), key=salt.encode(), digest_size=16).hexdigest()
    return f"hash:{salt}:{digest}"


def same_secret(value: Any, known: Any) -> bool:
    """Whether ``value`` is the secret whose fingerprint is ``known``."""
    if isinstance(value, Mapping):
        return (
            isinstance(known, Mapping)
            and value.keys() == known.keys()
            and all(same_secret(item, known[key]) for key, item in value.items())
        )
    if isinstance(value, list):
        return isinstance(known, list) and len(value) == len(known) and all(map(same_secret, value, known))
    if not isinstance(known, str) or not known.startswith("hash:"):
        return False
    return bool(fingerprint(value, known.split(":")[1]) == known)


def leaves(value: Any) -> Iterator[str]:
    """Every text inside a value: what must not appear in a message when the value is secret."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from leaves(item)
    elif isinstance(value, list):
        for item in value:
            yield from leaves(item)
