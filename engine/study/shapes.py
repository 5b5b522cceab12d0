"""Checks of the tensors of a study: shapes that fit each other, and images in [0, 1]. Each refusal is the middle of a sentence."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor

from engine.errors import GibbonError
from engine.timeline import KeptStep

_NEEDED = (
    "clean",
    "adversarial",
    "labels",
    "logits",
    "loss",
    "steps_to_flip",
    "trace",
    "trace_steps",
    "attacked",
    "failed",
    "first_logits",
    "survives_8bit",
)
_WHOLE = ("labels", "targets", "steps_to_flip", "trace_steps", "goals")
_FLAGS = ("attacked", "failed", "survives_8bit")
_NORMS = {"l0", "l1", "l2", "linf"}
_SLACK = 1e-4
"""Tolerance outside [0, 1] for rounding errors."""


@dataclass(frozen=True)
class Shapes:
    """The shapes that tensors must have for a classifier."""

    image: tuple[int, int, int]
    """``(C, H, W)``."""
    classes: int

    def check_result(self, found: Mapping[str, Tensor], norms: Mapping[str, Tensor]) -> None:
        """Check the tensors of an attack's result on one image.

        Raises
        ------
        GibbonError
            A tensor is missing, or has another shape, type or range.
        """
        for name in _NEEDED:
            if name not in found:
                raise GibbonError(f"its {_words(name)} is missing")
        for name in ("clean", "adversarial"):
            _expect(name, found[name], (1, *self.image))
            _in_range(name, found[name])
        for name in ("logits", "first_logits"):
            _expect(name, found[name], (1, self.classes))
        for name in ("labels", "targets", "loss", "steps_to_flip", "attacked", "failed", "goals", "survives_8bit"):
            if name in found:
                _expect(name, found[name], (1,))
        if found["trace"].dim() != 2 or found["trace"].shape[1] != 1 or len(found["trace"]) < 1:
            raise GibbonError(f"its trace has the shape {tuple(found['trace'].shape)} in place of (steps, 1)")
        _expect("trace_steps", found["trace_steps"], tuple(found["trace"].shape))
        for name in ("clean", "adversarial", "logits", "first_logits", "loss", "trace"):
            _kind(name, found[name], "a floating-point number", found[name].is_floating_point())
        for name in _WHOLE:
            if name in found:
                _kind(name, found[name], "a whole number", not found[name].is_floating_point() and str(found[name].dtype) != "torch.bool")
        for name in _FLAGS:
            _kind(name, found[name], "yes or no", str(found[name].dtype) == "torch.bool")
        for name in ("labels", "targets", "goals"):
            if name in found:
                self._check_classes(name, found[name], least=-1 if name == "goals" else 0)
        if set(norms) != _NORMS:
            raise GibbonError(f"its norms are {', '.join(sorted(norms)) or 'missing'} in place of {', '.join(sorted(_NORMS))}")
        for name, value in norms.items():
            _expect(f"norm {name}", value, (1,))

    def check_image(self, what: str, image: Tensor) -> None:
        """Check that a tensor is an image ``(C, H, W)`` in [0, 1]."""
        _expect(what, image, self.image)
        _in_range(what, image)

    def check_mask(self, mask: Tensor | None) -> None:
        """Check the mask of an attack ``(1, H, W)``, if there is one.

        Raises
        ------
        GibbonError
            It has another shape, or values outside [0, 1].
        """
        if mask is not None:
            _expect("mask", mask, (1, *self.image[1:]))
            _in_range("mask", mask)

    def check_difference(self, delta: Tensor | None) -> None:
        """Check the shape of a perturbation, where there is one."""
        if delta is not None:
            _expect("perturbation", delta, self.image)
            if not bool(delta.isfinite().all()):
                raise GibbonError("its perturbation holds NaN or infinity")

    def check_steps(self, steps: Sequence[KeptStep]) -> None:
        """Check the kept steps of a run: their order, their images and their logits."""
        if any(later.index <= earlier.index for earlier, later in itertools.pairwise(steps)):
            raise GibbonError("its steps are out of order")
        for step in steps:
            _expect(f"step {step.index}", step.adversarial, (1, *self.image))
            _expect(f"loss of step {step.index}", step.loss, (1,))
            _expect(f"success of step {step.index}", step.success, (1,))
            _kind(f"success of step {step.index}", step.success, "yes or no", str(step.success.dtype) == "torch.bool")
            if step.goals is not None:
                _expect(f"goals of step {step.index}", step.goals, (1,))
            if step.logits is not None:
                _expect(f"logits of step {step.index}", step.logits, (1, self.classes))

    def check_class(self, what: str, index: int | None) -> None:
        """Check that a number is a class, where there is one."""
        if index is not None and not 0 <= index < self.classes:
            raise GibbonError(f"its {what} is class {index}, but the model has {self.classes}")

    def _check_classes(self, name: str, classes: Tensor, least: int) -> None:
        if classes.numel() and not (least <= int(classes.min()) and int(classes.max()) < self.classes):
            raise GibbonError(f"its {_words(name)} is class {int(classes.max())}, but the model has {self.classes}")


def _expect(name: str, tensor: Tensor, shape: tuple[int, ...]) -> None:
    if tuple(tensor.shape) != shape:
        raise GibbonError(f"its {_words(name)} has the shape {tuple(tensor.shape)} in place of {shape}")


def _in_range(name: str, image: Tensor) -> None:
    _kind(name, image, "a floating-point number", image.is_floating_point())
    low, high = float(image.min()), float(image.max())
    if not (low >= -_SLACK and high <= 1 + _SLACK):  # the negation also refuses NaN
        raise GibbonError(f"its {_words(name)} reaches from {low:.3g} to {high:.3g} in place of 0 to 1")


def _kind(name: str, tensor: Tensor, what: str, holds: bool) -> None:
    if not holds:
        raise GibbonError(f"its {_words(name)} is of the type {str(tensor.dtype).removeprefix('torch.')} in place of {what}")


def _words(name: str) -> str:
    return name.replace("_", " ")
