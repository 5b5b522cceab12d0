"""StartImage: the image that an attack begins at, in the classifier's shape. No Qt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gui.session.scene import to_pixels
from gui.session.stand_in import is_stand_in

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from engine import Classifier
    from engine.images import Photograph


@dataclass(frozen=True, eq=False)
class StartImage:
    """The image that an attack begins at, with its prediction."""

    image: Tensor
    """``(C, H, W)`` on the CPU."""
    pixels: np.ndarray
    name: str
    prediction: int | None
    """The class that the classifier predicts for the image; None if it was not asked."""
    photograph: Photograph | None = None
    """The photograph that the image was cropped from, kept to crop it again for another model."""


def start_image(image: Tensor, classifier: Classifier, name: str, photograph: Photograph | None = None) -> StartImage:
    """Return the start image with the classifier's prediction, if its weights are loaded. Called in the engine thread."""
    prediction = None if is_stand_in(classifier) else int(classifier.predict(image[None])[0])
    return StartImage(image, to_pixels(image), name, prediction, photograph)
