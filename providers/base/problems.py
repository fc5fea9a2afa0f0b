"""pydantic's findings in words for people who write settings, not for people who write models."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from pydantic import ValidationError

from providers.base.inputs import is_about_unknown

_WORDS = {
    "missing": "is missing",
    "extra_forbidden": "is not known here",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "string_type": "must be text",
    "list_type": "must be a list",
    "dict_type": "must be a mapping",
    "model_type": "must be a mapping",
    "model_attributes_type": "must be a mapping",
    "string_pattern_mismatch": "must have the form {pattern}",
    "string_too_long": "must have at most {max_length} characters",
    "string_too_short": "must have at least {min_length} characters",
    "too_long": "must have at most {max_length} items",
    "too_short": "must have at least {min_length} items",
    "greater_than": "must be greater than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "literal_error": "must be {expected}",
    "enum": "must be {expected}",
}


def problems(error: ValidationError, secret: Collection[str] = ()) -> Iterator[tuple[str, str]]:
    """Each mistake as the path of the value (``streams[2].name``) and what is wrong with it, without the value.

    ``secret`` names the inputs about which a validator's own words are not repeated. Values that are not known yet are
    no mistakes.
    """
    for found in error.errors(include_url=False):
        if is_about_unknown(found["type"], found["input"]):
            continue
        words = _WORDS.get(found["type"])
        if not words and found["loc"] and found["loc"][0] in secret:
            words = "does not have the form that is wanted"
        reason = words.format(**found.get("ctx", {})) if words else found["msg"].removeprefix("Value error, ")
        yield path(found["loc"]), reason


def path(location: tuple[int | str, ...]) -> str:
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text
