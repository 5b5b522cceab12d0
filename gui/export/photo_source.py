"""PhotoSource: the photograph of a print and what it is compared with; read and drawn in the engine thread."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gui.export.figure_source import Picture, fitted_figure, provenance_of_run
from gui.export.print_source import palette_of

if TYPE_CHECKING:
    from torch import Tensor

    from engine import Classifier
    from engine.images import Photograph
    from engine.printing import PhotoReading
    from gui.session.history import AttackRun
    from gui.session.session import Session

Corners = tuple[tuple[float, float], ...]


@dataclass(frozen=True, eq=False)
class PhotoSource:
    """A photograph, the classifier that is asked, and the digital image beside it."""

    photograph: Photograph
    classifier: Classifier
    original: Tensor
    """``(C, H, W)``: the adversarial image of the shown run, else the image on the canvas with its stickers."""
    label: int | None = None
    target: int | None = None
    entry: AttackRun | None = None
    image: Mapping[str, Any] = field(default_factory=dict)

    @property
    def stem(self) -> str:
        """A file's name for the figure, without its suffix."""
        return f"{Path(self.photograph.name).stem}-photograph"


@dataclass(frozen=True)
class PhotoWish:
    """The choices of the dialog: the corners, and whether the digital image and the chart are used."""

    frame: Corners
    chart: Corners | None = None
    compared: bool = True


def source_of(session: Session, photograph: Photograph) -> PhotoSource | None:
    """Return the photograph beside what the canvas shows; None where it shows nothing."""
    scene = session.scene
    if scene is None:
        return None
    shown = session.history.shown
    made = shown if shown is not None and shown.result.classifier is scene.classifier and shown.scene.clean is scene.clean else None
    if made is None:
        return PhotoSource(photograph, scene.classifier, scene.adversarial(), session.label, session.target, None, dict(session.image))
    result = made.result
    target = None if result.targets is None else int(result.targets[0])
    return PhotoSource(photograph, scene.classifier, result.adversarial[0].detach().cpu(), int(result.labels[0]), target, made, made.image)


def read(source: PhotoSource, wish: PhotoWish) -> PhotoReading:
    """Read the photograph.

    Raises
    ------
    GibbonError
        The corners are none, or what is between them is not the print or the chart.
    """
    from engine.printing import chart_of, read_photo

    return read_photo(
        source.photograph,
        wish.frame,
        source.classifier,
        original=source.original if wish.compared else None,
        chart_corners=wish.chart,
        chart=chart_of(palette_of(source.entry)),
        label=source.label,
        target=source.target,
    )


def reading_picture(source: PhotoSource, wish: PhotoWish, width: int, height: int, dpi: float | None) -> tuple[Picture, tuple[str, ...]]:
    """Return the figure of a reading as large as it fits, and the reading in sentences."""
    from engine.printing import photo_figure

    reading = read(source, wish)
    return fitted_figure(photo_figure(reading, width_mm=120), width, height, dpi), tuple(reading.sentences())


def write_reading(source: PhotoSource, wish: PhotoWish, path: Path) -> list[Path]:
    """Write the figure of a reading with its sidecar; return the files."""
    from engine.figures import export
    from engine.printing import photo_figure

    reading = read(source, wish)
    content = reading.content() if source.entry is None else provenance_of_run(source.entry, reading.told(), False, path.parent)
    return list(export(photo_figure(reading), path, content))
