"""Gradient attacks in a ball, and the sticker's content."""

from engine import attacks
from engine.operation import Attack

STEPS = {"steps": 6}
VARIANTS: list[Attack] = [
    attacks.FGSM(eps=0.1),
    attacks.FGSM(eps=0.8, norm="l2"),
    attacks.FGSM(eps=0.8, norm="l1"),
    attacks.FGSM(eps=0.1, towards="least likely"),
    attacks.FGSM(eps=0.1, towards="random"),
    attacks.PGD(eps=0.1, **STEPS),
    attacks.PGD(eps=0.1, random_start=False, **STEPS),
    attacks.PGD(eps=0.8, norm="l2", restarts=3, **STEPS),
    attacks.PGD(eps=0.8, norm="l1", step_size=0.3, **STEPS),
    attacks.PGD(eps=0.1, direction="truncated", loss="margin", **STEPS),
    attacks.PGD(eps=None, direction="max", random_start=False, **STEPS),
    attacks.PGD(eps=0.1, loss="dlr", restarts=2, **STEPS),
    attacks.StickerPGD(**STEPS),
    attacks.StickerPGD(begin="random", direction="max", **STEPS),
]
