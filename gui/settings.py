"""Settings: recent files, folders, theme and window layout, kept between starts in one file per user."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, get_args

from PySide6.QtCore import QByteArray, QSettings

MOST_RECENT = 10
RecentKind = Literal["images", "records", "studies"]
RECENT_KINDS: tuple[RecentKind, ...] = get_args(RecentKind)


class Settings:
    """A typed interface to QSettings. Invalid stored values are ignored."""

    def __init__(self) -> None:
        self.store = QSettings(QSettings.Format.IniFormat, QSettings.Scope.UserScope, "Gibbon", "gibbon")

    # ------------------------------------------------------------------ recent files

    def recent(self, kind: RecentKind) -> list[Path]:
        """Return the files of a kind that were opened, the newest first, at most `MOST_RECENT`."""
        kept = self.store.value(f"recent/{kind}", [])
        texts = [kept] if isinstance(kept, str) else list(kept) if isinstance(kept, (list, tuple)) else []
        return [Path(str(text)) for text in texts][:MOST_RECENT]

    def add_recent(self, kind: RecentKind, path: Path) -> None:
        """Add a file, or move it, to the front of the recent ones of its kind."""
        path = path.expanduser().absolute()
        self._keep_recent(kind, [path, *(other for other in self.recent(kind) if other != path)])

    def is_recent(self, path: Path) -> bool:
        """Return whether a file of any kind was opened recently."""
        return any(path in self.recent(kind) for kind in RECENT_KINDS)

    def forget_recent(self, path: Path) -> None:
        """Remove a file from the recent ones."""
        for kind in RECENT_KINDS:
            self._keep_recent(kind, [other for other in self.recent(kind) if other != path])

    def clear_recent(self) -> None:
        """Remove all recent files."""
        for kind in RECENT_KINDS:
            self._keep_recent(kind, [])

    def _keep_recent(self, kind: RecentKind, paths: list[Path]) -> None:
        self.store.setValue(f"recent/{kind}", [str(path) for path in paths[:MOST_RECENT]])

    @property
    def recent_images(self) -> list[Path]:
        """The images that were opened, the newest first, at most `MOST_RECENT`."""
        return self.recent("images")

    def add_recent_image(self, path: Path) -> None:
        """Add an image, or move it, to the front of the recent images."""
        self.add_recent("images", path)

    # ------------------------------------------------------------------ folders and texts

    def folder(self, purpose: str) -> Path:
        """Return the folder that a file dialog of this purpose last used, else the home folder."""
        kept = Path(str(self.store.value(f"folders/{purpose}", "")) or Path.home())
        return kept if kept.is_dir() else Path.home()

    def keep_folder(self, purpose: str, path: Path) -> None:
        """Store the folder in which the next file dialog of this purpose opens."""
        self.store.setValue(f"folders/{purpose}", str(path.absolute()))

    def text(self, key: str, default: str = "") -> str:
        """Return a stored text."""
        return str(self.store.value(key, default))

    def keep_text(self, key: str, value: str) -> None:
        """Store a text."""
        self.store.setValue(key, value)

    # ------------------------------------------------------------------ the window

    def bytes(self, key: str) -> QByteArray:
        """Return the stored geometry or layout; empty if there is none."""
        kept = self.store.value(f"window/{key}")
        return kept if isinstance(kept, QByteArray) else QByteArray()

    def keep_bytes(self, key: str, value: QByteArray) -> None:
        """Store the geometry or layout."""
        self.store.setValue(f"window/{key}", value)
