"""FigureSource: what a figure shows, with the figure's preview and its files, which are made in the engine thread."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.perturbation_view import USUAL_VIEW, PerturbationView
from gui.session.setting_words import place_words, size_words

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from engine import Classifier
    from engine.explain import Explanation, Observation
    from engine.figures import FigurePlan, Subject
    from gui.session.history import AttackRun
    from gui.session.scene import Frame
    from gui.session.session import Session

NEEDS_RUN = ("loss",)
WIDTHS: dict[str, float] = {"One column": 85.0, "One and a half": 120.0, "Full width": 174.0}
"""Usual widths of a figure in a paper, in millimetres."""


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
    view: PerturbationView = USUAL_VIEW
    """How the window shows the perturbation."""

    @property
    def classifier(self) -> Classifier:
        """The classifier of the run, else of the frame."""
        if self.entry is not None:
            return self.entry.result.classifier
        assert self.frame is not None
        return self.frame.scene.classifier

    @property
    def name(self) -> str:
        """The image's name."""
        return str((self.entry.image if self.entry else self.image).get("name", "image"))

    @property
    def title(self) -> str:
        """The source in words, for the dialog."""
        return f"{self.entry.title} on {self.name}" if self.entry else f"{self.name}, as it is on the canvas (no finished run is shown)"

    @property
    def grown(self) -> bool:
        """Whether the run's image was grown from noise, so that it has no perturbation."""
        return self.entry is not None and self.entry.scene.grown

    @property
    def stem(self) -> str:
        """A file's name for the figure, without its suffix."""
        return Path(self.name).stem + (f"-{self.entry.result.operation.slug}" if self.entry is not None else "")


@dataclass(frozen=True)
class Picture:
    """A composed figure as PNG, with its printed size."""

    png: bytes
    width_mm: float
    height_mm: float
    boxes: str
    """A sentence about the characters that no font has; empty where there are none."""


def source_of(session: Session) -> FigureSource:
    """Return the finished run that is shown, else the canvas, as the source of a figure."""
    entry = session.history.shown if session.moments.live else session.iterates.run
    # Bounds belong to the present model; another model has no such layers.
    bounds = dict(session.bounds) if entry is not None and entry.result.classifier is session.classifier else {}
    return FigureSource(entry, session.frame, session.label, dict(session.image), bounds, session.explanations, session.view)


def figure(source: FigureSource, plan: FigurePlan) -> Figure:
    """Compose the figure.

    Raises
    ------
    GibbonError
        A panel cannot be made, or the width is too small for any.
    """
    subject = _subject(source, plan)
    return plan.figure(subject, _note(source, plan, subject.observation))


def fitted(source: FigureSource, plan: FigurePlan, width: int, height: int) -> Picture:
    """Return the figure as large as it fits into ``width`` × ``height`` pixels."""
    return fitted_figure(figure(source, plan), width, height)


def at_dpi(source: FigureSource, plan: FigurePlan, dpi: float) -> Picture:
    """Return the figure with this many pixels per inch of the printed figure."""
    return picture_of(figure(source, plan), dpi)


def fitted_figure(made: Figure, width: int, height: int, dpi: float | None = None) -> Picture:
    """Return a composed figure as large as it fits into ``width`` × ``height`` pixels, or with ``dpi`` dots per inch."""
    across, down = made.get_size_inches()
    return picture_of(made, dpi or min(width / across, height / down))


def picture_of(made: Figure, dpi: float) -> Picture:
    """Return a composed figure as a picture with this many dots per inch."""
    from engine.figures import boxes_in
    from engine.figures.style import settings

    stream = io.BytesIO()
    with settings():
        made.savefig(stream, format="png", dpi=max(10.0, dpi), facecolor=made.get_facecolor())
    across, down = (25.4 * float(side) for side in made.get_size_inches())
    return Picture(stream.getvalue(), across, down, boxes_in(made))


def caption(source: FigureSource, plan: FigurePlan) -> str:
    """Return the figure's caption for LaTeX."""
    from engine.figures import latex_caption

    subject = _subject(source, plan)
    return latex_caption(plan.panels_of(subject), _note(source, plan, subject.observation), letters=plan.letters)


def script_of(source: FigureSource, plan: FigurePlan) -> str:
    """Return a script that runs the attack again and draws the figure.

    Raises
    ------
    GibbonError
        No finished run is shown, or no script can run it.
    """
    from engine.errors import GibbonError
    from engine.record import Record
    from engine.script import as_python

    if source.entry is None:
        raise GibbonError("No finished run is shown, so there is nothing that a script could run again. Run an attack, or show a run.")
    return as_python(Record.model_validate(_provenance(source, plan, Path.cwd())))


