"""Figma's OpenAPI description.

A value of a variable is exactly one of several forms there, and a color with an alpha is always two of them: here it may be.
"""

from __future__ import annotations

from typing import Any

NAME = "figma/figma_openapi.yaml"


def relaxed(specification: Any) -> Any:
    """The same description; a second call changes nothing."""
    value = specification.document["components"]["schemas"]["VariableValue"]
    value["anyOf"] = value.pop("oneOf", value.get("anyOf"))
    return specification
