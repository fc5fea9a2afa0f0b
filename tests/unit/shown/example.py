"""What the modules of this folder are made of."""

from __future__ import annotations

from typing import Any

from providers.base import Resource

OURS = "(managed by sophia-ai/dev)"
"""The mark of the stack whose objects these are."""

Examples = dict[str, tuple[type[Resource], dict[str, Any], dict[str, Any], str]]
"""By a name that begins with the platform's: the kind, its inputs, the vendor's document, the object's id."""
