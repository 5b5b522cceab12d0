"""PlotMenu: the context menu of a plot, which copies or saves it as a picture and copies its numbers."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from PySide6.QtCore import QObject, QPoint, Qt, Slot
from PySide6.QtWidgets import QMenu, QWidget

from gui.theme import icon
from gui.widgets.pictures import ask_and_write, copy_picture, copy_text

Table = tuple[Sequence[str], Iterable[Sequence[Any]]]
"""The titles of the columns, and the rows."""


class PlotMenu(QObject):
    """Gives a plot its menu, on the right mouse button or the menu key."""

    def __init__(self, plot: QWidget, numbers: Callable[[], Table], name: str = "") -> None:
        """``numbers`` returns the table behind the plot; ``name`` is the name of its file, by default its accessible name."""
        super().__init__(plot)
        self._plot, self._numbers, self._name = plot, numbers, name
        plot.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        plot.customContextMenuRequested.connect(self.open)

    @Slot(QPoint)
    def open(self, at: QPoint) -> None:
        """Open the menu at a place of the plot."""
        menu = QMenu(self._plot)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction(icon("mdi6.content-copy"), "Copy picture", self.copy)
        menu.addAction(icon("mdi6.content-save-outline"), "Save picture as…", self.save)
        menu.addSeparator()
        menu.addAction(icon("mdi6.table"), "Copy numbers (CSV)", self.copy_numbers)
        menu.popup(self._plot.mapToGlobal(at))

    @Slot()
    def copy(self) -> None:
        """Copy the plot as it is on the screen."""
        copy_picture(self._plot.grab().toImage())

    @Slot()
    def save(self) -> None:
        """Save the plot as it is on the screen."""
        image = self._plot.grab().toImage()  # before a dialog covers it
        stem = re.sub(r"[^a-z0-9]+", "-", (self._name or self._plot.accessibleName() or "plot").lower()).strip("-")
        ask_and_write(image, stem, "Save picture", self._plot)

    @Slot()
    def copy_numbers(self) -> None:
        """Copy the numbers behind the plot, with all their digits."""
        copy_text(as_csv(*self._numbers()))


def as_csv(titles: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Return a table as CSV; None is an empty cell."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(titles)
    writer.writerows(rows)
    return text.getvalue()
