"""ImageResults: the rows of one attack on many images, what is counted from them, and everything that makes them again."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import torch

from engine.classifier import Classifier
from engine.defenses.preprocessing import Preprocessing
from engine.evaluate.batch.aims import Aim
from engine.evaluate.batch.rows import ImageRow
from engine.evaluate.batch.subjects import Subjects
from engine.evaluate.batch.summary import Summary, summary_of
from engine.evaluate.trust import Light, Outcome, caveat, lights_among, sentences_of
from engine.operation import Attack
from engine.result import Reason


@dataclass(frozen=True, eq=False)
class ImageResults:
    """The rows so far, and everything that is needed to make them again."""

    attack: Attack
    classifier: Classifier
    subjects: Subjects
    rows: tuple[ImageRow, ...]
    seed: int
    aim: Aim
    together: int
    reason: Reason
    seconds: float
    threads: int
    """CPU threads of torch."""
    inputs: Mapping[str, Any]
    """The other arguments of `attack_images`, and with a defense the classifier without it, as ``undefended``."""
    unaware: ImageResults | None = None
    """The same images by an attacker who does not know the defense, judged by ``classifier``; None: there is no defense."""

    @property
    def defense(self) -> tuple[Preprocessing, ...]:
        """The preprocessing defense of ``classifier`` that the attacker of these rows knows; empty: there is none."""
        return tuple(self.inputs["defense"])

    @property
    def undefended(self) -> Classifier:
        """The classifier of the rows without its defense; where there is none, the classifier itself."""
        return self.classifier if self.inputs["undefended"] is None else self.inputs["undefended"]

    def on(self, undefended: Classifier, classifier: Classifier | None = None) -> ImageResults:
        """Return the rows as those of another classifier without its defense, such as the loaded one of a stand-in.

        ``classifier`` is that classifier behind the defense; None: it stays the present one where there is a defense.
        """
        classifier = classifier or (self.classifier if self.defense else undefended)
        inputs = {**self.inputs, "undefended": undefended} if self.defense else self.inputs
        return replace(self, classifier=classifier, inputs=inputs)

    @cached_property
    def summary(self) -> Summary:
        """The outcomes of the rows so far, counted."""
        return summary_of(self.rows, of=len(self.subjects))

    @cached_property
    def lights(self) -> tuple[Light, ...]:
        """The trust lights that the rows decide, in the order of `engine.evaluate.trust.SIGNS`."""
        rows = [row for row in self.rows if not row.error and not row.reached_before]
        if not rows:
            return ()
        inputs, known = self.inputs, all(row.unfinished is not None for row in rows)
        part = inputs["mask"] is not None or inputs["region"] == "stickers" or "stickers" in self.attack.uses
        outcome = Outcome(
            self.attack.title,
            self.attack,
            torch.tensor([bool(row.success) for row in rows]),
            torch.ones(len(rows), dtype=torch.bool),
            part_only=part,
            silent=torch.tensor([bool(row.silent) for row in rows]) if known else None,
            unfinished=torch.tensor([row.unfinished for row in rows]) if known else None,
        )
        return lights_among([outcome], math.prod(self.classifier.input_shape))[0]

    @property
    def sentences(self) -> list[str]:
        """The sentences that have to stand beside the shares: what the attack rules out, and the lights that are on."""
        return [*filter(None, [caveat(self.attack)]), *sentences_of((self.attack.title, light) for light in self.lights)]
