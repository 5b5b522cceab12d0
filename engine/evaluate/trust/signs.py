"""The signs that a robustness number cannot be trusted: eight of gradient masking, six of an attack that failed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

Kind = Literal["gradient masking", "failed attack"]


@dataclass(frozen=True)
class Sign:
    """A sign: its name, and what it means and what to do where it is seen, a sentence each."""

    slug: str
    title: str
    kind: Kind
    meaning: str
    cure: str


_SIGNS = (
    Sign(
        "one-step-beats-many",
        "One step beats many",
        "gradient masking",
        "One step of size eps fools images on which many small steps fail, so the gradient does not point along the loss.",
        "Attack with random starts, more restarts and the margin loss, and with Square, and count the worst of all.",
    ),
    Sign(
        "no-limit-no-success",
        "No limit, no success",
        "gradient masking",
        "Even with the whole range [0, 1] the attack does not fool every image, although another class's image lies within it.",
        "The number is no robustness: find a gradient that works, by another loss or by an adaptive attack (BPDA, EOT).",
    ),
    Sign(
        "transfer-beats-white-box",
        "Transfer beats the white box",
        "gradient masking",
        "Images made on another model fool this one more often than its own gradients do.",
        "Attack by transfer, too, and count the worst; then attack the defense with its adaptive gradient.",
    ),
    Sign(
        "search-beats-gradients",
        "Search beats gradients",
        "gradient masking",
        "An attack that sees no gradient, such as Square or random noise, fools images on which the gradient attack fails.",
        "Count the worst of both, allow the search more queries, and try another loss for the gradient.",
    ),
    Sign(
        "no-gradient",
        "Gradients vanish",
        "gradient masking",
        "The gradient of the attack's loss is below 1e-12 everywhere in the image, so the attack has no direction to follow.",
        "Take the margin loss, which does not saturate, or an adaptive gradient (BPDA) where a step rounds.",
    ),
    Sign(
        "more-eps-less-success",
        "More eps, less success",
        "gradient masking",
        "The attack fools fewer images at a larger eps, although every smaller change is allowed there as well.",
        "Start from the image found at the smaller eps, or take more steps; count an image as fooled from its smallest eps on.",
    ),
    Sign(
        "steps-matter",
        "More steps change the number",
        "gradient masking",
        "Twice the steps or five restarts fool images that held out, so the attack had not converged.",
        "Double steps and restarts until the number stays, and report that one.",
    ),
    Sign(
        "loss-matters",
        "The loss changes the number",
        "gradient masking",
        "Cross-entropy and margin disagree on how many images can be fooled, so one of them sees a distorted gradient.",
        "Report the worst of both; APGD with targeted DLR is a third.",
    ),
    Sign(
        "gradient-unavailable",
        "Gradient unavailable",
        "failed attack",
        "At the image itself the gradient is exactly zero, not a number, or cut off from the image.",
        "Take another loss, or replace the step that cuts it off by a differentiable one in the backward pass (BPDA).",
    ),
    Sign(
        "unstable",
        "Answers unstable",
        "failed attack",
        "Small random changes alter the margin by more than a tenth, so a gradient at one point says little of its surroundings.",
        "Average the gradient over random changes or over the model's own randomness (EOT).",
    ),
    Sign(
        "silent-success",
        "Silent success",
        "failed attack",
        "An iterate was adversarial, but the image that was returned is not.",
        "Keep the best iterate instead of the last one.",
    ),
    Sign(
        "unfinished",
        "Attack unfinished",
        "failed attack",
        "The loss still rose by more than 5 % of its way over the last 10 steps of an attack that did not succeed.",
        "Allow more steps or a larger step size.",
    ),
    Sign(
        "surrogate",
        "Only the surrogate falls",
        "failed attack",
        "The attack fools the model whose gradient it follows, but not the one that is judged.",
        "Attack the judged model itself: with gradient=adaptive where a defense is hidden.",
    ),
    Sign(
        "unbounded-fails",
        "Unbounded attack fails",
        "failed attack",
        "With no limit on the change this attack finds no adversarial image, so it does not work on this model at all.",
        "Do not use its number: change loss, step size or gradient until the unbounded attack succeeds.",
    ),
)

SIGNS: Mapping[str, Sign] = MappingProxyType({sign.slug: sign for sign in _SIGNS})
"""Signs by slug. Gradient masking: Athalye et al. 2018, arXiv 1802.00420, and Carlini et al. 2019, arXiv 1902.06705. Failed attacks: Pintor
et al. 2022, arXiv 2106.09947.
"""
