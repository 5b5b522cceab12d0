"""Figures of real-life distortions: the contact sheet of one image with its predictions, and the destruction rates of several."""

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
_WIDE_MM = 130.0
"""Width of the page from which an interval and its counts stand on one line of a cell."""
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


def contact_sheet(
    result: Result,
    last: DistortionStep,
    row: int | None = None,
    width_mm: float = WIDTH_MM,
    dark: bool = False,
    size: float = SIZE,
) -> Figure:
    """Draw one image under every distortion, with the predictions below the pictures.

    Parameters
    ----------
    result, last
        The result of a `DistortionSurvival`, and its last step.
    row
        Index of the image. None: the first that is adversarial.
    width_mm, dark, size
        As for `compose`.
    """
    sheet = sheet_of(_evaluation(result), last, result.provenance["seed"], row)
    assert sheet is not None
    which = f"Image {sheet.row} of {len(last.clean):,}. " if len(last.clean) > 1 else ""
    frames = "Frames: blue, the clean image; orange, another class than the label; green, the label is read again."
    note = f"{_made(result)} {which}Label: “{sheet.label}”. {frames}"
    return compose(_strips(sheet), width_mm=width_mm, columns=2, dark=dark, letters=False, size=size, note=note)


def rates_figure(result: Result, last: DistortionStep, width_mm: float = WIDTH_MM, dark: bool = False, size: float = SIZE) -> Figure:
    """Draw the destruction rates of several images as a heat map, with a row for each distortion and a column for each strength."""
    assert last.undistorted is not None
    sentences = " ".join(_evaluation(result).sentences(last))
    rate = "Destruction rate: the share of adversarial images that are classified correctly again, in %, with its 95 % Wilson interval."
    note = f"{_made(result)} {sentences} {rate} Without colour: fewer than {FEW} adversarial images."
    panel = _rates(last.undistorted, last.seen, narrow=width_mm * SIZE / size < _WIDE_MM)
    return compose([panel], width_mm=width_mm, dark=dark, letters=False, size=size, note=note)


def _evaluation(result: Result) -> DistortionSurvival:
    assert isinstance(result.operation, DistortionSurvival)
    return result.operation


def _made(result: Result) -> str:
    """Return the sentences on model, attack and seed."""
    attack = _evaluation(result).attacking
    model, seed = result.provenance["model"]["name"], result.provenance["seed"]
    return f"Model: {model}. Attack: {attack.title}, {budget_of(attack)}. Seed {seed}."


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


def _rates(undistorted: Seen, seen: Sequence[Seen], *, narrow: bool) -> HeatTablePanel:
    fooled = is_fooled(undistorted)
    titles = list(dict.fromkeys(each.title for each in seen))
    cells = {(each.title, each.step): _rate_cell(each, destruction_rate(fooled, each.right), narrow=narrow) for each in seen}
    steps = range(1 + max((each.step for each in seen), default=0))
    none = HeatCell(None, "")
    head = "" if narrow else "strength "
    columns = [HeatColumn(f"{head}{step + 1}", (), tuple(cells.get((title, step), none) for title in titles)) for step in steps]
    return HeatTablePanel(title="Destruction rate by the strength of the distortion", names=titles, columns=columns)


def _rate_cell(each: Seen, rate: Share, *, narrow: bool = False) -> HeatCell:
    shown = tuple(filter(None, [each.shown]))
    if rate.value is None:
        return HeatCell(None, "–", shown)
    low, high = rate.interval
    numbers = (f"{100 * low:.0f}–{100 * high:.0f}", f"{rate.hits:,} of {rate.of:,}")
    small = (*shown, *(numbers if narrow else (", ".join(numbers),)))
    return HeatCell(rate.value if rate.of >= FEW else None, f"{100 * rate.value:.1f}", small)
