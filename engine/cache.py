"""The engines that were downloaded or built before, outside the checkout, shared by every checkout of the user."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from platformdirs import user_cache_path

from .model import Engine, WayClosed
from .recipe import VERSION, binary_fingerprint, fingerprint

_MARKER = "engine.json"
_UNFINISHED = ".unfinished-"
COMMANDS = ("pulumi", "pulumi-language-python", "pulumi-language-python-exec", "pulumi-resource-pulumi-python")


def root() -> Path:
    """The folder of all engines: SOPHIA_CACHE_DIR, or the platform's cache folder, and `engine` in it."""
    chosen = os.environ.get("SOPHIA_CACHE_DIR")
    return (Path(chosen).expanduser().absolute() if chosen else user_cache_path("sophia-ai")) / "engine"


def downloaded_folder() -> Path:
    """Where the official engine lies: it depends on the version only."""
    return root() / f"{VERSION}-official"


def built_folder() -> Path:
    """Where an engine built by the present recipe lies."""
    return root() / f"{VERSION}-{fingerprint()}"


def find() -> Engine:
    """A complete engine from the cache, the official one first.

    Raises:
        WayClosed: there is none.
    """
    for folder in (downloaded_folder(), built_folder()):
        if _complete(folder):
            return Engine(folder / "bin", VERSION, "cached")
    raise WayClosed(f"none of version {VERSION} in {root()}")


def commands_of_same_modules() -> Path | None:
    """The `bin` of an engine that differs from the present recipe in its language host only, or None."""
    for marker in sorted(root().glob(f"{VERSION}-*/{_MARKER}")):
        folder = marker.parent / "bin"
        if _read(marker).get("binary") == binary_fingerprint() and all((folder / name).is_file() for name in COMMANDS):
            return folder
    return None


@contextmanager
def exclusive(say: Callable[[str], None]) -> Iterator[None]:
    """Holds the lock on the cache, so that two processes at once install one engine; the second waits, and says so.

    Raises:
        WayClosed: the folder cannot be written.
    """
    try:
        root().mkdir(parents=True, exist_ok=True)
        lock = (root() / ".lock").open("w")
    except OSError as error:
        raise WayClosed(
            f"{root()} cannot be written ({error.strerror}); set SOPHIA_CACHE_DIR to a folder that can"
        ) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another process is installing the engine: waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def installing(target: Path, *, interpreter: Path | None = None) -> Iterator[Path]:
    """An empty folder to install into; it becomes `target` in one step if the block ends well, and is removed if not.

    Hold the lock. `interpreter` is what the language host needs to be there, if it needs one.
    """
    for leftover in root().glob(f"{_UNFINISHED}*"):
        shutil.rmtree(leftover, ignore_errors=True)
    unfinished = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=root()))
    try:
        unfinished.chmod(0o755)
        yield unfinished
        marker = {
            "version": VERSION,
            "binary": binary_fingerprint() if interpreter else None,
            "interpreter": str(interpreter) if interpreter else None,
        }
        (unfinished / _MARKER).write_text(json.dumps(marker, indent=2) + "\n", encoding="utf-8")
        if target.exists():
            target.rename(unfinished.with_name(unfinished.name + "-replaced"))
        unfinished.rename(target)
    finally:
        for leftover in root().glob(f"{_UNFINISHED}*"):
            shutil.rmtree(leftover, ignore_errors=True)


def _complete(folder: Path) -> bool:
    marker = _read(folder / _MARKER)
    interpreter = marker.get("interpreter")
    return (
        marker.get("version") == VERSION
        and all(os.access(folder / "bin" / command, os.X_OK) for command in COMMANDS)
        and (interpreter is None or os.access(interpreter, os.X_OK))
    )


def _read(marker: Path) -> dict[str, str | None]:
    with suppress(OSError, ValueError):
        content = json.loads(marker.read_text(encoding="utf-8"))
        if isinstance(content, dict):
            return content
    return {}
