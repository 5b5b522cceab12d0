"""The panel of the prediction: the most likely classes, clean against adversarial."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

from engine.figures.page import Box, Key, Page, draw_key, key_height
from engine.figures.panels import Array, FigurePanel
from engine.figures.style import ADVERSARIAL, CLEAN, LABEL, LINE_MM, TARGET, percent, text_width, wrap

if TYPE_CHECKING:
    from collections.abc import Sequence

_BAR_MM = 2.0
_PITCH_MM = 2.7
_GAP_MM = 1.3
_WIDE_MM = 62.0
"""Width from which names are beside their bars; in narrower panels they are above."""
_MOST_SPARE_MM = 4.0
"""Most that two classes are moved apart in a row that is higher."""


@dataclass(frozen=True)
class Entry:
    """One class with its place: the lines of its name, and the rectangles that its bars have at a probability of 1."""

    index: int
    lines: tuple[str, ...]
    top: float
    clean: Box
    adversarial: Box


def draw_bar(page: Page, full: Box, p: float, colour: str) -> None:
    """Draw a bar and its percentage; ``full`` is the rectangle of a probability of 1."""
    page.swatch(Box(full.left, full.top + 0.3, max(0.15, full.width * p), full.height), colour)
    page.text(full.left + full.width * p + 1, full.top + 0.05, percent(p))


@final
@dataclass(frozen=True, eq=False, kw_only=True)
class BarsPanel(FigurePanel):
    """Probabilities of the most likely classes; the true label and the target are marked and always among them."""

    names: Sequence[str]
    """Names of all K classes."""
    clean: Array
    """Probabilities of the clean image, ``(K,)``."""
    adversarial: Array
    label: int | None = None
    label_assumed: bool = False
    target: int | None = None
    top: int = 3
    """Number of classes shown."""
    shown: tuple[int, ...] | None = None
    """The classes shown, where they are not to follow the probabilities."""
    still: bool = False
    """Whether the adversarial bars are left out, since something else draws them for every frame."""
    stretches: ClassVar[bool] = True
    least_mm: ClassVar[float] = 24.0

    def classes(self) -> list[int]:
        """Return the shown classes, the most likely on either image first; label and target replace the last ones if missing."""
        if self.shown is not None:
            return list(self.shown)
        best = [max(float(a), float(b)) for a, b in zip(self.clean, self.adversarial, strict=True)]
        order = sorted(range(len(best)), key=lambda index: -best[index])
        wanted = {index for index in (self.label, self.target) if index is not None}
        count = min(len(order), max(self.top, len(wanted)))
        rest = [index for index in order if index not in wanted][: count - len(wanted)]
        return [index for index in order if index in wanted or index in rest]

    def height(self, width: float) -> float:
        """Return the height of two bars and the name for each class, in mm."""
        return sum(self._entry(index, width) for index in self.classes()) - _GAP_MM

    def foot(self, width: float) -> float:
        """Return the height of the key, in mm."""
        return key_height(self._key(), width)

    def draw(self, page: Page, box: Box) -> None:
        """Draw name, clean and adversarial bar with their percentages for each class."""
        for entry in self.entries(box):
            index, lines, top, left = entry.index, entry.lines, entry.top, box.left
            for place, colour in enumerate(self._marks(index)):
                page.swatch(Box(left + 2.2 * place, top + 0.5, 1.6, 1.6), colour, round_=True)
            for row, line in enumerate(lines):
                page.text(left + (2.3 * len(self._marks(index)) if row == 0 else 0), top + row * LINE_MM, line)
            draw_bar(page, entry.clean, float(self.clean[index]), CLEAN)
            if not self.still:
                draw_bar(page, entry.adversarial, float(self.adversarial[index]), ADVERSARIAL)
        draw_key(page, box, self._key())

    def entries(self, box: Box) -> list[Entry]:
        """Return the places of names and bars in ``box``; what it has more than the least height lies between the classes."""
        names = self._name_width(box.width)
        beside = names < box.width
        values = max(text_width(text) for text in ("100.0 %", "> 99.9 %", "< 0.1 %")) + 1
        left = box.left + (names + 1 if beside else 0)
        longest = box.left + box.width - values - left
        spare = (box.height - self.height(box.width)) / max(1, len(self.classes()) - 1)
        top, found = box.top, []
        for index in self.classes():
            lines = self._lines(index, box.width)
            under = top if beside else top + len(lines) * LINE_MM
            bars = [Box(left, under + row * _PITCH_MM, longest, _BAR_MM) for row in range(2)]
            found.append(Entry(index, tuple(lines), top, *bars))
            top += self._entry(index, box.width) + max(0.0, min(spare, _MOST_SPARE_MM))
        return found

    def _marks(self, index: int) -> list[str]:
        return [colour for place, colour in ((self.label, LABEL), (self.target, TARGET)) if place == index]

    def _name_width(self, width: float) -> float:
        """Return the width of the column of names; all of ``width`` where they are above their bars."""
        if width < _WIDE_MM:
            return width
        return min(0.45 * width, 5 + max(text_width(self.names[index]) for index in self.classes()))

    def _lines(self, index: int, width: float) -> list[str]:
        return wrap(self.names[index], self._name_width(width) - 2.3 * len(self._marks(index)))

    def _entry(self, index: int, width: float) -> float:
        names, bars = LINE_MM * len(self._lines(index, width)), 2 * _PITCH_MM
        return (max(names, bars) if width >= _WIDE_MM else names + bars) + _GAP_MM

    def _key(self) -> list[Key]:
        label = "label (assumed)" if self.label_assumed else "label"
        marks = [
            Key(text, colour, True)
            for place, text, colour in ((self.label, label, LABEL), (self.target, "target", TARGET))
            if place is not None
        ]
        return [Key("clean", CLEAN), Key("adversarial", ADVERSARIAL), *marks]
