"""The lock beside a file: one process has it, and one whose process is gone is taken over."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from engine.file_lock import ABANDONED_S, FileLock, alive, began_at


def _written(path: Path, **changes: object) -> FileLock:
    lock = FileLock(path)
    holder = {"pid": os.getpid(), "host": socket.gethostname(), "began": began_at(os.getpid())}
    lock.path.write_text(json.dumps({**holder, **changes}))
    return lock


def _elsewhere(path: Path) -> str:
    """Acquire the lock in another process, and return the number of the process that holds it."""
    script = f"from pathlib import Path; from engine.file_lock import *; h = FileLock(Path({str(path)!r})).acquire(); print(h and h.pid)"
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.strip()


def test_another_process_does_not_get_a_lock_that_is_held_until_it_is_given_back(tmp_path: Path) -> None:
    path = tmp_path / "a.gibbon"
    lock = FileLock(path)
    assert lock.acquire() is None
    assert lock.held
    assert _elsewhere(path) == str(os.getpid())
    lock.release()
    assert not lock.path.exists()
    assert _elsewhere(path) == "None"
    assert FileLock(path).acquire() is None, "the other process has ended without giving it back"


def test_a_lock_of_a_dead_process_or_of_an_earlier_one_of_the_same_number_is_taken_over(tmp_path: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    assert not alive(child.pid)
    assert _written(tmp_path / "a.gibbon", pid=child.pid).acquire() is None
    parent = os.getppid()
    assert _written(tmp_path / "b.gibbon", pid=parent, began=began_at(parent)).acquire() is not None
    assert _written(tmp_path / "b.gibbon", pid=parent, began=began_at(parent) - 100).acquire() is None


def test_a_lock_of_another_computer_holds_while_it_is_refreshed(tmp_path: Path) -> None:
    lock = _written(tmp_path / "a.gibbon", host="elsewhere", pid=1)
    holder = lock.acquire()
    assert holder is not None
    assert holder.words == "a window on elsewhere"
    long_ago = time.time() - ABANDONED_S - 1
    os.utime(lock.path, (long_ago, long_ago))
    assert lock.acquire() is None
    lock.refresh()
    assert lock.path.stat().st_mtime > long_ago + 1


@pytest.mark.parametrize("content", ["", "{}", "[1]", "null", '{"pid": "x", "host": 1, "began": 2}', "ü\0"], ids=repr)
def test_a_damaged_lock_is_no_lock(content: str, tmp_path: Path) -> None:
    lock = FileLock(tmp_path / "a.gibbon")
    lock.path.write_text(content)
    assert lock.acquire() is None


def test_where_nothing_can_be_written_no_lock_is_needed(tmp_path: Path) -> None:
    lock = FileLock(tmp_path / "none" / "a.gibbon")
    assert lock.acquire() is None
    assert not lock.held
    lock.release()


def test_the_last_lock_of_a_file_that_a_process_holds_gives_it_back(tmp_path: Path) -> None:
    path = tmp_path / "a.gibbon"
    one, two = FileLock(path), FileLock(path)
    assert (one.acquire(), two.acquire()) == (None, None)
    one.release()
    one.release()
    assert two.path.exists()
    assert _elsewhere(path) == str(os.getpid())
    two.release()
    assert not two.path.exists()
