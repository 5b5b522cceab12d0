"""StartImage: an image that an attack begins at, as a classifier takes it. No Qt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gui.session.scene import to_pixels

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from engine import Classifier
    from engine.images import Photograph


@dataclass(frozen=True, eq=False)
class StartImage:
    """An image to begin at."""

    image: Tensor
    """``(C, H, W)`` on the CPU."""
    pixels: np.ndarray
    name: str
    prediction: int
    """The class that the classifier takes it for."""
    photograph: Photograph | None = None
    """The picture that it was cropped from, to crop it anew for another model."""


def start_image(image: Tensor, classifier: Classifier, name: str, photograph: Photograph | None = None) -> StartImage:
    """The image with what the classifier takes it for. Called in the engine thread."""
    return StartImage(image, to_pixels(image), name, int(classifier.predict(image[None])[0]), photograph)
