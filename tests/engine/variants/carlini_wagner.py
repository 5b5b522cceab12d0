"""Carlini and Wagner's attacks."""

from engine import attacks
from engine.operation import Attack

SHORT = {"rounds": 2, "steps": 8, "boundary_steps": 3}
VARIANTS: list[Attack] = [
    attacks.CarliniWagnerL2(**SHORT),
    attacks.CarliniWagnerL2(**SHORT, confidence=0.1, beside=3, abort=False),
    attacks.CarliniWagnerL2(**SHORT, parametrisation="tanh", step_size=0.1, schedule="constant", constant=10.0),
    attacks.CarliniWagnerL2(**SHORT, eight_bit=True),
]
VARIANTS += [
    attacks.CarliniWagnerLinf(steps=6, tries=2, boundary_steps=3),
    attacks.CarliniWagnerLinf(steps=6, tries=3, form="penalty", boundary_steps=0, growth=10),
    attacks.CarliniWagnerL0(steps=8),
    attacks.CarliniWagnerL0(steps=5, freezing="paper", constant=3e5),
]
