"""What a package's own types say: the resource types that it has, their inputs, and whether given inputs fit them.

The source is the installed Python SDK, which is generated from the official provider's schema: the ``*Args`` class of
a resource has a typed getter per input, named as the schema names it, and the parameters without a default are the
required ones.
"""

from __future__ import annotations

import difflib
import importlib
import inspect
import types
import typing
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cache
from importlib.metadata import version
from typing import Any

import pulumi

from sandbox.official.values import Path, Properties, is_unknown, written

_SCALARS: dict[object, str] = {str: "string", int: "integer", float: "number", bool: "boolean"}


class UnknownTypeError(Exception):
    """The package has no such resource type."""


@dataclass(frozen=True)
class Failure:
    """A property that the package would refuse, and why. Never the value: it may be a secret."""

    property: str
    reason: str


@dataclass(frozen=True)
class ObjectType:
    """The members of an object: their types by name, and which of them must be given."""

    members: Mapping[str, Any]
    required: frozenset[str]


@dataclass(frozen=True)
class Sdk:
    """An installed Python SDK."""

    package: str
    module: str
    distribution: str

    @property
    def version(self) -> str:
        return version(self.distribution)

    def inputs(self, token: str) -> ObjectType:
        """The inputs of a resource type, such as ``github:index/repository:Repository``.

        Raises UnknownTypeError when the package has no such type.
        """
        return _inputs(self.module, token)

    def has(self, token: str) -> bool:
        try:
            self.inputs(token)
        except UnknownTypeError:
            return False
        return True


@cache
def _inputs(module: str, token: str) -> ObjectType:
    name = token.rsplit(":", 1)[-1]
    try:
        home = importlib.import_module(".".join((module, *_submodules(token))))
    except ModuleNotFoundError as error:
        raise UnknownTypeError(token) from error
    resource = getattr(home, name, None)
    if getattr(resource, "pulumi_type", None) != token:
        raise UnknownTypeError(token)
    source = inspect.getmodule(resource)
    arguments = getattr(source, f"{name}InitArgs", None) or getattr(source, f"{name}Args")
    return object_type(arguments)


def _submodules(token: str) -> list[str]:
    """``kubernetes:rbac.authorization.k8s.io/v1:Role`` lives in ``rbac.v1``, ``aws:s3/bucket:Bucket`` in ``s3``,
    ``…:index/…:…`` at the top.
    """
    group, _, rest = token.split(":")[1].partition("/")
    if group == "index":
        return []
    name = token.rsplit(":", 1)[-1]
    home = group.partition(".")[0]
    return [home] if rest == name[:1].lower() + name[1:] else [home, rest]


@cache
def object_type(arguments: type) -> ObjectType:
    """What an ``*Args`` class of an SDK declares."""
    getters = {name: member.fget for name, member in vars(arguments).items() if isinstance(member, property)}
    names = {name: getattr(getter, "_pulumi_name", name) for name, getter in getters.items()}
    parameters = inspect.signature(arguments).parameters.values()
    return ObjectType(
        {names[name]: _returned(getter) for name, getter in getters.items()},
        frozenset(names[p.name] for p in parameters if p.default is inspect.Parameter.empty and p.name in names),
    )


def _returned(getter: Any) -> Any:
    # The SDK's Input[T] holds the text "Output[T]", which means something only in the module that defines Input.
    return typing.get_type_hints(getter, localns={"Output": pulumi.Output, "T": Any})["return"]


def failures(value: Properties, expected: ObjectType, path: Path = ()) -> Iterator[Failure]:
    """Everything in ``value`` that does not fit: missing, unknown and ill-typed members, at any depth."""
    for name in sorted(expected.required - value.keys()):
        yield Failure(written((*path, name)), f"Missing required property {name!r}")
    for name, item in value.items():
        where = (*path, name)
        if name in expected.members:
            yield from _misfits(item, expected.members[name], where)
        elif not name.startswith("__"):
            yield Failure(written(where), f"Unknown property {name!r}{_hint(name, expected.members)}")


def _misfits(value: Any, annotation: Any, path: Path) -> list[Failure]:
    """Why ``value`` fits none of the types that ``annotation`` allows; nothing when it fits one."""
    options = _options(annotation)
    if is_unknown(value) or value is None or Any in options:
        return []
    attempts = [(option, list(_against(value, option, path))) for option in options]
    if not attempts or any(not found for _, found in attempts):
        return []
    inside = [found for _, found in attempts if found[0].property != written(path)]
    if inside:
        return inside[0]
    literal = [found for option, found in attempts if _values_of(option)]
    if literal and isinstance(value, str):
        return literal[0]
    wanted = " or ".join(dict.fromkeys(_named(option) for option in options))
    return [Failure(written(path), f"expected {wanted} type, got {_kind(value)} type")]


def _against(value: Any, option: Any, path: Path) -> Iterable[Failure]:
    origin = typing.get_origin(option)
    mismatch = [Failure(written(path), "")]
    if allowed := _values_of(option):
        return [] if value in allowed else [Failure(written(path), f"expected one of {', '.join(map(str, allowed))}")]
    if option in _SCALARS:
        return [] if _scalar_fits(value, option) else mismatch
    if isinstance(origin, type) and issubclass(origin, Sequence):
        if not isinstance(value, list):
            return mismatch
        (item_type,) = typing.get_args(option)
        return [f for index, item in enumerate(value) for f in _misfits(item, item_type, (*path, index))]
    if not isinstance(value, dict):
        return mismatch if _named(option) == "object" else []
    if isinstance(origin, type) and issubclass(origin, Mapping):
        item_type = typing.get_args(option)[1]
        return [f for key, item in value.items() for f in _misfits(item, item_type, (*path, key))]
    if isinstance(option, type) and hasattr(option, "_pulumi_input_type"):
        return failures(value, object_type(option), path)
    return []


def _options(annotation: Any) -> list[Any]:
    """The plain types in an ``Input[Optional[...]]``: unions are flat, awaitables and outputs never arrive here."""
    if typing.get_origin(annotation) not in (typing.Union, types.UnionType):
        return [annotation]
    nested = [option for member in typing.get_args(annotation) for option in _options(member)]
    return [option for option in nested if option is not type(None) and not _deferred(option)]


def _deferred(option: Any) -> bool:
    origin = typing.get_origin(option)
    return getattr(origin, "__name__", "") in {"Awaitable", "Output"}


def _values_of(option: Any) -> list[Any]:
    if typing.get_origin(option) is typing.Literal:
        return list(typing.get_args(option))
    if isinstance(option, type) and issubclass(option, Enum):
        return [member.value for member in option]
    return []


def _scalar_fits(value: Any, option: Any) -> bool:
    """Strings that read as a number or a truth value are converted, as the official providers convert them."""
    if option is str:
        return isinstance(value, str)
    if option is bool:
        return isinstance(value, bool) or value in ("true", "false")
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return False
    try:
        number = float(value)
    except ValueError:
        return False
    return option is float or number.is_integer()


def _named(option: Any) -> str:
    if option in _SCALARS:
        return _SCALARS[option]
    if _values_of(option):
        return "string"
    origin = typing.get_origin(option)
    if isinstance(origin, type) and issubclass(origin, Sequence):
        return "list"
    mapping = isinstance(origin, type) and issubclass(origin, Mapping)
    return "object" if mapping or hasattr(option, "_pulumi_input_type") else "another"


def _kind(value: object) -> str:
    if isinstance(value, dict):
        return "object"
    if isinstance(value, list):
        return "list"
    return {bool: "boolean", int: "number", float: "number"}.get(type(value), "string")


def _hint(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""
