"""The pages of an attack in progress: its loss and its readings, as they come."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QVBoxLayout

from gui.panels.results.content import Item, loss_lines
from gui.panels.results.views import View
from gui.plots.curves import Axes, Curves, Line
from gui.theme import ADVERSARIAL

if TYPE_CHECKING:
    from gui.session.history import AttackRun
    from gui.session.session import Session

_EVERY_S = 0.1
"""Seconds between two paintings at least: a plot takes milliseconds, of which the window's thread has few during a run."""


class _LiveView(View):
    """A curve that grows while it is visible."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.curves = Curves(self)
        self._next = 0.0
        self._count = -1
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.curves)
        session.runs.progressed.connect(self._on_progress)
        session.moments.changed.connect(self._on_moment)

    def fill(self, entry: AttackRun | None, item: Item) -> None:
        self.curves.setAccessibleName(f"{item.title} so far")
        self._count = -1
        self._paint()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._paint()

    @Slot()
    def _on_progress(self) -> None:
        if self.isVisible() and time.perf_counter() >= self._next:
            self._paint()

    def _paint(self) -> None:
        points = self._points()
        if points is None or len(points[0]) == self._count:
            return
        self._next, self._count = time.perf_counter() + _EVERY_S, len(points[0])
        self.curves.set_lines(*points)
        flip = self.session.moments.flip
        self.curves.set_mark(None if flip is None else float(flip))
        self._on_moment()

    @Slot()
    def _on_moment(self) -> None:
        self.curves.set_marker(self.session.moments.index)

    def _points(self) -> tuple[Any, list[Line], Axes, str] | None:
        raise NotImplementedError


class LiveLossView(_LiveView):
    """The page of the loss so far."""

    def _points(self) -> tuple[Any, list[Line], Axes, str] | None:
        moments = self.session.moments
        if not moments.live:
            return None
        flip = moments.flip
        yet = "It has nothing to do: the image was like that before." if self.session.runs.reached_before else "It has not succeeded yet."
        note = yet if flip is None else f"Dashed: the first success, at step {flip:,}."
        return loss_lines(*moments.losses(), moments.loss_name, note)


class LiveReadingView(_LiveView):
    """The page of a reading so far, such as a fooling rate."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._name = ""

    def fill(self, entry: AttackRun | None, item: Item) -> None:
        self._name = item.artifact
        super().fill(entry, item)

    def _points(self) -> tuple[Any, list[Line], Axes, str] | None:
        job, attack = self.session.runs.job, self.session.runs.attack
        if job is None or attack is None:
            return None
        points = [point for point in job.trace if self._name in point.values]
        steps = np.array([point.index for point in points], float)
        values = np.array([point.values[self._name] for point in points], float)
        share = attack.reading_units.get(self._name) == "share"
        return steps, [Line(self._name, values, ADVERSARIAL)], Axes("step", self._name, percent=share), ""
