"""The REST API of Pulumi Cloud; and what it knows of a stack besides its state: tags, and who is running something now.

One call (GET /api/stacks/ORG/PROJECT/STACK of its REST API, which the engine's own commands use) instead of two commands.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx

from sophia.errors import CredentialsError, RunFailed, SophiaError, UnreachableError
from sophia.target import Target, access_token, is_loopback

if TYPE_CHECKING:
    from sophia.stack import Stack

LONGEST_TAG = 256
"""Characters that Pulumi Cloud takes as a tag's value."""
_TIMEOUT = 30.0
_ACCEPT = "application/vnd.pulumi+8"


def client(target: Target, environ: Mapping[str, str] = os.environ, *, timeout: float = _TIMEOUT) -> httpx.Client:
    """A client of the service's REST API (paths below ``/api/``), with the token that the engine would use."""
    token = access_token(target.backend, {**environ, **target.environment})
    return httpx.Client(
        base_url=f"{target.backend.rstrip('/')}/api/",
        headers={"Authorization": f"token {token}", "Accept": _ACCEPT},
        timeout=timeout,
        trust_env=not is_loopback(target.backend),
    )


@dataclass(frozen=True)
class Operation:
    """A run that holds the stack."""

    kind: str
    """The engine's word: update, destroy, refresh…"""
    author: str
    started: datetime


@dataclass(frozen=True)
class StackRecord:
    """Without tags and operation for a stack that does not exist yet, or whose state is a file."""

    tags: Mapping[str, str] = field(default_factory=dict)
    operation: Operation | None = None


def read(stack: Stack) -> StackRecord:
    """Raises SophiaError if Pulumi Cloud does not answer, or refuses."""
    if stack.target.kind == "file":
        return StackRecord()
    with client(stack.target) as api:
        return _read(api, stack)


def set_tag(stack: Stack, name: str, value: str) -> None:
    """Sets one tag, and leaves the others. Raises SophiaError; a state file has no tags, which is no error."""
    if stack.target.kind == "file":
        return
    with client(stack.target) as api:
        tags = _read(api, stack).tags
        if tags.get(name) != value:
            _answer(api, stack, "PATCH", "/tags", {**tags, name: value})


def _read(api: httpx.Client, stack: Stack) -> StackRecord:
    answer = _answer(api, stack, "GET", "")
    if answer.status_code == httpx.codes.NOT_FOUND:
        return StackRecord()
    document = answer.json()
    return StackRecord(document.get("tags") or {}, _operation(document.get("currentOperation")))


def _operation(told: Mapping[str, Any] | None) -> Operation | None:
    if not told:
        return None
    started = datetime.fromtimestamp(int(told.get("started") or 0), UTC)
    return Operation(str(told.get("kind", "")), str(told.get("author", "")), started)


def _answer(
    api: httpx.Client, stack: Stack, method: str, path: str, document: Mapping[str, str] | None = None
) -> httpx.Response:
    backend = stack.target.backend
    try:
        answer = api.request(method, f"stacks/{stack.full_name}{path}", json=document)
    except httpx.HTTPError as error:
        raise UnreachableError(
            f"Pulumi Cloud at {backend} does not answer",
            said=str(error) or type(error).__name__,
            do="check the network; for the sandbox: `sophia sandbox status`",
        ) from error
    if answer.is_error and not (method == "GET" and answer.status_code == httpx.codes.NOT_FOUND):
        raise _refusal(answer, stack, "read" if method == "GET" else "written")
    return answer


def _refusal(answer: httpx.Response, stack: Stack, what: str) -> SophiaError:
    refused = answer.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN)
    return (CredentialsError if refused else RunFailed)(
        f'stack "{stack.name}": its record in Pulumi Cloud cannot be {what}',
        said=f"{answer.status_code} {answer.text[:200]}".strip(),
        setting="environment variable PULUMI_ACCESS_TOKEN" if refused else stack.target.backend,
        do="use a token that may read the stack" if what == "read" else "use a token that may edit the stack's tags",
    )
