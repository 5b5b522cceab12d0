"""DataSources: the data sets that every dock can choose from, found once; and what is loaded of them."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from gui.session.data_choice import Choice, Source

if TYPE_CHECKING:
    from engine.data import DataSet
    from engine.data.bits import Bits

_KEPT = 2
"""How many loaded data sets are kept: a second run need not read the files again."""


class DataSources(QObject):
    """Lives in the session. Whatever one dock adds, all of them list."""

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.root: Path | None = None
        self.sources: tuple[Source, ...] = ()
        self._folders: list[Path] = []
        self._shapes: dict[str, tuple[int, int, int] | None] = {}
        self._loaded: dict[Choice, DataSet] = {}
        self._lock = threading.Lock()
        self._closed = threading.Event()

    def find(self, root: Path | None = None) -> None:
        """List what is there now, under ``root`` where one is given."""
        from engine.data import available, splits_of

        self.root = root or self.root
        self._shapes.clear()
        folders = tuple(Source(f"folder:{folder}", f"{folder.name} (folder)", splits_of(f"folder:{folder}")) for folder in self._folders)
        self.sources = (*folders, *(Source(entry.name, entry.title, entry.splits) for entry in available(self.root)))
        self.changed.emit()

    def add_folder(self, folder: Path) -> str:
        """List a folder of images; the answer is its name."""
        self._folders = [folder, *(other for other in self._folders if other != folder)]
        self.find()
        return f"folder:{folder}"

    def shape_of(self, name: str) -> tuple[int, int, int] | None:
        """Of a set's images, without loading them; None: not known. Asked once until they are looked for again."""
        from engine.data import shape_of
        from engine.errors import GibbonError

        if name not in self._shapes:
            try:
                self._shapes[name] = shape_of(name)
            except GibbonError:
                self._shapes[name] = None  # loading it says what is amiss
        return self._shapes[name]

    def load(self, choice: Choice) -> DataSet:
        """Called in the engine's threads, also in both at once; see `loading`.

        Raises
        ------
        GibbonError
            It is not there, or cannot be read.
        """
        from engine.data.bits import whole

        return whole(self.loading(choice))

    def loading(self, choice: Choice) -> Bits[DataSet]:
        """The same image by image, with how far it is; nothing is said of what is there already.

        Two that load one set at once both read it, and then share what the first one made: to wait for each other would leave either
        lane standing where the other is paused.

        Raises
        ------
        GibbonError
            It is not there, or cannot be read.
        """
        from engine.data import loading

        with self._lock:
            data = self._loaded.get(choice)
        if data is None:
            bits = loading(choice.name, choice.split or None, choice.root, count=choice.count)  # type: ignore[arg-type]
            data = yield from self._until_closed(bits)
        with self._lock:
            data = self._loaded.pop(choice, data)
            self._loaded[choice] = data  # the newest last
            for oldest in list(self._loaded)[:-_KEPT]:
                del self._loaded[oldest]
        return data

    def close(self) -> None:
        """The session ends: whatever is being loaded is given up at its next image."""
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
