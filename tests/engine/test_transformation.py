"""Attacks by transformations: the identity, the rule of the worst, grids against literal loops, landscapes, gradients, counts, refusals."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any, get_args

import pytest
import torch
from torch import Tensor, nn

import engine
from engine import attacks
from engine.artifacts import Map, Table
from engine.attacks.toolkit.losses import cross_entropy, hard_margin
from engine.attacks.transformation.space import FACTORS, Name, Space, grid_of
from engine.errors import BadParameters
from engine.images.distortions import brightness

ALL: dict[str, Any] = {
    "rotation": 30.0,
    "translation": 0.1,
    "scale": 1.3,
    "shear": 0.2,
    "perspective": 0.3,
    "brightness": 0.2,
    "contrast": 1.4,
    "gamma": 1.6,
    "shading": 0.4,
    "hue": 18.0,
    "saturation": 1.5,
}
NONE = {name: 1.0 if name in FACTORS else 0.0 for name in ALL}
SHAPE = (3, 8, 8)


class Bright(nn.Module):
    """Three classes by the mean of all values, the middle one between 0.4 and 0.6; surest of it at its lower end."""

    def forward(self, x: Tensor) -> Tensor:
        mean = x.mean((1, 2, 3))
        return torch.stack([40 * (0.4 - mean), 0 * mean, 40 * (mean - 0.6)], dim=1)


def bright() -> engine.Classifier:
    return engine.Classifier(Bright(), ["dark", "middle", "bright"], SHAPE, device="cpu")


def space_of(outside: Any = "reflect", **ranges: float) -> Space:
    return Space.of({**NONE, **ranges}, 3, outside)


# ---------------------------------------------------------------- the transformation


@pytest.mark.parametrize("outside", ["black", "reflect"])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("fields", [{name: ALL[name]} for name in ALL] + [ALL], ids=str)
def test_the_identity_returns_the_bits(fields: dict[str, float], channels: int, outside: Any) -> None:
    images = torch.rand(4, channels, 9, 7, generator=torch.Generator().manual_seed(3))
    images[0] = 0
    images[1] = 1
    space = Space.of({**NONE, **fields}, channels, outside)
    points = torch.zeros(4, len(space.names))
    assert torch.equal(space.transformed(images, points), images)
    if space.names:
        points[2] = 0.5  # beside a row that does change
        made = space.transformed(images, points)
        assert torch.equal(made[[0, 1, 3]], images[[0, 1, 3]])
        assert not torch.equal(made[2], images[2])
        assert 0 <= float(made.min()) <= float(made.max()) <= 1


def test_every_parameter_belongs_to_a_field_and_every_range_to_a_parameter() -> None:
    assert space_of(**ALL).names == get_args(Name)
    for field, value in ALL.items():
        assert space_of(**{field: value}).names


def test_a_point_means_the_share_of_a_range_or_the_power_of_a_factor() -> None:
    phi = space_of(rotation=30, scale=4).values(torch.tensor([[0.5, 0.5], [-1, -1]]))
    assert phi["rotation"].tolist() == [15, -30]
    assert phi["scale"].tolist() == [2, 0.25]


@pytest.mark.parametrize("name", get_args(Name))
def test_gradients_in_every_parameter_agree_with_finite_differences(name: Name) -> None:
    space = space_of(**ALL)
    random = torch.Generator().manual_seed(5)
    image = 0.25 + 0.5 * torch.rand(1, 3, 7, 9, dtype=torch.float64, generator=random)  # away from both clamps
    weights = torch.rand(3, 7, 9, dtype=torch.float64, generator=random)
    start = (0.6 * torch.rand(1, len(space.names), dtype=torch.float64, generator=random) - 0.3).requires_grad_()
    total = lambda points: (weights * space.transformed(image, points)).sum()  # noqa: E731
    (found,) = torch.autograd.grad(total(start), start)
    place = space.names.index(name)
    step = torch.zeros(1, len(space.names), dtype=torch.float64)
    step[0, place] = 1e-6
    slope = float((total(start.detach() + step) - total(start.detach() - step)) / 2e-6)
    assert float(found[0, place]) == pytest.approx(slope, rel=1e-4, abs=1e-7)
    assert slope != 0


def test_gradients_do_not_vanish_at_the_identity() -> None:
    """But for gamma, whose unchanged images are handed on as they are."""
    space = space_of(**ALL)
    image = 0.25 + 0.5 * torch.rand(1, 3, 7, 9, dtype=torch.float64, generator=torch.Generator().manual_seed(5))
    start = torch.zeros(1, len(space.names), dtype=torch.float64, requires_grad=True)
    (found,) = torch.autograd.grad((image.flip(1) * space.transformed(image, start)).sum(), start)
    silent = {name for name, slope in zip(space.names, found[0].tolist(), strict=True) if slope == 0}
    assert silent <= {"gamma"}


# ---------------------------------------------------------------- the worst


def test_a_misclassified_image_is_worse_than_a_correct_one_of_larger_loss() -> None:
    """Of 40 brightnesses most are misread; the loss of the correct ones near the boundaries is larger than that of no change at all."""
    images = torch.full((1, *SHAPE), 0.5)
    labels = torch.tensor([1])
    for goal, reach in ((0.09, False), (0.3, True)):
        attack = attacks.Transformation(rotation=0, translation=0, brightness=goal, points=41)
        result = engine.run(attack, bright(), images, labels)
        tried = brightness(images.expand(41, -1, -1, -1), torch.linspace(-goal, goal, 41))
        logits = bright()(tried)
        loss, wrong = cross_entropy(logits, labels.expand(41)), logits.argmax(1) != 1
        assert bool(wrong.any()) == reach == bool(result.success[0])
        ranked = sorted(range(41), key=lambda n: (bool(wrong[n]), float(loss[n])))
        assert float(result.loss[0]) == pytest.approx(float(loss[ranked[-1]]), rel=1e-5)


def test_success_comes_before_the_loss_towards_a_target() -> None:
    class Two(nn.Module):
        """Class 1 wins in a narrow band of small gain; its probability is larger elsewhere, where class 2 wins."""

        def forward(self, x: Tensor) -> Tensor:
            mean = x.mean((1, 2, 3))
            band = ((mean - 0.55).abs() < 0.01).float()
            far = (mean > 0.6).float()
            return torch.stack([2 - far, 2.1 * band + 3 * far, 4 * far], dim=1)

    classifier = engine.Classifier(Two(), ["a", "b", "c"], SHAPE, device="cpu")
    images = torch.full((1, *SHAPE), 0.5)
    attack = attacks.Transformation(rotation=0, translation=0, brightness=0.2, points=401, mode="grid")
    result = engine.run(attack, classifier, images, torch.tensor([0]), torch.tensor([1]))
    assert bool(result.success[0])
    assert abs(float(result.adversarial.mean()) - 0.55) < 0.011


def test_a_grid_is_the_literal_loop(small64: engine.Classifier, images: Tensor) -> None:
    attack = attacks.Transformation(points=3, rotation_points=5, outside="black")
    labels = small64.predict(images)
    result = engine.run(attack, small64, images, labels)
    space = attack.space(engine.start(attack, small64, images, labels).problem)
    assert space.names == ("rotation", "x", "y")
    sides = [torch.linspace(-1, 1, count, dtype=torch.float64).tolist() for count in (5, 3, 3)]
    points = torch.tensor(list(itertools.product(*sides)), dtype=torch.float64)
    assert torch.equal(points, grid_of((5, 3, 3), images))
    for row in range(len(images)):
        views = space.transformed(images[row : row + 1].expand(len(points), -1, -1, -1), points)
        logits = small64(views)
        loss, wrong = cross_entropy(logits, labels[row].expand(len(points))), logits.argmax(1) != labels[row]
        best = max(range(len(points)), key=lambda n: (bool(wrong[n]), float(loss[n])))
        assert bool(result.success[row]) == bool(wrong.any())
        assert float(result.loss[row]) == pytest.approx(float(loss[best]))
        torch.testing.assert_close(result.adversarial[row], views[best], rtol=0, atol=1e-9)
    assert result.forwards == len(images) * (1 + 45)


def test_more_tries_are_no_better_for_the_classifier(small64: engine.Classifier, images: Tensor) -> None:
    """Accuracy under the grid <= worst of 10 <= one drawn at random, of the same draws; a grid that contains what was drawn is worse."""
    many = images.repeat(8, 1, 1, 1)
    labels = small64.predict(many)
    ten = attacks.Transformation(mode="worst of k", draws=10, rotation=15, translation=0.05)
    held = {attack: engine.run(attack, small64, many, labels).success for attack in (replace_draws(ten, 1), ten, replace_draws(ten, 100))}
    shares = [float(success.double().mean()) for success in held.values()]
    assert shares == sorted(shares)
    assert shares[0] < shares[-1]


def replace_draws(attack: attacks.Transformation, draws: int) -> attacks.Transformation:
    return attacks.Transformation.build(**{**attack.model_dump(), "draws": draws})


def test_the_first_draws_of_more_are_those_of_fewer(small64: engine.Classifier, images: Tensor) -> None:
    labels = small64.predict(images)
    few, more = (engine.run(attacks.Transformation(mode="worst of k", draws=k), small64, images, labels, seed=4) for k in (3, 9))
    assert bool((more.success | ~few.success).all())
    assert bool((~(few.success == more.success) | (more.loss >= few.loss - 1e-12)).all())


def test_phi_in_the_table_makes_the_adversarial_image_again(small64: engine.Classifier, images: Tensor) -> None:
    labels = small64.predict(images)
    for attack in (attacks.Transformation(points=3, rotation_points=5), attacks.TransformationGradient(steps=4, **ALL)):
        result = engine.run(attack, small64, images, labels)
        table = result.artifacts["phi"]
        assert isinstance(table, Table)
        space = attack._space(3)
        assert len(table.rows) == len(images)
        points = torch.tensor(
            [[_share(space, place, value) for place, value in enumerate(row[1:])] for row in table.rows], dtype=torch.float64
        )
        torch.testing.assert_close(space.transformed(images, points), result.adversarial, rtol=0, atol=1e-6)


def _share(space: Space, place: int, value: float) -> float:
    from math import log

    largest = space.largest[place]
    return log(value) / log(largest) if space.names[place] in FACTORS else value / largest


def test_gradients_climb_where_they_can() -> None:
    """On a loss with one maximum, at an end of the range, every restart finds it."""
    images = torch.full((2, *SHAPE), 0.5)
    attack = attacks.TransformationGradient(rotation=0, translation=0, brightness=0.09, steps=30, restarts=3)
    result = engine.run(attack, bright(), images, torch.tensor([0, 2]))
    torch.testing.assert_close(result.adversarial.mean((1, 2, 3)), torch.tensor([0.59, 0.41]), rtol=0, atol=1e-5)


# ---------------------------------------------------------------- landscapes


def test_the_landscape_of_a_grid_is_the_largest_over_the_others(small64: engine.Classifier, images: Tensor) -> None:
    labels = small64.predict(images)
    attack = attacks.Transformation(points=3, rotation_points=5, across="y", down="rotation")
    found = engine.run(attack, small64, images, labels).artifacts["landscape"]
    assert isinstance(found, Map)
    assert found.values.shape == (len(images), 5, 3)
    assert (found.across.label, found.across.values) == ("y (of the height)", (-0.1, 0, 0.1))  # type: ignore[union-attr]
    assert (found.down.label, found.down.values) == ("rotation (°)", (-30, -15, 0, 15, 30))  # type: ignore[union-attr]
    space = attack._space(3)
    for row, (turn, angle), (column, y) in itertools.product(
        range(2), enumerate(torch.linspace(-1, 1, 5).tolist()), enumerate(torch.linspace(-1, 1, 3).tolist())
    ):
        points = torch.tensor([[angle, x, y] for x in (-1, 0, 1)], dtype=torch.float64)
        views = space.transformed(images[row : row + 1].expand(3, -1, -1, -1), points)
        expected = hard_margin(small64(views), labels[row].expand(3)).max()
        assert float(found.values[row, turn, column]) == pytest.approx(float(expected), abs=1e-6)


@pytest.mark.parametrize("kind", [attacks.TransformationGradient, attacks.Transformation])
def test_a_landscape_goes_through_the_worst_and_costs_its_square(kind: Any, small64: engine.Classifier, images: Tensor) -> None:
    labels = small64.predict(images)
    fields = {"steps": 3} if kind is attacks.TransformationGradient else {"mode": "worst of k"}
    plain = engine.run(kind(**fields), small64, images, labels)
    assert set(plain.artifacts) == {"phi"}
    attack = kind(**fields, landscape=5, across="x", down="y")
    result = engine.run(attack, small64, images, labels)
    assert result.forwards == plain.forwards + 25 * len(images)
    assert torch.equal(result.adversarial, plain.adversarial)
    found, table, space = result.artifacts["landscape"], result.artifacts["phi"], attack._space(3)
    assert isinstance(found, Map)
    assert isinstance(table, Table)
    row = dict(zip(table.columns, table.rows[1], strict=True))
    for down, across in itertools.product(range(5), range(5)):
        point = torch.tensor([[row["rotation (°)"] / 30, across / 2 - 1, down / 2 - 1]], dtype=torch.float64)
        expected = hard_margin(small64(space.transformed(images[1:2], point)), labels[1:2])
        assert float(found.values[1, down, across]) == pytest.approx(float(expected[0]), abs=1e-5)


def test_a_landscape_of_one_parameter_has_one_row(small64: engine.Classifier, images: Tensor) -> None:
    for fields in ({}, {"landscape": 7}):
        attack = attacks.Transformation(translation=0, rotation_points=7, **fields)
        found = engine.run(attack, small64, images).artifacts["landscape"]
        assert isinstance(found, Map)
        assert found.values.shape == (len(images), 1, 7)
        assert found.down is None
        assert bool(found.values.isfinite().all())


def test_the_values_along_a_factor_are_spaced_by_a_ratio(small64: engine.Classifier, images: Tensor) -> None:
    attack = attacks.Transformation(translation=0, scale=4, points=5, rotation_points=3)
    found = engine.run(attack, small64, images).artifacts["landscape"]
    assert isinstance(found, Map)
    assert found.down is not None
    assert found.down.values == pytest.approx((0.25, 0.5, 1, 2, 4))


def test_a_cancelled_grid_says_what_it_lacks(small64: engine.Classifier, images: Tensor) -> None:
    many = images.repeat(40, 1, 1, 1)
    attack = attacks.Transformation(points=21, rotation_points=31)
    with engine.start(attack, small64, many, small64.predict(many)) as run:
        for _ in range(3):
            next(run)
    found = run.result().artifacts["landscape"] if run.result().artifacts else None
    assert found is None or found.title.startswith("Incomplete")
    with engine.start(attack, small64, images[:1], small64.predict(images[:1])) as run:
        for _ in range(3):
            next(run)
    alone = run.result().artifacts["landscape"]
    assert isinstance(alone, Map)
    assert alone.title.startswith("Incomplete")


def test_a_batch_in_chunks_has_a_row_of_phi_for_each_image(small64: engine.Classifier, images: Tensor) -> None:
    many = images.repeat(30, 1, 1, 1)
    result = engine.run(attacks.Transformation(points=3, rotation_points=3), small64, many, rows_at_a_time=50)
    table, found = result.artifacts["phi"], result.artifacts["landscape"]
    assert isinstance(table, Table)
    assert isinstance(found, Map)
    assert [row[0] for row in table.rows] == list(range(len(many)))
    assert len(found.values) == len(many)
    assert table.rows[0][1:] == table.rows[6][1:]  # a grid draws nothing, so equal images end alike


# ---------------------------------------------------------------- counts and refusals


def test_every_row_is_counted(small64: engine.Classifier, images: Tensor) -> None:
    labels, n = small64.predict(images), len(images)
    counts = {
        attacks.Transformation(mode="worst of k", draws=17): (18, 0),
        attacks.Transformation(points=3, rotation_points=7): (1 + 63, 0),
        attacks.TransformationGradient(steps=6, restarts=3): (1 + 3 * 7, 3 * 6),
    }
    for attack, (forwards, backwards) in counts.items():
        result = engine.run(attack, small64, images, labels)
        assert (result.forwards, result.backwards) == (n * forwards, n * backwards)
    limited = engine.run(attacks.Transformation(points=9, max_queries=100), small64, images, labels)
    assert limited.reason == "budget"
    assert limited.forwards <= 100 * n


def test_a_search_by_scores_gets_no_gradient() -> None:
    assert attacks.Transformation.knows == "scores"
    assert attacks.Transformation.access() == "scores only"
    assert attacks.TransformationGradient.access() == "white box"


@pytest.mark.parametrize("kind", [attacks.Transformation, attacks.TransformationGradient])
def test_what_cannot_be_searched_is_refused_in_a_sentence(kind: Any, small64: engine.Classifier, images: Tensor) -> None:
    with pytest.raises(BadParameters, match="Nothing varies") as caught:
        kind(rotation=0, translation=0)
    assert list(caught.value.problems) == ["rotation"]
    with pytest.raises(BadParameters, match="Nothing varies"):
        kind(rotation=None, translation=None, scale=1)
    with pytest.raises(BadParameters, match="along both sides") as caught:
        kind(across="x", down="x")
    assert list(caught.value.problems) == ["down"]
    for field, value in (("rotation", 181), ("scale", 0.9), ("perspective", 0.95), ("contrast", 0), ("shading", 1.1), ("hue", -1)):
        with pytest.raises(BadParameters) as caught:
            kind(**{field: value})
        assert list(caught.value.problems) == [field]
    grey = engine.Classifier(nn.Sequential(nn.Flatten(), nn.Linear(64, 3)), ["a", "b", "c"], (1, 8, 8), device="cpu")
    with pytest.raises(engine.GibbonError, match="the image is grey"):
        engine.run(kind(rotation=0, translation=0, hue=20), grey, torch.rand(2, 1, 8, 8))
    assert engine.run(kind(hue=20), grey, torch.rand(1, 1, 8, 8)).artifacts["phi"].columns == (  # type: ignore[union-attr]
        "rotation (°)",
        "x (of the width)",
        "y (of the height)",
    )


def test_a_grid_that_is_too_large_is_refused_before_it_begins(small64: engine.Classifier, images: Tensor) -> None:
    with pytest.raises(engine.GibbonError, match="1,562,500 points, and at most 20,000") as caught:
        engine.run(attacks.Transformation(rotation_points=20, brightness=0.1, scale=1.2, perspective=0.2, contrast=1.2), small64, images)
    assert "raise at_most" in str(caught.value)


def test_it_takes_no_mask(small64: engine.Classifier, images: Tensor) -> None:
    with pytest.raises(engine.GibbonError, match="takes no mask"):
        engine.run(attacks.Transformation(), small64, images, mask=torch.ones(8, 8))


def test_the_landscape_is_kept_in_a_study(small64: engine.Classifier, images: Tensor) -> None:
    from engine.study.artifacts import artifact_of, entry_of
    from engine.study.tensors import Tensors

    found = engine.run(attacks.Transformation(points=3, rotation_points=3), small64, images).artifacts["landscape"]
    assert isinstance(found, Map)
    for artifact in (found, replace(found, across=None, down=None)):
        tensors = Tensors()
        entry = entry_of(artifact, tensors)
        back = artifact_of(type(entry).model_validate_json(entry.model_dump_json()), lambda digest: found.values)
        assert isinstance(back, Map)
        assert (back.title, back.signed, back.across, back.down) == (artifact.title, artifact.signed, artifact.across, artifact.down)


def test_every_preset_runs(small: engine.Classifier, images: Tensor) -> None:
    for kind in (attacks.Transformation, attacks.TransformationGradient, attacks.LaserBeam):
        for preset in kind.presets:
            attack = kind.build(**preset.values)
            with engine.start(attack, small, images[:1].float()) as run:
                assert list(itertools.islice(run, 3))


@pytest.mark.slow
def test_on_signs_a_grid_fools_more_than_the_worst_of_ten_and_that_more_than_one() -> None:
    classifier = engine.models.load("signs")
    images, labels = engine.data.load("generated:signs").batch(range(0, 400, 16))
    shares = {}
    for draws, attack in {
        "grid": attacks.Transformation(points=5, rotation_points=7),
        "ten": attacks.Transformation(mode="worst of k"),
        "one": attacks.Transformation(mode="worst of k", draws=1),
    }.items():
        shares[draws] = float((~engine.run(attack, classifier, images, labels).success).double().mean())
    assert shares["grid"] <= shares["ten"] <= shares["one"]
    assert shares["grid"] < shares["one"]
