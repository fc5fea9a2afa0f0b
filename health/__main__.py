"""``python -m health``: the health of a stack's platforms, as JSON; with ``--credentials`` the records of its keys as well.

Runs where the stack's ESC environment is; ``sophia`` does that, and says on standard input of which stack:
``{"platforms": {name: settings}, "resources": [those of the state], "cloud": {"backend", "organization", "token",
"credentials"}, "timeout": seconds}``, and for the records ``"named": [variables that the settings name]``.
No secret is in the answer.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from difflib import get_close_matches
from typing import Any

from health import declared
from health.base import Cloud, Health, Resource, Subject
from health.checking import Check, check_all
from health.records import Record, records

VERSION = 1
"""A new member may come at any time; a changed or removed one makes a new version."""

_SETTINGS_WRONG = 3
"""The exit code, as in every command of ``sophia``."""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m health", description=__doc__)
    parser.add_argument("--credentials", action="store_true", help="the records of the credentials as well")
    given = parser.parse_args(arguments)
    request = json.load(sys.stdin)
    unknown = [name for name in request["platforms"] if name not in declared.all_of_them()]
    if unknown:
        json.dump({"error": _unknown(unknown[0])}, sys.stdout)
        return _SETTINGS_WRONG
    json.dump(document(request, credentials=given.credentials), sys.stdout, ensure_ascii=False)
    return 0


def document(request: Mapping[str, Any], *, credentials: bool) -> dict[str, Any]:
    """The whole answer."""
    cloud, resources = Cloud(**request["cloud"]), [Resource(**one) for one in request.get("resources", ())]
    everything, platforms = declared.all_of_them(), dict(request["platforms"])
    if credentials:
        named = set(request.get("named", ()))
        platforms = {**{name: {} for name, one in everything.items() if _has(one, named)}, **platforms}
    asked = [(everything[name], Subject(settings or {}, cloud, resources)) for name, settings in platforms.items()]
    checks = check_all(asked, request["timeout"])
    answer: dict[str, Any] = {
        "version": VERSION,
        "checks": [_check(one) for one in checks if _was_asked(one, everything)],
    }
    if credentials:
        by_name = {one.platform: one for one in checks}
        found, answer["remarks"] = records(asked, by_name, request["timeout"])
        answer["credentials"] = [_record(one) for one in found]
    return answer


def _has(health: Health, variables: set[str]) -> bool:
    """Whether credentials of a platform are among these, though the stack has no settings for it."""
    return health.service is None and any(credential.variable in variables for credential in health.credentials)


def _was_asked(check: Check, everything: Mapping[str, Health]) -> bool:
    """One whose credentials alone are declared has no health to tell of; that nobody can ask it, is told."""
    return everything[check.platform].service is not None or bool(check.unasked)


def _unknown(name: str) -> dict[str, str]:
    near = get_close_matches(name, declared.all_of_them(), n=1)
    return {
        "code": "settings",
        "what": f'there is no health check of a platform "{name}"',
        "said": f"there is one of {', '.join(declared.all_of_them())}",
        "setting": "the stack's settings file",
        "do": f'did you mean "{near[0]}"?' if near else f"add health/{name}.py, or take the settings out",
    }


def _check(check: Check) -> dict[str, Any]:
    return {
        "platform": check.platform,
        "title": check.title,
        "verdict": check.verdict,
        "latency_seconds": None if check.latency is None else round(check.latency, 3),
        "checked": list(check.checked),
        "quotas": [{"what": q.what, "left": q.left, "of": q.of} for q in check.quotas],
        "problems": [asdict(problem) for problem in check.problems],
        "unasked": check.unasked,
    }


def _record(record: Record) -> dict[str, Any]:
    return {
        "name": record.name,
        "platform": record.platform,
        "title": record.title,
        "holder": record.holder,
        "made": record.known.made,
        "at_least": record.at_least,
        "basis": record.basis,
        "expires": record.known.expires,
        "due": record.due,
        "authenticates": record.known.authenticates,
        "said": record.known.said,
        "rotation": record.rotation,
        "by_api": record.by_api,
    }


if __name__ == "__main__":
    sys.exit(main())
