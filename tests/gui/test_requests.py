"""Requests: an effect is carried out whatever is asked for meanwhile; a picture of the moment gives way to a newer one."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest
import torch
from PySide6.QtCore import Qt

from engine.attacks import CATALOGUE
from gui.lanes.engine_thread import EngineThread, stop
from gui.lanes.requests import Requests
from tests.gui.driving import Hold, until
from tests.gui.panel_scenes import attack, drop, grey, open_image, show, small

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from gui.session.log_entry import LogEntry
    from gui.session.session import Session
    from tests.gui.attack_dock import AttackDock


@pytest.fixture
def logged(session: Session) -> list[LogEntry]:
    heard: list[LogEntry] = []
    session.logged.connect(heard.append)
    return heard


def settled(session: Session, *keys: str) -> None:
    until(lambda: not any(map(session.waiting, keys)), f"the responses to {keys}")


def made(folder: Path) -> Path:
    folder.mkdir()
    return folder


# ---------------------------------------------------------------------- effects, while the lane is held


def test_two_exports_leave_two_figures(qtbot: QtBot, session: Session, tmp_path: Path) -> None:
    from gui.export.figure_dialog import FigureDialog
    from gui.settings import Settings

    open_image(qtbot, session)
    dialogs = [FigureDialog(session, Settings()) for _ in range(2)]
    for dialog in dialogs:
        dialog.show()  # each closes itself when its figure is written
    paths = [tmp_path / "first.png", tmp_path / "second.png"]
    with Hold(session):
        for dialog, path in zip(dialogs, paths, strict=True):
            dialog.export_to(path)
    settled(session, "export", "figure")
    assert [path.is_file() for path in paths] == [True, True]


def test_an_export_that_fails_is_said_in_the_dialog_and_the_next_is_written(
    qtbot: QtBot, session: Session, logged: list[LogEntry], tmp_path: Path
) -> None:
    from gui.export.figure_dialog import FigureDialog
    from gui.settings import Settings

    open_image(qtbot, session)
    dialog = FigureDialog(session, Settings())
    dialog.show()
    settled(session, "figure")
    with Hold(session):
        dialog.export_to(tmp_path / "no such folder" / "first.png")
        dialog.export_to(tmp_path / "second.png")
    settled(session, "export")
    (error,) = [entry for entry in logged if entry.kind == "error"]
    assert "no such folder" in error.text
    assert (tmp_path / "second.png").is_file()


def test_images_are_opened_in_the_order_of_asking(qtbot: QtBot, session: Session, tmp_path: Path) -> None:
    from gui.session.open_image import open_path

    open_image(qtbot, session)
    names: list[str] = []
    session.imageChanged.connect(lambda: names.append(session.image["name"]))
    paths = [grey(folder, level) for folder, level in ((made(tmp_path / "a"), 40), (made(tmp_path / "b"), 200))]
    renamed = [path.rename(path.with_name(f"{path.parent.name}.png")) for path in paths]
    with Hold(session):
        for path in renamed:
            open_path(session, path)
    settled(session, "open")
    assert names == ["a.png", "b.png"]
    assert session.clean is not None
    assert float(session.clean.mean()) == pytest.approx(200 / 255, abs=1e-3)


def test_the_image_asked_for_last_stays_where_the_model_is_swapped_between(qtbot: QtBot, session: Session, tmp_path: Path) -> None:
    """The first was cropped for a model that is gone, and is made again behind the second: it does not come out on top."""
    from gui.session.open_image import open_path

    open_image(qtbot, session)
    first = grey(made(tmp_path / "a"), 40)
    second = grey(made(tmp_path / "b"), 200)
    with Hold(session):
        open_path(session, first, label=2)
        session.set_classifier(small(channels=1))
        open_path(session, second)
    settled(session, "open", "frame")
    assert session.photograph is not None
    assert session.photograph.path == second
    assert session.clean is not None
    assert session.clean.shape == (1, 16, 16)


def test_an_image_that_cannot_be_read_does_not_cost_the_one_before(
    qtbot: QtBot, session: Session, logged: list[LogEntry], tmp_path: Path
) -> None:
    from gui.session.open_image import open_path

    open_image(qtbot, session)
    good = grey(tmp_path)
    bad = tmp_path / "bad.png"
    bad.write_text("<html>")
    with Hold(session):
        open_path(session, good)
        open_path(session, bad)
    settled(session, "open")
    assert session.image["name"] == "grey.png"
    assert any("bad.png" in entry.text for entry in logged if entry.kind == "error")


def test_two_pictures_for_two_stickers(qtbot: QtBot, session: Session, tmp_path: Path) -> None:
    from engine.stickers import Pixels
    from gui.panels.stickers import StickersPanel
    from tests.gui.panel_scenes import put_sticker

    open_image(qtbot, session)
    put_sticker(qtbot, session)
    put_sticker(qtbot, session)
    editor = show(qtbot, StickersPanel(session)).editor
    path = grey(tmp_path)
    with Hold(session):
        for sticker in session.stickers:
            editor.pictureChosen.emit(sticker.id, path)
    settled(session, "stickers.image", "frame")
    assert [type(sticker.content) for sticker in session.stickers] == [Pixels, Pixels]


def test_two_perturbations_are_read(qtbot: QtBot, session: Session, tmp_path: Path) -> None:
    from engine.artifacts import Perturbation
    from engine.attacks import save_perturbation
    from gui.panels.results import ResultsPanel

    open_image(qtbot, session)
    panel = show(qtbot, ResultsPanel(session))
    good = save_perturbation(tmp_path / "good.safetensors", Perturbation(torch.zeros(1, 3, 16, 16), "universal"))
    bad = tmp_path / "bad.safetensors"
    bad.write_bytes(b"none")
    with Hold(session):
        panel.load(good)
        panel.load(bad)  # does not take the place of the other
    settled(session, "perturbation")
    assert panel._loaded is not None
    assert panel._loaded.title == "good"


def test_two_places_of_eps_are_kept(qtbot: QtBot, session: Session) -> None:
    open_image(qtbot, session)
    attack(qtbot, session, CATALOGUE["fgsm"](eps=8 / 255))
    (entry,) = session.history.entries
    with Hold(session):
        session.eps.keep(entry, 3 / 255)
        session.eps.keep(entry, 5 / 255)
    settled(session, "moved.kept")
    assert [run.result.operation.eps for run in session.history.entries] == [8 / 255, 3 / 255, 5 / 255]
    assert session.history.shown is session.history.entries[-1]


def test_start_images_come_in_order_and_a_cleared_one_stays_away(
    qtbot: QtBot, probe_panel: AttackDock, session: Session, tmp_path: Path
) -> None:
    first, second = grey(made(tmp_path / "a"), 40), grey(made(tmp_path / "b"), 200)
    with Hold(session):
        drop(probe_panel.start_field, first)
        drop(probe_panel.start_field, second)
    settled(session, "start image")
    assert session.plan.start is not None
    assert session.plan.start.photograph is not None
    assert session.plan.start.photograph.path == second
    with Hold(session):
        drop(probe_panel.start_field, first)
        qtbot.mouseClick(probe_panel.start_field.clear_button, Qt.MouseButton.LeftButton)
    settled(session, "start image")
    assert session.plan.start is None


def test_a_start_image_survives_a_swap_of_the_model(probe_panel: AttackDock, session: Session, tmp_path: Path) -> None:
    with Hold(session):
        drop(probe_panel.start_field, grey(tmp_path))
        session.set_classifier(small(channels=1))
    until(lambda: session.plan.start is not None, "the start image")
    assert session.plan.start is not None
    assert session.plan.start.image.shape == (1, 16, 16)


# ---------------------------------------------------------------------- the two kinds


def test_pictures_give_way_and_effects_do_not(session: Session) -> None:
    seen: list[str] = []
    with Hold(session):
        for name in "abc":
            session.ask("picture", lambda name=name: name, seen.append, what="Painting")
            session.ask("effect", lambda name=name: f"effect {name}", seen.append, what="Writing", keep=True)
    settled(session, "picture", "effect")
    assert sorted(seen) == ["c", "effect a", "effect b", "effect c"]
    assert [name for name in seen if name.startswith("effect")] == ["effect a", "effect b", "effect c"]


def test_a_failure_is_a_sentence_for_the_log_and_for_whoever_asked(session: Session, logged: list[LogEntry]) -> None:
    from engine import GibbonError

    told: list[str] = []

    def broken() -> None:
        raise RuntimeError("the disk is full")

    def refused() -> None:
        raise GibbonError("There is no such thing. Choose another.")

    session.ask("a", broken, lambda _: None, what="Counting the sheep", failed=told.append)
    session.ask("b", refused, lambda _: None, what="Counting", failed=told.append, quiet=True)
    session.ask("c", broken, lambda _: None, what="Counting the goats", failed=told.append, quiet=True)
    settled(session, "a", "b", "c")
    assert told[0].startswith("Counting the sheep failed: the disk is full.")
    assert told[1] == "There is no such thing. Choose another."
    assert [entry.text for entry in logged] == [told[0], told[2]]  # what nobody expects is in the messages in any case
    assert all("RuntimeError" in entry.details for entry in logged)


def test_the_newest_label_of_what_is_pending_is_shown(session: Session) -> None:
    said: list[str] = []
    session.busyChanged.connect(said.append)
    with Hold(session):
        session.ask("effect", lambda: 0, lambda _: None, what="A", busy="Saving a…", keep=True)
        session.ask("effect", lambda: 0, lambda _: None, what="B", busy="Saving b…", keep=True)
    settled(session, "effect")
    assert said[:2] == ["Saving a…", "Saving b…"]
    assert said[-1] == ""


# ---------------------------------------------------------------------- threads


@pytest.mark.parametrize("background", [False, True])
def test_each_lane_takes_the_count_that_was_measured(
    qtbot: QtBot, session: Session, monkeypatch: pytest.MonkeyPatch, background: bool
) -> None:
    import engine

    for count in (3, 2):
        monkeypatch.setattr(engine.Classifier, "threads", lambda _self, count=count: count)
        open_image(qtbot, session, small(seed=count))
        settled(session, "threads")
        seen: list[int] = []
        session.ask("count", torch.get_num_threads, seen.append, what="Counting", background=background)
        settled(session, "count")
        assert seen == [count]
        assert session.threads == count


def test_what_some_work_does_to_the_count_does_not_last(session: Session) -> None:
    """A model of one's own may set it when its file is read."""
    session.background.use_threads(2)
    seen: list[int] = []
    session.ask("rude", lambda: torch.set_num_threads(1), lambda _: None, what="Setting", background=True)
    settled(session, "rude")
    session.ask("count", torch.get_num_threads, seen.append, what="Counting", background=True)
    settled(session, "count")
    assert seen == [2]


