"""The Transfer dock on the real window: the other models' verdicts come with the run, and a double click goes on with one of them."""

from __future__ import annotations

import csv
import dataclasses
import io
from typing import TYPE_CHECKING

import pytest
import torch
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from engine.text.formatting import format_probability
from tests.gui.driving import click, draw, run_attack, until
from tests.gui.seen import empty_text

if TYPE_CHECKING:
    from pathlib import Path

    from engine.evaluate import Transfer
    from gui.app import Workbench
    from gui.panels.transfer import TransferPanel


def shown(bench: Workbench) -> TransferPanel:
    bench.window.bring_up("transfer")
    return bench.window.panels["transfer"]


def add(bench: Workbench, source: str) -> None:
    panel = shown(bench)
    panel.menu.aboutToShow.emit()
    (action,) = [a for a in panel.menu.actions() if a.text() == source]
    before = len(bench.session.loaded.models)
    action.trigger()
    until(lambda: len(bench.session.loaded.models) == before + 1, "the model")


def cells(bench: Workbench) -> list[list[str]]:
    """As they read; that a line does not break before a % is not told apart."""
    model = shown(bench).table.model()
    return [
        [str(model.data(model.index(row, column))).replace("\u00a0", " ") for column in range(model.columnCount())]
        for row in range(model.rowCount())
    ]


def has_rows(bench: Workbench, *names: str) -> bool:
    """Return whether the table of the newest run and models is there, with rows of these names."""
    return not bench.session.waiting("transfer") and set(names) <= {row[0] for row in cells(bench)}


def test_every_loaded_model_says_what_it_sees(bench: Workbench) -> None:
    panel = shown(bench)
    assert empty_text(panel)
    run_attack(bench)
    until(lambda: has_rows(bench, "signs"), "the table")
    assert [row[0] for row in cells(bench)] == ["signs"]
    assert "Only the attacked model" in panel.verdict.text
    add(bench, "signs-bounded")
    panel.add("digits")
    until(lambda: has_rows(bench, "signs", "signs-bounded", "digits"), "three rows")
    rows = cells(bench)
    assert [row[0] for row in rows] == ["signs", "signs-bounded", "digits"]
    entry = bench.session.history.entries[-1]
    other = bench.session.loaded.models[1]
    seen = other(entry.result.adversarial).softmax(1)[0]
    best = int(seen.argmax())
    assert rows[1][2] == f"{other.labels[best]} · {format_probability(float(seen[best]))}"
    assert "grey images" in rows[2][-1]
    assert panel.verdict.text.endswith("of 1 other model fooled, with classes matched by name; digits takes images of another kind.")
    names = [action.text() for action in panel.menu.actions()]
    assert len(set(names)) == len(names)
    assert "objects" in names
    assert not [name for name in names if name.startswith("digits")]  # grey images: there is nothing to ask them
    click(panel.copy_button)
    table = list(csv.DictReader(io.StringIO(QApplication.clipboard().text())))
    assert table[1]["adversarial label"] == other.labels[best]
    assert float(table[1]["adversarial probability"]) == float(seen[best])
    assert float(table[1]["adversarial logit"]) == pytest.approx(float(other(entry.result.adversarial)[0, best]))
    assert table[2]["clean label"] == ""  # it takes grey images


def test_only_models_with_the_same_classes_count_as_fooled(bench: Workbench) -> None:
    from gui.panels.transfer.panel import _summary

    panel = shown(bench)
    run_attack(bench)
    for source in ("signs-bounded", "objects"):
        if source not in [model.name for model in bench.session.loaded.models]:
            add(bench, source)
    until(lambda: has_rows(bench, "objects"), "the row")
    assert "of 1 other model fooled" in panel.verdict.text
    assert "objects has other classes" in panel.verdict.text
    found = transfer_of(bench, "objects")
    assert _summary(found).endswith(": objects has other classes.")


def test_the_verdict_can_be_read_in_a_narrow_dock(bench: Workbench) -> None:
    panel = shown(bench)
    run_attack(bench)
    if "objects" not in [model.name for model in bench.session.loaded.models]:
        add(bench, "objects")
    until(lambda: has_rows(bench, "objects"), "the row")
    table = panel.table
    last = table.model().columnCount() - 1
    row = [row[0] for row in cells(bench)].index("objects")
    rect = table.visualRect(table.model().index(row, last))
    assert rect.right() <= table.viewport().width()
    metrics = table.fontMetrics()
    text = cells(bench)[row][last]
    needed = metrics.boundingRect(rect.adjusted(7, 0, -7, 1000), Qt.TextFlag.TextWordWrap, text)
    assert needed.width() <= rect.width()
    assert needed.height() <= rect.height()


def transfer_of(bench: Workbench, *sources: str) -> Transfer:
    from engine.evaluate import transfer

    models = [model for model in bench.session.loaded.models if model.name in sources]
    return transfer(bench.session.history.entries[-1].result, models)


def test_noise_stays_where_the_attack_had_to_stay(bench: Workbench) -> None:
    from gui.panels.transfer import panel as module

    draw(bench)
    bench.session.change(region="stickers")
    run_attack(bench)
    entry = bench.session.history.entries[-1]
    found = module._transfer(entry, (entry.result.classifier,))
    assert found.verdicts[0].noise is not None
    outside = entry.result.perturbation[0].abs().amax(0) == 0
    assert int(outside.sum()) > 500
    torch.testing.assert_close(found.verdicts[0].clean, entry.result.clean_logits)
    bench.session.change(region="image")


