"""The last study at a start: opened again or not, and what is said about it in one sentence."""

from __future__ import annotations

import contextlib
import io
import json
import os
import runpy
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from engine.file_lock import FileLock, began_at
from gui.session.studies.locks import StudyLocks
from gui.session.studies.places import sessions_folder
from gui.settings import Settings
from gui.shell.last_study import LAST, find_last, set_starts_with_last, starts_with_last
from tests.gui.driving import action, settle, until, wait_written

if TYPE_CHECKING:
    from gui.app import Workbench


@pytest.fixture
def study(settings: Settings, tmp_path: Path) -> Path:
    """The file of the last study."""
    path = tmp_path / "two words.gibbon"
    path.touch()
    settings.keep_text(LAST, str(path))
    return path


def left_behind(path: Path) -> None:
    """Leave a lock, as a process that was killed does."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    FileLock(path).path.write_text(json.dumps({"pid": ended.pid, "host": socket.gethostname(), "began": 1.0}))


def test_the_study_that_was_closed_in_order_is_back(settings: Settings, study: Path) -> None:
    last = find_last(settings, StudyLocks(), wanted=True)
    assert last.path == study
    assert last.lock is not None
    assert last.back("2 runs") == "The last study, “two words”, is back, with 2 runs. “New study” begins anew."
    assert last.back("") == "The last study, “two words”, is back. “New study” begins anew."
    last.lock.release()
    assert not find_last(settings, StudyLocks(), wanted=True).crashed


def test_a_crash_is_told_once(settings: Settings, study: Path) -> None:
    left_behind(study)
    last = find_last(settings, StudyLocks(), wanted=True)
    assert last.crashed
    assert last.back("1 run").startswith("Gibbon did not end in order. The last study, “two words”, is back as it was saved at ")
    assert last.lock is not None
    last.lock.release()
    assert not find_last(settings, StudyLocks(), wanted=True).crashed


def test_a_study_that_another_window_holds_is_named(settings: Settings, study: Path) -> None:
    held = {"pid": os.getppid(), "host": socket.gethostname(), "began": began_at(os.getppid())}
    FileLock(study).path.write_text(json.dumps(held))
    last = find_last(settings, StudyLocks(), wanted=True)
    assert last.path is None
    assert last.note == "The last study, “two words”, is open in another window, so this is a new study."


def test_a_study_that_is_gone_or_not_wanted_is_named(settings: Settings, study: Path) -> None:
    last = find_last(settings, StudyLocks(), wanted=False)
    assert (last.path, last.note) == (None, "This is a new study. The last study, “two words”, is under “Open recent”.")
    study.unlink()
    gone = find_last(settings, StudyLocks(), wanted=True)
    assert (gone.path, gone.note) == (None, f"The last study, “two words”, is not where it was, {study.parent}, so this is a new study.")
    mine = sessions_folder() / "session-2026-01-01-000000-1.gibbon"
    settings.keep_text(LAST, str(mine))
    assert find_last(settings, StudyLocks(), wanted=True).note.startswith("The last session is not where it was")


def test_at_the_first_start_nothing_is_said(settings: Settings) -> None:
    settings.keep_text(LAST, "")
    assert find_last(settings, StudyLocks(), wanted=True).note == ""


def test_the_file_menu_switches_it(bench: Workbench) -> None:
    settings, switch = bench.window.settings, action(bench, "start_with_last")
    assert starts_with_last(settings)
    assert switch.isChecked()
    said: list[str] = []
    bench.session.notice.connect(said.append)
    switch.trigger()
    assert not switch.isChecked()
    assert not starts_with_last(Settings())
    switch.trigger()
    assert switch.isChecked()
    assert starts_with_last(Settings())
    assert said == ["The next start begins a new study; the last one is in the File menu.", "The next start opens the last study again."]
    menu = next(each.menu() for each in bench.window.menuBar().actions() if each.text() == "File")
    assert switch in menu.actions()


def test_the_setting_is_kept_between_starts(settings: Settings) -> None:
    set_starts_with_last(settings, False)
    assert not starts_with_last(Settings())
    set_starts_with_last(settings, True)


def test_the_title_says_which_study_it_is_and_whether_it_is_a_copy(bench: Workbench, tmp_path: Path) -> None:
    studies, window = bench.session.studies, bench.window

    def title() -> str:
        settle()
        return window.windowTitle().split(" – ")[1]

    studies.new()
    settle()
    assert title() == "Untitled study"
    studies.save(tmp_path / "one.gibbon")
    until(lambda: studies.path is not None, "the save")
    assert title() == "one"
    studies.save(tmp_path / "two.gibbon")
    until(lambda: studies.name == "two", "the save")
    assert title() == "two"
    studies.open(tmp_path / "one.gibbon", copy=True)
    until(lambda: studies.path is None, "the copy")
    assert title() == "Copy of one"
    bench.session.set_target(3)  # something to save
    studies.autosave()
    until(lambda: studies.file is not None and not studies._saver.busy, "the session's file")
    own = studies.file
    assert own is not None
    studies.open(tmp_path / "two.gibbon")
    until(lambda: studies.path is not None, "the study")
    assert title() == "two"
    studies.open(own)
    until(lambda: studies.path is None, "the session")
    assert title() == "Copy of one", "a session remembers what it is a copy of"
    studies.save(tmp_path / "three.gibbon")
    until(lambda: studies.name == "three", "the save")
    assert title() == "three"
    studies.new()
    until(lambda: studies.path is None, "the new study")
    assert title() == "Untitled study"


@pytest.mark.parametrize("named", [False, True])
def test_the_script_of_a_study_reads_the_images_from_the_study(
    bench: Workbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: bool
) -> None:
    from gui.shell.actions.study import write_study_script
    from tests.gui.driving import run_attack

    session = bench.session
    session.studies.new()
    settle()
    run_attack(bench)
    if named:
        session.studies.save(tmp_path / "mine.gibbon")
        until(lambda: session.studies.path is not None, "the save")
    (tmp_path / "again.gibbon").write_text("another file of that name")
    write_study_script(session, tmp_path / "again.py")
    wait_written(session)
    until(lambda: not session.studies._saver.busy, "the save")
    text = (tmp_path / "again.py").read_text(encoding="utf-8")
    assert "sign-stop-32.png" not in text
    assert f"with_name('{'mine' if named else 'again-2'}.gibbon')".replace("'", '"') in text.replace("'", '"')
    assert (tmp_path / "again.gibbon").read_text() == "another file of that name"
    monkeypatch.chdir(tmp_path)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        runpy.run_path("again.py")
    assert "the recorded bits: True" in printed.getvalue()
    session.studies.new()
    settle()
