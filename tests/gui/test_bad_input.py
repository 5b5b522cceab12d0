"""Bad input at the window: one sentence that says what and what to do; what was there stays; nothing hangs; the next attack runs."""

from __future__ import annotations

import io
import os
import pickle
import re
import struct
import sys
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pytest
import torch
from PIL import Image
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from torch import Tensor, nn

import engine
from engine.attacks import FGSM, PGD
from engine.operation import Attack, AttackStep, Problem
from gui.panels.frame_panel import FrameView
from gui.session.open_image import open_path
from tests.gui.attack_dock import attack_dock
from tests.gui.driving import choose_attack, drag, draw, on_pane, press_keys, settle, until

if TYPE_CHECKING:
    from gui.app import Workbench
    from gui.session.history import FinishedRun
    from gui.session.log_entry import LogEntry
    from gui.session.session import Session


class State:
    """The very objects that must still be there afterwards, and a picture that shows the same."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.held = self._read()
        self.pixels = self._pixels()

    def _read(self) -> tuple[object, ...]:
        s, stack = self.session, self.session.undo_stack
        named = (s.classifier, s.clean, s.photograph, s.delta, s.label, s.target, s.history.shown, s.selected, s.region)
        return (*named, stack.index(), stack.count(), *s.stickers, None, *s.history.entries)

    def _pixels(self) -> np.ndarray:
        # The end of every run has the picture looked at anew: wait for it, whenever it comes.
        until(lambda: self.session.frame is not None and not self.session.waiting("frame"), "the frame")
        frame = self.session.frame
        return np.stack([frame.clean_pixels, frame.adversarial_pixels])

    def assert_kept(self) -> None:
        now = self._read()
        assert np.array_equal(self._pixels(), self.pixels)
        assert len(now) == len(self.held)
        assert all(one is other for one, other in zip(now, self.held, strict=True))
        assert self.session.image["name"] == "sign-stop-32.png"


def assert_a_sentence(text: str) -> None:
    assert text.endswith(".")
    assert "\n" not in text
    assert 20 < len(text) < 300
    assert text.count(". ") <= 2  # what happened, perhaps why, what to do
    assert not re.search(r"Traceback|\b[A-Z]\w*(Error|Exception|Iteration)\b", text), text


def assert_alive(session: Session) -> None:
    """The engine thread answers, nothing is busy, and an attack runs."""
    answers: list[int] = []
    session.ask("alive", lambda: 42, answers.append, what="Answering")
    until(lambda: answers == [42], "an answer")
    before = len(session.history.entries)
    session.runs.start(FGSM())
    until(lambda: len(session.history.entries) == before + 1 and not session.runs.running, "an attack")


@pytest.fixture(scope="module")
def home(window: Workbench) -> FinishedRun:
    """A run on the stop sign with a sticker and a target: what every test here begins with."""
    session = window.session
    draw(window)
    session.set_label(14)
    session.set_target(3)
    session.runs.start(FGSM())
    until(lambda: not session.runs.running and session.history.entries, "the run")
    return session.history.entries[0]


@pytest.fixture
def bench(window: Workbench, home: FinishedRun) -> Workbench:
    """The window with that run on the canvas."""
    session = window.session
    session.runs.cancel()
    until(lambda: not session.runs.running, "the end of the run before")
    session.show_entry(home.number)
    for entry in session.history.entries:
        if entry is not home:
            session.remove_runs(entry.number)
    until(lambda: session.frame is not None and not session.waiting("frame"), "the frame")
    return window


@pytest.fixture
def told(bench: Workbench) -> Iterator[list[str]]:
    """Errors and warnings of the messages."""
    heard: list[str] = []

    def hear(entry: LogEntry) -> None:
        if entry.kind in ("error", "warning"):
            heard.append(entry.text)

    bench.session.logged.connect(hear)
    yield heard
    bench.session.logged.disconnect(hear)


def refused(bench: Workbench, told: list[str], provoke: Callable[[], None]) -> str:
    """Provoke one error; it is told as a sentence, in the status bar too, and everything else is as it was."""
    state = State(bench.session)
    told.clear()
    provoke()
    until(lambda: told, "the sentence")
    settle()
    (sentence,) = told
    assert_a_sentence(sentence)
    status = bench.window.statusBar()
    assert status.alert.isVisible()
    assert status.message.text()
    state.assert_kept()
    assert_alive(bench.session)
    return sentence


# ---------------------------------------------------------------------- images


def png(width: int, height: int, depth: int = 8, colour: int = 2, rows: bytes = b"") -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 1)) + chunk(b"IEND", b"")


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def noise(seed: int = 0) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (64, 64, 3), dtype=np.uint8))


IMAGES: dict[str, tuple[Callable[[], bytes], str]] = {
    "unreadable": (lambda: np.random.default_rng(0).bytes(4000), "not an image"),
    "empty": (lambda: b"", "empty"),
    "truncated": (lambda: saved(noise(), "PNG")[:3000], "cut short"),
    "truncated jpeg": (lambda: saved(noise(), "JPEG")[:1500], "cut short"),
    "enormous": (lambda: png(20_000, 20_000), "limit is 100 megapixels"),
    # All of its 400 million pixels are there, in 220 kB.
    "enormous and whole": (lambda: png(20_000, 20_000, 1, 0, bytes(20_000 * 2501)), "limit is 100 megapixels"),
    "html": (lambda: b"<!DOCTYPE html><html><body>404</body></html>", "web page"),
    "code": (lambda: pickle.dumps(Runs()), "not an image"),
}


@pytest.mark.parametrize("kind", IMAGES)
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_a_bad_image(bench: Workbench, told: list[str], tmp_path: Path, kind: str) -> None:
    make, words = IMAGES[kind]
    path = tmp_path / "bad.png"
    path.write_bytes(make())
    sentence = refused(bench, told, lambda: open_path(bench.session, path))
    assert words in sentence
    assert "bad.png" in sentence


def test_a_bad_image_dropped_on_the_window(bench: Workbench, told: list[str], tmp_path: Path) -> None:
    """It does not become a recent one."""

    def drop(path: Path) -> None:
        mime = QMimeData()
        mime.setUrls([QUrl.fromLocalFile(str(path))])
        nothing, left = Qt.KeyboardModifier.NoModifier, Qt.MouseButton.LeftButton
        copy = Qt.DropAction.CopyAction
        QApplication.sendEvent(bench.window, QDragEnterEvent(QPoint(5, 5), copy, mime, left, nothing))
        QApplication.sendEvent(bench.window, QDropEvent(QPointF(5, 5), copy, mime, left, nothing))

    path = tmp_path / "page.png"
    path.write_bytes(b"<html></html>")
    assert "web page" in refused(bench, told, lambda: drop(path))
    assert bench.window.settings.recent_images == []


@pytest.mark.parametrize(
    ("name", "make", "note"),
    [
        ("moving.gif", lambda: saved(noise(), "GIF", save_all=True, append_images=[noise(1), noise(2)]), "first of 3 frames"),
        ("print.jpg", lambda: saved(noise().convert("CMYK"), "JPEG"), "CMYK converted to RGB"),
    ],
)
def test_animated_and_cmyk_images_are_opened_and_it_is_said(
    bench: Workbench, logged: list[LogEntry], tmp_path: Path, name: str, make: Callable[[], bytes], note: str
) -> None:
    path = tmp_path / name
    path.write_bytes(make())
    stickers = bench.session.stickers
    open_path(bench.session, path)
    until(lambda: bench.session.image.get("name") == name and bench.session.frame is not None, "the image")
    assert note in bench.session.image["notes"]
    assert any(entry.kind == "info" and note in entry.text for entry in logged)
    assert note in bench.window.panels["image"].current.notes.text
    assert bench.session.stickers == stickers
    assert bench.session.delta is None
    assert_alive(bench.session)


# ---------------------------------------------------------------------- models


class Runs:
    """What an attacker would save: it leaves a file behind where it is unpickled carelessly."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"{sys.executable} -c \"open('ran', 'w')\"",)


