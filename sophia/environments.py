"""Puts the ESC environments of git (esc/*.yaml) into the sandbox's Pulumi Cloud, word for word."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from sophia.errors import RunFailed, SettingsError, UnreachableError
from sophia.target import ORGANIZATION

if TYPE_CHECKING:
    from sandbox.control import Running

PROJECT = "sophia-ai"
NAMES = ("base", "dev", "staging", "prod")
"""In the order in which they must exist: the stages import base."""
_NOT_FOUND = 404
_CONFLICT = 409
_DIAGNOSED = 400


def publish(running: Running, directory: Path) -> list[str]:
    """Writes those environments whose text differs; their names, for people. ``directory`` is the checkout's esc/.

    Raises SettingsError for an environment that the sandbox does not accept, UnreachableError if it does not answer.
    """
    headers = {"Authorization": f"token {running.access_token}"}
    written = []
    try:
        with httpx.Client(base_url=running.url, headers=headers, trust_env=False, timeout=30) as client:
            for name in NAMES:
                file = directory / f"{name}.yaml"
                if file.is_file() and _publish_one(client, name, file):
                    written.append(f"{PROJECT}/{name}")
    except httpx.HTTPError as error:
        raise UnreachableError(
            "the sandbox's Pulumi Cloud does not answer",
            said=str(error),
            setting=running.url,
            do="`sophia sandbox status`",
        ) from error
    return written


def _publish_one(client: httpx.Client, name: str, file: Path) -> bool:
    """Whether it had to be written."""
    text = file.read_text(encoding="utf-8")
    path = f"/api/esc/environments/{ORGANIZATION}/{PROJECT}/{name}"
    current = client.get(path)
    if current.status_code == _NOT_FOUND:
        created = client.post(f"/api/esc/environments/{ORGANIZATION}", json={"project": PROJECT, "name": name})
        if created.is_error and created.status_code != _CONFLICT:
            raise _refused(name, file, created)
    elif current.is_error:
        raise _refused(name, file, current)
    elif current.text == text:
        return False
    answer = client.patch(path, content=text.encode(), headers={"Content-Type": "application/x-yaml"})
    if answer.is_error:
        raise _refused(name, file, answer)
    return True


def _refused(name: str, file: Path, answer: httpx.Response) -> SettingsError | RunFailed:
    try:
        document = answer.json()
    except ValueError:
        document = {"message": answer.text}
    diagnostics = [_diagnostic(d) for d in document.get("diagnostics") or ()]
    said = "\n".join(diagnostics) or str(document.get("message", ""))
    setting = f"{file.parent.name}/{file.name}"
    if answer.status_code == _DIAGNOSED:
        return SettingsError(
            f"ESC environment {PROJECT}/{name} is not accepted", said=said, setting=setting, do=f"correct {setting}"
        )
    return RunFailed(
        f"ESC environment {PROJECT}/{name} cannot be written", said=f"{answer.status_code} {said}", setting=setting
    )


def _diagnostic(diagnostic: dict[str, object]) -> str:
    where = diagnostic.get("range")
    begin = where.get("begin") if isinstance(where, dict) else None
    place = f"line {begin['line']}, column {begin['column']}: " if isinstance(begin, dict) else ""
    return f"{place}{diagnostic.get('summary', '')}"
