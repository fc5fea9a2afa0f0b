"""``python -m health.model_report``: what the chosen models cost now, and what would do for less.

Runs where the stack's ESC environment is, for the address; `sophia models` does that, and says on standard input
``{"settings": those of OpenRouter, "timeout": seconds}``.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from typing import Any

from health.asking import READING_ERRORS, Client, reading_failed
from health.base import Subject
from health.models import (
    LISTED,
    LISTED_ZDR,
    Offer,
    Task,
    alternatives,
    lacking,
    offers_of,
    over,
    problems,
    retention_problems,
    tasks_of,
)
from health.openrouter import SERVICE
from providers.base import Trouble
from providers.base.errors import PlatformError

VERSION = 1
"""A new member may come at any time; a changed or removed one makes a new version."""

_FAILED = 1


def main() -> int:
    request = json.load(sys.stdin)
    try:
        answer = report(request["settings"], request["timeout"])
    except PlatformError as error:
        out_of_reach = error.trouble in (Trouble.UNREACHABLE, Trouble.UNANSWERED)
        told = {
            "code": "unreachable" if out_of_reach else "failed",
            "what": "OpenRouter does not list its models",
            "said": error.said,
            "setting": "OPENROUTER_BASE_URL",
            "do": "check that address and the network; https://status.openrouter.ai tells of outages",
        }
        json.dump({"error": told}, sys.stdout)
        return _FAILED
    json.dump(answer, sys.stdout, ensure_ascii=False)
    return 0


def report(settings: Mapping[str, Any], timeout: float) -> dict[str, Any]:
    """The whole answer; ``timeout`` in seconds. Raises ``PlatformError``."""
    tasks, deadline = tasks_of(settings), time.monotonic() + timeout
    client = Client(SERVICE, Subject(settings), deadline)
    offers = _offers(client, LISTED)
    private = _offers(client, LISTED_ZDR)
    return {"version": VERSION, "tasks": [_task(task, offers, private) for task in tasks]}


def _offers(client: Client, which: Mapping[str, str | int]) -> dict[str, Offer]:
    response = client.send("GET", "/models", params=which, anonymous=True)
    try:
        return offers_of(response.json())
    except READING_ERRORS as error:
        raise reading_failed(client) from error


def _task(task: Task, offers: Mapping[str, Offer], private: Mapping[str, Offer]) -> dict[str, Any]:
    gone = {setting for _, setting, slug in task.chosen if slug not in offers}
    kept = [one for one in retention_problems([task], private) if one.setting not in gone]
    found = [*problems([task], offers), *kept]
    return {
        "task": task.name,
        "ceiling": {"input": task.ceiling[0], "output": task.ceiling[1]},
        "needs": dict(task.needs),
        "models": [
            {
                "model": slug,
                "role": role,
                "setting": setting,
                **_offered(offers.get(slug)),
                "zero_data_retention": slug in private,
                "over_ceiling": slug in offers and over(task, offers[slug]),
                "lacks": lacking(task, offers[slug]) if slug in offers else [],
                "problems": [
                    {"verdict": one.verdict, "said": one.said, "setting": one.setting, "do": one.do}
                    for one in found
                    if one.setting == setting
                ],
            }
            for role, setting, slug in task.chosen
        ],
        "cheaper": [
            {"model": one.slug, "input": one.input, "output": one.output} for one in alternatives(task, offers, private)
        ],
    }


def _offered(offer: Offer | None) -> dict[str, Any]:
    if offer is None:
        return {"offered": False, "input": None, "output": None, "context": None, "expires": None}
    expires = offer.expires.isoformat() if offer.expires else None
    return {"offered": True, "input": offer.input, "output": offer.output, "context": offer.context, "expires": expires}


if __name__ == "__main__":
    sys.exit(main())
