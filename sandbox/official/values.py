"""Property values: between the engine's protobuf structs and plain Python, with secrets and unknowns kept apart.

The engine writes a secret as an object with a signature, and a value that is not known yet as a fixed string
(``sdk/go/common/resource/plugin/rpc.go`` and ``resource/sig`` in pulumi/pulumi). Here a struct becomes a plain dict
plus the set of paths that are secret, so that the rules of the platforms never meet a wrapped value.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import secrets as random
from collections.abc import Iterable, Iterator
from typing import Any

from google.protobuf.json_format import MessageToDict
from google.protobuf.struct_pb2 import Struct

Properties = dict[str, Any]
Path = tuple[str | int, ...]

SIGNATURE = "4dabf18193072939515e22adb298388d"
_SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - the signature's value, the same in every Pulumi program
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
_UNKNOWNS = frozenset(
    {
        UNKNOWN,
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
        "030794c1-ac77-496b-92df-f27374a8bd58",
        "e48ece36-62e2-4504-bad9-02848725956a",
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
    }
)
_SEALED = "sealed:"
_ABSENT = object()
_IDENTIFIER = re.compile(r"[A-Za-z_$][\w$-]*")


def is_unknown(value: object) -> bool:
    """Whether the engine will know this value only when something else has been deployed."""
    return isinstance(value, str) and value in _UNKNOWNS


def has_unknowns(value: object) -> bool:
    return any(is_unknown(leaf) for _, leaf in leaves(value))


def from_struct(struct: Struct) -> tuple[Properties, set[Path]]:
    """The plain properties of a struct (without nulls, whole numbers as ints), and the paths that are secret."""
    found: set[Path] = set()
    plain = _plain(MessageToDict(struct), (), found)
    return plain, found


def to_struct(properties: Properties, secret: Iterable[Path] = ()) -> Struct:
    """``properties`` for the engine, with what lies at the ``secret`` paths marked as secret."""
    struct = Struct()
    struct.update(_wrapped(properties, (), frozenset(secret)))
    return struct


def _plain(value: Any, path: Path, found: set[Path]) -> Any:
    if isinstance(value, dict):
        if value.get(SIGNATURE) == _SECRET:
            found.add(path)
            return _plain(value.get("value"), path, found)
        return {key: _plain(item, (*path, key), found) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_plain(item, (*path, index), found) for index, item in enumerate(value)]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _wrapped(value: Any, path: Path, secret: frozenset[Path]) -> Any:
    if path in secret:
        return {SIGNATURE: _SECRET, "value": _wrapped(value, path, secret - {path})}
    if isinstance(value, dict):
        return {key: _wrapped(item, (*path, key), secret) for key, item in value.items()}
    if isinstance(value, list):
        return [_wrapped(item, (*path, index), secret) for index, item in enumerate(value)]
    return value


def leaves(value: object, path: Path = ()) -> Iterator[tuple[Path, object]]:
    """Every scalar and every empty collection in ``value``, with its path."""
    items: list[tuple[str | int, object]] = []
    if isinstance(value, dict):
        items = list(value.items())
    elif isinstance(value, list):
        items = list(enumerate(value))
    if not items:
        yield path, value
    for key, item in items:
        yield from leaves(item, (*path, key))


def under(path: Path, prefixes: Iterable[Path]) -> bool:
    """Whether ``path`` is one of ``prefixes`` or lies inside one; ``*`` in a prefix stands for any step."""
    return any(_starts_with(path, prefix) for prefix in prefixes)


def _starts_with(path: Path, prefix: Path) -> bool:
    return len(path) >= len(prefix) and all(p in ("*", s) for p, s in zip(prefix, path, strict=False))


def written(path: Path) -> str:
    """A path as the engine writes it: ``spec.hard["requests.cpu"]``, ``rules[0].verbs``."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif _IDENTIFIER.fullmatch(step):
            text += f".{step}" if text else step
        else:
            text += f"[{json.dumps(step)}]"
    return text


