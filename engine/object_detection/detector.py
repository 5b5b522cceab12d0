"""The detector of objects: a frozen network over images in [0, 1] that gives boxes, and a loss for boxes that should be there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, Protocol, cast

import torch
from torch import Tensor, nn

from engine.adoption import adopted
from engine.class_names import class_names
from engine.devices import device_of
from engine.errors import GibbonError, in_words
from engine.fingerprint import digest
from engine.model_arguments import check_module, checked_shape
from engine.object_detection.boxes import Boxes
from engine.object_detection.conventional import ConventionalNetwork, is_conventional

_ROWS = 16
"""Images that pass the network together in `Detector.__call__`."""
NEEDED = "Give an nn.Module with detect(images) and loss(images, boxes), or one in torchvision's convention for detection."


class DetectionNetwork(Protocol):
    """The two methods that make a network a detector."""

    def detect(self, images: Tensor, /) -> list[Boxes]:
        """Return the boxes of each image of ``(N, C, H, W)`` in [0, 1]."""

    def loss(self, images: Tensor, truths: Sequence[Boxes], /) -> Tensor:
        """Return the loss ``(N,)`` of each image, differentiable in the images: small where the boxes ``truths`` are found."""


class Detector:
    """A frozen detector of objects. Pixels in [0, 1] in, boxes out; it is no `engine.Classifier`, since it gives no logits per image.

    Parameters
    ----------
    module
        An ``nn.Module`` with the methods of `DetectionNetwork`, or one in torchvision's convention for detection (lists of images in; boxes
        out, or losses in training mode). It is copied, set to evaluation mode and frozen. Normalisation lives inside.
    labels
        K names, or a mapping from class number to name.
    input_shape
        ``(C, H, W)`` of the images it takes; None: RGB of any size.
    name
        The name that figures and records show.
    device
        None: the accelerator where there is one, else the CPU.
    source
        The argument of ``engine.object_detection.load``, so that a record can load the detector again.
    card
        Facts about the detector: data, precision, licence.

    Raises
    ------
    GibbonError
        The module is no detector, or another argument has the wrong type.
    """

    @torch.inference_mode(False)
    def __init__(
        self,
        module: nn.Module,
        labels: Sequence[str] | Mapping[int, str],
        input_shape: tuple[int, int, int] | None = None,
        *,
        name: str = "unnamed",
        device: torch.device | str | None = None,
        source: str | None = None,
        card: Mapping[str, Any] | None = None,
    ) -> None:
        check_module(module, name)
        own = all(callable(getattr(module, method, None)) for method in ("detect", "loss"))
        if not own and not is_conventional(module):
            raise GibbonError(f"“{name}” is no detector: {type(module).__name__} has no methods detect and loss. {NEEDED}")
        self.device = device_of(device)
        self.name, self.source = name, source
        self.labels = class_names(labels)
        self.input_shape = None if input_shape is None else checked_shape(input_shape)
        self.card = dict(card or {})
        self.module = adopted(module, name, self.device)
        self._network = cast(DetectionNetwork, self.module) if own else ConventionalNetwork(self.module)

    @property
    def channels(self) -> int:
        """Number of channels of the images that it takes."""
        return 3 if self.input_shape is None else self.input_shape[0]

    @property
    def rows_with_gradient(self) -> int:
        """Number of images whose losses are computed together: one where the network takes them one by one anyway."""
        return 1 if isinstance(self._network, ConventionalNetwork) else _ROWS

    @cached_property
    def fingerprint(self) -> str:
        """Sixteen hex digits of a SHA-256 over weights, buffers, structure, labels and input shape."""
        return digest(("detector", self.labels, self.input_shape), self.module)[:16]

    def __repr__(self) -> str:
        taken = "any size" if self.input_shape is None else self.input_shape
        return f"Detector({self.name!r}, {len(self.labels)} classes, {taken}, {self.device})"

    @torch.no_grad()
    def __call__(self, images: Tensor) -> list[Boxes]:
        """Return the boxes of each image ``(N, C, H, W)`` in [0, 1], by falling score, on the detector's device.

        Raises
        ------
        GibbonError
            The images do not fit, or the network fails or gives something else than boxes.
        """
        images = self.checked(images)
        found = [boxes for rows in torch.split(images, _ROWS) for boxes in self._asked("detect", rows)]
        if len(found) != len(images) or not all(isinstance(boxes, Boxes) for boxes in found):
            raise GibbonError(f"“{self.name}” gives no list of {len(images)} Boxes for {len(images)} images. {NEEDED}")
        for boxes in found:
            if len(boxes) and int(boxes.labels.max()) >= len(self.labels):
                raise GibbonError(
                    f"“{self.name}” found class {int(boxes.labels.max())}, but has {len(self.labels)} labels. Give a label for each class."
                )
        return [boxes.where(boxes.scores.argsort(descending=True, stable=True)) for boxes in found]

    def loss(self, images: Tensor, truths: Sequence[Boxes], *, check: bool = True) -> Tensor:
        """Return the loss ``(N,)`` of each image, differentiable in the images: small where the detector finds the boxes ``truths``.

        Parameters
        ----------
        images, truths
            Images ``(N, C, H, W)`` in [0, 1] on the detector's device, and the boxes that should be found in each.
        check
            Whether the values of images and boxes are looked at, which waits for the device. A run has done so at its start.

        Raises
        ------
        GibbonError
            The images do not fit, a box lies outside its image or has no area, a class is unknown, or the network gives no such loss.
        """
        if check:
            images = self.checked(images)
            truths = self.checked_truths(truths, len(images), tuple(images.shape[2:]))
        truths = [boxes.to(self.device) for boxes in truths]
        values = self._asked("loss", images, truths)
        if not isinstance(values, Tensor) or values.shape != (len(images),):
            gave = tuple(values.shape) if isinstance(values, Tensor) else type(values).__name__
            raise GibbonError(f"The loss of “{self.name}” for {len(images)} images is {gave}. One number for each image is needed.")
        if images.requires_grad and torch.is_grad_enabled() and not values.requires_grad:
            raise GibbonError(f"The loss of “{self.name}” passes no gradient to the images, which a patch is made by. {NEEDED}")
        return values

    def checked(self, images: Tensor) -> Tensor:
        """Return images on the detector's device, after checking their type, shape and range.

        Raises
        ------
        GibbonError
            They are no images that the detector takes; the sentence names the shape that it needs.
        """
        if not isinstance(images, Tensor) or images.dim() != 4 or not images.is_floating_point() or not images.numel():
            gave = f"{images.dtype} {tuple(images.shape)}" if isinstance(images, Tensor) else type(images).__name__
            raise GibbonError(f"The images are {gave}. “{self.name}” needs a batch (N, {self.channels}, H, W) of floats in [0, 1].")
        shape = tuple(images.shape[1:])
        if self.input_shape is not None and shape != self.input_shape:
            raise GibbonError(f"The images are {_size(shape)}, but “{self.name}” takes {_size(self.input_shape)}. Resize or crop them.")
        if shape[0] != self.channels:
            raise GibbonError(f"The images have {shape[0]} channels, but “{self.name}” takes {self.channels}. Convert them.")
        low, high = images.detach().aminmax()
        if not bool((low >= 0) & (high <= 1)):
            raise GibbonError(f"The pixels reach from {float(low):g} to {float(high):g}, not from 0 to 1. Divide 8-bit values by 255.")
        return images.to(self.device, torch.float32)

    def checked_truths(self, truths: Sequence[Boxes], count: int, size: tuple[int, ...]) -> Sequence[Boxes]:
        """Return true boxes, after checking that there are as many as images, inside an image of ``size`` (H, W), of known classes.

        Raises
        ------
        GibbonError
            They are not; the sentence names the first box that is wrong.
        """
        if len(truths) != count or not all(isinstance(boxes, Boxes) for boxes in truths):
            raise GibbonError(
                f"There are {count} images and {len(truths)} sets of true boxes. Give Boxes for each image; Boxes.none() is empty."
            )
        height, width = size
        for row, boxes in enumerate(truths):
            for (left, top, right, bottom), label in zip(boxes.xyxy.tolist(), boxes.labels.tolist(), strict=True):
                where = f"The box ({left:g}, {top:g}, {right:g}, {bottom:g}) of image {row}"
                if left < 0 or top < 0 or right > width or bottom > height:
                    raise GibbonError(f"{where} leaves the image of {width} × {height} pixels. Give boxes in pixels of the image.")
                if right <= left or bottom <= top:
                    raise GibbonError(f"{where} has no area. Leave it out.")
                if label >= len(self.labels):
                    raise GibbonError(f"{where} is of class {label}, but “{self.name}” has classes 0 to {len(self.labels) - 1}.")
        return truths

    def _asked(self, what: str, *inputs: Any) -> Any:
        try:
            return getattr(self._network, what)(*inputs)
        except GibbonError:
            raise
        except torch.OutOfMemoryError:
            raise
        except Exception as error:
            cure = "Look at the module, or give images of the size that it was made for."
            raise GibbonError(in_words(error, f"“{self.name}” ({what})", cure)) from error


def _size(shape: tuple[int, ...]) -> str:
    return f"{shape[2]} × {shape[1]} pixels with {shape[0]} channel{'' if shape[0] == 1 else 's'}"
