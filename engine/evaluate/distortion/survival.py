"""The evaluation of adversarial images under real-life distortions."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from contextlib import closing
from types import MappingProxyType
from typing import ClassVar, Self

from pydantic import model_validator
from torch import Tensor

from engine.artifacts import Artifact, Unit
from engine.driver import start
from engine.errors import GibbonError, WrongField
from engine.evaluate.distortion.counting import is_fooled
from engine.evaluate.distortion.kinds import read
from engine.evaluate.distortion.looking import DistortionStep, Look
from engine.evaluate.distortion.numbers import curve, predictions, survival
from engine.evaluate.given_data import of_data
from engine.evaluate.inner_runs import rows_at_a_time, share_of
from engine.evaluate.named_attack import NamedAttack
from engine.operation import Problem, Step, Use
from engine.parameters import method
from engine.result import AttackResult
from engine.text.formatting import counted


class DistortionSurvival(NamedAttack):
    """Put adversarial images through real-life distortions at growing strength, and count whether the predictions stay wrong.

    For every distortion T at every strength, and for every other model, it gives the predictions of T(X) and T(X_adv) and the destruction
    rate ``d = sum C(X) not C(X_adv) C(T(X_adv)) / sum C(X) not C(X_adv)``, where C is 1 for a correct classification, with its counts and
    Wilson's 95 % interval; undefined where no image was adversarial. Beside it stands the accuracy on T(X): a distortion that undoes an
    attack and the classifier, too, is no defense.

    The adversarial images are the problem's ``start``, or else those of ``attack`` on its images or its data set.

    Kurakin, Goodfellow, Bengio 2016, arXiv 1607.02533 (the rate; brightness, contrast, blur, noise and JPEG); Lu, Sibai, Fabry, Forsyth
    2017, arXiv 1707.03501 (the distance). The chain of print and camera is our own.
    """

    slug: ClassVar[str] = "distortion"
    title: ClassVar[str] = "Real-life distortion"
    also: ClassVar[tuple[str, ...]] = ("destruction rate", "survival", "physical world")
    family: ClassVar[str] = "Evaluation"
    paper: ClassVar[str] = "Kurakin et al. 2016, arXiv 1607.02533"
    uses: ClassVar[frozenset[Use]] = frozenset({"labels", "targets", "mask", "data", "start", "models"})
    reading_units: ClassVar[Mapping[str, Unit]] = MappingProxyType({"destruction rate": "share"})

    distortions: str = method("all")
    """The distortions: all, or some with a comma between, each perhaps with strengths of its own, such as ``blur, jpeg=90 50 10``."""

    @model_validator(mode="after")
    def _known(self) -> Self:
        try:
            read(self.distortions)
        except GibbonError as error:
            raise WrongField("distortions", str(error)) from None
        return self

    def iterate(self, problem: Problem) -> Iterator[DistortionStep]:
        """Attack the images, if no adversarial ones are given; then yield a step for each chunk of each distortion at each strength."""
        if problem.data is not None and problem.start is not None:
            raise GibbonError("Adversarial images were given, and a data set to attack. Leave one of them out.")
        problem = of_data(problem)
        look = Look(problem, read(self.distortions))
        if problem.start is None:
            news = f"{self.attacking.title} on {counted(len(problem.images), 'image')}"
            yield from look.attack(self._attacked(problem), news)
        yield from look.undistort()
        for kind in look.kinds:
            for place in range(len(kind.strengths)):
                yield from look.distort(kind, place)
        for model in problem.models:
            yield from look.ask_another(model)
        yield look.step(0.0, "")

    def artifacts(self, problem: Problem, last: Step) -> Mapping[str, Artifact]:
        """Return a row for each distortion and strength, the rates as curves, and a row for each image at each strength."""
        assert isinstance(last, DistortionStep)
        if last.undistorted is None:
            return {}
        return {
            "survival": survival(last.undistorted, last.seen),
            "rates": curve(last.undistorted, last.seen),
            "predictions": predictions(last.undistorted, last.seen),
        }

    def sentences(self, last: DistortionStep, *, assumed: bool = False) -> list[str]:
        """Return the sentences that belong beside the numbers: how many images were adversarial, and what was left out or assumed."""
        if last.undistorted is None:
            return ["The attack has not ended, so nothing was distorted."]
        fooled, count = int(is_fooled(last.undistorted).sum()), len(last.clean)
        right = int(last.undistorted.right_clean.sum())
        are = "is" if fooled == 1 else "are"
        said = [f"{fooled:,} of {counted(count, 'image')} {are} adversarial: right before the attack ({right:,}) and wrong after it."]
        said += ["No image is adversarial, so no rate is defined."] if not fooled else []
        said += ["The labels are the model's own predictions."] if assumed else []
        return [*said, *last.left_out]

    def _attacked(self, problem: Problem) -> Generator[float, None, Tensor]:
        """Run the attack on the problem's images; yield the share that is done, and return the adversarial images."""
        attack, whole = self.attacking, problem.classifier.whole
        run = start(
            attack,
            whole,
            problem.images,
            problem.labels,
            problem.targets if "targets" in attack.uses else None,
            problem.mask if "mask" in attack.uses and attack.masked else None,
            seed=problem.random.seed,
            rows_at_a_time=rows_at_a_time(attack, problem.images),
        )
        with closing(run):
            for made in run:
                yield share_of(made)
            problem.classifier.forwards += run.problem.classifier.forwards
            problem.classifier.backwards += run.problem.classifier.backwards
            result = run.result()
        assert isinstance(result, AttackResult)
        return result.adversarial
