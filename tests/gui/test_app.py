"""From start to end, in processes of their own: what is imported, when it is painted, and that every end is a clean one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def run(code: str, *, seconds: float = 120, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )


HEAVY = ("torch", "torchvision", "skimage", "matplotlib", "engine", "pyqtgraph", "numpy", "qtawesome")


def test_importing_the_window_imports_nothing_heavy() -> None:
    """The frame is painted before any of these is imported."""
    done = run(f"import sys, gui.app; print([name for name in {HEAVY} if name in sys.modules])")
    assert done.stdout.strip() == "[]", done.stderr


def test_building_the_window_imports_nothing_heavy(tmp_path: Path) -> None:
    """Its commands ask for their conditions before there is an engine; it would freeze for seconds before its first paint."""
    build = "import sys; from gui.app import build_workbench; bench = build_workbench([])"
    code = f"{build}; print([name for name in {HEAVY} if name in sys.modules]); bench.shut_down()"
    done = run(code, XDG_CONFIG_HOME=str(tmp_path), XDG_DATA_HOME=str(tmp_path))
    assert done.stdout.strip() == "[]", done.stderr


def test_the_proof_can_fail() -> None:
    done = run(f"import sys, gui.app, numpy; print([name for name in {HEAVY} if name in sys.modules])")
    assert done.stdout.strip() == "['numpy']", done.stderr


@pytest.mark.parametrize(("first", "read"), [("gui", False), ("PySide6.QtCore", True)])
def test_nobody_reads_the_source_of_what_is_imported(first: str, read: bool) -> None:
    """PySide by itself would, torch's 900 modules too."""
    done = run(f"import {first}, linecache, colorsys; print(colorsys.__file__ in linecache.cache)")
    assert done.stdout.strip() == str(read), done.stderr


def slow(*values: str) -> object:
    """A case that takes a start of the whole window, beside another one that ends in the same way."""
    return pytest.param(*values, marks=pytest.mark.slow)


@pytest.mark.parametrize("moment", ["painted", slow("loading"), "attacking", slow("paused")])
def test_closing_is_clean(moment: str) -> None:
    """Where the thread is still deep in torch's import after some seconds, the process leaves without waiting for it."""
    done = run(f"from tests.gui.closing import close_when; close_when({moment!r})")
    assert done.returncode == 0, done.stderr
    for sign in ("QThread", "Traceback", "terminate", "already deleted"):
        assert sign not in done.stderr, done.stderr


@pytest.mark.slow
def test_a_function_that_never_ends_does_not_keep_the_process(tmp_path: Path) -> None:
    done = run(f"import os; os.chdir({str(tmp_path)!r}); from tests.gui.closing import close_when; close_when('own code')", seconds=60)
    assert done.stdout.splitlines() == ["begun"], done.stderr  # it leaves without a word: the thread cannot be waited for
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_no_dialog_opens_after_the_window_is_gone(tmp_path: Path) -> None:
    done = run(f"import os; os.chdir({str(tmp_path)!r}); from tests.gui.closing import close_when; close_when('asking')")
    assert done.stdout.splitlines() == ["closed"], done.stderr
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr


def test_what_was_asked_for_before_closing_is_done_or_said(tmp_path: Path) -> None:
    code = f"import os; os.chdir({str(tmp_path)!r}); from tests.gui.closing import close_when; close_when('saving')"
    done = run(code)
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["first.png", "second.png"]
    said = [line for line in done.stderr.splitlines() if line.startswith("gibbon:")]
    assert len(said) == 1, done.stderr
    assert "third.png" in said[0]
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(os.name == "nt", reason="a signal of Unix")
def test_an_interrupt_in_the_terminal_closes_the_window() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", "from tests.gui.closing import close_when; close_when('interrupted')"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline().strip() == "painted"
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    assert "Traceback" not in errors


WATCHED = """
import importlib.abc, sys, threading
from gui.shell.start_up import StartUp
class Finder(importlib.abc.MetaPathFinder):
    filled = False
    def find_spec(self, name, path, target=None):
        if self.filled and threading.current_thread() is threading.main_thread():
            print("imported", name)
finder = Finder()
sys.meta_path.insert(0, finder)
begin = StartUp._begin
def watched(self):
    begin(self)
    finder.filled = True
StartUp._begin = watched
"""
"""Prints each module that the main thread imports after the panels are built."""


@pytest.fixture(scope="module")
def copied() -> subprocess.CompletedProcess[str]:
    """A whole start, watched and traced, at whose end a sticker is in the clipboard."""
    return run(f"{WATCHED}from tests.gui.closing import close_when; close_when('copied sticker')", GIBBON_TRACE_STARTUP="1")


