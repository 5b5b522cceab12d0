"""The crop of a photograph in the published evaluation of a model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.images.photograph import Crop, Photograph, shape_taken_by

if TYPE_CHECKING:
    from engine.classifier import Classifier


def published_crop(photograph: Photograph, classifier: Classifier) -> Crop | None:
    """Return the central square of ``photograph`` that torchvision's preprocessing keeps.

    torchvision resizes the shorter side to ``resize`` and the longer one to ``int(resize * longer / shorter)`` pixels, then keeps ``crop *
    crop`` pixels from ``round((side - crop) / 2)`` on. The square is ``crop * shorter / resize`` pixels of the photograph wide.

    Parameters
    ----------
    photograph
        The photograph, of any size.
    classifier
        The classifier, whose card gives ``resize`` and ``crop`` in pixels.

    Returns
    -------
    Crop or None
        None where the card gives neither, or where the classifier does not take squares.
    """
    _, rows, columns = shape_taken_by(classifier)
    resize, crop = classifier.card.get("resize"), classifier.card.get("crop")
    if not isinstance(resize, int) or not isinstance(crop, int) or not 0 < crop <= resize or rows != columns:
        return None
    shorter = min(photograph.size)
    side = max(1, round(crop * shorter / resize))
    left, top = (min(round(_offset(length, shorter, resize, crop)), length - side) for length in photograph.size)
    return Crop(left, top, side, side)


def _offset(length: int, shorter: int, resize: int, crop: int) -> float:
    """Return the start of the crop along a side of ``length`` pixels, in pixels of the photograph."""
    resized = int(resize * length / shorter)
    return round((resized - crop) / 2) * length / resized
