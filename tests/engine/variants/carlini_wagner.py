"""Carlini and Wagner's attacks."""

from engine import attacks
from engine.operation import Attack

SHORT = {"rounds": 2, "steps": 12, "boundary_steps": 4}
VARIANTS: list[Attack] = [
    attacks.CarliniWagnerL2(**SHORT),
    attacks.CarliniWagnerL2(**SHORT, confidence=0.1, beside=3, abort=False),
    attacks.CarliniWagnerL2(**SHORT, parametrisation="tanh", step_size=0.1, schedule="constant", constant=10.0),
    attacks.CarliniWagnerL2(**SHORT, eight_bit=True),
]
