"""Studies for tests: runs of every attack, with stickers of every kind, and comparisons bit by bit."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

import engine
from engine import attacks
from engine.attacks import CATALOGUE
from engine.images import from_array
from engine.operation import Attack
from engine.result import AttackResult
from engine.stickers import Colour, Ellipse, Optimised, Pixels, Polygon, Shadow, Sticker, compose
from engine.study import Answer, Canvas, DataChoice, Inputs, Plan, Replayed, Settings, StartPicture, Study, StudyRun
from engine.timeline import Timeline
from tests.engine.test_record import load
from tests.engine.variants import VARIANTS, situation

SMALL: dict[str, Attack] = {
    "sticker": attacks.StickerPGD(begin="current", steps=3),
    "universal": attacks.Universal(eps=0.1, steps=2, batch_size=4),
    "substitute": attacks.Substitute(rounds=1, epochs=1, seeds=20, held_out=10),
}
FIRST = {attack.slug: attack for attack in reversed(VARIANTS)} | SMALL


def stickers() -> tuple[Sticker, ...]:
    """A sticker of every kind of content and of both shapes."""
    random = torch.Generator().manual_seed(1)
    return (
        Sticker(1, 0, 0, 3, 3, Colour((1.0, 0.0, 0.5)), opacity=0.5, name="pink"),
        Sticker(2, 4, 1, 3, 3, Optimised(torch.rand(3, 3, 3, generator=random)), shape=Ellipse()),
        Sticker(3, -1, 5, 4, 2, Pixels(torch.rand(3, 5, 7, generator=random), "leaf.png")),
        Sticker(4, 6, 6, 2, 2, Optimised()),
        Sticker(5, 5.5, 0, 3, 3, Shadow(0.3, 2.0), shape=Polygon()),
    )


def a_run(attack: Attack, number: int = 1) -> StudyRun:
    """A run of an attack on a small classifier, with everything that a run can have."""
    classifier = load()
    clean = torch.rand(3, 8, 8, generator=torch.Generator().manual_seed(2))
    given: dict[str, Any] = situation(attack, classifier, clean[None])
    before = stickers()
    scene = compose(clean, before)
    paints = "stickers" in attack.uses
    if paints:
        given |= {"mask": scene.mask, "start": scene.content[None]}
    timeline = Timeline()
    run = engine.start(attack, classifier, (scene.base if paints else scene.shown)[None], seed=7, record=timeline, **given)
    for _ in run:
        pass
    timeline.settle()
    result = run.result()
    assert isinstance(result, AttackResult)
    return StudyRun(
        result,
        number=number,
        when=datetime(2026, 3, 4, 5, 6, 7),
        clean=clean,
        image={"name": "noise", "path": None, "crop": [1, 2, 8, 8], "notes": ["drawn"]},
        photograph=from_array(np.arange(300, dtype=np.uint8).reshape(10, 10, 3), "noise"),
        before=before,
        after=before[:2],
        delta=(result.adversarial - result.clean)[0],
        grown=not attack.from_image,
        inputs=Inputs(
            region="stickers",
            label=2,
            seed=7,
            data=DataChoice("random:24", "", 24, Path("somewhere")),
            start=clean.flip(0),
            start_name="flipped",
            start_prediction=1,
            planned=attack,
            mask=clean[:1] / 2,
            row=3,
            bounds={"act": 2.5},
        ),
        timeline=timeline.settled,
        iteration_of=9,
        replayed=Replayed("stop.json", True, "The same bits again."),
        answers=(Answer(clean[None], classifier.score(clean[None])),),
    )


def a_study(count: int = 2) -> Study:
    """A study of some runs of FGSM, with a canvas and a plan that use every field."""
    runs = tuple(a_run(attacks.FGSM(eps=0.01 * number), number) for number in range(1, count + 1))
    last = runs[-1]
    assert last.attack is not None
    photograph = last.photograph
    canvas = Canvas(
        classifier=last.attack.classifier,
        clean=last.clean,
        image={"name": "noise", "sha256": "ab", "size": [10, 10]},
        photograph=photograph,
        label=1,
        target=2,
        region="stickers",
        stickers=stickers(),
        selected=2,
        new_content="colour",
        new_colour=(0.25, 0.5, 1.0),
        delta=last.delta,
        grown=True,
        bounds={"act": 1.5},
        answers=last.answers,
    )
    assert last.clean is not None
    start = StartPicture(last.clean.flip(1), "start", 3, photograph)
    plan = Plan(
        "pgd",
        Settings({"eps": 0.1, "steps": "ten"}, "mine"),
        {"fgsm": Settings({"eps": "8/255"})},
        5,
        DataChoice("mnist", "test", 9),
        start,
    )
    return Study(
        canvas=canvas,
        plan=plan,
        explanations=(engine.explain.GradientSaliency(),),
        runs=runs,
        removed=frozenset({runs[0].id}),
        shown=last.id,
        compared=(last.id, runs[0].id),
        workspace="explain",
    )


def assert_same(one: Any, other: Any, where: str = "study") -> None:
    """Compare two values to the last bit: frozen values by their fields, tensors with their types, classifiers by what they are."""
    if isinstance(one, Tensor):
        assert isinstance(other, Tensor), where
        assert one.dtype == other.dtype, where
        assert one.shape == other.shape, where
        assert one.contiguous().numpy().tobytes() == other.contiguous().numpy().tobytes(), where
    elif isinstance(one, np.ndarray):
        assert np.array_equal(one, other), where
    elif isinstance(one, engine.Classifier):
        assert (one.fingerprint, one.labels, one.input_shape, one.name) == (
            other.fingerprint,
            other.labels,
            other.input_shape,
            other.name,
        ), where
    elif isinstance(one, torch.nn.Module):
        assert_same(dict(one.state_dict()), dict(other.state_dict()), f"{where} weights")
    elif hasattr(one, "__dataclass_fields__"):
        assert type(one) is type(other), where
        for field in fields(one):
            if field.name != "first_logits":  # a run without them has them computed
                assert_same(getattr(one, field.name), getattr(other, field.name), f"{where}.{field.name}")
        if isinstance(one, AttackResult):
            for name in ("clean_logits", "survives_8bit", "norms", "success", "prediction", "remarks"):
                assert_same(getattr(one, name), getattr(other, name), f"{where}.{name}")
    elif isinstance(one, dict) or hasattr(one, "items"):
        assert set(one) == set(other), where
        for key in one:
            assert_same(one[key], other[key], f"{where}[{key}]")
    elif isinstance(one, (list, tuple)):
        assert len(one) == len(other), where
        for place, (left, right) in enumerate(zip(one, other, strict=True)):
            assert_same(left, right, f"{where}[{place}]")
    elif isinstance(one, float) and one != one:
        assert other != other, where
    else:
        assert one == other, where
    assert set(FIRST) == set(CATALOGUE)
