"""The smallest perturbation of each image that changes the prediction: by halving the radius of an attack, or by a minimal-norm attack."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from engine.balls import BALLS, TINY, Norm
from engine.classifier import Classifier
from engine.driver import Run, start
from engine.errors import GibbonError
from engine.evaluate.inner_runs import rows_at_a_time, share_of
from engine.evaluate.trust.measuring import silent_rows, unfinished_rows
from engine.operation import Attack
from engine.result import AttackResult


@dataclass(frozen=True, eq=False)
class Norms:
    """The smallest perturbations that were found, all tensors on the CPU.

    An image that is misread as it is has 0, one on which the attack failed has infinity.
    """

    smallest: Tensor
    """Smallest radius at which the attack succeeds, ``(N,)`` float64; of a minimal-norm attack the norm of its perturbation."""
    sizes: Tensor
    """Norm of the perturbation that was found there, ``(N,)`` float64: at most the radius."""
    relative: Tensor
    """``sizes`` over the norm of the image, ``(N,)`` float64: the relative perturbation of DeepFool's robustness."""
    failed: Tensor
    """Images ``(N,)`` bool for which the model gave NaN: attack errors, which are in no share and in no mean."""
    forwards: int = 0
    """Forward rows through the model, counted."""
    backwards: int = 0
    """Rows of gradients, counted over backward passes."""
    silent: Tensor | None = None
    """Images ``(N,)`` bool that were adversarial only on the way of the first attack, which is that of the largest radius; None: it has
    not ended.
    """
    unfinished: Tensor | None = None
    """How the first attack ended, ``(N,)`` int8; see `engine.evaluate.trust.measuring.unfinished_rows`."""

    @property
    def right_before(self) -> Tensor:
        """Images ``(N,)`` bool that were right before, without the attack errors."""
        return (self.smallest > 0) & ~self.failed

    @property
    def found(self) -> Tensor:
        """Images ``(N,)`` bool that were right before, and on which the attack succeeded."""
        return self.right_before & self.smallest.isfinite()

    def robust(self, eps: float) -> Tensor:
        """Return ``(N,)`` bool: the images that hold at ``eps``. A larger eps never holds more."""
        return (self.smallest > eps) & ~self.failed


Looks = Generator[tuple[float, Norms], None, Norms]
"""Yields the share that is done with the norms so far, and returns the norms."""


def kind_of(attack: Attack) -> str:
    """Return ``radius`` where the smallest radius can be searched, ``norm`` where the attack minimises the norm itself.

    Raises
    ------
    GibbonError
        The attack has neither a radius nor a norm that it minimises.
    """
    if attack.keeps == "norm":
        return "norm"
    if getattr(attack, "eps", None) is not None and attack.ball() is not None and attack.by_rows:
        return "radius"
    raise GibbonError(f"{attack.title} has no eps to search, and minimises no norm. Choose one such as PGD, or DeepFool.")


def smallest_norms(attack: Attack, classifier: Classifier, images: Tensor, labels: Tensor, seeds: Sequence[int], halvings: int) -> Looks:
    """Search the smallest perturbation of each image.

    With a radius: the attack runs at its own ``eps``, then at the middle of each image's interval, ``halvings`` times, with all images in
    one batch, each at its own radius. Radii are ``eps * k / 2^halvings``; the attack succeeded at the one that is found, and failed at the
    next smaller one. An attack that fails at a radius and would succeed at a smaller one is taken at its word.

    Parameters
    ----------
    attack
        The attack; its ``eps`` is the largest radius.
    classifier, images, labels
        The model, clean images ``(N, C, H, W)``, and their classes ``(N,)``.
    seeds
        The seed of each image.
    halvings
        Number of times that each interval is halved.
    """
    by_norm = kind_of(attack) == "norm"
    search = _Search(attack, classifier, images, labels, seeds)
    yield 0.0, search.norms
    if by_norm:
        found = yield from search.attacked(search.rows)
        search.note(search.rows, found)
        return search.norms
    largest, count = float(attack.eps), 2**halvings  # type: ignore[attr-defined]
    low, high = torch.zeros(len(images), dtype=torch.int64), torch.full((len(images),), count)
    rows, middle = search.rows, high.clone()
    for tries in range(halvings + 1):
        radii = largest * middle[rows].double() / count
        found = yield from search.attacked(rows, radii, (tries, halvings + 1))
        search.note(rows, found, radii)
        high[rows[found.success]], low[rows[~found.success]] = middle[rows[found.success]], middle[rows[~found.success]]
        rows = rows[found.success & ~found.failed] if tries == 0 else rows[~found.failed]
        middle = (low + high) // 2
    return search.norms


