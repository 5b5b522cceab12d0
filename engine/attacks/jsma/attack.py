"""The Jacobian-based saliency map attack, which changes the two features that help the target most."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import ClassVar, Literal

import torch
from torch import Tensor

from engine.artifacts import Unit
from engine.attacks.jsma.best_pair import best_pairs
from engine.attacks.toolkit.active_rows import ActiveRows
from engine.attacks.toolkit.losses import check_classes, cross_entropy
from engine.attacks.toolkit.target_classes import random_other
from engine.balls import Norm
from engine.operation import Attack, AttackStep, Problem, Use
from engine.parameters import Preset, budget, method
from engine.text.parsing import Number

_FULL = 1e-6
"""Distance to the end of its range at which a value counts as used up: ten steps of 0.1 do not add up to 1."""
_STEPS_BETWEEN = {"cpu": 1}
_STEPS_BETWEEN_ELSEWHERE = 8
"""Steps between checks for finished rows: a check waits for an accelerator, while a CPU has the answer at once."""


@dataclass(frozen=True, eq=False)
class _State:
    """State of the active rows."""

    goals: Tensor
    """Target classes of the rows, ``(M,)``."""
    content: Tensor
    """The image before the mask is applied, ``(M, C, H, W)``."""
    done: Tensor
    """Rows that are solved or have no pair left that helps, ``(M,)`` bool."""

    def adversarial(self, problem: Problem) -> Tensor:
        """Return the images that the classifier receives."""
        return self.content.detach() if problem.mask is None else problem.compose(self.content - problem.images)

    def select(self, left: Tensor) -> _State:
        """Return the state of the rows at these indices."""
        return _State(self.goals[left], self.content[left], self.done[left])


class JSMA(Attack):
    """Change few values to the end of their range: in every step the two that help the target most and other classes least.

    ``A = sum over the pair of dF_t/dx``, ``B = sum over the pair of d(sum_{j != t} F_j)/dx``; of all pairs with ``A > 0 > B`` the one with
    the largest ``-A * B`` changes by ``theta``; values at the end of their range are out. It ends when the target is predicted, when no
    pair is left, or after ``floor(gamma * C * H * W / 2)`` pairs. ``decreasing`` lowers values and turns both signs. Every channel of a
    pixel is a feature of its own; ``norms["l0"]`` counts pixels.

    - ``derivatives="softmax"``, F the probabilities: they sum to 1, so ``B = -A`` and the pair is the two largest entries of
      ``dp_t/dx``, ordered as those of ``d log p_t / dx``. Exact, one backward pass per step, and no product that underflows.
    - ``derivatives="logits"``: two backward passes (``z_t`` and the sum of all) instead of K, and `best_pairs` instead of a table of
      all pairs.

    There is one forward pass per step and one at the end; finished rows are dropped. Without a target each image is driven to the class
    that ``untargeted`` chooses, and any change of class counts: the paper has no such mode.

    Papernot, McDaniel, Jha, Fredrikson, Celik, Swami 2015, arXiv 1511.07528. Second-hand and unconfirmed: that the paper reports 97.10 %
    success at 4.02 % of the features on MNIST, and that it took the probabilities and a gamma of 14.5 %.
    """

    slug: ClassVar[str] = "jsma"
    title: ClassVar[str] = "JSMA"
    also: ClassVar[tuple[str, ...]] = ("Jacobian-based saliency map attack",)
    family: ClassVar[str] = "Saliency"
    paper: ClassVar[str] = "Papernot et al. 2015, arXiv 1511.07528"
    reading_units: ClassVar[Mapping[str, Unit]] = MappingProxyType({"share of values changed": "share"})
    uses: ClassVar[frozenset[Use]] = frozenset({"labels", "targets", "mask"})
    norms: ClassVar[tuple[Norm, ...]] = ("l0",)
    presets: ClassVar[tuple[Preset, ...]] = (
        Preset("Papernot et al. 2015", {}),
        Preset("CleverHans: random class, no limit", {"gamma": 1.0, "untargeted": "random", "derivatives": "logits"}),
        Preset("Adversarial Robustness Toolbox: theta 0.1, no limit", {"theta": 0.1, "gamma": 1.0}),
    )

    theta: Number = budget(1.0, title="change of a value", gt=0, le=1, unit="of [0, 1]")
    """Change of a chosen value. 1: all the way to white, or to black."""
    gamma: Number = budget(0.145, title="share to change", gt=0, le=1, unit="of all values")
    """Share of all values that may be changed, two at a time."""
    derivatives: Literal["softmax", "logits"] = method("softmax")
    """Outputs to differentiate: the probabilities (the paper's; one backward pass per step) or the logits (two, and more values changed).
    """
    direction: Literal["increasing", "decreasing"] = method("increasing")
    """Direction of the changes. increasing: values go up, pixels become brighter. decreasing: they go down."""
    pairs: int = method(1, ge=1, le=1000)
    """Number of pairs changed per gradient. 1 is the paper; more is faster on large images and changes more values than necessary."""
    untargeted: Literal["runner-up", "random"] = method("runner-up")
    """Target class without a given target: the second most likely class, or a random one other than the label."""

    def most_pairs(self, images: Tensor) -> int:
        """Return the largest number of pairs, ``floor(gamma * C * H * W / 2)``, at least one."""
        return max(1, int(self.gamma * images[0].numel() / 2 + 1e-9))

    @torch.enable_grad()
    def iterate(self, problem: Problem) -> Iterator[AttackStep]:
        """Yield the clean image as iterate 0, and the image after k gradients as iterate k."""
        check_classes("ce", problem.classifier.num_classes)
        budget = self.most_pairs(problem.images)
        last = -(-budget // self.pairs)
        every = _STEPS_BETWEEN.get(problem.images.device.type, _STEPS_BETWEEN_ELSEWHERE)
        active = ActiveRows(problem)
        state = _State(problem.labels, problem.images, torch.zeros_like(problem.labels, dtype=torch.bool))
        whole: AttackStep | None = None
        for index in range(last + 1):
            images = state.adversarial(active.problem).requires_grad_()
            logits = problem.classifier(images)
            if whole is None:
                state = replace(state, goals=self._goals(problem, logits.detach()))
            loss = -cross_entropy(logits, state.goals)
            step = AttackStep(index, last, images.detach(), loss, logits.detach(), goals=state.goals)
            whole = self._step(step, active, whole, problem)
            yield whole
            state = replace(state, done=state.done | active.problem.succeeds(logits.detach()))
            if index == last or (index % every == 0 and bool(state.done.all())):
                return
            chosen, fits = self._choose(active.problem, state, images, logits, min(self.pairs, budget - index * self.pairs))
            state = self._move(state, chosen, fits)
            if index % every == 0 and (left := active.drop(state.done)) is not None:
                state = state.select(left)
                if not len(active):
                    return

    def _goals(self, problem: Problem, logits: Tensor) -> Tensor:
        if problem.targets is not None:
            return problem.targets
        if self.untargeted == "runner-up":
            return logits.scatter(1, problem.labels[:, None], -torch.inf).argmax(1)
        return random_other(problem)

    @torch.no_grad()
    def _step(self, step: AttackStep, active: ActiveRows, before: AttackStep | None, problem: Problem) -> AttackStep:
        """Extend the iterate ``step`` of the active rows to all rows; the first one shows the clean images themselves."""
        whole = replace(step, adversarial=problem.images) if before is None else active.spread(step, before)
        changed = (whole.adversarial != problem.images).to(problem.images.dtype).mean()
        goals = None if problem.targets is not None else whole.goals if before is None else before.goals
        return replace(whole, readings={"share of values changed": changed}, goals=goals)

    def _choose(self, problem: Problem, state: _State, images: Tensor, logits: Tensor, pairs: int) -> tuple[Tensor, Tensor]:
        """Return the features to change, ``(M, 2 * pairs)``, and whether each pair helps, ``(M, pairs)``."""
        model = problem.classifier
        sign = 1 if self.direction == "increasing" else -1
        allowed = self._allowed(problem, state)
        if self.derivatives == "softmax":
            gradient = model.gradient(logits.log_softmax(1).gather(1, state.goals[:, None]).sum(), images)
            return _largest(sign * self._through(gradient, problem), allowed, pairs)
        target = model.gradient(logits.gather(1, state.goals[:, None]).sum(), images, again=True)
        others = model.gradient(logits.sum(), images) - target
        alpha, beta = sign * self._through(target, problem), sign * self._through(others, problem)
        chosen, fits = [], []
        for _ in range(pairs):
            pair, fit = best_pairs(alpha, beta, allowed)
            chosen.append(pair)
            fits.append(fit)
            allowed = allowed.scatter(1, pair, False)
        return torch.cat(chosen, 1), torch.stack(fits, 1)

    def _through(self, gradient: Tensor, problem: Problem) -> Tensor:
        """Convert the image's gradient to that of its content before the mask, ``(M, d)``."""
        mask = problem.mask
        return (gradient if mask is None else gradient * mask).flatten(1)

    @torch.no_grad()
    def _allowed(self, problem: Problem, state: _State) -> Tensor:
        """Return the values inside the mask that can still change, ``(M, d)`` bool."""
        room = state.content < 1 - _FULL if self.direction == "increasing" else state.content > _FULL
        mask = problem.mask
        return (room if mask is None else room & (mask > 0)).flatten(1)

    @torch.no_grad()
    def _move(self, state: _State, chosen: Tensor, fits: Tensor) -> _State:
        """Change the chosen features; rows without a pair that helps are finished."""
        flat = state.content.flatten(1)
        old = flat.gather(1, chosen)
        new = (old + (self.theta if self.direction == "increasing" else -self.theta)).clamp(0, 1)
        moves = (fits & ~state.done[:, None]).repeat_interleave(2, 1)
        # A pair that does not help may share a feature with one that does: the value that changed further counts.
        further = "amax" if self.direction == "increasing" else "amin"
        content = flat.scatter_reduce(1, chosen, torch.where(moves, new, old), further)
        return replace(state, content=content.view_as(state.content), done=state.done | ~fits.any(1))


@torch.no_grad()
def _largest(gradient: Tensor, allowed: Tensor, pairs: int) -> tuple[Tensor, Tensor]:
    """Return the largest allowed entries two by two, and whether their sum is above 0."""
    usable = gradient.masked_fill(~allowed | ~gradient.isfinite(), -torch.inf)
    width = min(2 * pairs, usable.shape[1] // 2 * 2)
    values, chosen = usable.topk(width, dim=1)
    return chosen, values.view(len(values), -1, 2).sum(2) > 0
