"""Tensors of a study: each is kept once, in a member of the file that is named by its content."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

import torch
from torch import Tensor

from engine.errors import GibbonError

FOLDER = "tensors"
SUFFIX = ".safetensors"
_NAME = re.compile(rf"{FOLDER}/([0-9a-f]{{32}}){re.escape(SUFFIX)}")
_KEY = "tensor"


class Tensors:
    """Collects tensors for a file. Two tensors of equal type, shape and bits become one member."""

    def __init__(self) -> None:
        self.by_digest: dict[str, Tensor] = {}

    def add(self, tensor: Tensor) -> str:
        """Add a tensor, and return the digest that stands for it."""
        kept = tensor.detach().cpu().contiguous()
        digest = digest_of(kept)
        self.by_digest.setdefault(digest, kept)
        return digest

    def add_if(self, tensor: Tensor | None) -> str | None:
        """Add a tensor where there is one."""
        return None if tensor is None else self.add(tensor)


def digest_of(tensor: Tensor) -> str:
    """Return 32 hex digits of the SHA-256 over type, shape and bits of a contiguous tensor on the CPU."""
    found = hashlib.sha256(f"{tensor.dtype} {tuple(tensor.shape)} ".encode())
    found.update(tensor.reshape(-1).view(torch.uint8).numpy().data if tensor.numel() else b"")
    return found.hexdigest()[:32]


def member_of(digest: str) -> str:
    """Return the name of the member that holds the tensor of a digest."""
    return f"{FOLDER}/{digest}{SUFFIX}"


def digest_in(member: str) -> str | None:
    """Return the digest in the name of a member; None where it is no tensor."""
    found = _NAME.fullmatch(member)
    return None if found is None else found[1]


def encoded(tensor: Tensor) -> bytes:
    """Return the tensor as the bytes of a safetensors file."""
    from safetensors.torch import save

    # A view shares its storage with other tensors, which the format refuses to write.
    own = tensor if tensor.untyped_storage().nbytes() == tensor.nbytes else tensor.clone()
    data: bytes = save({_KEY: own})
    return data


def decoded(member: str, data: bytes) -> Tensor:
    """Return the tensor that a member holds.

    Raises
    ------
    GibbonError
        The bytes are damaged, or are not those that the name says.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load

    try:
        found: Mapping[str, Tensor] = load(data)
        tensor = found[_KEY]
    except (SafetensorError, KeyError, ValueError, RuntimeError, OverflowError):
        raise GibbonError(f"its tensor {member} is damaged") from None
    if digest_of(tensor) != digest_in(member):
        raise GibbonError(f"its tensor {member} holds other numbers than its name says")
    return tensor
