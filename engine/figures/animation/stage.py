"""Stage: the page of an animation, composed once; for every frame only what moves is painted over it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.channels import channel_names, limit_of, maps_of, view_of
from engine.errors import GibbonError
from engine.figures.animation.film import Film, Shot
from engine.figures.animation.movers import BarsMover, LossMover, Mover, PictureMover, TextMover, colours_of, pixels_of
from engine.figures.animation.plan import AnimationPlan
from engine.figures.bars import BarsPanel
from engine.figures.compose import begin, draw
from engine.figures.fonts import set_in
from engine.figures.layout import Placed, Sheet, arrange
from engine.figures.page import Page
from engine.figures.panels import Array, ColourMapPanel, FigurePanel, ImagePanel, SignedMapPanel
from engine.figures.plots import LossPanel
from engine.figures.style import ADVERSARIAL, CLEAN, MM, percent, settings, wrap
from engine.figures.words import GROWN, main_norms

Pixels = NDArray[np.uint8]
_WIDTH_MM = 140.0
"""Width of the page that a frame of the usual width is, so that its text is legible in a talk."""
_USUAL_PX = 960
"""Narrower frames are narrower pages, so that their text is not smaller; below a share of the width they would become strips."""
_NARROWEST = 0.6


@dataclass(frozen=True, eq=False)
class _Part:
    """A panel of the page, with its caption in every shot."""

    kind: str
    panel: FigurePanel
    captions: tuple[str, ...] = ()
    """None for what stands still."""
    channel: int = 0


class Stage:
    """Paints the shots of a film on one page with common scales.

    Parameters
    ----------
    film
        The iterates of an attack.
    plan
        Panels, size and times.
    note
        The small print.
    """

    def __init__(self, film: Film, plan: AnimationPlan, note: str = "") -> None:
        plan.check()
        self.film, self.plan = film, plan
        self.shots = film.chosen(plan)
        """The iterates that are shown, one for each frame."""
        kinds = [name for name in plan.panels if not (film.grown and name == "perturbation")]
        if not kinds:
            raise GibbonError(f"{GROWN} Choose another panel.")
        with set_in(plan.font):
            parts = [part for kind in kinds for part in self._parts(kind, kind == _teller(kinds))]
            sheet, parts = self._arranged(parts, note if plan.note else "")
            self._sheet = sheet
            with settings(sheet.theme, sheet.scale):
                self._build(sheet, parts)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of a frame in pixels; both even, as video needs."""
        across, down = self._page.figure.canvas.get_width_height()
        return across + across % 2, down + down % 2

    def frame(self, place: int) -> Pixels:
        """Paint the frame of the shot with this place in ``shots``, ``(H, W, 3)`` uint8."""
        canvas: Any = self._page.figure.canvas
        with set_in(self.plan.font), settings(self._sheet.theme, self._sheet.scale):
            canvas.restore_region(self._background)
            for mover in self._movers:
                mover.draw(place, canvas.get_renderer())
        painted = np.asarray(canvas.buffer_rgba())[..., :3]
        across, down = self.size
        frame: Pixels = np.pad(painted, ((0, down - len(painted)), (0, across - painted.shape[1]), (0, 0)), mode="edge")
        for mover in self._movers:
            mover.paint(place, frame)
        return frame

    def frames(self) -> Iterator[Pixels]:
        """Paint the frames one after the other."""
        return (self.frame(place) for place in range(len(self.shots)))

    def durations(self) -> list[int]:
        """Return the time of every frame in milliseconds, with the flip and the end held."""
        times = [1000 / self.plan.fps] * len(self.shots)
        for place, shot in enumerate(self.shots):
            if shot.index == self.film.flip:
                times[place] = max(times[place], 1000 * self.plan.hold_flip)
        times[-1] = max(times[-1], 1000 * self.plan.hold_end)
        return [max(20, round(time / 10) * 10) for time in times]  # GIF counts in hundredths of a second

    # ------------------------------------------------------------------ the panels

    def _parts(self, kind: str, tells: bool) -> list[_Part]:
        captions = tuple("\n".join([*self._says(kind, shot), *([self._step(shot)] if tells else [])]) for shot in self.shots)
        if kind == "clean":
            return [_Part(kind, self._clean())]
        if kind == "adversarial":
            return [_Part(kind, ImagePanel(title="Adversarial", image=self.shots[-1].image, frame=ADVERSARIAL), captions)]
        if kind == "perturbation":
            panels = self._perturbation()
            return [_Part(kind, panel, captions if place == 0 else (), place) for place, panel in enumerate(panels)]
        return [_Part(kind, self._bars() if kind == "bars" else self._loss(), captions)]

    def _clean(self) -> FigurePanel:
        film = self.film
        assumed = " (assumed)" if film.label_assumed else ""
        lines = [_prediction(film, film.clean_probabilities)]
        if film.began is not None:
            lines.append(f"with stickers: {_prediction(film, film.began)}")
        lines.append(f"label: {film.names[film.label]}{assumed}")
        return ImagePanel(title="Clean", caption="\n".join(lines), image=film.clean, frame=CLEAN)

    def _perturbation(self) -> list[FigurePanel]:
        """Return the panels of the perturbation on a scale that is common to all frames, so that colours can be compared."""
        view, clean = self.plan.view, self.film.clean
        deltas = [shot.image - clean for shot in self.film.shots]
        self._limit = max(limit_of(delta, view, self.plan.gain) for delta in deltas)
        if view_of(len(clean), view) == "colour":
            widest = max(deltas, key=lambda delta: float(np.abs(delta).max()))  # it marks the ends of the scale where any frame exceeds it
            return [ColourMapPanel(title="Perturbation", values=widest, limit=self._limit)]
        extent = (min(float(delta.min()) for delta in deltas), max(float(delta.max()) for delta in deltas))
        maps = maps_of(deltas[-1], view)
        titles = [f"Perturbation, {name}" for name in channel_names(len(maps))] if len(maps) > 1 else ["Perturbation"]
        return [
            SignedMapPanel(title=title, values=values, low=-self._limit, high=self._limit, extent=extent)
            for title, values in zip(titles, maps, strict=True)
        ]

    def _bars(self) -> FigurePanel:
        film = self.film
        panel = BarsPanel(
            title="Prediction",
            names=film.names,
            clean=film.clean_probabilities,
            adversarial=np.max([shot.probabilities for shot in self.shots], axis=0),
            label=film.label,
            label_assumed=film.label_assumed,
            target=film.target,
            top=self.plan.top,
            still=True,
        )
        return replace(panel, shown=tuple(panel.classes()))  # the likeliest of any frame, so that no class changes its place

    def _loss(self) -> FigurePanel:
        shots = self.film.shots
        return LossPanel(
            title="Loss",
            loss=np.array([shot.loss for shot in shots], np.float32),
            steps=np.array([shot.index for shot in shots], np.float32),
            flipped_at=self.film.flip,
            y_label=self.film.loss_name,
            most_mm=24.0,
        )

    # ------------------------------------------------------------------ captions

    def _says(self, kind: str, shot: Shot) -> list[str]:
        if kind == "adversarial":
            return [f"{self.film.names[shot.prediction]}, {percent(float(shot.probabilities[shot.prediction]))}"]
        if kind == "perturbation":
            delta = (shot.image - self.film.clean).astype(np.float64)
            return [main_norms({"linf": float(np.abs(delta).max()), "l2": float(np.sqrt((delta**2).sum()))})]
        return [f"{self.film.loss_name} {f'{shot.loss:.3g}'.replace('-', '−')}"] if kind == "loss" else []

    def _step(self, shot: Shot) -> str:
        reached = "" if not shot.success or self.film.flip is None else ", target reached" if self.film.target is not None else ", flipped"
        return f"step {shot.index:,} of {self.film.shots[-1].index:,}{reached}"

    def _arranged(self, parts: list[_Part], note: str) -> tuple[Sheet, list[_Part]]:
        """Find a place for everything, with room for the longest caption of every panel."""

        def arranged() -> Sheet:
            width = _WIDTH_MM * min(1.0, max(_NARROWEST, self.plan.width_px / _USUAL_PX))
            panels = [part.panel for part in parts]
            return arrange(panels, width_mm=width, dark=self.plan.dark, note=note, letters=False)

        sheet = arranged()
        for place, part in enumerate(parts):
            if part.captions:
                width = sheet.placed[place].box.width
                longest = max(part.captions, key=lambda caption: len(wrap(caption, width)) if caption else 0)
                parts[place] = replace(part, panel=replace(part.panel, caption=longest))
        return arranged(), parts

    # ------------------------------------------------------------------ drawing

    def _build(self, sheet: Sheet, parts: Sequence[_Part]) -> None:
        self._page = page = begin(sheet)
        page.figure.set_dpi(self.plan.width_px / (sheet.width * sheet.scale * MM))
        self._movers: list[Mover] = []
        for part, placed in zip(parts, sheet.placed, strict=True):
            draw(page, placed, caption=not part.captions)
            self._movers += self._moving(page, part, placed)
        canvas: Any = page.figure.canvas
        canvas.draw()
        self._background = canvas.copy_from_bbox(page.figure.bbox)
        for mover in self._movers:
            mover.begin(page)

    def _moving(self, page: Page, part: _Part, placed: Placed) -> list[Mover]:
        movers: list[Mover] = [TextMover(placed, part.captions)] if part.captions else []
        shots = self.shots
        if part.kind == "adversarial":
            movers.append(PictureMover(placed.box, lambda place: pixels_of(shots[place].image)))
        elif part.kind == "perturbation":
            movers.append(PictureMover(placed.box, lambda place: self._delta(shots[place], part.channel)))
        elif isinstance(part.panel, BarsPanel):
            movers.append(BarsMover(part.panel.entries(placed.box), [shot.probabilities for shot in shots]))
        elif part.kind == "loss":
            movers.append(LossMover(page.figure.axes[-1], [(shot.index, shot.loss) for shot in shots]))
        return movers

    def _delta(self, shot: Shot, channel: int) -> Pixels:
        delta = shot.image - self.film.clean
        if view_of(len(delta), self.plan.view) == "colour":
            return pixels_of(0.5 + delta / (2 * self._limit))
        return colours_of(maps_of(delta, self.plan.view)[channel], self._limit)


def _prediction(film: Film, probabilities: Array) -> str:
    best = int(probabilities.argmax())
    return f"{film.names[best]}, {percent(float(probabilities[best]))}"


def _teller(kinds: Sequence[str]) -> str:
    """Return the panel whose caption tells the step."""
    return next((kind for kind in ("adversarial", "loss", "perturbation", "bars") if kind in kinds), "")
