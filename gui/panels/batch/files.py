"""BatchFiles: the buttons that write the table of a batch, and that copy a script which makes it again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QPushButton, QToolButton, QWidget

from gui import theme
from gui.panels.batch import work
from gui.session.written_files import write_files
from gui.widgets.asked_file import ask_file_in
from gui.widgets.pictures import copy_text

if TYPE_CHECKING:
    from gui.session.session import Session
    from gui.widgets import Message


class BatchFiles(QWidget):
    """Writes the rows that the session holds; refusals stand in ``message``."""

    def __init__(self, session: Session, message: Message, parent: QWidget) -> None:
        super().__init__(parent)
        self._session, self._message = session, message
        self.pictures = QCheckBox("with images", self)
        self.pictures.setToolTip("Write the adversarial images as PNG, too, into a folder of the table's name")
        self.copy_button = QToolButton(self)
        self.copy_button.setIcon(theme.icon("mdi6.language-python"))
        self.copy_button.setAccessibleName("Copy as Python")
        self.copy_button.setToolTip("Copy as Python: a script that attacks these images again and compares every bit")
        self.save_button = QPushButton(theme.icon("mdi6.file-delimited-outline"), "Save CSV…", self)
        self.save_button.setToolTip("Write the table as CSV, with numbers as numbers, and beside it a record (JSON) that repeats it")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        for button in (self.pictures, self.copy_button, self.save_button):
            row.addWidget(button)
        self.save_button.clicked.connect(self._choose_file)
        self.copy_button.clicked.connect(self.copy_python)

    def follow(self) -> None:
        """Let the buttons be pressed where there are rows."""
        results = self._session.batch.results
        for button in (self.save_button, self.copy_button):
            button.setEnabled(results is not None and bool(results.rows))

    @Slot()
    def _choose_file(self) -> None:
        path = ask_file_in("tables", self, "Save the table", "images.csv", "CSV (*.csv)")
        if path is not None:
            self.save(path)

    def save(self, path: Path) -> None:
        """Write the table, its record, and the images if that is wanted."""
        results, images = self._session.batch.results, self.pictures.isChecked()
        if results is not None:
            write_files(self._session, lambda: work.write(results, path, images), "Writing the table", self._message.say)

    @Slot()
    def copy_python(self) -> None:
        """Copy a script that makes the table again."""
        results, session = self._session.batch.results, self._session

        def then(text: str) -> None:
            copy_text(text)
            session.notice.emit("Copied a script that attacks these images again.")

        if results is not None:
            session.ask("export", lambda: work.as_python(results), then, what="Writing the script", failed=self._message.say)
