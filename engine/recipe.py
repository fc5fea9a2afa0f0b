"""What an engine of ours consists of: the pinned version, the Go modules, the language host."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from .language_host import VERSION as VERSION

OLDEST_VERSION = "3.254.0"
"""The oldest engine on PATH that the pinned Python SDK is used with."""

FOLDER = Path(__file__).resolve().parent
LANGUAGE_HOST = FOLDER / "language_host"

COMMAND = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
SDK_MODULE = "github.com/pulumi/pulumi/sdk/v3"
LINKER_FLAGS = f"-s -w -X {SDK_MODULE}/go/common/version.Version=v{VERSION}"
BUILD_FLAGS = ("-mod=readonly", "-trimpath", "-buildvcs=false", f"-ldflags={LINKER_FLAGS}")

SDK_SCRIPTS = ("python/cmd/pulumi-language-python-exec", "python/dist/pulumi-resource-pulumi-python")
"""Files of the SDK module that lie beside the binary: the program's executor, and the dynamic provider."""


def _go_version() -> str:
    match = re.search(r"^go (\S+)$", (FOLDER / "go.mod").read_text(encoding="utf-8"), re.MULTILINE)
    if match is None:
        raise ValueError(f"{FOLDER / 'go.mod'} has no go line")
    return match[1]


GO_VERSION = _go_version()
"""The oldest Go that builds the modules, from go.mod."""


def binary_fingerprint() -> str:
    """Changes whenever the binary would: with the modules' hashes and the flags."""
    digest = hashlib.sha256("\n".join(BUILD_FLAGS).encode())
    for name in ("go.mod", "go.sum"):
        digest.update((FOLDER / name).read_bytes())
    return digest.hexdigest()[:12]


def fingerprint() -> str:
    """Changes whenever a built engine would: with its binary, and with the language host beside it."""
    digest = hashlib.sha256(binary_fingerprint().encode())
    for source in sorted(LANGUAGE_HOST.glob("*.py")):
        digest.update(source.name.encode())
        digest.update(source.read_bytes())
    return digest.hexdigest()[:12]
