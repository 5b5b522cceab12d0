"""Reading of state dicts from untrusted files: weights only, unwrapped, and a sentence for everything else."""

from __future__ import annotations

import hashlib
import os
import pickletools
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from engine.download import is_web_page
from engine.errors import GibbonError
from engine.files import ordinary_file
from engine.models.foreign import folder_refusal, refusal_of
from engine.models.nests import unwrapped

_HEAD = 4096
_SAVE = "Save its weights alone: torch.save(model.state_dict(), FILE)."


@dataclass(frozen=True, eq=False)
class State:
    """The tensors of a weights file, by name."""

    tensors: dict[str, Tensor]
    """Tensors unchanged from the file: of any shape and type, NaN included."""
    path: Path
    sha256: str
    notes: tuple[str, ...]
    """Notes on how the tensors were found."""

    @property
    def name(self) -> str:
        """The file's name, without its folder."""
        return self.path.name


def read_state(path: Path) -> State:
    """Read the state dict in a file without running any code that may be hidden in it.

    Raises
    ------
    GibbonError
        The file is missing, empty, a folder, damaged, of another tool, a pickle that needs more than tensors, or holds no tensors.
    """
    head = first_bytes(path)
    held = _read_safetensors(path) if _is_safetensors(path, head) else _read_torch(path, head)
    tensors, notes = unwrapped(held, path.name)
    return State(tensors, path, file_hash(path), tuple(notes))


def file_hash(path: Path) -> str:
    """Return the SHA-256 of a file, as hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def first_bytes(path: Path) -> bytes:
    """Read the first bytes of a file, after checking that it exists and may hold weights."""
    if os.path.isdir(path):
        raise GibbonError(folder_refusal(path))
    ordinary_file(path, "a file of weights (.safetensors, .pt or .pth)")
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except OSError as error:
        raise GibbonError(f"“{path}” cannot be read: {error.strerror or error}. Check its permissions.") from None
    if not head:
        raise GibbonError(f"“{path.name}” is empty (0 bytes). Fetch it again.")
    foreign = refusal_of(path, head)
    if foreign is not None:
        raise GibbonError(foreign)
    if is_web_page(head):
        raise GibbonError(f"“{path.name}” is a web page, not weights: the download went wrong. Fetch it again from the file's own address.")
    return head


def _is_safetensors(path: Path, head: bytes) -> bool:
    # The format is eight bytes of length, then JSON. The content decides, since files get renamed.
    return head[8:9] == b"{" or (path.suffix == ".safetensors" and not head.startswith((b"PK", b"\x80")))


def _read_safetensors(path: Path) -> Any:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except (SafetensorError, OSError, ValueError, KeyError):
        raise GibbonError(f"“{path.name}” is damaged or no safetensors file. Fetch or write it again.") from None


def _read_torch(path: Path, head: bytes) -> Any:
    try:
        with path.open("rb") as file:  # pass the open file, since torch would go by the suffix of a name
            return torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # unpicklers raise any kind of error on damaged bytes
        raise GibbonError(_refusal(path, head, str(error))) from None


def _refusal(path: Path, head: bytes, message: str) -> str:
    if "TorchScript" in message:
        return f"“{path.name}” is a TorchScript archive, which is code, so it was not loaded. {_SAVE}"
    needed = re.search(r"GLOBAL ([\w.]+)", message)
    name = needed[1].rstrip(".") if needed else _first_global(head)
    if name is None:
        if head.startswith(b"\x80"):
            return f"“{path.name}” is a pickle that torch.save did not write, or it is damaged. {_SAVE}"
        return f"“{path.name}” is damaged or holds no weights. Fetch or write it again."
    if name.startswith(("torch.nn.", "torchvision.models.")):
        return f"“{path.name}” holds a whole pickled module ({name}), and loading one runs code, so it was not loaded. {_SAVE}"
    return f"“{path.name}” is a pickle that asks for {name}, which would run code, so it was not loaded. {_SAVE}"


def _first_global(head: bytes) -> str | None:
    """Return the first function or class that a bare pickle requests, found by reading its opcodes without running them."""
    texts: list[str] = []
    try:
        for opcode, argument, _ in pickletools.genops(head):
            if opcode.name == "GLOBAL":
                return str(argument).replace(" ", ".")
            if opcode.name == "STACK_GLOBAL" and len(texts) >= 2:
                return ".".join(texts[-2:])
            if isinstance(argument, str):
                texts.append(argument)
    except Exception:  # the bytes are no pickle, or cut off, so nothing was requested
        return None
    return None
