"""The networks of a training's epochs as files, thinned to a budget of memory on the disk."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from engine.artifacts import Model
from engine.defenses.cards import save_model

MOST_BYTES = 256 * 2**20
"""Bytes of weights that the epochs of one training may take."""
_NAME = re.compile(r"epoch-(\d+)\.safetensors")


class EpochFiles:
    """The files ``epoch-00003.safetensors`` of a folder, each with its card beside it.

    Where all of them would exceed ``most_bytes``, every second one is left out, or every fourth, and so on; the newest is always kept.
    """

    def __init__(self, folder: Path, most_bytes: int = MOST_BYTES) -> None:
        self.folder, self._most_bytes = folder, most_bytes

    @property
    def files(self) -> Mapping[int, Path]:
        """The weights of the kept epochs, by the number of the epoch, in their order."""
        found = ((_NAME.fullmatch(path.name), path) for path in self.folder.glob("epoch-*.safetensors"))
        return dict(sorted((int(match[1]), path) for match, path in found if match is not None))

    def keep(self, model: Model, epoch: int, name: str) -> Path:
        """Write the network of an epoch under a name of its own, and make room for it."""
        named = replace(model, card={**model.card, "name": f"{name}, epoch {epoch}"})
        weights, _card = save_model(named, self.folder / f"epoch-{epoch:05}.safetensors")
        self._thin(epoch)
        return weights

    def _thin(self, newest: int) -> None:
        """Remove all epochs but every k-th and the newest; k is the least power of two with which they fit."""
        files = self.files
        most = max(2, self._most_bytes // files[newest].stat().st_size)
        every = 1
        while newest // every + bool(newest % every) > most:
            every *= 2
        for epoch, path in files.items():
            if epoch != newest and epoch % every:
                path.unlink()
                path.with_suffix(".json").unlink(missing_ok=True)
