"""The tour's stages of studies: the commands, a study that was opened again, one whose model is gone, and one that is damaged."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QMenu

from gui.session.stand_in import is_stand_in
from gui.shell.opening import open_file
from tests.gui.driving import settle, until

if TYPE_CHECKING:
    from tests.gui.tour.tour import Tour


def commands(tour: Tour) -> None:
    """The File menu with the commands of studies."""
    bar = tour.window.menuBar()
    menu = next(action.menu() for action in bar.actions() if action.text() == "File")
    assert isinstance(menu, QMenu)
    menu.popup(bar.mapToGlobal(bar.rect().bottomLeft()))
    settle()
    menu.grab().save(str(tour.next_path("study-menu")))
    menu.close()


def opened_again(tour: Tour) -> None:
    """A study is saved, another begun, and the first one opened again: everything is there."""
    session, path = tour.session, _folder() / "tour.gibbon"
    session.studies.save(path)
    until(lambda: session.studies.path == path, "the save")
    runs, stickers = [run.title for run in session.history.entries], session.stickers
    session.studies.new()
    until(lambda: session.studies.path is None, "the new study")
    settle()
    tour.picture("study-new")
    open_file(tour.window, path)
    until(lambda: session.studies.path == path and session.frame is not None and not is_stand_in(session.classifier), "the study")
    settle()
    assert [run.title for run in session.history.entries] == runs
    assert len(session.stickers) == len(stickers)
    tour.picture("study-opened")


def model_gone(tour: Tour) -> None:
    """A study of a checkpoint that is gone shows what was recorded."""
    import torch

    import engine
    from engine import attacks, study

    weights = _folder() / "mine.pt"
    torch.manual_seed(0)
    torch.save(engine.models.ARCHITECTURES["signs"].build().state_dict(), weights)
    classifier = engine.models.load(weights, architecture="signs", device="cpu")
    image = engine.images.read(next(s for s in engine.images.samples() if s.label_name == "Stop").path, classifier)
    path = study.write(study.Study.of(engine.run(attacks.PGD(steps=5), classifier, image[None])), _folder() / "gone.gibbon")
    weights.unlink()
    session = tour.session
    open_file(tour.window, path)
    until(lambda: session.studies.path == path and session.frame is not None, "the study")
    settle()
    assert is_stand_in(session.classifier)
    tour.picture("study-model-gone")


def damaged(tour: Tour) -> None:
    """A damaged study leaves everything as it is, and is refused in a sentence."""
    tour.error_expected = True
    path = _folder() / "damaged.gibbon"
    path.write_bytes(b"PK\x03\x04 and no more")
    said: list[str] = []
    connection = tour.session.notice.connect(said.append)
    open_file(tour.window, path)
    until(lambda: said, "the sentence")
    tour.session.notice.disconnect(connection)
    settle()
    tour.picture("study-damaged")
    open_file(tour.window, _folder() / "tour.gibbon")
    until(lambda: tour.session.frame is not None and not is_stand_in(tour.session.classifier), "the tour's study")


_made: list[tempfile.TemporaryDirectory[str]] = []


def _folder() -> Path:
    """Return the folder of the tour's studies, which is removed at its end."""
    if not _made:
        _made.append(tempfile.TemporaryDirectory())
    return Path(_made[0].name)


STAGES = (commands, opened_again, model_gone, damaged)
