"""The search for a shadow: candidates as the canvas paints them, and the checks of the method."""

from __future__ import annotations

import pytest
import torch

import engine
from engine import attacks, record
from engine.artifacts import PlacedStickers
from engine.attacks.sticker_search.triangles import Triangles
from engine.attacks.toolkit.searches import Swarm
from engine.operation import Problem
from engine.randomness import RowRandom
from engine.stickers import Shadow, coverage, paint
from tests.engine.test_sticker_search import found, signs

FACE = torch.zeros(32, 32)
FACE[4:28, 4:28] = 1


@pytest.mark.parametrize("blur", [0.0, 3.0, 4.5])
def test_candidates_are_painted_as_the_canvas_does(blur: float) -> None:
    classifier, images, labels = signs()
    problem = Problem(engine.access.ModelAccess(classifier, "scores"), images[:3], labels[:3], RowRandom(0, range(3)))
    space = Triangles.of(problem, Shadow(0.4, blur), 0.5)
    placed = space.placed(RowRandom(1, range(3)).uniform((4, 6)))
    painted = space.painted(images[:3], placed)
    assert float(placed.min()) < 0
    for image in range(3):
        for candidate in range(4):
            shown = paint(images[image], space.stickers(placed[image, candidate]))
            torch.testing.assert_close(painted[image, candidate], shown, atol=1e-6, rtol=0)


@pytest.mark.parametrize("search", ["swarm", "evolution", "random"])
def test_the_shadow_found_gives_the_adversarial_image_bit_by_bit(search: str) -> None:
    classifier, images, labels = signs()
    attack = attacks.ShadowSearch.build(search=search, queries=60, kappa=0.3, stop="never")
    result = engine.run(attack, classifier, images[:5], labels[:5], seed=2)
    for image, adversarial, stickers in zip(images[:5], result.adversarial, found(result).stickers, strict=True):
        assert len(stickers) == 1
        assert stickers[0].content == Shadow(0.3, 3.0)
        assert torch.equal(paint(image, stickers), adversarial)
        outside = coverage(stickers[0], 32, 32)[0] == 0
        assert torch.equal(adversarial[:, outside], image[:, outside])
    torch.testing.assert_close(result.logits, classifier(result.adversarial))


def test_a_mask_cuts_the_shadow() -> None:
    classifier, images, labels = signs()
    result = engine.run(attacks.ShadowSearch(queries=80, kappa=0.2), classifier, images[:4], labels[:4], mask=FACE)
    for image, adversarial, stickers in zip(images[:4], result.adversarial, found(result).stickers, strict=True):
        assert torch.equal(adversarial, torch.where(FACE == 1, paint(image, stickers), image))


def test_darker_shadows_flip_no_fewer() -> None:
    classifier, images, labels = signs()
    counts = [
        int(engine.run(attacks.ShadowSearch(queries=120, kappa=kappa), classifier, images, labels).success.sum())
        for kappa in (0.8, 0.43, 0.1)
    ]
    assert counts == sorted(counts)
    assert counts[0] < counts[-1]


def test_without_a_shadow_nothing_changes() -> None:
    classifier, images, labels = signs()
    result = engine.run(attacks.ShadowSearch(queries=40, kappa=1.0), classifier, images[:3], labels[:3])
    assert torch.equal(result.adversarial, images[:3])


def test_the_swarm_begins_again_after_its_iterations() -> None:
    random = RowRandom(0, [0])
    swarm = Swarm.begin(random, 5, 6, inertia=1.0, pull=2.0, speed=0.02, factors="each", lives=3)
    first = swarm.genes
    for _ in range(2):
        before, swarm = swarm.genes, swarm.told(torch.rand(1, 5), random)
        assert float((swarm.genes - before).abs().max()) <= 0.02 + 1e-6
    again = swarm.told(torch.rand(1, 5), random)
    assert float((again.genes - swarm.genes).abs().max()) > 0.02
    assert bool((again.own_fitness == -torch.inf).all())
    assert not torch.equal(again.genes, first)


def test_the_factors_of_the_code_are_one_number_from_1_to_6() -> None:
    """With one factor all coordinates move by the same multiple of the way to the best particle."""
    random = RowRandom(3, [0])
    swarm = Swarm.begin(random, 4, 6, inertia=0.0, pull=0.01, speed=1.0, factors="one", lives=100)
    fitness = torch.tensor([[3.0, 0.0, 1.0, 2.0]])
    moved = swarm.told(fitness, random).genes - swarm.genes
    way = swarm.genes[:, :1] - swarm.genes  # every particle is at its own best
    ratio = (moved / way)[:, 1:]
    torch.testing.assert_close(ratio, ratio[0, 0, 0].expand_as(ratio), atol=1e-3, rtol=0)
    assert 0.01 <= float(ratio[0, 0, 0]) <= 0.06


def test_it_replays() -> None:
    classifier, images, labels = signs()
    result = engine.run(attacks.ShadowSearch(queries=70), classifier, images[:1], labels[:1], seed=3)
    assert isinstance(result.artifacts["stickers"], PlacedStickers)
    assert record.replay(record.record_of(result, image=record.image_entry(images[0]))).same
