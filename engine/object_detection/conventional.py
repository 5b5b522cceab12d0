"""Networks in torchvision's convention for detection: lists of images in, and boxes or, in training mode, losses out."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from engine.errors import GibbonError
from engine.object_detection.boxes import Boxes
from engine.randomness import generator

_FURTHER_HEADS = ("mask_roi_pool", "mask_head", "mask_predictor", "keypoint_roi_pool", "keypoint_head", "keypoint_predictor")


def is_conventional(module: nn.Module) -> bool:
    """Return whether the module's forward can take images and targets, as torchvision's detectors do."""
    try:
        inspect.signature(module.forward).bind([], [])
    except (TypeError, ValueError):
        return False
    return True


class ConventionalNetwork:
    """A detector in torchvision's convention with the two methods that `engine.object_detection.Detector` needs.

    ``module(images)`` gives a list of dicts with boxes, labels and scores in evaluation mode, and ``module(images, targets)`` a dict of
    losses in training mode. The mode is never switched: a second module with the same parameters and buffers stands in training mode, and
    in it only the parts that choose between boxes and losses. Batch normalisation and dropout stay in evaluation mode, so that no
    statistics move, and two threads may ask at once.

    Parameters
    ----------
    module
        The network in evaluation mode, with frozen parameters. The heads for masks and key points, whose losses need more than boxes, are
        taken out of it.
    """

    def __init__(self, module: nn.Module) -> None:
        for child in module.modules():
            for head in _FURTHER_HEADS:
                if getattr(child, head, None) is not None:
                    setattr(child, head, None)
        self.module = module
        self._with_losses = _twin(module)

    def detect(self, images: Tensor) -> list[Boxes]:
        """Return the boxes of each image; images are passed one by one, so that none depends on the others."""
        return [_boxes(self.module([image]), self.module) for image in images]

    def loss(self, images: Tensor, truths: Sequence[Boxes]) -> Tensor:
        """Return for each image the sum of all losses, ``(N,)``; images are passed one by one, since the module gives their mean."""
        return torch.stack([self._loss(image, true) for image, true in zip(images, truths, strict=True)])

    def _loss(self, image: Tensor, truths: Boxes) -> Tensor:
        target = {"boxes": truths.xyxy.to(image), "labels": truths.labels.to(image.device)}
        losses = self._with_losses([image], [target])
        if not isinstance(losses, dict) or not losses or not all(isinstance(value, Tensor) for value in losses.values()):
            raise GibbonError(
                f"{type(self.module).__name__} gives {type(losses).__name__} instead of a dict of losses in training mode. "
                "Give the module methods detect(images) and loss(images, boxes)."
            )
        return torch.stack([value.sum() for value in losses.values()]).sum()


def _twin(module: nn.Module) -> nn.Module:
    """Return a copy that shares all tensors, in which the parts that choose between boxes and losses are in training mode."""
    shared: dict[int, Any] = {id(tensor): tensor for tensor in (*module.parameters(), *module.buffers())}
    twin = copy.deepcopy(module, shared)
    twin.training = True
    for child in twin.modules():
        if type(child).__module__.startswith("torchvision.models.detection.") and type(child).__name__ != "GeneralizedRCNNTransform":
            child.training = True
        sampler = getattr(child, "fg_bg_sampler", None)
        if sampler is not None:
            child.fg_bg_sampler = _Sampler(sampler.batch_size_per_image, sampler.positive_fraction)  # type: ignore[assignment]
    return twin


class _Sampler:
    """Draws anchors for the loss as torchvision's sampler does, but always the same ones for the same matches.

    Otherwise the loss would be another one at each call, and would use up random numbers of the whole process.
    """

    def __init__(self, batch_size_per_image: int, positive_fraction: float) -> None:
        self.batch_size_per_image, self.positive_fraction = batch_size_per_image, positive_fraction

    def __call__(self, matched: Sequence[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        """Return masks of the anchors that count as objects and as background; in ``matched`` these are above 0, and 0."""
        positive, negative = [], []
        for values in matched:
            random = generator(0, "anchors")
            objects = _some(values >= 1, int(self.batch_size_per_image * self.positive_fraction), random)
            positive.append(objects)
            negative.append(_some(values == 0, self.batch_size_per_image - int(objects.sum()), random))
        return positive, negative


def _some(where: Tensor, most: int, random: torch.Generator) -> Tensor:
    """Return a uint8 mask of at most ``most`` of the places where ``where`` is true."""
    places = where.nonzero()[:, 0]
    chosen = places[torch.randperm(len(places), generator=random)[:most].to(places.device)]
    return torch.zeros_like(where, dtype=torch.uint8).index_fill_(0, chosen, 1)


def _boxes(output: Any, module: nn.Module) -> Boxes:
    """Read the boxes of one image from a module's output."""
    found = output[0] if isinstance(output, (list, tuple)) and len(output) == 1 else None
    if not isinstance(found, dict) or not {"boxes", "labels", "scores"} <= found.keys():
        raise GibbonError(
            f"{type(module).__name__} is no detector: for a list of one image it gives {type(output).__name__}, not a list of one dict "
            "with boxes, labels and scores. Give the module methods detect(images) and loss(images, boxes)."
        )
    return Boxes(found["boxes"], found["labels"], found["scores"])
