"""Swapping the rectifiers of a network with the same weights, to see the effect of bounded ones without training."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from PySide6.QtCore import QSignalBlocker, Signal, Slot
from PySide6.QtWidgets import QComboBox, QDoubleSpinBox, QHBoxLayout, QWidget

if TYPE_CHECKING:
    from engine import Classifier

AS_LOADED, RELU, BOUNDED = "as loaded", "ReLU", "bounded ReLU"


@dataclass(frozen=True, eq=False)
class Origin:
    """The classifier from which one was made by swapping its rectifiers, and the choice of these."""

    base: Classifier
    choice: str = AS_LOADED
    bound: float | None = None


_origins: WeakKeyDictionary[Classifier, Origin] = WeakKeyDictionary()
_lock = threading.Lock()


def origin_of(classifier: Classifier) -> Origin:
    """Return the origin of a classifier; if nothing was swapped, that is the classifier itself."""
    with _lock:
        return _origins.get(classifier) or Origin(classifier)


def moved_to(classifier: Classifier, device: str) -> Classifier:
    """Return the classifier on another device, with the same swapped rectifiers. Called in the engine thread."""
    origin = origin_of(classifier)
    base = origin.base.to(device)
    return base if origin.bound is None else with_activations(base, origin.choice, origin.bound)


def with_activations(base: Classifier, choice: str, bound: float) -> Classifier:
    """Return ``base`` with every rectifier replaced and the weights shared. Called in the engine thread."""
    from torch import nn

    from engine import GibbonError
    from engine.defenses import Bounded

    if choice == AS_LOADED:
        return base
    if not base.sites:
        raise GibbonError(f"“{base.name}” calls no rectifier, so there is none to swap.")
    rectifier = Bounded(bound) if choice == BOUNDED else nn.ReLU()
    name = f"{base.name}, {choice}" + (f" at {bound:g}" if choice == BOUNDED else "")
    derived = base.derive(name=name, activations=dict.fromkeys((site.name for site in base.sites), rectifier))
    with _lock:
        _origins[derived] = Origin(base, choice, bound)
    return derived


class Swap(QWidget):
    """Controls for the choice of rectifiers and their bound."""

    wanted = Signal(str, float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.choice = QComboBox(self)
        self.choice.addItems([AS_LOADED, RELU, BOUNDED])
        self.choice.setAccessibleName("Activations")
        self.choice.setToolTip(
            "Replace every rectifier of the model, with the weights as they are. The Activations dock bounds single layers."
        )
        self.bound = QDoubleSpinBox(self)
        self.bound.setRange(0.01, 1000)
        self.bound.setDecimals(2)
        self.bound.setSingleStep(0.25)
        self.bound.setValue(2)
        self.bound.setPrefix("at ")
        self.bound.setEnabled(False)
        self.bound.setAccessibleName("Bound")
        self.bound.setToolTip("The upper limit of every activation.")
        self.bound.setKeyboardTracking(False)
        self.bound.setMinimumWidth(72)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.choice, 1)
        layout.addWidget(self.bound)
        self.choice.currentTextChanged.connect(self._on_choice)
        self.choice.activated.connect(self._on_changed)
        self.bound.valueChanged.connect(self._on_changed)

    def show_origin(self, origin: Origin) -> None:
        """Show the choice and the bound of the present classifier."""
        self.choice.setCurrentText(origin.choice)
        if origin.bound is not None:
            with QSignalBlocker(self.bound):
                self.bound.setValue(origin.bound)

    @Slot(str)
    def _on_choice(self, choice: str) -> None:
        self.bound.setEnabled(choice == BOUNDED)

    @Slot()
    def _on_changed(self) -> None:
        self.wanted.emit(self.choice.currentText(), self.bound.value())
