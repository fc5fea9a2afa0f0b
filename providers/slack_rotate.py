"""``python -m providers.slack_rotate``: a new app configuration token for a refresh token, which serves a single time.

Runs where the stack's ESC environment is, which says where Slack is. Reads one JSON object from standard input:
``refresh_token`` and ``file``. What Slack answers is in that file, readable by its owner only, before anything else happens:
whoever loses it has lost the chain, and a person must begin again. Prints ``{"expires": seconds since 1970}``, or
``{"error": {…}}`` and exits with 1; no token is printed.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from providers.base import Anonymous, Call
from providers.base.errors import PlatformError, explain
from providers.slack_api import SLACK, says

_AGAIN = (
    "make a new pair on api.slack.com/apps (Your App Configuration Tokens, Generate Token), and give its refresh token to "
    "this command with --first"
)


def main() -> int:
    asked = json.load(sys.stdin)
    # Not even the bot's token is shown: the refresh token says all.
    rotate = Call("POST", "/tooling.tokens.rotate", repeatable=False, auth=Anonymous())
    # Opened before the call: a pair that cannot be kept must not be asked for.
    with os.fdopen(os.open(asked["file"], os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        try:
            answer = rotate.send(SLACK, {}, {"refresh_token": asked["refresh_token"]})
        except PlatformError as error:
            json.dump({"error": _explained(error)}, sys.stdout)
            Path(asked["file"]).unlink()
            return 1
        json.dump({name: answer[name] for name in ("token", "refresh_token", "exp")}, file)
        file.flush()
        os.fsync(file.fileno())
    json.dump({"expires": answer["exp"]}, sys.stdout)
    return 0


def _explained(error: PlatformError) -> dict[str, str]:
    if says(error, "invalid_refresh_token", "token_expired", "token_revoked"):
        error.do = _AGAIN
    told = explain(error, "Slack: no new configuration token", "the refresh token of Slack's app configuration tokens")
    return {"code": told.marker, "what": told.what, "said": told.said, "setting": told.setting, "do": told.do}


if __name__ == "__main__":
    sys.exit(main())
