"""Card: the facts about the present classifier, row by row, with the choice of its device."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QComboBox, QFormLayout, QHBoxLayout, QLabel, QSizePolicy, QToolButton, QWidget

from engine.text.cards import accuracy_of, attacked_of, data_name, training_of
from gui import theme
from gui.panels.model.swap import Swap
from gui.widgets import ElidedLabel, Message

if TYPE_CHECKING:
    from engine import Classifier
    from gui.session.session import Session


@dataclass(frozen=True, eq=False)
class CardFacts:
    """Facts about a classifier that the engine thread computes."""

    classifier: Classifier
    fingerprint: str
    devices: dict[str, str]


def device_names() -> dict[str, str]:
    """Return every device with its title, the CPU first. Called in the engine thread."""
    from engine.devices import devices, name_of

    return {str(device): "CPU" if device.type == "cpu" else f"{device}: {name_of(device)}" for device in devices()}


def _hash(card: dict[str, Any]) -> str:
    """Return the first digits of a file's hash, with the published hash."""
    if "published_hash" not in card:
        return ""
    own = str(card.get("sha256", ""))[:8]
    return f"{own}, as published" if card.get("hash_matches") else f"{own}, not the published {card['published_hash']}"


class Card(QWidget):
    """Rows of name and value; unknown values have no row."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.device = QComboBox(self)
        self.device.setAccessibleName("Device")
        self.device.setToolTip("Where the model computes. Another device takes a copy of the weights.")
        self._fingerprint = QLabel(self)
        self._fingerprint.setAccessibleName("Fingerprint")
        self._fingerprint.setFont(theme.number_font(self.font()))
        self._fingerprint.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._copy = QToolButton(self)
        self._copy.setIcon(theme.icon("mdi6.content-copy"))
        self._copy.setAutoRaise(True)
        self._copy.setToolTip("Copy the fingerprint")
        self._copy.setAccessibleName("Copy the fingerprint")
        self._copy.clicked.connect(self._on_copy)
        self.swap = Swap(self)
        self._rows: dict[str, QLabel] = {}
        self._layout = QFormLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setHorizontalSpacing(8)
        self._layout.setVerticalSpacing(3)
        self._layout.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self._name = ElidedLabel(parent=self)
        font = self._name.font()
        font.setBold(True)
        self._name.setFont(font)
        self._layout.addRow(self._name)
        self.other_weights = Message(self)
        self._layout.addRow(self.other_weights)
        for key in ("input", "classes", "training", "accuracy", "attacked", "hash", "parameters"):
            self._add(key)
        self._layout.addRow("activations", self.swap)
        self._layout.addRow("device", self.device)
        self._add("threads", "CPU threads: as many as were fastest for this model, measured when it was loaded.")
        line = QHBoxLayout()
        line.setSpacing(2)
        line.addWidget(self._fingerprint)
        line.addWidget(self._copy)
        line.addStretch(1)
        self._layout.addRow("fingerprint", line)
        for key in ("data", "licence", "file", "notes"):
            self._add_sentence(key)

    def _add(self, key: str, tip: str = "") -> None:
        """Add a row of one line."""
        label = ElidedLabel(parent=self)
        label.set_tip(tip)
        self._rows[key] = label
        self._layout.addRow(key, label)

    def _add_sentence(self, key: str) -> None:
        """Add a row whose text may take several lines."""
        label = QLabel(self)
        label.setWordWrap(True)
        label.setAlignment(Qt.AlignmentFlag.AlignTop)
        label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        self._rows[key] = label
        self._layout.addRow(key, label)

    def _tip(self, key: str, tip: str) -> None:
        label = self._rows[key]
        if isinstance(label, ElidedLabel):
            label.set_tip(tip)

    def text(self, key: str) -> str:
        """Return the text of a row; empty for a hidden one."""
        return self._rows[key].text()

    def show_classifier(self, classifier: Classifier) -> None:
        """Show the facts about a classifier."""
        card = classifier.card
        channels, height, width = classifier.input_shape
        bounded = f", {len(classifier.activations)} activations swapped" if classifier.activations else ""
        self._name.setText(classifier.name)
        self._name.set_tip(f"Loaded from {classifier.source}" if classifier.source else "")
        classes = classifier.labels
        some = ", ".join(classes[:3]) + ("…" if len(classes) > 3 else "")
        values = {
            "input": f"{height} × {width}, {'grey' if channels == 1 else 'RGB' if channels == 3 else f'{channels} channels'}",
            "classes": f"{len(classes):,}: {some}",
            "training": training_of(card),
            "accuracy": accuracy_of(card) + (f", before {bounded[2:]}" if bounded else ""),
            "attacked": attacked_of(card),
            "hash": _hash(card),
            "parameters": f"{int(card['parameters']):,}" if "parameters" in card else "",
            "data": str(card.get("attribution", "") or data_name(str(card.get("data_set", "")))),
            "licence": str(card.get("licence", "")),
            "file": str(card.get("file", "")) if classifier.source and classifier.source != classifier.name else "",
            "notes": "; ".join(str(note) for note in card.get("notes", ())),
        }
        for key, value in values.items():
            self._rows[key].setText(value)
            self._layout.setRowVisible(self._rows[key], bool(value))
        self._show_hash(card)
        self._tip("classes", "\n".join(classes[:50]) + (f"\n… and {len(classes) - 50:,} more" if len(classes) > 50 else ""))
        self._fingerprint.setText("…")
        # Both take a while for large models, and for GPUs that are not initialised yet.
        what = "Looking at the model and the devices"
        self._session.ask("about", lambda: CardFacts(classifier, classifier.fingerprint, device_names()), self._show_facts, what=what)
        self.show_threads()

    def _show_hash(self, card: dict[str, Any]) -> None:
        """Say what another hash than the published one means: not that something is wrong, but that the accuracy is of other weights."""
        self._tip("hash", str(card.get("hash_note", "")))
        other = "published_hash" in card and not card.get("hash_matches")
        words = "These are not the published weights of this network, so its published accuracy need not hold for them."
        self.other_weights.say(words if other else "", "hint")

    def _show_facts(self, about: CardFacts) -> None:
        classifier = about.classifier
        if classifier is not self._session.classifier:
            return
        self._fingerprint.setText(about.fingerprint[:8])
        self._fingerprint.setToolTip(f"{about.fingerprint}: weights, structure, normalisation and everything derived")
        self._show_devices(classifier, about.devices)

    def show_threads(self) -> None:
        """Show the number of CPU threads, after it was measured."""
        classifier = self._session.classifier
        on_cpu = classifier is not None and classifier.device.type == "cpu"
        self._rows["threads"].setText(str(self._session.threads) if on_cpu and self._session.threads else "")
        self._layout.setRowVisible(self._rows["threads"], bool(self.text("threads")))

    def _show_devices(self, classifier: Classifier, names: dict[str, str]) -> None:
        self.device.blockSignals(True)
        self.device.clear()
        for device, title in names.items():
            self.device.addItem(title, device)
        self.device.setCurrentIndex(self.device.findData(str(classifier.device)))
        self.device.setEnabled(self.device.count() > 1)
        self.device.setToolTip("Where the model computes." if self.device.count() > 1 else "Where the model computes. No GPU was found.")
        self.device.blockSignals(False)

    @Slot()
    def _on_copy(self) -> None:
        if self._session.classifier is not None:
            QGuiApplication.clipboard().setText(self._session.classifier.fingerprint)
            self._session.notice.emit("The fingerprint was copied.")
