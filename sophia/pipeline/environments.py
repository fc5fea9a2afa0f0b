"""At which revision the ESC environments of a stack are, those that they import included."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import yaml

from sophia import cloud
from sophia.errors import CredentialsError, RunFailed, SettingsError, SophiaError, UnreachableError
from sophia.stack import Stack

_REVISION = "Pulumi-ESC-Revision"
_REFUSED = (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN)


def revisions(stack: Stack, environ: Mapping[str, str]) -> dict[str, str]:
    """The revision of every environment that opening the stack reads, by name; {} where there is no ESC (a state file).

    Raises SophiaError where one cannot be read. Secrets in the definitions stay encrypted, and are not looked at.
    """
    target = stack.target
    if not target.organization:
        return {}
    found: dict[str, str] = {}
    waiting = list(stack.project.environments(stack.name))
    with cloud.client(target, environ) as api:
        while waiting:
            name = waiting.pop()
            if name not in found:
                found[name], text = _read(api, stack, name)
                waiting += _imports(text)
    return dict(sorted(found.items()))


def _read(api: httpx.Client, stack: Stack, name: str) -> tuple[str, str]:
    path, _, version = name.partition("@")
    address = (path if "/" in path else f"default/{path}") + (f"/versions/{version}" if version else "")
    try:
        answer = api.get(f"esc/environments/{stack.target.organization}/{address}")
    except httpx.HTTPError as error:
        raise UnreachableError(
            f"Pulumi Cloud at {stack.target.backend} does not answer",
            said=str(error) or type(error).__name__,
            do="check the network; for the sandbox: `sophia sandbox status`",
        ) from error
    if answer.is_error:
        raise _refusal(answer, stack, name)
    return answer.headers.get(_REVISION, ""), answer.text


def _refusal(answer: httpx.Response, stack: Stack, name: str) -> SophiaError:
    error: type[SophiaError] = RunFailed
    if answer.status_code in _REFUSED:
        error = CredentialsError
    elif answer.status_code == httpx.codes.NOT_FOUND:
        error = SettingsError
    return error(
        f'stack "{stack.name}": the ESC environment {name} cannot be read',
        said=f"{answer.status_code} {_message(answer)}".strip(),
        setting=f"{stack.settings_file.name}: environment",
        do=f"`sophia esc diff {stack.name}` shows what Pulumi Cloud has; a token needs the permission to read it",
    )


def _message(answer: httpx.Response) -> str:
    try:
        document = answer.json()
    except ValueError:
        return ""
    return str(document.get("message", "")) if isinstance(document, dict) else ""


def _imports(text: str) -> Iterator[str]:
    """The names in ``imports``: each a text, or a mapping with one key."""
    try:
        document: Any = yaml.safe_load(text) or {}
    except yaml.YAMLError:
        return  # the engine tells what is wrong with it, and where
    for item in (document.get("imports") if isinstance(document, dict) else None) or ():
        yield from (str(name) for name in (item if isinstance(item, dict) else [item]))
