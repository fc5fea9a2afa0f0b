"""Third parties that come from npm: installed once a machine, by a lock file, into the user's cache.

Where they cannot be had, the tests that need them are skipped, and say so.
"""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from platformdirs import user_cache_path

_FILES = ("package.json", "package-lock.json")
_INSTALLING_SECONDS = 300


def installed(locked: Path, what: str, finish: Callable[[Path], str]) -> Path:
    """The folder with ``node_modules`` as the lock file in ``locked`` has them.

    ``what`` is said in capitals where a test is skipped; ``finish`` does what remains, and says what failed ("" is well).
    """
    content = b"".join((locked / name).read_bytes() for name in _FILES)
    folder = user_cache_path("sophia-ai") / locked.name / hashlib.sha256(content).hexdigest()[:12]
    folder.mkdir(parents=True, exist_ok=True)
    finished = folder / "installed"
    with (folder / ".lock").open("w") as lock:
        # every worker of pytest-xdist wants them at once
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not finished.exists():
            if said := _install(locked, folder) or finish(folder):
                pytest.skip(f"{what} CANNOT BE INSTALLED, NOTHING IS CHECKED: {said}")
            finished.touch()
    return folder


def _install(locked: Path, folder: Path) -> str:
    npm = shutil.which("npm")
    if npm is None:
        return "there is no npm to install them with"
    for name in _FILES:
        shutil.copy(locked / name, folder)
    # some packages fetch what is right for this machine in a script of their own
    command = [npm, "ci", "--no-audit", "--no-fund", "--no-update-notifier", "--foreground-scripts"]
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=_INSTALLING_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return f"npm was not done after {_INSTALLING_SECONDS} s"
    return "" if done.returncode == 0 else done.stderr[-500:]
