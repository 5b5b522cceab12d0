"""Fields of the state as read-only attributes of the session, and the signals of their changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Generic, TypeVar

T = TypeVar("T")

SIGNALS: Mapping[str, tuple[str, ...]] = {
    "engineReady": ("ready",),
    "classifierChanged": ("classifier",),
    "boundsChanged": ("bounds",),
    "defenseChanged": ("defense",),
    "imageChanged": ("clean", "image"),
    "photographChanged": ("photograph",),
    "labelChanged": ("label", "target", "label_text", "target_text", "prediction"),
    "stickersChanged": ("stickers",),
    "selectionChanged": ("selected", "also_selected"),
    "perturbationChanged": ("delta", "grown"),
    "planChanged": ("slug", "settings", "seed", "data", "start", "live", "region", "knows_defense"),
    "explanationsChanged": ("explanations",),
    "viewChanged": ("view",),
    "comparedChanged": ("compared",),
    "newStickerChanged": ("new_content", "new_colour"),
}
"""The fields whose change each signal announces, in the order in which the signals are emitted."""


class Field(Generic[T]):
    """A field of the state as a read-only attribute of the session. `Session.change` writes it."""

    def __set_name__(self, _owner: type, name: str) -> None:
        self._name = name

    def __get__(self, session: Any, _owner: type | None = None) -> T:
        value: T = getattr(session.state, self._name)
        return value

    def __set__(self, session: Any, value: T) -> None:
        raise AttributeError(f"{self._name} is part of the state: call Session.change({self._name}=...).")
