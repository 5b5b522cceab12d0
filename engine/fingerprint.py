"""Fingerprints: what tells one classifier from another, the same in every process and on every device."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn

from engine.errors import GibbonError


def digest(parts: Iterable[object], module: nn.Module) -> str:
    """SHA-256, as hex, over the ``repr`` of the parts, the module's structure, and every weight and buffer with its name and type."""
    found = hashlib.sha256(repr((module, *parts)).encode())
    for name, value in sorted(module.state_dict().items()):
        found.update(f"{name}{value.dtype}{tuple(value.shape)}".encode())
        found.update(value.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().tobytes())
    return found.hexdigest()


def identity(function: Callable[[Tensor], Tensor]) -> str:
    """What a preprocessing or an activation is called in a fingerprint: a module with its weights, a function by its full name.

    Raises
    ------
    GibbonError
        It has no name that means the same in another process: a lambda, a function inside a function, an object without a ``repr``.
    """
    if isinstance(function, nn.Module):
        return f"{function!r} {digest((), function)}" if function.state_dict() else repr(function)
    name: str | None = getattr(function, "__qualname__", None)
    owner = getattr(function, "__self__", None)
    if name and "<" not in name and (owner is None or isinstance(owner, type)):  # a bound method's owner has a state of its own
        return f"{getattr(function, '__module__', None)}.{name}"
    if name or " at 0x" in repr(function):
        raise GibbonError(
            f"{name or type(function).__name__} has no name that a record could keep. "
            "Give a torch module, a function defined at the top of a file, or an object whose repr says its parameters."
        )
    return repr(function)
