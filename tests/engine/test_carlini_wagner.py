"""Carlini and Wagner's attacks: closed forms on linear models, and what METHODS says of digits."""

from __future__ import annotations

from itertools import islice
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

import engine
from engine import attacks
from engine.attacks.carlini_wagner.base import Constants
from engine.attacks.toolkit.adam import Adam
from tests.engine.conftest import linear_classifier
from tests.engine.test_closed_forms import middle_images, weights


def hyperplane(classifier: engine.Classifier, images: Tensor, labels: Tensor, norm: float, ahead: float = 0.0) -> Tensor:
    """How far every image is from where another class leads the label's by ``ahead``, in the norm dual to ``norm``: exact."""
    w, _ = weights(classifier)
    logits = classifier(images)
    rows = []
    for row, label in enumerate(labels.tolist()):
        others = [k for k in range(len(w)) if k != label]
        gaps = [(logits[row, label] - logits[row, k] + ahead) / (w[k] - w[label]).norm(p=norm) for k in others]
        rows.append(min(gaps))
    return torch.stack(rows)


@pytest.mark.parametrize("classes", [3, 5])
@pytest.mark.parametrize("confidence", [0.0, 0.05])
def test_l2_meets_the_hyperplane_at_its_foot(classes: int, confidence: float) -> None:
    classifier = linear_classifier(classes)
    images = middle_images()
    labels = classifier.predict(images)
    result = engine.run(attacks.CarliniWagnerL2(confidence=confidence, steps=200), classifier, images, labels=labels)
    assert bool(result.success.all())
    exact = hyperplane(classifier, images, labels, 2, confidence)
    assert bool((result.norms["l2"] >= exact * (1 - 1e-9)).all())
    torch.testing.assert_close(result.norms["l2"], exact, rtol=0.02, atol=0)


FORMS = [
    {"beside": 4, "rounds": 2},
    {"parametrisation": "tanh", "steps": 200},
    {"constant": 1e-2, "step_size": 0.01, "rounds": 9, "steps": 200},
]


@pytest.mark.parametrize("parameters", FORMS)
def test_l2_in_its_other_forms_does_as_well(parameters: dict[str, object]) -> None:
    classifier = linear_classifier(3)
    images = middle_images()
    labels = classifier.predict(images)
    result = engine.run(attacks.CarliniWagnerL2.build(**parameters), classifier, images, labels=labels)
    torch.testing.assert_close(result.norms["l2"], hyperplane(classifier, images, labels, 2), rtol=0.02, atol=0)


def test_linf_meets_the_hyperplane(linear: engine.Classifier) -> None:
    images = middle_images()
    labels = linear.predict(images)
    result = engine.run(attacks.CarliniWagnerLinf(), linear, images, labels=labels)
    exact = hyperplane(linear, images, labels, 1)
    assert bool((result.norms["linf"] >= exact * (1 - 1e-9)).all())
    torch.testing.assert_close(result.norms["linf"], exact, rtol=0.05, atol=0)


def fewest(classifier: engine.Classifier, image: Tensor, label: int) -> int:
    """With two classes every pixel adds its own part at most: the largest ones are the fewest."""
    w, _ = weights(classifier)
    d = (w[1 - label] - w[label]).reshape(image.shape)
    parts = torch.where(d > 0, d * (1 - image), -d * image).flatten().sort(descending=True).values
    logits = classifier(image[None])[0]
    return int((parts.cumsum(0) <= logits[label] - logits[1 - label]).sum()) + 1


