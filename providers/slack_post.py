"""``python -m providers.slack_post``: says something in a Slack channel, or changes what was said before.

Runs where the stack's ESC environment is, because the bot's token is only there; ``sophia`` does that. Reads one JSON object
from standard input: ``channel`` (an id or a name) and ``text``, with ``thread_ts`` to answer a message, or with ``ts`` to
change one. Prints ``{"channel": id, "ts": id of the message}``, or ``{"error": {…}}`` and exits with 1.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from providers.base import Trouble
from providers.base.errors import PlatformError, explain
from providers.slack import SLACK

LONGEST = 4000
"""Characters of a text that Slack takes in every method (chat.update refuses more, docs.slack.dev)."""

_PATIENCE_SECONDS = "10"
"""A message is not worth waiting for longer."""

_ADVICE = {
    "not_in_channel": "invite the bot to the channel: /invite and its name, in the channel",
    "channel_not_found": "`sophia up` makes the channel that the settings name",
    "is_archived": "unarchive the channel, or name another one in the settings",
}


def main() -> int:
    os.environ.setdefault("SOPHIA_PATIENCE_SECONDS", _PATIENCE_SECONDS)
    message = json.load(sys.stdin)
    try:
        answer = said(message)
    except PlatformError as error:
        json.dump({"error": _explained(error, message)}, sys.stdout)
        return 1
    json.dump({"channel": answer["channel"], "ts": answer["ts"]}, sys.stdout)
    return 0


def said(message: dict[str, Any]) -> dict[str, Any]:
    """Posts or changes the message; Slack's answer. Raises PlatformError."""
    body = {name: message[name] for name in ("channel", "thread_ts", "ts") if message.get(name)}
    body["text"] = message["text"] if len(message["text"]) <= LONGEST else message["text"][: LONGEST - 1] + "…"
    if "ts" in body:
        return SLACK.request("POST", "/chat.update", body=body, repeatable=True)
    return SLACK.request("POST", "/chat.postMessage", body={**body, "unfurl_links": False}, repeatable=False)


def _explained(error: PlatformError, message: dict[str, Any]) -> dict[str, str]:
    where = f"channel {message['channel']}"
    if error.trouble in (Trouble.CREDENTIALS, Trouble.FORBIDDEN):
        where = f"{error.variables or SLACK.auth.variables} in the stack's ESC environment"
    told = explain(error, "Slack: the message could not be posted", where)
    advice = next((text for code, text in _ADVICE.items() if code in error.said), told.do)
    return {"code": told.marker, "what": told.what, "said": told.said, "setting": told.setting, "do": advice}


if __name__ == "__main__":
    sys.exit(main())
