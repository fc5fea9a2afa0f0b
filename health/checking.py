"""Checking platforms, all at once: the time is that of the slowest, and none takes longer than its deadline."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Thread

from health.asking import READING_ERRORS, Client, reading_failed, told
from health.base import Answer, Health, Known, Probe, Problem, Quota, Reading, Service, Subject, Verdict
from providers.base import Trouble
from providers.base.errors import PlatformError

SLOW_SECONDS = 3.0
"""From here on an answer is called slow: people begin to wait for it (half of what it takes to lose their attention)."""

_GRACE_SECONDS = 0.5
"""For a check that ends by itself at its deadline."""

_SEVERITY: Mapping[Verdict, int] = {"unasked": 0, "well": 1, "degraded": 2, "failing": 3}


@dataclass(frozen=True)
class Check:
    """What is known of a platform after asking it."""

    platform: str
    title: str
    latency: float | None = None
    """Seconds of its slowest answer; None where there was none."""
    checked: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    quotas: tuple[Quota, ...] = ()
    known: Mapping[str, Known] = field(default_factory=dict)
    unasked: str = ""
    """Why nobody can ask it."""

    @property
    def verdict(self) -> Verdict:
        best: Verdict = "unasked" if self.unasked else "well"
        return max((problem.verdict for problem in self.problems), key=_SEVERITY.__getitem__, default=best)


Asked = tuple[Health, Subject]


def check_all(asked: Sequence[Asked], seconds: float, check_one: Callable[..., Check] | None = None) -> list[Check]:
    """Checks these platforms at the same time; the answers in the same order, after ``seconds`` at most."""
    check_one = check_one or check
    deadline = time.monotonic() + seconds
    found: dict[int, Check] = {}

    def run(number: int, health: Health, subject: Subject) -> None:
        found[number] = check_one(health, subject, deadline)

    # Daemons: a platform that never ends its answer keeps nobody from going home.
    threads = [Thread(target=run, args=(n, *one), daemon=True) for n, one in enumerate(asked)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(deadline + _GRACE_SECONDS - time.monotonic(), 0))
    return [found.get(number) or _late(health, seconds) for number, (health, _) in enumerate(asked)]


def check(health: Health, subject: Subject, deadline: float) -> Check:
    """Asks one platform, in the order of its probes; what cannot be told any more after a refusal is not asked."""
    if health.service is None:
        return Check(health.platform, health.title, unasked=health.unasked)
    client = Client(health.service, subject, deadline)
    checked: list[str] = []
    problems: list[Problem] = []
    quotas: list[Quota] = []
    known: dict[str, Known] = {}
    for probe in health.probes:
        if not probe.needed(subject) or client.refused & set(probe.credentials):
            continue
        try:
            proved, reading = _ask(client, probe)
        except PlatformError as error:
            problems.append(told(error, health.service, probe.credentials, probe.refused))
            known |= _doubts(error, probe)
            if error.trouble in (Trouble.UNREACHABLE, Trouble.UNANSWERED, Trouble.BUSY, Trouble.BROKEN):
                break
            client.refused |= set(probe.credentials)
            continue
        checked.append(proved)
        problems += reading.problems
        quotas += reading.quotas
        known |= {name: Known(authenticates=True) for name in probe.credentials if name not in known}
        known |= reading.known
    if client.slowest > SLOW_SECONDS:
        problems.append(_slow(client.slowest, health.service))
    latency = client.slowest or None
    return Check(health.platform, health.title, latency, tuple(checked), tuple(problems), tuple(quotas), known)


def _ask(client: Client, probe: Probe) -> tuple[str, Reading]:
    """What the answer proved, and what else it told."""
    subject = client.subject
    try:
        response = client.send(
            probe.method,
            probe.path if isinstance(probe.path, str) else probe.path(subject),
            params=probe.params,
            body=probe.body(subject) if probe.body else None,
            auth=probe.auth,
            anonymous=not probe.credentials,
        )
    except PlatformError as error:
        if error.trouble is Trouble.NOT_FOUND and probe.without:
            return probe.without(subject), Reading()
        raise
    try:
        return probe.proves, probe.read(Answer(response, subject))
    except READING_ERRORS as error:
        raise reading_failed(client) from error


def _doubts(error: PlatformError, probe: Probe) -> dict[str, Known]:
    """What a refusal says of the credentials that were shown. Who may not do something is known all the same."""
    authenticates = {Trouble.CREDENTIALS: False, Trouble.FORBIDDEN: True}.get(error.trouble)
    return {name: Known(authenticates, said=error.said) for name in probe.credentials}


def _slow(seconds: float, service: Service) -> Problem:
    page = f"; {service.status_page} tells of outages" if service.status_page else ""
    return Problem(f"slow: {seconds:.1f} s for an answer", f"nothing to do here{page}", service.setting, "degraded")


def _late(health: Health, seconds: float) -> Check:
    problem = Problem(
        f"no answer in {seconds:g} s", "nothing to do here if it stays so: the platform is too slow or down"
    )
    return Check(health.platform, health.title, problems=(problem,))
