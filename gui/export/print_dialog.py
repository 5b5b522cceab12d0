"""PrintDialog: chooses the size and the paper of the stickers on the canvas, shows the sheets, and writes them as PDF."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import shiboken6
from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QSpinBox, QVBoxLayout, QWidget

from gui import theme
from gui.export.dialog_parts import choices_column, export_button
from gui.export.figure_preview import FigurePreview
from gui.export.preview_dialog import PreviewDialog
from gui.export.print_choices import PrintChoices
from gui.export.print_source import PrintSource, SheetPicture, preview, write_sheets
from gui.widgets.asked_file import ask_file

if TYPE_CHECKING:
    from gui.session.session import Session
    from gui.settings import Settings

_TIP = "Choose a file and write the sheets as PDF, with a JSON file beside it that says how to make them again"


class PrintDialog(PreviewDialog):
    """The dialog with the choices at the left and the sheet at the right. It keeps the stickers that were there when it opened."""

    def __init__(self, session: Session, settings: Settings, source: PrintSource, parent: QWidget | None = None) -> None:
        super().__init__(session, settings, "Print stickers", parent)
        self.source = source
        self.choices = PrintChoices(source, settings)
        self.preview = FigurePreview("Stickers at their true size")
        self.sheet = QSpinBox()
        self.sheet.setRange(1, 1)
        self.sheet.setPrefix("Sheet ")
        self.sheet.setAccessibleName("Sheet")
        self.sheet.setToolTip("Which of the sheets is shown")
        self.sheet.setEnabled(False)
        self.export_button = export_button(_TIP, self._choose_file)
        close = QPushButton("Close")
        close.clicked.connect(self.reject)
        right = QVBoxLayout()
        right.addWidget(self.preview, 1)
        right.addWidget(self.sheet, 0, Qt.AlignmentFlag.AlignLeft)
        row = QHBoxLayout(self)
        row.setContentsMargins(*[2 * theme.GRID] * 4)
        row.setSpacing(2 * theme.GRID)
        row.addLayout(choices_column(self.choices, close, self.export_button))
        row.addLayout(right, 1)
        self.choices.changed.connect(self._refresh)
        self.preview.changed.connect(self._refresh)
        self.sheet.valueChanged.connect(self._refresh)
        self.resize(960, 720)

    @Slot()
    def _refresh(self) -> None:
        source, wish, number = self.source, self.choices.wish, self.sheet.value()
        dpi, room = self.preview.actual_dpi, self.preview.room

        def draw() -> SheetPicture:
            return preview(source, wish, number, room.width(), room.height(), dpi)

        self._session.ask("print", draw, self._show, what="Drawing the sheet", failed=self._show_error, quiet=True)

    def _show(self, shown: SheetPicture) -> None:
        if not shiboken6.isValid(self):
            return
        self.sheet.blockSignals(True)
        self.sheet.setRange(1, shown.count)
        self.sheet.setSuffix(f" of {shown.count}")
        self.sheet.setEnabled(shown.count > 1)
        self.sheet.blockSignals(False)
        self.preview.show_picture(shown.picture)
        said = " ".join(filter(None, (*shown.sentences, shown.picture.boxes)))
        self.preview.remark.setText(said)
        self.preview.remark.setVisible(bool(said))
        self.export_button.setEnabled(True)
        self.export_button.setToolTip(_TIP)

    def _show_error(self, sentence: str) -> None:
        """Show why these sizes cannot be printed, in place of the sheet."""
        if shiboken6.isValid(self):
            self.preview.show_sentence(sentence)
            self.export_button.setEnabled(False)
            self.export_button.setToolTip(sentence)

    @Slot()
    def _choose_file(self) -> None:
        path = ask_file(self, "Print stickers", self._settings.folder("figures") / f"{self.source.stem}.pdf", "PDF (*.pdf)")
        if path is not None:
            self.export_to(path)

    def export_to(self, path: Path) -> None:
        """Write the sheets to a file; the messages and the status bar name it."""
        self.choices.keep()
        source, wish = self.source, self.choices.wish
        self._write(path, lambda: write_sheets(source, wish, path), f"The stickers are in {path}. Print them at 100 %.")
