"""Fooling images and the targeted attack with a proximity term."""

from engine import attacks
from engine.operation import Attack

VARIANTS: list[Attack] = [
    attacks.FoolingImage(steps=6),
    attacks.FoolingImage(steps=1, begin="gaussian", direction="sign"),
    attacks.FoolingImage(steps=6, begin="image", loss="prob_linear", clip=False),
    attacks.Proximity(steps=6, weight=1),
    attacks.Proximity(steps=6, norm="l2", reduction="sum", weight=0.05, curve=2),
    attacks.Proximity(steps=6, optimizer="adam", step_size=0.1, weight=1),
    attacks.Proximity(steps=6, loss="prob_linear", weight=1),
]
