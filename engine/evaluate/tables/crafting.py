"""Running one attack of a table, batch by batch, and the predictions of all models that its images are made for."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from engine.classifier import Classifier
from engine.errors import GibbonError
from engine.evaluate.control import control
from engine.evaluate.inner_runs import share_of
from engine.evaluate.tables.cells import LATER_TENSORS, NORMS, TENSORS, TOP5_CLASSES, Verdicts
from engine.evaluate.tables.posing import Bench, Posed
from engine.evaluate.transfer import ask
from engine.evaluate.trust.measuring import silent_rows, unfinished_rows
from engine.images import digest
from engine.images.grid import lattice
from engine.result import AttackResult


@dataclass(frozen=True, eq=False)
class Judge:
    """A model that is evaluated on the images."""

    classifier: Classifier
    """It takes images of the data set's size."""
    labels: Tensor
    """The true classes ``(N,)``, as numbers of this model."""


@dataclass(frozen=True, eq=False)
class Crafted:
    """The outcome of one attack: verdicts by judge, images, and their hashes."""

    verdicts: tuple[Verdicts | GibbonError, ...]
    adversarial: Tensor
    digests: tuple[str, ...]


def craft(bench: Bench, judges: Sequence[Judge]) -> Generator[tuple[float, int], None, Crafted]:
    """Attack all images and evaluate the judges; yield the share that is done and the number of images, at every step of the attack."""
    images: list[Tensor] = []
    parts: list[list[dict[str, Tensor]]] = [[] for _ in judges]
    failed: dict[int, GibbonError] = {}
    total = len(bench.images)
    for rows in bench.batches():
        posed = bench.posed(rows)
        with closing(posed.start()) as run:
            for step in run:
                yield (rows.start + share_of(step) * len(posed.images)) / total, rows.start
            result = run.result()
        assert isinstance(result, AttackResult)
        noise = _noise(result, posed)
        for place, judge in enumerate(judges):
            if place not in failed:
                try:
                    parts[place].append(_asked(judge, judge.labels[rows], result, noise))
                except GibbonError as error:
                    failed[place] = error
            yield rows.stop / total, rows.stop
        images.append(result.adversarial.detach().cpu())
    adversarial = torch.cat(images)
    verdicts = tuple(failed[place] if place in failed else _joined(found) for place, found in enumerate(parts))
    return Crafted(verdicts, adversarial, tuple(digest(image) for image in adversarial))


def _noise(result: AttackResult, posed: Posed) -> Tensor:
    """Return random noise as large as the perturbations; the row of each image is drawn from its own seed."""
    pairs = zip(result.clean, result.adversarial, posed.seeds, strict=True)
    return torch.cat([control(clean[None], adversarial[None], seed=seed) for clean, adversarial, seed in pairs])


def _asked(judge: Judge, labels: Tensor, result: AttackResult, noise: Tensor) -> dict[str, Tensor]:
    verdict = ask(judge.classifier, result, noise)
    if verdict.clean is None or verdict.adversarial is None or verdict.noise is None:
        raise GibbonError(verdict.excuse)
    if result.targets is not None and verdict.targets is None:
        raise GibbonError(f"“{judge.classifier.name}” lacks a class that the attack aims at. Choose a model of the same classes.")
    broken = (verdict.clean.isnan() | verdict.adversarial.isnan()).any(1)
    found = {
        "labels": labels,
        "before": verdict.clean.argmax(1),
        "after": verdict.adversarial.argmax(1),
        "after_8bit": judge.classifier.predict(lattice(result.adversarial)),
        "noise": verdict.noise.argmax(1),
        "made": result.success,
        "targets": torch.full_like(labels, -1) if verdict.targets is None else verdict.targets,
        "failed": result.failed.to(broken.device) | broken,
        "norms": torch.stack([result.norms[name].cpu().double() for name in NORMS], 1),
        "silent": silent_rows(result),
        "unfinished": unfinished_rows(result),
    }
    if verdict.clean.shape[1] > TOP5_CLASSES:
        found |= {"top5_before": in_top5(verdict.clean, labels), "top5_after": in_top5(verdict.adversarial, labels)}
    return {name: value.detach().cpu() for name, value in found.items()}


def in_top5(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the rows ``(N,)`` bool of logits ``(N, K)`` in which the label is among the five most probable classes.

    Of equal logits that of the lower class comes first, as in the prediction.
    """
    own = labels.to(logits.device)[:, None]
    logit, classes = logits.gather(1, own), torch.arange(logits.shape[1], device=logits.device)
    return ((logits > logit) | ((logits == logit) & (classes < own))).sum(1) < 5


def _joined(parts: Sequence[dict[str, Any]]) -> Verdicts:
    names = [name for name in (*TENSORS, *LATER_TENSORS) if name in parts[0]]
    return Verdicts(**{name: torch.cat([part[name] for part in parts]) for name in names})
