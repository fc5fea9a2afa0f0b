"""An engine built from pinned Go modules, where only package registries can be reached."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from . import cache
from .language_host_install import install_language_host, own_interpreter
from .model import Engine, WayClosed
from .progress import told
from .recipe import BUILD_FLAGS, COMMAND, FOLDER, GO_VERSION, SDK_MODULE, SDK_SCRIPTS, VERSION

_FIRST_GO_THAT_FETCHES_A_NEWER_ONE = (1, 21, 0)
_LINES_OF_AN_ERROR = 12
_PACKAGE = re.compile(r"[\w.~/+-]+")
_CHANGES_THE_BUILD = frozenset({"GOOS", "GOARCH", "GOAMD64", "GOARM64", "GOEXPERIMENT"})


def build(say: Callable[[str], None]) -> Engine:
    """Builds the pinned engine into the cache and puts the language host beside it. Hold the cache's lock.

    Raises:
        WayClosed: no Go, or one that is too old, or the build failed.
    """
    interpreter = own_interpreter()
    target = cache.built_folder()
    with cache.installing(target, interpreter=interpreter) as folder:
        commands = folder / "bin"
        commands.mkdir()
        install_language_host(folder, interpreter)
        if (same := cache.commands_of_same_modules()) is not None:
            _take_over(same, commands)
        else:
            go = _find_go()
            _compile(go, commands / "pulumi", say)
            _copy_sdk_scripts(go, commands)
    return Engine(target / "bin", VERSION, "built")


def _find_go() -> str:
    go = shutil.which("go")
    if go is None:
        raise WayClosed(f"no go on PATH; Go {GO_VERSION} or newer builds Pulumi from its modules")
    settings = _answer(go, "env", "-json", "GOVERSION", "GOTOOLCHAIN", folder=Path("/"))
    installed, toolchain = settings["GOVERSION"], settings["GOTOOLCHAIN"]
    fetches_newer = not toolchain.startswith("local") and _numbers(installed) >= _FIRST_GO_THAT_FETCHES_A_NEWER_ONE
    if _numbers(installed) < _numbers(GO_VERSION) and not fetches_newer:
        raise WayClosed(f"{go} is {installed}; Go {GO_VERSION} or newer builds Pulumi from its modules")
    return go


def _take_over(other: Path, commands: Path) -> None:
    """Spares the minutes of a build when only the language host is new; it needs no Go either."""
    for name in ("pulumi", *(Path(script).name for script in SDK_SCRIPTS)):
        try:
            os.link(other / name, commands / name)
        except OSError:
            shutil.copy2(other / name, commands / name)


def _compile(go: str, binary: Path, say: Callable[[str], None]) -> None:
    command = [go, "build", "-v", *BUILD_FLAGS, "-o", str(binary), COMMAND]
    downloaded = compiled = 0
    said: list[str] = []

    def state() -> str:
        return f"building with Go: {downloaded} modules downloaded, {compiled} packages compiled"

    say(f"building pulumi {VERSION} from pinned Go modules: this takes some minutes, once")
    with told(say, state), _running(command) as process:
        for line in process.stderr or ():
            if line.startswith("go: downloading "):
                downloaded += 1
            elif _PACKAGE.fullmatch(line.strip()):
                compiled += 1
            else:
                said.append(line)
    if process.returncode != 0:
        raise WayClosed(f"go build failed:\n{''.join(said[-_LINES_OF_AN_ERROR:]).strip() or process.returncode}")


def _copy_sdk_scripts(go: str, commands: Path) -> None:
    module = Path(_answer(go, "list", "-m", "-json=Dir", SDK_MODULE).get("Dir", ""))
    if not module.is_absolute():
        module = Path(_answer(go, "mod", "download", "-json", f"{SDK_MODULE}@v{VERSION}")["Dir"])
    for script in SDK_SCRIPTS:
        copy = commands / Path(script).name
        shutil.copyfile(module / script, copy)
        copy.chmod(0o755)


@contextmanager
def _running(command: list[str]) -> Iterator[subprocess.Popen[str]]:
    """A process of Go whose standard error is read in the block; it does not outlive the block."""
    process = subprocess.Popen(  # noqa: S603 - the go on PATH, with arguments of our own
        command, cwd=FOLDER, env=_variables(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    try:
        yield process
        process.wait()
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.wait()
        if process.stderr is not None:
            process.stderr.close()


def _answer(go: str, *arguments: str, folder: Path = FOLDER) -> dict[str, str]:
    command = [go, *arguments]
    try:
        answer = subprocess.run(  # noqa: S603 - the go on PATH, with arguments of our own
            command, cwd=folder, env=_variables(), capture_output=True, text=True, check=True
        )
        answered: dict[str, str] = json.loads(answer.stdout)
    except subprocess.CalledProcessError as error:
        raise WayClosed(f"{' '.join(command)} failed: {error.stderr.strip() or error.stdout.strip()}") from error
    except (OSError, ValueError) as error:
        raise WayClosed(f"{' '.join(command)} failed: {error}") from error
    return answered


def _variables() -> dict[str, str]:
    """The process environment of Go: the user's proxies and caches, but nothing that would change what is built."""
    variables = {name: value for name, value in os.environ.items() if name not in _CHANGES_THE_BUILD}
    return variables | {"CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly", "GOWORK": "off", "GO111MODULE": "on"}


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])
