"""Watch over a model's gradients: images whose first gradient is zero, and gradients that are NaN or infinite."""

from __future__ import annotations

import torch
from torch import Tensor


class GradientWatch:
    """Check of every gradient before it reaches the attack, on the device and without waiting for it.

    It keeps the largest magnitude of every image in the first gradient of each chunk, and the largest of all in later ones. That magnitude
    is zero, NaN or infinite where the gradient is.
    """

    def __init__(self) -> None:
        self._part: tuple[int, int] | None = None
        """First row and number of images of the chunk whose first gradient is awaited."""
        self._first: dict[int, Tensor] = {}
        """Largest magnitudes of each image's gradient, ``(times, images)``, by the first row of the chunk."""
        self._later: Tensor | None = None
        """The largest magnitude of all other gradients: a tensor of no dimension, NaN once one was NaN."""

    def await_part(self, first: int, images: int) -> None:
        """Prepare for a chunk that starts, or starts again after memory ran out."""
        self._part = first, images
        self._first.pop(first, None)

    @torch.no_grad()
    def cleaned(self, gradients: Tensor, copies: int | None = 1) -> Tensor:
        """Return the gradients with zeros in place of NaN and infinities, so that an attack continues with the other values.

        Parameters
        ----------
        gradients
            ``(rows, C, H, W)``, or several of the same images, ``(k, rows, C, H, W)``.
        copies
            Number of blocks of the same images in the rows. None: unknown, so no row is counted as an image.
        """
        part, self._part = self._part, None
        rows = gradients.shape[-4]
        if part is None or copies is None or rows % copies or rows // copies > part[1]:
            largest = gradients.abs().amax()
            self._later = largest if self._later is None else torch.maximum(self._later, largest)
        else:
            largest = gradients.abs().amax((-3, -2, -1))
            # With k > 1 blocks the others are further gradients of the same image.
            self._first[part[0]] = largest.reshape(-1, rows // copies)
        return gradients.nan_to_num(0.0, 0.0, 0.0)

    def notes(self, images: int) -> list[str]:
        """Return sentences on how many of ``images`` had unusable gradients; empty where all were usable. Waits for the device."""
        if not self._first and self._later is None:
            return []
        firsts = list(self._first.values())
        counts = [_counts(largest) for largest in firsts]
        later = [] if self._later is None else [torch.stack([self._later.isnan(), self._later.isinf()]).long()]
        values: list[int] = torch.cat([*([torch.stack(counts).sum(0)] if counts else []), *later]).tolist()
        flat, nan, infinite = values[:3] if counts else (0, 0, 0)
        said = [_flat(_which(flat, images))] if flat else []
        said += [_broken("NaN", _which(nan, images))] if nan else []
        said += [_broken("infinite", _which(infinite, images))] if infinite else []
        if later and not nan and not infinite and any(values[-2:]):
            said.append(_broken("NaN" if values[-2] else "infinite", ""))
        return said


def _counts(largest: Tensor) -> Tensor:
    """Count the images ``(times, images)`` whose gradients are all zero, hold NaN, or hold infinities without NaN."""
    nan = largest.isnan().any(0)
    return torch.stack([(largest == 0).all(0), nan, largest.isinf().any(0) & ~nan]).sum(1)


def _which(count: int, images: int) -> str:
    return "the image" if images == 1 else f"{count} of {images} images"


def _flat(which: str) -> str:
    return (
        f"The gradient of {which} is exactly zero where the attack begins, so there was no direction to follow: the classifier may be "
        "too sure there, or flat. Try the loss margin, or an attack on scores such as Square."
    )


def _broken(how: str, which: str) -> str:
    where = f"of {which} is {how} at some pixels where the attack begins" if which else f"was {how} at some pixels during the attack"
    return (
        f"The model's gradient {where}, as that of a root or a power is at black. It was taken for zero there, and the attack went on with "
        "the other pixels. An attack on scores such as Square needs no gradient."
    )
