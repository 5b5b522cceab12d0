"""DPatch against the adversarial-robustness-toolbox on the toy detector: the same patch after the same steps, pixel by pixel."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from engine.object_detection import Boxes, DPatch, load, start
from engine.object_detection.pictures import drawn_pictures

pytestmark = [pytest.mark.parity]


class Conventional(nn.Module):
    """A detector in torchvision's convention around one with the methods detect and loss."""

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor, targets: Any = None) -> Any:
        if self.training:
            truths = [Boxes(each["boxes"].float(), each["labels"].long(), torch.ones(len(each["labels"]))) for each in targets]
            return {"loss": self.network.loss(images, truths).sum()}
        return [{"boxes": b.xyxy, "labels": b.labels, "scores": b.scores} for b in self.network.detect(images)]


@pytest.mark.parametrize("target", [None, 3])
def test_the_same_patch_as_the_toolboxs_after_the_same_steps(target: int | None) -> None:
    evasion = pytest.importorskip("art.attacks.evasion")
    estimators = pytest.importorskip("art.estimators.object_detection")
    detector, drawn = load("toy-signs", device="cpu"), drawn_pictures(6, 7)
    # The toolbox swaps row and column of the patch's box, so the place is as far from the left as from the top.
    attack = DPatch(size=24, steps=12, step_size=5 / 255, measure_every=12, left=30, top=30)
    with start(attack, detector, drawn.batch(), drawn.truths, target=target) as run:
        first = next(step.patch for step in run if hasattr(step, "patch"))
        last = [step.patch for step in run if hasattr(step, "patch")][-1]

    estimator = estimators.PyTorchObjectDetector(
        Conventional(detector.module), input_shape=(3, 96, 96), clip_values=(0, 1), attack_losses=("loss",), device_type="cpu"
    )
    theirs = evasion.DPatch(estimator, patch_shape=(3, 24, 24), learning_rate=5 / 255, max_iter=12, batch_size=6, verbose=False)
    theirs._patch = first.numpy().copy()
    middle = np.zeros((1, 96, 96), dtype=bool)
    middle[0, 30 + 12, 30 + 12] = True  # the only place where the middle of the patch may lie
    told = [{"boxes": b.xyxy.numpy(), "labels": b.labels.numpy(), "scores": b.scores.numpy()} for b in drawn.truths or ()]
    made = theirs.generate(drawn.batch().numpy(), y=told if target is None else None, target_label=target, mask=middle)
    same = np.isclose(made, last.numpy(), atol=1e-5)
    assert same.mean() >= 0.995  # the sign of a gradient near 0 may differ
    assert np.abs(made - first.numpy()).mean() > 0.02
