"""May the attack run, and if not why; what is worth knowing before. Values in, sentences out: no Qt, no session, no widget."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import engine
from engine.attacks import CATALOGUE
from engine.stickers import Optimised, Sticker
from gui.session.data_choice import Choice, DataSource
from gui.session.readiness import hint, obstacle
from gui.session.start_image import start_image
from gui.session.state import AttackSettings, Plan, State
from tests.gui.panel_scenes import LABELS, noise, small

OWN = 0


class Shelf:
    """Data sets by name, with the shape of their images."""

    def __init__(self, **shapes: tuple[int, int, int] | None) -> None:
        self.shapes = shapes
        self.sources = tuple(DataSource(name, name, ("test",)) for name in shapes)

    def shape_of(self, name: str) -> tuple[int, int, int] | None:
        return self.shapes[name]


EMPTY = Shelf()


def state(slug: str = "pgd", parameters: dict[str, Any] | None = None, preset: str = "", **fields: Any) -> State:
    """A model, an image that it takes for class 0, and an attack."""
    planned = {name: fields.pop(name) for name in ("data", "start", "seed") if name in fields}
    plan = Plan(slug=slug, settings=AttackSettings(parameters or {}, preset), **planned)
    return State(**{"ready": True, "classifier": small(), "clean": noise(), "prediction": OWN, "plan": plan, **fields})


def start(prediction: int) -> Any:
    made = start_image(noise(1), small(), "start")
    return type(made)(made.image, made.pixels, made.name, prediction)


@pytest.mark.parametrize("slug", list(CATALOGUE))
def test_every_attack_that_has_what_it_needs_may_run(slug: str) -> None:
    kind = CATALOGUE[slug]
    given: dict[str, Any] = {"stickers": (Sticker(1, 0, 0, 4, 4, Optimised()),), "data": Choice("mine", "test", 4), "start": start(2)}
    file = {"file": "some.safetensors"} if "file" in kind.model_fields else {}
    ready = state(slug, file, **given, target=2 if "targets" in kind.uses else None)
    assert obstacle(ready, Shelf(mine=(3, 16, 16))) is None


@pytest.mark.parametrize("slug", list(CATALOGUE))
def test_what_an_attack_needs_is_asked_for(slug: str) -> None:
    kind = CATALOGUE[slug]
    words = {"targets": "target class", "start": "start image", "data": "data set", "mask": "sticker", "stickers": "sticker"}
    found = obstacle(state(slug), EMPTY)
    needed = [word for need, word in words.items() if need in kind.needs]
    if needed:
        assert found is not None
        assert any(word in found.sentence for word in needed)
        assert not found.is_mistake


@pytest.mark.parametrize(
    ("fields", "words", "is_mistake"),
    [
        ({"ready": False}, "still loading", False),
        ({"plan": Plan()}, "still loading", False),
        ({"classifier": None}, "Load a model first", False),
        ({"clean": None}, "Open an image first", False),
        ({"region": "stickers"}, "Draw a sticker", False),
        ({"region": "stickers", "stickers": (Sticker(1, 0, 0, 1, 1),)}, "Draw a sticker", False),
        ({"label_text": "Yeild"}, "No class of this model is called “Yeild”. Choose the true label", True),
        ({"target_text": "Yeild"}, "No class of this model is called “Yeild”. Choose the target", True),
        ({"label": 3, "target": 3}, "the image's own label", True),
        ({"target": OWN}, "already taken for the target “Stop”", True),
    ],
)
def test_what_is_in_the_way(fields: dict[str, Any], words: str, is_mistake: bool) -> None:
    found = obstacle(state(**fields), EMPTY)
    assert found is not None
    assert words in found.sentence
    assert found.is_mistake == is_mistake
    assert found.sentence.endswith(".")


def test_nothing_is_in_the_way_of_an_image_and_a_model() -> None:
    assert obstacle(state(), EMPTY) is None
    assert obstacle(state(target=1), EMPTY) is None
    assert obstacle(state(label=1, target=OWN), EMPTY) is None  # the prediction is wrong, the target is another class than the label


@pytest.mark.parametrize("parameters", [{"steps": 0}, {"eps": -1.0}, {"eps": 8.0}, {"eps": "eight"}])
def test_parameters_that_make_no_attack_are_a_mistake_that_names_them(parameters: dict[str, Any]) -> None:
    found = obstacle(state(parameters=parameters), EMPTY)
    assert found is not None
    assert found.is_mistake
    assert found.sentence.startswith(next(iter(parameters)))
    assert hint(state(parameters=parameters)) == ""


def test_what_an_attack_does_not_use_is_not_held_against_it() -> None:
    assert obstacle(state("universal", target=OWN, target_text="Yeild", data=Choice("mine", "test", 4)), Shelf(mine=None)) is None


@pytest.mark.parametrize(
    ("shelf", "cure"),
    [
        (Shelf(mine=(1, 28, 28)), "Add a folder of such images"),
        (Shelf(mine=(1, 28, 28), gtsrb=(3, 16, 16)), "Choose GTSRB."),
        (Shelf(mine=(1, 28, 28), gtsrb=(3, 16, 16), cifar10=(3, 16, 16)), "Choose GTSRB or CIFAR10."),
    ],
)
def test_data_of_another_shape(shelf: Shelf, cure: str) -> None:
    found = obstacle(state("universal", data=Choice("mine", "test", 4)), shelf)
    assert found is not None
    assert found.is_mistake
    assert found.sentence.startswith("The images of MINE are 1 × 28 × 28, but “small” takes 3 × 16 × 16. ")
    assert cure in found.sentence


# ---------------------------------------------------------------------- hints


def test_a_preset_that_wants_a_target_says_so_until_there_is_one() -> None:
    wanting = [(slug, preset) for slug, kind in CATALOGUE.items() for preset in kind.presets if "targets" in preset.needs]
    assert wanting
    for slug, preset in wanting:
        assert "choose a target" in hint(state(slug, dict(preset.values), preset.title))
        assert "choose a target" not in hint(state(slug, dict(preset.values), preset.title, target=2))


@pytest.mark.parametrize(
    ("prediction", "fields", "words"),
    [
        (OWN, {}, "the image's own class"),
        (3, {"label": 3}, "the image's own class"),
        (OWN, {"label": 3}, ""),
        (2, {}, ""),
        (2, {"target": 2}, ""),
        (1, {"target": 2}, "not for the target “No entry”"),
    ],
)
def test_a_start_image_that_is_of_no_use(prediction: int, fields: dict[str, Any], words: str) -> None:
    said = hint(state("hop-skip-jump", start=start(prediction), **fields))
    assert words in said
    assert bool(words) == bool(said)
    assert hint(state("pgd", start=start(prediction), **fields)) == ""  # takes none


def test_the_usual_eps_of_colour_images_on_digits() -> None:
    grey = {"classifier": small(channels=1), "clean": noise(channels=1)}
    assert "0.1 to 0.3" in hint(state("fgsm", **grey))
    assert hint(state("fgsm", {"eps": 0.05}, **grey)) == ""
    assert hint(state("fgsm")) == ""
    assert hint(state("deepfool", **grey)) == ""


def test_a_state_says_the_same_twice_and_is_not_changed_by_it() -> None:
    module = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(48, 4))
    held = state(classifier=engine.Classifier(module, list("abcd"), (3, 4, 4), device="cpu"), clean=torch.rand(3, 4, 4), target=1)
    before = {name: getattr(held, name) for name in ("classifier", "clean", "target", "plan")}
    assert obstacle(held, EMPTY) == obstacle(held, EMPTY)
    assert {name: getattr(held, name) for name in before} == before
    assert len(LABELS) > 4
