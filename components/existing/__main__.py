"""``python -m components.existing --platform slack``: JSON in, JSON out; what goes in and comes out is in ``run``."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from components.existing.findings import ExistingError, Findings
from providers.base.errors import PlatformError, Trouble
from providers.base.survey import resources_of

PLATFORMS = ("airbyte", "estuary", "linear", "openrouter", "pinecone", "portkey", "qdrant", "slack")

_CODES = {"failed": 1, "settings": 3, "credentials": 4, "unreachable": 6}
"""Exit codes, as in every command of ``sophia``."""

_TROUBLES = {
    Trouble.CREDENTIALS: "credentials",
    Trouble.UNREACHABLE: "unreachable",
    Trouble.UNANSWERED: "unreachable",
}

_ODD = (KeyError, TypeError, AttributeError, ValueError)
"""What comes of reading an answer that is not shaped as the platform promised."""


def run(platform: str, text: str, stack: str, workspace: str | None) -> dict[str, Any]:
    """``{"settings": …, "added": […], "left": […]}`` for ``{"settings": the platform's settings or null}``.

    ``added`` has the path, kind, id and name of every object that came new, and the environment variables that its
    entry needs; ``left`` what stays out of the settings, or stays unsaid in them, with the reason. Raises
    ExistingError, ``PlatformError``.
    """
    if platform not in PLATFORMS:
        raise ExistingError(
            f"what exists on {platform} cannot be read into settings",
            said=f"that is done for {', '.join(PLATFORMS)}",
            setting=f"sophia-ai:{platform}",
            do="write its settings by hand; `sophia adopt` without --write-settings then takes over what they name",
        )
    module = import_module(f"components.existing.{platform}")
    findings = Findings(platform, module.MODEL, _given(text), stack)
    module.existing(findings, workspace)
    findings.finish()
    return findings.document()


def _given(text: str) -> dict[str, Any] | None:
    """The settings in the standard input's document."""
    try:
        given = json.loads(text)
    except ValueError as error:
        raise ExistingError("the standard input is no JSON", said=str(error)) from error
    settings = given.get("settings") if isinstance(given, dict) else given
    if isinstance(given, dict) and (settings is None or isinstance(settings, dict)):
        return settings
    raise ExistingError("the standard input is not what it should be", do='give {"settings": {…} or null} as JSON')


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; its exit code."""
    parser = argparse.ArgumentParser(prog="python -m components.existing", description=__doc__)
    parser.add_argument("--platform", required=True, help=", ".join(PLATFORMS))
    parser.add_argument("--stack", default="", help="project/stack: whose marks on objects are ours")
    parser.add_argument("--workspace", help="which one, if there are several and the settings do not say it")
    options = parser.parse_args(arguments)
    try:
        document = run(options.platform, sys.stdin.read(), options.stack, options.workspace)
    except ExistingError as error:
        return _fail(options.platform, "settings", error.what, error.said, error.setting, error.do)
    except PlatformError as error:
        code = _TROUBLES.get(error.trouble, "failed")
        what = f"what exists on {options.platform} cannot be read"
        return _fail(
            options.platform, code, what, error.said, error.variables, "correct it, then run the command again"
        )
    except _ODD as error:
        what = f"what exists on {options.platform} has a form that is not known"
        return _fail(options.platform, "failed", what, f"{type(error).__name__}: {error}", "", "")
    _write(document)
    return 0


def _fail(platform: str, code: str, what: str, said: str, setting: str, do: str) -> int:
    error = {"code": code, "what": what, "said": said, "setting": setting, "do": do}
    secrets = {secret for resource in resources_of(platform) for secret in resource.kind.credentials() if secret}
    for secret in sorted(secrets, key=len, reverse=True):
        error = {name: text.replace(secret, "[secret]") for name, text in error.items()}
    _write({"error": error})
    return _CODES[code]


def _write(document: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    sys.exit(main())
