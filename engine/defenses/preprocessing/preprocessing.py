"""A preprocessing: one change of the image before the network, as a defense of any classifier. Several can be combined."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Literal

import torch
from torch import Tensor

from engine.before import InFront
from engine.parameters import method
from engine.recipes import Part

Family = Literal["Feature squeezing", "Compression", "Noise", "Smoothing"]
Way = Literal["straight through", "differentiable", "proxy", "expectation"]


class Preprocessing(Part, InFront, ABC):
    """A change of images before the network, with the gradient that an attacker uses who knows it.

    It is called with images ``(N, C, H, W)`` in [0, 1], gives images of that shape, and is put before a network by
    ``classifier.derive(before=[...])``, whose fingerprint holds its parameters. Each image is changed by itself.

    Steps that round have a gradient of zero nearly everywhere. An attacker who knows them goes around that, and so does the ``adaptive``
    gradient; without it a defense looks robust only because the attack is blind (Athalye, Carlini, Wagner 2018, arXiv 1802.00420).
    """

    kind: ClassVar[str] = "preprocessing"
    family: ClassVar[Family]
    paper: ClassVar[str] = ""
    """Authors, year and arXiv id."""
    way: ClassVar[Way]
    """Kind of its adaptive gradient."""

    gradient: Literal["adaptive", "none"] = method("adaptive", choices={"adaptive": "knows the defense", "none": "does not know it"})
    """The attacker's gradient; the prediction is the same in both. adaptive: through the defense, or around it where it has none. none:
    that of the network without it.
    """

    @abstractmethod
    def changed(self, images: Tensor) -> Tensor:
        """Return the images after the change, ``(N * copies, C, H, W)``, with the adaptive gradient."""

    def check(self, shape: tuple[int, ...]) -> None:
        """Raise a `GibbonError` where images of ``shape`` (C, H, W) cannot be changed by it."""

    def __call__(self, images: Tensor) -> Tensor:
        """Return the images after the change; without a graph where the gradient is ``none``."""
        self.check(tuple(images.shape[1:]))
        if self.gradient == "none":
            with torch.no_grad():
                return self.changed(images)
        return self.changed(images)

    @property
    def hidden(self) -> bool:
        """Whether the attacker does not know of it."""
        return self.gradient == "none"

    def __repr__(self) -> str:
        # The text that a recipe is read from, so that a later parameter leaves the fingerprints of today unchanged.
        return self.words

    __str__ = __repr__


def straight_through(true: Tensor, images: Tensor) -> Tensor:
    """Return the values of ``true`` with the gradient of ``images``: the backward pass takes the change for the identity (BPDA)."""
    if not (images.requires_grad and torch.is_grad_enabled()):
        return true
    return true.detach() + (images - images.detach())  # adds an exact zero
