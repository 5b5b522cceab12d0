"""Models: shipped ones, torchvision's published weights, checkpoints, and a user's own code. ``load`` returns a Classifier."""

from __future__ import annotations

from engine.download import DownloadCancelled
from engine.models.architectures import ARCHITECTURES, Architecture
from engine.models.guessing import guess_architecture
from engine.models.listing import ModelEntry, architectures, catalogue
from engine.models.loading import check_source, is_file, load, missing_download, options_of, runs_code
from engine.models.untrained import check_network, published_side, untrained

__all__ = [
    "ARCHITECTURES",
    "Architecture",
    "DownloadCancelled",
    "ModelEntry",
    "architectures",
    "catalogue",
    "check_network",
    "check_source",
    "guess_architecture",
    "is_file",
    "load",
    "missing_download",
    "options_of",
    "published_side",
    "runs_code",
    "untrained",
]
