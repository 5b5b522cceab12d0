"""A study keeps every field of a session: one that is added and forgotten fails here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import engine
from engine import attacks, explain, study
from engine.defenses.preprocessing import read
from engine.stickers import Colour, Sticker
from gui.session.attack_inputs import AttackInputs
from gui.session.data_choice import Choice
from gui.session.history import AttackRun, FinishedRun
from gui.session.scene import Scene, to_pixels
from gui.session.start_image import StartImage
from gui.session.state import AttackSettings, Plan, State
from gui.session.studies.kept_fields import CANVAS, RUN
from gui.session.studies.restoring import Restored, restored
from gui.session.studies.snapshot import Snapshot, study_of

NOT_KEPT = {
    "ready": "of the start",
    "prediction": "computed again",
    "explaining": "of the panels",
    "opened": "of the requests",
    "label_text": "text that names no class",
    "target_text": "text that names no class",
    "view": "of the window",
    "also_selected": "of the hand",
}
"""Fields of the state that a study does not hold, and why."""
CHOICE = Choice("generated:signs", "test", 12, Path("/data"), (1, 3), 7)


@pytest.fixture(scope="module")
def signs() -> engine.Classifier:
    return engine.models.load("signs", device="cpu")


def image(seed: int) -> torch.Tensor:
    return torch.rand(3, 32, 32, generator=torch.Generator().manual_seed(seed))


def runs_of(signs: engine.Classifier) -> tuple[AttackRun, ...]:
    clean, sticker = image(1), Sticker(4, 2, 3, 8, 7, Colour((1.0, 0.0, 0.0)))
    result = engine.run(attacks.FGSM(eps=0.02), signs, clean[None], torch.tensor([3]))
    before = Scene(signs, clean, (sticker,), bounds={"features.0": 2.5}, defense=read("jpeg quality=40"))
    after = replace(before, stickers=(replace(sticker, x=5),), delta=result.adversarial[0] - clean, grown=True)
    inputs = AttackInputs(
        region="stickers",
        label=3,
        target=5,
        seed=9,
        data=CHOICE,
        begin=image(2),
        begin_name="start.png",
        begin_prediction=4,
        planned=attacks.FGSM(eps=0.5),
        defense=read("jpeg quality=40"),
        mask=image(3)[:1],
        row=6,
    )
    one = AttackRun(
        result=result,
        verdict="It flipped.",
        passed=True,
        number=41,
        scene=after,
        before=before,
        image={"name": "one.png"},
        inputs=inputs,
        photograph=engine.images.from_array(to_pixels(image(4)), "one.png"),
        iteration_of=40,
        replayed=study.Replayed("stop.json", False, "Other bits."),
    )
    return one, replace(one, number=42), replace(one, number=43)


def state_of(signs: engine.Classifier) -> State:
    plan = Plan(
        slug="pgd",
        settings=AttackSettings({"steps": 7}, "mine"),
        kept={"fgsm": AttackSettings({"eps": 0.25})},
        seed=11,
        data=CHOICE,
        start=StartImage(image(5), to_pixels(image(5)), "s.png", 2, engine.images.from_array(to_pixels(image(6)), "s.png")),
        knows_defense=True,
        live=False,
    )
    return State(
        classifier=signs,
        photograph=engine.images.from_array(to_pixels(image(7)), "p.png"),
        clean=image(8),
        image={"name": "p.png", "crop": [0, 0, 32, 32]},
        label=3,
        target=6,
        region="stickers",
        stickers=(Sticker(4, 2, 3, 8, 7, Colour((0.0, 1.0, 0.0))),),
        selected=4,
        new_content="colour",
        new_colour=(0.25, 0.5, 0.75),
        delta=image(9),
        grown=True,
        run=43,
        removed=frozenset({42}),
        compared=(41, 43),
        bounds={"features.0": 1.5},
        defense=read("median size=3 + bit-depth bits=2"),
        explanations=(explain.CATALOGUE[next(iter(explain.CATALOGUE))](),),
        plan=plan,
    )


def there_and_back(state: State, runs: tuple[AttackRun, ...], path: Path) -> Restored:
    study.write(study_of(Snapshot(state, runs, shown=runs[-1])), path)
    return restored(study.read(path))


def same(one: Any, other: Any) -> bool:
    """Whether two values say the same, to the last bit of every tensor."""
    if isinstance(one, torch.Tensor):
        return isinstance(other, torch.Tensor) and torch.equal(one, other)
    if isinstance(one, np.ndarray):
        return bool(np.array_equal(one, other))
    if isinstance(one, engine.Classifier):
        return one.fingerprint == other.fingerprint
    if isinstance(one, engine.images.Photograph):
        return same(one.pixels, other.pixels) and one.name == other.name
    if isinstance(one, Mapping):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, (AttackInputs, StartImage, Scene, Plan)):
        return all(same(getattr(one, each.name), getattr(other, each.name)) for each in fields(one))
    if isinstance(one, engine.AttackResult):
        return one.operation == other.operation and torch.equal(one.adversarial, other.adversarial)
    return bool(one == other)


def assert_every_field_is_tried(value: Any, but: frozenset[str] = frozenset()) -> None:
    """A field at its default would come back even if it were not kept."""
    for each in fields(value):
        if each.name not in but and each.default is not MISSING:
            assert not _alike(getattr(value, each.name), each.default), f"{type(value).__name__}.{each.name} is at its default: set it"
        elif each.name not in but and each.default_factory is not MISSING:
            assert getattr(value, each.name) != each.default_factory(), f"{type(value).__name__}.{each.name} is at its default: set it"


def _alike(value: Any, usual: Any) -> bool:
    return type(value) is type(usual) and same(value, usual)


def test_every_field_of_state_and_plan_comes_back_or_is_named(signs: engine.Classifier, tmp_path: Path) -> None:
    state = state_of(signs)
    assert_every_field_is_tried(state, frozenset(NOT_KEPT))
    assert_every_field_is_tried(state.plan)
    found = there_and_back(state, runs_of(signs), tmp_path / "all.gibbon").fields
    for each in fields(State):
        if each.name not in NOT_KEPT:
            assert same(getattr(state, each.name), found[each.name]), each.name


def test_every_field_of_a_run_and_its_inputs_comes_back(signs: engine.Classifier, tmp_path: Path) -> None:
    runs = runs_of(signs)
    assert_every_field_is_tried(runs[0], frozenset({"timeline"}))  # kept, too: see the tests of studies
    assert_every_field_is_tried(runs[0].inputs)
    again = there_and_back(state_of(signs), runs, tmp_path / "all.gibbon").runs
    assert [run.number for run in again] == [41, 42, 43]
    for one, other in zip(runs, again, strict=True):
        for each in fields(AttackRun):
            assert each.name == "timeline" or same(getattr(one, each.name), getattr(other, each.name)), each.name


def test_the_tables_name_fields_of_both_sides() -> None:
    assert set(CANVAS) <= {each.name for each in fields(State)} & {each.name for each in fields(study.Canvas)}
    assert set(RUN) == {each.name for each in fields(FinishedRun)}
    assert {each.name for each in fields(Choice)} == {each.name for each in fields(study.DataChoice)}