def test_noise_stays_inside_the_mask_of_a_replayed_record(bench: Workbench) -> None:
    from engine.evaluate import transfer
    from gui.panels.transfer import panel as module

    run_attack(bench)
    entry = bench.session.history.entries[-1]
    mask = torch.zeros(1, 32, 32)
    mask[:, :8] = 1
    replayed = dataclasses.replace(entry, inputs=dataclasses.replace(entry.inputs, mask=mask))
    classifier = entry.result.classifier
    inside, everywhere = transfer(entry.result, (classifier,), mask=mask[None]), transfer(entry.result, (classifier,))
    found = module._transfer(replayed, (classifier,)).verdicts[0].noise
    assert found is not None
    torch.testing.assert_close(found, inside.verdicts[0].noise)
    assert not torch.equal(found, everywhere.verdicts[0].noise)


def test_a_double_click_goes_on_with_another_model_and_leaving_out_forgets_it(bench: Workbench) -> None:
    panel = shown(bench)
    loaded = bench.session.loaded
    run_attack(bench)
    if "signs-bounded" not in [model.name for model in loaded.models]:
        add(bench, "signs-bounded")
    until(lambda: has_rows(bench, "signs-bounded"), "the row")
    place = [row[0] for row in cells(bench)].index("signs-bounded")
    index = panel.table.model().index(place, 0)
    at = panel.table.visualRect(index).center()
    QTest.mouseClick(panel.table.viewport(), panel_button(), pos=at)
    QTest.mouseDClick(panel.table.viewport(), panel_button(), pos=at)
    until(lambda: bench.session.classifier is not None and bench.session.classifier.name == "signs-bounded", "the other model")
    (signs,) = [model for model in loaded.models if model.name == "signs"]
    from gui.session.swap_model import swap_classifier

    swap_classifier(bench.session, lambda: signs, busy="", done=lambda _: None, failed=lambda _: None)
    until(lambda: bench.session.classifier is signs, "the first model")
    bounded = next(model for model in loaded.models if model.name == "signs-bounded")
    loaded.remove(bounded)
    assert bounded not in loaded.models


def panel_button() -> object:
    from PySide6.QtCore import Qt

    return Qt.MouseButton.LeftButton


def test_a_checkpoint_is_asked_beside_the_model_on_the_canvas(bench: Workbench, tmp_path: Path) -> None:
    import engine
    from gui.widgets.checkpoint_dialog import CheckpointDialog

    panel = shown(bench)
    before = bench.session.classifier
    made = engine.models.load("signs", device="cpu")
    path = tmp_path / "signs-of-mine.pt"
    torch.save({name: value + 0.001 for name, value in made.module.state_dict().items()}, path)
    panel.open_checkpoint(path)
    until(lambda: panel.findChild(CheckpointDialog) is not None, "the question")
    dialog = panel.findChild(CheckpointDialog)
    assert dialog.chosen == "signs"
    dialog.accept()
    until(lambda: any("signs-of-mine" in str(model.source) for model in bench.session.loaded.models), "the model")
    assert bench.session.classifier is before
    for model in bench.session.loaded.models[1:]:
        bench.session.loaded.remove(model)


@pytest.mark.slow
def test_networks_of_torchvision_are_in_the_menu(bench: Workbench) -> None:
    panel = shown(bench)
    panel.menu.aboutToShow.emit()
    until(lambda: not bench.session.waiting("transfer.models"), "the list")
    panel.menu.aboutToShow.emit()
    names = {action.text(): action for action in panel.menu.actions()}
    assert "torchvision:resnet18" in names
    assert "Open checkpoint…" in names


def test_a_model_of_ones_own_code_and_a_checkpoint_are_asked_too(bench: Workbench, tmp_path: Path) -> None:
    import engine
    from gui.widgets.model_dialogs import CodeDialog

    panel = shown(bench)
    run_attack(bench)
    shipped = engine.models.load("signs")
    torch.save({name: value * (1 + 1e-6) for name, value in shipped.module.state_dict().items()}, tmp_path / "mine.pt")
    (tmp_path / "own.py").write_text(
        "import engine\n\n\ndef make():\n    found = engine.models.load('signs')\n    found.module.dense.bias += 1e-4\n"
        "    names = [name.upper().replace(' ', '_') for name in found.labels]\n"
        "    return engine.Classifier(found.module, names, found.input_shape, *found.normalisation, name='own')\n"
    )
    panel.menu.aboutToShow.emit()
    (action,) = [each for each in panel.menu.actions() if each.text() == "From your own code…"]
    action.trigger()
    (dialog,) = (each for each in panel.findChildren(CodeDialog) if each.isVisible())
    dialog.file.setText(str(tmp_path / "own.py"))
    click(dialog.ok)
    until(lambda: has_rows(bench, "own"), "the model of the code")
    panel.add(str(tmp_path / "mine.pt"), architecture="signs")
    until(lambda: has_rows(bench, "own", "mine"), "the checkpoint")
    verdicts = {row[0]: row[-1] for row in cells(bench)}
    # Its classes differ in case and underscores alone, so that they are the same; and its weights are nearly those of the attacked model.
    assert verdicts["own"] == verdicts["signs"]


def test_the_heading_names_the_stickers_that_lie_on_the_clean_image(bench: Workbench) -> None:
    panel = shown(bench)
    draw(bench)
    run_attack(bench)
    until(lambda: not empty_text(panel), "the table")
    model = panel.table.model()
    heads = [model.headerData(column, Qt.Orientation.Horizontal).strip("\u2002") for column in range(model.columnCount())]
    assert "clean, with stickers" in heads
    bench.session.commit_stickers((), "Clear")
    run_attack(bench)
    until(lambda: model.headerData(1, Qt.Orientation.Horizontal).strip("\u2002") == "clean", "the table of the run without stickers")
