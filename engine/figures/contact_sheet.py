"""The contact sheet of real-life distortions: strips of pictures with the predictions, and the destruction rates of many images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

from engine.evaluate.distortion import Cell, DistortionStep, DistortionSurvival, Sheet, destruction_rate, is_fooled, sheet_of
from engine.evaluate.distortion.counting import FEW, Seen
from engine.evaluate.tables import budget_of
from engine.figures.compose import compose
from engine.figures.heat_table import HeatCell, HeatColumn, HeatTablePanel
from engine.figures.page import Box, Page
from engine.figures.panels import Array, FigurePanel, show_pixels
from engine.figures.style import ADVERSARIAL, CLEAN, LABEL, SIZE, percent, wrap
from engine.figures.subject import array
from engine.intervals import Share
from engine.result import Result

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTH_MM = 174.0
_SMALL = 5.5
"""Font size below the pictures, in points."""
_SMALL_MM = 2.4
_GAP_MM = 1.2
_MOST_LINES = 3
"""Lines that the name of a class may take."""


@dataclass(frozen=True, eq=False)
class StripCell:
    """One picture of a strip, with the lines below it."""

    image: Array
    lines: tuple[str, ...]
    frame: str | None
    """Colour of the frame; None: a faint one."""


@final
@dataclass(frozen=True, eq=False, kw_only=True)
class StripPanel(FigurePanel):
    """Pictures side by side, each with a few lines below it."""

    cells: Sequence[StripCell]
    slots: int
    """Number of pictures for which there is room, so that all strips of a figure have pictures of one size."""
    least_mm: ClassVar[float] = 78.0

    def height(self, width: float) -> float:
        """Return the height of the pictures and of the longest text."""
        side = self._side(width)
        lines = max((len(_lines(cell, side)) for cell in self.cells), default=0)
        return self._tall(side) + 0.4 + _SMALL_MM * lines

    def draw(self, page: Page, box: Box) -> None:
        """Draw each picture in its frame, and its lines."""
        side = self._side(box.width)
        for place, cell in enumerate(self.cells):
            own = Box(box.left + place * (side + _GAP_MM), box.top, side, self._tall(side))
            pixels = cell.image.transpose(1, 2, 0) if len(cell.image) == 3 else cell.image[0]
            show_pixels(page, own, pixels, cell.frame, cmap="gray", vmin=0.0, vmax=1.0)
            for row, line in enumerate(_lines(cell, side)):
                page.text(own.left, own.top + own.height + 0.4 + row * _SMALL_MM, line, size=_SMALL)

    def _side(self, width: float) -> float:
        return (width - _GAP_MM * (self.slots - 1)) / self.slots

    def _tall(self, side: float) -> float:
        return side * max(float(cell.image.shape[1] / cell.image.shape[2]) for cell in self.cells)


def distortion_figure(
    result: Result,
    last: DistortionStep,
    row: int | None = None,
    width_mm: float = WIDTH_MM,
    dark: bool = False,
    size: float = SIZE,
) -> Figure:
    """Draw the contact sheet of one image and, of several images, the destruction rates above it.

    Parameters
    ----------
    result, last
        The result of a `DistortionSurvival`, and its last step.
    row
        Index of the image on the sheet. None: the first that is adversarial.
    width_mm, dark, size
        As for `compose`.
    """
    operation = result.operation
    assert isinstance(operation, DistortionSurvival)
    assert last.undistorted is not None
    sheet = sheet_of(operation, last, result.provenance["seed"], row)
    assert sheet is not None
    panels: list[FigurePanel] = [_rates(last.undistorted, last.seen)] if len(last.clean) > 1 else []
    panels += _strips(sheet)
    return compose(panels, width_mm=width_mm, columns=2, dark=dark, letters=False, size=size, note=_note(result, operation, last, sheet))


def _strips(sheet: Sheet) -> list[FigurePanel]:
    slots = max(2, *(len(cells) for _, cells in sheet.rows)) if sheet.rows else 2
    pair = (_strip_cell(sheet.clean, "clean", CLEAN), _strip_cell(sheet.adversarial, "adversarial", ADVERSARIAL))
    strips: list[FigurePanel] = [StripPanel(title="As it is", cells=pair, slots=slots)]
    for title, cells in sheet.rows:
        made = [_strip_cell(cell, cell.strength, LABEL if cell.undone else ADVERSARIAL) for cell in cells]
        strips.append(StripPanel(title=title, cells=made, slots=slots))
    return strips


def _strip_cell(cell: Cell, head: str, frame: str) -> StripCell:
    return StripCell(array(cell.image), (head, cell.name, percent(cell.probability)), frame)


def _lines(cell: StripCell, side: float) -> list[str]:
    """Return the lines below a picture of ``side`` mm; long names of classes are cut after a few lines."""
    found: list[str] = []
    for text in cell.lines:
        parts = wrap(text, side, _SMALL)
        found += parts[:_MOST_LINES] if len(parts) <= _MOST_LINES else [*parts[: _MOST_LINES - 1], f"{parts[_MOST_LINES - 1]}…"]
    return found


def _rates(undistorted: Seen, seen: Sequence[Seen]) -> HeatTablePanel:
    """Return the destruction rates as a heat map, a row for each distortion and a column for each number of its strength."""
    fooled = is_fooled(undistorted)
    titles = list(dict.fromkeys(each.title for each in seen))
    cells = {(each.title, each.step): _rate_cell(each, destruction_rate(fooled, each.right)) for each in seen}
    steps = range(1 + max((each.step for each in seen), default=0))
    none = HeatCell(None, "")
    columns = [HeatColumn(f"strength {step + 1}", (), tuple(cells.get((title, step), none) for title in titles)) for step in steps]
    return HeatTablePanel(title="Destruction rate in %, with its 95 % Wilson interval", names=titles, columns=columns)


def _rate_cell(each: Seen, rate: Share) -> HeatCell:
    if rate.value is None:
        return HeatCell(None, "–", (each.shown,))
    low, high = rate.interval
    counts = f"{rate.hits:,} of {rate.of:,}"
    small = (f"{100 * low:.0f}–{100 * high:.0f}, {counts}", *filter(None, [each.shown]))
    return HeatCell(rate.value if rate.of >= FEW else None, f"{100 * rate.value:.1f}", small)


def _note(result: Result, operation: DistortionSurvival, last: DistortionStep, sheet: Sheet) -> str:
    model = result.provenance["model"]["name"]
    several = len(last.clean) > 1
    frames = "Frames: blue, the clean image; orange, another class than the label; green, the label is read again."
    few = f" Grey: fewer than {FEW} adversarial images." if several else ""
    of = f" The sheet shows image {sheet.row}, whose label is “{sheet.label}”." if several else f" Label: “{sheet.label}”."
    rate = " Destruction rate: the share of adversarial images that are classified correctly again." if several else ""
    sentences = " ".join(operation.sentences(last)) if several else ""
    attack = f"{operation.attacking.title}, {budget_of(operation.attacking)}"
    seed = f"Seed {result.provenance['seed']}."
    return " ".join(f"Model: {model}. Attack: {attack}. {seed} {sentences}{rate}{few}{of} {frames}".split())
