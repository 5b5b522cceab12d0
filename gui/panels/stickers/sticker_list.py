"""StickerList: the stickers of the canvas, the topmost first, each with a thumbnail of its content."""

from __future__ import annotations

from collections.abc import Sequence, Set
from math import ceil
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from PySide6.QtCore import (
    QAbstractListModel,
    QEvent,
    QItemSelection,
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QSize,
    Qt,
    Signal,
    Slot,
)
from PySide6.QtGui import QColor, QHelpEvent, QIcon, QImage, QKeyEvent, QMouseEvent, QPainter, QPixmap
from PySide6.QtWidgets import QAbstractItemView, QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QToolTip, QWidget

from engine.text.formatting import pixel_words
from gui.session.setting_words import size_words
from gui.theme import blend, icon, number_font, readable_on

if TYPE_CHECKING:
    from engine.stickers import Content, Sticker

Index = QModelIndex | QPersistentModelIndex
Switch = Literal["visible", "locked"]
Kind = Literal["colour", "image", "optimised", "shadow"]
_ICONS = {
    "rectangle": "mdi6.rectangle-outline",
    "ellipse": "mdi6.ellipse-outline",
    "polygon": "mdi6.vector-polygon",
    "brush": "mdi6.brush-outline",
}
_WORDS = {"colour": "one colour", "image": "image", "optimised": "optimised", "shadow": "shadow"}
_UNTOUCHED = "to be optimised"
"""The word for a content that an attack is to paint, but has not painted yet."""
_CHIP = 28
_SWITCH = 20
"""The width of the places of eye and padlock at a row's end."""
_SWITCHES: tuple[tuple[Switch, str, str, str], ...] = (
    ("visible", "mdi6.eye-outline", "mdi6.eye-off-outline", "Hide or show: a hidden sticker is neither painted nor attacked"),
    ("locked", "mdi6.lock", "mdi6.lock-open-variant-outline", "Lock or unlock: a locked sticker is not taken by the mouse"),
)
"""Each switch with its pictures when it is on and off, and its tool tip; from the row's end to the left."""


def content_kind(content: Content) -> Kind:
    """Return the kind of a content, without importing the engine."""
    marks: dict[str, Kind] = {"rgb": "colour", "name": "image", "kappa": "shadow"}
    return next((kind for mark, kind in marks.items() if hasattr(content, mark)), "optimised")


def chip_icon(rgb: Sequence[float]) -> QIcon:
    """Return an icon of one colour."""
    pixmap = QPixmap(16, 16)
    pixmap.fill(QColor.fromRgbF(*rgb))
    return QIcon(pixmap)


