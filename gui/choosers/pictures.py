"""Thumbnails of samples, of files and of the image on the canvas."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING

from gui.session.swap_model import samples_for

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from engine import Classifier
    from engine.images import Photograph, Sample

SIDE = 64
_MOST_KEPT = 32
_kept: OrderedDict[tuple[str, float], np.ndarray] = OrderedDict()
"""Thumbnails of files by path and time of change. Only the background lane writes it."""


def small(photograph: Photograph, side: int = SIDE) -> np.ndarray:
    """Return a photograph reduced to at most ``side`` pixels a side, as ``(h, w, 3)`` uint8."""
    import numpy as np
    from PIL import Image

    picture = Image.fromarray(np.ascontiguousarray(photograph.pixels)).convert("RGB")
    picture.thumbnail((side, side))
    return np.ascontiguousarray(np.asarray(picture))


def sample_pictures(classifier: Classifier) -> list[tuple[Sample, np.ndarray, tuple[int, int]]]:
    """Return the samples that suit a classifier, each with its thumbnail and its size. Called in an engine thread."""
    opened = [(sample, sample.open()) for sample in samples_for(classifier)]
    return [(sample, small(photograph), photograph.size) for sample, photograph in opened]


def file_pictures(paths: list[Path]) -> dict[Path, np.ndarray]:
    """Return the thumbnails of image files; those that cannot be read are left out. Called in an engine thread."""
    from engine import GibbonError
    from engine.images import open_image

    made = {}
    for path in paths:
        try:
            key = (str(path), path.stat().st_mtime)
            if key not in _kept:
                _kept[key] = small(open_image(path))
                while len(_kept) > _MOST_KEPT:
                    _kept.popitem(last=False)
            made[path] = _kept[key]
        except (GibbonError, OSError):  # it is gone or damaged, which opening it will say
            continue
    return made


def levels_of(clean: Tensor) -> np.ndarray:
    """Do the same as `gui.session.scene.to_pixels`, with NumPy: torch's threads spin while they wait, which would slow the window."""
    import numpy as np

    from engine.images import array_levels

    values = array_levels(clean.numpy()).transpose(1, 2, 0)
    return np.ascontiguousarray(np.broadcast_to(values, (*values.shape[:2], 3)))
