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
    least_mm: ClassVar[float] = 24.0

    def classes(self) -> list[int]:
        """Return the shown classes, the most likely on either image first; label and target replace the last ones if missing."""
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
        names = self._name_width(box.width)
        beside = names < box.width
        values = max(text_width(text) for text in ("100.0 %", "> 99.9 %", "< 0.1 %")) + 1
        left = box.left + (names + 1 if beside else 0)
        longest = box.left + box.width - values - left
        top = box.top
        for index in self.classes():
            lines = self._lines(index, box.width)
            marks = [colour for place, colour in ((self.label, LABEL), (self.target, TARGET)) if place == index]
            for place, colour in enumerate(marks):
                page.swatch(Box(box.left + 2.2 * place, top + 0.5, 1.6, 1.6), colour, round_=True)
            for row, line in enumerate(lines):
                page.text(box.left + (2.3 * len(marks) if row == 0 else 0), top + row * LINE_MM, line)
            under = top if beside else top + len(lines) * LINE_MM
            for row, (p, colour) in enumerate(((float(self.clean[index]), CLEAN), (float(self.adversarial[index]), ADVERSARIAL))):
                y = under + row * _PITCH_MM
                page.swatch(Box(left, y + 0.3, max(0.15, longest * p), _BAR_MM), colour)
                page.text(left + longest * p + 1, y + 0.05, percent(p))
            top += self._entry(index, box.width)
        draw_key(page, box, self._key())

    def _name_width(self, width: float) -> float:
        """Return the width of the column of names; all of ``width`` where they are above their bars."""
        if width < _WIDE_MM:
            return width
        return min(0.45 * width, 5 + max(text_width(self.names[index]) for index in self.classes()))

    def _lines(self, index: int, width: float) -> list[str]:
        marks = 2.3 * sum(index == place for place in (self.label, self.target))
        return wrap(self.names[index], self._name_width(width) - marks)

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
