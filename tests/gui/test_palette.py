"""The command palette: what it finds, in which order, and that keys and mouse carry it out on the real window."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from engine.attacks import CATALOGUE
from gui.shell.actions import SPECS
from gui.shell.palette import CommandPalette, Entry, collect, find
from tests.gui.driving import press_keys, settle, until

if TYPE_CHECKING:
    from gui.app import Workbench


def entry(title: str, kind: str = "Command", words: str = "", *, enabled: bool = True) -> Entry:
    return Entry(title, title, kind, lambda: None, words=words, enabled=enabled)


def titles(entries: list[Entry]) -> list[str]:
    return [found.title for found in entries]


# ---------------------------------------------------------------------- the search


def test_the_beginning_of_a_title_is_the_best_match() -> None:
    entries = [
        entry("Clear perturbation"),
        entry("Perturbation and saliency", "Panel"),
        entry("Superb"),
        entry("Add noise", words="perturb"),
    ]
    assert titles(find(entries, "per")) == ["Perturbation and saliency", "Clear perturbation", "Superb", "Add noise"][:4]


def test_every_word_has_to_fit_in_any_order() -> None:
    entries = [entry("Export figure…"), entry("Open image…"), entry("Export animation…")]
    assert titles(find(entries, "figure export")) == ["Export figure…"]
    assert find(entries, "figure zebra") == []


def test_initials_are_found() -> None:
    assert titles(find([entry("Open image…"), entry("Export figure…")], "ef")) == ["Export figure…"]


def test_what_was_used_last_comes_first_and_what_cannot_be_done_last() -> None:
    entries = [entry("Run"), entry("Redo", enabled=False), entry("Reset layout")]
    assert titles(find(entries, "", ["Reset layout"])) == ["Reset layout", "Run", "Redo"]
    assert titles(find(entries, "re", ["Redo"])) == ["Reset layout", "Redo"]


def test_marks_in_the_search_are_no_patterns() -> None:
    assert find([entry("Run")], "(*[") == []
    assert titles(find([entry("C&W (L2)")], "(l2)")) == ["C&W (L2)"]


@pytest.mark.parametrize("typed", ["exprot figure", "figure exprt", "figrue exportt", "expert figure", "fugure export", "FIGURE  EXPORT"])
def test_slips_of_the_fingers_are_forgiven(typed: str) -> None:
    entries = [entry("Open image…"), entry("Export figure…"), entry("Export animation…"), entry("Expand")]
    assert titles(find(entries, typed)) == ["Export figure…"]


def test_what_is_written_rightly_is_not_found_by_a_slip() -> None:
    entries = [entry("Theme: Dark"), entry("Theme: Bark")]
    assert titles(find(entries, "bark")) == ["Theme: Bark"]
    assert titles(find(entries, "zark")) == ["Theme: Dark", "Theme: Bark"]
    assert find(entries, "pq") == []  # two letters are too few to guess
    assert find(entries, "zzrk") == []  # two slips in four letters are too many


@pytest.mark.parametrize(
    ("typed", "title"),
    [("c&w", "C&W L∞"), ("cw linf", "C&W L∞"), ("l∞", "C&W L∞"), ("horvath", "Horváth 2020"), ("HORVÁTH", "Horváth 2020")],
)
def test_signs_and_accents_need_not_be_typed(typed: str, title: str) -> None:
    assert titles(find([entry("C&W L∞"), entry("Horváth 2020"), entry("Run")], typed)) == [title]


# ---------------------------------------------------------------------- the window


def opened(bench: Workbench) -> CommandPalette:
    """The palette that Ctrl+Shift+P opens."""
    press_keys(bench.window, "Ctrl+Shift+P")
    settle()
    found = [widget for widget in QApplication.topLevelWidgets() if isinstance(widget, CommandPalette) and widget.isVisible()]
    assert len(found) == 1
    return found[0]


def test_every_command_attack_preset_panel_and_experiment_is_in_it(bench: Workbench) -> None:
    from engine.reproduce import CATALOGUE as EXPERIMENTS

    entries = collect(bench.window)
    ids = [found.id for found in entries]
    assert len(ids) == len(set(ids))
    assert {f"action.{spec.id}" for spec in SPECS} <= set(ids)
    assert {f"attack.{slug}" for slug in CATALOGUE} <= set(ids)
    assert sum(found.kind == "Preset" for found in entries) == sum(len(attack.presets) for attack in CATALOGUE.values())
    assert {f"panel.{name}" for name in bench.window.docks} <= set(ids)
    assert {f"experiment.{slug}" for slug in EXPERIMENTS} <= set(ids)
    assert any(found.kind == "Sample" and "top" in found.title for found in entries)


@pytest.mark.parametrize(
    ("typed", "id"),
    [
        ("spikes", "panel.activations"),
        ("history", "panel.runs"),
        ("perturbtion", "panel.perturbation"),
        ("robust accuracy", "panel.robustness"),
        ("deepfol", "attack.deepfool"),
        ("c&w l2", "attack.cw-l2"),
        ("hospkipj", "attack.hop-skip-jump"),
        ("madry pdg", "preset.pgd.PGD on MNIST (Madry 2017)"),
        ("tour horvath", "action.guide_horvath"),
        ("keybaord", "action.keyboard_help"),
    ],
)
def test_a_few_letters_find_it(bench: Workbench, typed: str, id: str) -> None:
    assert find(collect(bench.window), typed)[0].id == id


def test_no_two_entries_read_the_same_and_none_lost_its_signs(bench: Workbench) -> None:
    entries = collect(bench.window)
    shown = [(found.title, found.kind) for found in entries]
    assert len(shown) == len(set(shown))
    assert not {found.title for found in entries if found.kind == "Command"} & {found.title for found in entries if found.kind == "Panel"}
    assert not [found.title for found in entries if "  " in found.title]
    assert "Guided tours: Mou & Jaini 2017: digits that are read as others" in [found.title for found in entries]
    assert next(found.keys for found in entries if found.id == "panel.runs")


def test_typing_and_enter_choose_an_attack(bench: Workbench) -> None:
    palette = opened(bench)
    QTest.keyClicks(palette.search, "deepfool")
    QTest.keyClick(palette.search, Qt.Key.Key_Return)
    settle()
    assert bench.session.plan.slug == "deepfool"
    assert bench.session.undo_stack.undoText() == "Choose DeepFool"
    assert not any(isinstance(widget, CommandPalette) and widget.isVisible() for widget in QApplication.topLevelWidgets())


def test_typing_and_enter_load_a_model(bench: Workbench) -> None:
    session = bench.session
    palette = opened(bench)
    QTest.keyClicks(palette.search, "signs-bounded")
    assert palette.model.entries[0].kind == "Model"
    QTest.keyClick(palette.search, Qt.Key.Key_Return)
    until(lambda: session.classifier is not None and session.classifier.name == "signs-bounded", "the model")
    session.undo_stack.undo()
    assert session.classifier.name == "signs"


def test_a_model_of_torchvision_is_found_once_they_are_listed(bench: Workbench) -> None:
    palette = opened(bench)
    QTest.keyClicks(palette.search, "resnet50")
    until(lambda: palette.model.entries and palette.model.entries[0].id == "model.torchvision:resnet50", "the networks")
    assert palette.model.entries[0].kind == "Model"
    palette.close()
    settle()


def test_every_model_of_the_choosers_is_in_it(bench: Workbench) -> None:
    models = bench.session.models
    ids = {found.id for found in collect(bench.window) if found.kind == "Model"}
    assert {f"model.{entry.source}" for entry in models.shipped} <= ids
    assert {f"model.{model.source}" for model in models.recent} <= ids
    assert {f"model.{source}" for source in models.of_session} <= ids


def test_typing_and_enter_show_a_data_set(bench: Workbench) -> None:
    palette = opened(bench)
    QTest.keyClicks(palette.search, "drawn digits")
    assert palette.model.entries[0].id == "data.generated:digits"
    QTest.keyClick(palette.search, Qt.Key.Key_Return)
    browser = bench.window.panels["image"].data_sets
    until(lambda: browser.grid.isVisible() and browser._data is not None and "digits" in browser._data.source, "its images")
    assert browser.chooser.choice.name == "generated:digits"


def test_a_preset_sets_attack_and_parameters(bench: Workbench) -> None:
    found = next(found for found in collect(bench.window) if found.kind == "Preset" and found.id.startswith("preset.pgd."))
    found.do()
    preset = CATALOGUE["pgd"].preset(found.id.removeprefix("preset.pgd."))
    attack, error = bench.session.plan.built
    assert error == ""
    assert {name: getattr(attack, name) for name in preset.values} == dict(preset.values)
    assert bench.session.plan.settings.preset == preset.title
    bench.session.undo_stack.undo()
    assert bench.session.plan.settings.preset == ""


def test_arrows_move_and_a_click_carries_out(bench: Workbench) -> None:
    palette = opened(bench)
    QTest.keyClicks(palette.search, "zoom")
    before = palette.list.currentIndex().row()
    QTest.keyClick(palette.search, Qt.Key.Key_Down)
    assert palette.list.currentIndex().row() == before + 1
    scale = bench.window.canvas.viewpoint.scale
    row = titles(palette.model.entries).index("Zoom in")
    place = palette.list.visualRect(palette.model.index(row, 0)).center()
    QTest.mouseClick(palette.list.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, QPoint(place))
    settle()
    assert bench.window.canvas.viewpoint.scale > scale


def test_what_cannot_be_done_stays_undone(bench: Workbench) -> None:
    palette = opened(bench)
    QTest.keyClicks(palette.search, "cancel")
    assert not palette.model.entries[0].enabled
    QTest.keyClick(palette.search, Qt.Key.Key_Return)
    settle()
    assert palette.isVisible()
    QTest.keyClick(palette, Qt.Key.Key_Escape)
    settle()


def test_nothing_found_is_said(bench: Workbench) -> None:
    palette = opened(bench)
    QTest.keyClicks(palette.search, "qqqq")
    assert palette.nothing.isVisible()
    QTest.keyClick(palette.search, Qt.Key.Key_Return)
    QTest.keyClick(palette, Qt.Key.Key_Escape)
    settle()


def test_a_sample_opens(bench: Workbench) -> None:
    before = bench.session.clean
    sample = next(found for found in collect(bench.window) if found.kind == "Sample" and found.title != "Stop")
    sample.do()
    until(lambda: bench.session.clean is not before, "the sample")


def test_what_was_used_is_remembered(bench: Workbench) -> None:
    palette = opened(bench)
    QTest.keyClicks(palette.search, "reset workspace")
    QTest.keyClick(palette.search, Qt.Key.Key_Return)
    settle()
    again = opened(bench)
    assert again.model.entries[0].title == "Reset workspace"
    again.close()
    settle()


@pytest.mark.parametrize("size", [(720, 450), (1000, 650), (1280, 800)])
def test_it_stays_inside_the_window(bench: Workbench, size: tuple[int, int]) -> None:
    bench.window.resize(*size)
    settle()
    palette = opened(bench)
    assert bench.window.frameGeometry().contains(palette.geometry())
    palette.close()
    settle()
