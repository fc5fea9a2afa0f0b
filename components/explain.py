"""What is wrong with settings, in words for a person and with the place where they find it in the stack file."""

from __future__ import annotations

import difflib
import json
import re
import types
import typing
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

Path = tuple[str | int, ...]

_SECRET_FIELD = re.compile(r"secret|token|password|passphrase|credential|private_key|api_key", re.IGNORECASE)
_LONGEST_VALUE = 60


class Mistake(NamedTuple):
    """What ``Settings.check`` finds: where (relative to that model), and what is wrong, in words for a person."""

    path: Path
    message: str


class MistakesError(ValueError):
    """Carries located mistakes through pydantic, which keeps one place a validator."""

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        super().__init__("; ".join(mistake.message for mistake in mistakes))
        self.mistakes = mistakes


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`` (did you mean "slack"?)`` if one of ``known`` is close to ``word``, else nothing."""
    names = {name.lower(): name for name in known}
    nearest = difflib.get_close_matches(word.lower(), names, n=1, cutoff=0.6)
    return f' (did you mean "{names[nearest[0]]}"?)' if nearest else ""


def render(path: Path) -> str:
    """``airbyte.connections[2].schedule``."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def explain(error: ValidationError, data: object, model: type[BaseModel], secret: set[str]) -> Iterator[Mistake]:
    """Every mistake in ``data`` that kept it from becoming a ``model``.

    Values are shown, shortened, except under the top-level keys in ``secret`` and wherever they may be a secret that
    somebody put in the wrong place.
    """
    for details in error.errors(include_url=False):
        yield from _explain(details, data, model, secret)


def _explain(details: ErrorDetails, data: object, model: type[BaseModel], secret: set[str]) -> Iterator[Mistake]:
    """pydantic's report of one place, in words, with the path that stands in the file."""
    path = _path_in_file(details["loc"], data)
    cause = details.get("ctx", {}).get("error")
    if isinstance(cause, MistakesError):
        yield from (Mistake(path + mistake.path, mistake.message) for mistake in cause.mistakes)
        return
    message = _in_words(details)
    if details["type"] == "extra_forbidden":
        message += did_you_mean(str(path[-1]), _known_keys(model, path[:-1]))
    elif _showable(details, path, secret):
        message += f", got {_shortened(details['input'])}"
    yield Mistake(path, message)


def _path_in_file(location: Path, data: object) -> Path:
    """pydantic's location without what is not in the file: the names of union members, and the mark of a wrong key."""
    path: list[str | int] = []
    for position, step in enumerate(location):
        last = position == len(location) - 1
        if isinstance(data, dict) and (step in data or (last and step != "[key]")):
            path.append(step)
            data = data.get(step)
        elif isinstance(data, list) and isinstance(step, int):
            path.append(step)
            data = data[step] if step < len(data) else None
    return tuple(path)


_NOT_SHOWN = {"missing", "environment_variable", "too_short", "too_long", "value_error"}


def _showable(details: ErrorDetails, path: Path, secret: set[str]) -> bool:
    suspicious = str(path[0]) in secret or any(_SECRET_FIELD.search(str(step)) for step in path)
    return details["type"] not in _NOT_SHOWN and "[key]" not in details["loc"] and not suspicious


def _shortened(value: object) -> str:
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    text = json.dumps(value) if isinstance(value, (bool, int, float, type(None))) else f'"{value}"'
    return text if len(text) <= _LONGEST_VALUE else f'{text[:_LONGEST_VALUE]}…"'


_WORDS: dict[str, Callable[[dict[str, Any]], str]] = {
    "missing": lambda _: "is required",
    "extra_forbidden": lambda _: "there is no such setting",
    "model_type": lambda _: "must be a mapping (key: value)",
    "dict_type": lambda _: "must be a mapping (key: value)",
    "list_type": lambda _: "must be a list",
    "tuple_type": lambda _: "must be a list",
    "string_type": lambda _: "must be text (in quotes, if it looks like a number)",
    "bool_type": lambda _: "must be true or false",
    "bool_parsing": lambda _: "must be true or false",
    "int_type": lambda _: "must be a whole number",
    "int_parsing": lambda _: "must be a whole number",
    "int_from_float": lambda _: "must be a whole number",
    "float_type": lambda _: "must be a number",
    "float_parsing": lambda _: "must be a number",
    "greater_than": lambda c: f"must be more than {c['gt']}",
    "greater_than_equal": lambda c: f"must be at least {c['ge']}",
    "less_than": lambda c: f"must be less than {c['lt']}",
    "less_than_equal": lambda c: f"must be at most {c['le']}",
    "enum": lambda c: f"must be one of {c['expected']}",
    "literal_error": lambda c: f"must be one of {c['expected']}",
    "too_short": lambda c: f"needs at least {c['min_length']}",
    "too_long": lambda c: f"can have at most {c['max_length']}",
    "string_too_short": lambda c: f"must have at least {c['min_length']} characters",
    "string_too_long": lambda c: f"can have at most {c['max_length']} characters",
    "value_error": lambda c: str(c["error"]),
    "union_tag_not_found": lambda c: f"needs {c['discriminator']}, which says of what kind it is",
    "union_tag_invalid": lambda c: f"{c['discriminator']} must be one of {c['expected_tags']}",
}


def _in_words(details: ErrorDetails) -> str:
    words = _WORDS.get(details["type"])
    text = words(details.get("ctx", {})) if words else details["msg"]
    return f"the key is wrong: {text}" if "[key]" in details["loc"] else text


def _known_keys(model: type[BaseModel], path: Path) -> list[str]:
    """The keys that a mapping at ``path`` may have, by the models on the way there."""
    candidates: list[object] = [model]
    for step in path:
        candidates = [inner for candidate in candidates for inner in _step_into(candidate, step)]
    models = [c for c in candidates if isinstance(c, type) and issubclass(c, BaseModel)]
    return [field.alias or name for m in models for name, field in m.model_fields.items()]


def _step_into(annotation: object, step: str | int) -> Iterator[object]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        for name, field in annotation.model_fields.items():
            if step in (name, field.alias):
                yield from _members(field.annotation)
        return
    arguments = [argument for argument in typing.get_args(annotation) if argument is not Ellipsis]
    if arguments:
        yield from _members(arguments[-1])


def _members(annotation: object) -> Iterator[object]:
    """The types that a field may have: a union's members, without the wrapping of Annotated."""
    origin = typing.get_origin(annotation)
    if origin is Annotated:
        yield from _members(typing.get_args(annotation)[0])
    elif origin in (typing.Union, types.UnionType):
        for member in typing.get_args(annotation):
            yield from _members(member)
    else:
        yield annotation
