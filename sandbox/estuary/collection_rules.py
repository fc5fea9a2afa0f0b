"""What Estuary's build checks of a collection: its key, schemas, projections and derivation (crates/validation)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.estuary import specs
from sandbox.estuary.errors import Mistake
from sandbox.estuary.locations import Schema

Problem = tuple[str, str]
"""What is wrong, and the JSON pointer of where in the specification."""

SchemaOf = Callable[[str], "Schemas | None"]


@dataclass(frozen=True)
class Schemas:
    """What a collection's documents are written and read by."""

    write: Schema
    read: Schema

    def has_field(self, field: str, projections: Mapping[str, Any]) -> bool:
        """Whether a materialization could select a field of this name."""
        if field in projections or field in ("flow_document", "flow_published_at"):
            return True
        return self.read.at(f"/{field}").known or self.write.at(f"/{field}").known


def schemas_of(collection: specs.Collection) -> Schemas | None:
    """``None`` unless there is either ``schema``, or both of ``writeSchema`` and ``readSchema``."""
    given = collection.model_fields_set & {"schema_", "write_schema", "read_schema"}
    if given == {"schema_"}:
        schema = Schema(collection.schema_, {})
        return Schemas(schema, schema)
    if given == {"write_schema", "read_schema"}:
        others = {
            "flow://write-schema": collection.write_schema,
            "flow://relaxed-write-schema": collection.write_schema,
            "flow://inferred-schema": {},
        }
        return Schemas(Schema(collection.write_schema, {}), Schema(collection.read_schema, others))
    return None


def mistakes(
    name: str, collection: specs.Collection, live: Mapping[str, Any] | None, of: SchemaOf
) -> Iterator[Mistake]:
    """All that is wrong with a drafted collection. ``live`` is its specification as it is, if it is."""
    for detail, pointer in _problems(name, collection, live, of):
        yield Mistake("collection", name, detail, pointer)


def _problems(
    name: str, collection: specs.Collection, live: Mapping[str, Any] | None, of: SchemaOf
) -> Iterator[Problem]:
    if not collection.key:
        yield f"collection {name} key cannot be empty (https://go.estuary.dev/Zq6zVB)", "/key"
    schemas = schemas_of(collection)
    if schemas is None:
        yield f"collection {name} must define either `schema` or both of `writeSchema` and `readSchema`", ""
        return
    shapeless = {member: schema for member, schema in _named(schemas).items() if schema.at("").types != {"object"}}
    for member, schema in shapeless.items():
        yield f"collection schema {schema.url} must have type 'object'", f"/{member}"
    if shapeless:
        return
    for index, pointer in enumerate(collection.key):
        for schema in _named(schemas).values():
            yield from ((detail, f"/key/{index}") for detail in _key_problems(schema, pointer))
    yield from _projection_problems(collection, schemas)
    if live is not None and not collection.reset:
        yield from _changes(name, collection, live)
    if collection.derive is not None:
        yield from _shuffle_problems(collection.derive, of)


def _named(schemas: Schemas) -> dict[str, Schema]:
    if schemas.write is schemas.read:
        return {"schema": schemas.write}
    return {"writeSchema": schemas.write, "readSchema": schemas.read}


def _pointer_problems(schema: Schema, pointer: str) -> Iterator[str]:
    if pointer and not pointer.startswith("/"):
        yield f"{pointer} is not a valid JSON pointer (missing leading '/' slash)"
        return
    location = schema.at(pointer)
    if not location.may_exist:
        yield f"location {pointer} is prohibited from ever existing by the schema {schema.url}"
    elif not location.known:
        yield f"location {pointer} is unknown in schema {schema.url}"


def _key_problems(schema: Schema, pointer: str) -> Iterator[str]:
    problems = list(_pointer_problems(schema, pointer))
    yield from problems
    if problems:
        return
    location = schema.at(pointer)
    if not location.may_be_a_key:
        yield (
            f"location {pointer} accepts {location.written} in schema {schema.url}, but locations used as keys may only be "
            "null-able integers, strings, or booleans"
        )
    elif location.reduced:
        yield f"location {pointer} has a reduction strategy, which is disallowed because the location is used as a key"


def _projection_problems(collection: specs.Collection, schemas: Schemas) -> Iterator[Problem]:
    canonical = schemas.read.fields() | schemas.write.fields()
    for field, projection in collection.projections.items():
        place = f"/projections/{field.replace('~', '~0').replace('/', '~1')}"
        extended = projection if isinstance(projection, specs.Projection) else None
        pointer = extended.location if extended else str(projection)
        check = _key_problems if extended and extended.partition else _pointer_problems
        if pointer != "/_meta/uuid/date-time":
            yield from ((detail, place) for detail in check(schemas.read, pointer))
        if field in canonical and pointer != f"/{field}":
            words = f'cannot re-map it to "{pointer}"'
            detail = f'projection {field} is the canonical field name of location "/{field}", and {words}'
            yield detail, place


def _changes(name: str, collection: specs.Collection, live: Mapping[str, Any]) -> Iterator[Problem]:
    """What of an existing collection only a reset may change."""
    before, after = list(live.get("key", ())), collection.key
    if before != after:
        yield _changed("key", name, before, after), "/key"
    was, will = _partitions(live.get("projections") or {}), _partitions(collection.model_dump()["projections"])
    if was != will:
        yield _changed("logical partitions", name, was, will), "/projections"


def _changed(what: str, name: str, before: list[str], after: list[str]) -> str:
    quoted = ("[" + ", ".join(f'"{item}"' for item in items) + "]" for items in (before, after))
    change = f"(from {next(quoted)} to {next(quoted)})"
    return f"the {what} of existing collection {name} cannot change {change} without also resetting it"


def _partitions(projections: Mapping[str, Any]) -> list[str]:
    return sorted(field for field, p in projections.items() if isinstance(p, dict) and p.get("partition"))


def _shuffle_problems(derivation: specs.Derivation, of: SchemaOf) -> Iterator[Problem]:
    for index, transform in enumerate(derivation.transforms):
        if not isinstance(transform.shuffle, specs.ShuffleKey):
            continue
        place = f"/derive/transforms/{index}/shuffle/key"
        if not transform.shuffle.key:
            yield f"transform {transform.name} shuffle key cannot be empty", place
        source = of(specs.source_name(transform.source))
        for position, pointer in enumerate(transform.shuffle.key if source else ()):
            yield from ((detail, f"{place}/{position}") for detail in _key_problems(source.read, pointer))  # type: ignore[union-attr] # there are none without a source
