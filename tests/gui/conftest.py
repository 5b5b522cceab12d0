"""Fixtures of the window: sessions, settings and windows, and a check that no test leaves a thread or timer behind."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
import shiboken6
from PySide6.QtCore import QObject, QThread, QTimer

from tests.gui.driving import destroy, open_window, settle, until, wait_ready
from tests.gui.patience import PatientBot

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication
    from pytestqt.qtbot import QtBot

    from engine.stickers import Sticker
    from gui.app import Workbench
    from gui.canvas import ImageCanvas
    from gui.session.log_entry import LogEntry
    from gui.session.session import Session
    from gui.settings import Settings
    from tests.gui.attack_dock import AttackDock
    from tests.gui.canvas_events import Owner


@pytest.fixture
def qtbot(qapp: QApplication, request: pytest.FixtureRequest) -> PatientBot:
    """Return the bot of pytest-qt, with the patience that a loaded machine needs."""
    return PatientBot(request)


@pytest.fixture(autouse=True)
def settings() -> Iterator[Settings]:
    """Return empty settings, in the home folder that tests/conftest.py makes for the run."""
    from gui.settings import Settings

    made = Settings()
    made.store.clear()
    yield made
    made.store.clear()
    made.store.sync()


@pytest.fixture(autouse=True, scope="module")
def _plain_application(qapp: QApplication) -> Iterator[None]:
    """Restore the application's style and palette, which a window sets, so that the order of the files does not matter."""
    before = qapp.palette()
    yield
    qapp.setStyleSheet("")
    qapp.setPalette(before)


@pytest.fixture(autouse=True, scope="module")
def _no_collection_at_any_time() -> Iterator[None]:
    """Keep Python's collector off while a window may stand, and on again for tests of the engine, which would fill the memory."""
    gc.disable()
    yield
    gc.enable()


@pytest.fixture(autouse=True)
def _no_leaks(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fail a test that leaves a thread or a repeating timer running, and name that."""
    begun: list[tuple[QObject, str]] = []
    for kind in (QThread, QTimer):
        _note_starts(monkeypatch, kind, begun)
    yield
    monkeypatch.undo()
    left = [text for thing, text in begun if shiboken6.isValid(thing) and _active(thing)]
    begun.clear()
    assert not left, f"left behind: {'; '.join(left)}. End it in the test: session.shut_down(), timer.stop(), or qtbot.addWidget(window)."


def _note_starts(monkeypatch: pytest.MonkeyPatch, kind: type, begun: list[tuple[QObject, str]]) -> None:
    start = kind.start

    def noting(self: Any, *arguments: Any) -> Any:
        begun.append((self, f"{type(self).__name__} “{self.objectName()}” of {type(self.parent()).__name__}"))
        return start(self, *arguments)

    monkeypatch.setattr(kind, "start", noting)


def _active(thing: QObject) -> bool:
    if isinstance(thing, QThread):
        return thing.isRunning()
    assert isinstance(thing, QTimer)
    return thing.isActive() and not thing.isSingleShot()


@pytest.fixture(autouse=True)
def _garbage() -> Iterator[None]:
    """Collect between tests and in this thread, never in an engine thread, where it would destroy widgets (see gui/shell/garbage.py)."""
    yield
    gc.collect()
    gc.freeze()  # objects of module and session fixtures need not be examined again


@pytest.fixture
def session(qapp: object) -> Iterator[Session]:
    """Return a session whose engine threads run, without a model or an image."""
    from gui.session.session import Session

    made = Session()
    for lane in (made.lane, made.background):
        lane.start()
    yield made
    assert made.shut_down()


@pytest.fixture
def empty_canvas(qtbot: QtBot) -> ImageCanvas:
    """Return a canvas alone, without images."""
    from gui.canvas import ImageCanvas

    made = ImageCanvas()
    qtbot.addWidget(made)
    made.resize(900, 520)
    made.show()
    qtbot.waitExposed(made)
    return made


@pytest.fixture
def canvas(empty_canvas: ImageCanvas) -> ImageCanvas:
    """Return a canvas alone, with two images of 32 by 32 pixels."""
    from tests.gui.canvas_events import images

    empty_canvas.set_images(*images())
    return empty_canvas


@pytest.fixture
def stickers() -> tuple[Sticker, ...]:
    """Return the stickers of `owner`: none, unless a file of tests has its own."""
    return ()


@pytest.fixture
def owner(canvas: ImageCanvas, stickers: tuple[Sticker, ...]) -> Owner:
    """Return the owner of the canvas's stickers, in place of a session."""
    from tests.gui.canvas_events import Owner

    return Owner(canvas, stickers)


@pytest.fixture
def attack_panel(qtbot: QtBot, session: Session, monkeypatch: pytest.MonkeyPatch) -> AttackDock:
    """Return the Attack dock alone, with the probe in its list, without a model or an image."""
    from engine.attacks import CATALOGUE
    from gui.panels.attack import AttackPanel
    from tests.gui.attack_dock import AttackDock
    from tests.gui.panel_scenes import show
    from tests.gui.probe_attack import Probe

    monkeypatch.setitem(CATALOGUE, "probe", Probe)
    session.change(ready=True)
    return AttackDock(show(qtbot, AttackPanel(session), 320, 800), session)


@pytest.fixture
def probe_panel(qtbot: QtBot, attack_panel: AttackDock, session: Session, tmp_path_factory: pytest.TempPathFactory) -> AttackDock:
    """Return the Attack dock with an image, a folder of twelve images as data set, and the probe chosen."""
    from tests.gui.panel_scenes import grey_folder, open_image

    open_image(qtbot, session)
    attack_panel.choose("probe")
    attack_panel.data.add_folder(grey_folder(tmp_path_factory.mktemp("data"), 12, 16))
    attack_panel.data.count.setValue(12)
    return attack_panel


@pytest.fixture(scope="module")
def window(qapp: QApplication) -> Iterator[Workbench]:
    """Return one window for all tests of a file, since loading the engine takes seconds."""
    bench = open_window()
    wait_ready(bench)
    yield bench
    bench.window.close()
    assert bench.shut_down()
    destroy(bench.window)


@pytest.fixture
def bench(window: Workbench) -> Workbench:
    """Return the window with the stop sign and PGD, without stickers, perturbation, bound or run."""
    from gui.session.open_image import open_path
    from gui.session.swap_model import samples_for

    session = window.session
    session.runs.cancel()
    until(lambda: not session.runs.running, "the end of the run before")
    assert session.classifier is not None
    sample = next(sample for sample in samples_for(session.classifier) if sample.label_name == "Stop")
    before = session.clean
    for entry in session.history.entries:
        session.remove_runs(entry.number)
    session.change(bounds={}, stickers=(), region="image", target=None, compared=(), **session.plan.choosing("pgd"))
    open_path(session, sample.path, sample.label)
    until(lambda: session.clean is not before and session.frame is not None and session.frame.scene.clean is session.clean, "the sample")
    session.undo_stack.clear()
    window.window.canvas.set_tool("select")
    window.window.canvas.set_view("side")
    window.window.workspaces.switch("attack")
    window.window.canvas.fit()
    settle()
    return window


@pytest.fixture
def said(bench: Workbench) -> Iterator[list[str]]:
    """Notices."""
    heard: list[str] = []
    connection = bench.session.notice.connect(heard.append)
    yield heard
    bench.session.notice.disconnect(connection)


@pytest.fixture
def logged(bench: Workbench) -> Iterator[list[LogEntry]]:
    heard: list[LogEntry] = []
    connection = bench.session.logged.connect(heard.append)
    yield heard
    bench.session.logged.disconnect(connection)
