"""Subject: one pair of images with its facts, from which the panels of a figure are made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.errors import GibbonError
from engine.explain import Explanation, Observation, observe
from engine.figures.panels import Array
from engine.loss_names import loss_name_of
from engine.operation import Attack
from engine.result import AttackResult


@dataclass(frozen=True, eq=False)
class Subject:
    """One pair of images with its facts, from which panels are made."""

    observation: Observation
    names: Sequence[str]
    """The classifier's class names."""
    label: int | None = None
    label_assumed: bool = False
    target: int | None = None
    success: bool | None = None
    """Whether the attack succeeded; None where nothing was attacked."""
    survives_8bit: bool | None = None
    grown: bool = False
    """Whether the adversarial image was grown from noise: the difference from the clean one is then no perturbation, and is not shown."""
    loss: Array | None = None
    """The loss of every step."""
    loss_steps: Array | None = None
    """The number of every step; some attacks leave numbers out. None: counted from 0."""
    flipped_at: int | None = None
    reached_before: bool = False
    """Whether the image counted as a success before the attack, so that no step of it is marked as the first success."""
    began: Array | None = None
    """Probabilities ``(K,)`` of the clean image with its stickers, where the attack began from that; None where it has none."""
    loss_name: str = "loss"
    top: int = 3
    """Number of classes in the bars."""


def subject_of(
    result: AttackResult,
    row: int = 0,
    *,
    clean: Tensor | None = None,
    explanations: Sequence[Explanation] = (),
    top: int = 3,
    bounds: Mapping[str, float] | None = None,
) -> Subject:
    """Return one row of an attack's result as the subject of a figure.

    Under ``bounds`` (site name to value) the pair is observed a second time, as in `engine.explain.observe`; the attack itself ran without
    them.

    ``clean`` ``(C, H, W)`` is the clean image where the attack began from that image with stickers painted over it. The figure then shows
    the clean image without them, and the perturbation ``adversarial - clean`` with them. None: the attack began from the clean image.
    """
    if not 0 <= row < len(result.clean):
        raise GibbonError(f"There is no row {row}: the result holds rows 0 to {len(result.clean) - 1}.")
    made = result.trace_steps[:, row] >= 0
    shown = clean if clean is not None and has_stickers(result, row, clean) else None
    return Subject(
        observation=observe(
            result.classifier,
            result.clean[row] if shown is None else shown,
            result.adversarial[row],
            bounds=bounds,
            explanations=explanations,
        ),
        names=result.classifier.labels,
        label=int(result.labels[row]),
        label_assumed=result.labels_assumed,
        target=None if result.targets is None else int(result.targets[row]),
        success=bool(result.success[row]),
        survives_8bit=bool(result.survives_8bit[row]),
        grown=isinstance(result.operation, Attack) and not result.operation.from_image,
        loss=array(result.trace[:, row][made.to(result.trace.device)]),
        loss_steps=array(result.trace_steps[made, row]),
        flipped_at=result.flip(row),
        reached_before=bool(result.reached_before[row]),
        loss_name=loss_name_of(result, row).partition(" towards ")[0],  # the figure names the target elsewhere
        began=None if shown is None else array(result.clean_logits[row].softmax(0)),
        top=top,
    )


def has_stickers(result: AttackResult, row: int, clean: Tensor) -> bool:
    """Return whether a row's attack began from another image than ``clean``: from that with its stickers."""
    return not torch.equal(clean.cpu(), result.clean[row].cpu())


def array(tensor: Tensor) -> Array:
    """Convert a tensor to float32 on the CPU."""
    values: Array = tensor.detach().cpu().float().numpy()
    return values
