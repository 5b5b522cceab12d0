"""Real ends and real starts, in processes of their own: closed during a run, killed, terminated, and opened again."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.gui.test_app import ROOT, run

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals of Unix")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home of a person who has never used the program."""
    return tmp_path


def places(home: Path) -> dict[str, str]:
    """The environment of a process whose user's folders are in ``home``."""
    folders = {"HOME": "", "XDG_CONFIG_HOME": ".config", "XDG_CACHE_HOME": ".cache", "XDG_DATA_HOME": ".local/share"}
    return {name: str(home / folder) for name, folder in folders.items()}


def start(home: Path, act: str, *arguments: str) -> dict[str, Any]:
    """Start the window, let it act, and return what it showed."""
    done = subprocess.run(
        [sys.executable, "-c", f"from tests.gui.reopening import start; start({act!r}, *{list(arguments)!r})"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **places(home)},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == (-9 if act == "kill" else 0), done.stderr
    for sign in ("QThread", "Traceback", "terminate", "already deleted", "gibbon:"):
        assert sign not in done.stderr, done.stderr
    shown: dict[str, Any] = json.loads(done.stdout.splitlines()[0])
    return shown


@pytest.mark.slow
def test_a_session_comes_back_after_closing_during_a_run_and_after_a_kill(home: Path) -> None:
    first = start(home, "run")
    assert first["image"] == "sign-stop-32.png"
    assert first["runs"] == []
    assert first["said"] == [], "the first minute is as it was"

    second = start(home, "kill")
    assert [ended for _, ended in second["runs"]] == ["cancelled"], "closing kept the best so far"
    assert second["image"] == "sign-stop-32.png"
    assert second["undo"] == 0
    assert not second["stand_in"]
    assert second["said"] == ["The last session is back, with 1 run. “New study” begins anew."]

    third = start(home, "close")
    assert third["stickers"] == 1, "the sticker was saved before the kill"
    assert len(third["runs"]) == 1
    assert len(third["said"]) == 1, third["said"]
    said = third["said"][0]
    assert re.fullmatch(r"Gibbon did not end in order\. The last session is back as it was saved at \d\d:\d\d, with 1 run\.", said)
    assert third["title"] == "sign-stop-32.png – Untitled study – Gibbon"


@pytest.mark.slow
def test_a_signal_ends_a_run_as_closing_does_and_a_fresh_start_leaves_the_session_alone(home: Path) -> None:
    start(home, "terminate")
    fresh = start(home, "close", "--fresh")
    assert fresh["runs"] == []
    assert fresh["said"] == ["This is a new study. The last session is under “Open earlier session”."]
    assert [ended for _, ended in start(home, "close")["runs"]] == ["cancelled"]


def a_study(home: Path) -> Path:
    """A study that a script wrote."""
    import engine
    from engine import attacks, study

    classifier = engine.models.load("signs", device="cpu")
    image = engine.images.read(ROOT / "resources" / "samples" / "sign-yield-32.png", classifier)
    return study.write(study.Study.of(engine.run(attacks.FGSM(), classifier, image[None])), home / "two words.gibbon")


def test_a_study_is_opened_by_the_command_line(home: Path) -> None:
    path = a_study(home)
    shown = start(home, "close", str(path))
    assert [title for title, _ in shown["runs"]] == ["#1 FGSM"]
    assert shown["shown"] == 1
    assert "– two words –" in shown["title"]
    assert not list(home.glob(".*.lock"))
    assert shown["said"] == []


@pytest.mark.slow
def test_a_study_that_is_named_says_that_the_last_window_was_killed_and_that_only(home: Path) -> None:
    path = a_study(home)
    start(home, "kill", str(path))
    assert list(home.glob(".*.lock")), "the process left its lock"
    (said,) = start(home, "close", str(path))["said"]
    assert re.fullmatch(r"Gibbon did not end in order\. “two words” is back as it was saved at \d\d:\d\d, with 1 run\.", said)
    assert start(home, "close", str(path))["said"] == []


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["painted", "loading"])
def test_closing_while_the_engine_loads_leaves_no_lock(home: Path, moment: str) -> None:
    path = a_study(home)
    done = run(f"from tests.gui.closing import close_when; close_when({moment!r}, {str(path)!r})", **places(home))
    assert done.returncode == 0, done.stderr
    assert not list(home.rglob(".*.lock"))
    assert start(home, "close", str(path))["said"] == []


@pytest.mark.slow
def test_a_copy_has_no_name_and_an_image_is_opened_in_place_of_the_last_session(home: Path) -> None:
    copy = start(home, "close", str(a_study(home)), "--copy")
    assert "– Copy of two words –" in copy["title"]
    assert copy["shown"] == 1
    other = start(home, "close", str(ROOT / "resources" / "samples" / "sign-yield-32.png"))
    assert other["runs"] == []
