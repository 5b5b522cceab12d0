"""The Model dock with a real session and the shipped models."""

from __future__ import annotations

import functools
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import torch
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLabel, QMessageBox, QPushButton, QToolButton

import engine
from gui.panels.model import ModelPanel
from gui.panels.model.swap import AS_LOADED, BOUNDED, RELU, moved_to
from gui.widgets.checkpoint_dialog import CheckpointDialog
from gui.widgets.model_dialogs import CodeDialog, functions_in
from tests.gui.panel_scenes import newest_frame
from tests.gui.seen import named

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from gui.session.session import Session

FACTORY = """
import torch

def make():
    torch.manual_seed(0)
    module = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(4 * 36, 3))
    return module, ["cat", "dog", "gibbon"], (3, 8, 8)

def softmax():
    module, labels, shape = make()
    return torch.nn.Sequential(module, torch.nn.Softmax(1)), labels, shape

def broken():
    raise RuntimeError("no weights today")
"""


@pytest.fixture
def panel(qtbot: QtBot, session: Session) -> ModelPanel:
    made = ModelPanel(session)
    qtbot.addWidget(made)
    made.resize(320, 800)
    made.show()
    session.change(ready=True)
    qtbot.waitUntil(lambda: "signs" in made.sources.shown)
    return made


@pytest.fixture
def loaded(qtbot: QtBot, panel: ModelPanel, session: Session) -> ModelPanel:
    with newest_frame(qtbot, session):
        panel.load("signs")
    return panel


def test_a_shipped_model_comes_with_its_card_and_a_fitting_image(qtbot: QtBot, panel: ModelPanel, session: Session) -> None:
    panel.sources.highlight("signs")
    assert panel.load_button.isEnabled()
    with newest_frame(qtbot, session):
        qtbot.mouseClick(panel.load_button, Qt.MouseButton.LeftButton)
    classifier = session.classifier
    assert classifier is not None
    assert session.label is not None
    assert classifier.labels[session.label] == "Stop"
    assert session.frame is not None
    assert session.frame.observation.clean_prediction == session.label
    assert panel.card.text("accuracy").startswith(f"{100 * classifier.card['accuracy']:.2f} %")
    assert "GTSRB" in panel.card.text("accuracy")
    assert panel.card.text("input") == "32 × 32, RGB"
    assert panel.card.text("classes").startswith("43")
    qtbot.waitUntil(lambda: panel.card.device.count() > 0)
    assert panel.card.device.currentText() == "CPU" or classifier.device.type == "cuda"
    assert classifier.fingerprint.startswith(named(panel.card, QLabel, "Fingerprint").text())


def test_another_kind_of_model_brings_another_image(qtbot: QtBot, loaded: ModelPanel, session: Session) -> None:
    loaded.sources.highlight("digits")
    with newest_frame(qtbot, session):
        qtbot.mouseClick(loaded.load_button, Qt.MouseButton.LeftButton)
    assert session.clean is not None
    assert session.clean.shape == (1, 28, 28)
    assert session.label == 7


def test_the_same_kind_of_model_keeps_image_and_label(qtbot: QtBot, loaded: ModelPanel, session: Session) -> None:
    clean, label = session.clean, session.label
    before = session.classifier
    with qtbot.waitSignal(session.classifierChanged):
        loaded.load("signs")
    assert session.classifier is not before
    assert session.clean is clean
    assert session.label == label


