"""Scenes for the panels' tests: a small real classifier, images, an attack on them, and mouse drags."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image
from PySide6.QtCore import QEvent, QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QMouseEvent
from PySide6.QtWidgets import QApplication, QWidget

import engine
from engine.stickers import Colour, Sticker

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from gui.session.session import Session

LABELS = ("Stop", "Yield", "No entry", "Priority road", "Bumpy road", "A very long name of a class that no column is wide enough for")


def small(seed: int = 0, channels: int = 3) -> engine.Classifier:
    """Return a classifier of two convolutions and a dense layer: three sites, six classes, 16 x 16 pixels."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        nn = torch.nn
        module = nn.Sequential(
            *(nn.Conv2d(channels, 4, 3), nn.ReLU(), nn.Conv2d(4, 6, 3), nn.ReLU()),
            *(nn.Flatten(), nn.Linear(6 * 144, 10), nn.ReLU(), nn.Linear(10, len(LABELS))),
        )
        with torch.no_grad():
            module[-1].weight.mul_(6)
    return engine.Classifier(module, LABELS, (channels, 16, 16), name="small", device="cpu")


def noise(seed: int = 0, channels: int = 3) -> torch.Tensor:
    """Return a random image ``(C, H, W)``."""
    return torch.rand(channels, 16, 16, generator=torch.Generator().manual_seed(seed))


def show(qtbot: QtBot, panel: Any, width: int = 400, height: int = 500) -> Any:
    """Show a panel in a size, and return it."""
    qtbot.addWidget(panel)
    panel.resize(width, height)
    panel.show()
    qtbot.waitExposed(panel)
    return panel


@contextmanager
def newest_frame(qtbot: QtBot, session: Session) -> Iterator[None]:
    """Wait for the frame of what the block changes, or of what it opens later.

    The signal ``observed`` does not say whose frame it announces: one that was being made when the block began is shown, too. The frames
    requested before the block are therefore awaited first, and after it the newest request.
    """
    qtbot.waitUntil(lambda: not session.waiting("frame"))
    before = session.frame
    yield
    qtbot.waitUntil(lambda: session.frame not in (None, before) and not session.waiting("frame"))


def open_image(qtbot: QtBot, session: Session, classifier: engine.Classifier | None = None, label: int | None = None) -> None:
    """Give a session a classifier and an image, and wait for the frame."""
    made = classifier or small()
    with newest_frame(qtbot, session):
        session.set_classifier(made, noise(channels=made.input_shape[0]), {"name": "noise"}, label)


def put_sticker(qtbot: QtBot, session: Session, rgb: tuple[float, float, float] = (1.0, 1.0, 1.0)) -> None:
    """Add a sticker that is large enough to change the prediction, and wait for the frame."""
    with newest_frame(qtbot, session):
        session.commit_stickers((*session.stickers, Sticker(len(session.stickers) + 1, 2, 2, 12, 12, Colour(rgb))), "Add")


def attack(qtbot: QtBot, session: Session, made: Any, seed: int = 0) -> None:
    """Run an attack to its end, and wait for the frame of its result."""
    with qtbot.waitSignal(session.history.changed):
        session.runs.start(made, seed=seed)

    def followed() -> bool:
        frame = session.frame
        return (
            not session.runs.running
            and frame is not None
            and frame.scene.delta is session.delta
            and frame.scene.stickers is session.stickers
        )

    qtbot.waitUntil(followed)


def drag(widget: QWidget, points: Sequence[QPoint]) -> None:
    """Press at the first point, move along the others, release at the last."""
    left, none = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
    _mouse(widget, QEvent.Type.MouseButtonPress, points[0], left, left)
    for point in points[1:]:
        _mouse(widget, QEvent.Type.MouseMove, point, none, left)
        QApplication.processEvents()
    _mouse(widget, QEvent.Type.MouseButtonRelease, points[-1], left, none)


def _mouse(widget: QWidget, kind: QEvent.Type, at: QPoint, button: Qt.MouseButton, buttons: Qt.MouseButton) -> None:
    here, there = QPointF(at), QPointF(widget.mapToGlobal(at))
    QApplication.sendEvent(widget, QMouseEvent(kind, here, there, button, buttons, Qt.KeyboardModifier.NoModifier))


def drop(widget: QWidget, path: Path) -> None:
    """Drop a file on a widget, as a file manager does."""
    drop_files(widget, [path])


def drop_files(widget: QWidget, paths: Sequence[Path]) -> None:
    """Drop several files on a widget."""
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    copy, left, none = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    QApplication.sendEvent(widget, QDragEnterEvent(QPoint(4, 4), copy, mime, left, none))
    QApplication.sendEvent(widget, QDropEvent(QPointF(4, 4), copy, mime, left, none))


def grey(folder: Path, level: int = 51) -> Path:
    """Write a grey photograph of 40 x 40 pixels, and return its path."""
    path = folder / "grey.png"
    Image.fromarray(np.full((40, 40, 3), level, np.uint8)).save(path)
    return path


def grey_folder(folder: Path, count: int, side: int) -> Path:
    """Write a folder of grey images of different levels, and return its path."""
    for number in range(count):
        Image.fromarray(np.full((side, side, 3), 8 * number, np.uint8)).save(folder / f"{number:02d}.png")
    return folder
