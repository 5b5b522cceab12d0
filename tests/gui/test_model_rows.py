"""The rows of evaluations are called as the window calls the models, and no two networks share a row."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import engine
from engine.artifacts import Model
from engine.defenses import save_model
from gui.session.model_rows import choices, named_model, shipped_models


@pytest.fixture
def digits() -> engine.Classifier:
    return engine.models.load("digits", device="cpu")


def checkpoint(path: Path, name: str, weight: float) -> engine.Classifier:
    """Return the digits network with another first weight, loaded from a file."""
    made = engine.models.load("digits", device="cpu")
    with torch.no_grad():
        next(made.module.parameters()).view(-1)[0] = weight
    save_model(Model(made.module, {**made.card, "name": name}), path)
    return engine.models.load(str(path), device="cpu")


def test_a_checkpoint_is_called_by_its_name_and_loaded_by_its_file(tmp_path: Path) -> None:
    file = tmp_path / "epoch-00001.safetensors"
    row = choices([checkpoint(file, "mine, epoch 1", 0.5)], shipped_models(), ())[0]
    assert row.title == row.entry.name == "mine, epoch 1"
    assert row.entry.source == str(file)


def test_networks_of_one_name_have_a_row_each(tmp_path: Path, digits: engine.Classifier) -> None:
    loaded = [checkpoint(tmp_path / f"{number}.safetensors", "mine, epoch 1", number) for number in (1.0, 2.0)]
    rows = choices([*loaded, digits], shipped_models(), ())
    mine = [row for row in rows if row.classifier in loaded]
    assert [row.title for row in mine] == ["mine, epoch 1", f"mine, epoch 1 ({loaded[1].fingerprint[:8]})"]
    assert len({row.title for row in rows}) == len(rows) == len(shipped_models()) + 2


def test_a_trained_network_does_not_hide_the_shipped_one_of_its_name(tmp_path: Path) -> None:
    trained = checkpoint(tmp_path / "digits.safetensors", "digits", 3.0)
    rows = {row.title: row for row in choices([trained], shipped_models(), ())}
    assert rows["digits"].classifier is None
    assert rows[f"digits ({trained.fingerprint[:8]})"].classifier is trained


def test_a_loaded_shipped_model_is_its_own_row_and_a_named_one_keeps_its_place(digits: engine.Classifier) -> None:
    rows = choices([digits], shipped_models(), [named_model("digits + jpeg quality=75")])
    assert [row.classifier for row in rows if row.title == "digits"] == [digits]
    assert rows[0].entry.name == ""
    assert rows[-1].title == "digits + jpeg quality=75"
