"""Tells the stack's Slack channel of a deployment: one message that is kept up to date, and one answer if it fails.

The messages are sent beside the deployment and never hold it up; what Slack does not take is a warning. While one message is
on its way the next ones are put together, so that a quick deployment sends few.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from threading import Condition, Thread
from typing import Any, Protocol

from sophia.errors import SophiaError
from sophia.pipeline.steps import StepEvent
from sophia.redact import redact

POSTER = "providers.slack_post"
"""The module of the program that posts: the bot's token is in the stack's ESC environment, and only there."""
PATIENCE = 20.0
"""Seconds that the last message is waited for."""
_SIGNS = {
    "started": ":hourglass_flowing_sand:",
    "done": ":white_check_mark:",
    "failed": ":x:",
    "interrupted": ":octagonal_sign:",
}


class Runs(Protocol):
    """Runs a module of the program inside the stack's ESC environment, as `sophia.survey.Inside` does."""

    def run(self, module: str, arguments: Sequence[str] = (), given: str = "") -> dict[str, Any]: ...


class Announcer:
    """Gets the events of the steps; `close` sends what is left."""

    def __init__(
        self, inside: Runs, channel: Callable[[], str], head: str, warn: Callable[[str], object] = lambda _text: None
    ) -> None:
        self._inside = inside
        self._channel = channel
        self._head = head
        self._warn = warn
        self._events: dict[str, StepEvent] = {}
        self._ending = ""
        self._failure = ""
        self._sent = ""
        self._message: dict[str, str] = {}
        """Where the message is, once it is posted: ``channel`` and ``ts``."""
        self._given_up = False
        self._closing = False
        self._changed = Condition()
        self._thread = Thread(target=self._work, name="announcer", daemon=True)
        self._thread.start()

    def __call__(self, event: StepEvent) -> None:
        with self._changed:
            self._events[event.step] = event
            self._changed.notify()

    def close(self, ending: str, failure: str = "") -> None:
        """Sends the end of the story, ``failure`` as an answer to it, and waits until it is told, but not for long."""
        with self._changed:
            self._ending, self._failure, self._closing = ending, failure, True
            self._changed.notify()
        self._thread.join(PATIENCE)
        if self._thread.is_alive():
            self._warn(f"Slack did not take the last message within {PATIENCE:.0f} s")

    @property
    def text(self) -> str:
        """The message as it should be now."""
        lines = [f"*{_escaped(self._head)}*"]
        for event in list(self._events.values()):
            said = f"  {_escaped(event.said)}" if event.said else ""
            seconds = f" {event.seconds:.1f} s" if event.over else " …"
            lines.append(f"{_SIGNS[event.status]} {event.step}{seconds}{said}")
        if self._ending:
            lines.append(_escaped(self._ending))
        return "\n".join(lines)

    def _work(self) -> None:
        closing = False
        while not (closing or self._given_up):
            with self._changed:
                self._changed.wait_for(lambda: self._closing or self.text != self._sent)
                closing, text = self._closing, self.text
            try:
                self._tell(text)
                if closing and self._failure and self._message:
                    self._post(self._failure, {**self._message, "thread_ts": self._message["ts"], "ts": ""})
            except SophiaError as error:
                self._given_up = True
                self._warn("; ".join(part for part in (error.what, error.said, error.do) if part))

    def _tell(self, text: str) -> None:
        if not self._message:
            channel = self._channel()
            if channel:
                self._message = self._post(text, {"channel": channel})
        elif text != self._sent:
            self._post(text, self._message)
        self._sent = text

    def _post(self, text: str, where: dict[str, str]) -> dict[str, str]:
        message = {**where, "text": redact(text, os.environ)}
        answer = self._inside.run(POSTER, given=json.dumps(message))
        return {"channel": str(answer["channel"]), "ts": str(answer["ts"])}


def _escaped(text: str) -> str:
    """Text that Slack shows as it is (docs.slack.dev, Formatting message text)."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
