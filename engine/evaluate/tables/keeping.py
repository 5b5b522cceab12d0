"""The folder of a table: finished cells and the adversarial images, kept in files that are used again only if everything is the same."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as packed
from torch import Tensor

from engine.differences import difference
from engine.errors import GibbonError
from engine.evaluate.tables.cells import LATER_TENSORS, TENSORS, Cell, Verdicts
from engine.evaluate.tables.plan import CellKey, Craft
from engine.files import make_folder, replacing

CELLS, IMAGES = "cells", "images"
VERSION = 1


class Keeper:
    """Reads and writes the files of a table in ``folder``: ``cells/*.safetensors`` and ``images/*.safetensors``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def has(self, key: CellKey) -> bool:
        """Return whether a file of that cell is here."""
        return self._cell(key).is_file()

    def forget(self, key: CellKey) -> None:
        """Remove the file of a cell, if there is one."""
        self._cell(key).unlink(missing_ok=True)

    def save(self, cell: Cell) -> None:
        """Write a finished cell; one with an error is not finished, and is tried again the next time."""
        assert cell.verdicts is not None
        found = {name: getattr(cell.verdicts, name) for name in (*TENSORS, *LATER_TENSORS)}
        tensors = {name: tensor.contiguous() for name, tensor in found.items() if tensor is not None}
        about = {"version": VERSION, "key": vars(cell.key), "facts": cell.facts, "seconds": cell.seconds}
        about |= {name: getattr(cell, name) for name in ("class_names", "digests", "places")}
        _write(self._cell(cell.key), tensors, about)

    def load(self, key: CellKey, facts: Mapping[str, Any]) -> Cell:
        """Read a finished cell.

        Raises
        ------
        GibbonError
            The file is damaged, or belongs to a table that differs: the sentence names the difference.
        """
        path = self._cell(key)
        tensors, about = _read(path)
        if found := difference(about["facts"], facts):
            raise GibbonError(
                f"The cell of “{key.model}” under “{key.attack}” in “{self.folder}” belongs to another table: {found}. "
                "Use the same settings, or give another folder."
            )
        names, digests, places = (tuple(about[name]) for name in ("class_names", "digests", "places"))
        return Cell(key, facts, Verdicts(**tensors), class_names=names, digests=digests, places=places, seconds=about["seconds"])

    def save_images(self, craft: Craft, adversarial: Tensor) -> None:
        """Write the adversarial images ``(N, C, H, W)`` of one attack."""
        _write(self.folder / IMAGES / craft.file, {"adversarial": adversarial.contiguous()}, {"version": VERSION})

    def image(self, craft: Craft, index: int) -> Tensor | None:
        """Return one adversarial image ``(C, H, W)``; None: it was not kept."""
        path = self.folder / IMAGES / craft.file
        try:
            with safe_open(path, "pt", device="cpu") as file:
                image: Tensor = file.get_slice("adversarial")[index : index + 1]
                return torch.as_tensor(image)[0]
        except (OSError, SafetensorError):
            return None

    def _cell(self, key: CellKey) -> Path:
        return self.folder / CELLS / key.file


def _write(path: Path, tensors: dict[str, Tensor], about: Mapping[str, Any]) -> None:
    make_folder(path.parent, "Choose another one.")
    with replacing(path) as staged:
        staged.write_bytes(packed(tensors, metadata={"gibbon": json.dumps(about)}))


def _read(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    try:
        with safe_open(path, "pt", device="cpu") as file:
            about = json.loads((file.metadata() or {})["gibbon"])
            later = [name for name in LATER_TENSORS if name in file.keys()]  # noqa: SIM118 - the file is no mapping
            tensors = {name: file.get_tensor(name) for name in (*TENSORS, *later)}
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise GibbonError(f"“{path}” is no cell of a table: delete it, so that the cell is computed again. ({error})") from None
    if about.get("version") != VERSION:
        raise GibbonError(f"“{path}” was written by another version of Gibbon: update Gibbon, or give another folder.")
    return tensors, about
