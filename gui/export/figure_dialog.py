"""FigureDialog: chooses a figure's panels, page and format, shows a preview, and exports or copies the figure."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import shiboken6
from PySide6.QtCore import Slot
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QMenu, QPushButton, QVBoxLayout, QWidget

from gui import theme
from gui.export.copying import copy_figure
from gui.export.dialog_parts import choices_column, export_button
from gui.export.figure_choices import FORMATS, FigureChoices
from gui.export.figure_preview import FigurePreview
from gui.export.figure_source import FigureSource, Picture, at_dpi, caption, fitted, script_of, source_of, write_figure
from gui.export.preview_dialog import PreviewDialog
from gui.widgets.asked_file import ask_file

if TYPE_CHECKING:
    from engine.figures import FigurePlan
    from gui.session.session import Session
    from gui.settings import Settings

NO_PANEL = "Choose at least one panel."
_EXPORT_TIP = "Choose a file and write the figure, with a JSON file beside it that says how to make it again"
_COPY_TIP = "Copy the figure as a picture, its caption, or a script that makes it again"
DPIS = (150, 300)


class FigureDialog(PreviewDialog):
    """The dialog with the choices at the left and a preview at the right. It keeps the run or canvas that was shown when it opened."""

    def __init__(self, session: Session, settings: Settings, parent: QWidget | None = None) -> None:
        super().__init__(session, settings, "Export figure", parent)
        self.source = source_of(session)
        frame = session.frame
        layers = [activity.site.name for activity in frame.observation.layers] if frame is not None else []
        self.choices = FigureChoices(self.source, layers, settings)
        self.preview = FigurePreview(self.source.title)
        self.checks, self.picture = self.choices.checks, self.preview.picture
        row = QHBoxLayout(self)
        row.setContentsMargins(*[2 * theme.GRID] * 4)
        row.setSpacing(2 * theme.GRID)
        row.addLayout(self._left())
        row.addWidget(self.preview, 1)
        self.choices.changed.connect(self._refresh)
        self.preview.changed.connect(self._refresh)
        self.resize(1000, 680)

    def _left(self) -> QVBoxLayout:
        self.export_button = export_button(_EXPORT_TIP, self._choose_file)
        self.copy_button = QPushButton("Copy")
        self.copy_button.setToolTip(_COPY_TIP)
        menu = QMenu(self.copy_button)
        for dpi in DPIS:
            menu.addAction(f"Picture, {dpi} dpi", partial(self.copy_picture, dpi))
        menu.addAction("Caption for LaTeX", self.copy_caption)
        menu.addAction("Script (Python)", self.copy_script)
        self.copy_button.setMenu(menu)
        close = QPushButton("Close")
        close.clicked.connect(self.reject)
        return choices_column(self.choices, close, self.copy_button, self.export_button)

    @property
    def plan(self) -> FigurePlan:
        """The plan that the controls show."""
        return self.choices.plan

    # ------------------------------------------------------------------ preview

    @Slot()
    def _refresh(self) -> None:
        plan = self.plan
        for button, tip in ((self.export_button, _EXPORT_TIP), (self.copy_button, _COPY_TIP)):
            button.setEnabled(bool(plan.panels))
            button.setToolTip(tip if plan.panels else NO_PANEL)
        if not plan.panels:
            self.preview.show_sentence(NO_PANEL)
            return
        source, dpi, room = self.source, self.preview.actual_dpi, self.preview.room

        def compose() -> Picture:
            return fitted(source, plan, room.width(), room.height()) if dpi is None else at_dpi(source, plan, dpi)

        self._session.ask("figure", compose, self._show, what="Composing the figure", failed=self._show_error, quiet=True)

    def _show_error(self, sentence: str) -> None:
        """Show an error's sentence in place of the preview."""
        if shiboken6.isValid(self):  # the dialog may be closed by now
            self.preview.show_sentence(sentence)

    def _show(self, picture: Picture) -> None:
        if shiboken6.isValid(self) and self.plan.panels:  # else it was closed meanwhile, or its last panel was taken off
            self.preview.show_picture(picture)

    # ------------------------------------------------------------------ clipboard

    def copy_picture(self, dpi: int) -> None:
        """Put the figure on the clipboard as a picture."""
        self.choices.keep()
        copy_figure(self._session, self.source, self.plan, dpi)

    def copy_caption(self) -> None:
        """Put the caption for LaTeX on the clipboard."""
        self._copy_text(caption, "caption")

    def copy_script(self) -> None:
        """Put a script that makes the figure again on the clipboard."""
        self._copy_text(script_of, "script")

    def _copy_text(self, make: Callable[[FigureSource, FigurePlan], str], name: str) -> None:
        source, plan, session = self.source, self.plan, self._session

        def then(text: str) -> None:
            QGuiApplication.clipboard().setText(text)
            session.notice.emit(f"The {name} is on the clipboard.")

        session.ask("figure-copy", lambda: make(source, plan), then, what=f"Writing the {name}", keep=True)

    # ------------------------------------------------------------------ export

    @Slot()
    def _choose_file(self) -> None:
        suffix = self.choices.suffix
        start = self._settings.folder("figures") / f"{'figure' if self.plan.anonymous else self.source.stem}{suffix}"
        path = ask_file(self, "Export figure", start, f"{self.choices.format.currentText()} (*{suffix})", *FORMATS.values())
        if path is not None:
            self.export_to(path)

    def export_to(self, path: Path) -> None:
        """Export the figure to a file; the messages and the status bar name it."""
        self.choices.keep()
        source, plan = self.source, self.plan
        self._write(path, lambda: write_figure(source, plan, path), f"The figure is in {path}")
