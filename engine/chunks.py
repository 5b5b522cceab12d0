"""Steps of a batch of any size, attacked in chunks: bounded memory, live steps, and smaller chunks where memory runs out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.batch_best import BatchBest
from engine.batching import rows_with_graph
from engine.best_iterate import BestIterate
from engine.devices import is_out_of_memory, release_memory
from engine.errors import BudgetExhausted, NoStart
from engine.operation import Attack, AttackStep, JoinsChunks, Problem
from engine.single_best import SingleBest
from engine.timeline import KeptStep


class ChunkedSteps(Iterator[AttackStep]):
    """Iterator over the steps of an attack, chunk after chunk, which keeps the best iterate of each chunk.

    A chunk that does not fit into the device's memory is halved and started again, and ``notes`` reports it. A chunk that has used its
    share of ``max_queries``, or has no starting point, ends, and the next one begins.
    """

    def __init__(self, attack: Attack, problem: Problem, rows: int | None, clean_logits: Tensor | None) -> None:
        self._attack, self._problem, self._clean_logits = attack, problem, clean_logits
        total, model = len(problem.images), problem.classifier
        size = total
        if attack.by_rows and total > 1:
            fits = rows_with_graph(problem.images, model.copies)
            size = min(total, rows or min(fits, attack.rows_together(problem.images) or fits))
        self._left = _pieces(0, total, size)
        self.spent_before = model.forwards
        """Forward rows that the labels took, where none were given."""
        self._counted = model.forwards, model.backwards
        """Counts before the chunk in progress."""
        self._begun: list[tuple[int, int, BestIterate]] = []
        """First row, last row (excluded) and best iterate of every chunk with a step."""
        self._steps: Iterator[AttackStep] | None = None
        self._offset = self._index = 0
        self._has_begun = False
        """Whether the chunk in progress has made a step."""
        self._lasts: list[AttackStep] = []
        """Last step of every chunk with one, for attacks that can join them."""
        self._goals: list[Tensor] = []
        """Target classes of every chunk with a step, where the attack chose them."""
        self._halved = ""
        self._step_notes: dict[str, None] = {}
        self._idle = 0
        """Number of images in chunks without a starting point."""
        self.exhausted = False
        """Whether ``max_queries`` has ended a chunk."""

    @property
    def notes(self) -> list[str]:
        """Return sentences about the run for the result."""
        limit = self._problem.classifier.rows_limit
        narrowed = f"The device's memory ran out, so at most {limit} rows at a time went through the model."
        gradients = self._problem.classifier.gradient_watch.notes(len(self._problem.images))
        return [*([self._halved] if self._halved else []), *([narrowed] if limit is not None else []), *self._step_notes, *gradients]

    def __next__(self) -> AttackStep:
        while self._left:
            try:
                if self._steps is None:
                    self._begin()
                step = next(self._steps, None)  # type: ignore[arg-type]
                if step is not None:
                    return self._kept(step)
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error) or not self._halve():
                    raise
                continue
            except BudgetExhausted:
                if not self._has_begun:
                    raise
                self.exhausted = True
            except NoStart as error:
                self._idle += self._left[0][1] - self._left[0][0]
                if not self._has_begun or self._idle == len(self._problem.images):
                    raise
                self._step_notes[error.note] = None
            self._steps = None
            self._left.pop(0)
            self._offset = self._index + 1
        raise StopIteration

    def _begin(self) -> None:
        first, last = self._left[0]
        part, clean, model = self._problem, self._clean_logits, self._problem.classifier
        self._has_begun, self._counted = False, (model.forwards, model.backwards)
        model.allow(self._share(last - first))
        if self._attack.by_rows:
            model.gradient_watch.await_part(first, last - first)
        if last - first < len(part.images):
            part = part.select(torch.arange(first, last, device=part.images.device))
            clean = None if clean is None else clean[first:last]
        if self._halved:
            part = replace(part, random=part.random.anew())  # A chunk that is started again must draw the same numbers.
        alone = len(part.images) == 1 and part.images.device.type == "cpu"
        self._part, self._best = part, (SingleBest if alone else BatchBest)(self._attack, part, clean)
        self._steps = iter(self._attack.iterate(part))

    def _share(self, rows: int) -> int | None:
        """Return how many forward rows a chunk of ``rows`` images may use."""
        most = self._attack.max_queries
        if most is None:
            return None
        return most * rows - self.spent_before * rows // len(self._problem.images) if self._attack.by_rows else most - self.spent_before

    def _kept(self, step: AttackStep) -> AttackStep:
        first, last = self._left[0]
        self._best.keep(step)
        if not self._has_begun:
            self._begun.append((first, last, self._best))
            self._has_begun = True
        if step.notes:
            self._step_notes |= dict.fromkeys(step.notes)
        if step.goals is not None:
            self._goals[len(self._begun) - 1 :] = [step.goals]
        if isinstance(self._attack, JoinsChunks) and last - first < len(self._problem.images):
            self._lasts[len(self._begun) - 1 :] = [step]
        self._index = self._offset + step.index
        if last - first == len(self._problem.images):
            return step
        more = len(self._left) - 1
        total = None if step.total is None else self._offset + step.total + more * (step.total + 1)
        return replace(step, index=self._index, total=total, first_row=first)

    def _halve(self) -> bool:
        """Start the chunk again as two, and all later ones at half the size; False where one row cannot be halved."""
        first, last = self._left[0]
        if last - first < 2 or not self._attack.by_rows:
            return False
        self.close()
        if self._has_begun:
            self._begun.pop()
        self._lasts, self._goals = self._lasts[: len(self._begun)], self._goals[: len(self._begun)]
        for name in ("_best", "_part"):
            vars(self).pop(name, None)  # it would keep its tensors in memory
        model = self._problem.classifier
        model.forwards, model.backwards = self._counted
        release_memory(self._problem.images.device)
        size = (last - first + 1) // 2
        self._left = [piece for begin, end in self._left for piece in _pieces(begin, end, size)]
        self._halved = f"The device's memory did not suffice for {last - first} images at a time, so {size} were attacked at a time."
        return True

    def close(self) -> None:
        """End the chunk in progress, if there is one."""
        if self._steps is not None:
            self._steps.close()  # type: ignore[attr-defined]
            self._steps = None

    # ------------------------------------------------------------------ results

    def judged(self, step: AttackStep, seconds: float) -> KeptStep:
        """Return the newest step for a timeline, with its logits, its success and the counts so far. Waits for nothing."""
        logits, model = self._best.newest_logits.detach(), self._problem.classifier
        loss = step.loss.detach()
        return KeptStep(
            step.index,
            step.total,
            step.adversarial.detach(),
            loss,
            logits,
            first_row=step.first_row,
            goals=step.goals,
            success=self._part.reached(logits) & ~(loss.isnan() | logits.isnan().any(1)),
            forwards=model.forwards,
            backwards=model.backwards,
            seconds=seconds,
        )

    @property
    def goals(self) -> Tensor | None:
        """The target classes ``(N,)`` that the attack chose itself, -1 in rows not reached yet. None: none, or several for each."""
        if not self._goals:
            return None
        found = _cat(self._goals)
        return F.pad(found, (0, len(self._problem.images) - len(found)), value=-1)

    def kept(self, last: AttackStep) -> AttackStep | None:
        """Return ``last`` with the best rows, or the last steps of all chunks joined; None: the attack cannot join them."""
        if len(self._begun) == 1 and len(last.adversarial) == len(self._problem.images):
            return self._begun[0][2].step(last)
        if self._left or len(self._lasts) != len(self._begun) or not isinstance(self._attack, JoinsChunks):
            return None
        return self._attack.joined([best.step(step) for step, (_, _, best) in zip(self._lasts, self._begun, strict=True)])

    def outcome(self) -> dict[str, Any]:
        """Return images, logits, losses and flips of all rows; rows that no chunk has reached are the clean images."""
        if len(self._begun) == 1 and self._begun[0][1] == self._problem.images.shape[0]:
            return self._begun[0][2].outcome()
        bests, reached = [best for _, _, best in self._begun], self._begun[-1][1]
        found = {name: _cat([getattr(best, name) for best in bests]) for name in ("images", "logits", "loss", "steps_to_flip", "failed")}
        trace, clean = _beside([best.trace for best in bests], torch.nan), [best.clean_logits for best in bests]
        numbers = _beside([best.trace_steps for best in bests], -1)
        attacked = torch.ones_like(found["failed"])
        missing = self._problem.images[reached:]
        if len(missing):
            found["images"] = torch.cat([found["images"], missing])
            found["logits"] = torch.cat([found["logits"], self._problem.classifier.whole.score(missing)])
            found["loss"] = F.pad(found["loss"], (0, len(missing)), value=torch.nan)
            found["steps_to_flip"] = F.pad(found["steps_to_flip"], (0, len(missing)), value=-1)
            found["failed"], attacked = (F.pad(rows, (0, len(missing)), value=False) for rows in (found["failed"], attacked))
            trace, numbers = F.pad(trace, (0, len(missing)), value=torch.nan), F.pad(numbers, (0, len(missing)), value=-1)
        known = not len(missing) and all(logits is not None for logits in clean)
        return {
            "adversarial": found.pop("images"),
            **found,
            "trace": trace,
            "trace_steps": numbers,
            "attacked": attacked,
            "first_logits": _cat([logits for logits in clean if logits is not None]) if known else None,
        }


def _pieces(first: int, last: int, size: int) -> list[tuple[int, int]]:
    return [(begin, min(begin + size, last)) for begin in range(first, last, size)]


def _cat(tensors: list[Tensor]) -> Tensor:
    return tensors[0] if len(tensors) == 1 else torch.cat(tensors)


def _beside(parts: list[Tensor], missing: float) -> Tensor:
    """Place tensors ``(T_i, N_i)`` of the steps side by side as ``(max T, N)``; steps that a chunk did not need are ``missing``."""
    if len(parts) == 1:
        return parts[0]
    length = max(len(part) for part in parts)
    return torch.cat([F.pad(part, (0, 0, 0, length - len(part)), value=missing) for part in parts], 1)
