"""FigurePlan and FigureSource, as values; the figure's preview and its files, which are made in the engine thread."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from engine import Classifier
    from engine.explain import Explanation, Observation
    from engine.figures import Subject
    from gui.session.history import AttackRun
    from gui.session.scene import Frame

NEEDS_RUN = ("loss",)
WIDTHS: dict[str, float] = {"One column": 85.0, "One and a half": 120.0, "Full width": 174.0}
"""Usual widths of a figure in a paper, in millimetres."""


@dataclass(frozen=True)
class FigurePlan:
    """The panels and the layout of a figure."""

    panels: tuple[str, ...] = ("clean", "adversarial", "perturbation", "bars")
    layer: str = ""
    """The histogram's layer; empty for the one whose largest activation grew the most."""
    view: str = "strongest"
    """How the perturbation of a colour image is shown; see `engine.figures.PERTURBATION_VIEWS`."""
    width_mm: float = 174.0
    dark: bool = False
    letters: bool = True
    note: bool = True
    arrays: bool = False

    @property
    def names(self) -> list[str]:
        """The panels' names in the engine."""
        details = {"histogram": self.layer, "perturbation": "" if self.view == "strongest" else self.view}
        return [f"{name}:{details[name]}" if details.get(name) else name for name in self.panels]


@dataclass(frozen=True, eq=False)
class FigureSource:
    """The contents of a figure: a finished run, or the canvas if no run is shown."""

    entry: AttackRun | None = None
    frame: Frame | None = None
    label: int | None = None
    image: Mapping[str, Any] = field(default_factory=dict)
    bounds: Mapping[str, float] = field(default_factory=dict)
    """The bounds under which a run's images are observed a second time; a frame has its own."""
    explanations: tuple[Explanation, ...] = ()
    """The explanations that the window shows, with their parameters. Others are shown with their defaults."""

    @property
    def classifier(self) -> Classifier:
        """The classifier of the run, else of the frame."""
        if self.entry is not None:
            return self.entry.result.classifier
        assert self.frame is not None
        return self.frame.scene.classifier

    @property
    def title(self) -> str:
        """The source in words, for the dialog."""
        name = str((self.entry.image if self.entry else self.image).get("name", "image"))
        return f"{self.entry.title} on {name}" if self.entry else f"{name}, as it is on the canvas (no finished run is shown)"


def figure(source: FigureSource, plan: FigurePlan) -> Figure:
    """Compose the figure.

    Raises
    ------
    GibbonError
        A panel cannot be made, or the width is too small for any.
    """
    from engine.figures import compose, explanations_in, panels_of

    subject = _subject(source, explanations_in(plan.panels, source.explanations))
    note = _note(source, subject.observation) if plan.note else ""
    return compose(panels_of(subject, plan.names), width_mm=plan.width_mm, dark=plan.dark, note=note, letters=plan.letters)


def preview(source: FigureSource, plan: FigurePlan, width: int) -> bytes:
    """Return the figure as a PNG that is ``width`` pixels wide."""
    made = figure(source, plan)
    stream = io.BytesIO()
    made.savefig(stream, format="png", dpi=width / made.get_size_inches()[0], facecolor=made.get_facecolor())
    return stream.getvalue()


def write_figure(source: FigureSource, plan: FigurePlan, path: Path) -> list[Path]:
    """Write the figure with its sidecar and, if the plan says so, the arrays; return the files."""
    from engine.figures import export, export_arrays

    written = list(export(figure(source, plan), path, _provenance(source, plan, path.parent)))
    if plan.arrays and source.entry is not None:
        from gui.export.recording import mask_of

        mask = mask_of(source.entry)
        written.append(export_arrays(path.with_suffix(".npz"), source.entry.result, 0, None if mask is None else mask.numpy()))
    return written


def _subject(source: FigureSource, explanations: Sequence[Explanation]) -> Subject:
    from engine.explain import observe
    from engine.figures import Subject, subject_of

    if source.entry is not None:
        return subject_of(source.entry.result, 0, explanations=explanations, bounds=source.bounds)
    assert source.frame is not None
    scene, seen = source.frame.scene, source.frame.observation
    held = [pair.explanation for pair in seen.explanations.values()]
    if any(explanation not in held for explanation in explanations):
        seen = observe(scene.classifier, seen.clean_image, seen.adversarial_image, bounds=scene.bounds, explanations=explanations)
    return Subject(seen, scene.classifier.labels, source.label)


def _note(source: FigureSource, seen: Observation) -> str:
    """Return the figure's note; with bounds it includes their effect."""
    from gui.session.bounds import effect_text

    classifier = source.classifier
    under = effect_text(seen, classifier.labels, [site.name for site in classifier.sites])
    return f"{_origin(source)} {under}." if under else _origin(source)


def _origin(source: FigureSource) -> str:
    from engine.figures import note_for

    if source.entry is not None:
        return note_for(source.entry.result)
    assert source.frame is not None
    stickers = len(source.frame.scene.stickers)
    shown = {0: "No attack was run", 1: "1 sticker, as on the canvas"}.get(stickers, f"{stickers} stickers, as on the canvas")
    return f"Model {source.frame.scene.classifier.name}. {shown}."


def _provenance(source: FigureSource, plan: FigurePlan, folder: Path) -> dict[str, Any]:
    from engine.figures import explanations_in

    settings: dict[str, Any] = {"panels": plan.names, "width_mm": plan.width_mm, "dark": plan.dark}
    bounds = source.bounds if source.entry is not None or source.frame is None else source.frame.scene.bounds
    if bounds:
        settings["bounds"] = dict(bounds)
    if explained := explanations_in(plan.panels, source.explanations):
        settings["explanations"] = {explanation.slug: explanation.model_dump(mode="json") for explanation in explained}
    if source.entry is not None:
        from gui.export.recording import record_of_entry

        return record_of_entry(source.entry, folder).model_copy(update={"figure": settings}).to_json()
    assert source.frame is not None
    classifier = source.frame.scene.classifier
    model = {"name": classifier.name, "source": classifier.source, "fingerprint": classifier.fingerprint}
    stickers = [f"{s.title}: x {s.x}, y {s.y}, {s.width} × {s.height} px" for s in source.frame.scene.stickers]
    return {"model": model, "image": dict(source.image), "stickers": stickers, "figure": settings}
