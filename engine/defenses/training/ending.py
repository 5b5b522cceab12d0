"""Ending: when a training ends before its last epoch, and which epoch's weights it keeps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.defenses.training.history import Epoch

_ROBUST = 0.2
"""Accuracy under the quick attack from which a fall to the half is a collapse, and not noise."""


@dataclass(frozen=True)
class Ending:
    """Rules that read the held-out accuracies of the finished epochs."""

    attacked: bool = False
    """Whether epochs are ranked by their accuracy under the quick attack, and not by the clean one."""
    stops_at_collapse: bool = False
    """Whether the training ends, with the weights of its best epoch, when the robustness collapses."""
    patience: int | None = None
    """Number of epochs without a better one, after which the training ends."""
    keeps_best: bool = False
    """Whether the weights of the best epoch are kept, and not those of the last."""

    def best(self, history: Sequence[Epoch]) -> int:
        """Return the index of the best epoch, the earliest of equals; the last one where nothing was measured."""
        scores = [epoch.attacked if self.attacked and epoch.attacked is not None else epoch.clean for epoch in history]
        known = [(score, index) for index, score in enumerate(scores) if score is not None]
        return max(known, key=lambda each: (each[0], -each[1]))[1] if known else len(history) - 1

    def kept(self, history: Sequence[Epoch]) -> int:
        """Return the index of the epoch whose weights are kept."""
        return self.best(history) if self.keeps_best or self.stops_at_collapse else len(history) - 1

    def keeps(self, history: Sequence[Epoch]) -> bool:
        """Return whether the weights of the newest epoch are to be kept, beside those in training."""
        return (self.keeps_best or self.stops_at_collapse) and self.best(history) == len(history) - 1

    def why(self, history: Sequence[Epoch]) -> str:
        """Return why the training ends after the newest epoch; empty: it does not."""
        if not history:
            return ""
        if self.patience is not None and len(history) - 1 - self.best(history) >= self.patience:
            return f"no better epoch in {self.patience}"
        held = [epoch.attacked for epoch in history if epoch.attacked is not None]
        if self.stops_at_collapse and held and max(held) >= _ROBUST and held[-1] < max(held) / 2:
            return "the robustness collapsed"
        return ""
