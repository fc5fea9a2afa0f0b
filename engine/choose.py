"""The three ways to an engine, in their order."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from . import cache, on_path
from .build import build
from .download import download
from .model import Attempt, Engine, EngineUnavailable, WayClosed


def ensure(report: Callable[[str], None] | None = None) -> Engine:
    """An engine that runs: one on PATH, one from the cache, the official download, or a build from Go modules.

    `report` is told in short lines what takes time; a download or a build says something every five seconds, from
    another thread. Two calls at once, in one process or several, install one engine.

    Raises:
        EngineUnavailable: no way led to an engine; its text is for people.
    """
    say = report or _nobody
    tried: list[Attempt] = []
    for way, find in (("PATH", lambda: on_path.find(ignore=cache.root())), ("cache", cache.find)):
        if (engine := _try(way, find, tried)) is not None:
            return engine
    try:
        with cache.exclusive(say):
            return _install(say, tried)
    except WayClosed as reason:
        raise EngineUnavailable([*tried, Attempt("cache", str(reason))]) from reason


def _install(say: Callable[[str], None], tried: list[Attempt]) -> Engine:
    if (engine := _try("cache", cache.find, [])) is not None:
        return engine
    for way, install in (("download", download), ("build", build)):
        if (engine := _try(way, partial(install, say), tried)) is not None:
            return engine
    raise EngineUnavailable(tried)


def _try(way: str, find: Callable[[], Engine], tried: list[Attempt]) -> Engine | None:
    try:
        return find()
    except WayClosed as reason:
        tried.append(Attempt(way, str(reason)))
        return None


def _nobody(_line: str) -> None:
    """Listens to no report."""
