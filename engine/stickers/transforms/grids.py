"""Grids of transformations: for each pixel that is seen, the point of the content that is there."""

from __future__ import annotations

import torch
from torch import Tensor

from engine.stickers.transforms.ranges import Transforms

_NEAREST = 0.05
"""Smallest depth of a point. Points behind the camera get it, too, which puts them far outside of the content."""


def grids(transforms: Transforms, seen: tuple[int, int], content: tuple[int, int], centres: Tensor | None = None) -> Tensor:
    """Return grids ``(R, H, W, 2)`` for ``torch.nn.functional.grid_sample`` with ``align_corners=False``.

    With a pixel's centre ``p`` and the content's centre ``c``, both in pixels from the middle of the image, its point in the content is ``q
    = rotation(-angle) (p - c) / scale``, in pixels from the content's middle; in units of half the content's sides ``q`` is divided by the
    depth ``1 + tilt . q``.

    Parameters
    ----------
    transforms
        R transformations.
    seen
        Height and width of the images that are seen.
    content
        Height and width of the content.
    centres
        The content's centre in each image, ``(R, 2)``, x and y in pixels from the middle of the image, to which the shift is added. None:
        the middle.
    """
    height, width = seen
    like = transforms.scale
    centre_x, centre_y = (transforms.shift[:, axis] * side for axis, side in enumerate((width, height)))
    if centres is not None:
        centre_x, centre_y = centre_x + centres[:, 0], centre_y + centres[:, 1]
    x = torch.arange(width, device=like.device, dtype=like.dtype) + 0.5 - width / 2 - centre_x[:, None]
    y = torch.arange(height, device=like.device, dtype=like.dtype) + 0.5 - height / 2 - centre_y[:, None]
    x, y = x[:, None, :], y[:, :, None]
    cosine, sine = ((turn(transforms.angle) / transforms.scale)[:, None, None] for turn in (torch.cos, torch.sin))
    across = (cosine * x + sine * y) * (2 / content[1])
    down = (cosine * y - sine * x) * (2 / content[0])
    if transforms.ranges.perspective:
        tilt_x, tilt_y = (transforms.tilt[:, axis, None, None] for axis in (0, 1))
        depth = (1 + tilt_x * across + tilt_y * down).clamp_min(_NEAREST)
        across, down = across / depth, down / depth
    return torch.stack([across, down], -1)
