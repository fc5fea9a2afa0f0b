"""Whatever goes wrong at whichever request of a run: afterwards everything exists once, and the state knows it.

By default a selection is tried. SOPHIA_FAULTS=all tries every request with every harm; SOPHIA_FAULTS_SEED draws another
selection, and a failure says its seed.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.faults import Rule
from tests.faults.boundaries import (
    CHANGES,
    CREATES,
    CUTS,
    DELETES,
    KILLS,
    NEW_ONLY,
    SOFT,
    STATE,
    TIMEOUTS,
    Cut,
    applies,
)
from tests.faults.convergence import CHANGED, ESTATE, Settings
from tests.faults.trial import EVERYTHING, SEED, Boundary, Trial, chosen, every

if TYPE_CHECKING:
    from sandbox.control import JournalEntry
    from tests.engine.conftest import NewCheckout


@pytest.fixture(scope="module")
def trial(new_checkout: NewCheckout, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trial]:
    """One sandbox for all trials of this worker; each begins with an empty one."""
    with new_checkout(tmp_path_factory.mktemp("trials") / "checkout") as place:
        yield Trial(place)


def named(pairs: list[tuple[Boundary, Any]]) -> dict[str, Any]:
    """Parameters, with names that a person can choose by."""
    ids = [f"{boundary.label}: {harm if isinstance(harm, str) else harm.label}" for boundary, harm in pairs]
    return {"argvalues": pairs, "ids": ids}


def in_full(boundaries: list[Boundary], *more: Any) -> list[tuple[Boundary, Any]]:
    """Every pair where all are asked for, else none: the test is then shown as skipped, once."""
    return every(boundaries, *more) if EVERYTHING else []


def part(boundary: Boundary) -> Settings:
    """Of the estate, the boundary's platform; all of it for the state's."""
    return {boundary.platform: ESTATE[boundary.platform]} if boundary.platform in ESTATE else ESTATE


def sent(trial: Trial, operation: str) -> list[JournalEntry]:
    since = trial.place.running.mark()
    trial.run(operation)
    return trial.place.running.journal(platforms=list(ESTATE), since=since).entries


def missing(entries: list[JournalEntry], boundaries: list[Boundary]) -> list[str]:
    """The requests that no boundary names. (Tokens are asked for in every run, and named once.)"""
    rules = [Rule(platform=b.platform, status=500, **{**b.rule(), "skip": 0}) for b in [*boundaries, CREATES[0]]]
    return [f"{e.method} {e.path}" for e in entries if not any(r.matches(e.platform, e.method, e.path) for r in rules)]


def test_every_request_of_a_run_is_known(trial: Trial) -> None:
    """What is tried below is all that there is; and a run that nothing happens to does what the settings say."""
    trial.begin(ESTATE)
    entries = sent(trial, "up")
    assert not missing(entries, CREATES)
    assert len(entries) == len(CREATES)
    trial.agree(ESTATE)
    trial.want(CHANGED)
    assert not missing(sent(trial, "up"), CHANGES)
    trial.agree(CHANGED)
    assert not missing(sent(trial, "destroy"), DELETES)
    trial.agree({})


MADE = [*chosen(CREATES, CUTS), *(every(STATE, KILLS) if EVERYTHING else [])]


@pytest.mark.parametrize(("boundary", "cut"), **named(MADE))
def test_a_kill_while_objects_are_made(trial: Trial, boundary: Boundary, cut: Cut) -> None:
    settings = part(boundary)
    trial.begin(settings)
    trial.cut(boundary, cut.victim, served=cut.served)
    trial.run()
    trial.agree(settings)


@pytest.mark.parametrize(("boundary", "cut"), **named(in_full(CHANGES, CUTS)))
def test_a_kill_while_objects_are_changed(trial: Trial, boundary: Boundary, cut: Cut) -> None:
    platform = boundary.platform
    before, after = {platform: ESTATE[platform]}, {platform: CHANGED[platform]}
    trial.begin(before)
    trial.run()
    trial.want(after)
    assert trial.cut(boundary, cut.victim, served=cut.served)
    trial.run()
    trial.agree(after)


@pytest.mark.parametrize(("boundary", "cut"), **named(in_full(DELETES, CUTS)))
def test_a_kill_while_objects_are_deleted(trial: Trial, boundary: Boundary, cut: Cut) -> None:
    settings = part(boundary)
    trial.begin(settings)
    trial.run()
    assert trial.cut(boundary, cut.victim, served=cut.served, operation="destroy")
    trial.run("destroy")
    trial.agree({})


def seeds(count: int) -> list[int]:
    draw = random.Random(SEED)
    return [draw.randrange(10**6) for _ in range(count)]


@pytest.mark.parametrize("seed", seeds(10 if EVERYTHING else 1))
def test_a_life_of_kills(trial: Trial, seed: int) -> None:
    """Made, changed, changed back and destroyed, and every run is cut once, at a request that is drawn by lot."""
    draw = random.Random(seed)
    trial.begin(ESTATE)
    trial.told.append(f"life {seed}")
    for settings, boundaries in ((ESTATE, [*CREATES, *STATE]), (CHANGED, CHANGES), (ESTATE, CHANGES)):
        trial.want(settings)
        boundary = draw.choice(boundaries)
        cut = draw.choice(KILLS if boundary in STATE else CUTS)
        trial.cut(boundary, cut.victim, served=cut.served)
        trial.run()
        trial.agree(settings)
    cut = draw.choice(CUTS)
    trial.cut(draw.choice(DELETES), cut.victim, served=cut.served, operation="destroy")
    trial.run("destroy")
    trial.agree({})


@pytest.mark.parametrize("seed", seeds(10 if EVERYTHING else 2))
def test_a_storm_over_every_request(trial: Trial, seed: int) -> None:
    """Each request of each run has a harm of its own, and each run succeeds all the same."""
    draw = random.Random(seed)
    trial.begin(ESTATE)
    trial.told.append(f"storm {seed}")
    for settings, boundaries in ((ESTATE, CREATES), (CHANGED, CHANGES)):
        trial.want(settings)
        for boundary in boundaries:
            harms = [harm for harm in SOFT if applies(boundary, harm) and (boundaries is CREATES or harm != NEW_ONLY)]
            trial.harm(boundary, **SOFT[draw.choice(harms)])
        trial.run()
        trial.place.running.remove_faults()
        trial.agree(settings)


@pytest.mark.parametrize(("boundary", "harm"), **named(in_full(CREATES, list(SOFT), applies)))
def test_a_harm_that_passes(trial: Trial, boundary: Boundary, harm: str) -> None:
    settings = part(boundary)
    trial.begin(settings)
    trial.harm(boundary, **SOFT[harm])
    trial.run()
    trial.agree(settings)


@pytest.mark.parametrize(("boundary", "harm"), **named(in_full(DELETES, [h for h in SOFT if h != NEW_ONLY], applies)))
def test_a_harm_that_passes_while_objects_are_deleted(trial: Trial, boundary: Boundary, harm: str) -> None:
    settings = part(boundary)
    trial.begin(settings)
    trial.run()
    trial.harm(boundary, **SOFT[harm])
    trial.run("destroy")
    trial.agree({})


@pytest.mark.parametrize(("boundary", "harm"), **named(in_full(CREATES, list(TIMEOUTS))))
def test_a_platform_that_does_not_answer_in_time(trial: Trial, boundary: Boundary, harm: str) -> None:
    settings = part(boundary)
    trial.begin(settings)
    trial.harm(boundary, **TIMEOUTS[harm])
    trial.run()
    trial.agree(settings)


@pytest.mark.parametrize(
    ("boundary", "status"),
    **named(every(CREATES, ["500", "403"]) if EVERYTHING else chosen(CREATES, ["500", "403"])[:2]),
)
def test_a_harm_that_does_not_pass(
    trial: Trial, monkeypatch: pytest.MonkeyPatch, boundary: Boundary, status: str
) -> None:
    """The run fails, and knows of everything that exists; once the platform is well, the next one finishes it."""
    settings = part(boundary)
    monkeypatch.setenv("SOPHIA_PATIENCE_SECONDS", "0.5")
    trial.begin(settings)
    trial.harm(boundary, status=int(status), times=None)
    trial.fails()
    trial.agree(settings, finished=False)
    trial.place.running.remove_faults()
    trial.run()
    trial.agree(settings)
