"""PreviewDialog: what every dialog shares that shows a picture of what it will write: when it is drawn, and how it is written."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import shiboken6
from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import QDialog, QWidget

if TYPE_CHECKING:
    from gui.session.session import Session
    from gui.settings import Settings


class PreviewDialog(QDialog):
    """A dialog that draws its picture when it is shown and resized, and is gone when it is closed."""

    def __init__(self, session: Session, settings: Settings, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session, self._settings = session, settings
        self.setWindowTitle(title)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)

    @abstractmethod
    @Slot()
    def _refresh(self) -> None:
        """Request the picture for the present choices and room."""

    @abstractmethod
    def _show_error(self, sentence: str) -> None:
        """Show why there is no picture or no file. The dialog may be closed by then."""

    def showEvent(self, event: QShowEvent) -> None:
        """Request the first picture, for the room that the dialog has got."""
        super().showEvent(event)
        self._refresh()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self.isVisible():
            self._refresh()

    def _write(self, path: Path, write: Callable[[], list[Path]], notice: str) -> None:
        """Write files in the lane and close the dialog; the messages name the files, and the status bar shows ``notice``."""
        self._settings.keep_folder("figures", path.parent)
        session, what = self._session, f"Exporting {path.name}"

        def then(files: list[Path]) -> None:
            session.log("info", f"Exported {', '.join(map(str, files))}")
            session.notice.emit(notice)
            if shiboken6.isValid(self):
                self.accept()

        session.ask("export", write, then, what=what, failed=self._show_error, busy=f"{what}…", keep=True)
