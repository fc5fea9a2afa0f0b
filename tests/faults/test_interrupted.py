"""Ctrl-C, and a cancel from elsewhere, while a platform takes its time: nothing hangs, and the next run goes on."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.engine.conftest import wait_for
from tests.faults.convergence import ESTATE, Agreement
from tests.faults.trial import Boundary, Trial

if TYPE_CHECKING:
    from tests.engine.conftest import NewCheckout

SLOW = Boundary("airbyte", "POST", "/v1/sources", "create")
SETTINGS = {"airbyte": ESTATE["airbyte"]}


@pytest.fixture
def trial(new_checkout: NewCheckout, tmp_path: Path) -> Iterator[Trial]:
    with new_checkout(tmp_path / "checkout") as place:
        made = Trial(place)
        made.begin(SETTINGS)
        yield made


def sources(trial: Trial) -> int:
    return len(trial.place.objects("airbyte", "source"))


def waits(trial: Trial) -> bool:
    return any(rule["waiting"] for rule in trial.place.running.faults())


def test_what_is_in_flight_at_a_ctrl_c_is_finished_and_known(trial: Trial) -> None:
    trial.harm(SLOW, hold=3)
    run = trial.place.start("up", "dev", "--skip-preview")
    wait_for(lambda: waits(trial), "the source to be made")
    run.send_signal(signal.SIGINT)
    _, told = run.communicate(timeout=60)
    assert run.returncode == 130, told
    assert "Traceback" not in told
    found = Agreement(trial.place, SETTINGS)
    assert not list(found.strays()), "what was made is known"
    assert "airbyte:Source::gong" in found.state
    assert "airbyte:Connection::gong-to-raw" not in found.state, "and nothing else was begun"
    trial.run()
    trial.agree(SETTINGS)


def test_what_is_in_flight_at_a_second_ctrl_c_is_looked_after_by_the_next_run(trial: Trial) -> None:
    trial.harm(SLOW, hold=100)
    run = trial.place.start("up", "dev", "--skip-preview")
    wait_for(lambda: waits(trial), "the source to be made")
    run.send_signal(signal.SIGINT)
    assert run.stdout
    said = ""
    while "in flight" not in said:
        said = run.stdout.readline()
        assert said, "the run ended without a word about what is in flight"
    run.send_signal(signal.SIGINT)
    _, told = run.communicate(timeout=60)
    assert run.returncode == 130, told
    trial.place.running.remove_faults()
    assert sources(trial) == 1
    trial.run()
    assert sources(trial) == 1
    trial.agree(SETTINGS)


def test_a_run_that_is_cancelled_from_elsewhere_ends_and_the_next_one_goes_on(trial: Trial) -> None:
    trial.harm(SLOW, hold=3)
    run = trial.place.start("up", "dev", "--skip-preview")
    wait_for(lambda: waits(trial), "the source to be made")
    trial.place.run("cancel", "dev")
    _, told = run.communicate(timeout=90)
    assert run.returncode == 1, told
    assert "Traceback" not in told
    trial.run()
    assert sources(trial) == 1
    trial.agree(SETTINGS)
