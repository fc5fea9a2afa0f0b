"""What the settings of Snowflake call things: identifiers, column types, and references in SQL."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Annotated, Final

from pydantic import Field

from components.explain import Mistake, Path, did_you_mean
from components.settings import matching, unknown_name

Identifier = Annotated[
    str,
    matching(r"[A-Z_][A-Z0-9_$]{0,254}", "must be a Snowflake identifier in upper case, such as SOPHIA_AI"),
]
"""The provider quotes every name, so a lower-case letter would make an object that plain SQL does not find."""

SYSTEM_ROLES: Final = frozenset(
    {"ACCOUNTADMIN", "GLOBALORGADMIN", "ORGADMIN", "PUBLIC", "SECURITYADMIN", "SYSADMIN", "USERADMIN"}
)
"""Roles of every account (docs.snowflake.com, access control, system-defined roles)."""

ColumnType = Annotated[
    str,
    matching(
        r"(VARCHAR(\(\d{1,8}\))?|NUMBER(\(\d{1,2}(,\d{1,2})?\))?|FLOAT|BOOLEAN|DATE|TIME"
        r"|TIMESTAMP_(NTZ|LTZ|TZ)(\(\d\))?|VARIANT|OBJECT|ARRAY|BINARY(\(\d{1,8}\))?)",
        "must be a Snowflake type in upper case, such as VARCHAR, NUMBER(12,2), DATE or TIMESTAMP_TZ",
    ),
]
Cron = Annotated[str, matching(r"\S+( \S+){4}", "must have five fields, for example 0 6 * * *")]
TimeZone = Annotated[
    str, matching(r"UTC|[A-Z][A-Za-z_]+(/[A-Z][A-Za-z_+\-]+){1,2}", "must be a zone such as America/Los_Angeles or UTC")
]
"""Not looked up: a machine without the zone database would refuse what Snowflake knows."""

Sql = Annotated[str, Field(min_length=1)]
"""SQL names objects of these settings as ``{tables.payments}``; the component puts the qualified, quoted name there."""

REFERENCE: Final = re.compile(r"\{([a-z_]+)\.([a-z0-9-]+)\}")


def base_type(column_type: str) -> str:
    """``NUMBER`` for ``NUMBER(12,2)``."""
    return column_type.partition("(")[0]


def references(sql: str) -> Iterator[tuple[str, str]]:
    """All that ``sql`` names, as pairs of the settings' section and the key there."""
    for match in REFERENCE.finditer(sql):
        yield match.group(1), match.group(2)


def unknown_references(path: Path, sql: str, known: Mapping[str, Collection[str]]) -> Iterator[Mistake]:
    """A mistake for each reference in ``sql`` that names nothing in ``known``, keys by section."""
    for section, key in references(sql):
        if section not in known:
            there_are = ", ".join(sorted(known))
            message = (
                f'"{{{section}.{key}}}" cannot be named here{did_you_mean(section, known)}; there are: {there_are}'
            )
            yield Mistake(path, message)
        else:
            yield from unknown_name(path, key, known[section], section.replace("_", " ").removesuffix("s"))


def repeated(path: Path, names: Sequence[str]) -> Iterator[Mistake]:
    """A mistake for each name that stands twice."""
    for index, name in enumerate(names):
        if name in names[:index]:
            yield Mistake((*path, index), f'"{name}" is there already')
