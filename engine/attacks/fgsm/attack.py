"""The fast gradient sign method, away from the label, towards a target, or towards a class that it chooses itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from torch import Tensor

from engine.artifacts import Artifact
from engine.attacks.fgsm.eps_curve import Direction, StepArtifacts, curve
from engine.attacks.toolkit.budget import InBall, radius, usual_eps
from engine.attacks.toolkit.directions import direction
from engine.attacks.toolkit.evaluation import loss_and_gradient
from engine.attacks.toolkit.feasible_set import FeasibleSet
from engine.attacks.toolkit.l1_in_box import L1Step
from engine.attacks.toolkit.losses import check_classes
from engine.attacks.toolkit.target_classes import Towards, check_goals, least_likely, random_other
from engine.balls import L1, Norm, column
from engine.operation import AttackStep, Problem, Step
from engine.parameters import Preset, budget, method
from engine.text.parsing import Number


@dataclass(frozen=True, eq=False, kw_only=True)
class FGSMStep(AttackStep):
    """The clean images or those after the step, with the step's direction."""

    direction: Tensor
    """Direction ``(N, C, H, W)``: ``mask * steepest(gradient)``, to be multiplied by ``eps``; in l1 the ``mask * gradient`` that ranks the
    values.
    """


class FGSM(InBall):
    """One step of length ``eps`` along the sign of the gradient.

    ``adversarial = clamp(images + eps * direction, 0, 1)`` with ``direction = mask * steepest(gradient)`` and ``gradient = d CE(logits,
    labels) / d images``; towards a target the sign is turned. In l1 the step is the steepest one inside both the ball and [0, 1]. Two
    forward passes and one backward. The direction does not depend on eps and is kept as the artifact "direction":
    `engine.attacks.fgsm_at_eps` returns the attack at another eps for one forward pass, and the artifact "curve" holds the probabilities
    over eps for the first image, computed on demand.

    The one-step target class methods choose the target themselves and count as success that the label is left: ``step l.l.`` takes
    ``argmin_j logits_j``, ``step rnd.`` a random class other than the label (the paper draws from all). ``result.goals`` holds the classes.

    Goodfellow, Shlens, Szegedy 2014, arXiv 1412.6572. Step l.l. and step rnd.: Kurakin, Goodfellow, Bengio 2016, arXiv 1611.01236.
    """

    slug: ClassVar[str] = "fgsm"
    title: ClassVar[str] = "FGSM"
    also: ClassVar[tuple[str, ...]] = ("FGM", "fast gradient sign method", "one-step target class methods")
    family: ClassVar[str] = "Gradient, one step"
    paper: ClassVar[str] = "Goodfellow et al. 2014, arXiv 1412.6572; step l.l. and rnd.: Kurakin et al. 2016, arXiv 1611.01236"
    norms: ClassVar[tuple[Norm, ...]] = ("linf", "l2", "l1")
    follows_objective: ClassVar[bool] = True
    presets: ClassVar[tuple[Preset, ...]] = (
        Preset("FGSM on MNIST, eps 0.25 (Goodfellow 2014)", {"eps": 0.25}),
        Preset("FGSM on CIFAR-10, eps 0.1 (Goodfellow 2014)", {"eps": 0.1}),
        Preset("The panda: one grey level (Goodfellow 2014)", {"eps": 1 / 255}),
        Preset("Targeted: one step of 0.02, choose a target (Mou and Jaini)", {"eps": 0.02}, needs=frozenset({"targets"})),
        Preset("Step l.l., eps 8/255 (Kurakin 2016)", {"towards": "least likely"}),
        Preset("Step l.l., eps 16/255 (Kurakin 2016)", {"eps": 16 / 255, "towards": "least likely"}),
        Preset("Step rnd., eps 8/255 (Kurakin 2016)", {"towards": "random"}),
    )

    norm: Literal["linf", "l2", "l1"] = budget("linf")
    """The norm of the step: linf moves every pixel by eps, l2 along the gradient, l1 the values of the largest gradients to black or white.
    """
    eps: Number = budget(8 / 255, gt=0, unit="of [0, 1]", usual=usual_eps("linf", "l2", "l1"))
    """Length of the step in pixel units: 8/255 is eight grey levels."""
    l1_step: L1Step = method("spread", title="step in L1", choices={"spread": "spread over values"}, when={"norm": "l1"})
    """Distribution of a step in l1. spread: values that can move go to the end of their range, largest gradients first, until eps is used.
    one value: the one with the largest gradient by all of eps, clipped at the end of its range; hardly an attack.
    """
    towards: Towards = method("label or target")
    """Goal of the step: away from the label (towards the target where one is given), or towards a class that the attack chooses, the least
    likely one (step l.l.) or a random one (step rnd.).
    """

    @property
    def takes_radii(self) -> bool:
        """Whether rows may have radii of their own: the direction is the same for all lengths."""
        return True

    def iterate(self, problem: Problem) -> Iterator[AttackStep]:
        """Yield the clean images, then the images after the step."""
        check_classes("ce", problem.classifier.num_classes)
        check_goals(self.towards, problem)
        clean = self._clean(problem)
        yield clean
        adversarial = self.stepped(problem, clean.direction, radius(self.eps, problem))
        seen = loss_and_gradient(problem, adversarial, "ce", problem.targets if clean.goals is None else clean.goals, gradient=False)
        yield replace(clean, index=1, adversarial=adversarial, loss=seen.loss, logits=seen.logits)

    def stepped(self, problem: Problem, along: Tensor, eps: float | Tensor) -> Tensor:
        """Return the images after a step of length ``eps``, or one per row, ``(N,)``; ``along`` is a direction as in `FGSMStep`."""
        if self._spreads:
            feasible = FeasibleSet(problem, L1(eps))
            return feasible.images(feasible.steepest(along))
        return (problem.images + column(eps, along) * along).clamp_(0, 1)

    @property
    def _spreads(self) -> bool:
        return self.norm == "l1" and self.l1_step == "spread"

    def _clean(self, problem: Problem) -> FGSMStep:
        """Return the clean images with the direction of the step."""
        goals = random_other(problem) if self.towards == "random" else None
        aim = least_likely if self.towards == "least likely" else goals
        seen = loss_and_gradient(problem, problem.images, "ce", problem.targets if aim is None else aim)
        step = seen.gradient if self._spreads else direction("steepest", seen.gradient, self.norm, 0.0, problem.mask)
        step = step if problem.mask is None else problem.mask * step
        goals = least_likely(seen.logits) if self.towards == "least likely" else goals
        return FGSMStep(0, 1, problem.images, seen.loss, seen.logits, direction=step, goals=goals)

    def artifacts(self, problem: Problem, last: Step) -> Mapping[str, Artifact]:
        """Return the direction of the step, and the curve of the first image's probabilities over eps."""
        assert isinstance(last, FGSMStep)
        logits, longest = last.logits, min(2 * self.eps, 1.0) if self.norm == "linf" else 2 * self.eps
        assert logits is not None
        kept = Direction(last.direction, "Direction of the step", goals=last.goals, objective=problem.objective, mask=problem.mask)

        def stepped(rows: Problem, eps: Tensor) -> Tensor:
            return self.stepped(rows, kept.values[:1], eps)

        return StepArtifacts(kept, lambda: curve(problem, stepped, logits, longest))
