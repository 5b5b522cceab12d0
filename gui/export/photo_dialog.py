"""PhotoDialog: sets the corners of a print in a photograph, and shows what the model says of it beside the digital image."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import shiboken6
from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QPushButton, QSplitter, QVBoxLayout, QWidget

from gui import theme
from gui.export.dialog_parts import export_button
from gui.export.figure_choices import FORMATS
from gui.export.figure_preview import FigurePreview
from gui.export.figure_source import Picture
from gui.export.photo_source import PhotoSource, PhotoWish, reading_picture, write_reading
from gui.export.photo_view import PhotoView
from gui.export.preview_dialog import PreviewDialog
from gui.widgets.asked_file import ask_file

if TYPE_CHECKING:
    from gui.session.session import Session
    from gui.settings import Settings

_TIP = "Choose a file and write the figure, with a JSON file beside it that holds all numbers"
_HINT = "Drag the four corners of the frame to those of the image in the photograph, upper left first, clockwise."


class PhotoDialog(PreviewDialog):
    """The dialog with the photograph at the left and the figure of the reading at the right."""

    def __init__(self, session: Session, settings: Settings, source: PhotoSource, parent: QWidget | None = None) -> None:
        super().__init__(session, settings, "Photograph of a print", parent)
        self.source = source
        self.view = PhotoView(source.photograph.pixels)
        self.preview = FigurePreview(f"{source.photograph.name}, as “{source.classifier.name}” sees it")
        self.chart = QCheckBox("The colour chart is in the photograph")
        self.chart.setToolTip("Set the outer corners of its black frame, too: the colour shift is measured on it, and taken away")
        self.compared = QCheckBox("Compare with the digital image")
        self.compared.setToolTip("Show the image of the run beside it, and refuse a photograph of something else")
        self.compared.setChecked(True)
        row = QHBoxLayout(self)
        row.setContentsMargins(*[2 * theme.GRID] * 4)
        parts = QSplitter(Qt.Orientation.Horizontal)
        parts.addWidget(self._left())
        parts.addWidget(self._right())
        parts.setSizes([560, 540])
        row.addWidget(parts)
        self.chart.toggled.connect(self.view.show_chart)
        self.compared.toggled.connect(self._refresh)
        self.view.changed.connect(self._refresh)
        self.preview.changed.connect(self._refresh)
        self.resize(1100, 720)

    def _left(self) -> QWidget:
        left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        hint = QLabel(_HINT)
        hint.setWordWrap(True)
        column.addWidget(hint)
        column.addWidget(self.view, 1)
        column.addWidget(self.chart)
        column.addWidget(self.compared)
        return left

    def _right(self) -> QWidget:
        self.export_button = export_button(_TIP, self._choose_file)
        self.export_button.setEnabled(False)
        close = QPushButton("Close")
        close.clicked.connect(self.reject)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        buttons.addWidget(close)
        buttons.addWidget(self.export_button)
        right = QWidget()
        column = QVBoxLayout(right)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.preview, 1)
        column.addLayout(buttons)
        return right

    @property
    def wish(self) -> PhotoWish:
        """The corners and choices that the dialog shows."""
        chart = self.view.corners(1) if self.view.with_chart else None
        return PhotoWish(self.view.corners(0), chart, self.compared.isChecked())

    @Slot()
    def _refresh(self) -> None:
        source, wish, dpi, room = self.source, self.wish, self.preview.actual_dpi, self.preview.room

        def draw() -> tuple[Picture, tuple[str, ...]]:
            return reading_picture(source, wish, room.width(), room.height(), dpi)

        self._session.ask("photo", draw, self._show, what="Reading the photograph", failed=self._show_error, quiet=True)

    def _show(self, shown: tuple[Picture, tuple[str, ...]]) -> None:
        if not shiboken6.isValid(self):
            return
        picture, sentences = shown
        self.preview.show_picture(picture)
        self.preview.remark.setText(" ".join(sentences))
        self.preview.remark.show()
        self.export_button.setEnabled(True)
        self.export_button.setToolTip(_TIP)

    def _show_error(self, sentence: str) -> None:
        """Show why the photograph cannot be read between these corners."""
        if shiboken6.isValid(self):
            self.preview.show_sentence(sentence)
            self.export_button.setEnabled(False)
            self.export_button.setToolTip(sentence)

    @Slot()
    def _choose_file(self) -> None:
        start = self._settings.folder("figures") / f"{self.source.stem}.pdf"
        path = ask_file(self, "Export figure", start, "PDF (*.pdf);;SVG (*.svg);;PNG (*.png)", *FORMATS.values())
        if path is not None:
            self.export_to(path)

    def export_to(self, path: Path) -> None:
        """Write the figure to a file; the messages and the status bar name it."""
        source, wish = self.source, self.wish
        self._write(path, lambda: write_reading(source, wish, path), f"The figure is in {path}")
