"""Checks that images, labels, targets and mask fit the classifier; each refusal names the cause and the remedy."""

from __future__ import annotations

import numbers
import reprlib
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from engine.balls import L0
from engine.classifier import Classifier
from engine.errors import GibbonError
from engine.text.formatting import in_grey_levels

if TYPE_CHECKING:
    from engine.operation import Attack

_SLACK = 1e-4
"""Tolerance outside [0, 1] for rounding errors; values further out have another unit."""


def check_goal(attack: Attack, classifier: Classifier) -> None:
    """Refuse a classifier that has a single class, and a radius whose ball contains every image.

    Raises
    ------
    GibbonError
        The classifier has one class, or the ball exceeds the range of pixels, so that grey levels were meant.
    """
    ball = attack.ball()
    if classifier.num_classes < 2:
        raise GibbonError(f"“{classifier.name}” has one class only, so there is no other to attack towards. Load a model with two or more.")
    if ball is None:
        return
    whole = ball.widest(classifier.input_shape)
    eps = float(ball.eps.max()) if isinstance(ball.eps, Tensor) else ball.eps
    if eps > whole:
        if isinstance(ball, L0):
            raise GibbonError(f"pixels = {eps:g} is more than the image has, which is {whole:g}. Give fewer pixels.")
        cure = in_grey_levels(eps)
        raise GibbonError(f"eps = {eps:g} is more than the whole range of the image, {whole:g} in {type(ball).__name__}. {cure}")


def checked_images(images: Tensor, classifier: Classifier, what: str = "images") -> Tensor:
    """Return ``images`` on the classifier's device and in its type, clamped to exactly [0, 1]."""
    if not isinstance(classifier, Classifier):
        raise GibbonError(
            f"The classifier is of type {type(classifier).__name__}. Wrap the network: engine.Classifier(module, labels, input_shape)."
        )
    if not isinstance(images, Tensor):
        raise GibbonError(f"The {what} are of type {type(images).__name__}, but a tensor is needed. Write torch.as_tensor(images).")
    wanted = classifier.input_shape
    if images.dim() != 4:
        raise GibbonError(f"The {what} have shape {tuple(images.shape)}, but (N, C, H, W) is needed. For one image write image[None].")
    if len(images) == 0:
        raise GibbonError(f"The batch of {what} is empty. Give at least one image.")
    if tuple(images.shape[1:]) != wanted:
        raise GibbonError(
            f"The {what} are {tuple(images.shape[1:])}, but “{classifier.name}” takes {wanted}. "
            "Read them with engine.images.read(path, classifier), or derive(size=...) a classifier that resizes."
        )
    if not images.is_floating_point():
        raise GibbonError(f"The {what} are {images.dtype}, but floats in [0, 1] are needed. Divide 8-bit images by 255.")
    images = plain(images.detach()).to(classifier.device, classifier.dtype)
    low, high = (float(v) for v in images.aminmax())
    if not (low >= -_SLACK and high <= 1 + _SLACK):  # a NaN fails this, too
        raise GibbonError(_range_message(what, low, high))
    return images if low >= 0 and high <= 1 else images.clamp(0, 1)


def plain(values: Tensor) -> Tensor:
    """Return ``values``, or a copy where they were made in inference mode, whose tensors autograd refuses."""
    return values.clone() if values.is_inference() else values


def _range_message(what: str, low: float, high: float) -> str:
    if low != low or high != high:
        return f"The {what} hold NaN. Look at where they were made."
    if low >= 0 and high > 2:
        cause = "they look like 8-bit values: divide by 255"
    else:
        cause = "they look normalised: undo mean and std, which live in the classifier"
    return f"The {what} reach from {low:.3g} to {high:.3g}, but [0, 1] is needed; {cause}."