def state(**change: Tensor) -> dict[str, Tensor]:
    assert engine.models  # loaded
    from engine.models.architectures import ARCHITECTURES

    return {**ARCHITECTURES["signs"].build("relu").state_dict(), **change}


def other_architecture() -> dict[str, Tensor]:
    return nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 43)).state_dict()


def with_nan() -> dict[str, Tensor]:
    weights = state()
    name = next(name for name, value in weights.items() if value.dim() == 4)
    weights[name] = torch.full_like(weights[name], torch.nan)
    return weights


def other_head() -> dict[str, Tensor]:
    weights = state()
    matrix = [name for name, value in weights.items() if value.shape[:1] == (43,)]
    return {**weights, **{name: torch.cat([weights[name], weights[name][:1]]) for name in matrix}}


CHECKPOINTS: dict[str, tuple[Callable[[Path], object], str]] = {
    "empty": (lambda path: path.write_bytes(b""), "empty"),
    "html": (lambda path: path.write_text("<!DOCTYPE html><html>Sign in</html>"), "web page"),
    "code": (lambda path: torch.save({"weights": Runs()}, path), "would run code, so it was not loaded"),
    "bare code": (lambda path: path.write_bytes(pickle.dumps(Runs(), 2)), "would run code"),
    "truncated": (lambda path: (torch.save(state(), path), path.write_bytes(path.read_bytes()[:50_000])), "damaged"),
    "other architecture": (lambda path: torch.save(other_architecture(), path), "another architecture than “signs”"),
    "nan": (lambda path: torch.save(with_nan(), path), "NaN"),
    "other head": (lambda path: torch.save(other_head(), path), "shapes differ"),
}