_KINDS = (torch.bool, torch.double, torch.double, torch.bool, torch.bool, torch.int8)
"""The types of the tensors of `_Found`."""


@dataclass(frozen=True, eq=False)
class _Found:
    """The outcome of one attack for each of its images, on the CPU."""

    success: Tensor
    sizes: Tensor
    relative: Tensor
    failed: Tensor
    silent: Tensor
    unfinished: Tensor


class _Search:
    """The images, their norms so far, and the attack on some of them."""

    def __init__(self, attack: Attack, classifier: Classifier, images: Tensor, labels: Tensor, seeds: Sequence[int]) -> None:
        self._attack, self._classifier, self._images, self._labels, self._seeds = attack, classifier, images, labels, seeds
        ball = attack.ball()
        norm: Norm = getattr(attack, "norm", None) or "l2"
        self._size = (BALLS[norm](1.0) if ball is None else ball).size
        logits = classifier.score(images)
        broken = logits.isnan().any(1).cpu()
        right = (logits.argmax(1) == labels.to(logits.device)).cpu() & ~broken
        self.rows = right.nonzero().flatten()
        """The images that were right before."""
        sizes = torch.where(right, torch.inf, 0.0).double()
        self.norms = Norms(sizes, sizes, sizes, broken, forwards=len(images))

    def attacked(
        self, rows: Tensor, radii: Tensor | None = None, part: tuple[int, int] = (0, 1)
    ) -> Generator[tuple[float, Norms], None, _Found]:
        """Attack the images at ``rows``, all at once, or those of equal radius together where the attack has one radius for all.

        ``part`` is the number of this attack and the number of all, for the share that is done.
        """
        if radii is None or self._attack.takes_radii:
            groups = [(self._attack, torch.arange(len(rows)), radii)] if len(rows) else []
        else:
            each = [(radius, (radii == radius).nonzero().flatten()) for radius in sorted(set(radii.tolist()))]
            groups = [(self._attack.build(**{**self._attack.model_dump(), "eps": radius}), some, None) for radius, some in each]
        found = _Found(*(torch.zeros(len(rows), dtype=kind) for kind in _KINDS))
        done = 0
        for attack, some, own in groups:
            with closing(self._start(attack, rows[some], own)) as run:
                for step in run:
                    yield (part[0] + (done + share_of(step) * len(some)) / len(rows)) / part[1], self.norms
                result = run.result()
            assert isinstance(result, AttackResult)
            done += len(some)
            counts = self.norms.forwards + result.forwards, self.norms.backwards + result.backwards
            self.norms = replace(self.norms, forwards=counts[0], backwards=counts[1])
            self._fill(found, some, result)
        yield (part[0] + 1) / part[1], self.norms
        return found

    def _start(self, attack: Attack, rows: Tensor, radii: Tensor | None) -> Run:
        images, seeds = self._images[rows], [self._seeds[row] for row in rows.tolist()]
        together = rows_at_a_time(attack, images)
        return start(attack, self._classifier, images, self._labels[rows], seeds=seeds, radii=radii, rows_at_a_time=together)

    def _fill(self, found: _Found, rows: Tensor, result: AttackResult) -> None:
        # In float64 on the CPU, since some devices have none, and a norm rounded down would lie below its radius.
        perturbation, clean = result.perturbation.cpu().double(), result.clean.cpu().double()
        sizes = self._size(perturbation)
        found.success[rows], found.failed[rows] = result.success.cpu(), result.failed.cpu()
        found.sizes[rows] = sizes
        found.relative[rows] = sizes / self._size(clean).clamp_min(TINY)
        found.silent[rows], found.unfinished[rows] = silent_rows(result).cpu(), unfinished_rows(result).cpu()

    def note(self, rows: Tensor, found: _Found, radii: Tensor | None = None) -> None:
        """Note the images on which an attack succeeded: they have a smaller perturbation than before."""
        fresh, new = rows[found.success], dict[str, Any]()
        for name, values in (("smallest", found.sizes if radii is None else radii), ("sizes", found.sizes), ("relative", found.relative)):
            new[name] = getattr(self.norms, name).index_copy(0, fresh, values[found.success])
        failed = self.norms.failed.index_copy(0, rows, self.norms.failed[rows] | found.failed)
        if self.norms.unfinished is None:
            for name in ("silent", "unfinished"):
                values = getattr(found, name)
                new[name] = torch.zeros(len(failed), dtype=values.dtype).index_copy(0, rows, values)
        self.norms = replace(self.norms, **new, failed=failed)
