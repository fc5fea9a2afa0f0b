"""Git and Pulumi Cloud compared, and git's environments published there: never over what somebody changed there meanwhile.

A revision that comes from here carries the tag ``pushed``, and ``git-<commit>`` where its text is that of a commit. The
newest revision without ``pushed`` is somebody's change; with a commit that this checkout does not have it is the push of a
newer checkout. Neither is overwritten unasked; a change at the very moment of writing is refused by the ETag.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import yaml

from esc.language import Diagnostics, load
from esc.language.document import MappingNode, Node, ScalarNode, SequenceNode, read
from sophia.errors import CredentialsError, Problem, RunFailed, SophiaError
from sophia.esc.cloud import ChangedMeanwhileError, Cloud, Remote, Revision
from sophia.esc.files import CREDENTIALS, Definition, Environments
from sophia.esc.masking import mask
from sophia.esc.needs import required_of
from sophia.esc.revisions import Commits

PUSHED = "pushed"
_LISTED = 20
"""Revisions that are looked at to tell who changed an environment."""

State = Literal["same", "absent", "differs", "changed"]


class ChangedInCloudError(RunFailed):
    """Pulumi Cloud has changes that git does not: nothing was overwritten."""


@dataclass(frozen=True)
class Comparison:
    """An environment of git beside its newest revision. ``changed``: the difference was not made by a push from here."""

    definition: Definition
    state: State
    remote: Remote | None
    diff: str
    """Unified, from Pulumi Cloud to git; secrets masked."""
    reason: str = ""
    """Where it was changed in Pulumi Cloud: by whom, when."""

    @property
    def name(self) -> str:
        return self.definition.name

    @property
    def revision(self) -> int:
        return self.remote.revision if self.remote else 0


@dataclass(frozen=True)
class Published:
    """What became of one environment. ``written`` is False where Pulumi Cloud had it already."""

    name: str
    revision: int
    written: bool
    tags: tuple[str, ...]


def compare(cloud: Cloud, environments: Environments, name: str) -> Comparison:
    """``name`` is that of a definition without its project, such as ``dev``."""
    definition = environments.definition(name)
    remote = cloud.read(name)
    if remote is None:
        return Comparison(definition, "absent", None, _diff("", definition))
    if same(remote.text, definition.text):
        return Comparison(definition, "same", remote, "")
    diff = _diff(remote.text, definition)
    newest = cloud.revisions(name, _LISTED)
    reason = _changed(remote, newest, Commits(environments.folder))
    return Comparison(definition, "changed" if reason else "differs", remote, diff, reason)


def push(cloud: Cloud, environments: Environments, comparison: Comparison, *, force: bool = False) -> Published:
    """Makes the definition the newest revision, and tags it. Check the definitions before.

    Raises ChangedInCloudError where Pulumi Cloud has changes that git does not and ``force`` does not say that they are
    to go, CredentialsError where the credentials that it imports do not exist.
    """
    definition, remote = comparison.definition, comparison.remote
    name = definition.name.partition("/")[2]
    tags = _tags(environments, definition)
    if comparison.state == "same" and remote is not None:
        newest = cloud.revisions(name, 1)
        missing = [tag for tag in tags if not newest or tag not in newest[0].tags]
        if PUSHED in missing:
            _tag(cloud, name, missing, remote.revision)
        return Published(definition.name, remote.revision, written=False, tags=tags)
    if comparison.state == "changed" and not force:
        raise _conflict(definition, comparison.reason)
    _require_credentials(cloud, environments, definition)
    if remote is None:
        cloud.create(name)
        remote = cloud.read(name)
        if remote is not None and remote.text.strip():
            raise _conflict(definition, "somebody made it at this very moment")
    try:
        revision = cloud.write(name, definition.text, remote.etag if remote else "", definition.shown)
    except ChangedMeanwhileError as error:
        raise _conflict(definition, "it was changed at this very moment") from error
    _tag(cloud, name, tags, revision)
    return Published(definition.name, revision, written=True, tags=tags)


def ordered(environments: Environments, names: Iterable[str]) -> list[str]:
    """So that what others import comes before them; circles in any order."""
    wanted, result, visited = list(names), list[str](), set[str]()

    def visit(name: str) -> None:
        definition = environments.definitions.get(environments.full_name(name))
        if name in visited or definition is None:
            return
        visited.add(name)
        for other in _imports(definition):
            project, _, short = other.partition("@")[0].partition("/")
            if project == environments.project:
                visit(short)
        result.append(name)

    for name in wanted:
        visit(name)
    return [name for name in result if name in wanted]


def same(one: str, other: str) -> bool:
    """Whether two definitions say the same, comments included. Pulumi Cloud lays out anew what it stores."""
    return one == other or (_meaning(one) == _meaning(other) and _comments(one) == _comments(other))


def missing_credentials(cloud: Cloud, environments: Environments, names: Iterable[str]) -> list[Problem]:
    """The environments with credentials that these import and that Pulumi Cloud does not have; what they must contain."""
    imported = dict.fromkeys(
        other.partition("@")[0].partition("/")[2]
        for name in names
        for other in _imports(environments.definition(name))
        if other.startswith(environments.full_name(CREDENTIALS))
    )
    return [_missing(environments, cloud, short) for short in imported if not cloud.exists(short)]


def _require_credentials(cloud: Cloud, environments: Environments, definition: Definition) -> None:
    problems = missing_credentials(cloud, environments, [definition.name.partition("/")[2]])
    if problems:
        raise CredentialsError(problems)


def _missing(environments: Environments, cloud: Cloud, short: str) -> Problem:
    full = environments.full_name(short)
    return Problem(
        f"ESC environment {full} does not exist",
        said=f"{environments.required_file} lists what it must contain:\n{required_of(environments)}",
        setting=f"organisation {cloud.target.organization}",
        do=f"make it in Pulumi Cloud, every value a secret: `pulumi env init {cloud.target.organization}/{full}`, then "
        f"`pulumi env set --secret {cloud.target.organization}/{full} environmentVariables.NAME VALUE`",
    )


def _changed(remote: Remote, newest: Sequence[Revision], commits: Commits) -> str:
    """Who changed it in Pulumi Cloud since the last push; "" if the newest revision was pushed from this history."""
    if not remote.text.strip():
        return ""
    if not newest or newest[0].number != remote.revision:
        return f"it is being changed: revision {newest[0].number if newest else '?'} has come meanwhile"
    if PUSHED in newest[0].tags:
        commit = commits.lacks(newest[0].tags)
        return (
            f"revision {newest[0].number} was pushed from commit {commit}, which this checkout lacks" if commit else ""
        )
    since = next((number for number, one in enumerate(newest) if PUSHED in one.tags), None)
    listed = newest if since is None else newest[:since]
    told = ", ".join(f"{one.number} ({one.creator or 'somebody'}, {one.created})" for one in listed[:5])
    return f"revisions not pushed from git: {told}" + (", …" if len(listed) > 5 else "")


def _conflict(definition: Definition, reason: str) -> SophiaError:
    short = definition.name.partition("/")[2]
    return ChangedInCloudError(
        f"ESC environment {definition.name} was changed in Pulumi Cloud: nothing was overwritten",
        said=reason,
        setting=definition.shown,
        do=f"look at `sophia esc diff {short}`, take over into {definition.shown} what is to stay, then "
        f"`sophia esc push {short} --force`",
    )


def _tags(environments: Environments, definition: Definition) -> tuple[str, ...]:
    commit = Commits(environments.folder).tag(definition.file, definition.text)
    return (PUSHED, commit) if commit else (PUSHED,)


def _tag(cloud: Cloud, name: str, tags: Iterable[str], revision: int) -> None:
    for tag in tags:
        cloud.tag(name, tag, revision)


def _imports(definition: Definition) -> list[str]:
    declaration, _ = load(definition.name, definition.text)
    return [one.name for one in declaration.imports if one.name] if declaration else []


def _diff(remote: str, definition: Definition) -> str:
    before, after = mask(remote).splitlines(keepends=True), mask(definition.text).splitlines(keepends=True)
    lines = difflib.unified_diff(before, after, f"Pulumi Cloud {definition.name}", f"git {definition.shown}")
    return "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)


def _meaning(text: str) -> object:
    """The definition as data: equal for equal definitions, however they are laid out."""
    diagnostics = Diagnostics()
    root = read("", text, diagnostics) if text.strip() else None
    return text if diagnostics.failed else _plain(root)


def _plain(node: Node | None) -> object:
    match node:
        case MappingNode(entries=entries):
            return [(entry.name, _plain(entry.value)) for entry in entries]
        case SequenceNode(items=items):
            return ["list", *(_plain(item) for item in items)]
        case ScalarNode(value=value):
            return type(value).__name__, str(value)
    return None


def _comments(text: str) -> list[str]:
    """The comments, in any order: what lies between the tokens of a document."""
    found, end = list[str](), 0
    try:
        for token in yaml.scan(text, Loader=yaml.SafeLoader):
            found += _in_gap(text[end : token.start_mark.index])
            end = max(end, token.end_mark.index)
    except yaml.YAMLError:
        return [text]
    return sorted(found + _in_gap(text[end:]))


def _in_gap(gap: str) -> list[str]:
    return [line.partition("#")[2].strip() for line in gap.splitlines() if "#" in line]
