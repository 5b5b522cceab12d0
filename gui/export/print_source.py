"""PrintSource: the stickers that a print sheet shows, with the sheet's preview and its files, which are made in the engine thread."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gui.export.figure_source import Picture, fitted_figure, provenance_of_run

if TYPE_CHECKING:
    from engine import Classifier
    from engine.printing import PaperName, PrintPlan
    from engine.stickers import Sticker
    from gui.session.history import AttackRun
    from gui.session.session import Session

IMAGE, PIXEL = "image", "pixel"


@dataclass(frozen=True)
class PrintWish:
    """The choices of the print dialog: the size in reality, and the paper."""

    known: str = IMAGE
    """The length that is known in reality: that of the image, of a pixel, or of the sticker with this number."""
    mm: float = 600.0
    paper: PaperName = "a4"
    landscape: bool = False
    margin: float = 10.0
    bleed: float = 0.0
    smooth: bool = False
    chart: bool = True


@dataclass(frozen=True, eq=False)
class PrintSource:
    """The stickers on the canvas, and the run that made them where one did."""

    classifier: Classifier
    stickers: tuple[Sticker, ...]
    image: Mapping[str, Any] = field(default_factory=dict)
    entry: AttackRun | None = None

    @property
    def stem(self) -> str:
        """A file's name for the sheets, without its suffix."""
        return f"{Path(str(self.image.get('name', 'image'))).stem}-stickers"


def source_of(session: Session) -> PrintSource | None:
    """Return the stickers on the canvas; None where there are none."""
    scene = session.scene
    if scene is None or not scene.stickers:
        return None
    shown = session.history.shown
    made = shown if shown is not None and shown.scene.stickers == scene.stickers else None
    return PrintSource(scene.classifier, scene.stickers, dict(session.image), made)


def plan_of(source: PrintSource, wish: PrintWish) -> PrintPlan:
    """Return the plan of the sheets.

    Raises
    ------
    GibbonError
        A size is not possible.
    """
    from engine.figures.words import attack_sentence, model_sentence
    from engine.printing import Paper, PrintPlan, pixel_size

    _, rows, columns = source.classifier.input_shape
    known = wish.known if wish.known in (IMAGE, PIXEL) else "sticker"
    given: dict[str, Any] = {f"{known}_mm": wish.mm}
    note = model_sentence(source.classifier)
    if source.entry is not None:
        note += f" {attack_sentence(source.entry.result)}"
    return PrintPlan(
        pixel_mm=pixel_size(columns, [each for each in source.stickers if str(each.id) == wish.known], **given),
        image=(columns, rows),
        paper=Paper(wish.paper, wish.landscape, wish.margin),
        bleed=wish.bleed,
        smooth=wish.smooth,
        chart=wish.chart,
        palette=palette_of(source.entry),
        note=note,
    )


def palette_of(entry: AttackRun | None) -> str:
    """Return the palette that a run held its content to; empty where there is none."""
    return "" if entry is None else str(getattr(entry.result.operation, "palette", "") or "")


@dataclass(frozen=True)
class SheetPicture:
    """One sheet as a picture, and what is said of all of them."""

    picture: Picture
    number: int
    count: int
    sentences: tuple[str, ...]


def preview(source: PrintSource, wish: PrintWish, number: int, width: int, height: int, dpi: float | None) -> SheetPicture:
    """Return a sheet, as large as it fits into ``width`` × ``height`` pixels, or with that many dots per inch."""
    from engine.printing import print_sheets

    made = print_sheets(source.stickers, plan_of(source, wish), source.classifier.input_shape[0])
    number = min(max(1, number), len(made.figures))
    return SheetPicture(
        fitted_figure(made.figures[number - 1], width, height, dpi), number, len(made.figures), (*made.sentences(), *made.remarks)
    )


def write_sheets(source: PrintSource, wish: PrintWish, path: Path) -> list[Path]:
    """Write the sheets as PDF with their sidecar; return the files."""
    from engine.figures import export_pages
    from engine.printing import print_sheets

    plan = plan_of(source, wish)
    made = print_sheets(source.stickers, plan, source.classifier.input_shape[0])
    return list(export_pages(made.figures, path, _provenance(source, plan.entry(), path.parent)))


def _provenance(source: PrintSource, settings: dict[str, Any], folder: Path) -> dict[str, Any]:
    from engine.printing import canvas_content

    if source.entry is not None:
        return provenance_of_run(source.entry, settings, False, folder)
    return canvas_content(source.classifier, source.stickers, str(source.image.get("name", "")), settings)
