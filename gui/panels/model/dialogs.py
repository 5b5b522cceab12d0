"""Dialogs that come before the loading of a checkpoint, of the user's own code, or of a download."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Slot
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QMessageBox,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from gui.widgets import LabelCombo

if TYPE_CHECKING:
    from engine.models.torchvision import Published

HEADS = {"logits (usual)": "logits", "probabilities: take the logarithm": "log", "ends in a Softmax layer: remove it": "strip"}
ACTIVATIONS = ("relu", "bounded", "bounded-leaky")


class _Question(QDialog):
    """A dialog with title, sentence, rows and two buttons."""

    def __init__(self, title: str, sentence: str, accept: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        text = QLabel(sentence, self)
        text.setWordWrap(True)
        self.rows = QFormLayout()
        self.rows.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self.head = QComboBox(self)
        for caption, value in HEADS.items():
            self.head.addItem(caption, value)
        self.head.setAccessibleName("Output of the network")
        self.head.setToolTip("Attacks need logits. A network that ends in probabilities is turned into one that gives them.")
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel, self)
        self.ok = QPushButton(accept, self)
        self.ok.setDefault(True)
        buttons.addButton(self.ok, QDialogButtonBox.ButtonRole.AcceptRole)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 16, 16, 16)
        layout.setSpacing(12)
        layout.addWidget(text)
        layout.addLayout(self.rows)
        layout.addStretch(1)
        layout.addWidget(buttons)
        self.setMinimumWidth(420)


class CheckpointDialog(_Question):
    """Asks for the architecture of a checkpoint's weights."""

    def __init__(self, path: Path, architectures: list[str], parent: QWidget | None = None) -> None:
        sentence = f"“{path.name}” holds weights, but not which network they belong to. Choose the architecture that they were trained in."
        super().__init__("Open checkpoint", sentence, "Load", parent)
        self._names = architectures
        self.architecture = LabelCombo("choose an architecture", self, name="Architecture", tip="Type to search.")
        self.architecture.set_labels(architectures)
        self.activation = QComboBox(self)
        self.activation.addItems(ACTIVATIONS)
        self.activation.setAccessibleName("Activation")
        self.activation.setToolTip("The rectifiers that the network was trained with.")
        self.rows.addRow("architecture", self.architecture)
        self.rows.addRow("activation", self.activation)
        self.rows.addRow("output", self.head)
        self.ok.setEnabled(False)
        self.architecture.chosen.connect(self._on_chosen)

    @Slot(object)
    def _on_chosen(self, value: int | None) -> None:
        self.ok.setEnabled(value is not None)

    @property
    def chosen(self) -> str | None:
        """The name of the chosen architecture; None if none is chosen."""
        return None if self.architecture.value is None else self._names[self.architecture.value]


class CodeDialog(_Question):
    """Asks for a Python file and a function in it, and warns that loading runs the file."""

    def __init__(self, parent: QWidget | None = None) -> None:
        sentence = (
            "A function of your own gives the model: an engine.Classifier, or (module, labels, input_shape[, mean, std]). "
            "Loading runs all the code in that file, with all your rights. Only load what you have read."
        )
        super().__init__("Load a model from your own code", sentence, "Run the code", parent)
        self.file = QLineEdit(self)
        self.file.setPlaceholderText("model.py")
        self.file.setAccessibleName("Python file")
        self.file.setToolTip("The Python file that holds the function.")
        browse = QPushButton("Browse…", self)
        browse.setToolTip("Choose the file")
        browse.clicked.connect(self._browse)
        line = QHBoxLayout()
        line.addWidget(self.file, 1)
        line.addWidget(browse)
        self.factory = QComboBox(self)
        self.factory.setEditable(True)
        self.factory.setAccessibleName("Function")
        self.factory.setToolTip("The function that is called, without arguments. Listed are those that the file defines.")
        self.rows.addRow("file", line)
        self.rows.addRow("function", self.factory)
        self.rows.addRow("output", self.head)
        self.file.textChanged.connect(self._on_file)
        self.factory.currentTextChanged.connect(self._check)
        self._check()

    @property
    def source(self) -> str:
        """Return the source, written as ``FILE.py:FACTORY``."""
        return f"{self.file.text().strip()}:{self.factory.currentText().strip()}"

    @Slot()
    def _browse(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Python file", self.file.text(), "Python files (*.py)")
        if path:
            self.file.setText(path)

    @Slot(str)
    def _on_file(self, text: str) -> None:
        self.factory.clear()
        self.factory.addItems(functions_in(Path(text.strip())))
        self._check()

    @Slot()
    def _check(self) -> None:
        self.ok.setEnabled(self.file.text().strip().endswith(".py") and self.factory.currentText().strip().isidentifier())


def functions_in(path: Path) -> list[str]:
    """Return the names of the functions that a Python file defines, without running it."""
    try:
        tree = ast.parse(path.read_text("utf-8"))
    except (OSError, SyntaxError, ValueError):
        return []
    return [node.name for node in tree.body if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")]


def ask_download(parent: QWidget, about: Published, agreed: Callable[[], None]) -> None:
    """Ask for consent to a download, with its name, size, address and folder; on consent call ``agreed``."""
    question = QMessageBox(parent)
    question.setIcon(QMessageBox.Icon.Question)
    question.setWindowTitle("Download weights")
    question.setText(f"The weights of “{about.name}” ({about.megabytes:.0f} MB) are not on this machine. Download them?")
    question.setInformativeText(f"From {about.url}\ninto {about.path.parent}")
    question.addButton("Download", QMessageBox.ButtonRole.AcceptRole).clicked.connect(lambda: agreed())
    question.addButton(QMessageBox.StandardButton.Cancel)
    question.open()


def ask_head(parent: QWidget, chosen: Callable[[str], None]) -> None:
    """Ask how to get logits from a model that ends in probabilities, and call ``chosen`` with the way."""
    question = QMessageBox(parent)
    question.setIcon(QMessageBox.Icon.Question)
    question.setWindowTitle("The model ends in probabilities")
    question.setText("The model gives probabilities, and attacks need logits. How are they to be had?")
    question.setInformativeText(
        "The logarithm works for every model, but its gradients vanish where the model is certain. "
        "Removing the final Softmax layer gives the network's own logits, where it has such a layer."
    )
    for text, head in (("Remove the Softmax layer", "strip"), ("Take the logarithm", "log")):
        button = question.addButton(text, QMessageBox.ButtonRole.AcceptRole)
        button.clicked.connect(lambda _checked=False, head=head: chosen(head))
    question.addButton(QMessageBox.StandardButton.Cancel)
    question.open()
