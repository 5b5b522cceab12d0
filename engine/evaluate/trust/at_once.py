"""The trust lights that are known as soon as an attack has ended, and those of a model and an image without an attack."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import torch
from torch import Tensor

from engine.attacks import PGD
from engine.before import known
from engine.classifier import Classifier
from engine.driver import start
from engine.evaluate.trust.evaluation import NOT_YET, TrustLights, TrustStep
from engine.evaluate.trust.examination import LIMITED, NO_RADIUS, OF_ITSELF, PART_ONLY
from engine.evaluate.trust.light import NO_LIMIT, Light, unlimited, unmeasured
from engine.evaluate.trust.measuring import of_the_attack
from engine.evaluate.trust.signs import SIGNS
from engine.evaluate.trust.yardsticks import Yardsticks, has_no_limit
from engine.operation import Attack
from engine.result import AttackResult

NO_ATTACK = "It is about the number of an attack: run one."
NONE_BETTER = "The attack succeeded, so no other does better."
_BEATEN = ("one-step-beats-many", "transfer-beats-white-box", "search-beats-gradients", "steps-matter")
"""Signs of another attack that succeeds where this one fails."""
_NEEDS_RADIUS = (*_BEATEN, "more-eps-less-success", "loss-matters")


def lights_at_once(result: AttackResult, mask: Tensor | None = None, seed: int = 0) -> tuple[Light, ...]:
    """Return all lights of an attack on one image, measured as far as its own course and one further gradient decide them.

    An attack of many steps that succeeded cannot be beaten on this image; an attack without a limit had to succeed; losses and steps say
    whether it had settled. The others say in ``why`` that they are not measured yet: `TrustLights` measures them.

    Parameters
    ----------
    result
        The result of one row.
    mask
        ``(1, 1, H, W)`` or ``(1, H, W)``: the pixels that the attack could change; None: all.
    seed
        The seed of the run.

    Raises
    ------
    GibbonError
        There are no lights of such an attack, which does not attack images one by one.
    """
    attack, values = result.operation, result.clean[0].numel()
    assert isinstance(attack, Attack)
    evaluation = TrustLights.of_result(result)
    lights = _gradient(evaluation, result.classifier, result.clean, result.labels, result.targets, mask, seed)
    if bool(result.reached_before.all()):
        return tuple(lights.values())
    found = of_the_attack(result)
    yardsticks = Yardsticks(attack, values)
    if not yardsticks.has_radius:
        found += [unmeasured(slug, NO_RADIUS) for slug in _NEEDS_RADIUS]
    elif bool(result.success.all()) and yardsticks.many_steps == attack:
        found += [Light(SIGNS[slug], "off", why=NONE_BETTER) for slug in _BEATEN]
    if mask is not None:
        found += [unmeasured(slug, PART_ONLY) for slug in NO_LIMIT]
    elif has_no_limit(attack, values):
        found += unlimited(result.success)
    elif not yardsticks.has_radius:
        found += [unmeasured(slug, LIMITED) for slug in NO_LIMIT]
    if len(known(result.classifier.before)) == len(result.classifier.before):
        found.append(unmeasured("surrogate", OF_ITSELF))
    return tuple({**lights, **{light.sign.slug: light for light in found}}.values())


def lights_of_image(classifier: Classifier, image: Tensor, label: int, seed: int = 0) -> tuple[Light, ...]:
    """Return all lights of a model at an image ``(C, H, W)`` without an attack: those of the cross-entropy's gradient are measured."""
    labels = torch.tensor([label], device=image.device)
    lights = _gradient(TrustLights.of(PGD()), classifier, image[None], labels, None, None, seed)
    return tuple(replace(light, why=NO_ATTACK) if light.why == NOT_YET else light for light in lights.values())


def merged(before: Iterable[Light], newer: Iterable[Light]) -> tuple[Light, ...]:
    """Return the newer lights, and in place of those that are not measured yet the ones from before."""
    old = {light.sign.slug: light for light in before}
    return tuple(old.get(light.sign.slug, light) if light.why == NOT_YET else light for light in newer)


def _gradient(
    evaluation: TrustLights,
    classifier: Classifier,
    images: Tensor,
    labels: Tensor,
    targets: Tensor | None,
    mask: Tensor | None,
    seed: int,
) -> dict[str, Light]:
    """Return all lights, with those of the gradient at the images measured."""
    lights: tuple[Light, ...] = ()
    with start(evaluation, classifier, images, labels, targets, mask, seed=seed) as run:
        for step in run:
            assert isinstance(step, TrustStep)
            lights = step.lights
            if any(light.state != "not measured" for light in lights):
                break
    return {light.sign.slug: light for light in lights}
