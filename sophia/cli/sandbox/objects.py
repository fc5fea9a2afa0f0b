"""``sophia sandbox objects``, ``change`` and ``delete``: what a person would do at a platform's console."""

from __future__ import annotations

import json
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sophia.cli.common import console, directory_option, output_options, say
from sophia.cli.sandbox.common import document, running_sandbox
from sophia.errors import SettingsError

if TYPE_CHECKING:
    from sandbox.control import Running

Documents = dict[str, dict[str, Any]]


@click.command(
    epilog="""\b
Examples:
  sophia sandbox objects slack
  sophia sandbox objects slack channel
  sophia sandbox objects slack channel sophia-dev-alerts
"""
)
@click.argument("platform")
@click.argument("kind", required=False)
@click.argument("named", metavar="[ID]", required=False)
@directory_option
@output_options
def objects(
    platform: str, kind: str | None, named: str | None, directory: Path | None, *, as_json: bool, debug: bool
) -> int:
    """Lists what exists on PLATFORM; with KIND and ID (or its name), one object as the sandbox keeps it."""
    del debug
    running, out = running_sandbox(directory), console(as_json=as_json)
    found = _of_platform(running, platform)
    if kind is not None:
        found = {kind: _of_kind(found, platform, kind)}
    if kind is not None and named is not None:
        identifier = _identifier(found[kind], kind, named)
        found = {kind: {identifier: found[kind][identifier]}}
        if not as_json:
            click.echo(json.dumps(found[kind][identifier], indent=2, ensure_ascii=False))
    else:
        for title, documents in found.items():
            for identifier, content in documents.items():
                say(out, f"{title:<20} {identifier:<38} {_name(content)}".rstrip())
    if as_json:
        document("sandbox objects", {"platform": platform, "objects": found})
    return 0


@click.command(
    epilog="""\b
Examples:
  sophia sandbox change slack channel sophia-dev-alerts is_archived=true
  sophia sandbox change openrouter key "Web app" limit=500
"""
)
@click.argument("platform")
@click.argument("kind")
@click.argument("named", metavar="ID")
@click.argument("members", metavar="MEMBER=VALUE...", nargs=-1, required=True)
@directory_option
@output_options
def change(
    platform: str,
    kind: str,
    named: str,
    members: Sequence[str],
    directory: Path | None,
    *,
    as_json: bool,
    debug: bool,
) -> int:
    """Changes members of an object by hand, behind everybody's back; values are JSON, or else text."""
    del debug
    running, out = running_sandbox(directory), console(as_json=as_json)
    known = _of_kind(_of_platform(running, platform), platform, kind)
    identifier = _identifier(known, kind, named)
    changes = dict(_member(text) for text in members)
    if strange := changes.keys() - known[identifier].keys():
        near = get_close_matches(min(strange), known[identifier], 1)
        raise SettingsError(
            f"{kind} {named} of {platform} has no {min(strange)}",
            said=f"it has {', '.join(known[identifier])}",
            do=f"did you mean {near[0]}?" if near else f"`sophia sandbox objects {platform} {kind} {named}` shows it",
        )
    changed = running.change_object(platform, kind, identifier, changes)
    say(out, f"changed   {platform} {kind} {identifier}: {', '.join(changes)}")
    if as_json:
        document("sandbox change", {"platform": platform, "kind": kind, "id": identifier, "object": changed})
    return 0


@click.command(epilog="\b\nExamples:\n  sophia sandbox delete airbyte connection 'Gong calls to RAW'")
@click.argument("platform")
@click.argument("kind")
@click.argument("named", metavar="ID")
@directory_option
@output_options
def delete(platform: str, kind: str, named: str, directory: Path | None, *, as_json: bool, debug: bool) -> int:
    """Deletes an object by hand, behind everybody's back."""
    del debug
    running, out = running_sandbox(directory), console(as_json=as_json)
    identifier = _identifier(_of_kind(_of_platform(running, platform), platform, kind), kind, named)
    running.delete_object(platform, kind, identifier)
    say(out, f"deleted   {platform} {kind} {identifier}")
    if as_json:
        document("sandbox delete", {"platform": platform, "kind": kind, "id": identifier})
    return 0


def _of_platform(running: Running, platform: str) -> dict[str, Documents]:
    names = [one["name"] for one in running.platforms()]
    if platform not in names:
        near = get_close_matches(platform, names, 1)
        raise SettingsError(
            f'the sandbox has no platform "{platform}"',
            said=f"it has {', '.join(names)}",
            do=f"did you mean {near[0]}?" if near else "`sophia sandbox status` lists them",
        )
    return running.objects(platform).objects


def _of_kind(found: dict[str, Documents], platform: str, kind: str) -> Documents:
    if kind not in found:
        raise SettingsError(
            f'{platform} has no object of kind "{kind}"',
            said=f"there are {', '.join(found)}" if found else "nothing exists there",
            do=f"`sophia sandbox objects {platform}` lists them",
        )
    return found[kind]


def _identifier(documents: Documents, kind: str, named: str) -> str:
    """The id of the object with this id, or with this name."""
    if named in documents:
        return named
    matches = [identifier for identifier, content in documents.items() if _name(content) == named]
    if len(matches) == 1:
        return matches[0]
    raise SettingsError(
        f'{len(matches) or "no"} objects of kind {kind} are called "{named}"',
        said="their ids: " + ", ".join(matches)
        if matches
        else "there are " + ", ".join(map(_name, documents.values())),
        do="give an id",
    )


def _name(content: dict[str, Any]) -> str:
    """What people call it; the stand-ins of official packages keep what they were given under ``inputs``."""
    given = content.get("inputs")
    return str(content.get("name") or (given.get("name") if isinstance(given, dict) else "") or "")


def _member(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise click.UsageError(f"{text!r} is not MEMBER=VALUE")
    try:
        return name, json.loads(value)
    except json.JSONDecodeError:
        return name, value
