"""TableFiles: the files of a table: its specification, read and written, and the button that exports numbers and figure."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Slot
from PySide6.QtWidgets import QFileDialog, QWidget

from gui.panels.tables import work
from gui.session.written_files import write_files
from gui.settings import Settings
from gui.widgets.asked_file import ask_file_in
from gui.widgets.export_button import ExportButton
from gui.widgets.pictures import copy_text

if TYPE_CHECKING:
    from gui.panels.tables.builder import TableBuilder
    from gui.panels.tables.heat import HeatTable
    from gui.session.session import Session
    from gui.widgets import Message


class TableFiles(QObject):
    """Reads and writes what the builder holds and what the table shows; refusals stand in ``message``."""

    def __init__(self, session: Session, builder: TableBuilder, table: HeatTable, message: Message, parent: QWidget) -> None:
        super().__init__(parent)
        self._session, self._builder, self._table, self._message = session, builder, table, message
        self.button = ExportButton("Write the table as numbers or as a figure, also while it is being computed", parent)
        numbers = "A row for each cell, and a record with every image's verdict"
        self.button.offer("Numbers and record (CSV, JSON)…", self._choose_numbers, numbers)
        self.button.offer("Figure (PDF, SVG, PNG)…", self._choose_figure, "The heat map as a figure for a paper")
        self.button.files.addSeparator()
        self.button.offer("Copy as text (CSV)", self.copy, "The shares with their intervals, as they stand in the table")

    @Slot()
    def choose_spec(self) -> None:
        """Ask for a file with a specification, and show it."""
        settings = Settings()
        path, _ = QFileDialog.getOpenFileName(self.button, "Open a table", str(settings.folder("tables")), "Table (*.toml)")
        if path:
            settings.keep_folder("tables", Path(path).parent)
            self.open_spec(Path(path))

    def open_spec(self, path: Path) -> None:
        """Show a specification from a file."""
        from engine.errors import GibbonError
        from engine.evaluate.tables import read_spec

        try:
            self._builder.show_spec(read_spec(path))
        except GibbonError as error:
            self._message.say(str(error))

    @Slot()
    def choose_spec_file(self) -> None:
        """Ask for a file, and write the specification to it."""
        self._choose("Save the table's specification", ".toml", "Table (*.toml)", self.save_spec)

    def save_spec(self, path: Path) -> None:
        """Write the specification as it is set up now."""
        from engine.errors import GibbonError

        try:
            spec = self._builder.spec()
        except GibbonError as error:
            self._message.say(str(error))
            return
        self._write(lambda: work.write_spec(spec, path))

    @Slot()
    def _choose_numbers(self) -> None:
        self._choose("Save the table", ".csv", "CSV, with a record beside it (*.csv)", self.save_numbers)

    @Slot()
    def _choose_figure(self) -> None:
        self._choose("Save the figure", ".pdf", "Figure (*.pdf *.svg *.png)", self.save_figure, ".svg", ".png")

    def save_numbers(self, path: Path) -> None:
        """Write numbers and record."""
        sheet = self._table.sheet
        if sheet is not None:
            self._write(lambda: work.write_numbers(sheet, path))

    def save_figure(self, path: Path) -> None:
        """Write the figure."""
        sheet = self._table.sheet
        if sheet is not None:
            self._write(lambda: work.write_figure(sheet, path))

    @Slot()
    def copy(self) -> None:
        """Copy the table as CSV."""
        import csv
        import io

        if self._table.sheet is None:
            return
        made, stream = self._table.sheet.results.table(), io.StringIO()
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerows((made.columns, *made.rows))
        copy_text(stream.getvalue())

    def _choose(self, title: str, end: str, kinds: str, then: Callable[[Path], None], *others: str) -> None:
        stem = self._builder.title.text().strip().replace("/", "-") or "table"
        path = ask_file_in("tables", self.button, title, f"{stem}{end}", kinds, *others)
        if path is not None:
            then(path)

    def _write(self, write: Callable[[], list[Path]]) -> None:
        write_files(self._session, write, "Writing the table", self._message.say)
