"""Telling Slack of a deployment: one message kept up to date, an answer for a failure, and never in the way."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sophia.errors import RunFailed
from sophia.pipeline.announce import Announcer
from sophia.pipeline.steps import Status, StepEvent

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


class Slack:
    """What the module in the stack's environment would do."""

    def __init__(self, failure: RunFailed | None = None, hold: threading.Event | None = None) -> None:
        self.sent: list[dict[str, Any]] = []
        self.failure, self.hold = failure, hold

    def run(self, module: str, arguments: Sequence[str] = (), given: str = "") -> dict[str, Any]:
        assert module == "providers.slack_post"
        if self.hold is not None:
            assert self.hold.wait(10)
        if self.failure:
            raise self.failure
        self.sent.append(json.loads(given))
        return {"channel": "C1", "ts": self.sent[-1].get("ts") or f"{len(self.sent)}.0"}


def event(step: str, status: Status, said: str = "") -> StepEvent:
    return StepEvent(NOW, step, status, said, 1.25)


def test_one_message_is_kept_up_to_date_and_a_failure_answers_it() -> None:
    slack = Slack()
    told = Announcer(slack, lambda: "C1", "deploy of sophia-ai/dev")
    told(event("preview", "started"))
    told(event("preview", "done", "creates <2> & more"))
    told(event("deploy", "failed", "Slack: refused xoxb-123456789-secret"))
    told.close("it stands at: deploy", "the four parts")
    first, *changes, answer = slack.sent
    assert "ts" not in first
    assert {change["ts"] for change in changes} <= {"1.0"}
    final = (changes or [first])[-1]["text"]
    assert final.splitlines()[0] == "*deploy of sophia-ai/dev*"
    assert ":white_check_mark: preview 1.2 s  creates &lt;2&gt; &amp; more" in final
    assert ":x: deploy" in final
    assert "xoxb-123456789" not in final
    assert final.endswith("it stands at: deploy")
    assert (answer["thread_ts"], answer["ts"], answer["text"]) == ("1.0", "", "the four parts")


def test_what_comes_while_a_message_is_on_its_way_is_put_together() -> None:
    hold = threading.Event()
    slack = Slack(hold=hold)
    told = Announcer(slack, lambda: "C1", "deploy")
    for number in range(20):
        told(event(f"step{number}", "done"))
    hold.set()
    told.close("done")
    assert len(slack.sent) <= 4
    assert all(f"step{number}" in slack.sent[-1]["text"] for number in range(20))


def test_a_channel_that_is_made_by_the_deploy_itself_hears_of_it_in_the_end() -> None:
    slack, channel = Slack(), [""]
    told = Announcer(slack, lambda: channel[0], "deploy")
    told(event("preview", "done"))
    channel[0] = "C9"
    told.close("done")
    (message,) = slack.sent
    assert message["channel"] == "C9"
    assert "preview" in message["text"]


def test_slack_that_refuses_is_one_warning_and_is_asked_no_more() -> None:
    warnings: list[str] = []
    slack = Slack(RunFailed("Slack: the message could not be posted", said="not_in_channel", do="invite the bot"))
    told = Announcer(slack, lambda: "C1", "deploy", warnings.append)
    told(event("preview", "done"))
    told(event("deploy", "done"))
    told.close("done", "")
    assert warnings == ["Slack: the message could not be posted; not_in_channel; invite the bot"]
