"""Averaging over noisy copies, which smooths the network's answer."""

from __future__ import annotations

import math
from typing import ClassVar

from torch import Tensor

from engine.defenses.preprocessing.preprocessing import Family, Preprocessing, Way
from engine.parameters import method
from engine.randomness import BatchRandom, generator
from engine.text.parsing import Number


class NoiseAveraging(Preprocessing):
    """Let the network see ``samples`` noisy copies of an image, and take the mean of their probabilities.

    ``log(mean_i softmax(f(x + sigma * n_i)))`` with standard normal ``n_i``; values are not clipped to [0, 1], as in randomised smoothing.
    Probabilities are averaged, not logits, since they are bounded: no single copy outvotes the others. The noise is drawn from the seed and
    the same for every image, so that a prediction can be repeated, and a batch equals its single images.

    An attacker who knows it follows the gradient of that mean over the copies (expectation over transformation, EOT). He even knows the
    draws, which makes him no weaker than one who draws his own; give another seed to judge his images on draws that he has not seen. A
    query counts once, though the network sees ``samples`` rows.
    """

    slug: ClassVar[str] = "noise-averaging"
    title: ClassVar[str] = "Noise averaging"
    also: ClassVar[tuple[str, ...]] = ("Gaussian noise", "randomised smoothing", "EOT")
    family: ClassVar[Family] = "Noise"
    paper: ClassVar[str] = "Cohen, Rosenfeld, Kolter 2019, arXiv 1902.02918; Athalye et al. 2018, arXiv 1802.00420 (EOT)"
    way: ClassVar[Way] = "expectation"

    sigma: Number = method(0.1, ge=0, le=2, unit="pixel")
    """Standard deviation of the noise."""
    samples: int = method(8, ge=1, le=1000, unit="copies")
    """Number of noisy copies."""
    seed: int = method(0, ge=0)
    """Seed of the noise."""

    @property
    def copies(self) -> int:
        """Number of rows that it makes of each row."""
        return self.samples

    def changed(self, images: Tensor) -> Tensor:
        """Return the noisy copies ``(N * samples, C, H, W)``, those of an image one after the other."""
        shape = tuple(images.shape[1:])
        random = BatchRandom(generator(self.seed, self.slug, math.prod(shape)), self.samples, device=images.device)
        noise = random.normal(shape).to(images.dtype)
        return (images[:, None] + self.sigma * noise).flatten(0, 1)
