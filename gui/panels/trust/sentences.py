"""LightList: the lights of one run under each other, those that are on first, each with its figures, its meaning and the cure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from gui.theme import GRID
from gui.widgets.lights import LightMark, tip_of
from gui.widgets.text import Sentence

if TYPE_CHECKING:
    from engine.evaluate.trust import Light

_ORDER = ("on", "off", "not measured")
_HEADS = {"on": "On", "off": "Off", "not measured": "Not measured"}
_ROOM = 12


class LightList(QWidget):
    """A view of lights. A light that is on has its meaning and the cure as sentences, the others their figures, equal ones said once."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.lights: tuple[Light, ...] = ()
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(4)
        self._grid.setVerticalSpacing(2)
        self._grid.setColumnStretch(1, 1)

    def show_lights(self, lights: Sequence[Light]) -> None:
        """Show lights, sorted by their state."""
        if tuple(lights) == self.lights:
            return
        self.lights = tuple(lights)
        while (item := self._grid.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        row = 0
        for state in _ORDER:
            some = [light for light in self.lights if light.state == state]
            if some:
                row = self._add_group(row, state, some)
        self._grid.setRowStretch(row, 1)

    def _add_group(self, row: int, state: str, lights: Sequence[Light]) -> int:
        head = QLabel(f"{_HEADS[state]} ({len(lights)})", self)
        font = head.font()
        font.setBold(True)
        head.setFont(font)
        self._grid.addWidget(head, row, 0, 1, 2)
        self._grid.setRowStretch(row, 0)
        said: dict[str, list[Light]] = {}
        for light in lights:
            said.setdefault("" if light.on else _figures(light), []).append(light)
        shared = {figures: some for figures, some in said.items() if figures and len(some) > 1}
        for light in lights:
            if _figures(light) not in shared or light.on:
                row += 1
                self._add(row, light, _figures(light))
        for figures, some in shared.items():  # said once for all of them
            row += 1
            self._grid.addWidget(self._sentence(f"{figures}.", muted=True), row, 0, 1, 2)
            for light in some:
                row += 1
                self._add(row, light, "")
        return row + 1

    def _add(self, row: int, light: Light, figures: str) -> None:
        said = f"{light.sign.title}: {figures}." if figures else light.sign.title
        text = self._sentence(" ".join((said, light.sign.meaning, light.sign.cure)) if light.on else said, muted=not light.on)
        text.setToolTip(tip_of(light))
        text.setContentsMargins(0, 0, 0, GRID if light.on else 0)
        self._grid.addWidget(LightMark(light, self), row, 0, Qt.AlignmentFlag.AlignTop)
        self._grid.addWidget(text, row, 1)
        self._grid.setRowStretch(row, 0)

    def _sentence(self, words: str, *, muted: bool) -> Sentence:
        made = Sentence(_ROOM, muted=muted, snug=True, parent=self)
        made.set_text(words)
        return made


def _figures(light: Light) -> str:
    """Return what was measured, or why it was not, without its full stop; empty where the head of the group says so."""
    from engine.evaluate.trust.evaluation import NOT_YET

    open_still = light.state == "not measured" and light.why == NOT_YET
    return "" if open_still else light.measured.rstrip(".")
