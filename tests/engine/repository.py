"""A checkout in git, as deployments and rollbacks need it: commits with the settings of a test."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.engine.conftest import Checkout

BEING_WRITTEN = shutil.ignore_patterns("*.pyc.*")
"""Bytecode is copied along, so that a copy of the program starts as fast as the program; not what another run is writing."""


def put_into_git(checkout: Checkout) -> None:
    """The program becomes a copy: a plan and a revision are bound to every file of it, whoever edits them meanwhile."""
    for entry in list(checkout.directory.iterdir()):
        if entry.is_symlink() and entry.name != ".venv":
            source = entry.resolve()
            entry.unlink()
            shutil.copytree(source, entry, ignore=BEING_WRITTEN)
    (checkout.directory / ".gitignore").write_text(".venv\n.sandbox/\n__pycache__/\n*.plan\n")
    (checkout.directory / "requirements.lock").write_text("click==8.1\n")
    git(checkout.directory, "init", "--quiet", "--initial-branch", "main")


def git(directory: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "commit.gpgsign=false"]
    done = subprocess.run(
        ["git", *identity, *arguments], cwd=directory, check=True, capture_output=True, text=True, timeout=60
    )
    return done.stdout.strip()


def commit(checkout: Checkout, message: str, /, **platforms: Any) -> str:
    """Writes the settings of dev and commits everything; the commit."""
    checkout.configure(**platforms)
    git(checkout.directory, "add", "--all")
    git(checkout.directory, "commit", "--quiet", "--allow-empty", "--message", message)
    return git(checkout.directory, "rev-parse", "HEAD")
