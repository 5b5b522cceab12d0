"""DataSources: the data sets that every dock can choose from, and a cache of those that were loaded."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from gui.session.data_choice import Choice, DataSource

if TYPE_CHECKING:
    from engine.bits import Bits
    from engine.data import DataSet

_KEPT = 2
"""Loaded data sets that are kept, so that a second run need not read the files again."""


class DataSources(QObject):
    """The list of data sets and their loading. The session owns the only instance, so a folder added in one dock is listed in all."""

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.root: Path | None = None
        self.sources: tuple[DataSource, ...] = ()
        self._folders: list[Path] = []
        self._shapes: dict[str, tuple[int, int, int] | None] = {}
        self._loaded: dict[Choice, DataSet] = {}
        self._lock = threading.Lock()
        self._closed = threading.Event()

    def find(self, root: Path | None = None) -> None:
        """Search for data sets, under ``root`` if one is given, and emit `changed`."""
        from engine.data import available, splits_of

        self.root = root or self.root
        self._shapes.clear()
        folders = tuple(
            DataSource(f"folder:{folder}", f"{folder.name} (folder)", splits_of(f"folder:{folder}")) for folder in self._folders
        )
        self.sources = (*folders, *(DataSource(entry.name, entry.title, entry.splits) for entry in available(self.root)))
        self.changed.emit()

    def add_folder(self, folder: Path) -> str:
        """Add a folder of images to the list, and return its name as a data set."""
        self._folders = [folder, *(other for other in self._folders if other != folder)]
        self.find()
        return f"folder:{folder}"

    def shape_of(self, name: str) -> tuple[int, int, int] | None:
        """Return the shape ``(C, H, W)`` of a set's images without loading them; None if unknown. Cached until the next `find`."""
        from engine.data import shape_of
        from engine.errors import GibbonError

        if name not in self._shapes:
            try:
                self._shapes[name] = shape_of(name)
            except GibbonError:
                self._shapes[name] = None  # `loading` raises the same error, with its sentence
        return self._shapes[name]

    def load(self, choice: Choice) -> DataSet:
        """Load a data set in one go; see `loading`. Called in the engine's threads, possibly in both at once.

        Raises
        ------
        GibbonError
            The data set is missing or cannot be read.
        """
        from engine.bits import whole

        return whole(self.loading(choice))

    def loading(self, choice: Choice) -> Bits[DataSet]:
        """Load a data set in bits: a generator that yields ``(done, total)`` and returns the set. A cached set yields nothing.

        If both lanes load the same set at once, both read it, and both use the copy that was ready first. Waiting for each other would
        block one lane while the other is paused.

        Raises
        ------
        GibbonError
            The data set is missing or cannot be read.
        """
        from engine.data import loading

        with self._lock:
            data = self._loaded.get(choice)
        if data is None:
            seed, draw = (choice.draw or 0, None) if choice.drawn_here else (0, choice.draw)
            selected: dict[str, Any] = {"count": choice.count, "classes": choice.classes, "seed": seed, "draw": draw}
            bits = loading(choice.name, choice.split or None, choice.root, **selected)  # type: ignore[arg-type]
            data = yield from self._until_closed(bits)
        with self._lock:
            data = self._loaded.pop(choice, data)
            self._loaded[choice] = data  # the newest last
            for oldest in list(self._loaded)[:-_KEPT]:
                del self._loaded[oldest]
        return data

    def close(self) -> None:
        """Stop any loading at its next image, since the session ends."""
        self._closed.set()

    def _until_closed(self, bits: Bits[DataSet]) -> Bits[DataSet]:
        from engine import GibbonError

        while not self._closed.is_set():
            try:
                yield next(bits)
            except StopIteration as end:
                data: DataSet = end.value
                return data
        raise GibbonError("The data set was not loaded to its end, because the window was closed. Load it again.")
