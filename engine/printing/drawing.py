"""Drawing of sheets: everything in mm from the upper left corner of the paper, with stickers clipped to their outlines as vectors."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from engine.figures.compose import set_in_fonts
from engine.figures.page import Box, Page
from engine.figures.style import LIGHT, LINE_MM, MM, SIZE, settings, text_width, wrap
from engine.printing.bleeding import with_bleed
from engine.printing.chart import FRAME_MM, Chart
from engine.printing.paper import FOOT_MM, Paper
from engine.printing.pieces import Piece

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MARK_MM = 4.0
"""Length of a crop mark."""
MARK_GAP_MM = 1.0
"""Distance of a crop mark from the box, beyond the bleed."""
FIDUCIAL_MM = 3.0
"""Radius of a fiducial."""
SCALE_MM = 50
"""Length of the scale bar."""
_SMALL = 5.5
"""Font size of values and small print, in points."""
_SMALL_LINE = 2.4
_HAIRLINE = 0.25
"""Width of cut lines and crop marks, in points."""
_ENLARGED = 640
"""Pixels that a side of an embedded picture has at least, since some viewers blur small ones."""


class Sheet:
    """One sheet while it is drawn: a page for texts, and axes over all of it whose units are mm."""

    def __init__(self, paper: Paper) -> None:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        self.paper = paper
        self.figure: Figure = Figure(figsize=(paper.width * MM, paper.height * MM), facecolor=LIGHT.paper)
        FigureCanvasAgg(self.figure)
        self.page = Page(self.figure, LIGHT)
        self.axes: Axes = self.figure.add_axes((0.0, 0.0, 1.0, 1.0))
        self.axes.set_axis_off()
        self._span()

    def _span(self) -> None:
        self.axes.set_xlim(0, self.paper.width)
        self.axes.set_ylim(self.paper.height, 0)

    def line(self, xs: Sequence[float], ys: Sequence[float], *, colour: str = LIGHT.ink, width: float = _HAIRLINE) -> None:
        """Draw a straight line between points in mm."""
        from matplotlib.lines import Line2D

        self.axes.add_line(Line2D(xs, ys, color=colour, linewidth=width, solid_capstyle="butt"))

    def rectangle(self, box: Box, colour: str | tuple[float, float, float]) -> None:
        """Fill a rectangle with one colour."""
        from matplotlib.patches import Rectangle

        self.axes.add_patch(Rectangle((box.left, box.top), box.width, box.height, facecolor=colour, edgecolor="none", linewidth=0))

    def picture(self, pixels: NDArray[np.uint8], box: Box, clip: Any = None) -> None:
        """Show pixels ``(h, w, 3)`` over exactly the rectangle ``box``, clipped to a patch."""
        extent = (box.left, box.left + box.width, box.top + box.height, box.top)
        shown = self.axes.imshow(pixels, extent=extent, interpolation="none", aspect="auto")
        self._span()  # a picture changes the limits
        if clip is not None:
            shown.set_clip_path(clip)


def draw_piece(sheet: Sheet, piece: Piece, box: Box, *, bleed: float, smooth: bool, label: Sequence[str]) -> None:
    """Draw a sticker in ``box``: bleed, content clipped to its outline, the outline as the cut line, crop marks, and what it is."""
    from matplotlib.patches import PathPatch

    if bleed > 0:
        sheet.picture(with_bleed(piece, bleed), Box(box.left - bleed, box.top - bleed, box.width + 2 * bleed, box.height + 2 * bleed))
    outline = PathPatch(_path(piece, box), facecolor="none", edgecolor=LIGHT.faint, linewidth=_HAIRLINE, transform=sheet.axes.transData)
    sheet.picture(_enlarged(piece, smooth), box, outline)
    sheet.axes.add_patch(outline)
    _crop_marks(sheet, box, bleed + MARK_GAP_MM)
    top = box.top + box.height + bleed + MARK_GAP_MM + MARK_MM + 0.5
    left = box.left - bleed - MARK_GAP_MM - MARK_MM
    for row, line in enumerate(label):
        sheet.page.text(left, top + row * LINE_MM, line)


def draw_chart(sheet: Sheet, chart: Chart, box: Box) -> None:
    """Draw the colour chart in ``box``: the frame, the patches, and the value of each below it."""
    sheet.rectangle(box, "#000000")
    inner = Box(box.left + FRAME_MM, box.top + FRAME_MM, box.width - 2 * FRAME_MM, box.height - 2 * FRAME_MM)
    sheet.rectangle(inner, "#ffffff")
    for patch, place in chart.boxes():
        at = Box(box.left + place.left, box.top + place.top, place.width, place.height)
        sheet.rectangle(at, patch.code)
        if min(patch.rgb) > 200:  # white would be lost on paper
            sheet.line(*_around(at), colour=LIGHT.faint)
        sheet.page.text(at.left + at.width / 2, at.top + at.height + 0.3, patch.code, size=_SMALL, ha="center")


def draw_surround(sheet: Sheet, title: str, subtitle: str, notes: Sequence[str]) -> None:
    """Draw the title, the four corner fiducials, the scale bar and the small print."""
    paper = sheet.paper
    for x, y in fiducials(paper):
        _fiducial(sheet, x, y)
    left = paper.margin + 2 * FIDUCIAL_MM + 3
    room = paper.width - 2 * left
    sheet.page.text(left, paper.margin, title, size=_size_in(title, room, 8.5, bold=True), weight="bold")
    sheet.page.text(left, paper.margin + 4.2, subtitle, color=LIGHT.faint, size=_size_in(subtitle, room, SIZE))
    bottom = paper.height - paper.margin
    _scale_bar(sheet, left, bottom - FOOT_MM + 4, room)
    for row, line in enumerate(notes):
        sheet.page.text(left, bottom - FOOT_MM + 9 + row * _SMALL_LINE, line, size=_SMALL, color=LIGHT.faint)


def finished(sheet: Sheet) -> Figure:
    """Return the figure of a sheet, with all texts in fonts that have their characters."""
    set_in_fonts(sheet.figure)
    return sheet.figure


def fiducials(paper: Paper) -> tuple[tuple[float, float], ...]:
    """Return the middles of the four corner fiducials in mm: upper left, upper right, lower right, lower left."""
    near = paper.margin + FIDUCIAL_MM
    right, bottom = paper.width - near, paper.height - near
    return (near, near), (right, near), (right, bottom), (near, bottom)


def note_lines(paper: Paper, note: str) -> list[str]:
    """Return the small print in at most three lines between the lower fiducials; what does not fit is in the record."""
    lines = wrap(note, paper.width - 2 * (paper.margin + 2 * FIDUCIAL_MM + 3), _SMALL)
    return lines if len(lines) <= 3 else [*lines[:2], f"{lines[2].rsplit(' ', 1)[0]} …"]


def label_lines(piece: Piece, width: float) -> list[str]:
    """Return what is written below a sticker: its name, its size, and where it belongs."""
    return wrap(f"{piece.title}: {piece.width:.1f} × {piece.height:.1f} mm. {piece.where}", width)


def drawing_settings() -> Any:
    """Return the settings under which sheets are drawn, as a context manager."""
    return settings(LIGHT)


def _enlarged(piece: Piece, smooth: bool) -> NDArray[np.uint8]:
    """Return the content in 8 bits, enlarged with sharp or with smooth transitions between its pixels."""
    pixels = piece.pixels
    times = max(1, math.ceil(_ENLARGED / max(pixels.shape[:2])))
    if smooth and max(pixels.shape[:2]) > 1:
        there = torch.from_numpy(pixels).permute(2, 0, 1)[None]
        larger = torch.nn.functional.interpolate(there, scale_factor=float(times), mode="bicubic", align_corners=False)
        pixels = larger[0].clamp(0, 1).permute(1, 2, 0).numpy()
    else:
        pixels = pixels.repeat(times, axis=0).repeat(times, axis=1)
    shown: NDArray[np.uint8] = np.round(255 * pixels).astype(np.uint8)
    return shown


def _path(piece: Piece, box: Box) -> Any:
    """Return the outlines as one path in mm of the sheet."""
    from matplotlib.path import Path

    parts = [
        Path([*((box.left + x, box.top + y) for x, y in loop), (0, 0)], [Path.MOVETO, *[Path.LINETO] * (len(loop) - 1), Path.CLOSEPOLY])
        for loop in piece.loops
    ]
    return Path.make_compound_path(*parts)


def _crop_marks(sheet: Sheet, box: Box, gap: float) -> None:
    for x, way in ((box.left, -1), (box.left + box.width, 1)):
        for y in (box.top, box.top + box.height):
            sheet.line((x + way * gap, x + way * (gap + MARK_MM)), (y, y))
    for y, way in ((box.top, -1), (box.top + box.height, 1)):
        for x in (box.left, box.left + box.width):
            sheet.line((x, x), (y + way * gap, y + way * (gap + MARK_MM)))


def _fiducial(sheet: Sheet, x: float, y: float) -> None:
    from matplotlib.patches import Circle

    for radius, filled in ((0.7 * FIDUCIAL_MM, False), (0.25 * FIDUCIAL_MM, True)):
        colour = LIGHT.ink if filled else "none"
        sheet.axes.add_patch(Circle((x, y), radius, facecolor=colour, edgecolor=LIGHT.ink, linewidth=0 if filled else 1.0))
    sheet.line((x - FIDUCIAL_MM, x + FIDUCIAL_MM), (y, y))
    sheet.line((x, x), (y - FIDUCIAL_MM, y + FIDUCIAL_MM))


def _scale_bar(sheet: Sheet, left: float, top: float, room: float) -> None:
    sheet.line((left, left + SCALE_MM), (top, top), width=1.0)
    for at in range(0, SCALE_MM + 1, 10):
        sheet.line((left + at, left + at), (top - (2 if at % SCALE_MM == 0 else 1.2), top), width=0.5)
        sheet.page.text(left + at, top + 0.5, f"{at}", size=_SMALL, ha="center")
    lines = wrap(f"{SCALE_MM} mm. Measure it: if it is longer or shorter, the printer has scaled.", room - SCALE_MM - 4, _SMALL)
    for row, line in enumerate(lines):
        sheet.page.text(left + SCALE_MM + 4, top - 2.5 + row * _SMALL_LINE, line, size=_SMALL)


def _around(box: Box) -> tuple[list[float], list[float]]:
    right, bottom = box.left + box.width, box.top + box.height
    return [box.left, right, right, box.left, box.left], [box.top, box.top, bottom, bottom, box.top]


def _size_in(text: str, room: float, size: float, *, bold: bool = False) -> float:
    """Return the font size at which a line fits into ``room`` mm, at most ``size``."""
    return size * min(1.0, room / text_width(text, size, bold=bold))
