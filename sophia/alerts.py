"""Alerts in a stack's Slack channel: when something has changed, and not every time that it is looked at.

What was last told must outlive the machine that looks, in CI a new one each time: it is kept in tags of the stack in
Pulumi Cloud, where people see it as well, such as ``sophia:health`` = ``airbyte:failing``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sophia import cloud
from sophia.backend import engine_command
from sophia.errors import SettingsError
from sophia.runner import EngineCommand
from sophia.stack import Stack
from sophia.survey import Inside

CHANNEL = "alerts"
"""The key, in the settings' Slack channels, of the channel that is told."""

WELL = "well"

_POSTER = "providers.slack_post"
_DIGEST = "sha256:"
"""What would be longer than a tag can be is kept as a digest, which tells changes too."""


@dataclass(frozen=True)
class Fact:
    """How something is: ``state`` is `WELL` or one word for what is amiss. ``name`` is its short, lasting name."""

    name: str
    title: str
    state: str
    why: str = ""
    do: str = ""


@dataclass(frozen=True)
class Change:
    """A fact that is another one than last time; ``was`` is "" where it is not known any more."""

    fact: Fact
    was: str

    def __str__(self) -> str:
        fact = self.fact
        was = f" (was {self.was})" if self.was else ""
        if fact.state == WELL:
            return f"{fact.title} is well again{was}"
        return f"{fact.title} is {fact.state}{was}" + (f": {fact.why}" if fact.why else "")


def tell(stack: Stack, topic: str, facts: Sequence[Fact], *, engine: EngineCommand | None = None) -> list[Change]:
    """Posts what has changed of a ``topic`` (such as "health") since the last time, if anything has; the changes.

    What could not be posted is not noted either, so that the next time tells it. Raises SophiaError.
    """
    if stack.target.kind == "file":
        raise SettingsError(
            "alerts need Pulumi Cloud",
            said="what was last told is kept there, as a tag of the stack",
            setting="option --alert",
            do="leave it out",
        )
    tag = f"sophia:{topic}"
    found = changes(cloud.read(stack).tags.get(tag, WELL), facts)
    if found:
        _post(stack, topic, found, engine)
    cloud.set_tag(stack, tag, noting(facts))
    return found


def changes(before: str, facts: Sequence[Fact]) -> list[Change]:
    """What differs from what a tag's value says."""
    if before.startswith(_DIGEST):
        return [] if noting(facts) == before else [Change(fact, "") for fact in facts if fact.state != WELL]
    pairs = (word.partition(":") for word in before.split())
    known = {name: state for name, _, state in pairs}
    found = (Change(fact, known.get(fact.name, WELL)) for fact in facts)
    return [change for change in found if change.was != change.fact.state]


def noting(facts: Sequence[Fact]) -> str:
    """The tag's value: what is not well."""
    text = " ".join(sorted(f"{fact.name}:{fact.state}" for fact in facts if fact.state != WELL)) or WELL
    return text if len(text) <= cloud.LONGEST_TAG else _DIGEST + hashlib.sha256(text.encode()).hexdigest()


def _post(stack: Stack, topic: str, found: Sequence[Change], engine: EngineCommand | None) -> None:
    lines = [f"*{topic} of {stack.project.name}/{stack.name}* ({stack.target.label})"]
    for change in found:
        lines.append(f"• {change}")
        if change.fact.do:
            lines.append(f"    {change.fact.do}")
    inside = Inside(stack.project, stack.name, stack.target, engine or engine_command(lambda _line: None))
    inside.run(_POSTER, (), json.dumps({"channel": _channel(stack), "text": "\n".join(lines)}))


def _channel(stack: Stack) -> str:
    slack = stack.outputs().get("slack")
    channels = slack.get("channels") if isinstance(slack, Mapping) else None
    channel = channels.get(CHANNEL) if isinstance(channels, Mapping) else None
    if not isinstance(channel, str):
        raise SettingsError(
            f'stack "{stack.name}" has no Slack channel for alerts',
            said=f"its outputs have no slack.channels.{CHANNEL}",
            setting=f"{stack.settings_file.name}: {stack.project.name}:slack.channels.{CHANNEL}",
            do=f"declare that channel, then `sophia up {stack.name}`",
        )
    return channel
