"""PrintChoices: the controls of a print sheet: the size in reality, the paper, and how the stickers are printed."""

from __future__ import annotations

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QCheckBox, QComboBox, QDoubleSpinBox, QFormLayout, QGroupBox, QVBoxLayout, QWidget

from gui.export.print_source import IMAGE, PIXEL, PrintSource, PrintWish
from gui.settings import Settings

PAPERS = {"A4": "a4", "A3": "a3", "Letter": "letter"}


class PrintChoices(QWidget):
    """Shows and changes a `PrintWish`. The size and the paper of the last sheet are kept in the settings."""

    changed = Signal()
    """Another wish was chosen: read ``wish``."""

    def __init__(self, source: PrintSource, settings: Settings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._settings = settings
        self.known, self.paper = QComboBox(), QComboBox()
        self.mm, self.margin, self.bleed = (QDoubleSpinBox() for _ in range(3))
        self.landscape = _flag("Landscape", "The paper lies on its long side")
        self.smooth = _flag("Smooth pixels", "Let neighbouring pixels run into each other. Off: each is a square of its colour")
        self.chart = _flag("Colour chart", "Print patches of known colours, by which the photograph of the print is measured")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._size_box(source))
        column.addWidget(self._paper_box())
        column.addStretch(1)
        self._restore()
        for box in (self.known, self.paper):
            box.currentIndexChanged.connect(self._tell)
        for number in (self.mm, self.margin, self.bleed):
            number.valueChanged.connect(self._tell)
        for check in (self.landscape, self.smooth, self.chart):
            check.toggled.connect(self._tell)

    def _size_box(self, source: PrintSource) -> QGroupBox:
        box = QGroupBox("Size in reality")
        form = QFormLayout(box)
        self.known.addItem("the image", IMAGE)
        self.known.addItem("one pixel", PIXEL)
        for sticker in source.stickers:
            self.known.addItem(sticker.title, str(sticker.id))
        self.known.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.known.setMinimumContentsLength(20)
        self.known.setAccessibleName("Known length")
        self.known.setToolTip("The length that is known in reality: the width of the image (of the sign, say), of a pixel, or of a sticker")
        form.addRow("Width of", self.known)
        _number(self.mm, (0.01, 100_000), "Width in reality", "How wide that is in reality")
        form.addRow("is", self.mm)
        return box

    def _paper_box(self) -> QGroupBox:
        box = QGroupBox("Paper")
        form = QFormLayout(box)
        for title, name in PAPERS.items():
            self.paper.addItem(title, name)
        self.paper.setAccessibleName("Paper")
        self.paper.setToolTip("The paper in the printer")
        form.addRow("Paper", self.paper)
        form.addRow(self.landscape)
        _number(self.margin, (0, 60), "Margin", "The edge of the paper that stays empty, since few printers print there")
        form.addRow("Margin", self.margin)
        _number(self.bleed, (0, 20), "Bleed", "How far the content continues beyond the cut line, so that a cut beside it shows no white")
        form.addRow("Bleed", self.bleed)
        form.addRow(self.smooth)
        form.addRow(self.chart)
        return box

    @property
    def wish(self) -> PrintWish:
        """The wish that the controls show."""
        return PrintWish(
            known=self.known.currentData(),
            mm=self.mm.value(),
            paper=self.paper.currentData(),
            landscape=self.landscape.isChecked(),
            margin=self.margin.value(),
            bleed=self.bleed.value(),
            smooth=self.smooth.isChecked(),
            chart=self.chart.isChecked(),
        )

    def keep(self) -> None:
        """Keep size and paper for the next sheet."""
        self._settings.keep_text("print/paper", self.paper.currentText())
        self._settings.keep_text("print/margin", repr(self.margin.value()))
        if self.known.currentData() == IMAGE:
            self._settings.keep_text("print/image-mm", repr(self.mm.value()))

    def _restore(self) -> None:
        usual = PrintWish()
        self.paper.setCurrentText(self._settings.text("print/paper", "A4"))
        self.margin.setValue(_kept(self._settings.text("print/margin"), usual.margin))
        self.mm.setValue(_kept(self._settings.text("print/image-mm"), usual.mm))
        self.chart.setChecked(usual.chart)

    @Slot()
    def _tell(self) -> None:
        self.changed.emit()


def _kept(text: str, usual: float) -> float:
    try:
        return float(text)
    except ValueError:
        return usual


def _number(box: QDoubleSpinBox, limits: tuple[float, float], name: str, tip: str) -> None:
    box.setRange(*limits)
    box.setDecimals(2)
    box.setSuffix(" mm")
    box.setAccessibleName(name)
    box.setToolTip(tip)
    box.setKeyboardTracking(False)


def _flag(title: str, tip: str) -> QCheckBox:
    check = QCheckBox(title)
    check.setToolTip(tip)
    return check
