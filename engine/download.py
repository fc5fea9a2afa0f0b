"""The official engine, by the Automation API's installer."""

from __future__ import annotations

import subprocess
import threading
import urllib.error
from collections.abc import Callable

import httpx

from . import cache
from .model import Engine, WayClosed
from .progress import told
from .recipe import VERSION

_INSTALLER = "https://get.pulumi.com/install.sh"
_SECONDS_TO_CONNECT = 3.0
_SECONDS_TO_ANSWER = 8.0


def download(say: Callable[[str], None]) -> Engine:
    """Downloads the pinned engine into the cache. Hold the cache's lock.

    Raises:
        WayClosed: the download site cannot be reached, or the installer failed.
    """
    _ask_for_installer()
    from pulumi.automation import PulumiCommand
    from semver import VersionInfo

    target = cache.downloaded_folder()
    with cache.installing(target) as folder, told(say, lambda: f"downloading pulumi {VERSION}"):
        try:
            PulumiCommand.install(root=str(folder), version=VersionInfo.parse(VERSION))
        except subprocess.CalledProcessError as error:
            said = (error.output or b"").decode(errors="replace").strip()
            raise WayClosed(f"the installer failed: {said.splitlines()[-1] if said else error}") from error
        except (OSError, urllib.error.URLError) as error:
            raise WayClosed(f"the installer failed: {error}") from error
        if missing := [name for name in cache.COMMANDS if not (folder / "bin" / name).is_file()]:
            raise WayClosed(f"the installer brought no {', '.join(missing)}")
    return Engine(target / "bin", VERSION, "downloaded")


def _ask_for_installer() -> None:
    """Asks for the installer's first bytes, within seconds: the installer itself waits without end.

    From a thread, because looking up a host name cannot be given a time limit.
    """
    said: list[str] = ["no answer"]

    def ask() -> None:
        try:
            httpx.head(_INSTALLER, timeout=_SECONDS_TO_CONNECT, follow_redirects=True).raise_for_status()
        except httpx.HTTPError as error:
            said[0] = str(error) or type(error).__name__
        else:
            said.clear()

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(_SECONDS_TO_ANSWER)
    if said:
        raise WayClosed(f"{_INSTALLER} cannot be reached: {said[0]}")
