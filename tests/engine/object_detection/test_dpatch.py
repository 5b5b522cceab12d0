"""DPatch: only the patch changes, the driver keeps the best look, and the toy's precision falls."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
import torch
from torch import Tensor, nn

from engine.errors import GibbonError
from engine.object_detection import Boxes, Detector, DetectorResult, DPatch, PatchStep, average_precision, load, run, start
from engine.object_detection.elsewhere import elsewhere, unseen_places
from engine.object_detection.patching import cut_out, pasted
from engine.object_detection.pictures import drawn_pictures
from engine.result import Reason
from tests.pretended_gpu import pretended_gpu


class Brightness(nn.Module):
    """Finds one box of class 0, surer the darker the image; its loss for that box is the mean brightness, for class 1 the darkness."""

    def detect(self, images: Tensor) -> list[Boxes]:
        return [Boxes.of([[8, 8, 12, 12]], [0], [1 - float(image.mean())]) for image in images]

    def loss(self, images: Tensor, truths: Sequence[Boxes]) -> Tensor:
        wanted = torch.tensor([1.0 if bool((boxes.labels == 0).any()) else -1.0 for boxes in truths])
        return wanted * (images * torch.arange(1, 4).view(1, 3, 1, 1)).flatten(1).mean(1)


def brightness(shape: tuple[int, int, int] | None = None) -> Detector:
    return Detector(Brightness(), ["a", "b"], shape, name="brightness", device="cpu")


TRUTHS = [Boxes.of([[8, 8, 12, 12]], [0])] * 3


def some_images(count: int = 3, height: int = 20, width: int = 26) -> Tensor:
    return torch.rand(count, 3, height, width, generator=torch.Generator().manual_seed(4)) / 2


@pytest.mark.parametrize("where", ["fixed", "once", "each step"])
@pytest.mark.parametrize("target", [None, 1])
def test_only_pixels_of_the_patch_change(where: str, target: int | None) -> None:
    images = some_images()
    attack = DPatch.build(size=5, steps=6, where=where, left=3, top=2, measure_every=2)
    result = run(attack, brightness(), images, TRUTHS, target=target)
    assert result.patch.shape == (3, 5, 5)
    assert float(result.patch.min()) >= 0
    assert float(result.patch.max()) <= 1
    if where == "fixed":
        assert result.places.tolist() == [[3, 2]] * 3
    for clean, patched, (left, top) in zip(images, result.adversarial, result.places.tolist(), strict=True):
        assert torch.equal(patched[:, top : top + 5, left : left + 5], result.patch)
        outside = torch.ones(20, 26, dtype=torch.bool)
        outside[top : top + 5, left : left + 5] = False
        assert torch.equal(patched[:, outside], clean[:, outside])


def test_the_steps_are_those_of_the_paper_done_by_hand() -> None:
    """The gradient is known: channel c counts c + 1 times, whatever the image, so each sign step moves all pixels by its length."""
    start_of = torch.full((3, 4, 4), 0.5)
    for target, sign in ((None, 1.0), (1, 1.0), (0, -1.0)):
        with start(DPatch(size=4, steps=5, step_size=0.03, begin="grey"), brightness(), some_images(), TRUTHS, target=target) as under_way:
            iterates = [step.patch for step in under_way if isinstance(step, PatchStep)]
        for index, patch in enumerate(iterates):
            assert torch.allclose(patch, start_of + sign * 0.03 * index, atol=1e-6)
    plain = DPatch(size=4, steps=3, step_size=0.1, direction="gradient", begin="grey")
    with start(plain, brightness(), some_images(), TRUTHS) as under_way:
        last = [step.patch for step in under_way if isinstance(step, PatchStep)][-1]
    each = 3 * 0.1 * 3 * torch.arange(1.0, 4) / (3 * 20 * 26)  # steps, step size, images, and the weight in the mean over an image
    assert torch.allclose(last, start_of + each[:, None, None], atol=1e-6)


def test_pasting_and_cutting_out_are_each_others_inverse() -> None:
    images, places = torch.zeros(2, 3, 9, 11), torch.tensor([[0, 0], [6, 4]])
    patch = torch.rand(3, 5, 5)
    made = pasted(images, patch, places)
    assert torch.equal(cut_out(made, (5, 5), places), patch.expand(2, 3, 5, 5))
    assert float(made.sum()) == pytest.approx(2 * float(patch.sum()), rel=1e-5)


def test_places_are_inside_the_image_in_every_corner_and_those_of_each_step_differ() -> None:
    problem = start(DPatch(size=18, where="once"), brightness(), some_images(200), TRUTHS[:1] * 200).problem
    places = DPatch(size=18, where="once").places(problem)
    assert places.amin(0).tolist() == [0, 0]
    assert places.amax(0).tolist() == [8, 2]
    assert torch.equal(places, DPatch(size=18, where="each step").places(problem))


def test_the_best_look_is_kept_and_a_cancelled_run_has_it() -> None:
    with start(DPatch(size=6, steps=50, measure_every=5, begin="grey"), brightness(), some_images(), TRUTHS) as under_way:
        for step in under_way:
            if step.index == 12:
                break
        under_way.close()
        result = under_way.result()
    assert result.reason is Reason.CANCELLED
    assert result.steps_made == 12
    assert result.kept.index == 10  # the precision is the same throughout, and the loss was largest there
    assert result.looks == 3
    finished = run(DPatch(size=6, steps=50, measure_every=20), brightness(), some_images(), TRUTHS)
    assert finished.looks == 4  # iterates 0, 20, 40 and the last
    assert finished.reason is Reason.FINISHED


def test_a_run_gives_the_same_bits_again_and_turns_take_all_images() -> None:
    attack = DPatch(size=6, steps=4, where="each step", images_per_step=2)
    first, again = (run(attack, brightness(), some_images(), TRUTHS, seed=5) for _ in range(2))
    assert torch.equal(first.patch, again.patch)
    assert torch.equal(first.places, again.places)
    assert not torch.equal(first.patch, run(attack, brightness(), some_images(), TRUTHS, seed=6).patch)
    assert first.backwards == 5 * 2
    assert first.forwards == 3 + 5 * 2 + 2 * 3  # the clean images, the gradients, and the looks at iterates 0 and 4


@pytest.mark.parametrize(
    ("given", "more", "said"),
    [
        ({"size": 21}, {}, "21 × 21 pixels is larger than the image of 26 × 20"),
        ({"size": 8, "left": 19}, {}, "left 19, top 0 leaves the image of 26 × 20 pixels. Choose at most left 18 and top 12"),
        ({"size": 8}, {"target": 2}, "target is 2, but “brightness” has the classes 0 to 1"),
        ({"size": 8}, {"attacked": 1}, "No true box here is of the class “b”"),
        ({"size": 8}, {"truths": [Boxes.none()] * 3}, "no true box in any image"),
        ({"size": 8}, {"truths": [Boxes.of([[0, 0, 27, 4]], [0])] * 3}, "leaves the image"),
        ({"size": 8, "least_score": 0.9}, {"truths": None}, "finds nothing with a score of 0.9 or more"),
        ({"size": 8}, {"seed": 1.5}, "seed"),
        ({"size": 21, "where": "once"}, {}, "larger than the image of 26 × 20"),
        ({"size": 27, "where": "each step"}, {}, "larger than the image"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(given: dict[str, int], more: dict[str, object], said: str) -> None:
    more = {"truths": TRUTHS, **more}
    with pytest.raises(GibbonError, match=said), start(DPatch.build(**given), brightness(), some_images(), **more) as under_way:  # type: ignore[arg-type]
        next(under_way)


def test_a_patch_as_large_as_the_image_has_no_place_elsewhere() -> None:
    result = run(DPatch(size=20, steps=1), brightness(), some_images(3, 20, 20), TRUTHS)
    with pytest.raises(GibbonError, match="it fills the image"):
        elsewhere(result)


def test_operations_on_classifiers_are_refused_here_and_detectors_there() -> None:
    import engine
    from engine import attacks

    with pytest.raises(GibbonError, match="is no operation on detectors"):
        start(attacks.PGD(), brightness(), some_images())  # type: ignore[arg-type]
    with pytest.raises(GibbonError, match="Linear is no detector"):
        start(DPatch(), nn.Linear(2, 2), some_images())  # type: ignore[arg-type]
    with pytest.raises(GibbonError, match="classifier is of type Detector"):
        engine.start(attacks.PGD(), brightness(), some_images())  # type: ignore[arg-type]


def test_without_true_boxes_the_confident_clean_detections_are_taken() -> None:
    result = run(DPatch(size=6, steps=1), brightness(), some_images())
    assert result.truths_assumed
    assert result.precision_before.mean == 1.0
    assert [boxes.labels.tolist() for boxes in result.truths] == [[0]] * 3


def test_unseen_places_are_nine_and_none_is_a_trained_one() -> None:
    for trained in ([[0, 0]], [[36, 36]], [[72, 72]], [[0, 0], [0, 36]]):
        places = unseen_places((96, 96), (24, 24), torch.tensor(trained))
        assert len(set(places)) == 9
        assert not {tuple(place) for place in trained} & set(places)
        assert all(0 <= left <= 72 and 0 <= top <= 72 for left, top in places)


@pytest.mark.parametrize("given", [{}, {"where": "each step", "images_per_step": 2}])
@pytest.mark.parametrize("aim", [{}, {"target": 2}, {"target": 2, "wanted": "relabelled"}])
def test_the_waits_for_a_gpu_do_not_grow_with_the_steps(given: dict[str, object], aim: dict[str, object]) -> None:
    drawn, waits = drawn_pictures(3, 7), []
    target = aim.get("target")
    for steps in (2, 7):
        attack = DPatch.build(size=20, steps=steps, measure_every=100, **{**given, **{k: v for k, v in aim.items() if k == "wanted"}})
        with pretended_gpu() as gpu:
            detector = load("toy-signs", device="cuda")
            gpu.waits.clear()
            result = run(attack, detector, drawn.batch(), drawn.truths, target=target)
            waits.append(sum(gpu.waits.values()))
        assert result.looks == 2
    assert waits[0] == waits[1]


# ---------------------------------------------------------------- the toy


@pytest.fixture(scope="module")
def attacked() -> DetectorResult:
    drawn = drawn_pictures(24, 7)
    return run(DPatch(size=40, steps=60, measure_every=20), load("toy-signs", device="cpu"), drawn.batch(), drawn.truths)


def test_the_toy_finds_the_signs_of_new_scenes_as_its_card_says() -> None:
    detector = load("toy-signs", device="cpu")
    assert "toy" in detector.name
    assert "toy" in detector.card["toy"]
    drawn = drawn_pictures(60, 1000)
    found = average_precision(detector(drawn.batch()), drawn.truths or (), 8)
    assert detector.card["ap"]["mean"] >= 0.9
    assert found.mean == pytest.approx(detector.card["ap"]["mean"], abs=0.05)


def test_a_patch_in_the_corner_takes_most_of_the_toys_precision_which_a_random_one_does_not(attacked: DetectorResult) -> None:
    assert attacked.precision_before.mean >= 0.85
    assert attacked.begun.precision.mean >= 0.8 * attacked.precision_before.mean
    assert attacked.drop >= 0.6
    assert attacked.precision_after.mean == pytest.approx(
        average_precision(attacked.detector(attacked.adversarial), attacked.truths, 8).mean, abs=1e-6
    )


def test_the_patch_works_where_it_was_not_trained(attacked: DetectorResult) -> None:
    table = elsewhere(attacked)
    assert len(table.rows) == 10
    name, covered, patched, lost = table.rows[-1]
    assert name == "mean"
    assert lost >= 0.7 * attacked.drop
    assert covered > patched + 0.3


def test_a_targeted_patch_is_seen_as_its_class() -> None:
    drawn = drawn_pictures(16, 7)
    result = run(DPatch(size=24, steps=40, measure_every=20), load("toy-signs", device="cpu"), drawn.batch(), drawn.truths, target=0)
    assert result.begun.seen == 0
    assert result.kept.seen is not None
    assert result.kept.seen >= 0.9
    assert "is seen at the patch in" in result.sentence


def test_a_targeted_patch_needs_no_true_box() -> None:
    images = torch.full((2, 3, 96, 96), 0.5)
    result = run(DPatch(size=24, steps=2), load("toy-signs", device="cpu"), images, [Boxes.none()] * 2, target=3)
    assert math.isnan(result.precision_before.mean)
    assert math.isnan(result.drop)
