"""Timelines: bit for bit the steps of the run, the first, the flip and the last among them, within the budget, and without waits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

import engine
from engine import attacks
from engine.operation import Attack, AttackStep, Problem
from engine.ranking import reached
from engine.timeline import KeptStep, Timeline
from tests.engine.variants import EACH, situation
from tests.pretended_gpu import pretended_gpu

every_attack = pytest.mark.parametrize("attack", EACH)


def pulled(
    attack: Attack, classifier: engine.Classifier, images: Tensor, line: Timeline | None, **given: Any
) -> tuple[Any, list[AttackStep]]:
    """The result of a run, and all its steps, copied when they were yielded."""
    if attack.masked:
        given["mask"] = torch.ones(1, 1, 8, 8, dtype=images.dtype)
        given["mask"][..., 2:4, 2:4] = 0
    with engine.start(attack, classifier, images, record=line, seed=5, **given) as run:
        steps = [replace(step, adversarial=step.adversarial.detach().clone(), loss=step.loss.detach().clone()) for step in run]
        return run.result(), steps


def three(steps: tuple[KeptStep, ...] | list[KeptStep], flip: int | None) -> list[int]:
    return sorted({steps[0].index, steps[-1].index, *([] if flip is None else [flip])})


@every_attack
def test_it_keeps_every_step_bit_for_bit(attack: Attack, small64: engine.Classifier, images: Tensor) -> None:
    """The literal reference is a second run without a timeline, whose steps are copied as they come."""
    given = situation(attack, small64, images[:2])
    bare, steps = pulled(attack, small64, images[:2], None, **given)
    line = Timeline()
    result, _ = pulled(attack, small64, images[:2], line, **given)
    assert torch.equal(result.adversarial, bare.adversarial)
    assert (result.forwards, result.backwards) == (bare.forwards, bare.backwards)
    assert [step.index for step in line.steps] == [step.index for step in steps]
    for kept, step in zip(line.steps, steps, strict=True):
        assert torch.equal(kept.adversarial, step.adversarial)
        assert torch.equal(kept.loss, step.loss)
        assert kept.first_row == step.first_row
        assert kept.logits is not None
        rows = slice(step.first_row, step.first_row + len(step.adversarial))
        torch.testing.assert_close(kept.logits, small64.score(step.adversarial), rtol=0, atol=1e-9)
        targets = None if result.targets is None else result.targets[rows]
        assert torch.equal(kept.success, reached(kept.logits.argmax(1), result.labels[rows], targets))
    counts = [(step.forwards, step.backwards, step.seconds) for step in line.steps]
    assert counts == sorted(counts)
    assert counts[-1][:2] <= (result.forwards, result.backwards)


@every_attack
def test_first_flip_and_last_stay_within_any_budget(attack: Attack, small64: engine.Classifier, images: Tensor) -> None:
    one = images[:1].nbytes + 200
    for budget in (0, 6 * one):
        line = Timeline(max_bytes=budget)
        result, steps = pulled(attack, small64, images[:1], line, **situation(attack, small64, images[:1]))
        flip = int(result.steps_to_flip[0])
        kept = [step.index for step in line.steps]
        wanted = {steps[0].index, steps[-1].index, *([flip] if flip >= 0 else [])}
        assert wanted <= set(kept)
        assert line.flip == (flip if flip >= 0 else None)
        assert line.nbytes <= max(budget, len(wanted) * one)
        assert kept == sorted(set(kept))
        if budget == 0:
            assert set(kept) == wanted


@every_attack
def test_a_batch_in_chunks_keeps_three_steps_of_each(attack: Attack, small64: engine.Classifier, images: Tensor) -> None:
    if not attack.by_rows:
        pytest.skip("it learns from all images at once")
    given = situation(attack, small64, images)
    line = Timeline()
    result, steps = pulled(attack, small64, images, line, rows_at_a_time=2, **given)
    for first in range(0, 6, 2):
        mine = [step for step in line.steps if step.first_row == first]
        indices = [step.index for step in steps if step.first_row == first]
        assert [step.index for step in mine] == indices
        flips = [int(flip) for flip in result.steps_to_flip[first : first + 2] if flip >= 0]
        flipped = [step.index - indices[0] for step in mine if bool(step.success.any())]
        assert (min(flips) if flips else None) == (flipped[0] if flipped else None)
    tight = Timeline(max_bytes=9 * (2 * images[:1].nbytes + 400))
    pulled(attack, small64, images, tight, rows_at_a_time=2, **given)
    for first in range(0, 6, 2):
        everything = [step for step in line.steps if step.first_row == first]
        flip = next((step.index for step in everything if bool(step.success.any())), None)
        assert {everything[0].index, everything[-1].index, *([] if flip is None else [flip])} <= {step.index for step in tight.steps}
    assert tight.nbytes <= tight.max_bytes


def test_many_chunks_keep_to_the_budget(small64: engine.Classifier, images: Tensor) -> None:
    """Three steps of each of six chunks do not fit: the first step, the first flip and the last of the run do."""
    line = Timeline(max_bytes=4 * (images[:1].nbytes + 200))
    _, steps = pulled(attacks.PGD(eps=0.2, steps=5), small64, images, line, rows_at_a_time=1)
    kept = [step.index for step in line.steps]
    assert line.nbytes <= line.max_bytes
    assert {0, steps[-1].index} <= set(kept)
    assert line.flip is None or line.flip in kept


class Views(Attack):
    """Yields rows of something a hundred times larger, and the same images in another tensor."""

    slug, title, family = "views", "Views", "Test"

    def iterate(self, problem: Problem) -> Iterator[AttackStep]:
        for index in range(8):
            many = problem.images.repeat(100, 1, 1, 1) + (index // 4) / 8
            yield AttackStep(index, 7, many[:1], torch.zeros(100)[:1])


def test_no_more_memory_is_held_than_is_shown(small64: engine.Classifier, images: Tensor) -> None:
    line = Timeline()
    pulled(Views(), small64, images[:1] / 2, line)
    held = {step.adversarial.untyped_storage().data_ptr(): step.adversarial.untyped_storage().nbytes() for step in line.steps}
    assert len(line.steps) == 8
    assert sum(held.values()) == 2 * images[:1].nbytes
    assert sum(held.values()) <= line.nbytes <= sum(held.values()) + 8 * 200


class ForgetsItsMemory(Attack):
    """Runs out of memory at its third step, as long as it is given more than one row."""

    slug, title, family = "forgets", "Forgets", "Test"

    def iterate(self, problem: Problem) -> Iterator[AttackStep]:
        for index in range(4):
            if index == 2 and len(problem.images) > 1:
                raise torch.OutOfMemoryError("CUDA out of memory.")
            yield AttackStep(index, 3, problem.images * (1 - index / 8), torch.zeros(len(problem.images)))


def test_a_chunk_that_is_halved_leaves_nothing_behind(small64: engine.Classifier, images: Tensor) -> None:
    line = Timeline()
    pulled(ForgetsItsMemory(), small64, images[:2], line)
    assert [(step.index, step.first_row, len(step.adversarial)) for step in line.steps] == [
        *((index, 0, 1) for index in range(4)),
        *((index, 1, 1) for index in range(4, 8)),
    ]


def test_a_timeline_can_be_read_during_the_run_and_used_again(small64: engine.Classifier, images: Tensor) -> None:
    line = Timeline()
    for _ in range(2):
        with engine.start(attacks.PGD(eps=0.1, steps=6), small64, images[:1], record=line) as run:
            for step in run:
                assert line.steps[-1].index == step.index
        assert [step.index for step in line.steps] == list(range(7))


def test_shrinking_keeps_first_flip_and_last(small64: engine.Classifier, images: Tensor) -> None:
    line = Timeline()
    result, _ = pulled(attacks.PGD(eps=0.2, steps=40), small64, images[:1], line)
    everything, before = {step.index: step for step in line.steps}, line.nbytes
    line.shrink(before // 2)
    assert line.nbytes <= before // 2
    assert len(line.settled) >= 11
    for step in line.settled:
        assert torch.equal(step.adversarial, everything[step.index].adversarial)
    line.shrink(0)
    assert [step.index for step in line.settled] == three(list(everything.values()), line.flip)
    assert line.flip == (int(result.steps_to_flip[0]) if int(result.steps_to_flip[0]) >= 0 else None)


def test_one_made_of_kept_steps_is_the_same(small64: engine.Classifier, images: Tensor) -> None:
    line = Timeline(max_bytes=12 * images[:1].nbytes)
    pulled(attacks.PGD(eps=0.2, steps=60), small64, images[:1], line)
    again = Timeline.of(line.steps)
    assert [step.index for step in again.steps] == [step.index for step in line.steps]
    assert again.flip == line.flip
    again.shrink(0)
    assert {0, 60} <= {step.index for step in again.steps}


def test_the_nearest_kept_step(small64: engine.Classifier, images: Tensor) -> None:
    line = Timeline()
    assert line.nearest(3) is None
    pulled(attacks.PGD(eps=0.1, steps=4), small64, images[:1], line)
    assert [step.index for step in (line.nearest(-2), line.nearest(2), line.nearest(99)) if step is not None] == [0, 2, 4]


def test_waits_are_few_on_a_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """At most one wait for two steps, of whatever kind, with the clock held; without a timeline there is none between steps."""
    monkeypatch.setattr("engine.timeline._MOST_SECONDS", 1e9)
    with pretended_gpu() as gpu:
        classifier = engine.models.load("signs", device="cuda")
        image = torch.rand(1, *classifier.input_shape, device="cuda")
        waits = {}
        for steps in (32, 96):
            for line in (None, Timeline()):
                gpu.waits.clear()
                with engine.start(attacks.PGD(steps=steps), classifier, image, labels=torch.tensor([0], device="cuda"), record=line) as run:
                    for _ in run:
                        pass
                waits[steps, line is not None] = sum(gpu.waits.values())
                if line is not None:
                    assert len(line.steps) == steps + 1
                    assert {step.adversarial.device.type for step in line.steps} == {"cpu"}
    assert waits[32, False] == waits[96, False]
    assert waits[96, True] - waits[32, True] <= 64 / 2


def test_the_numbers_of_a_trace_are_those_of_its_steps(small64: engine.Classifier, images: Tensor) -> None:
    """Carlini and Wagner's attack ends a round that stalls, and goes on with the number of the next round's first step."""
    attack = attacks.CarliniWagnerL2(rounds=3, steps=40, boundary_steps=0)
    line = Timeline()
    result, steps = pulled(attack, small64, images[:1], line)
    numbers = [step.index for step in steps]
    assert numbers != list(range(len(numbers))), "choose parameters with which it leaves numbers out"
    assert result.trace_steps[:, 0].tolist() == numbers == [step.index for step in line.steps]
    assert int(result.steps_to_flip[0]) in numbers
