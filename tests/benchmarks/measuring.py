"""One row of the table: seconds, passes, success and size of one attacker on one task."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

import engine
from engine.operation import Attack
from engine.result import norms
from tests.benchmarks.libraries import Counting, Library, Task, quietly


@dataclass
class Attacker:
    """Something that attacks a task: ours, a library's, or the bare passes."""

    name: str
    work: Callable[[Task], tuple[Tensor, int, int]]
    """Gives adversarial images, and rows forwards and backwards."""
    seconds: list[float] = field(default_factory=list)
    adversarial: Tensor | None = None
    forwards: int = 0
    backwards: int = 0
    error: str = ""

    def once(self, task: Task) -> None:
        """Run it and take the time."""
        torch.manual_seed(0)
        _wait(task)
        started = time.perf_counter()
        try:
            self.adversarial, self.forwards, self.backwards = quietly(lambda: self.work(task))
        except Exception as error:  # a library that fails is a row that says so
            self.error = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"[:60]
            return
        _wait(task)
        self.seconds.append(time.perf_counter() - started)

    @property
    def median(self) -> float:
        """Seconds."""
        return statistics.median(self.seconds) if self.seconds else float("nan")


def _wait(task: Task) -> None:
    if task.images.device.type != "cpu":
        torch.accelerator.synchronize()


def ours(attack: Attack, name: str = "Gibbon", **given: Any) -> Attacker:
    """This project's attack, its verdict included."""

    def work(task: Task) -> tuple[Tensor, int, int]:
        result = engine.run(attack, task.classifier, task.images, task.labels, targets=task.targets, **given)
        return result.adversarial, result.forwards, result.backwards

    return Attacker(name, work)


def library(name: str, attack: Library) -> Attacker:
    """A library's attack, with the one forward pass that its user needs for the verdict."""

    models: dict[int, Counting] = {}

    def work(task: Task) -> tuple[Tensor, int, int]:
        model = models.setdefault(id(task.classifier), Counting(task.classifier))
        model.forwards = model.backwards = 0
        adversarial = attack(task, model).detach()
        with torch.no_grad():
            model(adversarial)
        return adversarial, model.forwards, model.backwards

    return Attacker(name, work)


def bare(forwards: int, backwards: int) -> Attacker:
    """The passes alone: cross-entropy, gradient to the input, and the forward passes that are left."""

    def work(task: Task) -> tuple[Tensor, int, int]:
        for number in range(forwards):
            images = task.images.detach().requires_grad_(number < backwards)
            with torch.set_grad_enabled(number < backwards):
                logits = task.classifier(images)
                loss = torch.nn.functional.cross_entropy(logits, task.labels, reduction="sum")
            if number < backwards:
                torch.autograd.grad(loss, images)
        return task.images, forwards * task.rows, backwards * task.rows

    return Attacker("bare passes", work)


def interleaved(task: Task, attackers: Sequence[Attacker], repeats: int, warm_up: bool = True) -> None:
    """Each in turn, ``repeats`` times: what the machine does besides hits all of them."""
    if warm_up:
        for attacker in attackers:
            attacker.once(task)
            attacker.seconds.clear()
    for _ in range(repeats):
        for attacker in attackers:
            if not attacker.error:
                attacker.once(task)


@torch.no_grad()
def verdict(task: Task, adversarial: Tensor, norm: str) -> tuple[float, float]:
    """Success in percent, and the median norm of the successes (NaN where there is none)."""
    prediction = task.classifier.predict(adversarial)
    success = prediction != task.labels if task.targets is None else prediction == task.targets
    delta = adversarial - task.images
    size = norms(delta)[norm] if norm != "share" else (delta.abs() > 1e-4).flatten(1).float().mean(1)
    return 100 * float(success.float().mean()), float(size[success].double().median()) if bool(success.any()) else float("nan")


def within(task: Task, adversarial: Tensor) -> bool:
    """Whether the images are images: a library that leaves [0, 1] has not been measured by the same rule."""
    return float(adversarial.min()) >= -1e-6 and float(adversarial.max()) <= 1 + 1e-6


__all__ = ["Attacker", "Counting", "bare", "interleaved", "library", "ours", "verdict", "within"]
