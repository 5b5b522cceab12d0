"""CellImages: the images of the chosen cell, each with its verdict. A click opens one as a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QColor, QIcon, QPixmap
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QStackedLayout, QVBoxLayout, QWidget

from gui import theme
from gui.widgets.empty import EmptyState
from gui.widgets.text import Sentence
from gui.widgets.thumbnails import Thumbnail, Thumbnails

if TYPE_CHECKING:
    from engine.evaluate.tables import Cell

MOST = 160
"""Images that are shown at once."""
_SIDE, _EDGE, _BESIDE = 58, 3, 76
_NOTHING = "Click a cell of the table to see its images here."
FOOLED, RIGHT, MISREAD, OTHER, ERROR = "fooled", "right", "misread before", "not at its target", "attack error"
_COLOURS = {FOOLED: theme.ADVERSARIAL, RIGHT: theme.LABEL, MISREAD: "#7F7F7F", OTHER: theme.ALERT, ERROR: theme.MISTAKE}
_TIPS = {
    FOOLED: "It was right before the attack, and is wrong after it, or at its target.",
    RIGHT: "It is right before and after the attack.",
    MISREAD: "The model misreads the image without any attack: it counts against the clean accuracy, not for the attack.",
    OTHER: "It is wrong after the attack, but not at the target of the attack.",
    ERROR: "A model gave NaN for it: it is in no share.",
}


@dataclass(frozen=True, eq=False)
class CellContent:
    """The images of a cell with their verdicts, made in an engine thread."""

    cell: Cell
    verdicts: tuple[str, ...]
    """The verdict of every image."""
    thumbnails: tuple[Thumbnail, ...]
    """Those of the shown images; the value of each is its number in the cell."""


def content_of(cell: Cell, only: str = "") -> CellContent:
    """Return the images of a cell in small, those of one verdict or all, `MOST` of them."""
    verdicts = tuple(verdict_of(cell, index) for index in range(cell.images))
    wanted = [index for index, verdict in enumerate(verdicts) if only in ("", verdict)][:MOST]
    return CellContent(cell, verdicts, tuple(_thumbnail(cell, index, verdicts[index]) for index in wanted))


def verdict_of(cell: Cell, index: int) -> str:
    """Return the verdict of one image in a few words."""
    found = cell.verdicts
    assert found is not None
    if bool(found.failed[index]):
        return ERROR
    if not bool(found.right_before[index]):
        return MISREAD
    if bool(found.success[index]):
        return FOOLED
    return RIGHT if bool(found.robust[index]) else OTHER


def _thumbnail(cell: Cell, index: int, verdict: str) -> Thumbnail:
    from engine.evaluate.batch.rows import thumbnail
    from engine.text.formatting import short

    found, names = cell.verdicts, cell.class_names
    assert found is not None
    kept = cell.kept(index)
    image = cell.run(index).image if kept is None else kept
    before, after = names[int(found.before[index])], names[int(found.after[index])]
    label = names[int(found.labels[index])]
    l2, linf = (short(float(found.norms[index, place])) for place in (2, 3))
    lines = [f"{cell.name(index)}: {verdict}. {_TIPS[verdict]}", f"label {label}; before {before}, after {after}", f"L∞ {linf}, L2 {l2}"]
    if kept is None:
        lines.append("The picture is the image without the attack: there was no room for the attacked one, which opening it makes again.")
    lines.append("Click: open it in the Attack workspace as a run with its timeline")
    title = {RIGHT: f"right: {after}", MISREAD: f"misread: {before}", ERROR: ERROR}.get(verdict, f"{verdict}: {after}")
    return Thumbnail(framed(thumbnail(image), _COLOURS[verdict]), title, "\n".join(lines), index)


def _square(verdict: str) -> QIcon:
    """Return the colour of a verdict's frame as an icon; an empty one for all verdicts."""
    picture = QPixmap(12, 12)
    picture.fill(QColor(_COLOURS[verdict]) if verdict else Qt.GlobalColor.transparent)
    return QIcon(picture)


def framed(pixels: Any, colour: str) -> Any:
    """Return an image ``(h, w, 3)``, enlarged by whole factors, in a frame of one colour."""
    factor = max(1, _SIDE // max(pixels.shape[:2]))
    large = pixels.repeat(factor, 0).repeat(factor, 1)
    ink = QColor(colour)
    frame = np.empty((large.shape[0] + 2 * _EDGE, large.shape[1] + 2 * _EDGE, 3), np.uint8)
    frame[:] = (ink.red(), ink.green(), ink.blue())
    frame[_EDGE:-_EDGE, _EDGE:-_EDGE] = large
    return np.ascontiguousarray(frame)


class CellImages(QWidget):
    """A heading, a choice of verdicts, and the grid. A view without a session."""

    picked = Signal(object, int)
    """An image was picked: its cell, and its number there."""
    filtered = Signal(object, str)
    """The user wants the images of one verdict, or of all: the cell and the verdict."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.cell: Cell | None = None
        self.heading = Sentence(2, parent=self)
        self.verdicts = QComboBox(self)
        self.verdicts.setAccessibleName("Which images")
        self.verdicts.setToolTip("Show the images of one verdict alone")
        self.grid = Thumbnails(_SIDE + 2 * _EDGE, self, beside=_BESIDE, lines=3)
        self.grid.setAccessibleName("Images of the cell")
        self._pages = QStackedLayout(self)
        self._empty = EmptyState(_NOTHING, "mdi6.image-multiple-outline", self)
        body, top = QWidget(self), QHBoxLayout()
        top.addWidget(self.heading, 1)
        top.addWidget(self.verdicts, 0, Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 4, 0, 0)
        column.setSpacing(4)
        column.addLayout(top)
        column.addWidget(self.grid, 1)
        self._pages.addWidget(self._empty)
        self._pages.addWidget(body)
        self.verdicts.activated.connect(self._on_filter)
        self.grid.picked.connect(self._on_picked)

    def clear(self, sentence: str = _NOTHING) -> None:
        """Show no cell, and a sentence that says why."""
        self.cell = None
        self.grid.show_thumbnails(())
        self._empty.set_text(sentence)
        self._pages.setCurrentIndex(0)

    def show_content(self, content: CellContent, heading: str, only: str = "") -> None:
        """Show the images of a cell."""
        self.cell = content.cell
        self.heading.set_text(heading)
        self._fill_verdicts(content.verdicts, only, len(content.thumbnails))
        self.grid.show_thumbnails(content.thumbnails)
        self._pages.setCurrentIndex(1)

    def _fill_verdicts(self, verdicts: Sequence[str], only: str, shown: int) -> None:
        self.verdicts.clear()
        counts = {name: verdicts.count(name) for name in _COLOURS}
        for name, count in {"": len(verdicts), **counts}.items():
            if count or name == only:
                part = f", the first {MOST}" if count > MOST else ""
                self.verdicts.addItem(_square(name), f"{name or 'all'}: {count:,}{part}", name)
        self.verdicts.setCurrentIndex(max(0, self.verdicts.findData(only)))

    @Slot()
    def _on_filter(self) -> None:
        if self.cell is not None:
            self.filtered.emit(self.cell, self.verdicts.currentData())

    @Slot(object)
    def _on_picked(self, index: int) -> None:
        if self.cell is not None:
            self.picked.emit(self.cell, index)
