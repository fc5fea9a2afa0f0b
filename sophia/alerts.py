"""Alerts in a stack's Slack channel: when something has changed, and not every time that it is looked at.

What was last told must outlive the machine that looks, in CI a new one each time: it is kept in tags of the stack in
Pulumi Cloud, where people see it as well, such as ``sophia:health`` = ``airbyte:failing``.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import httpx

from sophia.backend import engine_command
from sophia.errors import CredentialsError, RunFailed, SettingsError, UnreachableError
from sophia.runner import EngineCommand
from sophia.stack import Stack
from sophia.survey import Inside
from sophia.target import access_token, is_loopback

CHANNEL = "alerts"
"""The key, in the settings' Slack channels, of the channel that is told."""

WELL = "well"

_POSTER = "providers.slack_post"
_LONGEST = 256
"""Characters that Pulumi Cloud takes as a tag's value. What would be longer is kept as a digest, which tells changes too."""
_DIGEST = "sha256:"
_TIMEOUT = 30.0


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
    with _client(stack) as client:
        tags = _tags(client, stack)
        found = changes(tags.get(tag, WELL), facts)
        if found:
            _post(stack, topic, found, engine)
        if tags.get(tag) != (noted := noting(facts)):
            _checked(client.patch(f"{stack.full_name}/tags", json={**tags, tag: noted}), stack)
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
    return text if len(text) <= _LONGEST else _DIGEST + hashlib.sha256(text.encode()).hexdigest()


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


def _client(stack: Stack) -> httpx.Client:
    target = stack.target
    token = access_token(target.backend, {**os.environ, **target.environment})
    return httpx.Client(
        base_url=f"{target.backend.rstrip('/')}/api/stacks",
        headers={"Authorization": f"token {token}", "Accept": "application/vnd.pulumi+8"},
        timeout=_TIMEOUT,
        trust_env=not is_loopback(target.backend),
    )


def _tags(client: httpx.Client, stack: Stack) -> dict[str, str]:
    try:
        answer = client.get(stack.full_name)
    except httpx.HTTPError as error:
        raise UnreachableError(
            "Pulumi Cloud does not answer",
            said=str(error),
            setting=stack.target.backend,
            do="run it again; nothing was posted",
        ) from error
    _checked(answer, stack)
    tags: dict[str, str] = answer.json().get("tags") or {}
    return tags


def _checked(answer: httpx.Response, stack: Stack) -> None:
    if not answer.is_error:
        return
    what, said = f"the tags of stack {stack.full_name} cannot be used", f"{answer.status_code} {answer.text[:200]}"
    if answer.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        raise CredentialsError(
            what, said=said, setting="PULUMI_ACCESS_TOKEN", do="use a token that may write the stack"
        )
    raise RunFailed(what, said=said, setting=stack.target.backend, do=f"`sophia up {stack.name}` makes the stack")
