"""Icons of one character, in a fixed colour or in that of a palette role, which they follow."""

from __future__ import annotations

import functools
import importlib.util
import json
from pathlib import Path

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontDatabase, QIcon, QIconEngine, QPainter, QPalette, QPixmap
from PySide6.QtWidgets import QApplication

_FONTS = {"mdi6": "materialdesignicons6-webfont", "fa6s": "fontawesome6-solid-webfont", "fa6": "fontawesome6-regular-webfont"}


@functools.cache
def _font(prefix: str) -> tuple[str, dict[str, str]]:
    """Return family and characters of one of qtawesome's fonts, without importing qtawesome, which would delay the first paint by 0.2 s."""
    spec = importlib.util.find_spec("qtawesome")
    folder = Path(str(spec and spec.origin)).parent / "fonts"
    (file,) = folder.glob(f"{_FONTS[prefix]}-[0-9]*.ttf")
    (names,) = folder.glob(f"{_FONTS[prefix].replace('webfont', 'webfont-charmap')}-[0-9]*.json")
    family = QFontDatabase.applicationFontFamilies(QFontDatabase.addApplicationFont(str(file)))[0]
    return family, json.loads(names.read_text())


def glyph(name: str, colour: QColor | str, side: int) -> QPixmap:
    """Return an icon such as ``mdi6.alert`` in a fixed colour as a picture of ``side`` pixels, for labels, which need no icon's engine."""
    prefix, _, character = name.partition(".")
    family, names = _font(prefix)
    pixmap = QPixmap(side, side)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    _draw(painter, pixmap.rect(), family, chr(int(names[character], 16)), QColor(colour))
    painter.end()
    return pixmap


def _draw(painter: QPainter, rect: QRect, family: str, character: str, colour: QColor) -> None:
    font = QFont(family)
    font.setPixelSize(max(1, round(rect.height() * 0.92)))
    painter.save()
    painter.setPen(colour)
    painter.setFont(font)
    painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, character)
    painter.restore()


class _Glyph(QIconEngine):
    """An icon of one character, painted in the present palette's colour, so that it follows light and dark."""

    def __init__(self, name: str, colour: str | QPalette.ColorRole) -> None:
        super().__init__()
        self._name, self._colour = name, colour
        prefix, _, glyph = name.partition(".")
        self._family, names = _font(prefix)
        self._character = chr(int(names[glyph], 16))

    def clone(self) -> QIconEngine:
        return _Glyph(self._name, self._colour)

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, _state: QIcon.State) -> None:
        role, group = (
            QPalette.ColorRole.ButtonText,
            QPalette.ColorGroup.Disabled if mode == QIcon.Mode.Disabled else QPalette.ColorGroup.Active,
        )
        if mode == QIcon.Mode.Selected:  # in a selected row, whose background is the highlight
            colour = QApplication.palette().highlightedText().color()
        elif isinstance(self._colour, str) and mode != QIcon.Mode.Disabled:
            colour = QColor(self._colour)
        else:
            colour = QApplication.palette().color(group, role if isinstance(self._colour, str) else self._colour)
        _draw(painter, rect, self._family, self._character, colour)

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        pixmap = QPixmap(size)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        self.paint(painter, QRect(QPoint(0, 0), size), mode, state)
        painter.end()
        return pixmap


def icon(name: str, colour: QColor | str | QPalette.ColorRole = QPalette.ColorRole.ButtonText) -> QIcon:
    """Return an icon such as ``mdi6.play``, in the colour of a palette role, which it follows, or in a fixed colour."""
    return QIcon(_Glyph(name, colour if isinstance(colour, QPalette.ColorRole) else QColor(colour).name()))
