"""The stand-in for a classifier whose weights are not here: it answers with the logits that the study recorded, for those images alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from engine.classifier import Classifier
from engine.errors import GibbonError
from engine.record.schema import ModelEntry

_SAME = 1e-6
"""Largest difference of two pixels that are taken for the same: an image that was put together again may differ by rounding."""
_PROBES = 64
"""Pixels by which the recorded images are sifted before all pixels are compared."""


@dataclass(frozen=True, eq=False)
class Answer:
    """Logits that a classifier gave for images, so that they can be shown without the classifier."""

    images: Tensor
    """The images, ``(N, C, H, W)``."""
    logits: Tensor
    """The logits, ``(N, K)``."""


class RecordedLogits(nn.Module):
    """Returns the recorded logits of images that were recorded, and refuses every other image."""

    def __init__(self, entry: ModelEntry, classes: int, answers: Iterable[Answer]) -> None:
        super().__init__()
        self.entry = entry
        """The classifier that this stands for; a file's path is the full one."""
        shape = entry.input_shape
        self.answers = fitting = tuple(
            a for a in answers if tuple(a.images.shape[1:]) == shape and a.logits.shape == (len(a.images), classes)
        )
        pairs = (zip(answer.images.cpu(), answer.logits.cpu().float(), strict=True) for answer in fitting)
        self._rows = [row for rows in pairs for row in rows]
        pixels = shape[0] * shape[1] * shape[2]
        self._places: Tensor = torch.linspace(0, pixels - 1, min(_PROBES, pixels)).long()
        self._probes = torch.stack([self._probe(image) for image, _ in self._rows]) if self._rows else torch.zeros(0, len(self._places))

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits ``(N, K)`` of images ``(N, C, H, W)``.

        Raises
        ------
        GibbonError
            A gradient is asked for, or an image was not recorded.
        """
        if images.requires_grad and torch.is_grad_enabled():
            raise GibbonError(missing(self.entry.name))
        return torch.stack([self._row(image) for image in images.cpu()])

    def _probe(self, image: Tensor) -> Tensor:
        return image.reshape(-1).index_select(0, self._places).float()

    def _row(self, image: Tensor) -> Tensor:
        rows: list[tuple[Tensor, Tensor]] = self._rows
        near = ((self._probes - self._probe(image)).abs().amax(1) <= _SAME).nonzero().flatten().tolist() if rows else []
        for place in near:
            recorded, logits = rows[place]
            if bool(((recorded.double() - image.double()).abs() <= _SAME).all()):
                found: Tensor = logits
                return found
        raise GibbonError(missing(self.entry.name))

    def __repr__(self) -> str:
        return f"RecordedLogits({self.entry.name!r})"


def missing(name: str) -> str:
    """Return the sentence for a use of a model whose weights are not here."""
    return f"The model “{name}” of this study is not loaded, so only what was recorded can be shown. Open the model to go on."


def stand_in(entry: ModelEntry, labels: tuple[str, ...], answers: Iterable[Answer]) -> Classifier:
    """Return a classifier with name, classes and fingerprint of another one, which knows the recorded answers alone.

    Its inspection, which takes random images, is left out: `Classifier.unseen` builds it.

    Raises
    ------
    GibbonError
        The shape is none that images could have.
    """
    if any(side < 1 or side > 1 << 16 for side in entry.input_shape):
        raise GibbonError(f"its model “{entry.name}” takes images of {entry.input_shape}")
    return Classifier.unseen(
        RecordedLogits(entry, len(labels), answers),
        labels,
        entry.input_shape,
        name=entry.name,
        fingerprint=entry.fingerprint,
        source=entry.source,
        card={"notes": [missing(entry.name)]},
    )


def is_recorded(classifier: Classifier | None) -> bool:
    """Return whether a classifier is such a stand-in."""
    return classifier is not None and classifier.stands_in
