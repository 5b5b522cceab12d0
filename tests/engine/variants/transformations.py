"""Transformations and light."""

from engine import attacks
from engine.operation import Attack

LIGHT = {"rotation": 0, "translation": 0, "brightness": 0.2, "contrast": 1.4, "gamma": 1.6, "shading": 0.3, "hue": 18, "saturation": 1.5}
CAMERA = {"scale": 1.3, "shear": 0.2, "perspective": 0.3, "outside": "black"}
VARIANTS: list[Attack] = [
    attacks.Transformation(points=3, rotation_points=5),
    attacks.Transformation(mode="worst of k", draws=12, landscape=3, across="y", **CAMERA),
    attacks.Transformation(mode="worst of k", loss="margin", **LIGHT),
    attacks.TransformationGradient(steps=4, restarts=2),
    attacks.TransformationGradient(steps=4, restarts=2, loss="margin", landscape=3, **(LIGHT | CAMERA)),
    attacks.LaserBeam(restarts=4, steps=5),
    attacks.LaserBeam(restarts=3, steps=4, stop="never", loss="ce", widest=0.5, strength=0.6),
]