def test_a_run_keeps_the_count_that_it_began_with(session: Session) -> None:
    """Its record names one count, and with another its digits would be others."""
    from gui.lanes.jobs import Job

    counts: list[int] = []

    def steps() -> Iterator[object]:
        from engine.operation import Step

        for index in range(1000):
            counts.append(torch.get_num_threads())
            yield Step(index, None)
            time.sleep(0.001)

    lane = session.background
    lane.use_threads(2)
    first = lane.submit(Job("first", steps))  # type: ignore[arg-type]
    until(lambda: len(counts) > 3, "some steps")
    lane.use_threads(3)
    seen: list[int] = []
    session.ask("count", torch.get_num_threads, seen.append, what="Counting", background=True)
    settled(session, "count")
    before = len(counts)
    until(lambda: len(counts) > before + 3, "more steps")
    lane.cancel(first)
    assert seen == [3]
    assert set(counts) == {2}
    assert first.threads == 2


# ---------------------------------------------------------------------- the end


@pytest.fixture
def lanes() -> Iterator[tuple[EngineThread, EngineThread, Requests]]:
    """Two running lanes of their own, to be stopped in the test."""
    from PySide6.QtCore import QObject

    parent = QObject()
    front = EngineThread("front", parent)
    back = EngineThread("back", parent, behind=front)
    for lane in (front, back):
        lane.start()
    yield front, back, Requests(front, back, parent)
    assert stop((back, front))


