"""Numbers of a robustness curve: accuracies at every eps with their intervals, and the mean smallest perturbation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from engine.artifacts import Axis, Curve, Table, Unit
from engine.evaluate.batch.summary import Share
from engine.evaluate.curves.search import Norms
from engine.evaluate.trust import MARK, SIGNS, Light

EPS, ACCURACY = Axis("eps", "eps"), Axis("robust accuracy", "share")


@dataclass(frozen=True, eq=False)
class ModelNorms:
    """The smallest perturbations of one model, or the sentence that says why there are none."""

    name: str
    norms: Norms | None = None
    error: str = ""
    lights: tuple[Light, ...] = ()
    """The trust lights that the finished search decides, in the order of `engine.evaluate.trust.SIGNS`."""

    def accuracy(self, eps: float) -> Share:
        """Return the robust accuracy at ``eps``, over all images but the attack errors; at 0 that on the clean images."""
        if self.norms is None:
            return Share(0, 0)
        return Share(int(self.norms.robust(eps).sum()), int((~self.norms.failed).sum()))

    def mean(self, relative: bool = False) -> float | None:
        """Return the mean norm of the smallest perturbations that were found, the empirical robustness; relative to each image's norm.

        Images that were misread before have none, nor have those on which the attack failed, so that the mean of a model that holds out
        counts its weaker images alone: read it beside the number of images behind it.
        """
        if self.norms is None or not bool(self.norms.found.any()):
            return None
        values = self.norms.relative if relative else self.norms.sizes
        return float(values[self.norms.found].mean())

    def median(self) -> float | None:
        """Return the median of the smallest perturbations over the images that were right before; None: more than half held out."""
        if self.norms is None:
            return None
        right = self.norms.smallest[(self.norms.smallest > 0) & ~self.norms.failed]
        middle = float(right.sort().values[(len(right) - 1) // 2]) if len(right) else float("inf")
        return middle if middle < float("inf") else None


def curve(models: Sequence[ModelNorms], radii: Tensor, title: str) -> Curve:
    """Return the accuracies over ``radii`` ``(T,)``, a line for each model."""
    lines = {model.name: _values([model.accuracy(float(eps)) for eps in radii]) for model in models if model.norms is not None}
    return Curve(radii, lines, title, EPS, ACCURACY)


def intervals(models: Sequence[ModelNorms], radii: Tensor) -> Curve:
    """Return the ends of Wilson's 95 % intervals of `curve`, two lines for each model: ``NAME, low`` and ``NAME, high``."""
    lines: dict[str, Tensor] = {}
    for model in models:
        if model.norms is not None:
            ends = torch.tensor([model.accuracy(float(eps)).interval for eps in radii], dtype=torch.float64).reshape(-1, 2)
            lines |= {f"{model.name}, low": ends[:, 0], f"{model.name}, high": ends[:, 1]}
    return Curve(radii, lines, "95 % intervals of the robust accuracy", EPS, ACCURACY)


def summary(models: Sequence[ModelNorms]) -> Table:
    """Return a row for each model: accuracy, how many images were fooled, and their smallest perturbations."""
    shares = ("clean accuracy", "low", "high")
    columns = ("model", "images", *shares, "fooled", "held out", "median", "mean norm", "mean relative norm", "note")
    rows: list[tuple[Any, ...]] = []
    for model in models:
        if model.norms is None:
            rows.append((model.name, *(None,) * 9, model.error))
            continue
        clean, found = model.accuracy(0.0), int(model.norms.found.sum())
        errors = int(model.norms.failed.sum())
        notes = [f"{errors} attack errors are left out"] if errors else []
        notes += [f"{MARK} {light.sign.title}" for light in model.lights if light.on]
        facts = (found, clean.hits - found, model.median(), model.mean(), model.mean(relative=True))
        rows.append((model.name, clean.of, clean.value, *clean.interval, *facts, "; ".join(notes) or None))
    units: dict[str, Unit] = {**dict.fromkeys(shares, "share"), "median": "eps", "mean norm": "eps"}
    return Table(columns, tuple(rows), "Smallest perturbations", units=units)


def lights_table(models: Sequence[ModelNorms]) -> Table:
    """Return a row for each trust light that was decided for each model; meaning and cure stand where one is on."""
    rows = []
    for model in models:
        for light in model.lights:
            said = (light.sign.meaning, light.sign.cure) if light.on else ("", "")
            rows.append((model.name, light.sign.slug, light.sign.title, light.state, light.measured, *said))
    columns = ("model", "light", "name", "state", "measured", "meaning", "cure")
    return Table(columns, tuple(rows), "Trust lights")


def lights_in(table: Table) -> list[tuple[str, Light]]:
    """Return the lights of such a table, each with the name of its model; their figures are in words."""
    return [(name, Light(SIGNS[slug], state, why=measured)) for name, slug, _, state, measured, *_ in table.rows]


def by_image(models: Sequence[ModelNorms], labels: Sequence[str]) -> Table:
    """Return a row for each image: its class, and its smallest perturbation on each model. Empty: it held out, or there is no number."""
    known = [model for model in models if model.norms is not None]
    rows = []
    for index, label in enumerate(labels):
        cells = (float(model.norms.smallest[index]) for model in known if model.norms is not None)
        rows.append((index, label, *(None if cell == float("inf") else cell for cell in cells)))
    return Table(("image", "label", *(model.name for model in known)), tuple(rows), "Smallest perturbation of each image")


def _values(shares: Sequence[Share]) -> Tensor:
    return torch.tensor([float("nan") if share.value is None else share.value for share in shares], dtype=torch.float64)
