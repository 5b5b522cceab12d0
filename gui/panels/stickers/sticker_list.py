"""StickerList: the stickers of the canvas, the topmost first, each with a thumbnail of its content."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, QPoint, QRect, QSize, Qt, Signal, Slot
from PySide6.QtGui import QColor, QIcon, QImage, QKeyEvent, QPainter, QPixmap
from PySide6.QtWidgets import QAbstractItemView, QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from engine.text.formatting import pixel_words
from gui.session.setting_words import size_words
from gui.theme import blend, icon, number_font

if TYPE_CHECKING:
    from engine.stickers import Content, Sticker

Index = QModelIndex | QPersistentModelIndex
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


class _Model(QAbstractListModel):
    """The stickers from the topmost down. Rows are changed in place during a drag."""

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
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return sticker.title
        if role == Qt.ItemDataRole.ToolTipRole:
            return f"{sticker.title}: {sticker.shape.title}, {sticker_text(sticker)}"
        return None


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
    """Paints a row: shape, thumbnail, title, and below it place and size."""

    def sizeHint(self, option: QStyleOptionViewItem, _index: Index) -> QSize:
        return QSize(160, max(_CHIP + 8, 2 * option.fontMetrics.height() + 8))

    def paint(self, painter: QPainter, option: Any, index: Index) -> None:
        model: Any = index.model()
        sticker, rect, palette = model.stickers[index.row()], option.rect, option.palette
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        if selected:
            painter.fillRect(rect, palette.highlight())
        text = palette.highlightedText().color() if selected else palette.text().color()
        middle = rect.top() + rect.height() // 2
        icon(_ICONS[sticker.shape.kind], text).paint(painter, QRect(rect.left() + 6, middle - 9, 18, 18))
        chip = QRect(rect.left() + 32, middle - _CHIP // 2, _CHIP, _CHIP)
        self._paint_chip(painter, chip, model.image(index.row()), (sticker.width, sticker.height), text)
        words = rect.adjusted(40 + _CHIP, 3, -6, -3)
        painter.setPen(text)
        painter.drawText(words, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop, sticker.title)
        painter.setPen(blend(text, palette.highlight().color() if selected else palette.base().color(), 0.3))
        line = option.fontMetrics.elidedText(sticker_text(sticker), Qt.TextElideMode.ElideRight, words.width())
        painter.drawText(words, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignBottom, line)

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
    """A list from which a click or the arrow keys select a sticker, and Delete removes it."""

    chosen = Signal(object)
    """A sticker was selected: its id."""
    deleteAsked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.stickers = _Model(self)
        self._following = False
        self.setModel(self.stickers)
        self.setItemDelegate(_Delegate(self))
        self.setFont(number_font(self.font()))
        self.setUniformItemSizes(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setAccessibleName("Stickers, the topmost first")
        self.setToolTip("The stickers, the topmost first. Delete removes the selected one.")
        self.selectionModel().currentChanged.connect(self._on_current)

    def set_stickers(self, stickers: Sequence[Sticker], selected: int | None) -> None:
        """Show stickers, and mark the selected one."""
        self._following = True
        self.stickers.set_stickers(stickers)
        row = next((i for i, sticker in enumerate(self.stickers.stickers) if sticker.id == selected), -1)
        if row != self.currentIndex().row():
            self.setCurrentIndex(self.stickers.index(row) if row >= 0 else QModelIndex())
            if row < 0:
                self.clearSelection()
        self._following = False

    @Slot(QModelIndex, QModelIndex)
    def _on_current(self, current: QModelIndex, _previous: QModelIndex) -> None:
        if current.isValid() and not self._following:
            self.chosen.emit(self.stickers.stickers[current.row()].id)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.deleteAsked.emit()
        else:
            super().keyPressEvent(event)
