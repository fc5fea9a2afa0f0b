"""Whether what was deployed is what was asked for, and works: assertions that hold for every platform, and its health.

No platform has to do anything for it: the engine compares the program with the state, and the state with the platforms.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from sophia import known
from sophia.errors import Interrupted, Problem, RunFailed, SophiaError
from sophia.pipeline.deployment import Deployment
from sophia.results import Change
from sophia.survey import needed_platforms

_MOST_NAMES = 10
_PAUSE = 2.0
"""Seconds between two looks at the health."""
_STABLE = 2
"""How often in a row all must be well."""

Platforms = Sequence[str] | None
"""The platforms' keys; None for all that the stack has."""
Assertion = Callable[[Deployment, Platforms], Iterator[Problem]]


def check_deployed(deployment: Deployment, platforms: Platforms) -> str:
    """Checks all assertions, at the same time, and tells all that they find. Raises RunFailed."""
    with ThreadPoolExecutor(len(ASSERTIONS)) as together:
        answers = [together.submit(_found, assertion, deployment, platforms) for assertion in ASSERTIONS]
    problems = [problem for answer in answers for problem in answer.result()]
    if problems:
        raise RunFailed(problems)
    names = "all platforms" if platforms is None else ", ".join(platforms)
    return f"{names}: well, without drift, and a second run would change nothing"


def _found(assertion: Assertion, deployment: Deployment, platforms: Platforms) -> list[Problem]:
    """What an assertion finds; where it could not look, that is what it finds."""
    try:
        return list(assertion(deployment, platforms))
    except Interrupted:
        raise
    except SophiaError as error:
        return list(error.problems)


def watch_health(deployment: Deployment, platforms: Platforms) -> str:
    """Looks at the health until it has been well some times in a row. Raises RunFailed if it is not in the time given."""
    seconds, check = deployment.options.watch, deployment.options.check_health
    if seconds <= 0 or check is None or (platforms is not None and not platforms):
        return "not watched"
    deadline, well, looks = time.monotonic() + seconds, 0, 0
    while True:
        report = check(deployment.stack, _asked(deployment, platforms))
        looks += 1
        well = well + 1 if report.well else 0
        if well >= _STABLE:
            return f"stable after {looks} looks"
        if time.monotonic() + _PAUSE > deadline:
            break
        time.sleep(_PAUSE)
    if well:
        return f"well at the last of {looks} looks"
    raise RunFailed(list(report.problems) or [Problem("a platform is not well")])


def _healthy(deployment: Deployment, platforms: Platforms) -> Iterator[Problem]:
    check = deployment.options.check_health
    if check is None:
        return
    report = check(deployment.stack, _asked(deployment, platforms))
    if not report.well:
        yield from report.problems


def _asked(deployment: Deployment, platforms: Platforms) -> Platforms:
    """Those that have settings: what has none, such as key pairs, is no platform that could be asked."""
    if platforms is None:
        return None
    known = needed_platforms(deployment.stack.project, deployment.name, ())
    return [name for name in platforms if name in known]


def _settled(deployment: Deployment, platforms: Platforms) -> Iterator[Problem]:
    """A run that is made again at once has nothing to do: else something does not keep what it was told."""
    del platforms  # the program knows no platforms, and the question costs no request
    plan = deployment.stack.preview()
    if plan.has_changes:
        yield Problem(
            f"{_names(plan.changes)}: a second run would change it again",
            "\n".join(_properties(change) for change in plan.changes[:_MOST_NAMES]),
            deployment.stack.settings_file.name,
            f"`sophia preview {deployment.name}` shows it: a value that the platform does not keep as it was sent",
        )


def _undrifted(deployment: Deployment, platforms: Platforms) -> Iterator[Problem]:
    """The platforms have what was set."""
    drift = deployment.stack.drift()
    with suppress(SophiaError):  # that `sophia status` can show it is no part of the test
        known.remember(deployment.stack, drift)
    found = [c for c in drift.changes if platforms is None or c.resource.platform.lower() in platforms]
    if found:
        yield Problem(
            f"{_names(found)}: the platform has something else than was set",
            "\n".join(_properties(change) for change in found[:_MOST_NAMES]),
            "",
            f"`sophia drift {deployment.name}` shows it, and with --fix sets it back",
        )


ASSERTIONS: Sequence[Assertion] = (_healthy, _settled, _undrifted)


def _names(changes: Sequence[Change]) -> str:
    more = f" and {len(changes) - _MOST_NAMES} more" if len(changes) > _MOST_NAMES else ""
    return ", ".join(change.resource.title for change in changes[:_MOST_NAMES]) + more


def _properties(change: Change) -> str:
    return f"{change.resource.title}: {', '.join(p.path for p in change.properties) or change.operation}"
