"""When the next request may be sent: a limit that a platform publishes is kept, one that it does not publish is felt for."""

from __future__ import annotations

import time
from dataclasses import dataclass
from threading import Lock

from pyrate_limiter import Limiter, Rate


@dataclass(frozen=True)
class Limit:
    """At most ``requests`` in any ``seconds``, over all threads of the provider's process.

    ``each_path``: so many on every path, where a platform counts by method (Slack). ``within``: a path's own limit whose
    requests count towards the general one as well (Lambda's launches).
    """

    requests: int
    seconds: float
    each_path: bool = False
    within: bool = False


@dataclass(frozen=True)
class Unpublished:
    """A limit that nobody knows: ``start`` requests a second at first, up to ``most`` while all goes well.

    As TCP does it: quickly more until the first refusal, then half of it, and from there on slowly more. The default of
    ``most`` is what ten operations at a time (Terraform's default) make of a platform that answers in a tenth of a second.
    """

    start: float = 20.0
    most: float = 100.0
    least: float = 1.0


_EAGER = 0.5
"""By how much an answer quickens the pace before the first refusal: it doubles in about a second and a half."""

_BURST_SECONDS = 0.5
"""After a rest, so many seconds' worth of requests go out at once."""

_CUT_SECONDS = 1.0
"""Refusals within this time are one: they are those of requests that were on their way together."""


class Pace:
    """The turns of the requests that share one limit."""

    def __init__(self, limit: Limit | Unpublished) -> None:
        self._felt = limit if isinstance(limit, Unpublished) else None
        self._known = Limiter(Rate(limit.requests, int(limit.seconds * 1000))) if isinstance(limit, Limit) else None
        self.rate = self._felt.start if self._felt else float("inf")
        """Requests a second, where the limit is not published."""
        self._eager = True
        self._next = self._closed_until = self._cut_at = float("-inf")
        self._lock = Lock()

    def wait(self, patience: float = float("inf")) -> float:
        """Returns 0 when it is the caller's turn; the seconds that are left, and at once, where they are more than
        ``patience``: a platform whose limit is of a day may ask for half of one.
        """
        while (pause := self._pause()) > 0:
            if pause > patience:
                return pause
            time.sleep(pause)
        if self._known:
            self._known.try_acquire("")
            return 0.0
        with self._lock:
            turn = max(time.monotonic() - _BURST_SECONDS, self._next)
            self._next = turn + 1 / self.rate
        time.sleep(max(turn - time.monotonic(), 0))
        return 0.0

    def answered(self) -> None:
        """The platform took a request."""
        with self._lock:
            if self._felt:
                self.rate = min(self._felt.most, self.rate + (_EAGER if self._eager else _EAGER / self.rate))

    def refused(self, retry_after: float | None) -> None:
        """The platform refused one for now: everybody waits for ``retry_after`` seconds, where it said so."""
        now = time.monotonic()
        with self._lock:
            self._closed_until = max(self._closed_until, now + (retry_after or 0.0))
            if self._felt and now - self._cut_at > _CUT_SECONDS:
                self.rate = max(self._felt.least, self.rate / 2)
                self._eager, self._cut_at = False, now

    def _pause(self) -> float:
        with self._lock:
            return self._closed_until - time.monotonic()


def lasting(seconds: float) -> str:
    """So many seconds as people say it: ``45 s``, ``12 min``, ``11 h 6 min``."""
    if seconds < _MINUTE:
        return f"{seconds:.0f} s"
    minutes = round(seconds / _MINUTE)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


_MINUTE = 60.0
