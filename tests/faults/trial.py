"""Runs of the real engine that are harmed at a chosen request, and what is asked of the world afterwards."""

from __future__ import annotations

import os
import random
import signal
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from sophia.environments import publish
from sophia.errors import SophiaError
from tests.faults.convergence import VARIABLES, Agreement, Settings
from tests.processes import engine_of, provider_hosts

if TYPE_CHECKING:
    from tests.engine.conftest import Checkout

T = TypeVar("T")

EVERYTHING = os.environ.get("SOPHIA_FAULTS") == "all"
"""Every boundary with every harm, instead of a selection: half an hour instead of a minute and a half."""

SEED = int(os.environ.get("SOPHIA_FAULTS_SEED", "4"))

_HELD = 100.0
_PATIENCE = 60.0


@dataclass(frozen=True)
class Boundary:
    """A request of a run: the first one, or the one after ``skip`` others, that fits. ``sort`` is what it is for."""

    platform: str
    method: str
    path: str
    sort: str
    skip: int = 0

    @property
    def label(self) -> str:
        nth = f"#{self.skip}" if self.skip else ""
        return f"{self.platform} {self.method} {self.path.rpartition('/v1/')[2].removeprefix('/api/')}{nth}"

    def rule(self, **harm: Any) -> dict[str, Any]:
        """The fields of a fault at this request."""
        return {"method": self.method, "path": self.path, "skip": self.skip, "times": 1, **harm}


@dataclass
class Trial:
    """A checkout whose sandbox is emptied for each trial."""

    place: Checkout
    told: list[str] = field(default_factory=list)
    """What was done, for whoever reads that a trial has failed."""

    def begin(self, settings: Settings) -> None:
        """An empty sandbox, with the environments and these settings."""
        self.place.running.reset()
        publish(self.place.running, self.place.directory / "esc")
        self.told = [f"seed {SEED}"]
        self.want(settings)

    def want(self, settings: Settings) -> None:
        self.place.configure(variables=VARIABLES, **settings)

    def harm(self, boundary: Boundary, **harm: Any) -> str:
        self.told.append(f"{boundary.label}: {harm}")
        return self.place.running.add_fault(boundary.platform, **boundary.rule(**harm))

    def run(self, operation: str = "up") -> None:
        """A run that must succeed."""
        try:
            self._runs(operation)()
        except SophiaError as error:
            pytest.fail("\n".join([*self.told, f"{operation} failed:", str(error), error.log[-4000:]]))

    def fails(self, operation: str = "up") -> SophiaError:
        """A run that must fail; its error."""
        try:
            self._runs(operation)()
        except SophiaError as error:
            return error
        pytest.fail("\n".join([*self.told, f"{operation} did not fail"]))

    def cut(self, boundary: Boundary, victim: str, *, served: bool, operation: str = "up") -> bool:
        """A run whose ``victim`` (engine or provider) is killed while it waits for the answer to the request.

        ``served``: the platform has done it by then. Returns whether the run came to that request at all.
        """
        harm = {"hold": _HELD} if served else {"action": "drop", "latency": _HELD}
        fault = self.harm(boundary, **harm)
        self.told.append(f"{victim} killed there")
        run = threading.Thread(target=self._quietly, args=[self._runs(operation)])
        run.start()
        try:
            held = self._held(fault, run)
            if held:
                kill(victim)
        finally:
            run.join(_PATIENCE)
            self.place.running.remove_faults()
        if run.is_alive():
            kill("engine")
            run.join(_PATIENCE)
            pytest.fail("\n".join([*self.told, "the run hangs"]))
        if held and victim == "engine":
            self.place.stack().cancel()
        return held

    def agree(self, settings: Settings, *, finished: bool = True) -> None:
        """Platforms, state and settings say the same; of a run that has not ``finished``, platforms and state."""
        found = Agreement(self.place, settings)
        complaints = found.complaints() if finished else list(found.strays())
        if complaints:
            pytest.fail("\n".join([*self.told, "does not agree:", *complaints]))

    def _runs(self, operation: str) -> Callable[[], object]:
        stack = self.place.stack()
        if operation == "up":
            return lambda: stack.up(skip_preview=True)
        if operation == "refresh":
            return stack.refresh
        return stack.destroy

    @staticmethod
    def _quietly(run: Callable[[], object]) -> None:
        # A run that is killed fails; what it leaves is looked at afterwards.
        with suppress(SophiaError):
            run()

    def _held(self, fault: str, run: threading.Thread) -> bool:
        pause = threading.Event()
        while run.is_alive():
            if any(rule["id"] == fault and rule["waiting"] for rule in self.place.running.faults()):
                return True
            pause.wait(0.02)
        return False


def kill(victim: str) -> None:
    """SIGKILL for the engine's process group, or for the processes of the dynamic providers alone."""
    engine = engine_of(os.getpid())
    if victim == "engine":
        os.killpg(engine.pid, signal.SIGKILL)
        return
    for host in provider_hosts(engine):
        host.kill()


def every(
    boundaries: Sequence[Boundary], harms: Sequence[T], applies: Callable[[Boundary, T], bool] = lambda *_: True
) -> list[tuple[Boundary, T]]:
    """Each boundary with each harm that makes sense there."""
    return [(boundary, harm) for boundary in boundaries for harm in harms if applies(boundary, harm)]


def chosen(boundaries: Sequence[Boundary], harms: Sequence[T]) -> list[tuple[Boundary, T]]:
    """Pairs to try: every one if asked for, else so many that each sort of boundary and each harm has its turn."""
    if EVERYTHING:
        return every(boundaries, harms)
    draw = random.Random(SEED)
    sorts: dict[str, list[Boundary]] = {}
    for boundary in boundaries:
        sorts.setdefault(boundary.sort, []).append(boundary)
    names, order = sorted(sorts), list(harms)
    draw.shuffle(names)
    draw.shuffle(order)
    turns = range(max(len(names), len(order)))
    return [(draw.choice(sorts[names[turn % len(names)]]), order[turn % len(order)]) for turn in turns]
