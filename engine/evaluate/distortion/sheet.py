"""The contact sheet of one image: its distorted pictures with what the classifier reads in each."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from engine.evaluate.distortion.counting import Seen, is_fooled
from engine.evaluate.distortion.kinds import read
from engine.evaluate.distortion.looking import DistortionStep, distorted
from engine.evaluate.distortion.numbers import verdict
from engine.evaluate.distortion.survival import DistortionSurvival


@dataclass(frozen=True, eq=False)
class Cell:
    """One picture of a contact sheet, with its prediction."""

    image: Tensor
    """The picture's pixels, ``(C, H, W)`` in [0, 1]."""
    strength: str
    name: str
    """The predicted class."""
    probability: float
    verdict: str
    undone: bool
    """Whether the attack is undone: the label is read again."""


@dataclass(frozen=True, eq=False)
class Sheet:
    """A row of pictures for each distortion, from the weakest strength on."""

    clean: Cell
    adversarial: Cell
    rows: tuple[tuple[str, tuple[Cell, ...]], ...]
    """Titles of the distortions with their pictures."""
    label: str
    row: int
    """Index of the image."""


def sheet_of(operation: DistortionSurvival, last: DistortionStep, seed: int, row: int | None = None) -> Sheet | None:
    """Return the sheet of one image; None while there are no predictions.

    Parameters
    ----------
    operation, last, seed
        The evaluation, its last step and the run's seed, from which added noise is drawn again.
    row
        Index of the image. None: the first one that is adversarial, or the first one of all.
    """
    if last.undistorted is None or last.adversarial is None:
        return None
    fooled = is_fooled(last.undistorted)
    if row is None:
        row = int(fooled.int().argmax())
    known, rows = {kind.slug: kind for kind in read(operation.distortions)}, dict[str, list[Cell]]()
    plain = last.adversarial[row : row + 1]
    for each in last.seen:
        picture = plain if each.by_another_model else distorted(plain, (known[each.slug], each.step), [row], seed)
        title = "Other models" if each.by_another_model else each.title
        rows.setdefault(title, []).append(_cell(last.undistorted, fooled, each, row, picture[0]))
    clean = _cell(last.undistorted, fooled, last.undistorted, row, last.clean[row], clean=True)
    adversarial = _cell(last.undistorted, fooled, last.undistorted, row, plain[0])
    label = last.undistorted.names[int(last.undistorted.labels[row])]
    return Sheet(clean, adversarial, tuple((title, tuple(cells)) for title, cells in rows.items()), label, row)


def _cell(undistorted: Seen, fooled: Tensor, each: Seen, row: int, picture: Tensor, *, clean: bool = False) -> Cell:
    part = each.clean if clean else each.adversarial
    strength = each.slug if each.by_another_model else each.shown
    undone = bool(fooled[row] & each.right[row])
    said = "" if clean else verdict(undistorted, fooled, each, row)
    return Cell(picture.detach().cpu(), strength, each.name(part, row), float(part.probabilities[row]), said, undone and not clean)
