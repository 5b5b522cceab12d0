"""The names of `engine.download` that loading a model needs."""

from engine.download import Cancel, DownloadCancelled, Progress, download

__all__ = ["Cancel", "DownloadCancelled", "Progress", "download"]
