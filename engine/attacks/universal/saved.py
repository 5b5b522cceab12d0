"""A perturbation in a file: written after it was learned, read and added to other images."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from engine.access import Knowledge
from engine.artifacts import Artifact, Perturbation
from engine.attacks.toolkit.losses import value
from engine.errors import GibbonError
from engine.files import ordinary_file, replacing
from engine.operation import Attack, AttackStep, Problem, Step, Use
from engine.parameters import budget
from engine.text.parsing import Number

_TENSOR, _FACTS = "perturbation", "gibbon"


@dataclass(frozen=True, eq=False)
class StoredPerturbation:
    """What a file holds."""

    values: Tensor
    """``(1, C, H, W)``, float32 on the CPU, to be added to images in [0, 1]."""
    title: str
    facts: Mapping[str, Any]
    """What was written with it: model, data set, radius, fooling rates."""


def save_perturbation(path: str | Path, perturbation: Perturbation, **facts: Any) -> Path:
    """Write one perturbation as safetensors, with what is known about it as JSON in the file's own header.

    Parameters
    ----------
    path
        Where to; the suffix becomes .safetensors. A file of that name is replaced once the new one is whole.
    perturbation
        ``result.artifacts["universal"]``, say: values ``(1, C, H, W)``.
    facts
        Whatever JSON can hold: the model's name and fingerprint, the data set, fooling rates.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    GibbonError
        There is more than one perturbation, or it holds NaN.
    """
    values = perturbation.values.detach().to("cpu", torch.float32).contiguous()
    if values.dim() != 4 or len(values) != 1:
        raise GibbonError(f"One perturbation (1, C, H, W) can be saved, but these are {tuple(values.shape)}. Choose one of them.")
    if not bool(values.isfinite().all()):
        raise GibbonError("The perturbation holds NaN or infinite values. Look at where it was made.")
    file = Path(path).with_suffix(".safetensors")
    header = {_FACTS: json.dumps({"title": perturbation.title, **facts}, ensure_ascii=False)}
    with replacing(file) as staged:
        staged.write_bytes(save({_TENSOR: values}, metadata=header))
    return file


def load_perturbation(path: str | Path) -> StoredPerturbation:
    """Read what :func:`save_perturbation` wrote.

    Raises
    ------
    GibbonError
        There is no such file, or it is none of these, or its values cannot be added to images in [0, 1].
    """
    ordinary_file(path, "a file that a perturbation was saved to")
    try:
        with safe_open(str(path), "pt", device="cpu") as file:
            values = file.get_tensor(_TENSOR)
            facts = json.loads((file.metadata() or {})[_FACTS])
    except OSError as error:
        raise GibbonError(f"“{path}” cannot be read: {error.strerror or error}. Choose a file that a perturbation was saved to.") from error
    except (SafetensorError, KeyError, ValueError) as error:
        raise GibbonError(f"“{path}” is not a saved perturbation. Choose a file that one was saved to (.safetensors).") from error
    if not isinstance(facts, dict) or values.dim() != 4 or len(values) != 1:
        raise GibbonError(f"“{path}” holds {tuple(values.shape)} and not one perturbation (1, C, H, W). Save it again.")
    values = values.float()
    if not bool(values.isfinite().all()) or float(values.abs().max()) > 1:
        raise GibbonError(f"“{path}” holds values that are no differences of images in [0, 1]. Save it again.")
    return StoredPerturbation(values, str(facts.pop("title", "")), facts)


class SavedPerturbation(Attack):
    """Add a perturbation from a file to the images, as a universal one is meant to be used.

    ``adversarial = clamp(images + mask * scale * v, 0, 1)``. Nothing is asked of the classifier but its verdict.

    Moosavi-Dezfooli, Fawzi, Fawzi, Frossard 2016, arXiv 1610.08401.
    """

    slug: ClassVar[str] = "saved-perturbation"
    title: ClassVar[str] = "Saved perturbation"
    family: ClassVar[str] = "Universal"
    paper: ClassVar[str] = "Moosavi-Dezfooli et al. 2016, arXiv 1610.08401"
    uses: ClassVar[frozenset[Use]] = frozenset({"labels", "mask"})
    knows: ClassVar[Knowledge] = "labels"
    keeps: ClassVar[Literal["loss", "norm", "last"]] = "last"

    file: str = budget("", file=True)
    """The file (.safetensors) that a perturbation was saved to."""
    scale: Number = budget(1.0, gt=0, le=100, unit="times the perturbation")
    """Times the perturbation: 1 adds it as it was learned."""

    @torch.no_grad()
    def iterate(self, problem: Problem) -> Iterator[AttackStep]:
        """The clean images, then the sum."""
        values = self._values(problem)
        for index, images in enumerate((problem.images, problem.compose(self.scale * values))):
            logits = problem.classifier.verdict(images)
            yield AttackStep(index, 1, images, value("ce", logits, problem.labels, problem.targets), logits)

    def artifacts(self, problem: Problem, last: Step) -> Mapping[str, Artifact]:
        """The perturbation as it was added."""
        return {"universal": Perturbation(self.scale * self._values(problem), load_perturbation(self.file).title, universal=True)}

    def _values(self, problem: Problem) -> Tensor:
        if not self.file:
            raise GibbonError("Which perturbation? Name the file that one was saved to, in the field “file”.")
        values = load_perturbation(self.file).values
        if values.shape[1:] != problem.images.shape[1:]:
            raise GibbonError(
                f"The perturbation in “{self.file}” is {tuple(values.shape[1:])}, but the images are {tuple(problem.images.shape[1:])}. "
                "Choose one that was learned for images of this size."
            )
        return values.to(problem.images)
