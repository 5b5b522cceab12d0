"""The Image dock with a real session, the shipped sign model and real files."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from PIL import Image
from PySide6.QtCore import QMimeData, QPointF, Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication, QLabel

import engine
from gui.panels.image import ImagePanel
from gui.session import open_image
from gui.session.swap_model import samples_for
from tests.gui.panel_scenes import newest_frame
from tests.gui.seen import named

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from engine import Classifier
    from gui.session.session import Session


@pytest.fixture(scope="module")
def signs() -> Classifier:
    return engine.models.load("signs", device="cpu")


@pytest.fixture
def panel(qtbot: QtBot, session: Session, signs: Classifier) -> ImagePanel:
    made = ImagePanel(session)
    qtbot.addWidget(made)
    made.resize(320, 800)
    made.show()
    session.change(ready=True)
    session.set_classifier(signs)
    qtbot.waitUntil(lambda: made.samples.grid.count > 0)
    return made


def pick(qtbot: QtBot, panel: ImagePanel, row: int) -> None:
    grid = panel.samples.grid
    grid.scrollTo(grid.model().index(row, 0))
    place = grid.visualRect(grid.model().index(row, 0)).center()
    qtbot.mouseClick(grid.viewport(), Qt.MouseButton.LeftButton, pos=place)


def photograph(folder: Path, size: tuple[int, int] = (300, 200)) -> Path:
    """Left red, right blue."""
    pixels = np.zeros((size[1], size[0], 3), np.uint8)
    pixels[:, : size[0] // 2, 0] = 200
    pixels[:, size[0] // 2 :, 2] = 200
    path = folder / "halves.png"
    Image.fromarray(pixels).save(path)
    return path


def test_before_an_image_is_open_the_dock_says_how_to_open_one(panel: ImagePanel) -> None:
    assert named(panel, QLabel, "No image is open. Open one below, drop a file on the window, or choose a sample.").isVisible()
    assert not panel.current.isVisible()


def test_a_sample_is_opened_with_its_label(qtbot: QtBot, panel: ImagePanel, session: Session, signs: Classifier) -> None:
    assert panel.samples.grid.count == len(samples_for(signs))
    with newest_frame(qtbot, session):
        pick(qtbot, panel, 0)
    assert session.label is not None
    assert signs.labels[session.label] == samples_for(signs)[0].label_name
    assert panel.current.seen.pixmap().width() == 32
    assert session.image["crop"] == list(samples_for(signs)[0].crop or (0, 0, 32, 32))


def test_the_crop_decides_what_the_model_sees(qtbot: QtBot, panel: ImagePanel, session: Session, tmp_path: Path) -> None:
    with newest_frame(qtbot, session):
        open_image.open_path(session, photograph(tmp_path))
    crop = panel.current.crop
    assert crop.isVisible()
    assert crop.crop == (50, 0, 200, 200)
    with qtbot.waitSignal(session.imageChanged):
        centre = crop.crop_rect().center()
        _drag(crop, centre, centre + QPointF(-400, 0))
    assert session.image["crop"][:2] == [0, 0]
    assert crop.crop == (0, 0, 200, 200)
    clean = session.clean
    assert clean is not None
    assert float(clean[0].mean()) > float(clean[2].mean())  # more of the red half than before


def _drag(widget: object, start: QPointF, end: QPointF) -> None:
    from PySide6.QtCore import QEvent
    from PySide6.QtGui import QMouseEvent

    left, none = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
    for kind, at, button, buttons in (
        (QEvent.Type.MouseButtonPress, start, left, left),
        (QEvent.Type.MouseMove, end, none, left),
        (QEvent.Type.MouseButtonRelease, end, left, none),
    ):
        event = QMouseEvent(kind, at, widget.mapToGlobal(at), button, buttons, Qt.KeyboardModifier.NoModifier)  # type: ignore[attr-defined]
        QApplication.sendEvent(widget, event)  # type: ignore[arg-type]


def test_notes_about_the_file_are_shown(qtbot: QtBot, panel: ImagePanel, session: Session, tmp_path: Path) -> None:
    path = tmp_path / "alpha.png"
    Image.new("RGBA", (40, 40), (255, 0, 0, 0)).save(path)
    with newest_frame(qtbot, session):
        open_image.open_path(session, path)
    assert "alpha" in panel.current.notes.text
    assert panel.current.notes.isVisible()
    assert session.clean is not None
    assert float(session.clean.min()) == 1.0


def test_noise_is_the_same_for_the_same_seed(qtbot: QtBot, panel: ImagePanel, session: Session) -> None:
    images = []
    for seed in (3, 4, 3):
        panel.seed.setValue(seed)
        with qtbot.waitSignal(session.imageChanged):
            qtbot.mouseClick(panel.noise_button, Qt.MouseButton.LeftButton)
        assert session.clean is not None
        images.append(session.clean)
    assert torch.equal(images[0], images[2])
    assert not torch.equal(images[0], images[1])
    assert 0.45 < float(images[0].mean()) < 0.55
    assert float(images[0].std()) > 0.25
    assert session.label is None
    assert session.image["name"] == "noise, seed 3"


def test_an_image_is_pasted(qtbot: QtBot, panel: ImagePanel, session: Session) -> None:
    picture = QImage(20, 10, QImage.Format.Format_RGB32)
    picture.fill(Qt.GlobalColor.green)
    mime = QMimeData()
    mime.setImageData(picture)
    QApplication.clipboard().setMimeData(mime)
    with qtbot.waitSignal(session.imageChanged):
        qtbot.mouseClick(panel.paste_button, Qt.MouseButton.LeftButton)
    assert session.clean is not None
    assert session.clean[1].min() == 1
    assert session.clean[0].max() == 0


def test_an_empty_clipboard_is_a_sentence(qtbot: QtBot, panel: ImagePanel, session: Session) -> None:
    QApplication.clipboard().clear()
    with qtbot.waitSignal(session.notice) as said:
        qtbot.mouseClick(panel.paste_button, Qt.MouseButton.LeftButton)
    assert "clipboard" in said.args[0]
    assert session.clean is None


def test_a_data_set_is_browsed_and_an_image_opened_with_its_class(
    qtbot: QtBot, panel: ImagePanel, session: Session, signs: Classifier, tmp_path: Path
) -> None:
    for k, name in enumerate(("Stop", "Yield")):
        (tmp_path / name).mkdir()
        for i in range(30):
            Image.new("RGB", (32, 32), (200 * k, 8 * i, 0)).save(tmp_path / name / f"{i:02}.png")
    sets = panel.data_sets
    sets.chooser.add_folder(tmp_path)
    sets.load()
    qtbot.waitUntil(lambda: sets.grid.count == 48)
    assert sets.position.text() == "1–48 of 60"
    assert not sets.back.isEnabled()
    sets.forth.click()
    assert sets.grid.count == 12
    assert sets.position.text() == "49–60 of 60"
    assert not sets.forth.isEnabled()
    sets.classes.chosen.emit(1)
    assert sets.position.text() == "1–30 of 30"
    with qtbot.waitSignal(session.imageChanged):
        sets.grid._on_clicked(sets.grid.model().index(5, 0))
    assert session.label == signs.labels.index("Yield")
    assert session.clean is not None
    assert torch.equal((session.clean[:, 0, 0] * 255).round().int(), torch.tensor([200, 40, 0], dtype=torch.int32))
    assert "image 36 of 60" in session.image["name"]


def test_a_drawn_data_set_needs_no_file(qtbot: QtBot, panel: ImagePanel, session: Session) -> None:
    sets = panel.data_sets
    sets.chooser.choose("generated:signs")
    sets.chooser.count.setValue(5)
    sets.load()
    qtbot.waitUntil(lambda: sets.grid.count == 5)


def test_an_image_opened_while_a_data_set_loads_does_not_wait_for_it(
    qtbot: QtBot, panel: ImagePanel, session: Session, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    through, loading = threading.Event(), engine.data.loading

    def held(*arguments: Any, **options: Any) -> Any:
        assert through.wait(20)
        return (yield from loading(*arguments, **options))

    monkeypatch.setattr(engine.data, "loading", held)
    sets = panel.data_sets
    sets.chooser.choose("generated:signs")
    sets.chooser.count.setValue(5)
    try:
        sets.load_button.click()
        with newest_frame(qtbot, session):
            open_image.open_path(session, photograph(tmp_path))
        assert session.image["name"] == "halves.png"
        assert sets.grid.count == 0
        assert session.waiting("data")
    finally:
        through.set()
    qtbot.waitUntil(lambda: sets.grid.count == 5)


def test_an_empty_folder_is_a_sentence(qtbot: QtBot, panel: ImagePanel, session: Session, tmp_path: Path) -> None:
    sets = panel.data_sets
    sets.chooser.add_folder(tmp_path)
    sets.load()
    qtbot.waitUntil(lambda: sets.message.text != "")
    assert "holds no images" in sets.message.text


def test_another_model_lists_other_samples(qtbot: QtBot, panel: ImagePanel, session: Session) -> None:
    digits = engine.models.load("digits", device="cpu")
    session.set_classifier(digits)
    qtbot.waitUntil(lambda: panel.samples.grid.count == len(samples_for(digits)))
    with newest_frame(qtbot, session):
        pick(qtbot, panel, 3)
    assert session.label == 3
    assert panel.current.seen.pixmap().width() == 28
