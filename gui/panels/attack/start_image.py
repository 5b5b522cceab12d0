"""Another image to begin at, for attacks that take one: opened, dropped, or taken from the canvas."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, Qt, Signal, Slot
from PySide6.QtGui import QImage, QPixmap
from PySide6.QtWidgets import QFileDialog, QFrame, QGridLayout, QLabel, QToolButton, QWidget

from gui import theme
from gui.canvas.drops import FileDrop
from gui.session.open_image import FILTER, cropped
from gui.session.scene import to_pixels
from gui.settings import Settings
from gui.widgets import ElidedLabel

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from torch import Tensor

    from engine import Classifier
    from engine.images import Photograph
    from gui.session.session import Session

_SIDE = 40
_NONE = "none: drop a file here"


@dataclass(frozen=True, eq=False)
class Begin:
    """An image to begin at, as a classifier takes it."""

    image: Tensor
    """``(C, H, W)`` on the CPU."""
    pixels: np.ndarray
    name: str
    prediction: int
    photograph: Photograph | None = None
    """To crop it anew for another model."""


def begin_at(image: Tensor, classifier: Classifier, name: str, photograph: Photograph | None = None) -> Begin:
    """Called in the engine thread."""
    return Begin(image, to_pixels(image), name, int(classifier.predict(image[None])[0]), photograph)


class StartImage(QFrame):
    """A place to drop a file on, with a small picture of what lies there."""

    changed = Signal()

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.begin: Begin | None = None
        self._numbers, self._newest = count(1), 0
        self.picture = QLabel(self)
        self.picture.setFixedSize(_SIDE, _SIDE)
        self.picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.picture.setAccessibleName("Start image")
        self.words = ElidedLabel(_NONE, self)
        self.open_button = _small("Open…", self)
        self.open_button.setToolTip("Open an image file to begin at; a file can be dropped here, too")
        self.canvas_button = _small("From canvas", self)
        self.canvas_button.setToolTip("Begin at the adversarial image that is on the canvas now, such as an earlier run's")
        self.clear_button = QToolButton(self)
        self.clear_button.setIcon(theme.icon("mdi6.close"))
        self.clear_button.setAutoRaise(True)
        self.clear_button.setToolTip("Begin without an image")
        self.clear_button.setAccessibleName("Clear the start image")
        self._lay_out()
        self.drop = FileDrop(self)
        self.drop.dropped.connect(self._on_dropped)
        self.open_button.clicked.connect(self._on_open)
        self.canvas_button.clicked.connect(self.take_canvas)
        self.clear_button.clicked.connect(self.clear)
        session.classifierChanged.connect(self._on_classifier)
        session.observed.connect(self._refresh)
        self._refresh()

    def _lay_out(self) -> None:
        self.setObjectName("startImage")
        grid = QGridLayout(self)
        grid.setContentsMargins(4, 4, 4, 4)
        grid.setHorizontalSpacing(6)
        grid.setVerticalSpacing(2)
        grid.addWidget(self.picture, 0, 0, 2, 1)
        grid.addWidget(self.words, 0, 1, 1, 2)
        grid.addWidget(self.clear_button, 0, 3)
        grid.addWidget(self.open_button, 1, 1)
        grid.addWidget(self.canvas_button, 1, 2, 1, 2, Qt.AlignmentFlag.AlignLeft)
        grid.setColumnStretch(2, 1)
        self._paint_border()

    def _paint_border(self) -> None:
        line = theme.line_colour(self.palette()).name()
        self.setStyleSheet(f"#startImage {{ border: 1px dashed {line}; border-radius: 3px; }}")

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "picture"):
            self._paint_border()

    # ------------------------------------------------------------------ choosing

    def open_path(self, path: Path) -> None:
        """Begin at an image file; what is amiss is said in the Log, and what was there stays."""
        from engine.images import open_image

        if self._session.classifier is None:
            self._session.notice.emit("Load a model first: the image is opened at its size.")
            return
        photograph = cache(lambda: open_image(path))
        self._ask(lambda classifier: begin_at(cropped(photograph(), classifier).clean, classifier, photograph().name, photograph()))

    @Slot()
    def take_canvas(self) -> None:
        """Begin at the adversarial image on the canvas."""
        session, frame = self._session, self._session.frame
        if frame is None:
            return
        entry = session.history.shown
        name = entry.title if entry is not None else "canvas"
        self._ask(lambda classifier: begin_at(frame.observation.adversarial_image, classifier, name))

    @Slot()
    def clear(self) -> None:
        """Begin without an image."""
        self._newest = next(self._numbers)
        self._put(None)

    def _ask(self, make: Callable[[Classifier], Begin], number: int | None = None) -> None:
        """Take what ``make(classifier)`` gives; where the classifier was swapped meanwhile, make it again for the new one.

        ``number`` says how new the wish is: what was chosen or cleared after it stays.
        """
        classifier = self._session.classifier
        if classifier is None:
            return
        place = next(self._numbers) if number is None else number

        def then(begin: Begin) -> None:
            current = self._session.classifier
            if place < self._newest or current is None:
                return
            if current is classifier:
                self._newest = place
                self._put(begin)
            elif begin.photograph is not None or tuple(begin.image.shape) == current.input_shape:
                self._ask(make, place)

        self._session.ask("start image", lambda: make(classifier), then, what="Opening the start image", keep=True)

    def _put(self, begin: Begin | None) -> None:
        self.begin = begin
        self._refresh()
        self.changed.emit()

    @Slot()
    def _on_open(self) -> None:
        settings = Settings()
        path, _ = QFileDialog.getOpenFileName(self, "Start image", str(settings.folder("images")), FILTER)
        if path:
            settings.keep_folder("images", Path(path).parent)
            self.open_path(Path(path))

    @Slot(object)
    def _on_dropped(self, paths: list[str]) -> None:
        self.open_path(Path(paths[0]))

    @Slot()
    def _on_classifier(self) -> None:
        """The same image for the new model, where it can be had."""
        begin, classifier = self.begin, self._session.classifier
        if begin is None or classifier is None:
            return
        photograph = begin.photograph
        if photograph is not None:
            self._ask(lambda new: begin_at(cropped(photograph, new).clean, new, begin.name, photograph), self._newest)
        elif tuple(begin.image.shape) == classifier.input_shape:
            self._ask(lambda new: begin_at(begin.image, new, begin.name), self._newest)
            return
        if tuple(begin.image.shape) != classifier.input_shape:
            self._put(None)

    # ------------------------------------------------------------------ painting

    @Slot()
    def _refresh(self) -> None:
        begin, classifier = self.begin, self._session.classifier
        self.canvas_button.setEnabled(self._session.frame is not None)
        self.clear_button.setVisible(begin is not None)
        if begin is None or classifier is None:
            self.picture.setPixmap(theme.icon("mdi6.image-plus-outline").pixmap(24, 24))
            self.words.setText(_NONE)
            return
        height, width = begin.pixels.shape[:2]
        image = QImage(begin.pixels.data, width, height, 3 * width, QImage.Format.Format_RGB888)
        mode = Qt.TransformationMode.FastTransformation if width < _SIDE else Qt.TransformationMode.SmoothTransformation
        self.picture.setPixmap(QPixmap.fromImage(image).scaled(_SIDE, _SIDE, Qt.AspectRatioMode.KeepAspectRatio, mode))
        self.words.setText(f"{begin.name}: {classifier.labels[begin.prediction]}")


def _small(text: str, parent: QWidget) -> QToolButton:
    button = QToolButton(parent)
    button.setText(text)
    return button
