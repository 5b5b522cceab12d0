"""AnimationSource: the run that an animation shows, with its small print and its provenance. Called in the engine threads."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.perturbation_view import PerturbationView

if TYPE_CHECKING:
    from engine.figures.animation import AnimationPlan, Film
    from engine.figures.animation.writing import Watch
    from gui.session.history import AttackRun


@dataclass(frozen=True, eq=False)
class AnimationSource:
    """A finished run with the iterates that it kept."""

    entry: AttackRun
    film: Film
    view: PerturbationView
    """How the window shows the perturbation."""

    @property
    def title(self) -> str:
        """The source in words, for the dialog."""
        return f"{self.entry.title} on {self.entry.image.get('name', 'image')}"

    @property
    def stem(self) -> str:
        """A file's name for the animation, without its suffix."""
        return f"{Path(str(self.entry.image.get('name', 'image'))).stem}-{self.entry.result.operation.slug}"

    def note(self, plan: AnimationPlan) -> str:
        """Return the small print."""
        from engine.figures import note_for
        from gui.session.attack_verdict import measured_from

        return note_for(self.entry.result, measured_from=measured_from(self.entry), anonymous=plan.anonymous)


def write_film(source: AnimationSource, plan: AnimationPlan, path: Path, watch: Watch) -> list[Path]:
    """Write the animation with its sidecar; return the files, none where ``watch`` cancelled."""
    from engine.figures.animation import export_animation
    from engine.figures.animation.writing import AnimationCancelled
    from gui.export.figure_source import provenance_of_run

    settings: dict[str, Any] = {"animation": plan.model_dump(mode="json")}
    provenance = provenance_of_run(source.entry, settings, plan.anonymous, path.parent)
    try:
        return list(export_animation(source.film, plan, path, provenance, note=source.note(plan), watch=watch))
    except AnimationCancelled:
        return []