def hang(lane: EngineThread) -> threading.Event:
    """Keep a lane busy until the event is set."""
    begun, let_go = threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        let_go.wait(20)

    lane.ask("hang", work)
    assert begun.wait(20)
    return let_go


def test_what_was_asked_for_is_written_while_the_window_closes(
    qapp: object, lanes: tuple[EngineThread, EngineThread, Requests], tmp_path: Path
) -> None:
    front, back, requests = lanes
    let_go = hang(front), hang(back)
    delivered: list[object] = []
    paths = [tmp_path / f"{number}.txt" for number in range(4)]
    for number, path in enumerate(paths):
        requests.ask("save", lambda path=path: path.write_text("x"), delivered.append, what="Saving", keep=True, background=number % 2 == 0)
    drawn: list[int] = []
    requests.ask("picture", lambda: drawn.append(1), delivered.append, what="Painting")
    for event in let_go:
        threading.Timer(0.1, event.set).start()
    assert stop((back, front))
    assert [path.exists() for path in paths] == [True] * 4
    assert drawn == []  # a picture that nobody will see
    assert requests.close() == []
    until(lambda: True, "events")
    assert delivered == []  # the window is gone


def test_what_could_not_be_done_before_the_end_is_said(qapp: object, lanes: tuple[EngineThread, EngineThread, Requests]) -> None:
    front, back, requests = lanes

    def broken() -> None:
        raise RuntimeError("the disk is full")

    def slow() -> None:
        while time.perf_counter() < front._leave_by:
            time.sleep(0.01)

    let_go = hang(front)
    requests.ask("save", broken, lambda _: None, what="Saving a.png", keep=True, background=True)
    requests.ask("save", slow, lambda _: None, what="Saving b.png", keep=True)
    requests.ask("save", lambda: None, lambda _: None, what="Saving c.png", keep=True)
    requests.ask("picture", lambda: None, lambda _: None, what="Painting")
    threading.Timer(0.05, let_go.set).start()
    assert stop((back, front), 2000), "b begins in time and ends before the end of the time, c would begin too late"
    sentences = sorted(requests.close())
    assert sentences[0].startswith("Saving a.png failed: the disk is full.")
    assert sentences[1:] == ["Saving c.png was not finished before the window closed. Do it again."]
