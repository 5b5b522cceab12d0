"""Attacks that look for the nearest adversarial image."""

from engine import attacks
from engine.operation import Attack

VARIANTS: list[Attack] = [
    attacks.DeepFool(boundary_steps=4, refine=2),
    attacks.DeepFool(norm="linf", boundary_steps=4, refine=2, eight_bit=True),
    attacks.DeepFool(box="clipped", classes=10, refine=0, boundary_steps=0),
]
