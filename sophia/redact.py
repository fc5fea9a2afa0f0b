"""Takes secrets out of text that goes to people: the engine's log and tracebacks, shown with --debug."""

from __future__ import annotations

import re
from collections.abc import Mapping

HIDDEN = "[secret]"

_SECRET_NAME = re.compile(r"(TOKEN|SECRET|PASSWORD|PASSPHRASE|_KEY|CREDENTIALS?)$")
_SHORTEST = 6
"""A shorter value of a secret variable is a flag or empty; hiding it would blank out half of the log."""

_SHAPES = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"
    r"|\b(?:pul-|sk-|xox[a-z]?[.-]|xapp-|gh[pousr]_|github_pat_)[A-Za-z0-9._-]{6,}"
    r"|\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*"
    r"|(?<=://)[^\s/@:]*:[^\s/@]+(?=@)",
    re.DOTALL,
)
_AUTHORIZATION = re.compile(r"(?i)\b(bearer|basic|(?:update-)?token)(\s+)[A-Za-z0-9._~+/=-]{8,}")


def redact(text: str, environment: Mapping[str, str]) -> str:
    """``text`` without the values of secret environment variables and without what has the shape of a credential."""
    secrets = {v for k, v in environment.items() if _SECRET_NAME.search(k.upper()) and len(v) >= _SHORTEST}
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    return _AUTHORIZATION.sub(rf"\1\2{HIDDEN}", _SHAPES.sub(HIDDEN, text))
