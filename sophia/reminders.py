"""Credentials that are due, as issues in Linear or tasks in Asana: each once, and closed when it has been renewed.

Which reminders are open must outlive the machine that looks: it is kept in tags of the stack in Pulumi Cloud, such as
``sophia:reminders-1`` = ``1f0c9a7b.20270131``, a credential's digest and the day on which it was due.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sophia import cloud
from sophia.backend import engine_command
from sophia.credentials import Credentials, Record
from sophia.errors import Problem, RunFailed, SettingsError
from sophia.health import settings_of
from sophia.runner import EngineCommand
from sophia.stack import Stack
from sophia.survey import Inside

_MAKER = "health.reminders"
"""The module of the program that makes them: the keys of Linear and Asana are in the stack's ESC environment only."""

_TAG = "sophia:reminders-"
_NONE = "none"
_HANDLE = re.compile(r"([0-9a-f]{8})\.(\d{8})")
_TITLES = {"linear": "Linear", "asana": "Asana"}


@dataclass(frozen=True)
class Reminders:
    """What was done, by names of credentials; ``there`` were there before. ``closed`` counts those that were renewed."""

    to: str
    """Linear or Asana."""
    made: tuple[str, ...]
    there: tuple[str, ...]
    closed: int
    failed: tuple[Problem, ...]

    def raise_for_failures(self) -> None:
        """Raises RunFailed with everything that was not taken; all else is done."""
        if self.failed:
            raise RunFailed(list(self.failed))


def are_wanted(stack: Stack) -> bool:
    """Whether the stack file says where reminders go. Raises SettingsError."""
    return bool((settings_of(stack).get("incidents") or {}).get("reminders"))


def remind(
    stack: Stack, found: Credentials, within: timedelta = timedelta(0), *, engine: EngineCommand | None = None
) -> Reminders:
    """Makes a reminder of each credential that is due ``within`` that time, and closes those of renewed ones.

    Raises SophiaError where nothing could be done at all.
    """
    if stack.target.kind == "file":
        raise SettingsError(
            "reminders need Pulumi Cloud",
            said="which of them are open is kept there, as tags of the stack",
            setting="option --remind",
            do="leave it out",
        )
    place = _place(stack)
    tags = cloud.read(stack).tags
    was_open = {handle for name, text in tags.items() if name.startswith(_TAG) for handle in _handles(text)}
    due = {_handle(record): record for record in found.due_within(within)}
    over = sorted(handle for handle in was_open - due.keys() if _is_over(handle, found))
    request = {
        "stack": f"{stack.project.name}/{stack.name}",
        "place": place,
        "due": [_told(handle, record, stack) for handle, record in due.items()],
        "renewed": over,
    }
    inside = Inside(stack.project, stack.name, stack.target, engine or engine_command(lambda _line: None))
    answer = inside.run(_MAKER, (), json.dumps(request))
    _note(stack, tags, (was_open | {*answer["made"], *answer["there"]}) - {*answer["closed"]})
    title = _TITLES[place["to"]]
    return Reminders(
        title,
        tuple(due[handle].name for handle in answer["made"]),
        tuple(due[handle].name for handle in answer["there"]),
        len(answer["closed"]),
        tuple(_problem(title, one, due) for one in answer["failed"]),
    )


def _place(stack: Stack) -> dict[str, str]:
    told = stack.outputs().get("incidents")
    place = told.get("reminders") if isinstance(told, Mapping) else None
    if not isinstance(place, Mapping):
        raise SettingsError(
            f'stack "{stack.name}" has no place for reminders',
            said="its outputs have no incidents.reminders",
            setting=f"{stack.settings_file.name}: {stack.project.name}:incidents.reminders",
            do=f"say there whether they go to Linear or Asana, and deploy it: `sophia up {stack.name}`",
        )
    return {str(name): str(value) for name, value in place.items()}


def _digest(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:8]


def _handle(record: Record) -> str:
    return f"{_digest(record.name)}.{record.due:%Y%m%d}"


def _handles(text: str) -> Iterator[str]:
    yield from (word for word in text.split() if _HANDLE.fullmatch(word))


def _is_over(handle: str, found: Credentials) -> bool:
    """Whether the credential is due on a later day now, or is used no more. What is not known is no reason."""
    digest, day = handle.split(".")
    records = [record for record in found.records if _digest(record.name) == digest]
    if not records:
        return not found.remarks
    return all(record.due is not None and f"{record.due:%Y%m%d}" > day for record in records)


def _told(handle: str, record: Record, stack: Stack) -> dict[str, str]:
    lines = [
        f"{record.name} ({record.title}) of {stack.project.name}/{stack.name} is due on {record.due:%Y-%m-%d}.",
        record.rotation,
        record.source,
        f"This is closed by `sophia credentials {stack.name} --remind` once the credential has been renewed.",
    ]
    return {
        "handle": handle,
        "name": record.name,
        "title": f"Renew {record.name} ({stack.name})",
        "text": "\n\n".join(line for line in lines if line),
    }


def _note(stack: Stack, tags: Mapping[str, str], is_open: set[str]) -> None:
    """Writes the tags that change; one that is needed no more says so."""
    wanted = {f"{_TAG}{number}": text for number, text in enumerate(_packed(sorted(is_open)), 1)}
    for name in {*(name for name in tags if name.startswith(_TAG)), *wanted}:
        text = wanted.get(name, _NONE)
        if tags.get(name, _NONE) != text:
            cloud.set_tag(stack, name, text)


def _packed(handles: Sequence[str]) -> Iterator[str]:
    """The handles in as few texts as tags can be long."""
    text = ""
    for handle in handles:
        if text and len(text) + 1 + len(handle) > cloud.LONGEST_TAG:
            yield text
            text = ""
        text = f"{text} {handle}" if text else handle
    if text:
        yield text


def _problem(title: str, failed: Mapping[str, Any], due: Mapping[str, Record]) -> Problem:
    record = due.get(failed["handle"])
    what = f"no reminder of {record.name} was made in {title}" if record else f"a reminder in {title} stays open"
    return Problem(what, failed["said"], "incidents.reminders in the stack file", "the next run tries it again")
