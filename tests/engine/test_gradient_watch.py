"""Gradients that cannot be followed: zero, NaN and infinite ones are told apart, named, and do not keep an attack from the other pixels."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice

import pytest
import torch
from torch import Tensor, nn

import engine
from engine import attacks
from engine.attacks.carlini_wagner import tightening
from engine.gradient_watch import GradientWatch
from engine.operation import Attack
from tests.engine.conftest import small_network

SHAPE = (3, 8, 8)


class Before(nn.Module):
    """A small network behind a function of its images."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function, self.network = function, small_network()

    def forward(self, images: Tensor) -> Tensor:
        """Logits."""
        logits: Tensor = self.network(self.function(images))
        return logits


def classifier(function: Callable[[Tensor], Tensor]) -> engine.Classifier:
    return engine.Classifier(Before(function), list("abcde"), SHAPE, name="before", device="cpu")


def gamma(images: Tensor) -> Tensor:
    """Its slope is infinite at black; times a slope of 0 it is NaN."""
    return images ** (1 / 2.2)


def some_black(count: int = 6) -> Tensor:
    """Images with every ninth value at 0."""
    images = torch.rand(count, *SHAPE, generator=torch.Generator().manual_seed(3)).clamp_min(0.05)
    images.view(count, -1)[:, ::9] = 0
    return images


ATTACKS: list[tuple[Attack, float]] = [
    (attacks.FGSM(eps=0.1), 0.6),
    (attacks.FGSM(norm="l2", eps=1.5), 0.6),
    (attacks.FGSM(norm="l1", eps=12.0), 0.6),
    (attacks.RandFGSM(eps=0.1, alpha=0.02), 0.5),
    (attacks.PGD(eps=0.1), 1.0),
    (attacks.PGD(eps=0.1, random_start=False), 1.0),
    (attacks.PGD(norm="l2", eps=1.5, steps=20), 1.0),
    (attacks.PGD(norm="l1", eps=12.0, steps=20), 1.0),
    (attacks.PGD(eps=0.1, direction="max", random_start=False), 1.0),
    (attacks.PGD(eps=0.1, direction="truncated", random_start=False), 1.0),
    (attacks.MIFGSM(eps=0.1), 1.0),
    (attacks.MIFGSM(norm="l2", eps=1.5), 1.0),
    (attacks.APGD(eps=0.1, steps=20), 1.0),
    (attacks.APGD(norm="l2", eps=1.5, steps=20), 1.0),
    (attacks.APGD(norm="l1", eps=12.0, steps=20), 1.0),
    (attacks.JSMA(gamma=1.0), 1.0),
    (attacks.JSMA(gamma=1.0, derivatives="logits"), 0.8),
    (attacks.DeepFool(), 1.0),
    (attacks.DeepFool(norm="linf"), 1.0),
    (attacks.DDN(steps=30), 1.0),
    (attacks.FMN(norm="linf", steps=40), 1.0),
    (attacks.FMN(steps=40), 1.0),
    (attacks.FMN(norm="l1", steps=40), 1.0),
    (attacks.FMN(norm="l0", steps=40), 1.0),
    (attacks.CarliniWagnerL2(), 1.0),
    (attacks.CarliniWagnerL2(parametrisation="tanh"), 1.0),
    (attacks.CarliniWagnerLinf(), 1.0),
    (attacks.CarliniWagnerL0(steps=10), 1.0),
]


@pytest.mark.parametrize(
    ("attack", "least"), ATTACKS, ids=[f"{attack.slug}-{getattr(attack, 'norm', '')}-{n}" for n, (attack, _) in enumerate(ATTACKS)]
)
def test_an_attack_goes_on_with_the_pixels_whose_gradient_is_finite(attack: Attack, least: float) -> None:
    broken, images = classifier(gamma), some_black()
    result = engine.run(attack, broken, images, seed=0)
    assert not bool(result.failed.any())
    assert bool(result.adversarial.isfinite().all())
    assert float(result.success.float().mean()) >= least
    (said,) = [note for note in result.remarks if "gradient" in note]
    assert said.startswith("The model's gradient ")
    assert "NaN" in said or "infinite" in said
    assert not any("outputs" in note for note in result.remarks)


def test_what_is_learned_from_many_images_goes_on_too() -> None:
    digits = engine.models.load("digits", device="cpu")
    broken = engine.Classifier(_Gamma(digits), digits.labels, digits.input_shape, name="gamma", device="cpu")
    data = engine.data.load("generated:digits", count=60)
    images = data.batch(slice(0, 8))[0]
    for attack in (
        attacks.Universal(eps=0.4, steps=20, count=40, held_out=20, batch_size=20),
        attacks.Universal(norm="l2", eps=6.0, steps=20, count=40, held_out=20, batch_size=20),
    ):
        result = engine.run(attack, broken, images, data=data)
        assert float(result.norms["linf"].min()) > 0.05
        assert any("gradient" in note and "during the attack" in note for note in result.remarks)


