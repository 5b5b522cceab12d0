"""The trust lights of the finished runs. They are kept here, since they are found after a run has ended, and a study holds them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary, WeakSet

if TYPE_CHECKING:
    from engine.evaluate.trust import Light
    from gui.session.history import AttackRun, FinishedRun

# By the run itself, since another study has runs of the same numbers, and weakly, so that a run that is dropped is gone.
_lights: WeakKeyDictionary[FinishedRun, tuple[Light, ...]] = WeakKeyDictionary()
_measured: WeakSet[FinishedRun] = WeakSet()


def lights_of(run: FinishedRun) -> tuple[Light, ...]:
    """Return the lights of a run, in the order of `engine.evaluate.trust.SIGNS`; empty: they are not known."""
    return _lights.get(run, ())


def keep_lights(run: AttackRun, lights: tuple[Light, ...], *, measured: bool = False) -> None:
    """Keep the lights of a run; ``measured`` says that they took other attacks, so that a study without them lacks something."""
    _lights[run] = lights
    if measured:
        _measured.add(run)


def pass_lights(run: AttackRun, successor: AttackRun) -> None:
    """Give the lights of a run to the one that takes its place."""
    if run in _lights:
        keep_lights(successor, _lights[run], measured=run in _measured)


def measured_lights(runs: Iterable[FinishedRun]) -> dict[int, tuple[Light, ...]]:
    """Return the lights, by the number of the run, of the runs whose lights took other attacks."""
    return {run.number: _lights[run] for run in runs if run in _measured}
