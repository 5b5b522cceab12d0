"""Whether a model's gradients can be followed: which images have none at all at the start, and where they are NaN or infinite."""

from __future__ import annotations

import torch
from torch import Tensor


class GradientWatch:
    """Looks at every gradient on its way to the attack, on the device and without waiting for it.

    Of the first gradient of each part of a batch it keeps the largest magnitude of every image, of all later ones the largest of all. A
    magnitude answers the three questions: it is zero, NaN or infinite where the gradient is.
    """

    def __init__(self) -> None:
        self._part: tuple[int, int] | None = None
        """First row and number of images of the part whose first gradient is awaited."""
        self._first: dict[int, Tensor] = {}
        """By first row: the largest magnitude of each image's gradient, ``(times, images)``."""
        self._later: Tensor | None = None
        """The largest magnitude of all other gradients: a tensor of no dimension, NaN once one was NaN."""

    def await_part(self, first: int, images: int) -> None:
        """A part begins, or begins again."""
        self._part = first, images
        self._first.pop(first, None)

    @torch.no_grad()
    def cleaned(self, gradients: Tensor, copies: int | None = 1) -> Tensor:
        """The gradients with zeros in place of what is NaN or infinite, so that an attack goes on with the other values.

        Parameters
        ----------
        gradients
            ``(rows, C, H, W)``, or several of the same images, ``(k, rows, C, H, W)``.
        copies
            In how many blocks the rows hold the same images. None: that is unknown, so no row is counted as an image.
        """
        part, self._part = self._part, None
        rows = gradients.shape[-4]
        if part is None or copies is None or rows % copies or rows // copies > part[1]:
            largest = gradients.abs().amax()
            self._later = largest if self._later is None else torch.maximum(self._later, largest)
        else:
            largest = gradients.abs().amax((-3, -2, -1))
            self._first[part[0]] = largest.reshape(-1, rows // copies)  # further blocks are further gradients of an image
        return gradients.nan_to_num(0.0, 0.0, 0.0)

    def notes(self, images: int) -> list[str]:
        """What to say of them, of ``images`` in all; nothing where all can be followed. Waits for the device."""
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
    """Of how many images ``(times, images)`` all gradients are zero, one is NaN, or one is infinite and none NaN."""
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
