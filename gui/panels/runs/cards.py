"""RunCards: a card for each finished run, with its picture, verdict, main parameters, and norms with what they are measured from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QAbstractListModel, QItemSelectionModel, QModelIndex, QPersistentModelIndex, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontMetrics, QImage, QKeyEvent, QPainter, QPixmap, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from gui.session.run_facts import SIGNS, RunFacts
from gui.theme import GRID, line_colour, muted_colour, number_font

Index = QModelIndex | QPersistentModelIndex
_LEAST = 40 * GRID
"""The width below which a second column of cards does not begin."""
_PAD = 6


def nearest(pixels: Any, side: int, ratio: float = 1.0) -> QPixmap:
    """Return an image ``(H, W, 3)`` uint8 in a square of ``side`` pixels, with every pixel as it is: none is blended with another."""
    height, width, _ = pixels.shape
    image = QImage(pixels.data, width, height, 3 * width, QImage.Format.Format_RGB888)
    edge = round(side * ratio)
    scaled = image.scaled(edge, edge, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.FastTransformation)
    made = QPixmap.fromImage(scaled)
    made.setDevicePixelRatio(ratio)
    return made


class CardModel(QAbstractListModel):
    """The runs, the newest first."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.runs: tuple[RunFacts, ...] = ()
        self.shown: int | None = None
        """The number of the run on the canvas."""
        self._pictures: dict[tuple[int, int, float], QPixmap] = {}

    def set_runs(self, runs: Sequence[RunFacts], shown: int | None) -> None:
        self.beginResetModel()
        self.runs, self.shown = tuple(runs), shown
        known = {run.number for run in runs}
        self._pictures = {key: picture for key, picture in self._pictures.items() if key[0] in known}
        self.endResetModel()

    def picture(self, row: int, side: int, ratio: float) -> QPixmap | None:
        """Return the run's picture; None for a run without one."""
        run = self.runs[row]
        if run.picture is None:
            return None
        key = run.number, side, ratio
        if key not in self._pictures:
            self._pictures[key] = nearest(run.picture, side, ratio)
        return self._pictures[key]

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self.runs)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        run = self.runs[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return run.title
        if role == Qt.ItemDataRole.AccessibleTextRole:
            here = ", on the canvas" if run.number == self.shown else ""
            words = (run.outcome, SIGNS[run.sign][1], run.remark, *run.warnings, run.budget, run.size, run.device)
            return f"{run.title}{here}: {', '.join(filter(None, words))}"
        if role == Qt.ItemDataRole.ToolTipRole:
            return run.whole
        return None


class _Delegate(QStyledItemDelegate):
    """Paints a card: the picture, and three lines beside it."""

    def __init__(self, view: RunCards) -> None:
        super().__init__(view)
        self._view = view

    def sizeHint(self, _option: QStyleOptionViewItem, _index: Index) -> QSize:
        return QSize(self._view.card_width, self._view.card_height)

    def paint(self, painter: QPainter, option: Any, index: Index) -> None:
        model, rect = self._view.runs, option.rect.adjusted(0, 0, -1, -1)
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        if selected:
            painter.fillRect(rect, option.palette.highlight())
        painter.setPen(line_colour(option.palette))
        painter.drawLine(rect.bottomLeft(), rect.bottomRight())
        side = rect.height() - 2 * _PAD
        picture = model.picture(index.row(), side, self._view.devicePixelRatioF())
        if picture is not None:
            size = picture.deviceIndependentSize().toSize()
            corner = QPoint(rect.left() + _PAD + (side - size.width()) // 2, rect.top() + _PAD + (side - size.height()) // 2)
            painter.drawPixmap(corner, picture)
        left = rect.left() + _PAD + side + _PAD + 2
        text = option.palette.highlightedText().color() if selected else option.palette.text().color()
        quiet = text if selected else muted_colour(option.palette)
        self._paint_lines(painter, QRect(left, rect.top() + _PAD - 1, rect.right() - left - _PAD, side + 2), index.row(), text, quiet)

    def _paint_lines(self, painter: QPainter, rect: QRect, row: int, text: QColor, quiet: QColor) -> None:
        model = self._view.runs
        run, bold, plain, small = model.runs[row], *self._view.fonts
        first, second, third = run.lines
        here = "● " if run.number == model.shown else ""
        lines = ((tuple(f"{here}{form}" for form in first), run.time, bold, text), (second, "", plain, text), (third, "", small, quiet))
        top = rect.top()
        for forms, behind, font, colour in lines:
            metrics = QFontMetrics(font)
            painter.setFont(small)
            painter.setPen(quiet)
            behind, taken = _beside(forms, metrics, behind, QFontMetrics(small), rect.width())
            line = QRect(rect.left(), top, rect.width(), metrics.lineSpacing())
            painter.drawText(line, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, behind)
            painter.setFont(font)
            painter.setPen(colour)
            painter.drawText(line, Qt.AlignmentFlag.AlignVCenter, fitted(forms, metrics, rect.width() - taken))
            top += metrics.lineSpacing()


def _beside(forms: Sequence[str], metrics: QFontMetrics, behind: str, small: QFontMetrics, width: int) -> tuple[str, int]:
    """Return the time as it fits beside the longest form of a title that has room, and its width: whole, the seconds alone, or nothing."""
    seconds = behind.rpartition(" · ")[2]
    for form in forms:
        for text in filter(None, (behind, seconds)):
            taken = small.horizontalAdvance(text) + GRID
            if metrics.horizontalAdvance(form) + taken <= width:
                return text, taken
        if metrics.horizontalAdvance(form) <= width:
            break
    return "", 0


def fitted(forms: Sequence[str], metrics: QFontMetrics, width: int) -> str:
    """Return the longest form of a text that fits, else its shortest one with an ellipsis."""
    fitting = (form for form in forms if metrics.horizontalAdvance(form) <= width)
    return next(fitting, None) or metrics.elidedText(forms[-1], Qt.TextElideMode.ElideRight, width)


class RunCards(QListView):
    """The list of cards. A double click or Enter shows a run again, Delete removes it; several selected runs are compared."""

    showAsked = Signal()
    removeAsked = Signal()
    picked = Signal()
    """The selection has changed."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.runs = CardModel(self)
        self.setModel(self.runs)
        self.setItemDelegate(_Delegate(self))
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setFlow(QListView.Flow.LeftToRight)
        self.setWrapping(True)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setMovement(QListView.Movement.Static)
        self.setUniformItemSizes(True)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)  # so that cards keep their width
        self.setAccessibleName("Finished runs, the newest first")
        self.setToolTip("Enter shows a run again, Delete removes it. Ctrl and a click selects several, which are compared.")
        self.doubleClicked.connect(self.showAsked)
        self.selectionModel().selectionChanged.connect(self.picked)

    @property
    def fonts(self) -> tuple[QFont, QFont, QFont]:
        """The fonts of the three lines."""
        plain = number_font(self.font())
        bold, small = QFont(plain), QFont(plain)
        bold.setWeight(QFont.Weight.DemiBold)
        small.setPointSizeF(max(6.5, 0.88 * plain.pointSizeF()))
        return bold, plain, small

    @property
    def card_height(self) -> int:
        """The height of a card: three lines and a margin."""
        return sum(QFontMetrics(font).lineSpacing() for font in self.fonts) + 2 * _PAD

    @property
    def card_width(self) -> int:
        """The width of a card: the whole list, or an even share of a wide one."""
        room = max(1, self.viewport().width() - 1)
        return room // max(1, room // _LEAST)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.scheduleDelayedItemsLayout()

    @property
    def selected(self) -> list[RunFacts]:
        """The selected runs, the older first."""
        rows = sorted((index.row() for index in self.selectionModel().selectedIndexes()), reverse=True)
        return [self.runs.runs[row] for row in rows]

    def set_runs(self, runs: Sequence[RunFacts], shown: int | None) -> None:
        """Show runs. The selection is kept unless runs have finished since; then the newest of these is selected."""
        known = {run.number for run in self.runs.runs}
        fresh = {run.number for run in runs} - known
        self.select_runs({max(fresh)} if fresh else {run.number for run in self.selected}, runs, shown)

    def select_runs(self, wanted: set[int], runs: Sequence[RunFacts], shown: int | None) -> None:
        """Show runs, with those of the ``wanted`` numbers selected."""
        place = self.verticalScrollBar().value()
        self.runs.set_runs(runs, shown)
        for row, run in enumerate(self.runs.runs):
            if run.number in wanted:
                self.selectionModel().select(self.runs.index(row), QItemSelectionModel.SelectionFlag.Select)
                self.selectionModel().setCurrentIndex(self.runs.index(row), QItemSelectionModel.SelectionFlag.NoUpdate)
        self.verticalScrollBar().setValue(place)
        self.picked.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.showAsked.emit()
        elif event.key() == Qt.Key.Key_Delete:
            self.removeAsked.emit()
        else:
            super().keyPressEvent(event)
