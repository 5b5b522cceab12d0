"""Robustness curves: closed forms on linear models, agreement with attacks at each eps, intervals, and models that cannot be compared."""

from __future__ import annotations

import json
import multiprocessing
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import engine
from engine import attacks
from engine.evaluate.curves import CurveStep, ModelNorms, Norms, RobustnessCurve
from engine.intervals import wilson
from engine.operation import Attack
from tests.engine.conftest import small_network

LABELS = [f"class {i}" for i in range(5)]


@pytest.fixture(scope="module")
def plane() -> tuple[engine.Classifier, Tensor, Tensor]:
    """A linear model in float64, images around its boundary, and their labels, some of them wrong."""
    torch.manual_seed(0)
    layer = nn.Linear(16, 2).double()
    layer.bias.data = -layer.weight.detach().sum(1) / 2  # a grey image is on the boundary
    model = engine.Classifier(nn.Sequential(nn.Flatten(), layer), ["0", "1"], (1, 4, 4), name="plane", device="cpu")
    images = 0.5 + 0.25 * (torch.rand(40, 1, 4, 4, generator=torch.Generator().manual_seed(1), dtype=torch.float64) - 0.5)
    labels = model.predict(images)
    labels[::8] = 1 - labels[::8]
    return model, images, labels


def margins(plane: tuple[engine.Classifier, Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    """The margins ``(N,)`` of the label, and the slope ``(16,)`` of a margin."""
    model, images, labels = plane
    logits, weight = model(images), model.module[1].weight
    return (logits[:, 1] - logits[:, 0]) * (2 * labels - 1), weight[1] - weight[0]


def norms_of(attack: Attack, model: engine.Classifier, images: Tensor, labels: Tensor, **given: Any) -> Norms:
    fields = {"halvings": given.pop("halvings")} if "halvings" in given else {}
    with engine.start(RobustnessCurve.of(attack, **fields), model, images, labels, **given) as run:
        for _ in run:
            pass
        last = run.last
    assert isinstance(last, CurveStep)
    norms = last.models[0].norms
    assert norms is not None
    return norms


@pytest.mark.parametrize("attack", [attacks.FGSM(eps=0.2), attacks.PGD(eps=0.2, steps=3, random_start=False)], ids=["fgsm", "pgd"])
def test_on_a_linear_model_the_smallest_eps_is_the_margin_over_the_slope_rounded_up(plane: Any, attack: Attack) -> None:
    """``margin / ||w||_1``, on the grid of the search; an image beyond the largest eps holds out, one that is misread has 0."""
    margin, slope = margins(plane)
    grid = 0.2 / 2**9
    exact = margin / slope.abs().sum()
    expected = torch.where(margin < 0, 0.0, (exact / grid).ceil() * grid)
    expected = torch.where(expected > 0.2, torch.inf, expected)
    found = norms_of(attack, *plane, halvings=9)
    torch.testing.assert_close(found.smallest, expected, rtol=0, atol=1e-12)
    assert int((found.smallest == 0).sum()) == 5
    assert int(found.found.sum()) > 20
    torch.testing.assert_close(found.sizes[found.found], found.smallest[found.found], rtol=0, atol=1e-9)


def test_in_l2_and_with_deepfool_it_is_the_margin_over_the_length_of_the_slope(plane: Any) -> None:
    margin, slope = margins(plane)
    exact = margin / slope.norm()
    bounded = norms_of(attacks.FGSM(norm="l2", eps=0.5), *plane, halvings=12)
    assert bool(((bounded.smallest - exact)[bounded.found] >= -1e-9).all())
    assert bool(((bounded.smallest - exact)[bounded.found] <= 0.5 / 2**12 + 1e-9).all())
    nearest = norms_of(attacks.DeepFool(boundary_steps=30), *plane)
    assert torch.equal(nearest.found, margin > 0)
    torch.testing.assert_close(nearest.smallest[nearest.found], exact[nearest.found], rtol=1e-5, atol=1e-7)
    relative = exact / plane[1].flatten(1).norm(dim=1)
    torch.testing.assert_close(nearest.relative[nearest.found], relative[nearest.found], rtol=1e-5, atol=1e-7)


def test_empirical_robustness_is_the_mean_over_the_images_that_were_right_and_fooled(plane: Any) -> None:
    margin, slope = margins(plane)
    model = ModelNorms("plane", norms_of(attacks.FGSM(eps=0.05), *plane, halvings=14))
    exact = margin / slope.abs().sum()
    fooled = (margin > 0) & (exact < 0.05)
    assert 0 < int(fooled.sum()) < int((margin > 0).sum())  # some hold out
    assert model.mean() == pytest.approx(float(exact[fooled].mean()), abs=0.05 / 2**14)
    largest = plane[1].flatten(1).abs().amax(1)
    assert model.mean(relative=True) == pytest.approx(float((exact / largest)[fooled].mean()), abs=0.05 / 2**13)


@pytest.mark.parametrize(
    "attack",
    [attacks.PGD(eps=0.16, steps=4), attacks.FGSM(eps=0.16), attacks.PGD(norm="l2", eps=1.5, steps=4, random_start=False)],
    ids=["pgd", "fgsm", "pgd l2"],
)
def test_the_curve_agrees_with_the_attack_at_that_eps(small64: engine.Classifier, attack: Attack) -> None:
    """The attack succeeds at the radius that was found and fails at the next smaller one, image by image, by itself."""
    images = torch.rand(30, 3, 8, 8, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    labels = small64.predict(images)
    labels[::10] = (labels[::10] + 1) % 5
    found = norms_of(attack, small64, images, labels, halvings=4)
    grid = float(attack.eps) / 16  # type: ignore[attr-defined]
    assert int(found.found.sum()) > 10
    seen: dict[int, Tensor] = {}
    for place in range(1, 17):
        at = attack.build(**{**attack.model_dump(), "eps": grid * place})
        seen[place] = engine.run(at, small64, images, labels, seeds=list(range(30))).success
    for row in range(30):
        smallest = float(found.smallest[row])
        if labels[row] != small64.predict(images[row : row + 1])[0]:
            assert smallest == 0
        elif smallest == float("inf"):
            assert not bool(seen[16][row])
        else:
            place = round(smallest / grid)
            assert bool(seen[place][row])
            assert place == 1 or not bool(seen[place - 1][row])
    falls = [row for row in range(30) if all(bool(seen[place][row]) <= bool(seen[place + 1][row]) for place in range(1, 16))]
    assert len(falls) > 20  # for these the curve is exactly what attacking at every eps says
    for place in range(1, 17):
        held = found.robust(grid * place * (1 + 1e-12))
        assert [bool(held[row]) for row in falls] == [bool(~seen[place][row] & (found.smallest[row] > 0)) for row in falls]


def test_an_attack_with_one_radius_for_all_gets_those_of_equal_radius_together(small64: engine.Classifier, images: Tensor) -> None:
    labels = small64.predict(images)
    by_rows = attacks.PGD(eps=0.1, steps=3, random_start=False)
    one_for_all = attacks.Square(eps=0.1, n_queries=30)
    assert not one_for_all.takes_radii
    assert bool(norms_of(by_rows, small64, images, labels, halvings=3).found.any())
    found = norms_of(one_for_all, small64, images, labels, halvings=3)
    for row, smallest in enumerate(found.smallest.tolist()):
        radius = 0.1 if smallest == float("inf") else smallest
        at = attacks.Square(eps=radius, n_queries=30)
        success = engine.run(at, small64, images[row : row + 1], labels[row : row + 1], seed=row).success
        assert bool(success[0]) == (smallest != float("inf"))


def test_the_curve_falls_and_its_intervals_are_wilsons(plane: Any) -> None:
    model, images, labels = plane
    result = engine.run(RobustnessCurve.of(attacks.FGSM(eps=0.2)), model, images, labels)
    curve, ends = result.artifacts["accuracy"], result.artifacts["intervals"]
    values = curve.lines["plane"]
    assert (float(curve.x[0]), float(curve.x[-1]), len(curve.x)) == (0, 0.2, 129)
    assert float(values[0]) == 35 / 40
    assert bool((values.diff() <= 0).all())
    assert float(values[-1]) < 0.2
    for place in (0, 40, 128):
        low, high = wilson(round(40 * float(values[place])), 40)
        assert (float(ends.lines["plane, low"][place]), float(ends.lines["plane, high"][place])) == (low, high)
    assert result.forwards == 40 + 2 * 35 + 7 * 2 * round(40 * (float(values[0]) - float(values[-1])))  # FGSM takes two passes
    row = dict(zip(result.artifacts["smallest"].columns, result.artifacts["smallest"].rows[0], strict=True))
    assert (row["images"], row["fooled"] + row["held out"]) == (40, 35)
    assert len(result.artifacts["images"].rows) == 40


def test_progress_is_the_share_of_all_models(plane: Any) -> None:
    model, images, labels = plane
    steps = list(engine.start(RobustnessCurve.of(attacks.FGSM(eps=0.2)), model, images, labels, models=[model.derive(name="again")]))
    shares = [step.share_done for step in steps]
    assert shares == sorted(shares)
    assert shares[-1] == 1
    before: dict[str, Tensor] = {}
    for step in steps:  # bounds only fall, so that the curve of a run in progress only falls
        for each in step.models:
            assert each.norms is not None
            assert bool((each.norms.smallest <= before.get(each.name, each.norms.smallest)).all())
            before[each.name] = each.norms.smallest
    one, two = steps[-1].models
    assert torch.equal(one.norms.smallest, two.norms.smallest)


def test_a_model_that_cannot_be_compared_is_said_and_leaves_the_others(small: engine.Classifier, images: Tensor) -> None:
    torch.manual_seed(0)
    others = engine.Classifier(nn.Sequential(nn.Flatten(), nn.Linear(192, 5)), list("vwxyz"), (3, 8, 8), name="others", device="cpu")
    grey = engine.Classifier(nn.Sequential(nn.Flatten(), nn.Linear(64, 5)), LABELS, (1, 8, 8), name="grey", device="cpu")
    pixels = images.float()
    operation = RobustnessCurve.of(attacks.FGSM(eps=0.1), halvings=3)
    result = engine.run(operation, small, pixels, small.predict(pixels), models=[others, grey])
    assert list(result.artifacts["accuracy"].lines) == ["small"]
    notes = [row[-1] for row in result.artifacts["smallest"].rows]
    assert notes == [None, "It has other classes: not compared.", "It takes images of other channels: not compared."]


def test_images_for_which_the_model_gives_nan_are_in_no_share() -> None:
    class Breaks(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = small_network()

        def forward(self, x: Tensor) -> Tensor:
            return torch.where(x[:, 0, 0, :1] == 1, torch.nan, self.inner(x))

    images = torch.rand(12, 3, 8, 8, generator=torch.Generator().manual_seed(5)) * 0.8
    model = engine.Classifier(Breaks(), LABELS, (3, 8, 8), name="breaks", device="cpu")
    labels = model.predict(images)
    images[3, 0, 0, 0] = 1
    norms = norms_of(attacks.FGSM(eps=0.1), model, images, labels, halvings=3)
    assert norms.failed.tolist() == [row == 3 for row in range(12)]
    assert ModelNorms("breaks", norms).accuracy(0).of == 11
    assert not bool(norms.found[3])


@pytest.mark.parametrize(
    ("attack", "sentence"),
    [
        (attacks.OnePixel(), "has no eps to search"),
        (attacks.PGD(eps=None, random_start=False), "has no eps to search"),
        (attacks.Universal(), "has no eps to search"),
    ],
    ids=["one-pixel", "no ball", "all images"],
)
def test_an_attack_without_a_radius_is_refused(attack: Attack, sentence: str) -> None:
    with pytest.raises(engine.GibbonError, match=sentence):
        RobustnessCurve.of(attack)


def _curve_of_two(models: int) -> tuple[dict[str, list[float]], int]:
    nets = [engine.Classifier(small_network(seed=seed), LABELS, (3, 8, 8), name=f"net {seed}", device="cpu") for seed in range(models)]
    images = torch.rand(10, 3, 8, 8, generator=torch.Generator().manual_seed(3))
    operation = RobustnessCurve.of(attacks.PGD(eps=0.2, steps=2, random_start=True), halvings=3)
    result = engine.run(operation, nets[0], images, models=nets[1:], seed=4)
    table = result.artifacts["images"]
    assert list(result.artifacts["accuracy"].lines) == [net.name for net in nets]  # type: ignore[attr-defined]
    return {str(place): list(map(str, row)) for place, row in enumerate(table.rows)}, result.forwards  # type: ignore[attr-defined]


def _one_of_two(rank: int, folder: Path, models: int) -> None:
    torch.distributed.init_process_group("gloo", init_method=f"file://{folder}/store", rank=rank, world_size=2)
    (folder / f"{rank}.json").write_text(json.dumps(_curve_of_two(models)), encoding="utf-8")
    torch.distributed.destroy_process_group()


@pytest.mark.parametrize("models", [1, 3])
def test_two_processes_divide_the_models_and_each_has_the_whole_curve(models: int, tmp_path: Path) -> None:
    expected = json.dumps(_curve_of_two(models))
    forked = multiprocessing.get_context("fork")
    processes = [forked.Process(target=_one_of_two, args=(rank, tmp_path, models)) for rank in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0]
    assert (tmp_path / "0.json").read_text() == (tmp_path / "1.json").read_text() == expected
