"""Drives the Pulumi program of this checkout: a library for scripts (`from sophia import Stack`) and the command `sophia`.

The names below are loaded when they are first used, so that `sophia --help` does not pay for the engine's SDK.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sophia.drift import Drift
    from sophia.errors import (
        CredentialsError,
        Interrupted,
        LockedError,
        Problem,
        RunFailed,
        SettingsError,
        SophiaError,
        UnreachableError,
        UnreadableError,
    )
    from sophia.events import Event
    from sophia.results import Counts, HistoryEntry, Partial, Plan, Result
    from sophia.stack import Stack
    from sophia.target import Target

_HOMES = {
    "Drift": "sophia.drift",
    "CredentialsError": "sophia.errors",
    "Interrupted": "sophia.errors",
    "LockedError": "sophia.errors",
    "Problem": "sophia.errors",
    "RunFailed": "sophia.errors",
    "SettingsError": "sophia.errors",
    "SophiaError": "sophia.errors",
    "UnreachableError": "sophia.errors",
    "UnreadableError": "sophia.errors",
    "Event": "sophia.events",
    "Counts": "sophia.results",
    "HistoryEntry": "sophia.results",
    "Partial": "sophia.results",
    "Plan": "sophia.results",
    "Result": "sophia.results",
    "Stack": "sophia.stack",
    "Target": "sophia.target",
}

__all__ = [
    "Counts",
    "CredentialsError",
    "Drift",
    "Event",
    "HistoryEntry",
    "Interrupted",
    "LockedError",
    "Partial",
    "Plan",
    "Problem",
    "Result",
    "RunFailed",
    "SettingsError",
    "SophiaError",
    "Stack",
    "Target",
    "UnreachableError",
    "UnreadableError",
]


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'sophia' has no attribute {name!r}")
    return getattr(import_module(home), name)
