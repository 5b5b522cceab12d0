"""The logits and the images behind preprocessing from one pass, the observation that holds them, and the model without its last steps."""

from __future__ import annotations

import pytest
import torch

import engine
from engine.before import applied
from engine.defenses.preprocessing import CATALOGUE, NoiseAveraging, defended, read
from engine.explain import observe, with_defense
from tests.engine.conftest import small_network


@pytest.fixture(scope="module")
def small() -> engine.Classifier:
    return engine.Classifier(small_network(), labels=list("abcde"), input_shape=(3, 8, 8), device="cpu")


def pair() -> torch.Tensor:
    return torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(3))


@pytest.mark.parametrize("slug", CATALOGUE)
def test_a_look_has_the_bits_of_a_call_and_the_images_of_the_step(small: engine.Classifier, slug: str) -> None:
    step = CATALOGUE[slug]()
    behind, images = small.derive(before=[step]), pair()
    looked = behind.look(images)
    with torch.no_grad():
        assert torch.equal(looked.logits, behind(images))
        assert torch.equal(looked.images, step(images)[:: step.copies])


def test_steps_that_the_model_had_before_are_looked_through_too(small: engine.Classifier) -> None:
    steps, images = read("bit-depth bits=2 + noise-averaging samples=3"), pair()
    inner = small.derive(before=[steps[0]], bounds={small.sites[0].name: 0.1})
    outer = inner.derive(before=[NoiseAveraging(samples=3)])
    looked = outer.look(images)
    with torch.no_grad():
        assert torch.equal(looked.logits, outer(images))
    assert torch.equal(looked.images, applied(steps, images)[::3])


def test_without_its_last_steps_a_model_is_the_one_that_it_was_derived_from(small: engine.Classifier) -> None:
    steps = read("bit-depth + jpeg")
    behind = defended(small, steps)
    plain = behind.undefended(small.name, len(steps))
    assert (plain.fingerprint, plain.name) == (small.fingerprint, small.name)
    assert plain.fingerprint != behind.fingerprint
    assert behind.undefended("one", 1).fingerprint == defended(small, steps[:1]).fingerprint
    assert torch.equal(plain.score(pair()), small.score(pair()))


def test_an_observation_gets_a_defense_changes_it_and_loses_it(small: engine.Classifier) -> None:
    clean, adversarial = pair()
    bare = observe(small, clean, adversarial)
    steps = read("bit-depth bits=1")
    seen = with_defense(bare, steps, lambda: defended(small, steps))
    assert seen.defended is not None
    assert torch.equal(torch.stack([seen.defended.clean, seen.defended.adversarial]), defended(small, steps).score(pair()).softmax(1))
    assert set(seen.defended.clean_image.unique().tolist()) <= {0.0, 1.0}
    assert seen.clean_logits is bare.clean_logits
    even = read("non-local-means search=4")  # a window without a middle
    failed = with_defense(seen, even, lambda: defended(small, even))
    assert failed.defended is None
    assert failed.failures["defense"]
    assert with_defense(failed, (), lambda: small).failures == {}
