"""The fields of the state as a session shows them: read from it as attributes, told of by its signals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Generic, TypeVar

T = TypeVar("T")

SIGNALS: Mapping[str, tuple[str, ...]] = {
    "engineReady": ("ready",),
    "classifierChanged": ("classifier",),
    "boundsChanged": ("bounds",),
    "imageChanged": ("clean", "image"),
    "photographChanged": ("photograph",),
    "labelChanged": ("label", "target", "label_text", "target_text", "prediction"),
    "stickersChanged": ("stickers",),
    "selectionChanged": ("selected",),
    "perturbationChanged": ("delta", "grown"),
    "planChanged": ("slug", "settings", "seed", "data", "start", "live", "region"),
    "newStickerChanged": ("new_content", "new_colour"),
}
"""By signal, in the order in which they are emitted, the fields whose change it tells of."""


class Field(Generic[T]):
    """A field of the state, to be read from the session. `Session.change` writes it."""

    def __set_name__(self, _owner: type, name: str) -> None:
        self._name = name

    def __get__(self, session: Any, _owner: type | None = None) -> T:
        value: T = getattr(session.state, self._name)
        return value

    def __set__(self, session: Any, value: T) -> None:
        raise AttributeError(f"{self._name} is part of the state: call Session.change({self._name}=...).")