def test_l0_needs_about_as_few_pixels_as_there_can_be() -> None:
    classifier = linear_classifier(shape=(1, 8, 8))
    images = torch.rand(8, 1, 8, 8, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    labels = classifier.predict(images)
    result = engine.run(attacks.CarliniWagnerL0(), classifier, images, labels=labels)
    assert bool(result.success.all())
    changed = (result.perturbation != 0).flatten(1).sum(1)
    least = torch.tensor([fewest(classifier, image, int(label)) for image, label in zip(images, labels, strict=True)])
    assert bool((changed >= least).all())
    assert bool((changed <= least + 1).all())
    assert torch.equal(result.artifacts["changed"].values > 0, (result.adversarial != images).any(1))


@pytest.mark.parametrize("slug", ["cw-l2", "cw-linf"])
def test_more_confidence_costs_distance_and_is_reached(slug: str, small64: engine.Classifier, images: Tensor) -> None:
    labels = small64.predict(images)
    norm = slug.removeprefix("cw-")
    before = torch.zeros(len(images), dtype=torch.float64)
    for confidence in (0.0, 0.2, 0.5):
        result = engine.run(attacks.CATALOGUE[slug].build(confidence=confidence), small64, images, labels=labels)
        others = result.logits.scatter(1, labels[:, None], -torch.inf).amax(1)
        lead = others - result.logits.gather(1, labels[:, None])[:, 0]
        assert bool(result.success.all())
        assert bool((lead >= confidence).all())
        assert bool((result.norms[norm] > before).all())
        before = result.norms[norm]


def test_what_is_wrong_already_stays_as_it_is(small64: engine.Classifier, images: Tensor) -> None:
    labels = (small64.predict(images) + 1) % 5
    for slug in ("cw-l2", "cw-linf", "cw-l0"):
        result = engine.run(attacks.CATALOGUE[slug](), small64, images, labels=labels)
        assert torch.equal(result.adversarial, images)
        assert result.backwards == len(images)


class _Flat(torch.nn.Module):
    """Gradient zero in the rows whose first pixel is below one half, and none of them can be moved."""

    def forward(self, x: Tensor) -> Tensor:
        rising = x.flatten(1).sum(1) * (x[:, 0, 0, 0] > 0.5)
        return torch.stack([torch.full_like(rising, 5.0), rising], 1)


def test_rows_without_a_gradient_stay_clean_and_leave() -> None:
    classifier = engine.Classifier(_Flat(), ["a", "b"], (1, 4, 4), name="flat", device="cpu")
    images = torch.full((2, 1, 4, 4), 0.2)
    images[0, 0, 0, 0] = 0.9
    for slug in ("cw-l2", "cw-linf", "cw-l0"):
        result = engine.run(attacks.CATALOGUE[slug](), classifier, images, labels=torch.tensor([0, 0]))
        assert result.success.tolist() == [True, False]
        assert torch.equal(result.adversarial[1], images[1])


@pytest.mark.parametrize("slug", ["cw-l2", "cw-linf", "cw-l0"])
def test_eight_bits_keep_it_adversarial(slug: str, small64: engine.Classifier) -> None:
    images = torch.randint(256, (4, 3, 8, 8), generator=torch.Generator().manual_seed(5)) / 255.0
    images = images.double()
    result = engine.run(attacks.CATALOGUE[slug].build(eight_bit=True), small64, images, labels=small64.predict(images))
    assert bool(result.survives_8bit.all())


def test_constants_bracket_like_the_paper() -> None:
    """Success halves towards the lower end, failure raises tenfold or halves towards the upper end."""
    constants = Constants(torch.tensor([1.0, 1.0]), 1)
    for found, expected in [
        ([True, False], [0.5, 10.0]),
        ([False, True], [0.75, 5.5]),
        ([True, True], [0.625, 3.25]),
        ([False, False], [0.6875, 4.375]),
    ]:
        constants.narrow(torch.tensor(found))
        assert constants.values.tolist() == expected


def test_adam_is_torch_s_row_by_row() -> None:
    """Against torch.optim.Adam, with one row beginning anew."""
    start = torch.randn(2, 1, 3, 3, dtype=torch.float64)
    reference = [start[row].clone().requires_grad_() for row in range(2)]
    optimisers = [torch.optim.Adam([value], lr=0.1) for value in reference]
    ours, adam = start.clone(), Adam(start)
    for number in range(8):
        if number == 4:
            optimisers[1] = torch.optim.Adam([reference[1]], lr=0.1)
            adam.restart(torch.tensor([False, True]))
        gradient = torch.randn(2, 1, 3, 3, dtype=torch.float64)
        ours = ours - 0.1 * adam(gradient)
        for row, optimiser in enumerate(optimisers):
            reference[row].grad = gradient[row]
            optimiser.step()
        torch.testing.assert_close(ours, torch.stack([value.detach() for value in reference]))


class _Counted(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """How often the shape of a tensor hung on values, for which a device has to be waited for."""

    count = 0

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.count += function.overloadpacket in (torch.ops.aten.nonzero, torch.ops.aten.masked_select, torch.ops.aten._local_scalar_dense)
        return function(*args, **(kwargs or {}))


@pytest.mark.parametrize("freezing", ["adaptive", "paper"])
def test_l0_waits_for_the_device_only_when_it_looks(freezing: str, small: engine.Classifier, images: Tensor) -> None:
    attack = attacks.CarliniWagnerL0.build(freezing=freezing, steps=15)
    with engine.start(attack, small, images.float()) as run:
        steps = iter(run)
        next(steps)
        with _Counted() as waited:  # type: ignore[no-untyped-call]
            made = len(list(islice(steps, 15)))
    assert made > 10
    assert waited.count <= made // 5 + 1


@pytest.mark.data
class TestDigits:
    """On the shipped digits model and the first 100 test images that it gets right."""

    @pytest.fixture
    def digits(self) -> engine.Classifier:
        return engine.models.load("digits", device="cpu")

    @pytest.fixture
    def images(self, digits: engine.Classifier) -> tuple[Tensor, Tensor]:
        x, y = engine.data.load("mnist", "test").batch(range(120))
        right = digits.predict(x) == y
        return x[right][:100], y[right][:100]

    def test_l2_succeeds_everywhere_near_deepfool_s_distance(self, digits: engine.Classifier, images: tuple[Tensor, Tensor]) -> None:
        x, y = images
        result = engine.run(attacks.CarliniWagnerL2(), digits, x, labels=y)
        assert bool(result.success.all())
        assert float(result.norms["l2"].median()) <= 1.1  # 1.04 converged
        deepfool = engine.run(attacks.CATALOGUE["deepfool"](), digits, x, labels=y)
        assert float(result.norms["l2"].mean()) <= 1.02 * float(deepfool.norms["l2"].mean())

    def test_linf_needs_no_more_than_bim(self, digits: engine.Classifier, images: tuple[Tensor, Tensor]) -> None:
        """The least eps of BIM in 20 steps, found by halving for every image by itself."""
        x, y = images
        result = engine.run(attacks.CarliniWagnerLinf(), digits, x, labels=y)
        assert bool(result.success.all())
        # BIM succeeds at an eps below ours for the images in which it needs less.
        beaten = torch.zeros(len(x), dtype=torch.bool)
        for eps in (0.04, 0.05, 0.06, 0.07, 0.08, 0.09, 0.1):
            bim = engine.run(attacks.PGD(eps=eps, steps=20, random_start=False), digits, x, labels=y)
            beaten |= bim.success & (result.norms["linf"] > eps + 1e-6)
        assert int(beaten.sum()) <= 20

    def test_l0_changes_fewer_pixels_than_jsma(self, digits: engine.Classifier, images: tuple[Tensor, Tensor]) -> None:
        x, y = images
        targets = (y + 1) % 10
        mine = engine.run(attacks.CarliniWagnerL0(), digits, x, labels=y, targets=targets)
        theirs = engine.run(attacks.JSMA(), digits, x, labels=y, targets=targets)
        assert bool(mine.success.all())
        assert torch.equal(mine.adversarial[mine.perturbation == 0], x[mine.perturbation == 0])
        pixels = [torch.where(r.success, r.norms["l0"], torch.inf) for r in (mine, theirs)]
        assert int((pixels[0] < pixels[1]).sum()) >= 80
