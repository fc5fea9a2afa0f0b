"""Back to the last good revision of program and settings: which one that is, and its files in a folder of their own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sophia.errors import SettingsError
from sophia.pipeline import record, revision
from sophia.pipeline.record import Good, Past
from sophia.runner import EngineCommand
from sophia.runs import Report
from sophia.stack import Stack


def target_of(stack: Stack, to: str = "") -> Good:
    """The good deploy to return to. ``to``: the beginning of its commit; default: the last good revision.

    That is the newest good deploy, unless it is also the latest run: then the one before whose program or settings are
    others. Raises SettingsError outside git, and where there is none.
    """
    directory = stack.project.directory
    if not revision.is_git(directory):
        raise SettingsError(
            f'stack "{stack.name}": a rollback needs git, and this is no checkout of it',
            said="the revisions to return to are commits",
            setting=str(directory),
            do="run it in a clone of the repository that the stack is deployed from",
        )
    past = record.past(stack)
    if not past.good:
        raise SettingsError(
            f'stack "{stack.name}": there is no good revision to return to',
            said="no `sophia deploy` has gone well to its end yet, its tests included",
            setting=f"the history of {stack.full_name}",
            do=f"correct what is wrong and `sophia deploy {stack.name}`; `sophia history {stack.name}` shows the runs",
        )
    found = _chosen(stack, past.good, to) if to else _previous(stack, past)
    if not revision.has_commit(directory, found.revision.commit):
        raise SettingsError(
            f'stack "{stack.name}": the commit {found.revision.commit[:12]} is not in this clone',
            said=f"it was deployed {found.entry.started:%Y-%m-%d %H:%M} UTC by {found.by}",
            setting=str(directory),
            do="`git fetch --all`, or in a shallow clone `git fetch --unshallow`, and again",
        )
    return found


def _chosen(stack: Stack, good: Sequence[Good], to: str) -> Good:
    found = next((g for g in good if g.revision.commit.startswith(to) and not g.revision.changed), None)
    if found is not None:
        return found
    commits = list(dict.fromkeys(g.revision.short for g in good if not g.revision.changed))
    raise SettingsError(
        f'stack "{stack.name}": {to} is no good deploy of it',
        said=f"good are {', '.join(commits)}" if commits else "none can be checked out again",
        setting="option --to",
        do=f"`sophia history {stack.name}` marks those that were good",
    )


def _previous(stack: Stack, past: Past) -> Good:
    """The newest that can be checked out; where the stack stands at the newest good one, the one before."""
    present = past.stands_at
    others = [g for g in past.good if present is None or g.revision.content != present.revision.content]
    found = next((g for g in others if g.revision.commit and not g.revision.changed), None)
    if found is not None:
        return found
    said = "the stack is at the only good revision" if not others else "they were deployed with changes in no commit"
    raise SettingsError(
        f'stack "{stack.name}": there is no other good revision to return to',
        said=said,
        setting=f"the history of {stack.full_name}",
        do=f"`sophia history {stack.name}` shows the runs; correct what is wrong and `sophia deploy {stack.name}`",
    )


@contextmanager
def stack_at(stack: Stack, engine: EngineCommand, good: Good, report: Report | None = None) -> Iterator[Stack]:
    """The stack as the program and the settings were then, in a folder that is removed at the end.

    Raises SettingsError where that revision needs other packages, or its files are not those that were deployed.
    """
    with revision.checked_out(stack.project.directory, good.revision.commit) as directory:
        then = Stack(stack.name, directory, stack.target, report=report, engine=engine)
        files = revision.of_checkout(directory, then.settings_file)
        if files.content != good.revision.content:
            raise SettingsError(
                f'stack "{stack.name}": the files of {good.revision.short} are not those that were deployed from it',
                said="files that are in no commit, or that git ignores, took part in that deploy",
                setting=f"commit {good.revision.commit}",
                do=f"choose another one: `sophia history {stack.name}`, then `sophia rollback {stack.name} --to COMMIT`",
            )
        yield then
