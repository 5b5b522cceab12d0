"""Problem, steps and base class of operations on a detector of objects: the counterparts of `engine.operation` for boxes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

import torch
from torch import Tensor

from engine.artifacts import Unit
from engine.object_detection.boxes import Boxes
from engine.object_detection.detector import Detector
from engine.operation import Step
from engine.parameterised import Parameterised
from engine.randomness import RowRandom


class DetectorAccess:
    """A detector whose forward and backward rows are counted."""

    def __init__(self, detector: Detector) -> None:
        self.detector = detector
        self.forwards = 0
        self.backwards = 0

    def __call__(self, images: Tensor) -> list[Boxes]:
        """Return the boxes of each image."""
        self.forwards += len(images)
        return self.detector(images)

    @torch.enable_grad()
    def loss_and_gradient(self, images: Tensor, truths: Sequence[Boxes]) -> tuple[Tensor, Tensor]:
        """Return the loss ``(N,)`` of each image, and the gradient ``(N, C, H, W)`` of each with respect to its image."""
        images = images.detach().requires_grad_()
        loss = self.detector.loss(images, truths, check=False)
        self.forwards += len(images)
        self.backwards += len(images)
        return loss.detach(), torch.autograd.grad(loss.sum(), images)[0]


@dataclass(frozen=True, eq=False)
class DetectorProblem:
    """The inputs of an operation on a detector. Shapes, ranges and classes have been checked."""

    detector: DetectorAccess
    images: Tensor
    """The clean images, ``(N, C, H, W)`` in [0, 1], all of one size."""
    truths: tuple[Boxes, ...]
    """The true boxes of each image, or the clean detections where none were given."""
    random: RowRandom
    target: int | None = None
    """The class that the attacker wants to be seen; None: untargeted."""
    attacked: int | None = None
    """The class whose average precision is to fall; None: the mean over all."""


@dataclass(frozen=True, eq=False)
class PatchStep(Step):
    """An iterate of a patch. Its tensors are on the device, and are never written to after the step was yielded."""

    patch: Tensor
    """The patch, ``(C, h, w)`` in [0, 1]."""
    loss: Tensor
    """The mean of what the attacker maximises over the images of this step, of no dimension; for a target, minus the loss towards it."""


class DetectorOperation(Parameterised, ABC):
    """An operation on a detector of objects: parameters plus steps, like `engine.operation.Operation` for a classifier."""

    family: ClassVar[str]
    paper: ClassVar[str] = ""
    """Authors, year and arXiv id."""
    reading_units: ClassVar[Mapping[str, Unit]] = MappingProxyType({})
    """Units of the readings of its steps, by name."""

    @abstractmethod
    def iterate(self, problem: DetectorProblem) -> Iterator[Step]:
        """Run the loop of the paper: a `PatchStep` for each iterate, the start included; plain steps tell of work between two."""

    @abstractmethod
    def check(self, height: int, width: int) -> None:
        """Refuse images of this size, in pixels, that the operation cannot work on.

        Raises
        ------
        GibbonError
            The operation cannot work on such images.
        """

    @abstractmethod
    def places(self, problem: DetectorProblem) -> Tensor:
        """Return the left and top ``(N, 2)`` int64 at which the patch is judged, for each image."""

    @abstractmethod
    def is_measured(self, index: int) -> bool:
        """Return whether the detector is to look at the images with the iterate of this number."""
