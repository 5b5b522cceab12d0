"""StateHolder: the one observable state, the one way to change it, and the signals of its changes."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QUndoStack

from gui.session.defense import Steps
from gui.session.fields import SIGNALS, Field
from gui.session.state import SCENE_FIELDS, UNDOABLE, NewContent, Plan, Region, State, differing_fields, value_of
from gui.session.undo import LIMIT, ReplaceFields

if TYPE_CHECKING:
    from torch import Tensor

    from engine import Classifier
    from engine.explain import Explanation
    from engine.images import Photograph
    from engine.stickers import Sticker
    from gui.session.scene import Scene


class StateHolder(QObject):
    """Holds the state and the undo steps. Only `change` replaces the state; it then emits the signals of the fields that differ."""

    engineReady = Signal()
    """The engine is loaded: attacks, models and data sets can be listed."""
    classifierChanged = Signal()
    imageChanging = Signal()
    """The clean image is about to change: end any gesture of the mouse."""
    imageChanged = Signal()
    """The clean image, or where it came from, has changed."""
    photographChanged = Signal()
    """The photograph that the clean image was cropped from has changed."""
    labelChanged = Signal()
    """The true label, the target, or the prediction for the clean image has changed."""
    stickersChanged = Signal()
    """The stickers were edited or dragged: read ``stickers``."""
    selectionChanged = Signal()
    perturbationChanged = Signal()
    planChanged = Signal()
    """The planned attack, or the region that it may change, has changed."""
    newStickerChanged = Signal()
    """The content or the colour of new stickers has changed."""
    boundsChanged = Signal()
    defenseChanged = Signal()
    explanationsChanged = Signal()
    """The chosen explanations, or their parameters, have changed."""
    viewChanged = Signal()
    """The view of the perturbation has changed: its channels or its gain."""
    comparedChanged = Signal()
    """Other finished runs are compared."""

    ready = Field[bool]()
    classifier: Field[Classifier | None] = Field()
    photograph: Field[Photograph | None] = Field()
    clean: Field[Tensor | None] = Field()
    image = Field[Mapping[str, Any]]()
    label: Field[int | None] = Field()
    target: Field[int | None] = Field()
    region = Field[Region]()
    stickers: Field[tuple[Sticker, ...]] = Field()
    selected: Field[int | None] = Field()
    new_content = Field[NewContent]()
    new_colour = Field[tuple[float, float, float]]()
    delta: Field[Tensor | None] = Field()
    grown = Field[bool]()
    bounds = Field[Mapping[str, float]]()
    defense: Field[Steps] = Field()
    explanations: Field[tuple[Explanation, ...]] = Field()
    explaining = Field[bool]()
    plan = Field[Plan]()
    compared = Field[tuple[int, ...]]()
    opened = Field[int]()
    scene: Field[Scene | None] = Field()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.state = State()
        self.undo_stack = QUndoStack(self)
        self.undo_stack.setUndoLimit(LIMIT)

    def change(self, text: str = "", *, key: Hashable | None = None, since: Mapping[str, Any] | None = None, **fields: Any) -> bool:
        """Replace fields of the state or of its plan; return whether that requested a new frame.

        All fields are replaced before the first signal is emitted. With ``text`` the change becomes an undo step of that name. Undo steps
        of one ``key`` within a short time are merged. ``since`` overrides the values that undo restores, with those from before a drag.
        """
        if differing_fields(self.state, self.state.with_fields(**fields), ("clean",)):
            self.imageChanging.emit()
        before, after = self.state, self.state.with_fields(**fields)
        changed = differing_fields(before, after)
        if changed:
            self._leaving(changed)
            self.state = after
        if text:
            self._push(text, key, before.with_fields(**since) if since else before)
        if changed:
            self._entered(changed)
        return bool(changed & SCENE_FIELDS)

    def _push(self, text: str, key: Hashable | None, before: State) -> None:
        names = differing_fields(before, self.state, UNDOABLE)
        if names - {"run"}:  # a change of the run's number alone is invisible
            old, new = ({name: value_of(state, name) for name in names} for state in (before, self.state))
            self.undo_stack.push(ReplaceFields(self._put, old, new, text, key))

    def _put(self, fields: Mapping[str, Any]) -> None:
        self.change(**fields)

    def _leaving(self, changed: frozenset[str]) -> None:
        """Prepare for a change of these fields, while the state is still the old one."""

    def _entered(self, changed: frozenset[str]) -> None:
        """Act on a change of these fields: emit their signals."""
        for signal, names in SIGNALS.items():
            if changed.intersection(names):
                getattr(self, signal).emit()
