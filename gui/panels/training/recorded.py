"""Finding the network and the images of a recorded training among those that the window has. No Qt."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine import Classifier
    from engine.record import TrainingRecord, TrainingSource

Start = tuple[str, "Classifier | None", bool]
"""The architecture of a new network, or a loaded classifier and whether it begins with new weights."""


def source_beside(record: TrainingRecord, path: Path) -> TrainingSource:
    """Return the names of the network and the images, with the paths of a record in the file ``path`` made absolute."""
    from engine.record.training_inputs import relocated

    return relocated(record.source, lambda file: str(file if file.is_absolute() else path.parent / file))


def place_of(starts: Sequence[Start], record: TrainingRecord, source: TrainingSource, path: Path) -> int:
    """Return the place of the network that a recorded training began from.

    Raises
    ------
    GibbonError
        The network is not loaded, or of a kind that the window does not offer.
    """
    from engine.errors import GibbonError

    fresh = bool(record.operation.parameters.get("fresh", True))
    for place, (architecture, loaded, new) in enumerate(starts):
        if loaded is None and not source.trained and architecture == source.network:
            return place
        if loaded is not None and source.trained and loaded.source == source.network and new == fresh:
            return place
    if source.trained:
        raise GibbonError(f"This training began from “{source.network}”: open that model first, then the record again.")
    raise GibbonError(f"The window has no network “{source.network}”. In a terminal, this trains it again: replay {path.name}")
