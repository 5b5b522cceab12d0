"""Attacks that look for the nearest adversarial image."""

from engine import attacks
from engine.operation import Attack

VARIANTS: list[Attack] = [
    attacks.DeepFool(boundary_steps=4, refine=2),
    attacks.DeepFool(norm="linf", boundary_steps=4, refine=2, eight_bit=True),
    attacks.DeepFool(box="clipped", classes=10, refine=0, boundary_steps=0),
    attacks.DDN(steps=6, boundary_steps=4),
    attacks.DDN(steps=6, quantise=True, boundary_steps=0),
    attacks.FMN(steps=6, boundary_steps=4),
    attacks.FMN(norm="linf", steps=6, boundary_steps=2, eight_bit=True),
    attacks.FMN(norm="l1", steps=6, boundary_steps=2),
    attacks.FMN(norm="l0", steps=8, boundary_steps=4),
]
