"""Sessions that end with their test, settings of its own for each, and a word on every thread or timer that a test leaves behind."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
import shiboken6
from PySide6.QtCore import QObject, QThread, QTimer

if TYPE_CHECKING:
    from gui.session import Session
    from gui.settings import Settings


@pytest.fixture(autouse=True)
def settings() -> Iterator[Settings]:
    """Empty settings; the home folder is the run's own (tests/conftest.py)."""
    from gui.settings import Settings

    made = Settings()
    made.store.clear()
    yield made
    made.store.clear()
    made.store.sync()


@pytest.fixture(autouse=True)
def _no_leaks(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fail the test that leaves a thread running or a repeating timer ticking, and name it."""
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
    """Collect between tests and in this thread, never in an engine thread, where it would destroy widgets (see gui/garbage.py)."""
    gc.disable()
    yield
    gc.collect()
    gc.freeze()  # what a module or session fixture keeps need not be looked at again


@pytest.fixture
def session(qapp: object) -> Iterator[Session]:
    """A session whose engine thread runs; nothing is open."""
    from gui.session import Session

    made = Session()
    made.lane.start()
    yield made
    assert made.shut_down()
