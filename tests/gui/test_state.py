"""State and Plan as values, and stickers on an image of another size. Without Qt."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import FrozenInstanceError, fields
from pathlib import Path

import pytest
import torch

import gui
from engine.explain import GradientSaliency
from engine.stickers import Colour, Optimised, Sticker, scaled
from gui.session.changes import of_classifier, of_image
from gui.session.state import (
    PLAN_FIELDS,
    SCENE_FIELDS,
    STATE_FIELDS,
    UNDOABLE,
    AttackSettings,
    Plan,
    State,
    differing_fields,
    same,
    value_of,
)
from tests.gui.panel_scenes import LABELS, noise, small

STICKER = Sticker(1, 2, 3, 4, 5)


PURE = ("state", "changes", "start_image", "data_choice", "scene", "building", "readiness")


@pytest.mark.parametrize("name", PURE)
def test_values_and_what_they_need_know_no_qt_and_load_no_torch(name: str) -> None:
    """``gui`` itself imports QtCore for the whole package; no other part of Qt is loaded, and the file asks for none."""
    assert "PySide6" not in (Path(gui.__file__).parent / "session" / f"{name}.py").read_text()
    heavy = ("PySide6.QtGui", "PySide6.QtWidgets", "torch", "numpy", "pyqtgraph")
    code = f"import sys, gui.session.{name}; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "[]", done.stderr


def test_no_field_can_be_written() -> None:
    with pytest.raises(FrozenInstanceError):
        State().label = 3  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        Plan().seed = 3  # type: ignore[misc]


def test_the_fields_of_state_and_plan_have_names_of_their_own() -> None:
    assert not set(STATE_FIELDS) & set(PLAN_FIELDS)
    assert {*STATE_FIELDS, "plan"} == {field.name for field in fields(State)}
    assert set(STATE_FIELDS) | set(PLAN_FIELDS) >= UNDOABLE
    assert set(STATE_FIELDS) >= SCENE_FIELDS


@pytest.mark.parametrize("name", [*STATE_FIELDS, *PLAN_FIELDS])
def test_a_field_that_is_replaced_is_the_one_that_differs(name: str) -> None:
    before = State(classifier=small(), clean=noise(), stickers=(STICKER,))
    new = {"stickers": (STICKER, Sticker(2, 0, 0, 1, 1)), "selected": 1, "also_selected": frozenset({1})}.get(name, object())
    after = before.with_fields(**{name: new})
    assert differing_fields(before, after) == {name}
    assert value_of(after, name) is new


def test_plain_values_are_compared_by_value_and_tensors_by_identity() -> None:
    image = noise()
    assert same((STICKER,), (Sticker(1, 2, 3, 4, 5),))
    assert same({"a": 1.0}, {"a": 1.0})
    assert not same({"a": 1.0}, {"a": 2.0})
    assert same(image, image)
    assert not same(image, image.clone())
    assert not same(None, image)


def test_a_sticker_that_is_gone_is_not_selected() -> None:
    state = State(stickers=(STICKER,), selected=1)
    assert state.with_fields(stickers=()).selected is None
    assert state.with_fields(label=2).selected == 1
    assert state.with_fields(selected=9).selected is None


def test_the_prediction_belongs_to_one_image_and_one_classifier() -> None:
    state = State(classifier=small(), clean=noise(), prediction=3)
    assert state.assumed_label == 3
    assert state.with_fields(label=1).assumed_label == 1
    assert state.with_fields(stickers=(STICKER,)).prediction == 3
    assert state.with_fields(clean=noise(1)).prediction is None
    assert state.with_fields(classifier=small(1)).prediction is None
    assert state.with_fields(clean=noise(1), prediction=2).prediction == 2


def test_the_scene_is_what_the_state_has() -> None:
    saliency = (GradientSaliency(),)
    state = State(classifier=small(), clean=noise(), stickers=(STICKER,), bounds={"1": 2.0}, explanations=saliency, explaining=True)
    scene = state.scene
    assert scene is not None
    assert scene is state.scene
    assert all(getattr(scene, name) is getattr(state, name) for name in SCENE_FIELDS - {"explaining"})
    unseen = state.with_fields(explaining=False)
    assert unseen.explanations is saliency
    assert unseen.scene is not None
    assert unseen.scene.explanations == ()
    assert unseen.looking_at(scene).explanations == ()
    assert state.looking_at(unseen.scene).explanations is saliency
    assert State(classifier=small()).scene is None


def test_an_attack_keeps_its_parameters_while_another_one_is_chosen() -> None:
    eps = AttackSettings({"eps": 0.1})
    state = State(plan=Plan(slug="pgd", settings=eps))
    other = state.with_fields(**state.plan.choosing("fgsm"))
    assert (other.plan.slug, other.plan.settings) == ("fgsm", AttackSettings())
    back = other.with_fields(**other.plan.choosing("pgd"))
    assert back.plan.settings == eps
    assert back.plan.choosing("pgd") == {}


def test_a_plan_is_an_attack_or_says_why_it_is_none() -> None:
    from engine.attacks import PGD

    assert Plan(slug="pgd", settings=AttackSettings({"eps": 0.1, "steps": 7})).built == (PGD(eps=0.1, steps=7), "")
    attack, sentence = Plan(slug="pgd", settings=AttackSettings({"steps": 0})).built
    assert attack is None
    assert "steps" in sentence
    assert Plan().built == (None, "")


# ---------------------------------------------------------------------- another image, another model


def test_stickers_go_over_to_an_image_of_another_size() -> None:
    state = State(classifier=small(), clean=noise(), stickers=(STICKER, Sticker(2, 6, 3, 4, 5)), delta=noise(), label=1)
    fields = of_image(state, torch.zeros(3, 32, 64), {"name": "wide"}, 2, None)
    after = state.with_fields(**fields)
    assert after.stickers == (Sticker(1, 8, 6, 16, 10), Sticker(2, 24, 6, 16, 10))
    assert after.stickers[0].right == after.stickers[1].x  # what touched still touches
    assert (after.delta, after.label, after.image["name"]) == (None, 2, "wide")
    assert "stickers" not in of_image(state, noise(1), {}, None, None)  # the same size: the same stickers


@pytest.mark.parametrize("before", [(16, 16), (224, 224), (28, 28), (33, 57)])
@pytest.mark.parametrize("after", [(16, 16), (224, 224), (1, 1), (57, 33)])
@pytest.mark.parametrize("box", [(0, 0, 1, 1), (15, 15, 40, 40), (-3, 2, 5, 5), (0, 0, 16, 16)])
def test_a_scaled_sticker_stays_on_the_image(before: tuple[int, int], after: tuple[int, int], box: tuple[int, int, int, int]) -> None:
    content = Optimised(torch.rand(3, box[3], box[2]))
    there = scaled(Sticker(7, *box, content, 0.5, "name"), before, after)
    assert (there.id, there.content, there.opacity, there.name) == (7, content, 0.5, "name")
    assert there.width >= 1
    assert there.height >= 1
    assert there.x < after[1]
    assert there.y < after[0]
    assert there.right > 0
    assert there.bottom > 0
    if before == after and box[0] < before[1] and box[1] < before[0]:
        assert there == Sticker(7, *box, content, 0.5, "name")


def test_another_classifier_keeps_what_fits_it() -> None:
    state = State(classifier=small(), clean=noise(), label=1, target=2, bounds={"1": 2.0}, delta=noise(), stickers=(STICKER,))
    alike = state.with_fields(**of_classifier(state, small(1)))
    assert (alike.clean, alike.label, alike.target) == (state.clean, 1, 2)
    assert (alike.bounds, alike.delta) == ({}, None)
    grey = state.with_fields(**of_classifier(state, small(1, channels=1)))
    assert (grey.clean, grey.image, grey.label) == (None, {}, 1)
    assert grey.labels == LABELS


def test_names_of_classes_outside_the_list_are_their_numbers() -> None:
    state = State(classifier=small())
    assert (state.name_of(0), state.name_of(99), State().name_of(0)) == (LABELS[0], "99", "0")


def test_what_may_be_painted() -> None:
    assert not State(stickers=(Sticker(1, 0, 0, 1, 1, Colour()),)).paintable
    assert State(stickers=(Sticker(1, 0, 0, 1, 1, Optimised()),)).paintable
