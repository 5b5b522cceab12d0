"""FileDrop: files that are dropped on a widget."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QMimeData, QObject, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QWidget

from gui.canvas.frame import HighlightFrame


class FileDrop(QObject):
    """Lets files be dropped on a widget, and frames the widget while they hover over it."""

    dropped = Signal(object)
    """The paths of the local files that were dropped."""

    def __init__(self, widget: QWidget) -> None:
        super().__init__(widget)
        self._frame = HighlightFrame(widget, thickness=3)
        widget.setAcceptDrops(True)
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        kind = event.type()
        if isinstance(event, QDropEvent) and kind == QEvent.Type.Drop:
            self._frame.hide()
            paths = files_in(event.mimeData())
            if paths:
                event.acceptProposedAction()
                self.dropped.emit(paths)
            return True
        if isinstance(event, QDragEnterEvent):
            if files_in(event.mimeData()):
                event.acceptProposedAction()
                self._frame.appear()
            return True
        if kind == QEvent.Type.DragLeave:
            self._frame.hide()
        return False


def files_in(mime: QMimeData) -> list[str]:
    """Return the local files in dragged content. The engine checks whether they are images when they are opened."""
    return [url.toLocalFile() for url in mime.urls() if url.isLocalFile()]
