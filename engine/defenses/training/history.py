"""The history of a training: the figures of each epoch, and their curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from engine.artifacts import Axis, Curve

NAN = float("nan")


@dataclass(frozen=True)
class Epoch:
    """Averages of a finished epoch of training, and what was measured at its end."""

    epoch: int
    """Number of the epoch, counted from 1."""
    loss: float
    """Mean loss of its batches."""
    accuracy: float
    """Mean accuracy of its batches, before each update of the weights, on the rows that the recipe made."""
    clean: float | None = None
    """Accuracy on the held-out images; None: there are none."""
    attacked: float | None = None
    """Accuracy on the held-out images under the quick attack; None: it was not run."""
    maxima: Mapping[str, float] = field(default_factory=dict)
    """The largest activation of each site on held-out images."""
    bounds: Mapping[str, float] = field(default_factory=dict)
    """The upper bound of each bounded rectifier."""
    seconds: float = field(default=0.0, compare=False)
    """Duration of the epoch with its measurement. No two runs have the same."""

    @classmethod
    def restored(cls, facts: Mapping[str, Any]) -> Epoch:
        """Return the epoch that `dataclasses.asdict` described."""
        return cls(**facts)


def curves(history: Sequence[Epoch]) -> dict[str, Curve]:
    """Return the curves of finished epochs: "history" (loss and accuracies), and, where there are any, "activations" and "bounds"."""
    x = torch.tensor([epoch.epoch for epoch in history])
    axis = Axis("epoch", "step")
    lines = {name: _line([getattr(epoch, name) for epoch in history]) for name in ("loss", "accuracy", "clean", "attacked")}
    measured = {name: line for name, line in lines.items() if name in ("loss", "accuracy") or not line.isnan().all()}
    found = {"history": Curve(x, measured, "Training", axis)}
    for name, title in (("maxima", "Largest activations"), ("bounds", "Upper bounds")):
        sites = dict.fromkeys(site for epoch in history for site in getattr(epoch, name))
        values = {site: _line([getattr(epoch, name).get(site) for epoch in history]) for site in sites}
        if values:
            found["activations" if name == "maxima" else name] = Curve(x, values, title, axis)
    return found


def _line(values: Sequence[float | None]) -> torch.Tensor:
    return torch.tensor([NAN if value is None else value for value in values])
