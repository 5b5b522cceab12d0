"""Label smoothing: the network is trained not to be certain."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import torch

from engine.defenses.objectives.batch import Batch, Trainee
from engine.defenses.objectives.objective import Family, Objective
from engine.errors import GibbonError
from engine.parameters import method


class LabelSmoothing(Objective):
    """Train towards ``confidence`` for the label and ``(1 - confidence) / (K - 1)`` for each of the other classes.

    torch's own ``label_smoothing=s`` gives ``1 - s + s / K`` to the label: it is the same for ``s = (1 - confidence) * K / (K - 1)``.
    """

    slug: ClassVar[str] = "label-smoothing"
    title: ClassVar[str] = "Label smoothing"
    family: ClassVar[Family] = "Targets"
    paper: ClassVar[str] = "Szegedy et al. 2015, arXiv 1512.00567; Warde-Farley, Goodfellow 2016"

    confidence: float = method(0.9, gt=0.0, le=1.0)
    """The probability that the label shall get."""

    def check(self, batch_size: int, classes: int) -> None:
        """Refuse a confidence that is no more than the other classes get."""
        if self.confidence <= 1.0 / classes:
            raise GibbonError(
                f"{self.title}: with {classes} classes a confidence of {self.confidence:g} prefers the wrong ones. "
                f"Give more than 1/{classes}."
            )

    def rows(self, batch: Batch, trainee: Trainee) -> Batch:
        """Give every row the probabilities that the network shall learn."""
        others = (1.0 - self.confidence) / (trainee.classes - 1)
        targets = torch.full((len(batch.labels), trainee.classes), others, device=batch.images.device)
        return replace(batch, targets=targets.scatter(1, batch.labels[:, None], self.confidence))
