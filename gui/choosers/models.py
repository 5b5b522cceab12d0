"""ModelList: the models that can be loaded by name: those of this session, recent ones, the shipped ones, torchvision's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QWidget

from engine.text.cards import attacked_of, data_name, training_of
from gui.session.model_words import accuracy_forms
from gui.widgets.pick_list import PickList
from gui.widgets.picks import Pick, PickGroup

if TYPE_CHECKING:
    from engine import Classifier
    from engine.models import ModelEntry
    from gui.session.models import Models
    from gui.session.recent_models import RecentModel

_LIST = "list torchvision"
TORCHVISION = "torchvision (ImageNet)"


class ModelList(PickList):
    """The list of models. A double click or Enter picks one; what is picked is what is highlighted, never what a search has hidden."""

    activated = Signal(str)
    """A model is to be loaded: its source."""

    def __init__(self, models: Models, parent: QWidget | None = None) -> None:
        super().__init__(
            "models",
            3,
            parent,
            one_click=False,
            numbers=(1, 2),
            tip="Narrow the list by name or data set. Enter loads what is highlighted.",
        )
        self._models = models
        self.nothing.setText("No model of the list is called so.")
        self.picked.connect(self._on_picked)
        self.searched.connect(self._on_searched)
        models.changed.connect(self.fill)
        self.fill()

    @property
    def entry(self) -> ModelEntry | None:
        """The highlighted model, if it is one of the catalogue."""
        return None if self.current is None else self._models.entry(self.current)

    @property
    def source(self) -> str | None:
        """The source of the highlighted model; None if none is highlighted that can be seen."""
        return None if self.current == _LIST else self.current

    @property
    def title(self) -> str:
        """The highlighted model in words; empty if none is."""
        here = None if self.source is None else self._models.of_session.get(self.source)
        return here.name if here is not None else self.source or ""

    @Slot()
    def fill(self) -> None:
        """List the models again."""
        recent = self._models.recent
        known = {model.source for model in recent}
        networks = [_entry(entry) for entry in self._models.torchvision or () if entry.source not in known]
        if self._models.torchvision is None:
            title = "listing them…" if self._models.listing else "List them"
            networks = [Pick(_LIST, (title,), "Networks with published weights. Nothing is downloaded before you agree.", always=True)]
        self.set_groups(
            [
                PickGroup("This session", [_loaded(source, model) for source, model in self._models.of_session.items()]),
                PickGroup("Recent", [_recent(model, self._models.entry(model.source)) for model in recent if not model.is_own]),
                PickGroup("Own files", [_recent(model, None) for model in recent if model.is_own]),
                PickGroup("Shipped", [_entry(entry) for entry in self._models.shipped]),
                PickGroup(TORCHVISION, networks),
            ]
        )

    @Slot(object)
    def _on_picked(self, source: str) -> None:
        if source != _LIST:
            self.activated.emit(source)
        elif not self._models.listing:
            self._models.list_torchvision()

    @Slot(str)
    def _on_searched(self, text: str) -> None:
        if text.strip() and self._models.torchvision is None and not self._models.listing:
            self._models.list_torchvision()


def _entry(entry: ModelEntry) -> Pick:
    accuracy = "" if entry.accuracy is None else f"{100 * entry.accuracy:.1f} %"
    here = "" if entry.available else f"↓ {entry.megabytes:.0f} MB"
    channels, height, width = entry.input_shape
    where = "on this machine" if entry.available else f"to be downloaded, {entry.megabytes:.1f} MB"
    tip = (
        f"{entry.source}: {data_name(entry.data_set)}, {entry.classes:,} classes, {channels} × {height} × {width}, "
        f"{entry.parameters:,} parameters{f', {accuracy} right' if accuracy else ''}; {where}"
    )
    lines = (tip, entry.training and f"Trained: {entry.training}", entry.attacked and f"{entry.attacked} (a quick figure)")
    about = (entry.title, entry.source, data_name(entry.data_set), entry.training)
    return Pick(entry.source, (entry.title, accuracy, here), "\n".join(filter(None, lines)), about)


def _loaded(source: str, model: Classifier) -> Pick:
    training, attacked = training_of(model.card), attacked_of(model.card)
    lines = (model.name, f"Changed: {', '.join(model.changes)}" if model.changes else "", training and f"Trained: {training}", attacked)
    tip = "\n".join(filter(None, (*lines, f"Fingerprint {model.fingerprint[:8]}")))
    return Pick(source, (model.name, accuracy_forms(model.card)[-1]), tip, (model.name, model.source or "", training))


def _recent(model: RecentModel, entry: ModelEntry | None) -> Pick:
    if entry is not None:
        return _entry(entry)
    options = ", ".join(f"{name} {value}" for name, value in model.options.items())
    tip = "\n".join(filter(None, [model.source, options, "Loading it runs this file." if model.runs_code else ""]))
    return Pick(model.source, (model.title, model.note.partition(" on ")[0]), tip, (model.title, model.source))
