"""run and start: refusals in sentences, counts, budget, best so far, timeline."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar

import pytest
import torch
from torch import Tensor, nn

import engine
from engine import attacks
from engine.access import ModelAccess
from engine.errors import GibbonError
from engine.operation import Attack, Problem
from engine.timeline import Timeline
from tests.engine.variants import small_data


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"images": torch.rand(3, 8, 8)}, "For one image write"),
        ({"images": torch.rand(0, 3, 8, 8)}, "empty"),
        ({"images": torch.rand(1, 1, 8, 8)}, "takes \\(3, 8, 8\\)"),
        ({"images": torch.rand(1, 3, 8, 8) * 255}, "8-bit"),
        ({"images": torch.randn(1, 3, 8, 8) * 2}, "normalised"),
        ({"images": torch.full((1, 3, 8, 8), torch.nan)}, "NaN"),
        ({"images": torch.zeros(1, 3, 8, 8, dtype=torch.uint8)}, "Divide 8-bit"),
        ({"labels": torch.tensor([5])}, "classes 0 to 4"),
        ({"labels": torch.tensor([0, 1])}, "one per image"),
        ({"labels": torch.tensor([0.0])}, "class numbers"),
        ({"targets": torch.tensor([0])}, "own label"),
        ({"targets": torch.tensor([-1])}, "classes 0 to 4"),
        ({"mask": torch.zeros(8, 8)}, "mask is empty"),
        ({"mask": torch.ones(7, 8)}, "shape"),
        ({"mask": 2 * torch.ones(8, 8)}, "reaches from"),
        ({"start": torch.rand(2, 3, 8, 8)}, "One per image|one per image"),
    ],
)
def test_what_does_not_fit_is_refused_in_a_sentence(small: engine.Classifier, change: dict[str, Tensor], message: str) -> None:
    arguments = {"images": torch.rand(1, 3, 8, 8), "labels": torch.tensor([0]), **change}
    with pytest.raises(GibbonError, match=message) as caught:
        engine.start(attacks.HopSkipJump() if "start" in change else attacks.PGD(), small, **arguments)
    assert str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"eps": -1}, "eps: "),
        ({"steps": 0}, "steps: "),
        ({"max_queries": 0}, "max_queries: "),
        ({"eps": 8}, "write 8/255"),
        ({"eps": "eight"}, "not a number"),
        ({"epsilon": 0.1}, "epsilon"),
        ({"eps": float("nan")}, "eps"),
        ({"restarts": 3, "random_start": False}, "same run"),
    ],
)
def test_parameters_out_of_range_are_named(parameters: dict[str, object], message: str) -> None:
    with pytest.raises(GibbonError, match=message):
        attacks.PGD.build(**parameters)


def test_numbers_are_typed_as_people_write_them() -> None:
    assert attacks.PGD.build(eps="8/255").eps == 8 / 255
    assert attacks.PGD(**attacks.PGD(eps=None, direction="max").model_dump()) == attacks.PGD(eps=None, direction="max")


def test_rounding_just_outside_the_range_is_clamped(small: engine.Classifier) -> None:
    x = torch.rand(1, 3, 8, 8)
    x[0, 0, 0, 0] = -2.98e-08
    assert float(engine.run(attacks.FGSM(), small, x).adversarial.min()) >= 0


def test_passes_are_counted_and_none_is_wasted(small: engine.Classifier) -> None:
    """FGSM: two forward rows and one backward; PGD-k: k + 1 and k; labels that are not given cost one forward."""
    x, y = torch.rand(4, 3, 8, 8), torch.zeros(4, dtype=torch.int64)
    result = engine.run(attacks.FGSM(), small, x, labels=y)
    assert (result.forwards, result.backwards) == (8, 4)
    result = engine.run(attacks.PGD(steps=7), small, x, labels=y)
    assert (result.forwards, result.backwards) == (32, 28)
    result = engine.run(attacks.PGD(steps=7), small, x)
    assert (result.forwards, result.labels_assumed) == (36, True)


@pytest.mark.parametrize(
    "attack", [attacks.PGD(steps=7), attacks.FGSM(), attacks.PGD(steps=50, max_queries=6), attacks.Square(max_queries=9)], ids=str
)
def test_an_assumed_label_counts_the_same_whoever_asked_for_it(small: engine.Classifier, attack: Attack) -> None:
    """A window and a replay pass on the prediction that they have; a script leaves it to the run."""
    x = torch.rand(3, 3, 8, 8)
    asked = engine.run(attack, small, x, seed=4)
    told = engine.run(attack, small, x, labels=small.predict(x), labels_assumed=True, seed=4)
    assert (told.forwards, told.backwards) == (asked.forwards, asked.backwards)
    assert torch.equal(told.adversarial, asked.adversarial)
    assert told.labels_assumed
    given = engine.run(attack, small, x, labels=small.predict(x), seed=4)
    assert not given.labels_assumed
    if attack.max_queries is None:
        assert given.forwards == asked.forwards - 3


def test_a_budget_ends_the_run_with_the_best_so_far(small: engine.Classifier) -> None:
    x, y = torch.rand(2, 3, 8, 8), torch.zeros(2, dtype=torch.int64)
    result = engine.run(attacks.PGD(steps=50, max_queries=4), small, x, labels=y)
    assert result.reason == "budget"
    assert result.forwards == 8
    assert len(result.trace) == 4


@pytest.mark.parametrize("rows", [1, 2, None])
@pytest.mark.parametrize("given", [False, True])
def test_a_budget_is_each_images_own_however_many_go_together(small: engine.Classifier, rows: int | None, given: bool) -> None:
    x = torch.rand(5, 3, 8, 8)
    attack = attacks.PGD(steps=50, max_queries=5)
    labels = small.predict(x)
    result = engine.run(attack, small, x, labels=labels if given else None, rows_at_a_time=rows)
    assert result.reason == "budget"
    assert bool(result.attacked.all())
    assert result.forwards == 5 * 5
    alone = [engine.run(attack, small, x[row : row + 1], labels[row : row + 1] if given else None, first_row=row) for row in range(5)]
    torch.testing.assert_close(result.adversarial, torch.cat([one.adversarial for one in alone]), rtol=0, atol=1e-6)


@pytest.mark.parametrize(("restarts", "labels"), [(2, torch.tensor([0, 0])), (1, None)])
def test_a_budget_too_small_for_one_step_is_said(small: engine.Classifier, restarts: int, labels: Tensor | None) -> None:
    with pytest.raises(GibbonError, match="max_queries = 1 for each image does not suffice for the first step"):
        engine.run(attacks.PGD(max_queries=1, restarts=restarts), small, torch.rand(2, 3, 8, 8), labels=labels)


@pytest.mark.parametrize("knows", ["scores", "labels"])
def test_an_attack_that_knows_little_is_judged_all_the_same(small64: engine.Classifier, images: Tensor, knows: str) -> None:
    class Guess(Attack):
        slug, title, family = f"guess-{knows}", "Guess", "Test"

        def iterate(self, problem: Problem) -> Iterator[engine.AttackStep]:
            for index, moved in enumerate((problem.images, 1 - problem.images)):
                loss = (problem.classifier.predict(moved) != problem.labels).to(moved)
                yield engine.AttackStep(index, 1, moved, loss)

    Guess.knows = knows  # type: ignore[assignment]
    result = engine.run(Guess(), small64, images, labels=small64.predict(images))
    assert result.reason == "finished"
    torch.testing.assert_close(result.logits, small64(result.adversarial))
    assert result.forwards == 4 * len(images)  # the attack's two looks, and the driver's


def test_more_restarts_never_do_worse(small64: engine.Classifier, images: Tensor) -> None:
    few, many = (engine.run(attacks.PGD(eps=0.05, steps=5, restarts=r), small64, images, seed=1) for r in (1, 6))
    assert int(many.success.sum()) >= int(few.success.sum())
    same = few.success == many.success
    assert bool((many.loss[same] >= few.loss[same] - 1e-9).all())


def test_the_best_restart_of_an_image_knows_nothing_of_the_others() -> None:
    from engine.attacks.toolkit.restarts import best_restart
    from engine.randomness import RowRandom

    problem = Problem(
        ModelAccess(threshold_classifier(), "gradients"), torch.zeros(3, 1, 1, 1), torch.zeros(3).long(), RowRandom(0, range(3))
    )
    images = torch.arange(6.0).reshape(6, 1, 1, 1) / 10  # restart 0 of the images 0, 1, 2, then restart 1
    flips = torch.tensor([0, 0, 1, 0, 0, 0])
    loss = torch.tensor([torch.nan, 1e-8, -1e9, 1e9, 2e-8, 5.0])
    best = best_restart(engine.AttackStep(0, 1, images, loss, torch.nn.functional.one_hot(flips, 2).float()), problem)
    assert best.loss.tolist() == pytest.approx([1e9, 2e-8, -1e9])  # no NaN, the larger loss, the success
    assert best.adversarial.flatten().tolist() == pytest.approx([0.3, 0.4, 0.2])


class Script(Attack):
    """Gives the images and losses that a test has written down."""

    slug, title, family = "script", "Script", "Test"
    keeps: ClassVar = "loss"
    script: ClassVar[list[tuple[Tensor, Tensor]]] = []

    def iterate(self, problem: Problem) -> Iterator[engine.AttackStep]:
        for index, (adversarial, loss) in enumerate(self.script):
            yield engine.AttackStep(index, len(self.script) - 1, adversarial, loss)


def threshold_classifier() -> engine.Classifier:
    """Class 1 where the one pixel is above a half."""
    module = nn.Sequential(nn.Flatten(), nn.Linear(1, 2))
    module[1].weight.data = torch.tensor([[0.0], [1.0]])
    module[1].bias.data = torch.tensor([0.5, 0.0])
    return engine.Classifier(module, ["low", "high"], (1, 1, 1), device="cpu")


def run_script(values: list[float], losses: list[float], keeps: str) -> engine.AttackResult:
    class Kept(Script):
        slug = f"script-{keeps}"

    Kept.keeps = keeps
    Kept.script = [(torch.full((1, 1, 1, 1), v), torch.tensor([loss])) for v, loss in zip(values, losses, strict=True)]
    return engine.run(Kept(), threshold_classifier(), torch.full((1, 1, 1, 1), values[0]), labels=torch.tensor([0]))


def test_success_is_kept_before_loss_and_loss_before_order() -> None:
    assert float(run_script([0.1, 0.7, 0.2, 0.6], [0, 1, 9, 2], "loss").adversarial) == pytest.approx(0.6)
    assert float(run_script([0.1, 0.2, 0.3, 0.25], [0, 1, 9, 2], "loss").adversarial) == pytest.approx(0.3)


def test_minimal_attacks_keep_the_smallest_norm() -> None:
    assert float(run_script([0.1, 0.9, 0.6, 0.7], [0, 0, 0, 0], "norm").adversarial) == pytest.approx(0.6)


def test_steps_to_flip_is_the_first_success() -> None:
    assert int(run_script([0.1, 0.2, 0.8, 0.3], [0, 1, 2, 3], "last").steps_to_flip) == 2
    assert int(run_script([0.1, 0.2, 0.3, 0.3], [0, 1, 2, 3], "last").steps_to_flip) == -1


def test_rounding_to_eight_bits_can_undo_success() -> None:
    """127.3 grey levels are above a threshold of 127.2, the 127 that they are rounded to are not."""
    assert bool(run_script([0.1, 0.6], [0, 1], "loss").survives_8bit[0])
    module = threshold_classifier().module
    module[1].bias.data = torch.tensor([127.2 / 255, 0.0])  # type: ignore[index]
    classifier = engine.Classifier(module, ["low", "high"], (1, 1, 1), device="cpu")
    Script.script = [(torch.full((1, 1, 1, 1), v), torch.tensor([v])) for v in (0.1, 127.3 / 255)]
    result = engine.run(Script(), classifier, torch.full((1, 1, 1, 1), 0.1), labels=torch.tensor([0]))
    assert bool(result.success[0])
    assert not bool(result.survives_8bit[0])


def test_norms_count_pixels_not_channels(small: engine.Classifier) -> None:
    from engine.result import norms

    delta = torch.zeros(1, 3, 8, 8)
    delta[0, :, 2, 2] = 0.5
    delta[0, 0, 3, 3] = 0.4 / 255
    measured = norms(delta)
    assert int(measured["l0"]) == 1
    assert float(measured["linf"]) == 0.5
    assert float(measured["l2"]) == pytest.approx((3 * 0.25 + (0.4 / 255) ** 2) ** 0.5)


def test_the_timeline_keeps_first_flip_and_last_within_its_budget(small64: engine.Classifier, images: Tensor) -> None:
    one = images[:1].nbytes
    line = Timeline(max_bytes=6 * one)
    with engine.start(attacks.PGD(eps=0.1, steps=60), small64, images[:1], record=line) as run:
        for _ in run:
            pass
        flip = int(run.result().steps_to_flip[0])
    kept = [step.index for step in line.steps]
    assert kept[0] == 0
    assert kept[-1] == 60
    assert flip < 0 or flip in kept
    assert len(kept) <= 8
    assert kept == sorted(set(kept))


def test_a_result_before_the_first_step_is_refused(small: engine.Classifier) -> None:
    with pytest.raises(RuntimeError, match="no step yet"):
        engine.start(attacks.PGD(), small, torch.rand(1, 3, 8, 8)).result()


def test_an_attack_that_raises_ends_failed(small: engine.Classifier) -> None:
    class Raises(Attack):
        slug, title, family = "raises", "Raises", "Test"

        def iterate(self, problem: Problem) -> Iterator[engine.AttackStep]:
            yield engine.AttackStep(0, None, problem.images, torch.zeros(len(problem.images)))
            raise RuntimeError("the device is on fire")

    run = engine.start(Raises(), small, torch.rand(1, 3, 8, 8))
    next(run)
    with pytest.raises(RuntimeError, match="on fire"):
        next(run)
    assert run.reason == "failed"
    assert run.result().reason == "failed"


def test_a_model_without_gradients_is_said() -> None:
    class Rounds(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.head = nn.Linear(4, 2)

        def forward(self, x: Tensor) -> Tensor:
            return self.head(x.flatten(1).round().detach())

    classifier = engine.Classifier(Rounds(), ["a", "b"], (1, 2, 2), device="cpu")
    with pytest.raises(GibbonError, match="passes no gradient"):
        engine.run(attacks.FGSM(), classifier, torch.rand(1, 1, 2, 2))


def test_views_give_no_more_than_the_attacker_knows(small: engine.Classifier) -> None:

    x = torch.rand(2, 3, 8, 8, requires_grad=True)
    assert ModelAccess(small, "gradients")(x).requires_grad
    assert not ModelAccess(small, "scores")(x).requires_grad
    with pytest.raises(GibbonError, match="labels only"):
        ModelAccess(small, "labels")(x)
    with pytest.raises(GibbonError, match="scores only"):
        ModelAccess(small, "scores").gradient(x.sum(), x)
    view = ModelAccess(small, "labels")
    assert torch.equal(view.predict(x), small.predict(x.detach()))
    assert view.forwards == 2


def test_provenance_names_everything_needed_to_do_it_again(small: engine.Classifier) -> None:
    said = engine.run(attacks.PGD(steps=2), small, torch.rand(1, 3, 8, 8), seed=11).provenance
    assert said["model"]["fingerprint"] == small.fingerprint
    assert said["operation"] == {"slug": "pgd", "parameters": attacks.PGD(steps=2).model_dump(mode="json")}
    assert (said["seed"], said["device"], said["threads"]) == (11, "cpu", 1)
    assert said["versions"]["torch"]


@pytest.mark.parametrize("norm", ["l2", "l1"])
def test_a_random_start_inside_a_mask_has_the_radius_that_was_drawn(small64: engine.Classifier, images: Tensor, norm: str) -> None:
    """Uniform in a ball of 192 dimensions is near its surface; cut by a mask of four pixels it would not be."""
    mask = torch.zeros(8, 8)
    mask[3:5, 3:5] = 1
    grey = 0.4 + 0.2 * images  # no clamp acts
    with engine.start(attacks.PGD(norm=norm, eps=0.2, steps=1), small64, grey, mask=mask) as run:  # type: ignore[arg-type]
        delta = next(run).adversarial - grey
    sizes = delta.flatten(1).norm(p=int(norm[1]), dim=1)
    assert bool((sizes > 0.18).all())
    assert bool((sizes <= 0.2 + 1e-9).all())
    assert not delta[:, :, mask == 0].any()


# ---------------------------------------------------------------------- a large batch, a part at a time


@pytest.mark.parametrize("rows", [1, 2, 4, 6, 100])
def test_parts_of_a_batch_equal_the_whole(rows: int, small64: engine.Classifier, images: Tensor) -> None:
    attack = engine.attacks.PGD(eps=0.1, steps=4, restarts=2)
    whole = engine.run(attack, small64, images, seed=3, first_row=2)
    parts = engine.run(attack, small64, images, seed=3, first_row=2, rows_at_a_time=rows)
    assert torch.equal(whole.adversarial, parts.adversarial) or torch.allclose(whole.adversarial, parts.adversarial, rtol=0, atol=1e-12)
    assert torch.equal(whole.steps_to_flip, parts.steps_to_flip)
    assert torch.equal(whole.success, parts.success)
    torch.testing.assert_close(whole.trace, parts.trace)
    assert torch.equal(whole.trace_steps, parts.trace_steps)
    assert bool(parts.attacked.all())
    assert parts.forwards == whole.forwards


def test_steps_of_parts_count_on(small64: engine.Classifier, images: Tensor) -> None:
    run = engine.start(engine.attacks.PGD(eps=0.1, steps=3), small64, images, rows_at_a_time=4)
    steps = list(run)
    assert [step.index for step in steps] == list(range(8))
    assert {step.total for step in steps} == {7}
    assert [step.first_row for step in steps] == [0] * 4 + [4] * 4
    assert [len(step.adversarial) for step in steps] == [4] * 4 + [2] * 4


def test_a_batch_cancelled_between_its_parts_keeps_what_it_reached(small64: engine.Classifier, images: Tensor) -> None:
    whole = engine.run(engine.attacks.PGD(eps=0.1, steps=3), small64, images)
    with engine.start(engine.attacks.PGD(eps=0.1, steps=3), small64, images, rows_at_a_time=2) as run:
        for _ in range(4):
            next(run)
    result = run.result()
    assert result.reason == "cancelled"
    assert result.attacked.tolist() == [True, True, False, False, False, False]
    torch.testing.assert_close(result.adversarial[:2], whole.adversarial[:2], rtol=0, atol=1e-12)
    assert torch.equal(result.adversarial[2:], images[2:])
    assert not bool(result.success[2:].any())
    assert bool(result.trace[:, 2:].isnan().all())
    assert bool((result.trace_steps[:, 2:] == -1).all())
    torch.testing.assert_close(result.logits, small64(result.adversarial))


class Narrow(torch.nn.Module):
    """Has memory for three images."""

    def __init__(self, module: torch.nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, images: Tensor) -> Tensor:
        if len(images) > 3:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return self.module(images)


def test_where_memory_runs_out_smaller_parts_go_on_and_it_is_said(small64: engine.Classifier, images: Tensor) -> None:
    attack = engine.attacks.PGD(eps=0.1, steps=3)
    narrow = engine.Classifier(Narrow(small64.module), small64.labels, small64.input_shape, device="cpu")
    labels = small64.predict(images)
    wide = engine.run(attack, small64, images, labels)
    result = engine.run(attack, narrow, images, labels)
    torch.testing.assert_close(result.adversarial, wide.adversarial, rtol=0, atol=1e-12)
    assert result.notes == ("The device's memory ran out, so at most 3 rows at a time went through the model.",)
    assert (result.forwards, result.backwards) == (wide.forwards, wide.backwards)


@pytest.mark.parametrize(
    "attack",
    [
        attacks.PGD(eps=0.1, steps=3, restarts=4),
        attacks.APGD(eps=0.1, steps=3, loss="dlr"),
        attacks.DeepFool(),
        attacks.OnePixel(population=8, generations=2, stop="never"),
        attacks.OnePixelMap(levels=2),
        attacks.HopSkipJump(steps=1, initial_evaluations=10),
        attacks.Universal(steps=2, batch_size=8, count=20, held_out=10),
        attacks.Substitute(seeds=10, rounds=2, epochs=1, held_out=10),
    ],
    ids=lambda attack: attack.slug,
)
def test_one_image_makes_batches_that_memory_does_not_hold(attack: Attack, small64: engine.Classifier, images: Tensor) -> None:
    narrow = engine.Classifier(Narrow(small64.module), small64.labels, small64.input_shape, device="cpu")
    image, labels = images[:1], small64.predict(images[:1])
    data = small_data(small64) if "data" in attack.uses else None
    wide = engine.run(attack, small64, image, labels, data=data)
    result = engine.run(attack, narrow, image, labels, data=data)
    assert result.reason == "finished"
    torch.testing.assert_close(result.adversarial, wide.adversarial, rtol=0, atol=1e-9)
    assert (result.forwards, result.backwards) == (wide.forwards, wide.backwards)


class Halved(Narrow):
    """Memory for three images, but only a graph takes any."""

    def forward(self, images: Tensor) -> Tensor:
        return super().forward(images) if torch.is_grad_enabled() else self.module(images)


class Plain(Attack):
    """Gradient after gradient of all images at once."""

    slug, title, family = "plain", "Plain", "Test"

    @torch.enable_grad()
    def iterate(self, problem: Problem) -> Iterator[engine.AttackStep]:
        view, images = problem.classifier, problem.images.clone().requires_grad_()
        for index in range(3):
            loss = -view(images).gather(1, problem.labels[:, None])[:, 0]
            images = (images + 0.01 * view.gradient(loss.sum(), images).sign()).clamp(0, 1).detach().requires_grad_()
            yield engine.AttackStep(index, 2, images, loss)


def test_a_part_begun_anew_is_counted_once(small64: engine.Classifier, images: Tensor) -> None:
    narrow = engine.Classifier(Halved(small64.module), small64.labels, small64.input_shape, device="cpu")
    labels = small64.predict(images)
    wide, result = (engine.run(Plain(), classifier, images, labels) for classifier in (small64, narrow))
    torch.testing.assert_close(result.adversarial, wide.adversarial, rtol=0, atol=1e-12)
    assert result.notes == ("The device's memory did not suffice for 6 images at a time, so 3 were attacked at a time.",)
    assert (result.forwards, result.backwards) == (wide.forwards, wide.backwards)


class Drawn(Plain):
    """The same from a random start."""

    def iterate(self, problem: Problem) -> Iterator[engine.AttackStep]:
        start = (problem.images + 0.1 * problem.random.normal(problem.images.shape[1:])).clamp(0, 1)
        yield from super().iterate(replace(problem, images=start))


def test_a_part_begun_anew_draws_the_same_numbers(small64: engine.Classifier, images: Tensor) -> None:
    """Or a record of it would not replay where memory is larger, nor twice where it is small."""
    narrow = engine.Classifier(Halved(small64.module), small64.labels, small64.input_shape, device="cpu")
    labels = small64.predict(images)
    wide, result = (engine.run(Drawn(), classifier, images, labels, seed=2) for classifier in (small64, narrow))
    assert len(result.notes) == 1
    torch.testing.assert_close(result.adversarial, wide.adversarial, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("attack", "given", "message"),
    [
        (attacks.FoolingImage(steps=2), "mask", "takes no mask"),
        (attacks.Universal(), "targets", "takes no target"),
        (attacks.Substitute(), "targets", "takes no target"),
        (attacks.PGD(), "start", "takes no image to start from"),
    ],
)
def test_what_an_attack_does_not_use_is_refused(
    attack: Attack, given: str, message: str, small64: engine.Classifier, images: Tensor
) -> None:
    labels = small64.predict(images)
    offered = {"mask": torch.ones(1, 1, 8, 8), "targets": (labels + 1) % 5, "start": images}
    with pytest.raises(GibbonError, match=message):
        engine.run(attack, small64, images, labels, data=small_data(small64), **{given: offered[given]})


def test_nan_is_no_class(small64: engine.Classifier, images: Tensor) -> None:

    broken = nn.Sequential(Dark(), small64.module)
    view = ModelAccess(engine.Classifier(broken, small64.labels, small64.input_shape, device="cpu"), "labels")
    said = view.predict(torch.cat([images[:2], 0.1 * images[:1]]))
    assert said.tolist() == [*small64.predict(images[:2]).tolist(), -1]


class Dark(nn.Module):
    """Gives NaN for dark images."""

    def forward(self, images: Tensor) -> Tensor:
        return torch.where((images.flatten(1).mean(1) > 0.3)[:, None, None, None], images, torch.nan)


def test_one_class_is_no_goal(images: Tensor) -> None:
    module = nn.Sequential(nn.Flatten(), nn.Linear(192, 1)).double()
    classifier = engine.Classifier(module, ["all there is"], (3, 8, 8), name="lonely", device="cpu")
    for attack in (attacks.FGSM(), attacks.PGD(), attacks.Noise()):
        with pytest.raises(GibbonError, match="“lonely” has one class only"):
            engine.run(attack, classifier, images)


@pytest.mark.parametrize(("norm", "eps", "whole"), [("l2", 14.0, "13.8564"), ("l1", 193.0, "192")])
def test_a_radius_in_grey_levels_is_named(norm: str, eps: float, whole: str, small64: engine.Classifier, images: Tensor) -> None:
    with pytest.raises(GibbonError, match=f"eps = {eps:g} is more than the whole range of the image, {whole} in .*write {eps:g}/255"):
        engine.run(attacks.PGD(norm=norm, eps=eps), small64, images)
    with pytest.raises(GibbonError, match="write 8/255"):
        attacks.PGD.build(eps=8)
