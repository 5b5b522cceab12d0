"""Settings: recent images, folders, theme and window layout, kept between starts in one file per user."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QByteArray, QSettings

MOST_RECENT = 10


class Settings:
    """A typed interface to QSettings. Invalid stored values are ignored."""

    def __init__(self) -> None:
        self.store = QSettings(QSettings.Format.IniFormat, QSettings.Scope.UserScope, "Gibbon", "gibbon")

    # ------------------------------------------------------------------ recent images

    @property
    def recent_images(self) -> list[Path]:
        """The images that were opened, the newest first, at most `MOST_RECENT`."""
        kept = self.store.value("recent/images", [])
        texts = [kept] if isinstance(kept, str) else list(kept) if isinstance(kept, (list, tuple)) else []
        return [Path(str(text)) for text in texts][:MOST_RECENT]

    def add_recent_image(self, path: Path) -> None:
        """Add an image, or move it, to the front of the recent images."""
        path = path.expanduser().absolute()
        self._keep_recent([path, *(other for other in self.recent_images if other != path)])

    def remove_recent_image(self, path: Path) -> None:
        """Remove an image from the recent ones."""
        self._keep_recent([other for other in self.recent_images if other != path])

    def clear_recent_images(self) -> None:
        """Remove all recent images."""
        self._keep_recent([])

    def _keep_recent(self, paths: list[Path]) -> None:
        self.store.setValue("recent/images", [str(path) for path in paths[:MOST_RECENT]])

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
