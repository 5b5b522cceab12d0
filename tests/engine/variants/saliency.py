"""The saliency map attack."""

from engine import attacks
from engine.operation import Attack

VARIANTS: list[Attack] = [
    attacks.JSMA(gamma=0.06),
    attacks.JSMA(gamma=0.06, derivatives="logits"),
    attacks.JSMA(gamma=0.06, theta=0.3, direction="decreasing", untargeted="random"),
    attacks.JSMA(gamma=0.2, derivatives="logits", pairs=3, direction="decreasing"),
]