def test_start_up_is_traced_and_the_window_imports_nothing_more(copied: subprocess.CompletedProcess[str]) -> None:
    """After the panels are built, modules are imported in the engine's thread alone: in the main thread the window would stand still."""
    before, ready, _ = copied.stdout.partition("ready\n")
    assert (before, ready) == ("", "ready\n")
    lines = [line for line in copied.stderr.splitlines() if line.startswith("gibbon:")]
    assert [line.split(" at ")[0].split(",")[0] for line in lines] == ["gibbon: first paint", "gibbon: panels", "gibbon: ready"]
    seconds = [float(line.rsplit(" at ", 1)[1].removesuffix(" s")) for line in lines]
    assert seconds == sorted(seconds)


def test_a_copied_sticker_does_not_bring_the_end_down(copied: subprocess.CompletedProcess[str]) -> None:
    """The clipboard is destroyed after Python: an object of Python's in it ended the process by signal 11."""
    said = [line for line in copied.stdout.splitlines() if not line.startswith("imported")]
    assert said == ["ready", "text/plain", "closed"], copied.stderr
    assert copied.returncode == 0, copied.stderr


@pytest.mark.slow
def test_a_copied_image_does_not_bring_the_end_down() -> None:
    done = run("from tests.gui.closing import close_when; close_when('copied image')")
    assert done.stdout.splitlines() == ["application/x-qt-image", "closed"], done.stderr
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux loads them ahead")
def test_torchs_libraries_are_loaded_ahead_and_its_import_finds_them() -> None:
    code = """
import sys, time
from pathlib import Path
from gui.shell.torch_libraries import load_libraries
maps = lambda: Path("/proc/self/maps").read_text()
print("libtorch_cpu" in maps())
load_libraries()
print("libtorch_cpu" in maps(), "torch" in sys.modules)
before = maps().count("libtorch_cpu")
import torch
print(maps().count("libtorch_cpu") == before, float(torch.ones(3).sum()))
"""
    done = run(code)
    assert done.stdout.splitlines() == ["False", "True False", "True 3.0"], done.stderr


@pytest.mark.parametrize("broken", ["importlib.util.find_spec", "ctypes.CDLL"])
def test_what_cannot_be_loaded_ahead_does_not_stop_the_loading(monkeypatch: pytest.MonkeyPatch, broken: str) -> None:
    from gui.shell.torch_libraries import load_libraries

    asked: list[object] = []

    def fails(*arguments: object, **_: object) -> None:
        asked.append(arguments)
        raise ValueError("torch.__spec__ is None")

    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(broken, fails)
    load_libraries()
    monkeypatch.undo()
    assert asked, "the broken function was called"


def test_whatever_keeps_the_first_model_away_the_docks_come_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    import engine
    from gui.shell.start_up import load_engine

    def broken(_source: str) -> engine.Classifier:
        raise RuntimeError("CUDA error: no kernel image is available for execution on the device\nlong tail")

    monkeypatch.setattr(engine.models, "load", broken)
    loaded = load_engine()
    assert loaded.arrived is None
    assert "no kernel image" in loaded.problem
    assert "Model dock" in loaded.problem
    assert "\n" not in loaded.problem


@pytest.mark.slow
def test_an_image_can_be_named_at_the_start() -> None:
    image = ROOT / "resources" / "samples" / "sign-yield-32.png"
    done = run(f"from tests.gui.closing import close_when; close_when('opened', {str(image)!r})")
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["sign-yield-32.png", "closed"]


def test_garbage_is_collected_in_the_main_thread_only() -> None:
    """While the window stands, Python's own collector, which would run in the engine thread too, is off."""
    code = """
import gc, threading
from PySide6.QtCore import QCoreApplication, QObject
from gui.shell.garbage import Garbage

app = QCoreApplication([])
garbage = Garbage(app)
threads = []
class Cycle:
    def __init__(self): self.me = self
    def __del__(self): threads.append(threading.current_thread().name)
worker = threading.Thread(target=lambda: [Cycle() for _ in range(5000)], name="worker")
worker.start(); worker.join()
print(len(threads), garbage._timer.isActive())
garbage.settle()
print(garbage._timer.isActive())
worker = threading.Thread(target=lambda: [Cycle() for _ in range(5000)], name="worker")
worker.start(); worker.join()
garbage._collect()
print(len(threads), set(threads))
garbage.stop()
print(gc.isenabled())
"""
    assert run(code).stdout.splitlines() == ["0 False", "True", "5000 {'MainThread'}", "True"]


def test_the_panels_are_imported_without_torch() -> None:
    """They are imported in the main thread, before the engine's thread imports torch: the window would freeze for seconds."""
    code = (
        "import importlib, sys; from gui.shell.docks import DOCKS; importlib.import_module('gui.canvas'); "
        "[importlib.import_module(spec.module) for spec in DOCKS]; "
        "print([name for name in ('torch', 'matplotlib', 'skimage') if name in sys.modules])"
    )
    done = run(code)
    assert done.stdout.strip() == "[]", done.stderr
