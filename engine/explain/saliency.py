"""Gradient saliency: the pixels at which a small change alters a class's score the most."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor

from engine.access import ModelAccess
from engine.explain.base import Explanation


class GradientSaliency(Explanation):
    """Shows the pixels at which a small change alters the logit of the class the most.

    ``maps[y, x] = max_channel |d logits[class] / d images[channel, y, x]|``, of the logit, not of the probability. One forward and one
    backward pass.

    Simonyan, Vedaldi, Zisserman 2013, arXiv 1312.6034.
    """

    slug: ClassVar[str] = "saliency"
    title: ClassVar[str] = "Gradient saliency"
    family: ClassVar[str] = "Gradient"
    paper: ClassVar[str] = "Simonyan et al. 2013, arXiv 1312.6034"
    caption: ClassVar[str] = "Change of the predicted class’ logit per change of a pixel, the strongest channel. One scale for both."

    def maps(self, model: ModelAccess, images: Tensor, classes: Tensor) -> Tensor:
        """Return the maps ``(N, H, W)``, in logits per unit of a pixel in [0, 1]."""
        images = images.detach().clone().requires_grad_()
        return model.gradient(model(images).gather(1, classes[:, None]).sum(), images).abs().amax(1)
