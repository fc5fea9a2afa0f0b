"""``sophia adopt --write-settings``: what exists on a platform becomes settings, after a look at what that would add."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sophia.errors import SettingsError
from sophia.survey import Inside, survey

if TYPE_CHECKING:
    from rich.console import Console

    from sophia.runner import EngineCommand
    from sophia.stack import Stack

_MODULE = "components.existing"


def write(
    stack: Stack,
    engine: EngineCommand,
    out: Console,
    platforms: Sequence[str],
    confirm: Callable[[str], bool] | None,
    workspace: str | None = None,
    *,
    dry: bool = False,
) -> list[dict[str, Any]]:
    """Adds to the stack's settings file what exists on these platforms (default: all that can be read) and is not in it.

    ``confirm`` is asked before each platform's settings are written; None asks nobody. ``dry`` writes nothing. Returns, for
    each platform, what came into the file and what was left out, with the reasons. Raises SophiaError; the file is
    written whole or not at all.
    """
    from sophia import settings_file

    inside = Inside(stack.project, stack.name, stack.target, engine)
    told = []
    for platform in platforms or _readable(stack, engine):
        arguments = ["--platform", platform, "--stack", f"{stack.project.name}/{stack.name}"]
        arguments += ["--workspace", workspace] if workspace else []
        file = settings_file.read(stack.settings_file)
        settings = file.settings(platform)
        try:
            answer = inside.run(_MODULE, arguments, json.dumps({"settings": settings}))
        except SettingsError as error:
            # A platform that nobody asked for, and that the stack does not use, keeps no other one from being read.
            if platforms or settings is not None:
                raise
            answer = {"settings": None, "added": [], "left": [_left_alone(error)]}
        for line in lines(platform, answer):
            out.print(line, soft_wrap=True)
        question = f"Write {len(answer['added'])} entries of {platform} into {stack.settings_file.name}?"
        written = bool(answer["added"]) and not dry and (confirm is None or confirm(question))
        if written:
            file.write(platform, answer["settings"])
        told.append(
            {"platform": platform, "written": written, "added": answer["added"], "left": answer["left"]},
        )
    return told


def lines(platform: str, answer: Mapping[str, Any]) -> list[Any]:
    """What would come into the settings, and what would not, with the reason."""
    from rich.text import Text

    if not answer["added"] and not answer["left"]:
        return [Text(f"{platform}: the settings have everything that exists", "dim")]
    shown = [Text(f"{platform}: {len(answer['added'])} entries for the settings", "green")]
    shown += [Text(f"  + {_entry(entry)}") for entry in answer["added"]]
    if answer["left"]:
        shown.append(Text(f"{platform}: {len(answer['left'])} left out", "yellow"))
    shown += [Text(f"  {_title(one)}: {one['reason']}") for one in answer["left"]]
    return shown


def _left_alone(error: SettingsError) -> dict[str, str]:
    """What is told of a platform whose settings a person has to begin."""
    parts = (part for problem in error.problems for part in (problem.what, problem.said, problem.do) if part)
    return {"kind": "", "id": "", "name": "nothing was read", "reason": "; ".join(parts)}


def _entry(entry: Mapping[str, Any]) -> str:
    needs = f"  needs {', '.join(entry['secrets'])} in the ESC environment" if entry.get("secrets") else ""
    return f"{entry['path']}  {entry['kind']} {entry['name']}{needs}"


def _title(left: Mapping[str, str]) -> str:
    return " ".join(part for part in (left["kind"], left["name"], left["id"]) if part)


def _readable(stack: Stack, engine: EngineCommand) -> list[str]:
    looked = survey(stack.project, stack.name, stack.target, engine)
    return [platform.name for platform in looked.platforms if not platform.error]
