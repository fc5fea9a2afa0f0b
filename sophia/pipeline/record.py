"""Who deployed what, kept where the stack's own history is: no database beside Pulumi Cloud's.

A run tells the engine who it is (``--exec-agent``), and the backend keeps that with the update for ever. Whether the tests
after it went well is known later: a tag of the stack lists the versions of the history that were good, newest first. Both
are shown on the stack's page in Pulumi Cloud, and both go with the stack. A state file keeps no tags.
"""

from __future__ import annotations

import getpass
import os
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import httpx

from sophia import cloud
from sophia.errors import RunFailed
from sophia.pipeline.revision import Revision
from sophia.results import HistoryEntry
from sophia.runner import Directed, EngineCommand
from sophia.runs import Report
from sophia.stack import Stack
from sophia.target import Target

GOOD = "sophia:good"
"""The stack's tag: versions, newest first. There is room for some forty of them."""
_LOOKED_AT = 100
"""How many runs back a good one is looked for."""
_NEAR = 10
"""How many runs may have come in between until a run is noted as good."""
_AGENT = "exec.agent"
_RUNS = frozenset({"up", "refresh", "destroy"})
_MEMBER = re.compile(r"(\w+)=([^; ]*)")
_UNFIT = re.compile(r"[^\w@.+/-]+")
_TIMEOUT = 10.0


@dataclass(frozen=True)
class Label:
    """What a run says of itself."""

    what: str
    """deploy, rollback, up…"""
    by: str
    revision: Revision | None = None
    run: str = ""
    """Tells this run from others at the same revision."""

    def text(self) -> str:
        """``sophia deploy; by=ada; commit=…; changed=0; program=…; settings=…; run=…``"""
        members = {"by": self.by, "run": self.run}
        if self.revision is not None:
            r = self.revision
            members |= {
                "commit": r.commit,
                "changed": str(int(r.changed)),
                "program": r.program,
                "settings": r.settings,
            }
        told = "; ".join(f"{name}={_UNFIT.sub('-', value)}" for name, value in members.items() if value)
        return f"sophia {self.what}; {told}"

    @classmethod
    def parse(cls, text: str) -> Label | None:
        """None for a run that was not sophia's."""
        first, _, rest = text.partition(";")
        maker, _, what = first.partition(" ")
        if maker != "sophia" or not what:
            return None
        told = dict(_MEMBER.findall(rest))
        revision = None
        if "program" in told:
            revision = Revision(
                told.get("commit", ""), told.get("changed") == "1", told["program"], told.get("settings", "")
            )
        return cls(what, told.get("by", ""), revision, told.get("run", ""))


def new_run() -> str:
    """A name for a run."""
    return secrets.token_hex(4)


def label_of(entry: HistoryEntry) -> Label | None:
    return Label.parse(entry.environment.get(_AGENT, ""))


def labelling(engine: EngineCommand, label: Label) -> EngineCommand:
    """The engine, whose runs that change something carry a label."""
    return Directed(engine, _changes_something, ("--exec-agent", label.text()))


def _changes_something(arguments: Sequence[str]) -> bool:
    return arguments[0] in _RUNS and "--preview-only" not in arguments


def labelled(stack: Stack, engine: EngineCommand, label: Label, report: Report | None = None) -> Stack:
    """The same stack, whose runs carry the label."""
    return Stack(stack.name, stack.project.directory, stack.target, report=report, engine=labelling(engine, label))


def who(target: Target, environ: Mapping[str, str] = os.environ) -> str:
    """Who acts: in CI the account that started the workflow, else the one that Pulumi Cloud knows, else this machine's."""
    if environ.get("GITHUB_ACTIONS") == "true" and environ.get("GITHUB_ACTOR"):
        return f"{environ['GITHUB_ACTOR']}@github-actions"
    return (_login(target, environ) if target.kind == "cloud" else "") or _user()


def _login(target: Target, environ: Mapping[str, str]) -> str:
    """The token's account in Pulumi Cloud; "" where it does not tell: the run itself will say what is wrong there."""
    try:
        with cloud.client(target, environ, timeout=_TIMEOUT) as api:
            answer = api.get("user").raise_for_status()
        login = answer.json().get("githubLogin")
    except (httpx.HTTPError, ValueError, AttributeError):
        return ""
    return login if isinstance(login, str) else ""


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user without a name
        return f"uid-{os.getuid()}"


# What was good


@dataclass(frozen=True)
class Good:
    """A deploy that went well to its end."""

    entry: HistoryEntry
    revision: Revision
    by: str


@dataclass(frozen=True)
class Past:
    """The runs of a stack, newest first, and which of them were good."""

    entries: tuple[HistoryEntry, ...]
    versions: tuple[int, ...]
    """The versions that were good, newest first."""

    @property
    def good(self) -> tuple[Good, ...]:
        """The good deploys, newest first."""
        found = ((entry, label_of(entry)) for entry in self.entries if entry.version in self.versions)
        return tuple(Good(e, label.revision, label.by) for e, label in found if label and label.revision)

    @property
    def stands_at(self) -> Good | None:
        """The good deploy after which nothing has been run; None where something has."""
        newest = next(iter(self.good), None)
        return newest if newest is not None and newest.entry is self.entries[0] else None


def past(stack: Stack, limit: int = _LOOKED_AT) -> Past:
    """The latest ``limit`` runs. Raises SophiaError."""
    entries = stack.history(limit)
    return Past(entries, _versions(cloud.read(stack).tags.get(GOOD, "")) if entries else ())


def _versions(text: str) -> tuple[int, ...]:
    return tuple(int(word) for word in text.split() if word.isdecimal())


def mark_good(stack: Stack, run: str) -> None:
    """Notes that the run of this name was good. Raises SophiaError."""
    known = past(stack, _NEAR)
    version = next((e.version for e in known.entries if (label := label_of(e)) and label.run == run), None)
    if version is None:
        raise RunFailed(
            f'stack "{stack.name}": the run is not in the history, so that nobody can go back to it',
            said=f"no update of {stack.full_name} carries the name {run}",
            do=f"`sophia deploy {stack.name}` again",
        )
    words = [str(version), *(str(v) for v in known.versions if v != version)]
    while len(value := " ".join(words)) > cloud.LONGEST_TAG:
        words.pop()
    cloud.set_tag(stack, GOOD, value)