@pytest.mark.parametrize("content", [b"", b"<!DOCTYPE html><html></html>", b"\x80\x04cos\nsystem\n."])
def test_a_failed_load_leaves_everything_as_it_was(
    qtbot: QtBot, loaded: ModelPanel, session: Session, tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "weights.pt"
    path.write_bytes(content)
    before = (session.classifier, session.clean, session.label, session.frame)
    loaded.load(str(path), architecture="signs")
    qtbot.waitUntil(lambda: loaded.message.text != "")
    assert loaded.message.text.endswith(".")
    assert (session.classifier, session.clean, session.label, session.frame) == before
    assert loaded.message.isVisible()


def test_own_code_runs_after_the_question(qtbot: QtBot, loaded: ModelPanel, session: Session, tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(FACTORY)
    qtbot.mouseClick(named(loaded, QPushButton, "Own code…"), Qt.MouseButton.LeftButton)
    dialog = loaded.findChild(CodeDialog)
    assert dialog is not None
    assert not dialog.ok.isEnabled()
    dialog.file.setText(str(path))
    assert [dialog.factory.itemText(i) for i in range(dialog.factory.count())] == ["make", "softmax", "broken"]
    with newest_frame(qtbot, session):
        qtbot.mouseClick(dialog.ok, Qt.MouseButton.LeftButton)
    assert session.classifier is not None
    assert session.classifier.labels == ("cat", "dog", "gibbon")
    assert session.clean is not None
    assert session.clean.shape == (3, 8, 8)


def test_own_code_that_raises_is_a_sentence(qtbot: QtBot, loaded: ModelPanel, session: Session, tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(FACTORY)
    before = session.classifier
    loaded.load(f"{path}:broken", allow_code=True)
    qtbot.waitUntil(lambda: "no weights today" in loaded.message.text)
    assert session.classifier is before


@pytest.mark.parametrize(("answer", "head"), [("Remove the Softmax layer", "strip"), ("Take the logarithm", "log")])
def test_probabilities_are_turned_into_logits_when_asked(
    qtbot: QtBot, loaded: ModelPanel, session: Session, tmp_path: Path, answer: str, head: str
) -> None:
    path = tmp_path / "mine.py"
    path.write_text(FACTORY)
    before = session.classifier
    loaded.load(f"{path}:softmax", allow_code=True)
    qtbot.waitUntil(lambda: loaded.findChild(QMessageBox) is not None)
    assert session.classifier is before
    question = loaded.findChild(QMessageBox)
    assert question is not None
    button = next(button for button in question.buttons() if button.text() == answer)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: session.classifier is not before)
    assert session.classifier is not None
    assert session.classifier.head == head
    sums = session.classifier(torch.rand(2, 3, 8, 8).to(session.classifier.device)).softmax(1).sum(1)
    assert torch.allclose(sums, torch.ones_like(sums))


def test_functions_are_found_without_running_the_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\ndef make(): ...\ndef _hidden(): ...\n")
    assert functions_in(path) == ["make"]
    assert not (tmp_path / "ran").exists()
    path.write_text("def (")
    assert functions_in(path) == []


def test_the_architecture_of_a_checkpoint_is_asked_for(qtbot: QtBot) -> None:
    dialog = CheckpointDialog(Path("weights.pt"), ["signs", "digits", "torchvision:resnet50"])
    qtbot.addWidget(dialog)
    assert not dialog.ok.isEnabled()
    line = dialog.architecture.lineEdit()
    assert line is not None
    line.selectAll()
    qtbot.keyClicks(line, "resnet")
    qtbot.keyClick(line, Qt.Key.Key_Return)
    assert dialog.chosen == "torchvision:resnet50"
    assert dialog.ok.isEnabled()


ARCHITECTURES = [
    "signs",
    "digits",
    *(f"torchvision:{name}" for name in ("resnet50", "wide_resnet50_2", "vgg11", "vgg11_bn", "squeezenet1_0", "vit_b_16")),
]


@pytest.mark.parametrize(
    ("file", "guess"),
    [
        ("squeezenet1_0.pth", "torchvision:squeezenet1_0"),
        ("squeezenet1_0-b66bff10.pth", "torchvision:squeezenet1_0"),
        ("resnet50-0676ba61.pth", "torchvision:resnet50"),
        ("my Wide-ResNet50-2 finetuned.safetensors", "torchvision:wide_resnet50_2"),
        ("vgg11_bn.pt", "torchvision:vgg11_bn"),
        ("signs-bounded.safetensors", "signs"),
        ("resnet501.pth", None),
        ("assigns.pth", None),
        ("best.pt", None),
    ],
)
def test_the_architecture_is_guessed_from_the_files_name(qtbot: QtBot, file: str, guess: str | None) -> None:
    dialog = CheckpointDialog(Path(file), ARCHITECTURES)
    qtbot.addWidget(dialog)
    assert dialog.chosen == guess
    assert dialog.ok.isEnabled() == (guess is not None)


def test_the_keyboard_is_in_the_architecture(qtbot: QtBot) -> None:
    """What is typed at once must not choose the output of the network."""
    dialog = CheckpointDialog(Path("weights.pt"), ARCHITECTURES)
    qtbot.addWidget(dialog)
    dialog.show()
    qtbot.waitExposed(dialog)
    line = dialog.architecture.lineEdit()
    assert dialog.focusWidget() in (line, dialog.architecture)
    assert line is not None
    qtbot.keyClicks(line, "squeeze")
    qtbot.keyClick(line, Qt.Key.Key_Return)
    assert dialog.options == {"architecture": "torchvision:squeezenet1_0", "activation": "relu", "head": "logits"}


def test_the_dialog_is_there_before_the_list_and_keeps_what_is_typed(qtbot: QtBot) -> None:
    dialog = CheckpointDialog(Path("weights.pt"), ["signs", "digits"])
    qtbot.addWidget(dialog)
    dialog.show()
    dialog.list_follows()
    qtbot.waitExposed(dialog)
    assert "being listed" in dialog.sentence.text()
    line = dialog.architecture.lineEdit()
    assert line is not None
    qtbot.keyClicks(line, "squeeze")
    dialog.set_architectures(ARCHITECTURES)
    assert line.text() == "squeeze"
    dialog.suggest(("torchvision:resnet50", "relu"))
    assert dialog.chosen is None  # the user is at it
    qtbot.keyClick(line, Qt.Key.Key_Return)
    assert dialog.options == {"architecture": "torchvision:squeezenet1_0", "activation": "relu", "head": "logits"}


def test_the_tensors_choose_until_the_user_does(qtbot: QtBot) -> None:
    dialog = CheckpointDialog(Path("resnet50-mine.pt"), ARCHITECTURES)
    qtbot.addWidget(dialog)
    dialog.show()
    assert dialog.chosen == "torchvision:resnet50"
    dialog.suggest(("torchvision:vgg11", "relu"))
    assert dialog.chosen == "torchvision:vgg11"
    assert "Its tensors are those of vgg11" in dialog.sentence.text()
    dialog.suggest(None)
    assert dialog.chosen == "torchvision:resnet50"  # by its name alone
    dialog.suggest(("signs", "bounded"))
    assert dialog.options["activation"] == "bounded"


def test_a_mistyped_architecture_loads_nothing(qtbot: QtBot) -> None:
    """Enter after a wrong name must not load the one that was guessed before."""
    dialog = CheckpointDialog(Path("resnet50.pt"), ARCHITECTURES)
    qtbot.addWidget(dialog)
    dialog.show()
    qtbot.waitExposed(dialog)
    line = dialog.architecture.lineEdit()
    assert line is not None
    qtbot.keyClicks(line, "resnot")
    qtbot.keyClick(line, Qt.Key.Key_Return)
    assert not dialog.ok.isEnabled()
    assert dialog.isVisible()


def test_the_wheel_does_not_choose_the_output(qtbot: QtBot) -> None:
    from PySide6.QtCore import QPoint, QPointF
    from PySide6.QtGui import QWheelEvent

    dialog = CheckpointDialog(Path("weights.pt"), ARCHITECTURES)
    qtbot.addWidget(dialog)
    dialog.show()
    for combo in (dialog.head, dialog.activation):
        at = QPointF(combo.rect().center())
        none = Qt.MouseButton.NoButton
        wheel = QWheelEvent(
            at, combo.mapToGlobal(at), QPoint(), QPoint(0, -120), none, Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False
        )
        QApplication.sendEvent(combo, wheel)
        assert combo.currentIndex() == 0


def test_a_checkpoint_is_asked_about_and_its_network_found(qtbot: QtBot, loaded: ModelPanel, session: Session, tmp_path: Path) -> None:
    from engine.models import ARCHITECTURES as OWN

    path = tmp_path / "best.pt"
    torch.save(OWN["digits"].build("relu").state_dict(), path)
    loaded.load_checkpoint(path)
    qtbot.waitUntil(lambda: loaded.findChild(CheckpointDialog) is not None)
    dialog = loaded.findChild(CheckpointDialog)
    assert dialog is not None
    qtbot.waitUntil(lambda: dialog.chosen == "digits")
    with qtbot.waitSignal(session.classifierChanged):
        qtbot.mouseClick(dialog.ok, Qt.MouseButton.LeftButton)
    assert session.classifier is not None
    assert session.classifier.num_classes == 10
    recent = session.models.recent[0]
    assert recent.source == str(path)
    assert recent.options["architecture"] == "digits"
    session.models.load("signs")
    qtbot.waitUntil(lambda: session.classifier is not None and session.classifier.name == "signs")
    session.models.choose(str(path))  # no question this time
    qtbot.waitUntil(lambda: session.classifier is not None and session.classifier.name == "best")
    path.unlink()
    session.models.choose(str(path))
    assert "no longer there" in loaded.message.text
    assert session.models.recent == ()


def test_the_button_acts_on_what_can_be_seen(qtbot: QtBot, panel: ModelPanel, session: Session) -> None:
    sources = panel.sources
    session.change(ready=True)
    qtbot.waitUntil(lambda: "digits" in sources.shown)
    sources.highlight("signs")
    assert panel.load_button.isEnabled()
    qtbot.keyClicks(sources.search, "digits")
    assert sources.source == "digits"  # what can be seen, not what was highlighted before
    assert panel.load_button.toolTip() == "Load digits"
    asked: list[str] = []
    sources.activated.connect(asked.append)
    qtbot.keyClick(sources.search, Qt.Key.Key_Return)
    assert asked == ["digits"]
    qtbot.waitUntil(lambda: session.classifier is not None and session.classifier.name == "digits")
    sources.search.clear()
    qtbot.keyClicks(sources.search, "no such thing")
    groups = [sources.tree.topLevelItem(place) for place in range(sources.tree.topLevelItemCount())]
    assert not any(source in sources.shown for source in ("signs", "digits"))
    assert sources.source is None
    assert not panel.load_button.isEnabled()
    qtbot.keyClick(sources.search, Qt.Key.Key_Return)
    assert asked == ["digits"]
    assert groups[0] is not None
    assert groups[0].isHidden()


def test_a_checkpoint_with_its_card_is_not_asked_about(qtbot: QtBot, loaded: ModelPanel, session: Session) -> None:
    from engine import resources

    before = session.classifier
    loaded.load_checkpoint(resources.folder("models", "digits.safetensors"))
    qtbot.waitUntil(lambda: session.classifier is not before)
    assert session.classifier is not None
    assert session.classifier.num_classes == 10


def test_swapped_activations_change_the_model_and_come_back(qtbot: QtBot, loaded: ModelPanel, session: Session) -> None:
    base = session.classifier
    assert base is not None
    assert session.clean is not None
    swap = loaded.swap
    swap.bound.setValue(1e6)  # the largest there is; without a choice nothing happens
    swap.choice.setCurrentText(BOUNDED)
    swap.bound.setValue(0.5)
    qtbot.waitUntil(lambda: session.classifier is not base)
    bounded = session.classifier
    assert bounded is not None
    assert bounded.fingerprint != base.fingerprint
    peaks = bounded.record(session.clean[None].to(bounded.device)).activations
    assert max(float(value.max()) for value in peaks.values()) <= 0.5
    assert swap.choice.currentText() == BOUNDED
    swap.choice.setCurrentText(RELU)
    swap.choice.activated.emit(swap.choice.currentIndex())
    qtbot.waitUntil(lambda: session.classifier is not bounded)
    assert session.classifier is not None
    image = session.clean[None].to(base.device)
    assert torch.equal(session.classifier(image), base(image))  # its rectifiers are ReLU anyhow
    swap.choice.setCurrentIndex(0)
    swap.choice.activated.emit(0)
    qtbot.waitUntil(lambda: session.classifier is base)
    session.set_classifier(bounded)  # as a finished run does that is shown again
    assert (swap.choice.currentText(), swap.bound.value()) == (BOUNDED, 0.5)
    assert moved_to(bounded, str(bounded.device)).fingerprint == bounded.fingerprint
    swap.choice.setCurrentIndex(0)
    swap.choice.activated.emit(0)
    qtbot.waitUntil(lambda: session.classifier is base)
    assert swap.choice.currentText() == AS_LOADED


def test_layers_are_listed_when_opened(qtbot: QtBot, loaded: ModelPanel, session: Session) -> None:
    assert loaded.layers.topLevelItemCount() == 0
    qtbot.mouseClick(named(loaded, QToolButton, "Layers"), Qt.MouseButton.LeftButton)
    assert session.classifier is not None
    assert loaded.layers.topLevelItemCount() == len(list(session.classifier.module.children()))
    site = session.classifier.sites[0]
    (item,) = loaded.layers.findItems(site.name, Qt.MatchFlag.MatchExactly | Qt.MatchFlag.MatchRecursive, 0)
    assert item.text(2) == "×".join(map(str, site.shape))


def test_the_fingerprint_is_copied(qtbot: QtBot, loaded: ModelPanel, session: Session) -> None:
    qtbot.mouseClick(named(loaded.card, QToolButton, "Copy the fingerprint"), Qt.MouseButton.LeftButton)
    assert session.classifier is not None
    assert QApplication.clipboard().text() == session.classifier.fingerprint


# ---------------------------------------------------------------------- downloads


class _Slow(BaseHTTPRequestHandler):
    """Announces much and sends little, until it is told to go on."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "1000000")
        self.end_headers()
        self.wfile.write(b"x" * 1000)
        self.wfile.flush()
        self.server.go_on.wait(10)  # type: ignore[attr-defined]

    def log_message(self, *_: Any) -> None: ...


@pytest.fixture
def server() -> Any:
    made = ThreadingHTTPServer(("127.0.0.1", 0), _Slow)
    made.go_on = threading.Event()  # type: ignore[attr-defined]
    thread = threading.Thread(target=functools.partial(made.serve_forever, 0.05))
    thread.start()
    yield made
    made.go_on.set()  # type: ignore[attr-defined]
    made.shutdown()
    thread.join()
    made.server_close()


def published(url: str, path: Path) -> Any:
    from engine.models.torchvision import Published

    return Published("slownet", "DEFAULT", url, ("a",), 8, 8, "bilinear", (0.0,), (1.0,), 1, 1.0, None)


def test_a_download_shows_progress_and_is_cancelled(
    qtbot: QtBot, loaded: ModelPanel, session: Session, server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    before = session.classifier
    session.models.download(published(f"http://127.0.0.1:{server.server_port}/slow.pth", tmp_path))
    qtbot.waitUntil(lambda: loaded.download.fetch.received == 1000)
    qtbot.waitUntil(lambda: "of 1.0 MB" in loaded.download.progress.text())
    assert loaded.download.isVisible()
    qtbot.mouseClick(loaded.download.stop, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not loaded.download.fetch.running)
    assert not loaded.download.isVisible()
    assert "cancelled" in loaded.message.text
    assert loaded.message.kind == "hint"
    assert session.classifier is before
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == []


def test_nothing_is_downloaded_before_one_agrees(
    qtbot: QtBot, loaded: ModelPanel, session: Session, server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    session.models.downloadAsked.emit(published(f"http://127.0.0.1:{server.server_port}/slow.pth", tmp_path))
    question = loaded.findChild(QMessageBox)
    assert question is not None
    assert "slownet" in question.text()
    assert not loaded.download.fetch.running
    button = next(button for button in question.buttons() if button.text() == "Download")
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert loaded.download.fetch.running
    loaded.download.fetch.cancel()
    qtbot.waitUntil(lambda: not loaded.download.fetch.running)


@pytest.mark.slow
def test_torchvision_is_listed_only_when_asked(qtbot: QtBot, panel: ModelPanel) -> None:
    assert not any(source.startswith("torchvision:") for source in panel.sources.shown)
    qtbot.keyClicks(panel.sources.search, "resnet18")
    qtbot.waitUntil(lambda: "torchvision:resnet18" in panel.sources.shown)
    panel.sources.highlight("torchvision:resnet18")
    entry = panel.sources.entry
    assert entry is not None
    if not entry.available:
        assert panel.load_button.text() == "Download and load…"


def test_without_a_model_the_dock_says_what_to_do(panel: ModelPanel) -> None:
    assert named(panel, QLabel, "No model is loaded. Choose one below.").isVisible()
    assert not panel.load_button.isEnabled()
    assert engine.models.catalogue(with_torchvision=False)
