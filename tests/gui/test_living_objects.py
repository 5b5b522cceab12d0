"""Rounds of work leave no objects behind: those that live are counted, since resident memory is what the allocator makes of it."""

from __future__ import annotations

import gc
import json
import subprocess
import sys
import weakref
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import shiboken6
from PySide6.QtCore import QEventLoop, QThread, QTimer
from torch import Tensor

from engine.attacks import FGSM
from gui.panels.messages import lines
from tests.benchmarks.timeline import round_in_a_window
from tests.gui.driving import settle, until
from tests.gui.panel_scenes import attack, open_image

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from gui.app import Workbench
    from gui.session.session import Session

SCRIPT = """
import gc, json
from PySide6.QtWidgets import QApplication
from tests.benchmarks.timeline import round_of_a_window
from tests.gui.test_living_objects import living

app = QApplication([])
gc.disable()  # a collection in an engine thread would destroy widgets
for _ in range(2):  # caches fill
    round_of_a_window()
before = living()
for _ in range(4):
    round_of_a_window()
print("left", json.dumps(living() - before))
"""


def living() -> Counter[str]:
    """Count the living objects of the project, the tensors and the objects of Qt, by their types."""
    gc.collect()
    ours = (kind for kind in map(type, gc.get_objects()) if str(kind.__module__).partition(".")[0] in ("gui", "engine"))
    counted = Counter(f"{kind.__module__}.{kind.__qualname__}" for kind in ours)
    counted.update("tensor" for each in gc.get_objects() if type(each) is Tensor)
    remembered = (QTimer, QEventLoop, QThread)  # a fixture of the tests, and `until`
    counted.update(f"Qt's {type(each).__name__}" for each in shiboken6.getAllValidWrappers() if not isinstance(each, remembered))
    return counted


def grown_in(one_round: Callable[[], None]) -> tuple[list[Counter[str]], set[str]]:
    """Return the living objects after each of eight rounds, and the kinds of which the last rounds all had more than the first ones.

    A panel may keep a frame more or less by chance. Whatever a round leaves behind is in every later count.
    """
    counts = []
    for _ in range(8):
        one_round()
        counts.append(living())
    most = {kind: max(count[kind] for count in counts[:3]) for kind in counts[-1]}
    return counts, {kind for kind in most if min(count[kind] for count in counts[-3:]) > most[kind]}


def test_runs_that_are_scrubbed_and_removed_leave_nothing_behind(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the user may still want is not kept here: no undo steps, no memory for removed runs, one message."""
    session = bench.session
    monkeypatch.setattr(session.history, "_max_removed_bytes", 0)
    monkeypatch.setattr(lines, "MOST", 1)
    bench.window.panels["messages"].tree.clear()
    bench.window.panels["messages"].entries.clear()

    def round_with_a_save() -> None:
        round_in_a_window(bench)
        session.studies.autosave()
        until(lambda: not session.studies.is_unsaved, "the save")
        settle()

    for _ in range(2):  # caches fill
        round_with_a_save()
    counts, growing = grown_in(round_with_a_save)
    if growing:  # a cache may be filled late, but once: a leak grows again
        again, still = grown_in(round_with_a_save)
        counts, growing = counts + again, growing & still
    assert growing == set(), {kind: [count[kind] for count in counts] for kind in growing}


def test_a_lane_that_waits_keeps_nothing_of_its_last_work(session: Session) -> None:
    """A run of minutes may have gigabytes on a device, and a saved study all its runs."""

    class Load:
        """Something that the work of a request needs."""

    for lane in (session.lane, session.background):
        load = Load()
        gone = weakref.ref(load)
        lane.ask("load", partial(type, load), keep=True)
        del load
        until(partial(is_dead, gone), "the end of the request")


def is_dead(reference: weakref.ref[object]) -> bool:
    """Return whether the object of a weak reference is gone."""
    return reference() is None


def test_a_study_that_was_saved_keeps_no_run_alive(qtbot: QtBot, session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session.history, "_max_removed_bytes", 0)
    open_image(qtbot, session)
    session.change(ready=True)
    attack(qtbot, session, FGSM(eps=0.1))
    session.studies.begin(tmp_path)
    session.studies.autosave()
    until(lambda: not session.studies.is_unsaved, "the save")
    run = weakref.ref(session.history.entries[-1])
    session.remove_runs(session.history.entries[-1].number)
    assert session.studies.is_unsaved
    session.undo_stack.clear()
    attack(qtbot, session, FGSM(eps=0.2))
    until(lambda: not session.waiting("frame"), "the last frame")
    gc.collect()
    assert is_dead(run)


@pytest.mark.slow
def test_closed_windows_leave_nothing_behind() -> None:
    """In a process of its own, since the fixtures of the tests remember the threads that began."""
    said = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, cwd=Path(__file__).parents[2])
    assert said.returncode == 0, f"{said.stdout[-1000:]}\n{said.stderr[-4000:]}"
    (line,) = (line for line in said.stdout.splitlines() if line.startswith("left"))
    assert json.loads(line.removeprefix("left")) == {}
