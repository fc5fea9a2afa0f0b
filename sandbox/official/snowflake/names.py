"""Snowflake's names: identifiers as texts and as tuples, what is said of a name, and the two common shapes of objects.

Sources: ``EncodeResourceIdentifier`` (the id of an object of the account is its bare name, that of anything below is
quoted) and ``EncodeSnowflakeID`` (the preview resources: parts with bars between them) in
snowflakedb/terraform-provider-snowflake 2.20; Snowflake's SQL errors as the driver words them, with their code where it
is known. An error without a code says what Snowflake's documentation forbids, in words of the sandbox's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from sandbox.official.behaviour import Draft, Identity, Kind, Reference, WhenGone, paths, text
from sandbox.official.values import Path, Properties

DATABASE = "snowflake:index/database:Database"
SCHEMA = "snowflake:index/schema:Schema"
BORN_WITH_DATABASE = ("PUBLIC", "INFORMATION_SCHEMA")


def identifier(written: str) -> Identity:
    """The parts of ``DB.SCHEMA`` or ``"DB"."SCHEMA"``; a dot inside quotes is part of the name."""
    parts = [""]
    quoted = False
    for character in written:
        if character == '"':
            quoted = not quoted
        elif character == "." and not quoted:
            parts.append("")
        else:
            parts[-1] += character
    return tuple(parts)


def qualified(identity: Identity) -> str:
    return ".".join(f'"{part}"' for part in identity)


def spelled(written: Any) -> Any:
    """An identifier without the choice of quotes, for comparisons."""
    return identifier(written) if isinstance(written, str) else written


def missing(what: str, identity: Identity) -> str:
    name = ".".join(identity)
    return f"002003 (02000): SQL compilation error:\n{what} '{name}' does not exist or not authorized."


def invalid(words: str) -> str:
    """A statement that Snowflake compiles and refuses."""
    return f"SQL compilation error:\n{words}"


def refer(
    token: str, what: str, written: str, when_gone: WhenGone = WhenGone.GOES_TOO, also: tuple[str, ...] = ()
) -> Reference:
    identity = identifier(written)
    return Reference(token, identity, missing(what, identity), when_gone, also)


def refer_to_schema(identity: Identity) -> Iterator[Reference]:
    """A schema that is made with its database (PUBLIC) is no object of its own here: its database stands for it."""
    database = identity[:-1]
    yield Reference(DATABASE, database, missing("Database", database))
    if identity[-1] not in BORN_WITH_DATABASE:
        yield Reference(SCHEMA, identity, missing("Schema", identity))


def duplicate(identity: Identity) -> str:
    return f"002002 (42710): SQL compilation error:\nObject '{identity[-1]}' already exists."


def named(properties: Properties) -> Identity:
    return (text(properties, "name"),)


def in_schema(properties: Properties) -> Identity:
    return tuple(text(properties, member) for member in ("database", "schema", "name"))


def spelling(*names: str) -> tuple[tuple[Path, Callable[[Any], Any]], ...]:
    """The paths at which identifiers are compared without their quotes."""
    return tuple((path, spelled) for path in paths(*names))


def account_object(*, fill: Callable[[Draft], Properties] | None = None, **rules: Any) -> Kind:
    """An object at the top of the account: its name is its identity and its id; imports take the name in quotes too."""
    return Kind(
        identity=named,
        make_id=lambda properties: text(properties, "name"),
        import_ids=lambda properties: [qualified(named(properties))],
        duplicate=duplicate,
        fill=lambda draft: {"fullyQualifiedName": qualified(named(draft.asked)), **(fill(draft) if fill else {})},
        **rules,
    )


def schema_object(
    *,
    references: Callable[[Properties], Iterable[Reference]] = lambda _: (),
    replaces: tuple[str, ...] = ("database", "schema"),
    fill: Callable[[Draft], Properties] | None = None,
    bars: bool = False,
    spelled_freely: tuple[str, ...] = (),
    normal: tuple[tuple[Path, Callable[[Any], Any]], ...] = (),
    **rules: Any,
) -> Kind:
    """An object in a schema, which goes with it. ``bars``: one of the ids that have bars between their parts."""

    def referred(properties: Properties) -> Iterator[Reference]:
        yield from references(properties)
        yield from refer_to_schema(in_schema(properties)[:-1])

    def make_id(properties: Properties) -> str:
        return "|".join(in_schema(properties)) if bars else qualified(in_schema(properties))

    return Kind(
        identity=in_schema,
        make_id=make_id,
        import_ids=lambda properties: [qualified(in_schema(properties)), "|".join(in_schema(properties))],
        duplicate=duplicate,
        references=referred,
        replaces=paths(*replaces),
        fill=lambda draft: {"fullyQualifiedName": qualified(in_schema(draft.asked)), **(fill(draft) if fill else {})},
        normal=(*spelling("database", "schema", *spelled_freely), *normal),
        **rules,
    )
