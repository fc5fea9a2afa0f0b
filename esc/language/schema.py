"""The JSON Schema subset that ESC uses for typed arguments, for the inputs of providers and for ``fn::validate``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import unquote

from esc.language.scalars import Number, from_python

LIMITS = (
    "multipleOf", "maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum", "maxLength", "minLength",
    "maxItems", "minItems", "maxProperties", "minProperties",
)  # fmt: skip
_COUNTS = frozenset(LIMITS[5:])
_ANNOTATIONS = ("uniqueItems", "title", "description", "default", "deprecated", "examples", "secret")


class SchemaError(ValueError):
    """A schema that cannot be understood; the text says why."""


@dataclass(eq=False)
class Schema:
    """One schema. ``always`` accepts anything, ``never`` nothing; ``type`` is "" where no type is asked for.

    ``target`` is what ``ref`` points to. ``rotate_only`` names properties that only a rotation reads; ``rotating``
    marks a schema below such a property.
    """

    always: bool = False
    never: bool = False
    type: str = ""
    const: Any = None
    enum: Sequence[Any] = ()
    any_of: Sequence[Schema] = ()
    one_of: Sequence[Schema] = ()
    prefix_items: Sequence[Schema] = ()
    items: Schema | None = None
    properties: Mapping[str, Schema] = field(default_factory=dict)
    additional: Schema | None = None
    required: Sequence[str] = ()
    dependent_required: Mapping[str, Sequence[str]] = field(default_factory=dict)
    limits: Mapping[str, Number] = field(default_factory=dict)
    pattern: str = ""
    ref: str = ""
    target: Schema | None = None
    defs: Mapping[str, Schema] = field(default_factory=dict)
    annotations: Mapping[str, Any] = field(default_factory=dict)
    rotate_only: Sequence[str] = ()
    rotating: bool = False

    def property(self, name: str) -> Schema:
        """What is known of the property ``name`` of a value of this schema."""
        known = [one.property(name) for one in (*self.any_of, *self.one_of)]
        if self.type == "object":
            own = self.properties.get(name, self.additional)
            known += [own.for_rotation() if name in self.rotate_only else own] if own else []
        return _union(known)

    def item(self, index: int) -> Schema:
        """What is known of the element ``index`` of a value of this schema."""
        known = [one.item(index) for one in (*self.any_of, *self.one_of)]
        if self.type == "array":
            own = self.prefix_items[index] if index < len(self.prefix_items) else self.items
            known += [own] if own else []
        return _union(known)

    def for_rotation(self) -> Schema:
        """The same schema, marked as below a property that only a rotation reads."""
        if self.rotating:
            return self
        return replace(
            self,
            rotating=True,
            any_of=[one.for_rotation() for one in self.any_of],
            one_of=[one.for_rotation() for one in self.one_of],
            prefix_items=[one.for_rotation() for one in self.prefix_items],
            items=self.items and self.items.for_rotation(),
            additional=self.additional and self.additional.for_rotation(),
            properties={name: one.for_rotation() for name, one in self.properties.items()},
        )

    def to_json(self) -> Any:
        if self.never or self.always:
            return self.always
        members: dict[str, Any] = {
            "$defs": {name: one.to_json() for name, one in self.defs.items()},
            "$ref": self.ref,
            "anyOf": [one.to_json() for one in self.any_of],
            "oneOf": [one.to_json() for one in self.one_of],
            "prefixItems": [one.to_json() for one in self.prefix_items],
            "properties": {name: one.to_json() for name, one in self.properties.items()},
            "enum": list(self.enum),
            "pattern": self.pattern,
            "required": list(self.required),
            "dependentRequired": {name: list(others) for name, others in self.dependent_required.items()},
            "rotateOnly": list(self.rotate_only),
            **self.limits,
            **self.annotations,
        }
        kept = {name: value for name, value in members.items() if value not in ("", [], {}, False, None)}
        if self.items is not None:
            kept["items"] = self.items.to_json()
        if self.additional is not None:
            kept["additionalProperties"] = self.additional.to_json()
        if self.const is not None:
            kept["const"] = self.const
        return {**kept, "type": self.type}


ALWAYS = Schema(always=True)
NEVER = Schema(never=True)
NULL = Schema(type="null")
BOOLEAN = Schema(type="boolean")
NUMBER = Schema(type="number")
STRING = Schema(type="string")
OBJECT = Schema(type="object", additional=ALWAYS)
STRINGS = Schema(type="array", items=STRING)
ARRAY = Schema(type="array", items=ALWAYS)


def constant(value: bool | Number | str | None) -> Schema:
    """The schema of one scalar."""
    if value is None:
        return NULL
    kind = "boolean" if isinstance(value, bool) else "number" if isinstance(value, Number) else "string"
    return Schema(type=kind, const=value)


def record(properties: Mapping[str, Schema], additional: Schema | None = None) -> Schema:
    """An object that has all of ``properties``."""
    ordered = {name: properties[name] for name in sorted(properties)}
    return Schema(type="object", properties=ordered, required=list(ordered), additional=additional)


def tuple_of(items: Sequence[Schema]) -> Schema:
    """An array of just these elements."""
    return Schema(type="array", prefix_items=list(items), items=NEVER)


def one_of(*alternatives: Schema) -> Schema:
    return Schema(one_of=alternatives)


def merged(base: Schema | None, top: Schema) -> Schema:
    """What a value of schema ``top`` has after it was laid over one of schema ``base``."""
    if base is None or base.type != "object" or top.type != "object":
        return top
    properties = dict(base.properties)
    for name, own in top.properties.items():
        properties[name] = merged(properties.get(name), own)
    additional = top.additional
    if base.additional is not None:
        additional = base.additional if additional is None else ALWAYS
    return record(properties, additional)


def _union(known: list[Schema]) -> Schema:
    possible = [one for one in known if not one.never]
    if not possible:
        return NEVER
    if len(possible) == 1:
        return possible[0]
    return Schema(one_of=possible, rotating=all(one.rotating for one in possible))


def parse_schema(raw: Any) -> Schema:
    """A schema from JSON. Raises SchemaError for what ESC does not support."""
    root = _parse(from_python(raw))
    _link(root, root, set())
    return root


def _parse(raw: Any) -> Schema:
    if isinstance(raw, bool):
        return ALWAYS if raw else NEVER
    if not isinstance(raw, Mapping):
        raise SchemaError("a schema must be a boolean or an object")
    for name in _COUNTS & raw.keys():
        if not raw[name].text.isdecimal():
            raise SchemaError(f"{name} must be a whole number, got {raw[name].text}")
    try:
        re.compile(raw.get("pattern", ""))
    except re.error as error:
        raise SchemaError(f"the pattern {raw['pattern']} is not a regular expression: {error}") from error
    return Schema(
        type=raw.get("type", ""),
        const=raw.get("const"),
        enum=raw.get("enum", ()),
        any_of=[_parse(one) for one in raw.get("anyOf", ())],
        one_of=[_parse(one) for one in raw.get("oneOf", ())],
        prefix_items=[_parse(one) for one in raw.get("prefixItems", ())],
        items=_parse(raw["items"]) if "items" in raw else None,
        properties={name: _parse(one) for name, one in raw.get("properties", {}).items()},
        additional=_parse(raw["additionalProperties"]) if "additionalProperties" in raw else None,
        required=raw.get("required", ()),
        dependent_required=raw.get("dependentRequired", {}),
        limits={name: raw[name] for name in LIMITS if name in raw},
        pattern=raw.get("pattern", ""),
        ref=raw.get("$ref", ""),
        defs={name: _parse(one) for name, one in raw.get("$defs", {}).items()},
        annotations={name: raw[name] for name in _ANNOTATIONS if name in raw},
        rotate_only=raw.get("rotateOnly", ()),
    )


def _link(schema: Schema, root: Schema, seen: set[int]) -> None:
    """Points every ``$ref`` to the schema it names."""
    if id(schema) in seen:
        return
    seen.add(id(schema))
    if schema.ref:
        name = schema.ref.removeprefix("#/$defs/")
        if name == schema.ref or "/" in name:
            raise SchemaError("only fragment references of the form #/$defs/ref are supported")
        schema.target = root.defs.get(unquote(name))
        if schema.target is None:
            raise SchemaError(f"unknown subschema {schema.ref}")
    below = [*schema.any_of, *schema.one_of, *schema.prefix_items, *schema.properties.values(), *schema.defs.values()]
    below += [one for one in (schema.items, schema.additional) if one is not None]
    for one in below:
        _link(one, root, seen)
