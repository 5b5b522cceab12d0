"""Reading state dicts from files of strangers: weights only, unwrapped, and a sentence for everything else."""

from __future__ import annotations

import hashlib
import pickletools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from engine.errors import GibbonError

_NESTS = ("state_dict", "model_state_dict", "model", "network", "net", "ema", "params", "weights")
_HEAD = 4096
_SAVE = "Save its weights alone: torch.save(model.state_dict(), FILE)."


@dataclass(frozen=True, eq=False)
class State:
    """The tensors of a file, by name."""

    tensors: dict[str, Tensor]
    path: Path
    sha256: str
    notes: tuple[str, ...]
    """What was done to get at them."""

    @property
    def name(self) -> str:
        """The file's name."""
        return self.path.name


def read_state(path: Path) -> State:
    """The state dict in a file, without running a line of what may be hidden in it.

    Raises
    ------
    GibbonError
        The file is missing, empty, a folder, damaged, a web page, a pickle that needs more than tensors, or holds no tensors.
    """
    head = first_bytes(path)
    held = _read_safetensors(path) if _is_safetensors(path, head) else _read_torch(path, head)
    tensors, notes = _unwrap(held, path)
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and not bool(tensor.isfinite().all()):
            raise GibbonError(f"“{name}” in “{path.name}” holds NaN or infinite weights: the file is damaged. Load another one.")
    return State(tensors, path, file_hash(path), tuple(notes))


def file_hash(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def first_bytes(path: Path) -> bytes:
    """The beginning of a file that is there and holds something that may be weights."""
    if path.is_dir():
        raise GibbonError(f"“{path}” is a folder. Choose a file of weights in it (.safetensors, .pt or .pth).")
    if not path.exists():
        raise GibbonError(f"There is no file “{path}”. Check the path.")
    if not path.is_file():
        raise GibbonError(f"“{path}” is no ordinary file. Choose a file of weights (.safetensors, .pt or .pth).")
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except OSError as error:
        raise GibbonError(f"“{path}” cannot be read: {error.strerror or error}. Check its permissions.") from None
    if not head:
        raise GibbonError(f"“{path.name}” is empty (0 bytes). Fetch it again.")
    if is_web_page(head):
        raise GibbonError(f"“{path.name}” is a web page, not weights: the download went wrong. Fetch it again from the file's own address.")
    return head


def is_web_page(head: bytes) -> bool:
    """Whether a file that begins so is HTML or XML, as a server's error message is."""
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return text.startswith((b"<!doctype", b"<html", b"<head", b"<body", b"<?xml", b"<script"))


def _is_safetensors(path: Path, head: bytes) -> bool:
    # Eight bytes of length, then JSON. The content decides: files get renamed.
    return head[8:9] == b"{" or (path.suffix == ".safetensors" and not head.startswith((b"PK", b"\x80")))


def _read_safetensors(path: Path) -> Any:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except (SafetensorError, OSError, ValueError, KeyError) as error:
        raise GibbonError(f"“{path.name}” is damaged or no safetensors file ({_short(error)}). Fetch or write it again.") from None


def _read_torch(path: Path, head: bytes) -> Any:
    try:
        with path.open("rb") as file:  # a file, not its name: torch would go by the suffix
            return torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # given damaged bytes, an unpickler raises whatever it likes
        raise GibbonError(_refusal(path, head, str(error), error)) from None


def _refusal(path: Path, head: bytes, message: str, error: Exception) -> str:
    if "TorchScript" in message:
        return f"“{path.name}” is a TorchScript archive, which is code, so it was not loaded. {_SAVE}"
    needed = re.search(r"GLOBAL ([\w.]+)", message)
    name = needed[1].rstrip(".") if needed else _first_global(head)
    if name is None:
        if head.startswith(b"\x80"):
            return f"“{path.name}” is a pickle that torch.save did not write, or it is damaged. {_SAVE}"
        return f"“{path.name}” is damaged or holds no weights ({_short(error)}). Fetch or write it again."
    if name.startswith(("torch.nn.", "torchvision.models.")):
        return f"“{path.name}” holds a whole pickled module ({name}), and loading one runs code, so it was not loaded. {_SAVE}"
    return f"“{path.name}” is a pickle that asks for {name}, which would run code, so it was not loaded. {_SAVE}"


def _first_global(head: bytes) -> str | None:
    """The first function or class that a bare pickle asks for, found by reading its opcodes, not by running them."""
    texts: list[str] = []
    try:
        for opcode, argument, _ in pickletools.genops(head):
            if opcode.name == "GLOBAL":
                return str(argument).replace(" ", ".")
            if opcode.name == "STACK_GLOBAL" and len(texts) >= 2:
                return ".".join(texts[-2:])
            if isinstance(argument, str):
                texts.append(argument)
    except Exception:  # not a pickle, or cut off: then nothing was asked for
        return None
    return None


def _unwrap(held: Any, path: Path) -> tuple[dict[str, Tensor], list[str]]:
    notes: list[str] = []
    while isinstance(held, Mapping):
        nest = next((key for key in _NESTS if isinstance(held.get(key), Mapping)), None)
        if nest is None:
            break
        notes.append(f"weights taken from “{nest}”")
        held = held[nest]
    if not isinstance(held, Mapping):
        raise GibbonError(f"“{path.name}” holds a {type(held).__name__}, not a state dict. {_SAVE}")
    tensors = {str(key): value for key, value in held.items() if isinstance(value, Tensor)}
    if not tensors:
        raise GibbonError(f"“{path.name}” holds no tensors (its keys: {some([str(key) for key in held]) or 'none'}). {_SAVE}")
    if len(tensors) < len(held):
        notes.append(f"left out what is no tensor: {some([str(key) for key in held if str(key) not in tensors])}")
    return tensors, notes


def some(names: list[str], count: int = 3) -> str:
    """The first few of many names."""
    rest = len(names) - count
    return ", ".join(names[:count]) + (f" and {rest} more" if rest > 0 else "")


def _short(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].split(". ")[0].rstrip(".:")[:160]
