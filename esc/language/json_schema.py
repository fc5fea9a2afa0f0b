"""The schema that the schemas given to ``fn::validate`` must conform to."""

from __future__ import annotations

from typing import Any

from esc.language.schema import parse_schema

_SELF = {"$ref": "#/$defs/schema"}
_ANYTHING: dict[str, Any] = {}


def _list_of(item: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": item}


def _map_of(member: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": member}


_NUMBER, _STRING, _BOOLEAN = {"type": "number"}, {"type": "string"}, {"type": "boolean"}

_KEYWORDS: dict[str, Any] = {
    "$defs": _map_of(_SELF),
    "$ref": _STRING,
    "type": {"type": "string", "enum": ["string", "number", "boolean", "array", "object", "null"]},
    "const": _ANYTHING,
    "default": _ANYTHING,
    "enum": {"type": "array"},
    "examples": {"type": "array"},
    "required": _list_of(_STRING),
    "dependentRequired": _map_of(_list_of(_STRING)),
    "properties": _map_of(_SELF),
    **dict.fromkeys(("anyOf", "oneOf", "prefixItems"), _list_of(_SELF)),
    **dict.fromkeys(("items", "additionalProperties"), _SELF),
    **dict.fromkeys(("pattern", "title", "description"), _STRING),
    **dict.fromkeys(("uniqueItems", "deprecated"), _BOOLEAN),
    **dict.fromkeys(("multipleOf", "maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum"), _NUMBER),
    **dict.fromkeys(("maxLength", "minLength", "maxItems", "minItems", "maxProperties", "minProperties"), _NUMBER),
}

JSON_SCHEMA = parse_schema(
    {"$ref": "#/$defs/schema", "$defs": {"schema": {"anyOf": [_BOOLEAN, {"type": "object", "properties": _KEYWORDS}]}}}
)
