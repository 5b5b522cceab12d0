"""JPEG compression as a defense: the codec in whole numbers, and the attacker's differentiable stand-in for it."""

from engine.defenses.preprocessing.jpeg.jpeg import JPEG

__all__ = ["JPEG"]
