"""The declarations of all platforms: every module of this package that has a ``HEALTH``."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

import health
from health.base import Health


@cache
def all_of_them() -> dict[str, Health]:
    """By the platform's name, in the order of the names."""
    modules = (
        import_module(f"health.{found.name}") for found in iter_modules(health.__path__) if found.name != "__main__"
    )
    declared = [module.HEALTH for module in modules if hasattr(module, "HEALTH")]
    return {one.platform: one for one in sorted(declared, key=lambda one: one.platform)}