def content_image(content: Any) -> QImage:
    """Return a content as an image; empty for a shadow, and for a content that no attack has painted yet."""
    if content_kind(content) == "colour":
        image = QImage(1, 1, QImage.Format.Format_RGB888)
        image.fill(QColor.fromRgbF(*content.rgb))
        return image
    if getattr(content, "image", None) is None:
        return QImage()
    values = content.image.numpy()
    values = values[:, :: max(1, values.shape[1] // 64), :: max(1, values.shape[2] // 64)]
    values = values if len(values) == 3 else np.repeat(values[:1], 3, 0)
    from engine.images import array_levels

    pixels = np.ascontiguousarray(array_levels(values.transpose(1, 2, 0)))
    return QImage(pixels.data, pixels.shape[1], pixels.shape[0], 3 * pixels.shape[1], QImage.Format.Format_RGB888).copy()


def switch_place(row: QRect, number: int) -> QRect:
    """Return the place of an eye (0) or padlock (1) in the rectangle of a row."""
    return QRect(row.right() - 4 - (number + 1) * _SWITCH, row.top(), _SWITCH, row.height())


class _Model(QAbstractListModel):
    """The stickers from the topmost down. Rows are changed in place during a drag."""

    renamed = Signal(int, str)
    """A name was typed: the sticker's id, and the name."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.stickers: tuple[Sticker, ...] = ()
        self._images: dict[int, tuple[Any, QImage]] = {}

    def set_stickers(self, stickers: Sequence[Sticker]) -> None:
        top_first = tuple(reversed(stickers))
        if [s.id for s in top_first] != [s.id for s in self.stickers]:
            self.beginResetModel()
            self.stickers = top_first
            self._images = {}
            self.endResetModel()
            return
        changed = [row for row, (old, new) in enumerate(zip(self.stickers, top_first, strict=True)) if old is not new]
        self.stickers = top_first
        for row in changed:
            self.dataChanged.emit(self.index(row), self.index(row))

    def image(self, row: int) -> QImage:
        sticker = self.stickers[row]
        kept = self._images.get(sticker.id)
        if kept is None or kept[0] is not sticker.content:
            kept = self._images[sticker.id] = (sticker.content, content_image(sticker.content))
        return kept[1]

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self.stickers)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        sticker = self.stickers[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return sticker.title
        if role == Qt.ItemDataRole.EditRole:
            return sticker.name
        words = ", ".join(filter(None, ("" if sticker.visible else "hidden", "locked" if sticker.locked else "")))
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{sticker.title} ({words})" if words else sticker.title
        if role == Qt.ItemDataRole.ToolTipRole:
            return f"{sticker.title}: {sticker.shape.title}, {sticker_text(sticker)}{f', {words}' if words else ''}"
        return None

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        """Announce a typed name; the owner of the stickers sets it."""
        sticker = self.stickers[index.row()]
        if role == Qt.ItemDataRole.EditRole and str(value).strip() != sticker.name:
            self.renamed.emit(sticker.id, str(value))
        return False

    def flags(self, index: Index) -> Qt.ItemFlag:
        return super().flags(index) | Qt.ItemFlag.ItemIsEditable


def sticker_text(sticker: Sticker) -> str:
    """Describe content, place and size of a sticker in words."""
    kind = content_kind(sticker.content)
    what = getattr(sticker.content, "name", "") if kind == "image" else _WORDS[kind]
    if kind == "optimised" and getattr(sticker.content, "image", None) is None:
        what = _UNTOUCHED
    x, y = (pixel_words(place) for place in (sticker.x, sticker.y))
    faint = "" if sticker.opacity == 1 else f", {100 * sticker.opacity:.0f} %"
    return f"{what} · {size_words(sticker)} at {x}, {y}{faint}"


class _Delegate(QStyledItemDelegate):
    """Paints a row: shape, thumbnail, title, below it place and size, and at the end padlock and eye."""

    def sizeHint(self, option: QStyleOptionViewItem, _index: Index) -> QSize:
        return QSize(160, max(_CHIP + 8, 2 * option.fontMetrics.height() + 8))

    def paint(self, painter: QPainter, option: Any, index: Index) -> None:
        model: Any = index.model()
        sticker, rect, palette = model.stickers[index.row()], option.rect, option.palette
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        if selected:
            painter.fillRect(rect, palette.highlight())
        text = palette_text = palette.highlightedText().color() if selected else palette.text().color()
        middle = rect.top() + rect.height() // 2
        ground = palette.highlight().color() if selected else palette.base().color()
        faint = readable_on(ground, blend(text, ground, 0.6), text, 3.0)
        for number, (name, on, off, _tip) in enumerate(_SWITCHES):
            place, value = switch_place(rect, number), getattr(sticker, name)
            picture = icon(on if value else off, faint if value == (name == "visible") else text)
            picture.paint(painter, QRect(place.left() + 2, middle - 8, 16, 16))
        if not sticker.visible:
            text = faint
        icon(_ICONS.get(sticker.shape.kind, "mdi6.shape-outline"), text).paint(painter, QRect(rect.left() + 6, middle - 9, 18, 18))
        chip = QRect(rect.left() + 32, middle - _CHIP // 2, _CHIP, _CHIP)
        self._paint_chip(painter, chip, model.image(index.row()), (ceil(sticker.width), ceil(sticker.height)), text)
        words = rect.adjusted(40 + _CHIP, 3, -8 - len(_SWITCHES) * _SWITCH, -3)
        painter.setPen(text)
        title = option.fontMetrics.elidedText(sticker.title, Qt.TextElideMode.ElideRight, words.width())
        painter.drawText(words, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop, title)
        painter.setPen(readable_on(ground, blend(text, ground, 0.3), palette_text, 4.5 if sticker.visible else 3.0))
        line = option.fontMetrics.elidedText(sticker_text(sticker), Qt.TextElideMode.ElideRight, words.width())
        painter.drawText(words, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignBottom, line)

    def updateEditorGeometry(self, editor: QWidget, option: QStyleOptionViewItem, _index: Index) -> None:
        """Put the line for the name over the words of the row."""
        rect: QRect = option.rect
        editor.setGeometry(rect.adjusted(36 + _CHIP, 2, -8 - len(_SWITCHES) * _SWITCH, -2))

    def _paint_chip(self, painter: QPainter, chip: QRect, image: QImage, size: tuple[int, int], text: QColor) -> None:
        """Paint the content in the sticker's own proportions, pixel by pixel."""
        box = chip
        if image.isNull():
            icon("mdi6.auto-fix", text).paint(painter, chip.adjusted(4, 4, -4, -4))
        else:
            shown = QSize(*size).scaled(chip.size(), Qt.AspectRatioMode.KeepAspectRatio).expandedTo(QSize(4, 4))
            box = QRect(QPoint(0, 0), shown)
            box.moveCenter(chip.center())
            painter.drawImage(box, image.scaled(shown, Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.FastTransformation))
        painter.setPen(text)
        painter.drawRect(box.adjusted(0, 0, -1, -1))


class StickerList(QListView):
    """A list from which clicks or the arrow keys select stickers, Delete removes them, and F2 renames one.

    A click on a row's eye or padlock switches it without selecting the row.
    """

    chosen = Signal(object, object)
    """Stickers were selected: the id of the current one, and those of the others."""
    deleteAsked = Signal()
    renamed = Signal(int, str)
    switched = Signal(int, str)
    """An eye (``visible``) or a padlock (``locked``) was clicked: the sticker's id, and which of the two."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.stickers = _Model(self)
        self._following = False
        self.setModel(self.stickers)
        self.setItemDelegate(_Delegate(self))
        self.setFont(number_font(self.font()))
        self.setUniformItemSizes(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        triggers = QAbstractItemView.EditTrigger
        self.setEditTriggers(triggers.EditKeyPressed | triggers.DoubleClicked)
        self.setMouseTracking(True)
        self.setAccessibleName("Stickers, the topmost first")
        self.setToolTip("The stickers, the topmost first. Delete removes the selected ones, F2 renames one.")
        self.selectionModel().selectionChanged.connect(self._on_selection)
        self.stickers.renamed.connect(self.renamed)

    def set_stickers(self, stickers: Sequence[Sticker], selected: int | None, also: Set[int] = frozenset()) -> None:
        """Show stickers, and mark the selected ones."""
        self._following = True
        self.stickers.set_stickers(stickers)
        flags, model = QItemSelectionModel.SelectionFlag, self.selectionModel()
        rows = {row for row, sticker in enumerate(self.stickers.stickers) if sticker.id == selected or sticker.id in also}
        if rows != {index.row() for index in model.selectedIndexes()}:
            chosen = QItemSelection()
            for row in rows:
                chosen.select(self.stickers.index(row), self.stickers.index(row))
            model.select(chosen, flags.ClearAndSelect)
        row = next((i for i, sticker in enumerate(self.stickers.stickers) if sticker.id == selected), -1)
        if row != self.currentIndex().row():
            model.setCurrentIndex(self.stickers.index(row) if row >= 0 else QModelIndex(), flags.NoUpdate)
        self._following = False

    @Slot()
    def _on_selection(self) -> None:
        if self._following:
            return
        ids = {self.stickers.stickers[index.row()].id for index in self.selectionModel().selectedIndexes()}
        current = self.currentIndex()
        here = self.stickers.stickers[current.row()].id if current.isValid() else None
        lead = here if here in ids else max(ids, default=None)
        self.chosen.emit(lead, frozenset(ids - {lead}))

    def _switch_at(self, at: QPoint) -> tuple[int, Switch, str] | None:
        """Return the sticker's id, the switch and its tool tip at a place of the viewport."""
        index = self.indexAt(at)
        if not index.isValid():
            return None
        row = self.visualRect(index)
        for number, (name, _on, _off, tip) in enumerate(_SWITCHES):
            if switch_place(row, number).contains(at):
                return self.stickers.stickers[index.row()].id, name, tip
        return None

    def mousePressEvent(self, event: QMouseEvent) -> None:
        found = self._switch_at(event.position().toPoint()) if event.button() == Qt.MouseButton.LeftButton else None
        if found is None:
            super().mousePressEvent(event)
        else:
            self.switched.emit(found[0], found[1])

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._switch_at(event.position().toPoint()) is None:
            super().mouseReleaseEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Rename, but not on a switch, where a quick second click switches back."""
        if self._switch_at(event.position().toPoint()) is None:
            super().mouseDoubleClickEvent(event)
        else:
            self.mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._switch_at(event.position().toPoint()) is None:
            super().mouseMoveEvent(event)

    def viewportEvent(self, event: QEvent) -> bool:
        """Show the tool tip of an eye or padlock, else that of the row."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            found = self._switch_at(event.pos())
            if found is not None:
                QToolTip.showText(event.globalPos(), f"{found[2]}.", self)
                return True
        return super().viewportEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.deleteAsked.emit()
        else:
            super().keyPressEvent(event)