def write_figure(source: FigureSource, plan: FigurePlan, path: Path) -> list[Path]:
    """Write the figure with its sidecar and, if the plan says so, the arrays; return the files."""
    from engine.figures import export, export_arrays

    written = list(export(figure(source, plan), path, _provenance(source, plan, path.parent)))
    if plan.arrays and source.entry is not None:
        from gui.session.run_mask import mask_of

        mask = mask_of(source.entry)
        written.append(export_arrays(path.with_suffix(".npz"), source.entry.result, 0, None if mask is None else mask.numpy()))
    return written


def _subject(source: FigureSource, plan: FigurePlan) -> Subject:
    from engine.explain import observe
    from engine.figures import Subject, explanations_in, subject_of

    explanations = explanations_in(plan.panels, source.explanations)
    if source.entry is not None:
        clean = source.entry.before.clean
        return subject_of(source.entry.result, 0, clean=clean, explanations=explanations, top=plan.top, bounds=source.bounds)
    assert source.frame is not None
    scene, seen = source.frame.scene, source.frame.observation
    held = [pair.explanation for pair in seen.explanations.values()]
    if any(explanation not in held for explanation in explanations):
        seen = observe(scene.classifier, seen.clean_image, seen.adversarial_image, bounds=scene.bounds, explanations=explanations)
    return Subject(seen, scene.classifier.labels, source.label, top=plan.top)


def _note(source: FigureSource, plan: FigurePlan, seen: Observation) -> str:
    """Return the figure's note; with bounds it includes their effect."""
    from gui.session.bounds import effect_text

    classifier = source.classifier
    under = effect_text(seen, classifier.labels, [site.name for site in classifier.sites])
    origin = _origin(source, plan.anonymous, seen)
    return f"{origin} {under}." if under else origin


def _origin(source: FigureSource, anonymous: bool, seen: Observation) -> str:
    from engine.figures import note_for
    from engine.figures.words import all_norms, model_sentence
    from gui.session.attack_verdict import measured_from

    if source.entry is not None:
        return note_for(source.entry.result, measured_from=measured_from(source.entry), anonymous=anonymous)
    assert source.frame is not None
    stickers = sum(sticker.visible for sticker in source.frame.scene.stickers)
    shown = {0: "No attack was run", 1: "1 sticker, as on the canvas"}.get(stickers, f"{stickers} stickers, as on the canvas")
    norms = f" Change, measured from the clean image: {all_norms(seen.norms)}." if seen.norms["linf"] > 0 else ""
    return f"{model_sentence(source.frame.scene.classifier, anonymous=anonymous)} {shown}.{norms}"


def _provenance(source: FigureSource, plan: FigurePlan, folder: Path) -> dict[str, Any]:
    settings: dict[str, Any] = {**plan.model_dump(mode="json"), "panels": plan.names, "caption": caption(source, plan)}
    if plan.note:
        settings["note_text"] = _note(source, plan, _subject(source, plan).observation)
    bounds = source.bounds if source.entry is not None or source.frame is None else source.frame.scene.bounds
    if bounds:
        settings["bounds"] = dict(bounds)
    settings |= _explained(plan.panels, source.explanations)
    if source.entry is not None:
        return provenance_of_run(source.entry, settings, plan.anonymous, folder)
    return _of_canvas(source, settings, plan.anonymous)


def _explained(panels: Sequence[str], chosen: tuple[Explanation, ...]) -> dict[str, Any]:
    from engine.figures import explanations_in

    explained = explanations_in(panels, chosen)
    return {"explanations": {each.slug: each.model_dump(mode="json") for each in explained}} if explained else {}


def provenance_of_run(entry: AttackRun, settings: dict[str, Any], anonymous: bool, folder: Path) -> dict[str, Any]:
    """Return the record of a run with the settings of what was made of it; an anonymous one says what was left out."""
    from engine.record import anonymous as without_names
    from gui.export.recording import record_of_entry
    from gui.session.run_mask import mask_of

    record = record_of_entry(entry, folder)
    if anonymous:
        record, left_out = without_names(record, entry.result.clean[0], mask_of(entry))
        settings = {**settings, "left_out": list(left_out)}
    return record.model_copy(update={"figure": settings}).to_json()


def _of_canvas(source: FigureSource, settings: dict[str, Any], anonymous: bool) -> dict[str, Any]:
    from engine.models import is_file

    assert source.frame is not None
    classifier, image = source.frame.scene.classifier, dict(source.image)
    model: dict[str, Any] = {"name": classifier.name, "source": classifier.source, "fingerprint": classifier.fingerprint}
    if anonymous:
        image = {"crop": image.get("crop")}
        settings = {**settings, "left_out": ["The name, path and hash of the image's file are left out."]}
        if is_file(classifier.source):
            model = {"fingerprint": classifier.fingerprint}
    stickers = [f"{each.title}: {place_words(each)}, {size_words(each)} px" for each in source.frame.scene.stickers if each.visible]
    return {"model": model, "image": image, "stickers": [] if anonymous else stickers, "figure": settings}
