"""The programs of Prometheus and Alertmanager: on PATH, else kept from an earlier run, else out of Debian's packages.

Debian's Alertmanager looks for a file of its package under /usr, and does not start without being installed: that one
program is built from its Go module, in the version that the stacks run. It takes some minutes, once.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import platformdirs

PACKAGES = ("prometheus", "prometheus-alertmanager")
_PROGRAMS = {
    "promtool": "promtool",
    "prometheus": "prometheus",
    "amtool": "amtool",
}
"""By its own name, what Debian calls it."""

ALERTMANAGER = "v0.28.1"

_DOWNLOAD_SECONDS = 180
_BUILD_SECONDS = 900


@dataclass(frozen=True)
class Tools:
    """The programs, or why there are none."""

    paths: dict[str, Path]
    missing: str = ""

    def run(self, name: str, *arguments: str | Path, cwd: Path | None = None) -> str:
        """What the program says; an AssertionError with that where it fails."""
        done = subprocess.run(
            [self.paths[name], *arguments], cwd=cwd, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, f"{name} {' '.join(map(str, arguments))}:\n{done.stdout}\n{done.stderr}"
        return done.stdout


def find() -> Tools:
    """The programs; fetches them if they are nowhere."""
    on_path = {name: shutil.which(name) or shutil.which(debian) for name, debian in _PROGRAMS.items()}
    if all(on_path.values()):
        return Tools({name: Path(str(path)) for name, path in on_path.items()})
    cache = _cache() / "monitoring-tools"
    if not (cache / "usr" / "bin").is_dir():
        if not (shutil.which("apt-get") and shutil.which("dpkg")):
            return Tools({}, "no promtool on PATH, and no apt-get to fetch it with")
        if said := _fetch(cache):
            return Tools({}, f"the packages {', '.join(PACKAGES)} cannot be fetched: {said}")
    return Tools({name: cache / "usr" / "bin" / debian for name, debian in _PROGRAMS.items()})


def find_alertmanager() -> Tools:
    """Alertmanager itself; builds it if it is nowhere."""
    if found := shutil.which("alertmanager") or shutil.which("prometheus-alertmanager"):
        return Tools({"alertmanager": Path(found)})
    directory = _cache() / f"alertmanager-{ALERTMANAGER}"
    if not (directory / "alertmanager").is_file():
        if shutil.which("go") is None:
            return Tools({}, "no alertmanager on PATH, and no Go to build it with")
        module = f"github.com/prometheus/alertmanager/cmd/alertmanager@{ALERTMANAGER}"
        environment = {**os.environ, "GOBIN": str(directory), "GOFLAGS": "-trimpath"}
        try:
            subprocess.run(
                ["go", "install", module],
                env=environment, capture_output=True, text=True, timeout=_BUILD_SECONDS, check=True,
            )  # fmt: skip
        except subprocess.CalledProcessError as error:
            return Tools({}, f"alertmanager cannot be built: {error.stderr.strip()[-400:]}")
        except subprocess.TimeoutExpired:
            return Tools({}, f"alertmanager was not built in {_BUILD_SECONDS} s")
    return Tools({"alertmanager": directory / "alertmanager"})


def _cache() -> Path:
    return Path(os.environ.get("SOPHIA_CACHE", platformdirs.user_cache_dir("sophia-ai")))


def _fetch(cache: Path) -> str:
    """Unpacks the packages into the cache, as a whole; what went wrong, if anything did."""
    cache.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache.parent) as scratch:
        unpacked = Path(scratch, "unpacked")
        try:
            _run("apt-get", "download", *PACKAGES, cwd=Path(scratch))
            for package in Path(scratch).glob("*.deb"):
                _run("dpkg", "-x", package.name, str(unpacked), cwd=Path(scratch))
        except subprocess.CalledProcessError as error:
            return str(error.stderr).strip()
        except subprocess.TimeoutExpired:
            return f"no answer in {_DOWNLOAD_SECONDS} s"
        try:
            unpacked.rename(cache)
        except OSError:
            return "" if cache.is_dir() else f"{cache} cannot be written"
    return ""


def _run(*command: str, cwd: Path) -> None:
    subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=_DOWNLOAD_SECONDS, check=True)
