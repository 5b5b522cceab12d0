"""A preprocessing defense under an attacker who knows it, beside one who does not, beside the model without it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar, Self

import torch
from pydantic import model_validator
from torch import Tensor

from engine.artifacts import Artifact, Table
from engine.classifier import Classifier
from engine.defenses.preprocessing import Preprocessing, defended, read, words
from engine.driver import Run, start
from engine.errors import GibbonError
from engine.evaluate.named_attack import NamedAttack
from engine.intervals import Share
from engine.operation import Attack, Problem, Step, Use
from engine.parameters import method
from engine.ranking import reached
from engine.result import AttackResult
from engine.text.formatting import counted

PLAIN, UNAWARE, AWARE = "no defense", "defended, attacker does not know", "defended, attacker knows"


@dataclass(frozen=True)
class Column:
    """The shares of one attacker. Robust accuracy is over all images; success over those that had not succeeded before the attack."""

    name: str
    clean: Share
    """Accuracy on the clean images."""
    robust: Share
    """Images that are right when clean and when attacked."""
    success: Share
    """Successes of the attacker among the images that did not count as a success before."""

    def plain(self) -> dict[str, Any]:
        """Return the column as plain values for JSON."""
        parts = {"clean_accuracy": self.clean, "robust_accuracy": self.robust, "success": self.success}
        shares = {name: {"share": s.value, "hits": s.hits, "of": s.of, "interval_95": list(s.interval)} for name, s in parts.items()}
        return {"attacker": self.name, **shares}


@dataclass(frozen=True, eq=False)
class Both:
    """One attack made twice: on the plain model, by an attacker who does not know of the defense, and through it by one who does."""

    steps: tuple[Preprocessing, ...]
    """The defense, with the gradient of an attacker who knows it."""
    plain: AttackResult
    """The attack on the model without the defense. Its adversarial images are those of the attacker who does not know."""
    aware: AttackResult
    """The attack on the defended model."""

    @cached_property
    def unaware_logits(self) -> Tensor:
        """Logits ``(N, K)`` of the defended model for the images of the attacker who does not know."""
        return self.aware.classifier.score(self.plain.adversarial)

    @cached_property
    def unaware_success(self) -> Tensor:
        """Rows in which the attacker who does not know succeeds against the defended model, ``(N,)`` bool."""
        return self._reached(self.unaware_logits) & ~self.plain.failed

    @property
    def columns(self) -> tuple[Column, Column, Column]:
        """The shares without the defense, under the attacker who does not know it, and under the one who does."""
        defended, plain = self.aware.clean_logits, self.plain.clean_logits
        return (
            self._column(PLAIN, plain, self.plain.logits, self.plain.success),
            self._column(UNAWARE, defended, self.unaware_logits, self.unaware_success),
            self._column(AWARE, defended, self.aware.logits, self.aware.success),
        )

    @property
    def worst(self) -> Share:
        """Robust accuracy against both attackers: an image counts only if neither succeeds."""
        labels = self.aware.labels
        held = [logits.argmax(1) == labels for logits in (self.aware.clean_logits, self.aware.logits, self.unaware_logits)]
        return Share(int(torch.stack(held).all(0).sum()), len(labels))

    @property
    def remarks(self) -> tuple[str, ...]:
        """Sentences on what the numbers do not show; empty where there is nothing to say."""
        lost = int((self.unaware_success & ~self.aware.success).sum())
        if not lost:
            return ()
        images = counted(lost, "image")
        return (
            f"The attacker who does not know succeeds on {images} on which the one who knows fails, although he knows more: "
            "the attack through the defense is too weak there. Count the worst of both.",
        )

    def table(self) -> Table:
        """Return the three columns as rows of a table, with intervals of 95 %."""
        rows = tuple((each.name, each.clean.text(), each.robust.text(), each.success.text()) for each in self.columns)
        title = f"{self.plain.operation.title} against {words(self.steps)}"
        return Table(("attacker", "accuracy, clean", "robust accuracy", "success"), rows, title)

    def sentences(self, row: int = 0) -> list[str]:
        """Return the outcome for one image, as sentences for a person."""
        names, probabilities = self.aware.classifier.labels, self.unaware_logits[row].softmax(0)
        read_as = f"“{names[int(probabilities.argmax())]}”"
        judged = {
            "Without the defense": (bool(self.plain.success[row]), ""),
            "With it, by an attacker who does not know it": (bool(self.unaware_success[row]), f"; his image is read as {read_as}"),
            "With it, by an attacker who knows it": (bool(self.aware.success[row]), ""),
        }
        lines = [f"{who}: {'adversarial' if won else 'not adversarial'}{more}." for who, (won, more) in judged.items()]
        return [f"Defense: {words(self.steps)}.", *lines, *self.remarks]

    def _reached(self, logits: Tensor) -> Tensor:
        return reached(logits.argmax(1), self.plain.labels, self.plain.targets)

    def _column(self, name: str, clean: Tensor, attacked: Tensor, success: Tensor) -> Column:
        labels = self.plain.labels
        right, held, before = clean.argmax(1) == labels, attacked.argmax(1) == labels, self._reached(clean)
        return Column(
            name,
            clean=Share(int(right.sum()), len(labels)),
            robust=Share(int((right & held).sum()), len(labels)),
            success=Share(int((success & ~before).sum()), int((~before).sum())),
        )


@dataclass(frozen=True, eq=False)
class KnowingStep(Step):
    """A step of one of the two attacks."""

    plain: AttackResult | None = None
    """The attack on the model without the defense, once it has ended."""
    aware: AttackResult | None = None
    """The attack on the defended model, once it has ended."""


class KnowingEvaluation(NamedAttack):
    """Attack the model with a preprocessing defense twice: by an attacker who does not know of it, and by one who does.

    The first attacks the model without the defense, and the defended model judges his images. The second attacks the defended model with
    its adaptive gradient. The classifier of the run is the model without the defense.
    """

    slug: ClassVar[str] = "knowing"
    title: ClassVar[str] = "Attackers who know a defense and who do not"
    family: ClassVar[str] = "Evaluation"
    paper: ClassVar[str] = "Athalye, Carlini, Wagner 2018, arXiv 1802.00420; Tramèr et al. 2020, arXiv 2002.08347"
    uses: ClassVar[frozenset[Use]] = frozenset({"labels", "targets", "mask", "start"})

    defense: str = method("jpeg")
    """The steps before the network, such as ``jpeg quality=75 + bit-depth bits=3``."""

    @model_validator(mode="after")
    def _check_defense(self) -> Self:
        if not read(self.defense):
            raise GibbonError("defense names no step. Write it as jpeg quality=75.")
        return self

    def iterate(self, problem: Problem) -> Iterator[KnowingStep]:
        """Attack the plain model, then the defended one."""
        plain, index = problem.classifier.whole, itertools.count()
        behind = defended(plain, known_to_the_attacker(read(self.defense)))
        results: list[AttackResult] = []
        for place, classifier in enumerate((plain, behind)):
            with closing(self._attack(problem, classifier)) as run:
                for made in run:
                    done = 0.0 if made.total is None else min(1.0, (made.index + 1) / (made.total + 1))
                    news = "through the defense" if place else "without the defense"
                    yield KnowingStep(next(index), None, *results, share_done=(place + done) / 2, news=news)
                problem.classifier.forwards += run.problem.classifier.forwards
                problem.classifier.backwards += run.problem.classifier.backwards
                found = run.result()
            assert isinstance(found, AttackResult)
            results.append(found)
        yield KnowingStep(next(index), None, *results, share_done=1.0)

    def _attack(self, problem: Problem, classifier: Classifier) -> Run:
        return start(
            self.attacking,
            classifier,
            problem.images,
            problem.labels,
            problem.targets,
            problem.mask,
            start=problem.start,
            data=problem.data,
            seed=problem.random.seed,
        )

    def artifacts(self, problem: Problem, last: Step) -> Mapping[str, Artifact]:
        """Return the table, once both attacks have ended."""
        assert isinstance(last, KnowingStep)
        both = self.both(last)
        return {} if both is None else {"knowing": both.table()}

    def both(self, step: KnowingStep) -> Both | None:
        """Return the outcome, once both attacks have ended."""
        if step.plain is None or step.aware is None:
            return None
        return Both(known_to_the_attacker(read(self.defense)), step.plain, step.aware)


def known_to_the_attacker(steps: tuple[Preprocessing, ...]) -> tuple[Preprocessing, ...]:
    """Return the steps with their adaptive gradients."""
    return tuple(step.model_copy(update={"gradient": "adaptive"}) for step in steps)


def both(
    attack: Attack,
    classifier: Classifier,
    preprocessing: object,
    images: Tensor,
    labels: Tensor | None = None,
    targets: Tensor | None = None,
    mask: Tensor | None = None,
    *,
    seed: int = 0,
    **inputs: Any,
) -> Both:
    """Attack ``classifier`` behind a preprocessing defense by an attacker who does not know of it, and by one who does.

    Parameters
    ----------
    attack
        The attack of both.
    classifier
        The model without the defense.
    preprocessing
        The steps, or their text, such as ``jpeg quality=75 + bit-depth bits=3``.
    images, labels, targets, mask, seed, inputs
        See `engine.start`. Without labels, both attackers get the plain model's own predictions.

    Raises
    ------
    GibbonError
        The defense cannot be read or does not fit the images, or an input is wrong.
    """
    evaluation = KnowingEvaluation.of(attack, defense=words(read(preprocessing)))
    with start(evaluation, classifier, images, labels, targets, mask, seed=seed, **inputs) as run:
        last: Step | None = None
        for last in run:  # noqa: B007 - the last one is wanted
            pass
    assert isinstance(last, KnowingStep)
    found = evaluation.both(last)
    assert found is not None
    if labels is not None:
        return found
    return replace(found, plain=replace(found.plain, labels_assumed=True), aware=replace(found.aware, labels_assumed=True))
