"""Saving survives the end of the process at any moment, and a full disk: the file is the last study or the one before, whole."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

import engine
from engine import study
from engine.study import Study

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="children are made by fork")


def _kill_often(folder: Path, times: int, seed: int) -> None:
    path = folder / "a.gibbon"
    study.write(Study(workspace="0"), path)
    arguments = [sys.executable, "-m", "tests.engine.study_saver", str(path), str(times), str(seed)]
    before = 0
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as saver:
        assert saver.stdin is not None
        assert saver.stdout is not None
        for _ in range(times):
            ended, begun = map(int, saver.stdout.readline().split())
            found = study.read(path)
            number = int(found.workspace)
            assert ended <= number <= begun or (ended == 0 and number == before)
            assert len(found.runs) == (1 + number % 8 if number else 0)
            before = number
            saver.stdin.write("\n")
            saver.stdin.flush()
    study.write(Study(), path)
    assert [left.name for left in folder.iterdir()] == ["a.gibbon"], "what the killed left behind is cleared away"


def test_kills_at_random_times_leave_the_last_study_or_the_one_before(tmp_path: Path) -> None:
    _kill_often(tmp_path, 8, seed=1)


@pytest.mark.slow
def test_two_hundred_kills_at_random_times_leave_the_last_study_or_the_one_before(tmp_path: Path) -> None:
    _kill_often(tmp_path, 200, seed=2)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EIO], ids=["full", "over quota", "broken"])
def test_a_write_that_fails_leaves_the_study_before(number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = study.write(Study(workspace="before"), tmp_path / "a.gibbon")

    def fails(_handle: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fails)
    with pytest.raises(engine.GibbonError, match="cannot be written"):
        study.write(Study(workspace="after"), path)
    monkeypatch.undo()
    assert study.read(path).workspace == "before"
    assert [left.name for left in tmp_path.iterdir()] == ["a.gibbon"]


def test_a_really_full_disk_is_told_in_a_sentence(tmp_path: Path) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("there is no /dev/full here")
    from engine.files import replacing

    def write() -> None:
        with replacing(tmp_path / "a.gibbon", durable=True) as staged:
            staged.symlink_to(full)
            staged.write_bytes(b"x" * 100)

    with pytest.raises(engine.GibbonError, match="no space is left"):
        write()
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_and_a_folder_in_the_place_of_the_file_are_told(tmp_path: Path) -> None:
    with pytest.raises(engine.GibbonError, match="cannot be written"):
        study.write(Study(), tmp_path / "none" / "a.gibbon")
    with pytest.raises(engine.GibbonError, match="is a folder"):
        study.write(Study(), tmp_path)
