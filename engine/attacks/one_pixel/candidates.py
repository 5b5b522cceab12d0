"""Candidates are images with a few painted pixels: their evaluation, and the best one of each image."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from engine.attacks.one_pixel.painting import masked, painted
from engine.attacks.one_pixel.windows import Neighbours
from engine.attacks.toolkit.losses import LossName, value
from engine.batching import rows_per_pass
from engine.operation import Problem
from engine.ranking import beats, best_of

_WINDOWS = 8
"""Factor on the candidates of a pass by windows, which are smaller than whole images."""
_FASTER = 2
"""Factor on the candidates of an image in a step, where they are evaluated by windows."""


class Tried(NamedTuple):
    """Candidates of some images with their evaluation."""

    places: Tensor
    """Painted places, ``(n, m, d)``."""
    colours: Tensor
    """Colours of the places, ``(n, m, d, C)``."""
    logits: Tensor
    """Logits of the candidates, ``(n, m, K)``."""
    loss: Tensor
    """Losses of the candidates, ``(n, m)``; minus infinity in place of NaN."""
    success: Tensor
    """Successes of the candidates, ``(n, m)`` bool."""


class Candidates:
    """Evaluator of candidates for the images of a problem, by windows for single pixels where the network allows it.

    Parameters
    ----------
    problem
        The problem of all images.
    loss
        The loss that the attacker maximises.
    pixels
        Number of changed pixels in a candidate.
    """

    def __init__(self, problem: Problem, loss: LossName, pixels: int = 1) -> None:
        model = problem.classifier
        self._loss, self._rows = loss, rows_per_pass(problem.images)
        self.clean = model(problem.images)
        """Logits of the clean images, ``(N, K)``."""
        self.loss = value(loss, self.clean, problem.labels, problem.targets)
        """Losses of the clean images, ``(N,)``."""
        near = Neighbours.of(model.whole, problem.images) if pixels == 1 else None
        if near is not None:  # its maps took one more forward pass of the images
            model.scores_by(len(self.clean), lambda part: near.logits[part])
        self._neighbours = near if near is not None and near.agrees(self.clean) else None

    @property
    def of_an_image(self) -> int:
        """Number of candidates per image that a step should evaluate: a pass of whole images, or as many by windows as take that time."""
        return self._rows * (_FASTER if self._neighbours is not None and self._neighbours.to_the_end else 1)

    def ask(self, problem: Problem, rows: Tensor, places: Tensor, colours: Tensor) -> Tried:
        """Evaluate candidates, up to rounding: see `confirmed`. ``problem`` holds the images whose indices are ``rows`` ``(n,)``."""
        near = self._neighbours
        if near is None:
            return self._whole(problem, places, colours)
        n, copies = places.shape[:2]
        place, colour = places[:, :, 0], colours[:, :, 0]
        if problem.mask is not None:
            colour = masked(problem.images.flatten(2).transpose(1, 2), place, colour, problem.mask)
        row, place, colour = rows.repeat_interleave(copies), place.flatten(), colour.flatten(0, 1)
        logits = problem.classifier.scores_by(
            n * copies, lambda some: near.changed(row[some], place[some], colour[some]), _WINDOWS * self._rows
        )
        return self._judged(problem, places, colours, logits)

    def confirmed(self, problem: Problem, found: Tried, images: Tensor, candidates: Tensor) -> Tried:
        """Return ``found`` with the classifier's exact logits for ``candidates`` ``(k,)`` of ``images`` ``(k,)``, counted again."""
        if self._neighbours is None or len(images) == 0:
            return found
        here = images, candidates
        sure = self._whole(problem.select(images), found.places[here][:, None], found.colours[here][:, None])
        known = zip(found[2:], sure[2:], strict=True)
        return Tried(found.places, found.colours, *(old.index_put(here, new[:, 0]) for old, new in known))

    def _whole(self, problem: Problem, places: Tensor, colours: Tensor) -> Tried:
        n, copies = places.shape[:2]
        logits = []
        for some in torch.split(torch.arange(n, device=places.device), max(1, self._rows // copies)):
            mask = problem.mask if problem.mask is None or len(problem.mask) == 1 else problem.mask[some]
            logits.append(problem.classifier(painted(problem.images[some], places[some], colours[some], mask)))
        return self._judged(problem, places, colours, torch.cat(logits))

    def _judged(self, problem: Problem, places: Tensor, colours: Tensor, logits: Tensor) -> Tried:
        n, copies = places.shape[:2]
        targets = None if problem.targets is None else problem.targets.repeat_interleave(copies)
        loss = value(self._loss, logits, problem.labels.repeat_interleave(copies), targets).view(n, copies)
        logits = logits.view(n, copies, -1)
        success = problem.succeeds(logits.transpose(0, 1)).transpose(0, 1)
        return Tried(places, colours, logits, loss.masked_fill(loss.isnan(), -torch.inf), success)


class BestCandidate:
    """Keeper of each image's best candidate: a success, confirmed by the classifier, before any failure, then the largest loss."""

    def __init__(self, problem: Problem, candidates: Candidates) -> None:
        self._candidates = candidates
        self.images, self.loss, self.logits = problem.images, candidates.loss, candidates.clean
        self.success = problem.succeeds(self.logits)

    def keep(self, problem: Problem, rows: Tensor, found: Tried) -> None:
        """Keep the best of the candidates of ``problem``'s images, whose indices are ``rows`` ``(n,)``."""
        chosen = best_of(found.success, found.loss, dim=1)
        here = torch.arange(len(rows), device=rows.device)
        better = self._better(rows, found, here, chosen)
        flips = (better & found.success[here, chosen]).nonzero().flatten()
        if len(flips) > 0:
            found = self._candidates.confirmed(problem, found, flips, chosen[flips])
            better = self._better(rows, found, here, chosen)
        places, colours = found.places[here, chosen][:, None], found.colours[here, chosen][:, None]
        images = torch.where(better[:, None, None, None], painted(problem.images, places, colours, problem.mask), self.images[rows])
        self.images = self.images.index_copy(0, rows, images)
        self.loss = self.loss.index_copy(0, rows, torch.where(better, found.loss[here, chosen], self.loss[rows]))
        self.success = self.success.index_copy(0, rows, found.success[here, chosen] & better | self.success[rows])
        self.logits = self.logits.index_copy(0, rows, torch.where(better[:, None], found.logits[here, chosen], self.logits[rows]))

    def _better(self, rows: Tensor, found: Tried, here: Tensor, chosen: Tensor) -> Tensor:
        return beats(found.success[here, chosen], found.loss[here, chosen], self.success[rows], self.loss[rows])
