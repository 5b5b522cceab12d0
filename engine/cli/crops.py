"""Option ``--crop``: the part of a photograph that the model receives, and whether its published accuracy applies to that part."""

from __future__ import annotations

from engine.classifier import Classifier
from engine.cli.options import rectangle
from engine.errors import GibbonError
from engine.images import Crop, Photograph, published_crop


def chosen_crop(text: str | None, photograph: Photograph, classifier: Classifier) -> tuple[Crop, tuple[str, ...]]:
    """Return the crop that ``text`` names, and a sentence where the card's accuracy applies to another crop.

    Parameters
    ----------
    text
        "left,top,width,height" or "published". None: the largest central one.
    photograph, classifier
        The photograph to crop, and the classifier that receives it.

    Raises
    ------
    GibbonError
        ``text`` is neither, or is "published" while the model's card names no crop.
    """
    published = published_crop(photograph, classifier)
    if text is not None and text.strip().casefold() == "published":
        if published is None:
            raise GibbonError(
                f"The card of “{classifier.name}” says no published crop. Give --crop left,top,width,height, or leave it out for the "
                "largest in the middle."
            )
        return published, ()
    used = photograph.default_crop(classifier) if text is None else Crop(*rectangle(text, "crop"))
    _, height, width = classifier.input_shape
    # An image of the input size was made for the model: nothing is cropped or resized.
    if published is None or used == published or photograph.size == (width, height) or classifier.card.get("published_accuracy") is None:
        return used, ()
    return used, (
        f"The card's accuracy belongs to the crop {published.width} × {published.height} in the middle; --crop published uses it.",
    )
