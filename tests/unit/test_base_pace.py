"""Limits that are known are kept, limits that are not are felt for, and a refusal holds everybody back."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest

from providers.base.pace import Limit, Pace, Unpublished, lasting


@dataclass
class Clock:
    """Time that passes only when somebody sleeps."""

    now: float = 1000.0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def sleep(self, seconds: float) -> None:
        with self.lock:
            self.now += seconds

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr("providers.base.pace.time", SimpleNamespace(monotonic=found.monotonic, sleep=found.sleep))
    return found


def sent(pace: Pace, clock: Clock, seconds: float) -> int:
    """How many requests go out in so many seconds to a platform that takes them all."""
    count, until = 0, clock.now + seconds
    while clock.now < until:
        pace.wait()
        pace.answered()
        count += 1
    return count


def test_an_unpublished_limit_is_approached_and_never_exceeds_what_we_dare(clock: Clock) -> None:
    pace = Pace(Unpublished(start=10, most=50))
    first = sent(pace, clock, 1)
    assert 10 <= first <= 25, "begins carefully"
    assert sent(pace, clock, 4) > 4 * first, "and quickens"
    assert sent(pace, clock, 1) <= 51


def test_a_refusal_halves_the_pace_once_and_it_recovers_slowly(clock: Clock) -> None:
    pace = Pace(Unpublished(start=40, most=50))
    for _ in range(8):
        pace.refused(None)
    assert pace.rate == 20, "refusals of requests that were on their way together are one"
    sent(pace, clock, 2)
    assert 20 < pace.rate < 23


def test_the_pace_never_comes_to_a_standstill(clock: Clock) -> None:
    pace = Pace(Unpublished(start=2))
    for _ in range(20):
        pace.refused(None)
        clock.sleep(2)
    assert pace.rate == 1


@pytest.mark.parametrize("limit", [Limit(1000, 1), Unpublished()])
def test_retry_after_holds_everybody_back(clock: Clock, limit: Limit | Unpublished) -> None:
    pace = Pace(limit)
    pace.refused(7.5)
    pace.refused(2)
    before = clock.now
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: pace.wait(), range(4)))
    assert clock.now - before >= 7.5, "a shorter wait does not shorten a longer one"


def test_nobody_waits_longer_than_their_patience(clock: Clock) -> None:
    pace = Pace(Limit(1000, 1))
    pace.refused(40_000)
    before = clock.now
    assert pace.wait(180) == 40_000, "the limit of a day is not slept away"
    assert clock.now == before
    assert pace.wait(50_000) == 0
    assert clock.now - before >= 40_000


@pytest.mark.parametrize(
    ("seconds", "said"), [(7.5, "8 s"), (720, "12 min"), (39_960, "11 h 6 min"), (3599, "1 h 0 min")]
)
def test_a_time_is_told_as_people_say_it(seconds: float, said: str) -> None:
    assert lasting(seconds) == said
