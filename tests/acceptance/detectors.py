"""DPatch on the toy detector: the precision that is lost in the corner, at nine other places, and in scenes that were not attacked."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from engine.object_detection import DPatch, average_precision, load, run
from engine.object_detection.elsewhere import elsewhere
from engine.object_detection.patching import pasted
from engine.object_detection.pictures import drawn_pictures
from engine.object_detection.result import drop
from tests.acceptance.figures import Figure, at_least

SEED, SCENES, OTHERS = 7, 100, 200


def figures(_root: str | None) -> Iterator[Figure]:
    """Hide the signs of 100 scenes by one patch of 40 pixels, and have another one seen as a stop sign."""
    detector, drawn, other = load("toy-signs", device="cpu"), drawn_pictures(SCENES, SEED), drawn_pictures(OTHERS, SEED, first=500)
    yield at_least("toy-signs: mean AP at IoU 0.5 on 400 held-out scenes (card)", float(detector.card["ap"]["mean"]), 0.9)
    attack = DPatch(size=40, steps=200, images_per_step=25, measure_every=20)
    result = run(attack, detector, drawn.batch(), drawn.truths)
    outside = torch.ones(96, 96, dtype=torch.bool)
    outside[:40, :40] = False
    changed = float((result.adversarial - result.clean)[:, :, outside].abs().max())
    yield Figure("dpatch: largest change outside the patch", changed, "0", changed == 0)
    before, begun = result.precision_before.mean, result.begun.precision.mean
    yield Figure("dpatch: mean AP before, with the initial patch, after", f"{before:.3f}, {begun:.3f}, {result.precision_after.mean:.3f}")
    yield at_least("dpatch: share of the mean AP lost in the corner, 100 scenes", result.drop, 0.6)
    rows = elsewhere(result).rows
    yield at_least("dpatch: mean share lost at nine unseen places over that in the corner", float(rows[-1][3]) / result.drop, 0.7)
    least, grey = min(float(row[3]) for row in rows[:-1]), float(rows[-1][1])
    yield Figure("dpatch: least share lost at one of the nine; mean AP with a grey square there", f"{least:.3f}; {grey:.3f}")
    corner = torch.zeros(OTHERS, 2, dtype=torch.int64)
    looks = [detector(images) for images in (other.batch(), pasted(other.batch(), result.patch, corner))]
    clean, patched = (average_precision(found, other.truths or (), len(detector.labels)).mean for found in looks)
    yield at_least("dpatch: share lost in 200 scenes that were not attacked", drop(clean, patched), 0.6)
    few = drawn_pictures(32, SEED)
    seen = run(DPatch(size=24, steps=60, measure_every=20), detector, few.batch(), few.truths, target=0).kept.seen
    yield at_least("dpatch, 24 pixels, towards Stop: seen at the patch, 32 scenes", float(seen or 0.0), 0.9)