@pytest.mark.parametrize("kind", CHECKPOINTS)
def test_a_bad_checkpoint(bench: Workbench, told: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.chdir(tmp_path)
    write, words = CHECKPOINTS[kind]
    path = tmp_path / "bad.pth"
    write(path)
    panel = bench.window.panels["model"]
    sentence = refused(bench, told, lambda: panel.load(str(path), architecture="signs"))
    assert words in sentence
    assert "bad.pth" in sentence
    assert panel.message.text == sentence
    assert not (tmp_path / "ran").exists()


MODELS = """
import sys
import torch
from torch import nn

def more_classes():
    return nn.Sequential(nn.Flatten(), nn.Linear(12, 5)), ["a", "b"], (3, 2, 2)

def raises():
    raise RuntimeError("no weights today")

def leaves():
    sys.exit(3)

def no_memory():
    raise MemoryError

def nothing():
    pass

def brittle():
    class Brittle(nn.Module):
        def __init__(self):
            super().__init__()
            self.head = nn.Linear(12, 2)
            self.calls = 0

        def forward(self, x):
            self.calls += 1
            if self.calls > 5:  # as many as loading makes
                raise RuntimeError("the network is tired")
            return self.head(x.flatten(1))

    return Brittle(), ["a", "b"], (3, 2, 2)
"""


@pytest.mark.parametrize(
    ("factory", "words"),
    [
        ("more_classes", "has 5 classes, but 2 labels"),
        ("raises", "no weights today"),
        ("leaves", "failed in mine.py, line 13: SystemExit: 3."),
        ("no_memory", "failed in mine.py, line 16: MemoryError. Mend"),
        ("nothing", "gave something of type"),
        ("absent", "has no function “absent”"),
    ],
)
def test_a_bad_factory(bench: Workbench, told: list[str], tmp_path: Path, factory: str, words: str) -> None:
    """Whoever wrote the function reads the sentence: it may name the kind of error that their own code raised."""
    path = tmp_path / "mine.py"
    path.write_text(MODELS)
    held = State(bench.session)
    panel = bench.window.panels["model"]
    panel.load(f"{path}:{factory}", allow_code=True)
    until(lambda: told, "the sentence")
    (sentence,) = told
    assert words in sentence
    assert "\n" not in sentence
    assert sentence.endswith(".")
    assert panel.message.text == sentence
    held.assert_kept()
    assert_alive(bench.session)


def test_code_runs_only_after_the_question(bench: Workbench, told: list[str], tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    sentence = refused(bench, told, lambda: bench.window.panels["model"].load(f"{path}:make"))
    assert "runs the code" in sentence
    assert not (tmp_path / "ran").exists()


# ---------------------------------------------------------------------- parameters and stickers


@pytest.mark.parametrize(("name", "text"), [("eps", "-1"), ("steps", "0")])
def test_a_parameter_out_of_range(bench: Workbench, said: list[str], name: str, text: str) -> None:
    """Typed into the dock: said there, Run is off, and its key says why."""
    choose_attack(bench, "PGD")
    panel = attack_dock(bench)
    edit = panel.form.editor(name).lineEdit()
    edit.selectAll()
    QTest.keyClicks(edit, text)
    held = State(bench.session)  # with the step that undoes the typing
    assert_a_sentence(panel.message.text)
    assert panel.message.text.startswith(name)
    assert not panel.can_run
    press_keys(bench.window, "F5")
    assert said[-1] == panel.message.text
    assert not bench.session.runs.running
    held.assert_kept()
    panel.form.reset()
    assert panel.can_run
    assert_alive(bench.session)


def test_a_target_that_is_the_label(bench: Workbench, told: list[str], said: list[str]) -> None:
    choose_attack(bench, "PGD")
    session, panel = bench.session, attack_dock(bench)
    session.set_target(session.label)
    held = State(session)
    assert_a_sentence(panel.message.text)
    assert "nothing to reach" in panel.message.text
    press_keys(bench.window, "F5")
    assert said[-1] == panel.message.text
    assert not session.runs.running
    session.runs.start(PGD())  # past the dock: the engine says it, too
    until(lambda: told, "the sentence")
    assert_a_sentence(told[0])
    assert "nothing to reach" in told[0]
    held.assert_kept()
    session.set_target(None)
    assert_alive(session)


def test_a_sticker_dragged_off_the_image(bench: Workbench, said: list[str]) -> None:
    session = bench.session
    (before,) = session.stickers
    widget, _ = on_pane(bench, [])
    pane = bench.window.canvas.adversarial_pane
    start = pane.position(before.x + before.width / 2, before.y + before.height / 2)
    drag(widget, [start, start + QPoint(40, 0), QPoint(widget.width() - 2, 2), QPoint(4000, -4000)])
    (after,) = session.stickers
    _, height, width = session.clean.shape
    assert after.x < width
    assert after.y < height
    assert after.right > 0
    assert after.bottom > 0
    assert after != before
    assert said[-1] == "The sticker stays partly on the image. Press Delete to remove it."
    until(lambda: session.frame.scene.stickers == session.stickers, "its frame")
    press_keys(bench.window, "Ctrl+Z")
    assert session.stickers == (before,)
    assert_alive(session)


# ---------------------------------------------------------------------- attacks that raise


class Raises(Attack):
    slug, title, family = "raises", "Raises", "Test"
    kind: str = "runtime"
    at: int = 3
    kinds: ClassVar[dict[str, Callable[[], BaseException]]] = {
        "runtime": lambda: RuntimeError("the device is on fire\nand a second line"),
        "value": lambda: ValueError("shapes (3, 32, 32) and (3, 31, 31) differ"),
        "key": lambda: KeyError("weights"),
        "silent": lambda: AssertionError(),
        "stop": StopIteration,
        "exit": lambda: SystemExit(3),
        "long": lambda: RuntimeError("tensors that do not fit " * 100),
        "memory": MemoryError,
        "cuda memory": lambda: RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 139 GiB"),
        "cpu memory": lambda: RuntimeError("[enforce fail at alloc_cpu.cpp:117] err == 0. DefaultCPUAllocator: can't allocate memory"),
        "said": lambda: engine.GibbonError("There is no gradient here. Choose another model."),
    }

    def iterate(self, problem: Problem) -> Iterator[AttackStep]:
        if self.at < 0:
            raise self.kinds[self.kind]()
        return self._steps(problem)

    def _steps(self, problem: Problem) -> Iterator[AttackStep]:
        for index in range(self.at):
            images = (problem.images + 0.01 * index).clamp(0, 1)
            yield AttackStep(index, 10, images, torch.full((len(images),), float(index)))
        raise self.kinds[self.kind]()


WORDS = {
    "runtime": "The attack failed: the device is on fire. ",
    "value": "The attack failed: shapes (3, 32, 32) and (3, 31, 31) differ. ",
    "key": "there is no entry 'weights'",
    "silent": "failed without saying why",
    "stop": "ended in the middle of a step",
    "exit": "The attack failed: 3",
    "long": "tensors that do… Its best",
    "memory": "needs more memory than the device has. Choose",
    "cuda memory": "needs more memory than the device has. Choose",
    "cpu memory": "needs more memory than the device has. Choose",
    "said": "There is no gradient here. Choose another model.",
}


@pytest.mark.parametrize("kind", Raises.kinds)
def test_an_attack_that_raises(bench: Workbench, told: list[str], kind: str) -> None:
    session = bench.session
    entries, held = session.history.entries, (session.clean, session.delta, session.stickers, session.undo_stack.count())
    session.runs.start(Raises(kind=kind))
    until(lambda: told and not session.runs.running, "the sentence")
    (sentence,) = told
    assert_a_sentence(sentence)
    assert WORDS[kind] in sentence
    # The canvas stays as it was; the best so far is not lost: it can be shown again.
    assert (session.clean, session.delta, session.stickers, session.undo_stack.count()) == held
    assert session.history.shown is entries[-1]
    kept = session.history.entries[len(entries) :]
    assert [str(entry.result.reason) for entry in kept] == ["failed"]
    assert len(kept[0].result.trace) == 3
    until(lambda: not session.waiting("frame"), "the frame")
    assert session.frame is not None
    assert session.frame.step is None
    assert torch.equal(session.frame.observation.adversarial_image, session.scene.adversarial())
    session.show_entry(kept[0].number)
    until(lambda: not session.waiting("frame"), "the entry's frame")
    assert torch.equal(session.frame.observation.adversarial_image, kept[0].result.adversarial[0])
    assert_alive(session)


@pytest.mark.parametrize("kind", ["runtime", "stop", "memory"])
def test_an_attack_that_raises_before_its_first_step(bench: Workbench, told: list[str], kind: str) -> None:
    sentence = refused(bench, told, lambda: bench.session.runs.start(Raises(kind=kind, at=-1)))
    assert sentence.startswith("The attack ")


def test_an_attack_without_a_step(bench: Workbench, told: list[str]) -> None:
    class Nothing(Attack):
        slug, title, family = "nothing", "Nothing", "Test"

        def iterate(self, problem: Problem) -> Iterator[AttackStep]:
            return iter(())

    assert "without a single step" in refused(bench, told, lambda: bench.session.runs.start(Nothing()))


def test_the_traceback_is_folded_away_in_the_log(bench: Workbench, logged: list[LogEntry]) -> None:
    bench.session.runs.start(Raises())
    until(lambda: any(entry.kind == "error" for entry in logged), "the error")
    (entry,) = [entry for entry in logged if entry.kind == "error"]
    assert "Traceback" not in entry.text
    assert "Traceback" in entry.details
    assert "and a second line" in entry.details
    assert_alive(bench.session)


def test_a_network_that_fails_later(bench: Workbench, told: list[str], tmp_path: Path) -> None:
    """It passed the check on loading, and fails on the image: no number of the model before stays on the screen; the way back is open."""
    session, panel = bench.session, bench.window.panels["model"]
    path = tmp_path / "mine.py"
    path.write_text(MODELS)
    shown = session.history.shown
    panel.load(f"{path}:brittle", allow_code=True)
    until(lambda: told and not session.waiting("frame") and not session.waiting("model"), "the sentence")
    for sentence in told:
        assert_a_sentence(sentence)
        assert "the network is tired" in sentence
    assert session.frame is None
    assert bench.window.canvas.adversarial_pane.pixels is None
    assert all(panel.painted is None for panel in bench.window.panels.values() if isinstance(panel, FrameView) and panel.isVisible())
    assert shown is not None
    session.show_entry(shown.number)
    until(lambda: session.frame is not None, "the frame")
    assert session.classifier is not None
    assert session.classifier.name == "signs"
    assert session.frame.scene.classifier is session.classifier
    assert session.image["name"] == "sign-stop-32.png"
    attack_dock(bench).run()
    until(lambda: not session.runs.running, "the attack")
