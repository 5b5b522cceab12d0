"""CheckpointDialog: the question which network a file of weights belongs to."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QWidget

from gui.widgets.label_combo import LabelCombo
from gui.widgets.question import Question, StillCombo

ACTIVATIONS = {"ReLU": "relu", "bounded ReLU": "bounded", "bounded leaky ReLU": "bounded-leaky"}


class CheckpointDialog(Question):
    """Asks into which architecture the weights go. The keyboard is in that field, and a guess is filled in.

    The guess comes from the file's name at once and from its tensors a little later. What the user has chosen meanwhile stays.
    """

    def __init__(self, path: Path, architectures: Sequence[str], parent: QWidget | None = None) -> None:
        super().__init__("Open checkpoint", "", "Load", parent)
        self._path, self._names = path, list(architectures)
        self._by_hand = False
        """Whether the user has chosen an architecture or typed one."""
        self._waits = False
        """Whether further architectures are still being listed."""
        self.architecture = LabelCombo("choose an architecture", self, name="Architecture", tip="Type to search.")
        self.activation = StillCombo(self)
        for caption, value in ACTIVATIONS.items():
            self.activation.addItem(caption, value)
        self.activation.setAccessibleName("Activation")
        self.activation.setToolTip("The rectifiers that the network was trained with.")
        self.rows.addRow("architecture", self.architecture)
        self.rows.addRow("activation", self.activation)
        self.rows.addRow("output", self.head)
        self.architecture.chosen.connect(self._on_chosen)
        self.architecture.mistyped.connect(self._on_mistyped)
        self.set_architectures(architectures)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.architecture.setFocus(Qt.FocusReason.OtherFocusReason)
        line = self.architecture.lineEdit()
        if line is not None:
            line.selectAll()  # typing replaces it

    # ------------------------------------------------------------------ what becomes known

    def list_follows(self) -> None:
        """Say that further architectures are being listed, and the tensors looked at."""
        self._waits = True
        self._say("Further architectures are being listed, and the tensors are looked at.")

    def set_architectures(self, architectures: Sequence[str]) -> None:
        """Replace the architectures to choose from. What was chosen or typed stays; else the file's name chooses."""
        line = self.architecture.lineEdit()
        chosen, typed = self.chosen, "" if line is None else line.text()
        being_typed = line is not None and line.isModified() and self.isVisible()
        self._names = list(architectures)
        self.architecture.set_labels(self._names)
        if being_typed and line is not None:
            line.setText(typed)
            line.setModified(True)
            self._by_hand = True
        elif self._by_hand and chosen in self._names:
            self.architecture.set_value(self._names.index(chosen))
        elif not self._by_hand:
            self._guess(guessed_architecture(self._path, self._names), "Its name says")
        self._update()

    def suggest(self, found: tuple[str, str] | None) -> None:
        """Fill in the architecture and the activation to which the tensors belong, unless the user has chosen already."""
        self._waits = False
        line = self.architecture.lineEdit()
        if self._by_hand or (line is not None and line.isModified()):
            self._say("")
        elif found is not None and found[0] in self._names:
            self.activation.setCurrentIndex(self.activation.findData(found[1]))
            self._guess(self._names.index(found[0]), "Its tensors are those of")
        else:
            self._guess(guessed_architecture(self._path, self._names), "Its name says")
        self._update()

    def _guess(self, place: int | None, how: str) -> None:
        if place is None:
            self._say("" if self._waits else "Choose the architecture that they were trained in.")
            return
        self.architecture.set_value(place)
        line = self.architecture.lineEdit()
        if line is not None and line.hasFocus():
            line.selectAll()
        self._say(f"{how} {self._names[place].removeprefix('torchvision:')}: check it.")

    def _say(self, what: str) -> None:
        self.sentence.setText(f"“{self._path.name}” holds weights, but not which network they belong to. {what}".strip())

    # ------------------------------------------------------------------ from the user

    @Slot(object)
    def _on_chosen(self, _value: int | None) -> None:
        self._by_hand = True
        self._update()

    @Slot(str)
    def _on_mistyped(self, text: str) -> None:
        self._by_hand = self._by_hand or bool(text)
        self._update()

    def _update(self) -> None:
        self.ok.setEnabled(self.chosen is not None and not self.architecture.unknown)

    @property
    def chosen(self) -> str | None:
        """The architecture's name."""
        value = self.architecture.value
        return None if value is None else self._names[value]

    @property
    def named(self) -> tuple[str, ...]:
        """The architecture that the file's name suggests."""
        place = guessed_architecture(self._path, self._names)
        return () if place is None else (self._names[place],)

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
