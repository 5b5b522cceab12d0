"""Question: a dialog with a sentence and rows of choices; CheckpointDialog: the question which network a file of weights belongs to."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QComboBox, QDialog, QDialogButtonBox, QFormLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from gui.widgets.label_combo import LabelCombo

HEADS = {"logits (usual)": "logits", "probabilities: take the logarithm": "log", "ends in a Softmax layer: remove it": "strip"}
ACTIVATIONS = {"ReLU": "relu", "bounded ReLU": "bounded", "bounded leaky ReLU": "bounded-leaky"}


class Question(QDialog):
    """Title, sentence, rows, two buttons."""

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


class CheckpointDialog(Question):
    """Asks into which architecture the weights go. The keyboard is in that field; what the file's name says is filled in."""

    def __init__(self, path: Path, architectures: Sequence[str], parent: QWidget | None = None) -> None:
        guess = guessed_architecture(path, architectures)
        what = (
            f"Its name says {architectures[guess].removeprefix('torchvision:')}: check it."
            if guess is not None
            else "Choose the architecture that they were trained in."
        )
        super().__init__("Open checkpoint", f"“{path.name}” holds weights, but not which network they belong to. {what}", "Load", parent)
        self._names = architectures
        self.architecture = LabelCombo("choose an architecture", self, name="Architecture", tip="Type to search.")
        self.architecture.set_labels(architectures)
        self.architecture.set_value(guess)
        self.activation = QComboBox(self)
        for caption, value in ACTIVATIONS.items():
            self.activation.addItem(caption, value)
        self.activation.setAccessibleName("Activation")
        self.activation.setToolTip("The rectifiers that the network was trained with.")
        self.rows.addRow("architecture", self.architecture)
        self.rows.addRow("activation", self.activation)
        self.rows.addRow("output", self.head)
        self.ok.setEnabled(guess is not None)
        self.architecture.chosen.connect(self._on_chosen)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.architecture.setFocus(Qt.FocusReason.OtherFocusReason)
        line = self.architecture.lineEdit()
        if line is not None:
            line.selectAll()  # typing replaces it

    @Slot(object)
    def _on_chosen(self, value: int | None) -> None:
        self.ok.setEnabled(value is not None)

    @property
    def chosen(self) -> str | None:
        """The architecture's name."""
        return None if self.architecture.value is None else self._names[self.architecture.value]

    @property
    def options(self) -> dict[str, str | None]:
        """The choices, as `engine.models.load` takes them."""
        return {"architecture": self.chosen, "activation": self.activation.currentData(), "head": self.head.currentData()}


def guessed_architecture(path: Path, architectures: Sequence[str]) -> int | None:
    """Return the place of the architecture that the file's name holds as a whole word, the longest one; None if it holds none.

    ``resnet50-0676ba61.pth`` names resnet50, ``my_wide-resnet50_2.pt`` names wide_resnet50_2.
    """
    stem = path.stem.casefold().replace("-", "_").replace(" ", "_")
    found = []
    for place, name in enumerate(architectures):
        word = name.removeprefix("torchvision:").casefold()
        if re.search(rf"(?<![a-z0-9]){re.escape(word)}(?![a-z0-9])", stem):
            found.append((len(word), place))
    return max(found, key=lambda pair: pair[0])[1] if found else None
