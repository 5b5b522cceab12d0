"""The card of the toy detector: how it was trained, and how well it finds the signs of scenes that it was not trained on."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

from engine.data.generated.boxed_scenes import SCENE_LABELS, SIZES
from engine.object_detection.detector import Detector
from engine.object_detection.pictures import drawn_pictures
from engine.object_detection.precision import average_precision
from engine.object_detection.toy.network import SIDE, GridNetwork
from engine.object_detection.toy.training import Recipe

NAME = "toy-signs"
HELD_OUT = 400
"""Number of scenes on which the card's average precision is measured."""
HELD_OUT_SEED = 1000
"""Added to the seed of the training for the seed of these scenes."""


def card_of(network: GridNetwork, recipe: Recipe, sha256: str) -> dict[str, Any]:
    """Return the card of a trained network whose weights have this hash."""
    detector = Detector(network, SCENE_LABELS, (3, SIDE, SIDE), name=NAME, device="cpu")
    drawn = drawn_pictures(HELD_OUT, recipe.seed + HELD_OUT_SEED)
    found = average_precision(detector(drawn.batch()), drawn.truths or (), len(SCENE_LABELS))
    return {
        "name": NAME,
        "detector": "grid",
        "toy": "A toy for learning and for tests: it finds eight drawn signs in drawn scenes, and says nothing of detectors in use.",
        "labels": list(SCENE_LABELS),
        "input_shape": [3, SIDE, SIDE],
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
        "data_set": f"scenes of {SIDE} x {SIDE} pixels with one to three signs of {SIZES[0]:g} to {SIZES[1]:g}, drawn by this project",
        "recipe": asdict(recipe),
        "command": "python -m engine.object_detection.toy OUT_DIR",
        "held_out_scenes": HELD_OUT,
        "held_out_seed": recipe.seed + HELD_OUT_SEED,
        "ap": {
            "mean": round(found.mean, 4),
            **{name: round(value, 4) for name, value in zip(SCENE_LABELS, found.by_class, strict=True) if not math.isnan(value)},
        },
        "sha256": sha256,
        "licence": "Apache-2.0",
    }
