"""Question: a dialog with a sentence and rows of choices."""

from __future__ import annotations

from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QComboBox, QDialog, QDialogButtonBox, QFormLayout, QLabel, QPushButton, QVBoxLayout, QWidget

HEADS = {"logits (usual)": "logits", "probabilities: take the logarithm": "log", "ends in a Softmax layer: remove it": "strip"}


class Question(QDialog):
    """Title, sentence, rows, two buttons."""

    def __init__(self, title: str, sentence: str, accept: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.sentence = text = QLabel(sentence, self)
        text.setWordWrap(True)
        self.rows = QFormLayout()
        self.rows.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self.head = StillCombo(self)
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


class StillCombo(QComboBox):
    """A combo box that the wheel does not change."""

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()
