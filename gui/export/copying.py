"""Copying of figures to the clipboard, from the dialog and from the menu."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gui.clipboard import copy_picture
from gui.export.figure_choices import kept_plan
from gui.export.figure_source import FigureSource, Picture, at_dpi, source_of

if TYPE_CHECKING:
    from engine.figures import FigurePlan
    from gui.session.session import Session
    from gui.settings import Settings

DPI = 300
"""Pixels per inch of a figure that the menu copies."""


def copy_figure(session: Session, source: FigureSource, plan: FigurePlan, dpi: int) -> None:
    """Put a figure on the clipboard as a picture with this many pixels per inch of the printed figure."""

    def then(picture: Picture) -> None:
        size = copy_picture(picture.png, dpi)
        said = f"The figure is on the clipboard: {size.width():,} × {size.height():,} pixels, {dpi} per inch."
        session.notice.emit(f"{said} {picture.boxes}".strip())

    what = "Copying the figure"
    session.ask("figure-copy", lambda: at_dpi(source, plan, dpi), then, what=what, busy=f"{what}…", keep=True)


def copy_last_figure(session: Session, settings: Settings) -> None:
    """Copy a figure of what is shown, laid out as the last one; the perturbation is shown as in the window."""
    source, plan = source_of(session), kept_plan(settings)
    possible = tuple(
        name for name in plan.panels if not (name == "loss" and source.entry is None) and not (name == "perturbation" and source.grown)
    )
    chosen = {"panels": possible or ("clean", "adversarial"), "view": session.view.channels, "gain": session.view.gain}
    copy_figure(session, source, plan.model_copy(update=chosen), DPI)
