"""An iterate as a result: the norms and predictions of that moment, and a record that gives the same bits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import engine
from engine import attacks, record, study
from engine.iterate import at_step
from engine.operation import Attack
from engine.ranking import reached
from engine.record import Record
from engine.result import norms
from engine.script import as_python
from engine.stickers import Optimised, Sticker, compose
from engine.timeline import KeptStep, Timeline
from tests.engine.test_record import load
from tests.engine.test_replays import FIRST, misread, signs
from tests.engine.test_script import outcome
from tests.engine.variants import situation


def finished(attack: Attack, seed: int = 3) -> tuple[engine.AttackResult, Timeline, dict[str, Any]]:
    """A run on the stop sign, its timeline, and the inputs that its record needs."""
    classifier, clean = signs() if "data" in attack.uses else (load(), torch.rand(3, 8, 8, generator=torch.Generator().manual_seed(2)))
    given: dict[str, Any] = situation(attack, classifier, clean[None])
    given.setdefault("labels", classifier.predict(clean[None]))  # without them the run asks for them, and counts that
    if "data" in attack.uses:
        given["data"] = engine.data.load("generated:signs", count=43, seed=5)
    if "start" in attack.uses:
        given["start"] = misread(classifier, clean)[None]
    if "stickers" in attack.uses:
        scene = compose(clean, (Sticker(1, 4, 1, 3, 3, Optimised()),))
        given |= {"mask": scene.mask, "start": None if scene.content is None else scene.content[None]}
    line = Timeline()
    with engine.start(attack, classifier, clean[None], record=line, seed=seed, **given) as run:
        for _ in run:
            pass
        result = run.result()
    assert isinstance(result, engine.AttackResult)
    return result, line, given


def chosen(line: Timeline) -> Iterator[KeptStep]:
    """The first, a middle and the last step."""
    yield from {step.index: step for step in (line.steps[0], line.steps[len(line.steps) // 2], line.steps[-1])}.values()


def test_an_iterate_says_of_how_many_it_is() -> None:
    classifier, clean = load(), torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(2))
    line = Timeline()
    run = engine.start(attacks.PGD(steps=9), classifier, clean, record=line)
    for step in run:
        if step.index == 5:
            break
    run.close()
    result = run.result()
    assert isinstance(result, engine.AttackResult)
    assert (result.moment, result.title) == ("", "PGD")
    assert at_step(result, line.nearest(3)).title == "PGD, iteration 3 of 9"  # the run was left early: the number is the planned one
    done, steps, _ = finished(attacks.DeepFool(steps=50))
    last = steps.steps[-1].index
    assert last < 50
    assert at_step(done, steps.nearest(1)).moment == f"iteration 1 of {last}"


def recorded(result: engine.AttackResult, given: dict[str, Any]) -> Record:
    mask, start = given.get("mask"), given.get("start")
    return record.record_of(
        result,
        image=record.image_entry(result.clean[0]),
        mask=record.mask_entry(mask),
        start=None if start is None else start[0],
    )


@pytest.mark.parametrize("attack", FIRST.values(), ids=list(FIRST))
def test_its_record_and_its_script_give_the_same_bits(attack: Attack, tmp_path: Path) -> None:
    result, line, given = finished(attack)
    for step in chosen(line):
        here = at_step(result, step)
        path = recorded(here, given).write(tmp_path / f"{step.index}.json")
        read = Record.read(path)
        assert read.iteration == step.index
        again = record.replay(read, folder=tmp_path, load=None if "data" in attack.uses else load)
        assert again.same, again.sentence
        assert torch.equal(again.result.adversarial, step.adversarial)
        assert again.result.steps_to_flip.tolist() == here.steps_to_flip.tolist()
        assert (again.result.forwards, again.result.backwards) == (here.forwards, here.backwards)
        last = int(result.trace_steps[-1, 0])
        assert here.title == f"{attack.title}, iteration {step.index} of {last}"
        assert again.result.iterations in (last, step.total)  # it ended there, and knows how many steps were planned, if anything


def test_its_script_gives_the_same_bits(tmp_path: Path) -> None:
    classifier, clean = signs()
    line = Timeline()
    with engine.start(attacks.PGD(steps=8), classifier, clean[None], record=line) as run:
        list(run)
        result = run.result()
    assert isinstance(result, engine.AttackResult)
    script = as_python(recorded(at_step(result, line.steps[3]), {}), tmp_path)
    assert "step.index == 3" in script
    assert "the recorded bits: True" in outcome(script)


@pytest.mark.parametrize("slug", ["pgd", "sticker", "deepfool", "square", "fooling", "jsma"])
def test_everything_is_of_that_moment(slug: str) -> None:
    result, line, _ = finished(FIRST[slug])
    for step in chosen(line):
        here = at_step(result, step)
        assert torch.equal(here.adversarial, step.adversarial)
        assert here.norms["l2"].tolist() == norms(step.adversarial - result.clean)["l2"].tolist()
        prediction = result.classifier.predict(step.adversarial)
        assert here.prediction.tolist() == prediction.tolist()
        assert here.success.tolist() == reached(prediction, result.labels, result.targets).tolist()
        assert here.trace_steps[-1, 0] == step.index
        assert here.trace[-1].tolist() == step.loss.tolist()
        flip = int(result.steps_to_flip[0])
        assert int(here.steps_to_flip[0]) == (flip if 0 <= flip <= step.index else -1)
        assert f"iteration {step.index} " in " ".join(here.remarks)
    assert result.iteration is None
    assert "iteration" not in " ".join(result.remarks)


def test_a_stickers_content_is_the_iterates() -> None:
    result, line, given = finished(FIRST["sticker"])
    mask = given["mask"].bool().expand_as(result.clean)
    for step in chosen(line):
        content = at_step(result, step).artifacts["content"]
        torch.testing.assert_close(content.pixels[mask], step.adversarial[mask], rtol=0, atol=1e-6)  # type: ignore[union-attr]


def test_a_step_of_a_chunk_or_of_another_run_is_refused(small64: engine.Classifier, images: Tensor) -> None:
    line = Timeline()
    with engine.start(attacks.PGD(steps=3), small64, images, record=line, rows_at_a_time=2) as run:
        for _ in run:
            pass
        result = run.result()
    assert isinstance(result, engine.AttackResult)
    with pytest.raises(engine.GibbonError, match="all images"):
        at_step(result, line.steps[0])
    whole = replace(line.steps[0], adversarial=result.adversarial, index=99)
    with pytest.raises(engine.GibbonError, match="no step 99: its last is"):
        at_step(result, whole)


def test_a_record_whose_iteration_the_attack_does_not_reach() -> None:
    result, line, given = finished(attacks.PGD(steps=3))
    far = recorded(at_step(result, line.steps[-1]), given).model_copy(update={"iteration": 9})
    with pytest.raises(engine.GibbonError, match="ended after 3"):
        record.replay(far, load=load)


def test_a_study_keeps_which_iterate_a_run_is(tmp_path: Path) -> None:
    result, line, _ = finished(attacks.PGD(steps=6))
    source, kept = study.StudyRun(result, number=3), study.StudyRun(at_step(result, line.nearest(2)), number=4, iteration_of=3)
    study.write(study.Study(runs=(source, kept)), tmp_path / "a.gibbon")
    again = study.read(tmp_path / "a.gibbon").runs
    assert [run.title for run in again] == [source.title, kept.title] == ["#3 PGD", "#4 PGD, iteration 2 of 6, from #3"]
    assert again[1].attack is not None
    assert (again[1].attack.iteration, again[1].attack.iterations) == (2, 6)
