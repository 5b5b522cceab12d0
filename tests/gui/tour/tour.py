"""Tour: one window on its way through the stages, and the pictures that are taken of it."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PySide6.QtCore import QPoint
    from PySide6.QtGui import QPixmap
    from PySide6.QtWidgets import QWidget

    from gui.app import Workbench

PARTS = (
    "workspaces",
    "spine",
    "canvas",
    "drawing",
    "physical",
    "timeline",
    "story",
    "docks",
    "runs",
    "preprocessing",
    "defend",
    "tables",
    "matrix",
    "trust",
    "ending",
    "attacks",
    "studies",
)
"""The parts after the start, in order. Each is a module of this folder whose ``STAGES`` are functions that take the tour."""

Stage = Callable[["Tour"], None]


class Tour:
    """The window and the folder of the pictures. Each stage checks what it shows before it takes its picture."""

    def __init__(self, bench: Workbench, out: Path) -> None:
        self.bench, self.out = bench, out
        self.window, self.session = bench.window, bench.session
        self.error_expected = False
        """Whether the present stage shows what the window says of an error."""
        self._count = 0

    def picture(self, name: str, dialog: QWidget | None = None, *, moving: bool = False, at: QPoint | None = None) -> None:
        """Save the window as a picture, with a dialog or list on top of it. Unless ``moving``, wait until all updates are done."""
        from PySide6.QtGui import QColor, QPainter

        from tests.gui.driving import settle, until

        if not moving:
            prediction = self.window.panels["prediction"]
            if prediction.isVisible():
                until(lambda: all(tile.value != "…" for tile in prediction.view.figures.figures), "the similarity")
            settle()
        shot = self.window.grab()
        if dialog is not None:
            with QPainter(shot) as painter:
                over = dialog.grab()
                if at is not None:
                    painter.drawPixmap(at, over)
                else:
                    painter.fillRect(shot.rect(), QColor(0, 0, 0, 110))
                    painter.drawPixmap((shot.width() - over.width()) // 2, (shot.height() - over.height()) // 2, over)
        self._save(shot, name)

    def dock(self, name: str) -> None:
        """Bring a dock to the front, and save the window as a picture."""
        from tests.gui.driving import settle

        self.window.bring_up(name)
        settle()
        self.picture(f"dock-{name}")

    def next_path(self, name: str) -> Path:
        """Return the numbered path of the next picture."""
        self._count += 1
        return self.out / f"{self._count:02d}-{name}.png"

    def _save(self, shot: QPixmap, name: str) -> None:
        path = self.next_path(name)
        assert shot.save(str(path)), path
        print(path, flush=True)


def stages(part: str) -> tuple[Stage, ...]:
    """Return the stages of a part, whose module is imported by this: only the start may be imported before torch is."""
    found: tuple[Stage, ...] = importlib.import_module(f"tests.gui.tour.{part}").STAGES
    return found
