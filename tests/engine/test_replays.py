"""Every attack through its record: run, written as JSON, read, done again to the same bits."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import engine
from engine import attacks, record
from engine.attacks import CATALOGUE
from engine.operation import Attack
from engine.record import Record
from engine.stickers import Colour, Optimised, Sticker, compose
from tests.engine.test_record import load
from tests.engine.variants import VARIANTS, situation

SMALL: dict[str, Attack] = {
    "sticker": attacks.StickerPGD(begin="current", steps=3),
    "universal": attacks.Universal(eps=0.1, steps=2, batch_size=4),
    "universal-patch": attacks.UniversalPatch(steps=2, batch_size=4, scales=2),
    "substitute": attacks.Substitute(rounds=1, epochs=1, seeds=20, held_out=10),
}
"""A sticker that goes on from its start. Of data a record finds again only sets that `engine.data` knows: these two go to the shipped
classifier, with small budgets."""
FIRST = {attack.slug: attack for attack in reversed(VARIANTS)} | SMALL


@cache
def signs() -> tuple[engine.Classifier, Tensor]:
    """The shipped classifier and its stop sign."""
    classifier = engine.models.load("signs", device="cpu")
    return classifier, engine.images.read(next(s for s in engine.images.samples() if s.label_name == "Stop").path, classifier)


def misread(classifier: engine.Classifier, clean: Tensor) -> Tensor:
    """An image that the classifier takes for another class than the clean one's."""
    others = torch.rand(50, *clean.shape, generator=torch.Generator().manual_seed(4))
    return others[classifier.predict(others) != classifier.predict(clean[None])][0]


def test_every_attack_is_replayed_here() -> None:
    assert set(FIRST) == set(CATALOGUE)


def recorded(attack: Attack, small: engine.Classifier, folder: Path | None = None) -> tuple[engine.AttackResult, Record]:
    """Run an attack with every input that it takes, on ``small`` or, if it learns from data, on the shipped classifier, and record it."""
    classifier, clean = small, torch.rand(3, 8, 8, generator=torch.Generator().manual_seed(2))
    if "data" in attack.uses:
        classifier, clean = signs()
        given: dict[str, Any] = {"data": engine.data.load("generated:signs", count=43, seed=5)}
    else:
        given = situation(attack, classifier, clean[None])
    if "start" in attack.uses:
        given["start"] = misread(classifier, clean)[None]
    stickers = (Sticker(1, 0, 0, 3, 3, Colour((1.0, 0.0, 0.5)), opacity=0.5), Sticker(2, 4, 1, 3, 3, Optimised()))
    scene = compose(clean, stickers)
    paints = "stickers" in attack.uses
    if paints:
        given["mask"] = scene.mask
    result = engine.run(attack, classifier, (scene.base if paints else clean)[None], seed=7, first_row=3, **given)
    entry = record.record_of(
        result,
        image=record.image_entry(clean),
        mask=record.mask_entry(given.get("mask")),
        start=given["start"][0] if "start" in given else None,
        stickers=stickers if paints else (),
        folder=folder,
        first_row=3,
    )
    return result, entry


@pytest.mark.parametrize("attack", FIRST.values(), ids=list(FIRST))
def test_its_record_gives_the_same_bits(attack: Attack, tmp_path: Path) -> None:
    result, entry = recorded(attack, load(), tmp_path)
    again = record.replay(Record.read(entry.write(tmp_path / "a.json")), folder=tmp_path, load=None if "data" in attack.uses else load)
    assert again.sentence == "The same bits again."
    assert again.same
    assert again.result.success.equal(result.success)
    assert again.result.trace.equal(result.trace)
