"""How the program waits for its resources when it has declared them all."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any, SupportsIndex

from pulumi.runtime.settings import SETTINGS


def wait_for_registrations() -> None:
    """Makes the SDK wait for the registrations of resources before it waits for outputs; the program's last word.

    Left to itself, the SDK (3.258, ``wait_for_rpcs``) looks for registrations before the first of them has begun, finds
    none, and waits for all outputs at once, starting over whenever one of them is there: a time that grows with the square
    of their number.
    """
    SETTINGS.rpc_manager.rpcs = _InOrder([asyncio.ensure_future(_all_answered())])


class _InOrder(list[Awaitable[Any]]):
    """What the SDK takes out of it, one at a time, is what came first: here the wait for all the others."""

    def pop(self, index: SupportsIndex = 0) -> Awaitable[Any]:
        return super().pop(index)


async def _all_answered() -> None:
    """Ends when every registration was answered, well or not: what fails must not keep the rest from being done."""
    this = asyncio.current_task()
    while waited_for := [rpc for rpc in _begun() if rpc is not this and not rpc.done()]:
        await asyncio.wait(waited_for)


def _begun() -> list[asyncio.Future[Any]]:
    return [rpc for rpc in SETTINGS.rpc_manager.rpcs if isinstance(rpc, asyncio.Future)]
