"""Dialogs that come before the loading of the user's own code, a download, or the choice of logits."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Slot
from PySide6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QMessageBox,
    QPushButton,
    QWidget,
)

from gui.widgets.question import Question

if TYPE_CHECKING:
    from engine.models.torchvision import Published


class CodeDialog(Question):
    """Asks for a Python file and a function in it, and warns that loading runs the file."""

    def __init__(self, parent: QWidget | None = None, source: str = "") -> None:
        """``source``, written as ``FILE.py:FACTORY``, fills in the rows."""
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
        file, _, function = source.partition(".py:")
        if source:
            self.file.setText(f"{file}.py")
            self.factory.setCurrentText(function)
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
