"""GuideBar: a guided tour along the bottom of the window, and a frame around the part that the present step is about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QRect, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QPainter, QPaintEvent, QPalette, QResizeEvent
from PySide6.QtWidgets import QDockWidget, QHBoxLayout, QLabel, QMainWindow, QPushButton, QSizePolicy, QToolBar, QVBoxLayout, QWidget

from gui import theme
from gui.shell.guides.lectures import GUIDES
from gui.shell.guides.walk import Walk
from gui.widgets import ElidedLabel

if TYPE_CHECKING:
    from gui.session.session import Session

_PAUSE_MS = 900
"""Time for which a step that is done stays, so that one sees its mark."""


class GuideBar(QToolBar):
    """The text of the step, what is done, and the buttons Back, Skip or Next, and End."""

    def __init__(self, walk: Walk, window: QMainWindow) -> None:
        super().__init__("Guided tour", window)
        self.setObjectName("toolbar.guide")
        self.setMovable(False)
        self.toggleViewAction().setEnabled(False)
        self.walk, self._window = walk, window
        walk.setParent(self)
        self._frame = Spotlight(window)
        self._build()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_PAUSE_MS)
        self._timer.timeout.connect(walk.forward)
        walk.changed.connect(self._show)
        walk.ended.connect(self.end)

    def _build(self) -> None:
        self.title = ElidedLabel(parent=self)
        self.title.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        self.text = QLabel(self)
        self.text.setWordWrap(True)
        self.text.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        self.text.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)
        self.text.setAccessibleName("Step of the guided tour")
        self.back = QPushButton("Back", self)
        self.back.clicked.connect(self.walk.back)
        self.next = QPushButton(self)
        self.next.clicked.connect(self._on_next)
        self.finish = QPushButton("End", self)
        self.finish.setToolTip("End the guided tour; everything stays as it is")
        self.finish.clicked.connect(self.end)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(self.title)
        words.addWidget(self.text)
        self._content = _Content(self)
        self._content.resized.connect(self._fit)
        self._row = row = QHBoxLayout(self._content)
        row.setContentsMargins(theme.GRID, theme.GRID // 2, theme.GRID, theme.GRID // 2)
        row.setSpacing(theme.GRID)
        row.addLayout(words, 1)
        self._button_width = max(10 * theme.GRID, self.fontMetrics().horizontalAdvance("Finish") + 4 * theme.GRID)
        for button in (self.back, self.next, self.finish):
            button.setFixedWidth(self._button_width)  # the texts change
            row.addWidget(button, 0, Qt.AlignmentFlag.AlignVCenter)
        self.addWidget(self._content)

    @Slot()
    def _fit(self) -> None:
        """Make the bar as high as the longest text of the guide needs at this width: layouts of tool bars do not ask for that.

        So the height is the same at every step, and nothing above the bar moves.
        """
        width = self._content.width() - 2 * theme.GRID - 3 * (self._button_width + theme.GRID)
        metrics = self.text.fontMetrics()
        texts = (_marked(step.text) for step in self.walk.steps)
        longest = max(metrics.boundingRect(QRect(0, 0, width, 10_000), int(Qt.TextFlag.TextWordWrap), text).height() for text in texts)
        needed = self.title.sizeHint().height() + 2 + longest + 2 + theme.GRID
        self._content.setFixedHeight(max(needed, self.next.sizeHint().height() + theme.GRID))
        self._row.invalidate()  # this is called while the content is resized, after the row was laid out for the height before
        self._row.activate()

    @Slot()
    def end(self) -> None:
        """Remove the bar and the frame."""
        self._timer.stop()
        self._frame.hide()
        self._frame.deleteLater()
        self._window.removeToolBarBreak(self)
        self._window.removeToolBar(self)
        self.deleteLater()

    @Slot()
    def _on_next(self) -> None:
        self._timer.stop()
        self.walk.forward()

    @Slot()
    def _show(self) -> None:
        walk, step = self.walk, self.walk.step
        self.title.setText(f"{walk.guide.title} · step {walk.place + 1} of {len(walk.steps)}")
        self.text.setText(_marked(step.text) if walk.done else step.text)
        self.back.setEnabled(walk.place > 0)
        reads = step.done is None or walk.done
        self.next.setText("Finish" if walk.is_last else "Next" if reads else "Skip")
        self._frame.surround(step.at)
        if walk.done and not walk.is_last:
            self._timer.start()
        else:
            self._timer.stop()


class _Content(QWidget):
    """The row of texts and buttons, which tells when its width changes."""

    resized = Signal()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self.resized.emit()


def _marked(text: str) -> str:
    """Return the text of a step that is done."""
    return f"✓ {text}"


def show_guide(slug: str, session: Session, window: QMainWindow) -> GuideBar:
    """Show a guide along the bottom of the window, in place of one that is in progress."""
    for earlier in window.findChildren(GuideBar):
        earlier.end()
    guide = next(guide for guide in GUIDES if guide.slug == slug)
    bar = GuideBar(Walk(guide, session), window)
    window.addToolBar(Qt.ToolBarArea.BottomToolBarArea, bar)
    window.insertToolBarBreak(bar)  # the drawer's strip is there, too
    bar.walk.begin()
    return bar


class Spotlight(QWidget):
    """A frame around one part of the window. The mouse goes through it."""

    def __init__(self, window: QMainWindow) -> None:
        super().__init__(window)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._window = window
        self._around: QWidget | None = None
        self.hide()

    def surround(self, name: str) -> None:
        """Surround the dock, or the visible control, of that name; nothing if it is not visible."""
        if self._around is not None:
            self._around.removeEventFilter(self)
        self._around = find_part(self._window, name)
        if self._around is not None:
            self._around.installEventFilter(self)
        self._follow()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Follow the part when it is moved, resized, hidden or shown."""
        if event.type() in (QEvent.Type.Move, QEvent.Type.Resize, QEvent.Type.Show, QEvent.Type.Hide):
            QTimer.singleShot(0, self, self._follow)
        return super().eventFilter(watched, event)

    @Slot()
    def _follow(self) -> None:
        part = self._around
        if part is None or not part.isVisible() or part.window() is not self._window:
            self.hide()
            return
        place = QRect(part.mapTo(self._window, part.rect().topLeft()), part.size())
        self.setGeometry(place.adjusted(-2, -2, 2, 2).intersected(self._window.rect()))
        self.show()
        self.raise_()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setPen(theme.pen(self.palette().color(QPalette.ColorRole.Highlight), 2))
        painter.drawRect(self.rect().adjusted(1, 1, -1, -1))


def find_part(window: QMainWindow, name: str) -> QWidget | None:
    """Return the dock of that name, or the control of that accessible name; None if there is neither."""
    if not name:
        return None
    dock = window.findChild(QDockWidget, f"dock.{name}")
    if dock is not None:
        return dock
    return next((child for child in window.findChildren(QWidget) if child.accessibleName() == name), None)
