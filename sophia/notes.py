"""Puts notes of interrupted creations into a stack's state.

The engine leaves such notes when it is killed, but not when a provider dies under it, nor when a platform falls silent in
the middle of a create. Its command line cannot write them either: ``pulumi stack import`` drops them (SaveSnapshot in
pkg/cmd/pulumi/stack/io.go of 3.258). The service's own import call (POST /api/stacks/ORG/PROJECT/STACK/import, which that
command uses) takes the state as it is.
"""

from __future__ import annotations

import time
from collections.abc import Mapping

import httpx

from sophia import cloud
from sophia.state import State
from sophia.target import Target

_TIMEOUT = 60.0
_PATIENCE = 60.0
"""Seconds that the service is given to work an import in."""
_POLL = 0.2
_OVER = frozenset({"succeeded", "failed", "cancelled"})


class NotWrittenError(Exception):
    """The state could not be written; the text says why, for people."""


def write(state: State, target: Target, full_name: str, environ: Mapping[str, str]) -> None:
    """Replaces the state of a stack (``organization/project/stack``), its notes included. Raises NotWrittenError."""
    if target.kind == "file":
        raise NotWrittenError("a state file takes no notes")
    try:
        with cloud.client(target, environ, timeout=_TIMEOUT) as api:
            answer = api.post(
                f"stacks/{full_name}/import", content=state.dump(), headers={"Content-Type": "application/json"}
            )
            update = answer.raise_for_status().json()["updateId"]
            _wait(api, f"stacks/{full_name}/update/{update}")
    except (httpx.HTTPError, ValueError, KeyError) as error:
        raise NotWrittenError(f"{target.backend}: {error}") from error


def _wait(api: httpx.Client, update: str) -> None:
    deadline = time.monotonic() + _PATIENCE
    while (status := _status(api, update)) not in _OVER:
        if time.monotonic() > deadline:
            raise NotWrittenError(f"the import is still {status} after {_PATIENCE:.0f} s")
        time.sleep(_POLL)
    if status != "succeeded":
        raise NotWrittenError(f"the import {status}")


def _status(api: httpx.Client, update: str) -> str:
    answer = api.get(update)
    answer.raise_for_status()
    return str(answer.json()["status"]).lower()
