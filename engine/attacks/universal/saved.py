"""Perturbations in files: written after training, read and added to other images."""

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
    """The content of a file with a perturbation."""

    values: Tensor
    """The perturbation ``(1, C, H, W)``, float32 on the CPU, to be added to images in [0, 1]."""
    title: str
    facts: Mapping[str, Any]
    """Facts stored with it: model, data set, radius, fooling rates."""


def save_perturbation(path: str | Path, perturbation: Perturbation, **facts: Any) -> Path:
    """Write one perturbation as safetensors, with its facts as JSON in the file's header.

    Parameters
    ----------
    path
        The target; its suffix becomes .safetensors. An existing file is replaced once the new one is complete.
    perturbation
        A perturbation with values ``(1, C, H, W)``, such as ``result.artifacts["universal"]``.
    facts
        Values that JSON can hold: the model's name and fingerprint, the data set, fooling rates.

    Returns
    -------
    Path
        The path of the file.

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
    """Read a file that `save_perturbation` wrote.

    Raises
    ------
    GibbonError
        The file does not exist, has another format, or holds values that cannot be added to images in [0, 1].
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
    """Add a perturbation from a file to the images, which is the purpose of a universal one.

    ``adversarial = clamp(images + mask * scale * v, 0, 1)``. The classifier is only queried for the result.

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
    """The file (.safetensors) with the saved perturbation."""
    scale: Number = budget(1.0, gt=0, le=100, unit="times the perturbation")
    """Factor on the perturbation: 1 adds it as it was trained."""

    @torch.no_grad()
    def iterate(self, problem: Problem) -> Iterator[AttackStep]:
        """Yield the clean images, then the sum."""
        values = self._values(problem)
        for index, images in enumerate((problem.images, problem.compose(self.scale * values))):
            logits = problem.classifier.verdict(images)
            yield AttackStep(index, 1, images, value("ce", logits, problem.labels, problem.targets), logits)

    def artifacts(self, problem: Problem, last: Step) -> Mapping[str, Artifact]:
        """Return the perturbation that was added."""
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