def at(value: Any, path: Path) -> Any:
    """What lies at ``path``; None when nothing does."""
    for step in path:
        inside = isinstance(value, dict) and step in value
        within = isinstance(value, list) and isinstance(step, int) and step < len(value)
        value = value[step] if inside or within else None
    return value


def merged(base: Properties, over: Properties) -> Properties:
    """``base`` with ``over`` laid on it, object by object; everything but an object replaces what was there."""
    result = dict(base)
    for key, value in over.items():
        below = result.get(key)
        result[key] = merged(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return result


def without(value: Properties, other: Properties) -> Properties:
    """The members of ``value`` that ``other`` does not have, or has with another value; objects member by member."""
    result: Properties = {}
    for key, item in value.items():
        there = other.get(key, _ABSENT)
        if isinstance(item, dict) and isinstance(there, dict):
            if rest := without(item, there):
                result[key] = rest
        elif there is _ABSENT or there != item:
            result[key] = item
    return result


def seen_through(asked: Any, live: Any) -> Any:
    """``live``, reduced to the members that ``asked`` names: what a platform adds by itself is not ours to compare."""
    if isinstance(asked, dict) and isinstance(live, dict):
        return {key: seen_through(asked[key], live[key]) for key in asked if key in live}
    if isinstance(asked, list) and isinstance(live, list) and len(asked) == len(live):
        return [seen_through(one, other) for one, other in zip(asked, live, strict=True)]
    return live


def differences(old: Any, new: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Where two values differ, and how: ``add``, ``delete`` or ``update``. An unknown differs from anything."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            if key not in old:
                yield (*path, key), "add"
            elif key not in new:
                yield (*path, key), "delete"
            else:
                yield from differences(old[key], new[key], (*path, key))
    elif isinstance(old, list) and isinstance(new, list):
        for index in range(max(len(old), len(new))):
            if index >= len(old):
                yield (*path, index), "add"
            elif index >= len(new):
                yield (*path, index), "delete"
            else:
                yield from differences(old[index], new[index], (*path, index))
    elif old != new or is_unknown(new):
        yield path, "update"


def sealed(value: Any, secret: Iterable[Path], path: Path = ()) -> Any:
    """``value`` with a salted hash in place of everything secret: what the sandbox's file may hold of it."""
    if isinstance(value, dict):
        return {key: sealed(item, secret, (*path, key)) for key, item in value.items()}
    if isinstance(value, list):
        return [sealed(item, secret, (*path, index)) for index, item in enumerate(value)]
    if under(path, secret):
        salt = random.token_bytes(16)
        return f"{_SEALED}{base64.b64encode(salt).decode()}:{_digest(value, salt)}"
    return value


def unsealed(value: Any, known: Any) -> Any:
    """``value`` with what was sealed taken from ``known``, which the engine remembers.

    Where the hash does not match, somebody changed the secret behind our back: the member is left out.
    """
    result = _unsealed(value, known)
    return {} if result is _ABSENT else result


def _unsealed(value: Any, known: Any) -> Any:
    if isinstance(value, dict):
        there = known if isinstance(known, dict) else {}
        items = ((key, _unsealed(item, there.get(key))) for key, item in value.items())
        return {key: item for key, item in items if item is not _ABSENT}
    if isinstance(value, list):
        rest = known if isinstance(known, list) else []
        found = (_unsealed(item, rest[index] if index < len(rest) else None) for index, item in enumerate(value))
        return [item for item in found if item is not _ABSENT]
    if isinstance(value, str) and value.startswith(_SEALED):
        salt, digest = value.removeprefix(_SEALED).split(":", 1)
        return known if hmac.compare_digest(_digest(known, base64.b64decode(salt)), digest) else _ABSENT
    return value


def _digest(value: object, salt: bytes) -> str:
    return hashlib.blake2b(json.dumps(value, sort_keys=True).encode(), salt=salt).hexdigest()
