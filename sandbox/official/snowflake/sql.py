"""The SQL inside resources, as far as Snowflake would refuse it when it compiles it and that can be told cheaply."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sandbox.official.behaviour import Identity
from sandbox.official.snowflake.names import invalid

_SYNONYMS = {
    "NUMBER": "NUMBER DECIMAL DEC NUMERIC INT INTEGER BIGINT SMALLINT TINYINT BYTEINT",
    "FLOAT": "FLOAT FLOAT4 FLOAT8 DOUBLE REAL",
    "VARCHAR": "VARCHAR STRING TEXT NVARCHAR NVARCHAR2 CHAR CHARACTER NCHAR",
    "BINARY": "BINARY VARBINARY",
    "TIMESTAMP_NTZ": "TIMESTAMP_NTZ TIMESTAMPNTZ DATETIME TIMESTAMP",
    "TIMESTAMP_LTZ": "TIMESTAMP_LTZ TIMESTAMPLTZ",
    "TIMESTAMP_TZ": "TIMESTAMP_TZ TIMESTAMPTZ",
    **{
        name: name
        for name in [
            "BOOLEAN",
            "DATE",
            "TIME",
            "VARIANT",
            "OBJECT",
            "ARRAY",
            "GEOGRAPHY",
            "GEOMETRY",
            "DECFLOAT",
            "VECTOR",
            "TABLE",
        ]
    },
}
_TYPES = {word: name for name, words in _SYNONYMS.items() for word in words.split()}
_PHRASES = {
    "DOUBLE PRECISION": "FLOAT",
    "CHAR VARYING": "VARCHAR",
    "NCHAR VARYING": "VARCHAR",
    "TIMESTAMP WITH LOCAL TIME ZONE": "TIMESTAMP_LTZ",
    "TIMESTAMP WITHOUT TIME ZONE": "TIMESTAMP_NTZ",
    "TIMESTAMP WITH TIME ZONE": "TIMESTAMP_TZ",
}
_TYPE = re.compile(r"\s*([A-Z][A-Z0-9_ ]*?)\s*(\(.*\))?\s*", re.IGNORECASE | re.DOTALL)
_LAG = re.compile(r"\s*'?\s*(\d+)\s+(second|minute|hour|day)s?\s*'?\s*", re.IGNORECASE)
_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}
_SHORTEST_LAG_SECONDS = 60
_CRON_FIELDS = (("minute", 0, 59), ("hour", 0, 23), ("day of month", 1, 31), ("month", 1, 12), ("day of week", 0, 7))
_CRON_NAMES = {
    "month": ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"],
    "day of week": ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"],
}
_CRON_PART = re.compile(r"(\*|L|\w+(?:-\w+)?|\w+#\d)(/\d+)?", re.IGNORECASE)
_PATH = r'(?:"(?:[^"]|"")+"|[\w$]+)(?:\.(?:"(?:[^"]|"")+"|[\w$]+))*'
_COPY = re.compile(rf"\s*COPY\s+INTO\s+({_PATH})\s*(?:\(.*?\))?\s*FROM\b(.*)", re.IGNORECASE | re.DOTALL)
_STAGE = re.compile(rf"@({_PATH})")
_FORMAT = re.compile(rf"FORMAT_NAME\s*=\s*'?({_PATH})'?", re.IGNORECASE)


def sql_identifier(written: str) -> Identity:
    """The parts of a name inside a statement, where what has no quotes is in capitals."""
    marked = re.findall(r'"((?:[^"]|"")+)"|([\w$]+)', written)
    return tuple(quoted.replace('""', '"') or bare.upper() for quoted, bare in marked)


def type_name(written: Any) -> str | None:
    """The canonical name of a data type without its size (VARCHAR for STRING(16)); None when there is no such type."""
    match = _TYPE.fullmatch(str(written))
    if match is None:
        return None
    words = " ".join(match[1].upper().split())
    return _PHRASES.get(words) or _TYPES.get(words)


def is_data_type(written: str) -> bool:
    return type_name(written) is not None


def same_type(written: Any) -> Any:
    """A data type in one spelling, with the size that it has when none is given."""
    name, size = type_name(written), _TYPE.fullmatch(str(written))
    if name is None or size is None:
        return written
    given = "".join((size[2] or "").split())
    return name, "" if given in {"(38,0)", "(38)", "(16777216)", "(8388608)", "(9)"} else given


def same_statement(written: Any) -> Any:
    """A statement without the white space around it and the semicolon behind it."""
    return str(written).replace("\r\n", "\n").strip().rstrip(";\r\n").strip()


def cron_refusals(expression: str) -> Iterator[str]:
    """What is wrong with ``minute hour day month weekday time-zone``, as a task's ``USING CRON`` takes it."""
    fields = expression.split()
    words = invalid(f"Invalid schedule expression 'USING CRON {expression}'")
    if len(fields) != len(_CRON_FIELDS) + 1:
        yield f"{words}: five fields and a time zone are expected, not {len(fields)}."
        return
    for field, (name, least, most) in zip(fields, _CRON_FIELDS, strict=False):
        if not all(_cron_part(part, name, least, most) for part in field.split(",")):
            yield f"{words}: {field} is no {name}."
    if not _is_zone(fields[-1]):
        yield f"{words}: {fields[-1]} is no time zone."


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _cron_part(part: str, name: str, least: int, most: int) -> bool:
    match = _CRON_PART.fullmatch(part)
    if match is None:
        return False
    body = match[1].upper()
    if body == "*":
        return True
    if body.endswith("L") and name in ("day of month", "day of week"):
        body = body.removesuffix("L") or str(least)
    numbers = [_cron_number(item, name) for item in body.split("#")[0].split("-")]
    return all(number is not None and least <= number <= most for number in numbers)


def _cron_number(written: str, name: str) -> int | None:
    known = _CRON_NAMES.get(name, [])
    if written in known:
        return known.index(written) + (1 if name == "month" else 0)
    return int(written) if written.isdigit() else None


def lag_refusals(written: str) -> Iterator[str]:
    """What is wrong with a dynamic table's target lag."""
    match = _LAG.fullmatch(written)
    if match is None:
        yield invalid(f"Invalid target lag '{written}': expected '<num> {{ seconds | minutes | hours | days }}'.")
    elif int(match[1]) * _SECONDS[match[2].lower()] < _SHORTEST_LAG_SECONDS:
        yield invalid(f"Invalid target lag '{written}': the minimum is 1 minute.")


def copied(statement: str) -> tuple[Identity, Identity, Identity | None] | None:
    """The table, the stage and the named file format of ``COPY INTO … FROM …``; None when it is no such statement."""
    match = _COPY.match(statement)
    stage = _STAGE.search(match[2]) if match else None
    if match is None or stage is None:
        return None
    named = _FORMAT.search(statement)
    return sql_identifier(match[1]), sql_identifier(stage[1]), sql_identifier(named[1]) if named else None
