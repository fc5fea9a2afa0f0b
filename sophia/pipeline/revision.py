"""What a deploy is made from: the commit, and the program and the settings on disk. What git has to do with it is here."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sophia.errors import RunFailed, SettingsError

LOCK_FILE = "requirements.lock"
_PROGRAM = (
    *("__main__.py", "Pulumi.yaml", LOCK_FILE),
    *("components", "connectors", "dashboard", "policies", "providers", "workflows"),
)
"""The parts of the checkout that decide, with the settings, what a run does."""
_CACHES = frozenset({"__pycache__", ".mypy_cache", ".ruff_cache"})
VIRTUAL_ENVIRONMENT = ".venv"


@dataclass(frozen=True)
class Revision:
    """A state of the checkout. ``commit`` is "" outside git."""

    commit: str
    changed: bool
    """Whether files of the program or its settings differ from the commit, so that it cannot be checked out again."""
    program: str
    """A hash over the program's files."""
    settings: str
    """A hash over the stack's settings file."""

    @property
    def short(self) -> str:
        """As people read it: ``1a2b3c4d``, with ``+changes`` where it is not all there is."""
        if not self.commit:
            return "no commit"
        return self.commit[:8] + ("+changes" if self.changed else "")

    @property
    def content(self) -> tuple[str, str]:
        """The same for two revisions exactly where a run would be given the same."""
        return self.program, self.settings


def of_checkout(directory: Path, settings_file: Path) -> Revision:
    """The revision of a project's folder as it is on disk now."""
    # A repository without a commit has no HEAD, which is no mistake.
    head = _run_git(directory, "rev-parse", "--verify", "--quiet", "HEAD") if is_git(directory) else None
    commit = head.stdout.strip() if head is not None and head.returncode == 0 else ""
    paths = [name for name in (*_PROGRAM, settings_file.name) if (directory / name).exists()]
    changed = bool(commit) and bool(_git(directory, "status", "--porcelain", "--", *paths))
    return Revision(commit, changed, program_hash(directory), _hash_of([settings_file], settings_file.parent))


def program_hash(directory: Path) -> str:
    """A hash over the names and contents of the files of the program."""
    return _hash_of(_files(directory), directory)


def _files(directory: Path) -> Iterator[Path]:
    for name in _PROGRAM:
        path = directory / name
        if path.is_dir():
            inside = (f for f in path.rglob("*") if f.is_file() and f.suffix != ".pyc")
            yield from sorted(f for f in inside if _CACHES.isdisjoint(f.parts))
        elif path.is_file():
            yield path


def _hash_of(files: Iterator[Path] | list[Path], directory: Path) -> str:
    whole = hashlib.sha256()
    for file in files:
        content = hashlib.sha256(file.read_bytes()).hexdigest()
        whole.update(f"{file.relative_to(directory).as_posix()} {content}\n".encode())
    return whole.hexdigest()[:16]


# git


def is_git(directory: Path) -> bool:
    """Whether the folder is in a git checkout, and there is a git to ask."""
    if shutil.which("git") is None:
        return False
    return _run_git(directory, "rev-parse", "--is-inside-work-tree").stdout.strip() == "true"


def has_commit(directory: Path, commit: str) -> bool:
    return _run_git(directory, "cat-file", "-e", f"{commit}^{{commit}}").returncode == 0


def title_of(directory: Path, commit: str) -> str:
    """The first line of a commit's message; "" where the commit is not known here."""
    return _run_git(directory, "log", "-1", "--format=%s", commit).stdout.strip()


@contextmanager
def checked_out(directory: Path, commit: str) -> Iterator[Path]:
    """The project's folder as it was at a commit: in a git worktree of its own, which is removed at the end.

    The user's files are not touched. The interpreter is that of the present checkout, so the packages must be those of that
    commit: raises SettingsError where the lock file is another one, and RunFailed where git fails.
    """
    prefix = _git(directory, "rev-parse", "--show-prefix")
    _same_lock(directory, commit, prefix)
    with tempfile.TemporaryDirectory(prefix="sophia-revision-") as scratch:
        tree = Path(scratch, "tree")
        _git(directory, "worktree", "add", "--detach", "--quiet", str(tree), commit)
        try:
            project = tree / prefix
            own = directory / VIRTUAL_ENVIRONMENT
            if own.exists() and not (project / VIRTUAL_ENVIRONMENT).exists():
                (project / VIRTUAL_ENVIRONMENT).symlink_to(own.resolve())
            yield project
        finally:
            # What git cannot remove goes with the folder, and its entry at the next prune.
            _run_git(directory, "worktree", "remove", "--force", str(tree))
            _run_git(directory, "worktree", "prune")


def _same_lock(directory: Path, commit: str, prefix: str) -> None:
    then = _run_git(directory, "show", f"{commit}:{prefix}{LOCK_FILE}").stdout
    file = directory / LOCK_FILE
    now = file.read_text(encoding="utf-8") if file.is_file() else ""
    if then != now:
        raise SettingsError(
            f"revision {commit[:8]} needs other packages than are installed here",
            said=f"its {LOCK_FILE} is another one, and the program would run with the wrong versions",
            setting=LOCK_FILE,
            do=f"in a checkout of its own: `git worktree add ../back {commit[:8]}`, `make` there, `sophia deploy` there",
        )


def _git(directory: Path, *arguments: str) -> str:
    done = _run_git(directory, *arguments)
    if done.returncode != 0:
        raise RunFailed(
            f"git {arguments[0]} failed", said=done.stderr.strip(), setting=str(directory), do="see what git says"
        )
    return done.stdout.strip()


def _run_git(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - a list, no shell
        ["git", *arguments],  # noqa: S607 - the user's own git
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
    )