class _Gamma(nn.Module):
    def __init__(self, inner: engine.Classifier) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, images: Tensor) -> Tensor:
        """Logits behind the gamma correction."""
        return self.inner(images ** (1 / 2.2))


def over_its_length(images: Tensor) -> Tensor:
    """At an image of zeros the gradient of the length is 0 / 0, of every pixel."""
    return images / (images.flatten(1).pow(2).sum(1).sqrt()[:, None, None, None] + 1e-6)


def test_an_image_all_of_whose_gradient_is_nan_is_counted() -> None:
    images = some_black(4)
    images[1] = 0
    result = engine.run(attacks.PGD(eps=0.05, steps=3, random_start=False), classifier(over_its_length), images, seed=0)
    assert [note for note in result.remarks if note.startswith("The model's gradient of 1 of 4 images is NaN")]
    assert result.norms["linf"].gt(0).tolist() == [True, False, True, True]
    alone = engine.run(attacks.PGD(eps=0.05, steps=3, random_start=False), classifier(over_its_length), images[1:2], seed=0)
    assert [note for note in alone.remarks if note.startswith("The model's gradient of the image is NaN")]
    moved = engine.run(attacks.PGD(eps=0.05, steps=3), classifier(over_its_length), images[1:2], seed=0)
    assert not [note for note in moved.remarks if "gradient" in note]  # a random start leaves the one point where it is NaN


@pytest.mark.parametrize("rows_at_a_time", [None, 2])
def test_images_are_counted_whatever_the_batch_is_cut_into(rows_at_a_time: int | None) -> None:
    images = some_black(6)
    images[[0, 3, 4, 5]] = images[[0, 3, 4, 5]].clamp_min(0.05)
    attack = attacks.PGD(eps=0.01, steps=2, random_start=False)
    result = engine.run(attack, classifier(lambda x: x.sqrt()), images, seed=0, rows_at_a_time=rows_at_a_time)
    assert [note for note in result.remarks if "of 2 of 6 images" in note]


def test_a_gradient_that_breaks_on_the_way_is_named_without_a_number() -> None:
    images = torch.full((2, *SHAPE), 0.03)
    result = engine.run(attacks.PGD(eps=0.1, steps=20, random_start=False), classifier(gamma), images, seed=0)
    assert [note for note in result.remarks if note.startswith("The model's gradient was ") and "during the attack" in note]


def test_the_three_questions() -> None:
    first = torch.ones(5, 1, 2, 2)
    first[1], first[2, 0, 0, 0], first[3, 0, 1, 1], first[4, 0, 0] = 0, torch.nan, -torch.inf, torch.tensor([torch.nan, torch.inf])
    watch = GradientWatch()
    watch.await_part(0, 5)
    cleaned = watch.cleaned(first)
    assert bool(cleaned.isfinite().all())
    assert torch.equal(cleaned[[0, 1]], first[[0, 1]])
    assert cleaned[2].flatten().tolist() == [0, 1, 1, 1]
    flat, nan, infinite = watch.notes(5)
    assert "1 of 5 images is exactly zero" in flat
    assert "2 of 5 images is NaN" in nan
    assert "1 of 5 images is infinite" in infinite
    healthy = GradientWatch()
    healthy.await_part(0, 5)
    assert healthy.cleaned(torch.ones(5, 1, 2, 2)) is not None
    healthy.cleaned(torch.ones(3, 1, 2, 2))
    assert healthy.notes(5) == []
    blocks = GradientWatch()  # restarts: an image is flat only where all of its starts are
    blocks.await_part(0, 2)
    gradients = torch.ones(4, 1, 2, 2)
    gradients[[0, 1, 2]] = 0
    blocks.cleaned(gradients, copies=2)
    assert "1 of 2 images is exactly zero" in blocks.notes(2)[0]


@pytest.mark.parametrize("kind", [attacks.CarliniWagnerL0, attacks.CarliniWagnerLinf])
def test_the_searches_without_a_number_of_steps_end(kind: type[Attack], monkeypatch: pytest.MonkeyPatch) -> None:
    broken, images = classifier(gamma), some_black(3)
    run = engine.start(kind.build(steps=5), broken, images, seed=0)
    assert sum(1 for _ in islice(run, 5000)) < 5000
    # Where a row has not ended by itself, the bound ends it, and says so.
    monkeypatch.setattr(tightening, "most_rounds", lambda _: 2)
    result = engine.run(kind.build(steps=5), broken, images, seed=0)
    assert result.steps_made <= 10 + 2 * 10  # with the boundary search
    assert [note for note in result.remarks if "ended after as many rounds" in note]
