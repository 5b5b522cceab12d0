"""Stickers that hold under transformations, and what is made from them."""

import tempfile
from pathlib import Path

import torch

from engine import attacks
from engine.operation import Attack

_FOLDER = tempfile.TemporaryDirectory()  # gone when the tests are


def _ready() -> Path:
    path = Path(_FOLDER.name) / "patches.pt"
    torch.save((torch.rand(2, 3, 4, 5, generator=torch.Generator().manual_seed(0)), torch.tensor([1, 2])), path)
    return path


SHORT = {"steps": 4, "samples": 5, "fresh": 6}
EVERYTHING = {"gamma": 1.3, "noise": 0.05, "blur": 0.7, "quality": 50}
STILL = {"smallest": 1.0, "largest": 1.0, "rotation": 0.0, "perspective": 0.0, "shift": 0.0, "brightness": 0.0, "contrast": 0.0}
VARIANTS: list[Attack] = [
    attacks.AdversarialPatch(**SHORT),
    attacks.AdversarialPatch(**SHORT, **EVERYTHING, optimizer="adam", begin="random", loss="margin"),
    attacks.AdversarialPatch(**SHORT, **STILL),
    attacks.AdversarialPatch(**SHORT, begin="image", radius=0.2, palette="black and white", smoothness=0.1, eight_bit=True),
    attacks.UniversalPatch(steps=5, batch_size=6),
    attacks.UniversalPatch(steps=4, batch_size=30, place="as drawn", optimizer="sign", begin="random", eight_bit=True, **EVERYTHING),
    attacks.RP2(**SHORT, search_steps=3, step_size=0.2, weight=0.001),
    attacks.RP2(**SHORT, **EVERYTHING, search_steps=3, search_weight=0.001, rectangles=2, area=0.4, palette="8 colours", eight_bit=True),
    attacks.RP2(steps=6, search=False, loss="margin", **STILL),
    attacks.ReadyPatchOnImage(file=str(_ready()), number=2),
]
