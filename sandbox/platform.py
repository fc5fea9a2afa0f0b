"""What a platform's emulator is made of, so that the host can serve, journal, break and reset all of them alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from sandbox.store import Store


@dataclass(frozen=True)
class Platform:
    """One platform of the sandbox, served under ``/<name>``.

    ``credentials`` are the environment variables with which a client reaches this platform in the sandbox: the
    address (``{url}`` stands for the platform's own base address, without a slash at the end) and the keys that the
    emulator accepts (``{stage}`` stands for the stage, where each has a key of its own). The sandbox's Pulumi
    Cloud puts them into the ESC environments ``credentials-<stage>``, with those named in ``secret`` as secrets.

    ``failure`` renders an error in the platform's own shape: the host uses it for faults on demand.
    """

    name: str
    title: str
    routes: Sequence[BaseRoute]
    failure: Callable[[int, str], Response]
    credentials: Mapping[str, str] = field(default_factory=dict)
    secret: frozenset[str] = frozenset()
    files: frozenset[str] = frozenset()
    """Those of ``credentials`` that are the contents of a file, whose path the variable then holds (a kubeconfig)."""
    simulated: str = ""
    """One line for the README's table: what is imitated, and what is not."""


def store_of(request: Request, platform: str) -> Store:
    """The objects of ``platform`` in the sandbox that serves this request."""
    stores: Callable[[str], Store] = request.app.state.stores
    return stores(platform)
