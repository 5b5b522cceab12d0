"""Aims: the target class of each image of a batch."""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor

from engine.classifier import Classifier
from engine.errors import GibbonError
from engine.randomness import generator

Rule = Literal["away", "random", "next", "least likely"]
RULES: tuple[Rule, ...] = get_args(Rule)
Aim = Rule | int
"""The target of every image: ``away`` for none (away from the label), ``random`` for another class drawn by the image's seed, ``next`` for
the class after the label, ``least likely`` for the class of the lowest logit of the clean image (never the label), or one class number for
all.
"""


def checked_aim(aim: Aim, classifier: Classifier) -> Aim:
    """Return ``aim`` after checking that it is a rule or a class of the classifier."""
    if isinstance(aim, str) and aim in RULES:
        return aim
    if isinstance(aim, int) and not isinstance(aim, bool) and 0 <= aim < classifier.num_classes:
        return aim
    raise GibbonError(f"{aim!r} is no aim. Give one of {', '.join(RULES)}, or a class number from 0 to {classifier.num_classes - 1}.")


def target_of(aim: Aim, classifier: Classifier, image: Tensor, label: int, seed: int) -> int | None:
    """Return the target class of one image ``(C, H, W)``; None: untargeted.

    Raises
    ------
    GibbonError
        The image's label is the target already.
    """
    classes = classifier.num_classes
    if aim == "away":
        return None
    if aim == "random":
        drawn = int(torch.randint(classes - 1, (1,), generator=generator(seed, "target")))
        return drawn + (drawn >= label)
    if aim == "next":
        return (label + 1) % classes
    if aim == "least likely":
        logits = classifier.score(image[None])[0].clone()
        logits[label] = torch.inf
        return int(logits.argmin())
    if aim == label:
        raise GibbonError(f"Its label “{classifier.labels[label]}” is the target already, so there is nothing to reach.")
    return int(aim)
