"""Saving: an 8-bit PNG, read back and classified again before anything is said about it."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from engine.errors import GibbonError
from engine.files import replacing
from engine.images.photograph import open_image
from engine.quantities import format_probability

if TYPE_CHECKING:
    from engine.operation import Operation
    from engine.result import AttackResult


@dataclass(frozen=True)
class SavedImage:
    """What the classifier says of an adversarial image once it is a file."""

    path: Path
    prediction: int
    prediction_name: str
    probability: float
    """Of ``prediction``, by softmax."""
    was_adversarial: bool
    """Before it was rounded to 8 bits."""
    still_adversarial: bool
    cure: str = "Attack with a larger eps or more steps."
    """What to do where rounding undid the attack."""

    @property
    def sentence(self) -> str:
        """The verdict in words."""
        if math.isnan(self.probability):
            return f"Read back from {self.path.name}, the image has no prediction: the model gives NaN. Look at the model."
        read = f"Read back from {self.path.name}, the image is “{self.prediction_name}” ({format_probability(self.probability)})"
        if self.still_adversarial:
            return f"{read}: still adversarial."
        if self.was_adversarial:
            return f"{read}: no longer adversarial, rounding to 8 bits undid the attack. {self.cure}"
        return f"{read}: not adversarial, as before saving."


def _cure(operation: Operation) -> str:
    """What helps an attack against rounding: attacks that seek the nearest image have no eps to enlarge."""
    fields = type(operation).model_fields
    if "eight_bit" in fields and not getattr(operation, "eight_bit", False):
        return "“Result: eight bit” keeps it (--eight-bit yes)."
    wider = [
        words for name, words in (("eps", "a larger eps"), ("confidence", "more confidence"), ("steps", "more steps")) if name in fields
    ]
    return f"Attack with {' or '.join(wider)}." if wider else "Another seed may find an image that rounding keeps."


def write_png(path: str | Path, image: Tensor, text: Mapping[str, str] | None = None) -> Path:
    """Write ``image`` as an 8-bit PNG; nobody ever sees half a file.

    Parameters
    ----------
    path
        Ends in ``.png``; the suffix is added where there is none.
    image
        ``(C, H, W)`` in [0, 1] with 1 or 3 channels, rounded to k/255.
    text
        Keywords and texts for the file's metadata.

    Raises
    ------
    GibbonError
        The shape or the range is another, the suffix belongs to another format, or the folder cannot be written.
    """
    from PIL import Image, PngImagePlugin

    path = _png(Path(path).expanduser())
    if image.dim() != 3 or image.shape[0] not in (1, 3):
        raise GibbonError(f"The image has shape {tuple(image.shape)}, but (1, H, W) or (3, H, W) is needed to save it.")
    values = (image.detach().cpu().double() * 255).round()
    if not (float(values.min()) >= 0 and float(values.max()) <= 255):  # NaN fails this, too
        raise GibbonError(f"The image reaches from {float(image.min()):.3g} to {float(image.max()):.3g}, but [0, 1] is needed to save it.")
    levels = values.byte().permute(1, 2, 0).numpy()
    info = PngImagePlugin.PngInfo()
    for keyword, value in (text or {}).items():
        info.add_itxt(keyword, value)
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(levels[:, :, 0] if len(image) == 1 else levels)).save(buffer, "PNG", pnginfo=info)
    with replacing(path) as staged:
        staged.write_bytes(buffer.getvalue())
    return path


def save_adversarial(result: AttackResult, row: int, path: str | Path, text: Mapping[str, str] | None = None) -> SavedImage:
    """Write one adversarial image as PNG, read the file again, classify it again, and say whether it is still adversarial.

    Raises
    ------
    GibbonError
        There is no such row, or the file cannot be written.
    """
    if not 0 <= row < len(result.adversarial):
        raise GibbonError(f"The result has no row {row}: it holds {len(result.adversarial)}, counted from 0.")
    written = write_png(path, result.adversarial[row], text)
    classifier = result.classifier
    image = open_image(written).crop_to(classifier).to(classifier.device, classifier.dtype)
    with torch.no_grad():
        probabilities = classifier(image[None])[0].softmax(0)
    prediction = int(probabilities.argmax())
    wanted = int((result.labels if result.targets is None else result.targets)[row])
    succeeds = prediction != wanted if result.targets is None else prediction == wanted
    return SavedImage(
        path=written,
        prediction=prediction,
        prediction_name=classifier.labels[prediction],
        probability=float(probabilities[prediction]),
        was_adversarial=bool(result.success[row]),
        still_adversarial=succeeds and not bool(result.failed[row]) and not bool(probabilities.isnan().any()),
        cure=_cure(result.operation),
    )


def _png(path: Path) -> Path:
    if not path.suffix:
        return path.with_suffix(".png")
    if path.suffix.lower() != ".png":
        raise GibbonError(f"An adversarial image is saved as PNG only: {path.suffix} may change its pixels. Name it {path.stem}.png.")
    return path
