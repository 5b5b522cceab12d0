"""An examination in progress: the attacks beside the one that is questioned, and the lights that their outcomes decide."""

from __future__ import annotations

import itertools
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass, field

import torch
from torch import Tensor

from engine.before import known
from engine.classifier import Classifier
from engine.driver import start
from engine.evaluate.transfer import as_taken, translated
from engine.evaluate.trust import measuring
from engine.evaluate.trust.light import NO_LIMIT, Light, compared, frequent, share_of, unlimited, unmeasured
from engine.evaluate.trust.measuring import Work
from engine.evaluate.trust.yardsticks import Yardsticks, has_no_limit
from engine.operation import Attack, Problem
from engine.ranking import reached
from engine.result import AttackResult

Progress = float | list[Light]
NO_RADIUS = "The attack has no eps at which another could be compared with it."
PART_ONLY = "The attack may change a part of the image only, so that no limit on the change would not promise it success."
OF_ITSELF = "The attack follows the gradient of the model itself."
LIMITED = "The attack is limited otherwise than by an eps."


@dataclass(eq=False)
class Examination:
    """The attack, the problem of those images that it has anything to do on, and what has been found out."""

    attack: Attack
    problem: Problem
    queries: int
    draws: int
    result: AttackResult | None = None
    """The attack's own result, for all images of the problem; None: the attack is run."""
    won: dict[str, Tensor] = field(default_factory=dict)
    """Rows that each attack fooled, ``(N,)`` bool, by the attack's name."""

    @property
    def yardsticks(self) -> Yardsticks:
        """The attacks beside the one that is questioned."""
        return Yardsticks(self.attack, self.problem.images[0].numel())

    @property
    def stages(self) -> tuple[tuple[str, Work], ...]:
        """The stages with what they do, the cheap ones first."""
        alone = (
            ("the gradient at the image", measuring.at_the_image(self.problem, self.attack)),
            ("answers around the image", measuring.around_the_image(self.problem, self.yardsticks.radius, self.draws)),
            ("the attack itself", self._itself()),
        )
        if not self.yardsticks.has_radius:
            return (*alone, ("the attack without a limit", self._without_radius()))
        return (
            *alone,
            ("one step", self._one_step()),
            ("no limit", self._no_limit()),
            ("half and twice the eps", self._radii()),
            ("another loss", self._losses()),
            ("more steps", self._more()),
            ("a search without gradients", self._search()),
            ("transfer", self._transfer()),
        )

    # ------------------------------------------------------------------ stages

    def _itself(self) -> Work:
        if self.result is None:
            self.result = yield from self._run(self.attack)
        self.won["attack"] = self.result.success
        if self.yardsticks.has_radius:
            many = self.yardsticks.many_steps
            self.won["many steps"] = self.won["attack"] if many == self.attack else (yield from self._run(many)).success
        yield measuring.of_the_attack(self.result)
        yield from self._surrogate()

    def _surrogate(self) -> Work:
        judged = self.problem.classifier.whole
        if len(known(judged.before)) == len(judged.before):
            yield [unmeasured("surrogate", OF_ITSELF)]
            return
        made = yield from self._run(self.attack, classifier=judged.as_the_attacker_knows_it())
        if not bool(made.success.any()):
            yield [unmeasured("surrogate", "The attack does not fool the model without the hidden step either.")]
            return
        self.problem.classifier.forwards += len(made.adversarial)
        holds = ~reached(judged.predict(made.adversarial), made.labels, made.targets)
        yield [frequent("surrogate", "images that fool the model without the hidden step alone", holds[made.success])]

    def _without_radius(self) -> Work:
        assert self.result is not None
        slugs = ("one-step-beats-many", "transfer-beats-white-box", "search-beats-gradients", "more-eps-less-success")
        yield [unmeasured(slug, NO_RADIUS) for slug in (*slugs, "steps-matter", "loss-matters")]
        if has_no_limit(self.attack, self.problem.images[0].numel()):
            yield self._unlimited(self.result.success)
        else:
            yield [unmeasured(slug, LIMITED) for slug in NO_LIMIT]

    def _one_step(self) -> Work:
        one = yield from self._run(self.yardsticks.one_step)
        yield [compared("one-step-beats-many", ("FGSM", one.success), self._many)]

    def _no_limit(self) -> Work:
        self.won["no limit"] = (yield from self._run(self.yardsticks.at(self.yardsticks.largest))).success
        yield self._unlimited(self.won["no limit"])

    def _radii(self) -> Work:
        eps = self.yardsticks.eps
        radii = {"half the eps": eps / 2, "twice the eps": 2 * eps}
        found = {"eps": self._many[1], "no limit": self.won["no limit"]}
        for place, (name, radius) in enumerate(radii.items()):
            found[name] = (yield from self._run(self.yardsticks.at(radius), (place, 2))).success
        order = ["half the eps", "eps", "twice the eps", "no limit"]
        pairs = [
            compared("more-eps-less-success", (name, found[name]), (larger, found[larger])) for name, larger in itertools.pairwise(order)
        ]
        yield [next((light for light in pairs if light.on), Light(pairs[0].sign, "off", {n: share_of(found[n]) for n in order}))]

    def _losses(self) -> Work:
        runs = []
        for place, attack in enumerate(self.yardsticks.other_loss):
            same = attack == self.yardsticks.many_steps
            runs.append(self._many[1] if same else (yield from self._run(attack, (place, 2))).success)
        yield [compared("loss-matters", ("margin", runs[1]), ("cross-entropy", runs[0]), margin=0.05, both_ways=True)]

    def _more(self) -> Work:
        held = (~self._many[1]).nonzero().flatten()
        gained = torch.zeros_like(self._many[1])
        more = self.yardsticks.more if len(held) else {}
        shares = {}
        for place, (name, attack) in enumerate(more.items()):
            won = torch.zeros_like(gained)
            won[held] = (yield from self._run(attack, (place, len(more)), held)).success
            gained, shares[f"with {name}"] = gained | won, share_of(won)
        yield [frequent("steps-matter", "images gained", gained, most=0.02, **shares)]

    def _search(self) -> Work:
        attack = self.yardsticks.search(self.queries)
        if attack is None:
            yield [unmeasured("search-beats-gradients", "Square knows L∞ and L2 only.")]
            return
        found = (yield from self._run(attack)).success
        yield [compared("search-beats-gradients", (f"Square, {self.queries:,} queries", found), self._many)]

    def _transfer(self) -> Work:
        problem, judged = self.problem, self.problem.classifier.whole
        others = problem.models
        if not others:
            yield [unmeasured("transfer-beats-white-box", "It needs another model, such as the one without the defense.")]
            return
        source = as_taken(others[0], problem.images.shape[1:])
        labels = None if source is None else translated(problem.labels, judged.labels, source.labels)
        targets = None if source is None or problem.targets is None else translated(problem.targets, judged.labels, source.labels)
        if source is None or labels is None or (problem.targets is not None and targets is None):
            yield [unmeasured("transfer-beats-white-box", f"“{others[0].name}” takes other images or has other classes.")]
            return
        made = yield from self._run(self.yardsticks.many_steps, classifier=source, labels=labels, targets=targets)
        problem.classifier.forwards += len(made.adversarial)
        images = made.adversarial.to(judged.device, judged.dtype)
        won = reached(judged.predict(images), problem.labels, problem.targets)
        yield [compared("transfer-beats-white-box", (f"made on “{source.name}”", won), self._many)]

    # ------------------------------------------------------------------ helpers

    @property
    def _many(self) -> tuple[str, Tensor]:
        return self.yardsticks.many_steps.title, self.won["many steps"]

    def _unlimited(self, won: Tensor) -> list[Light]:
        return [unmeasured(slug, PART_ONLY) for slug in NO_LIMIT] if self.problem.mask is not None else unlimited(won)

    def _run(
        self,
        attack: Attack,
        place: tuple[int, int] = (0, 1),
        rows: Tensor | None = None,
        *,
        classifier: Classifier | None = None,
        labels: Tensor | None = None,
        targets: Tensor | None = None,
    ) -> Generator[Progress, None, AttackResult]:
        """Run an attack on the images, or on some rows; yield the share of the stage that is done."""
        problem = self.problem if rows is None else self.problem.select(rows)
        start_at = problem.start if "start" in attack.uses else None
        mask = problem.mask if "mask" in attack.uses and attack.masked else None
        run = start(
            attack,
            classifier or problem.classifier.whole,
            problem.images,
            problem.labels if labels is None else labels,
            problem.targets if targets is None else targets,
            mask,
            seed=problem.random.seed,
            start=start_at,
            rows_at_a_time=measuring.rows_together(problem.images, getattr(attack, "restarts", 1)),
        )
        with closing(run):
            for made in run:
                done = 0.0 if made.total is None else min(1.0, (made.index + 1) / (made.total + 1))
                yield (place[0] + done) / place[1]
            self.problem.classifier.forwards += run.problem.classifier.forwards
            self.problem.classifier.backwards += run.problem.classifier.backwards
            result = run.result()
        assert isinstance(result, AttackResult)
        return result
