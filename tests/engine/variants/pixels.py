"""Few pixels."""

from engine import attacks
from engine.operation import Attack

VARIANTS: list[Attack] = [
    attacks.OnePixel(population=20, generations=3),
    attacks.OnePixel(population=12, generations=3, pixels=3, repair="resample", stop="confidence"),
    attacks.OnePixelMap(levels=2),
]
