"""NewStickers: the content and the colour of new stickers."""

from __future__ import annotations

from PySide6.QtCore import Signal, Slot
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QColorDialog, QComboBox, QHBoxLayout, QLabel, QPushButton, QWidget

from gui.panels.stickers.editor import described
from gui.panels.stickers.sticker_list import chip_icon


class NewStickers(QWidget):
    """A view that shows and chooses the content of new stickers and, for one colour, that colour."""

    contentChosen = Signal(str)
    """Either ``optimised`` or ``colour``."""
    colourChosen = Signal(object)
    """Red, green and blue in [0, 1]."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.content, self.colour = QComboBox(), QPushButton()
        self._colour = (1.0, 1.0, 1.0)
        self.content.addItem("Optimised", "optimised")
        self.content.addItem("Colour", "colour")
        described(self.content, "Content of new stickers", "What a sticker is drawn with: content that Run paints, or one colour")
        self.content.activated.connect(self._on_content)
        described(self.colour, "Colour of new stickers", "Choose the colour that new stickers are drawn with")
        self.colour.clicked.connect(self._on_colour)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(QLabel("New stickers"))
        row.addWidget(self.content, 1)
        row.addWidget(self.colour)

    def show_choice(self, content: str, colour: tuple[float, float, float]) -> None:
        """Show the present choice; the colour's button is visible only if the content is one colour."""
        self._colour = colour
        self.content.setCurrentIndex(self.content.findData(content))
        self.colour.setVisible(content == "colour")
        self.colour.setIcon(chip_icon(colour))

    @Slot()
    def _on_content(self) -> None:
        self.contentChosen.emit(self.content.currentData())

    @Slot()
    def _on_colour(self) -> None:
        chosen = QColorDialog.getColor(QColor.fromRgbF(*self._colour), self, "Colour of new stickers")
        if chosen.isValid():
            self.colourChosen.emit((chosen.redF(), chosen.greenF(), chosen.blueF()))