def _class_numbers(values: Tensor, what: str, images: Tensor, classifier: Classifier) -> Tensor:
    try:
        values = torch.as_tensor(values)
    except (ValueError, TypeError, RuntimeError):
        raise GibbonError(
            f"The {what} are {reprlib.repr(values)}, but class numbers are needed. The number of a name is classifier.labels.index(name)."
        ) from None
    if values.dim() == 0:
        cure = f"torch.tensor([{values}])" if len(images) == 1 else f"torch.full(({len(images)},), {values})"
        raise GibbonError(f"The {what} are the one number {values}, but a tensor with one per image is needed. Write {cure}.")
    if values.shape != (len(images),):
        raise GibbonError(f"The {what} have shape {tuple(values.shape)}, but one per image is needed: ({len(images)},).")
    if values.is_floating_point():
        raise GibbonError(f"The {what} are {values.dtype}, but class numbers (int64) are needed.")
    least, most = (int(v) for v in values.aminmax())
    if least < 0 or most >= classifier.num_classes:
        raise GibbonError(
            f"The {what} reach from {least} to {most}, but “{classifier.name}” has the classes 0 to {classifier.num_classes - 1}."
        )
    return plain(values).to(classifier.device, torch.int64)


def checked_seed(seed: int) -> int:
    """Return ``seed`` as an int after checking that it is a whole number, Python's or NumPy's."""
    if not isinstance(seed, numbers.Integral) or isinstance(seed, bool):
        raise GibbonError(f"{seed!r} is no seed. Give a whole number.")
    return int(seed)


def checked_labels(labels: Tensor, images: Tensor, classifier: Classifier) -> Tensor:
    """Return ``labels`` as int64 on the device, after checking that each is a class of the classifier."""
    return _class_numbers(labels, "labels", images, classifier)


def checked_targets(targets: Tensor | None, labels: Tensor | None, images: Tensor, classifier: Classifier) -> Tensor | None:
    """Return ``targets`` as int64 on the device, each a class and none equal to its label; without labels any class is allowed."""
    if targets is None:
        return None
    targets = _class_numbers(targets, "targets", images, classifier)
    if labels is None:
        return targets
    same = (targets == labels).nonzero().flatten().tolist()
    if same:
        name = classifier.labels[int(targets[same[0]])]
        which = f" (row {same[0]})" if len(images) > 1 else ""
        raise GibbonError(f"The target “{name}” is the image's own label{which}, so there is nothing to reach. Choose another class.")
    return targets


def checked_mask(mask: Tensor | None, images: Tensor) -> Tensor | None:
    """Return ``mask`` as ``(N or 1, 1, H, W)`` within [0, 1], after checking that every row has at least one pixel."""
    if mask is None:
        return None
    n, _, height, width = images.shape
    mask = torch.as_tensor(mask)
    while mask.dim() < 4:
        mask = mask[None]
    if tuple(mask.shape[1:]) != (1, height, width) or len(mask) not in (1, n):
        raise GibbonError(f"The mask has shape {tuple(mask.shape)}, but (1, 1, {height}, {width}) or one such per image is needed.")
    mask = plain(mask).to(images)
    if not (float(mask.min()) >= 0 and float(mask.max()) <= 1):
        raise GibbonError(f"The mask reaches from {float(mask.min()):.3g} to {float(mask.max()):.3g}, but [0, 1] is needed.")
    if not bool((mask.flatten(1).amax(1) > 0).all()):
        raise GibbonError("The mask is empty: no pixel may change. Draw a sticker, or choose the whole image.")
    return mask


def checked_radii(radii: Tensor | None, operation: object, images: Tensor) -> Tensor | None:
    """Return ``radii`` ``(N,)`` like the images, after checking that the operation takes them and that each is above 0."""
    if radii is None:
        return None
    if not getattr(operation, "takes_radii", False):
        title = getattr(operation, "title", type(operation).__name__)
        raise GibbonError(f"{title} with these parameters has one radius for all images. Attack those of equal radius together.")
    radii = plain(torch.as_tensor(radii)).to(images)
    if radii.shape != (len(images),) or not bool((radii > 0).all()):
        raise GibbonError(f"Radii are needed as ({len(images)},), one above 0 for each image, but these are {tuple(radii.shape)}.")
    return radii


def checked_start(start: Tensor | None, images: Tensor, classifier: Classifier) -> Tensor | None:
    """Return ``start`` as images, after checking that it has the shape of the batch."""
    if start is None:
        return None
    start = checked_images(start, classifier, "starting images")
    if start.shape != images.shape:
        raise GibbonError(f"There are {len(start)} starting images for {len(images)} images. Give one per image.")
    return start
