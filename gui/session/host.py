"""Host: the session as the objects and functions see it that the session itself is made of, so that nothing imports in a circle."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from torch import Tensor

    from engine import Classifier
    from engine.images import Photograph
    from engine.stickers import Sticker
    from gui.session.attack_runner import AttackRunner
    from gui.session.data_sources import DataSources
    from gui.session.loaded_models import LoadedModels
    from gui.session.log_entry import LogKind
    from gui.session.scene import Frame
    from gui.session.state import Plan, State


class Host(Protocol):
    """The state with its one write path, the requests, the runs, and the signals."""

    state: State
    runs: AttackRunner
    data_sources: DataSources
    loaded: LoadedModels
    ask: Callable[..., None]
    engineReady: Any
    classifierChanged: Any
    labelChanged: Any
    imageChanged: Any
    stickersChanged: Any
    planChanged: Any
    observed: Any
    notice: Any
    withdrawn: Any

    @property
    def frame(self) -> Frame | None: ...
    @property
    def classifier(self) -> Classifier | None: ...
    @property
    def photograph(self) -> Photograph | None: ...
    @property
    def clean(self) -> Tensor | None: ...
    @property
    def image(self) -> Mapping[str, Any]: ...
    @property
    def label(self) -> int | None: ...
    @property
    def stickers(self) -> tuple[Sticker, ...]: ...
    @property
    def plan(self) -> Plan: ...
    @property
    def opened(self) -> int: ...
    def change(self, text: str = "", **fields: Any) -> bool:
        """Replace fields of the state."""
        ...

    def log(self, kind: LogKind, text: str, details: str = "") -> None:
        """Add a message."""
        ...

    def set_classifier(
        self,
        classifier: Classifier,
        clean: Tensor | None = None,
        image: Mapping[str, Any] | None = None,
        label: int | None = None,
        photograph: Photograph | None = None,
    ) -> None:
        """Replace the classifier, together with the image if that does not fit."""
        ...

    def set_image(self, clean: Tensor, image: Mapping[str, Any], label: int | None = None, photograph: Photograph | None = None) -> None:
        """Put an image on the canvas."""
        ...

    def set_crop(self, clean: Tensor, image: Mapping[str, Any]) -> None:
        """Put another crop of the same photograph on the canvas."""
        ...
