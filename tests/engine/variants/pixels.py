"""Few pixels, and one perturbation for all."""

from engine import attacks
from engine.operation import Attack

VARIANTS: list[Attack] = [
    attacks.OnePixel(population=20, generations=3),
    attacks.OnePixel(population=12, generations=3, pixels=3, repair="resample", stop="confidence"),
    attacks.OnePixelMap(levels=2),
    attacks.Universal(eps=0.1, steps=6, batch_size=8),
    attacks.Universal(norm="l2", eps=1.5, steps=4, batch_size=8),
    attacks.Universal(mode="paper", eps=0.1, passes=1),
]
