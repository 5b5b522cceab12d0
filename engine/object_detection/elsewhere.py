"""A patch at places where it was not trained: the average precision there, beside that with a grey square."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from engine.artifacts import Table
from engine.errors import GibbonError
from engine.object_detection.patching import pasted
from engine.object_detection.precision import average_precision
from engine.object_detection.result import DetectorResult, drop


def unseen_places(image: tuple[int, int], size: tuple[int, int], trained: Tensor) -> list[tuple[int, int]]:
    """Return nine places (left, top) on a grid of 3 x 3 that is spread over the image (H, W), none of them one that was trained.

    A place of the grid that was trained is moved by half the patch's side, towards the middle of the image; it is left out where that
    does not help, as in an image that the patch fills.
    """
    taken = {(int(left), int(top)) for left, top in trained.tolist()}
    most = (image[1] - size[1], image[0] - size[0])
    found = []
    for row in range(3):
        for column in range(3):
            place = (round(column * most[0] / 2), round(row * most[1] / 2))
            if place in taken:
                place = (_moved(place[0], most[0], size[1]), _moved(place[1], most[1], size[0]))
            if place not in taken:
                found.append(place)
    return found


def elsewhere(result: DetectorResult, places: Sequence[tuple[int, int]] | None = None) -> Table:
    """Return a table with a row for each place: average precision with a grey square there, with the patch, and the share lost.

    The last row is the mean. The grey square shows the effect of covering objects by itself.

    Parameters
    ----------
    result
        The result of an attack.
    places
        Left and top of each place; None: nine that were not trained, see `unseen_places`.

    Raises
    ------
    GibbonError
        The patch fills the image, so there is no other place.
    """
    size = (result.patch.shape[1], result.patch.shape[2])
    if places is None:
        places = unseen_places((result.clean.shape[2], result.clean.shape[3]), size, result.places)
    if not places:
        raise GibbonError("There is no place where the patch was not trained: it fills the image. Choose a smaller size.")
    clean, grey = result.precision_before.of(result.attacked), torch.full_like(result.patch, 0.5)
    numbers = []
    for place in places:
        at = torch.tensor([place], device=result.clean.device).expand(len(result.clean), 2)
        covered, patched = _precision(result, grey, at), _precision(result, result.patch, at)
        numbers.append((covered, patched, drop(clean, patched)))
    means = tuple(sum(column) / len(numbers) for column in zip(*numbers, strict=True))
    rows = [(f"{left}, {top}", *found) for (left, top), found in zip(places, numbers, strict=True)]
    shares = ("AP, grey square", "AP, patch", "share lost")
    title = "The patch where it was not trained"
    return Table(("left, top", *shares), (*rows, ("mean", *means)), title, units=dict.fromkeys(shares, "share"))


def _precision(result: DetectorResult, patch: Tensor, at: Tensor) -> float:
    found = result.detector(pasted(result.clean, patch, at))
    return average_precision(found, result.truths, len(result.detector.labels)).of(result.attacked)


def _moved(at: int, most: int, part: int) -> int:
    """Return a coordinate moved by half a patch towards the middle, within 0 to ``most``."""
    way = max(1, part // 2)
    return min(most, at + way) if 2 * at < most else max(0, at - way)
