"""What attacks find becomes stickers on the canvas, and so do ready patches from files: by buttons, menus and drops."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch
from PySide6.QtCore import QMimeData, QPoint, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication

from engine.stickers import Pixels
from gui.panels.results.stickers_view import StickersView
from gui.session.found_stickers import found_stickers
from gui.session.state import AttackSettings
from tests.gui.driving import action, choose_attack, click, press_keys, run_attack, settle, until

if TYPE_CHECKING:
    from gui.app import Workbench
    from gui.session.log_entry import LogEntry


def stickers_page(bench: Workbench) -> StickersView:
    """Bring the Results dock up, and its tab of the stickers to the front."""
    bench.window.bring_up("results")
    settle()
    tabs = bench.window.panels["results"].tabs
    place = next(place for place in range(tabs.count()) if tabs.tabText(place) == "Stickers")
    click(tabs.tabBar(), tabs.tabBar().tabRect(place).center())
    settle()
    found = tabs.widget(place)
    assert isinstance(found, StickersView)
    return found


def canvas_shows(bench: Workbench, image: torch.Tensor) -> bool:
    frame = bench.session.frame
    return frame is not None and frame.scene.stickers == bench.session.stickers and torch.equal(frame.observation.adversarial_image, image)


@pytest.mark.parametrize(
    ("title", "parameters"), [("Sticker search", {}), ("RP2", {"steps": 6, "search_steps": 6, "samples": 2, "fresh": 0})]
)
def test_one_button_puts_what_was_found_on_the_canvas_and_undo_takes_it_away(
    bench: Workbench, title: str, parameters: dict[str, object]
) -> None:
    session = bench.session
    choose_attack(bench, title)
    session.change(settings=AttackSettings(parameters))
    run_attack(bench)
    run = session.history.shown
    assert run is not None
    found = found_stickers(run)
    assert found
    assert session.delta is not None
    assert session.stickers == ()
    page = stickers_page(bench)
    assert page.table.model().rowCount() == len(found)
    click(page.button)
    expected = run.result.adversarial[0]
    until(lambda: bool(session.stickers) and canvas_shows(bench, expected), "the stickers on the canvas")
    assert session.delta is None
    assert [(each.x, each.y, each.width, each.height) for each in session.stickers] == [
        (each.x, each.y, each.width, each.height) for each in found
    ]
    assert len({each.id for each in session.stickers}) == len(found)
    press_keys(bench.window, "Ctrl+Z")
    until(lambda: session.history.shown is run, "the run on the canvas")
    assert session.stickers == ()
    assert session.delta is not None
    assert action(bench, "put_found_stickers").isEnabled()
    action(bench, "put_found_stickers").trigger()
    until(lambda: bool(session.stickers) and canvas_shows(bench, expected), "the stickers on the canvas")
    settle()
    assert not action(bench, "put_found_stickers").isEnabled()


def test_a_run_without_stickers_has_nothing_to_put(bench: Workbench) -> None:
    choose_attack(bench, "FGSM")
    run_attack(bench)
    assert found_stickers(bench.session.history.shown) == ()
    assert not action(bench, "put_found_stickers").isEnabled()


# ---------------------------------------------------------------------- ready patches


def drop(bench: Workbench, path: Path) -> None:
    """Drop a file on the canvas."""
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path))])
    canvas, left, none = bench.window.canvas, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    at = QPoint(40, 40)
    QApplication.sendEvent(canvas, QDragEnterEvent(at, Qt.DropAction.CopyAction, mime, left, none))
    QApplication.sendEvent(canvas, QDropEvent(at, Qt.DropAction.CopyAction, mime, left, none))


def patch(side: int = 6) -> torch.Tensor:
    return torch.rand(3, side, side, generator=torch.Generator().manual_seed(2)).clamp_min(0.01)


@pytest.mark.parametrize("suffix", [".pt", ".npy"])
def test_a_dropped_patch_becomes_a_sticker_with_its_pixels(bench: Workbench, tmp_path: Path, suffix: str) -> None:
    import numpy as np

    path = tmp_path / f"panda{suffix}"
    if suffix == ".pt":
        torch.save(patch(), path)
    else:
        np.save(path, patch().numpy())
    drop(bench, path)
    session = bench.session
    until(lambda: session.stickers, "the sticker")
    (sticker,) = session.stickers
    assert isinstance(sticker.content, Pixels)
    assert torch.equal(sticker.content.image, patch())
    assert (sticker.width, sticker.height, sticker.name) == (6, 6, "panda")
    assert session.selected == sticker.id
    press_keys(bench.window, "Ctrl+Z")
    assert session.stickers == ()


def test_a_patch_larger_than_the_image_is_made_half_as_large_as_it(bench: Workbench, tmp_path: Path) -> None:
    torch.save(patch(100), tmp_path / "large.pt")
    drop(bench, tmp_path / "large.pt")
    until(lambda: bench.session.stickers, "the sticker")
    (sticker,) = bench.session.stickers
    assert (sticker.width, sticker.height) == (16, 16)


class _Runs:
    """Asks for a call when it is read."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return print, ("run",)


def test_a_patch_file_with_code_is_refused_in_a_sentence(bench: Workbench, logged: list[LogEntry], tmp_path: Path) -> None:
    import gzip

    path = tmp_path / "bad.gz"
    with gzip.open(path, "wb") as file:
        pickle.dump(_Runs(), file)
    drop(bench, path)
    until(lambda: any(entry.kind == "error" for entry in logged), "the sentence")
    assert any("holds code" in entry.text for entry in logged)
    assert bench.session.stickers == ()


def test_weights_of_a_network_are_no_patch(tmp_path: Path) -> None:
    from engine.kinds import kind_of

    torch.save({"features.0.weight": torch.rand(8, 3, 3, 3), "features.0.bias": torch.rand(8)}, tmp_path / "a.pt")
    assert kind_of(tmp_path / "a.pt") == "weights"
    torch.save(patch(), tmp_path / "b.pt")
    assert kind_of(tmp_path / "b.pt") == "patch"
    assert kind_of(tmp_path / "gone.npy") == "patch"  # whose opening says that it is gone
