"""Puts the language host beside a built engine, with all it needs, so that it runs without this checkout.

What it needs (grpc, protobuf and the SDK's protobufs) is copied from the environment that runs this, where
requirements.lock has put it: no network, the same versions, and no virtual environment that could not be moved.
"""

from __future__ import annotations

import compileall
import re
import shutil
import sys
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path, PurePath

from .model import WayClosed
from .recipe import LANGUAGE_HOST, VERSION

_LIBRARIES = ("grpcio", "protobuf", "typing_extensions")
_PROTOBUFS = PurePath("pulumi", "runtime", "proto")

_ENTRY = '''"""Runs the language host that lies beside this file."""

from language_host.__main__ import main

main()
'''

_LAUNCHER = """#!/bin/sh
# The interpreter is the one that installed this engine; -I and -S keep everything else that it has away.
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P) || exit 1
exec "{interpreter}" -I -S "$here/../lib" --executor "$here/pulumi-language-python-exec" "$@"
"""


def own_interpreter() -> Path:
    """The interpreter below the virtual environment that runs this: it stays when the environment goes."""
    return Path(sys.executable).resolve()


def install_language_host(engine: Path, interpreter: Path) -> None:
    """Writes `bin/pulumi-language-python` and `lib/` into the folder of an engine.

    Raises:
        WayClosed: the environment that runs this lacks the SDK, or has another version of it.
    """
    library = engine / "lib"
    shutil.copytree(LANGUAGE_HOST, library / LANGUAGE_HOST.name, ignore=shutil.ignore_patterns("__pycache__"))
    (library / "__main__.py").write_text(_ENTRY, encoding="utf-8")
    for name in _LIBRARIES:
        _copy(_installed(name), library, PurePath())
    sdk = _installed("pulumi")
    if sdk.version != VERSION:
        raise WayClosed(f"the Python SDK here is version {sdk.version}, the engine {VERSION}; run `make setup`")
    _copy(sdk, library, _PROTOBUFS)
    compileall.compile_dir(library, quiet=2)
    launcher = engine / "bin" / "pulumi-language-python"
    launcher.write_text(_LAUNCHER.format(interpreter=_quoted(interpreter)), encoding="utf-8")
    launcher.chmod(0o755)


def _installed(name: str) -> Distribution:
    try:
        return distribution(name)
    except PackageNotFoundError as error:
        raise WayClosed(f"the Python package {name} is not installed; run `make setup`") from error


def _copy(source: Distribution, library: Path, below: PurePath) -> None:
    for file in _code(source, below):
        target = library / file
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(str(source.locate_file(file)), target)


def _code(source: Distribution, below: PurePath) -> Iterator[PurePath]:
    for file in source.files or []:
        inside = file.parts[0] not in {"..", "__pycache__"} and file.is_relative_to(below)
        if inside and file.suffix in {".py", ".so", ".pem"}:
            yield file


def _quoted(path: Path) -> str:
    return re.sub(r'([$`"\\])', r"\\\1", str(path))
