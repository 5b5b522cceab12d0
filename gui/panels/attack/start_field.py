"""StartField: the start image of attacks that take one; it is opened, dropped, or taken from the canvas."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, Qt, Signal, Slot
from PySide6.QtGui import QImage, QPixmap
from PySide6.QtWidgets import QFileDialog, QFrame, QGridLayout, QLabel, QToolButton, QWidget

from gui import theme
from gui.canvas.drops import FileDrop
from gui.session.open_image import file_filter
from gui.settings import Settings
from gui.widgets import ElidedLabel

if TYPE_CHECKING:
    from gui.session.start_image import StartImage

_SIDE = 40
_NONE = "none: drop a file here"


class StartField(QFrame):
    """A drop target for the start image, with its thumbnail."""

    pathChosen = Signal(str)
    """The user has opened or dropped an image file: its path."""
    canvasAsked = Signal()
    """The user wants the image on the canvas as the start image."""
    cleared = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
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
        self.canvas_button.clicked.connect(self.canvasAsked)
        self.clear_button.clicked.connect(self.cleared)
        self.set_canvas(False)
        self.show_image(None, ())

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

    # ------------------------------------------------------------------ from the user

    @Slot()
    def _on_open(self) -> None:
        settings = Settings()
        path, _ = QFileDialog.getOpenFileName(self, "Start image", str(settings.folder("images")), file_filter())
        if path:
            settings.keep_folder("images", Path(path).parent)
            self.pathChosen.emit(path)

    @Slot(object)
    def _on_dropped(self, paths: list[str]) -> None:
        self.pathChosen.emit(paths[0])

    # ------------------------------------------------------------------ to the screen

    def set_canvas(self, there: bool) -> None:
        """Set whether there is an image on the canvas that can be taken."""
        self.canvas_button.setEnabled(there)

    def show_image(self, start: StartImage | None, labels: Sequence[str]) -> None:
        """Show the start image with the model's prediction."""
        self.clear_button.setVisible(start is not None)
        if start is None:
            self.picture.setPixmap(theme.glyph("mdi6.image-plus-outline", theme.muted_colour(self.palette()), 24))
            self.words.setText(_NONE)
            return
        height, width = start.pixels.shape[:2]
        image = QImage(start.pixels.data, width, height, 3 * width, QImage.Format.Format_RGB888)
        mode = Qt.TransformationMode.FastTransformation if width < _SIDE else Qt.TransformationMode.SmoothTransformation
        self.picture.setPixmap(QPixmap.fromImage(image).scaled(_SIDE, _SIDE, Qt.AspectRatioMode.KeepAspectRatio, mode))
        guess = start.prediction
        self.words.setText(start.name if guess is None or guess >= len(labels) else f"{start.name}: {labels[guess]}")


def _small(text: str, parent: QWidget) -> QToolButton:
    button = QToolButton(parent)
    button.setText(text)
    return button
