"""What a figure is made of, its preview and its files. All but the values is called in the engine thread."""

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
"""Millimetres."""


@dataclass(frozen=True)
class Plan:
    """What was chosen."""

    panels: tuple[str, ...] = ("clean", "adversarial", "perturbation", "bars")
    layer: str = ""
    """Of the histogram; nothing: the one whose largest activation grew the most."""
    width_mm: float = 174.0
    dark: bool = False
    letters: bool = True
    note: bool = True
    arrays: bool = False

    @property
    def names(self) -> list[str]:
        """Panels as the engine names them."""
        return [f"histogram:{self.layer}" if name == "histogram" and self.layer else name for name in self.panels]


@dataclass(frozen=True, eq=False)
class Source:
    """What the figure shows: a finished run, or what is on the canvas without one."""

    entry: AttackRun | None = None
    frame: Frame | None = None
    label: int | None = None
    image: Mapping[str, Any] = field(default_factory=dict)
    bounds: Mapping[str, float] = field(default_factory=dict)
    """Under which a run's images are looked at a second time; the frame has its own."""
    explanations: tuple[Explanation, ...] = ()
    """Those that the window shows, with their parameters; a figure shows others with their defaults."""

    @property
    def classifier(self) -> Classifier:
        """That of the run, else of the frame."""
        if self.entry is not None:
            return self.entry.result.classifier
        assert self.frame is not None
        return self.frame.scene.classifier

    @property
    def title(self) -> str:
        """In words."""
        name = str((self.entry.image if self.entry else self.image).get("name", "image"))
        return f"{self.entry.title} on {name}" if self.entry else f"{name}, as it is on the canvas (no finished run is shown)"


def figure(source: Source, plan: Plan) -> Figure:
    """Compose it.

    Raises
    ------
    GibbonError
        A panel cannot be made, or the width holds none.
    """
    from engine.figures import compose, explanations_in, panels_of

    subject = _subject(source, explanations_in(plan.panels, source.explanations))
    note = _note(source, subject.observation) if plan.note else ""
    return compose(panels_of(subject, plan.names), width_mm=plan.width_mm, dark=plan.dark, note=note, letters=plan.letters)


def preview(source: Source, plan: Plan, width: int) -> bytes:
    """The figure as a PNG of ``width`` pixels."""
    made = figure(source, plan)
    stream = io.BytesIO()
    made.savefig(stream, format="png", dpi=width / made.get_size_inches()[0], facecolor=made.get_facecolor())
    return stream.getvalue()


def write(source: Source, plan: Plan, path: Path) -> list[Path]:
    """Write the figure with its sidecar, and the arrays where they are wanted; what was written."""
    from engine.figures import export, export_arrays

    written = list(export(figure(source, plan), path, _provenance(source, plan, path.parent)))
    if plan.arrays and source.entry is not None:
        from gui.export.recording import mask_of

        mask = mask_of(source.entry)
        written.append(export_arrays(path.with_suffix(".npz"), source.entry.result, 0, None if mask is None else mask.numpy()))
    return written


def _subject(source: Source, explanations: Sequence[Explanation]) -> Subject:
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


def _note(source: Source, seen: Observation) -> str:
    """The small print; under a bound with what that costs and undoes."""
    from gui.session.bounds import effect_text

    classifier = source.classifier
    under = effect_text(seen, classifier.labels, [site.name for site in classifier.sites])
    return f"{_made(source)} {under}." if under else _made(source)


def _made(source: Source) -> str:
    from engine.figures import note_for

    if source.entry is not None:
        return note_for(source.entry.result)
    assert source.frame is not None
    stickers = len(source.frame.scene.stickers)
    shown = {0: "No attack was run", 1: "1 sticker, as on the canvas"}.get(stickers, f"{stickers} stickers, as on the canvas")
    return f"Model {source.frame.scene.classifier.name}. {shown}."


def _provenance(source: Source, plan: Plan, folder: Path) -> dict[str, Any]:
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
    stickers = [f"{s.title}: x {s.x}, y {s.y}, {s.width} x {s.height} px" for s in source.frame.scene.stickers]
    return {"model": model, "image": dict(source.image), "stickers": stickers, "figure": settings}
