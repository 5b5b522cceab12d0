"""Fingerprints identify a classifier, and are the same in every process and on every device."""

from __future__ import annotations

import hashlib
import io
import pickle
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from engine.errors import GibbonError


def digest(parts: Iterable[object], module: nn.Module) -> str:
    """Hash as SHA-256 hex the ``repr`` of the parts, the module's structure, and everything in its state with its name and type.

    Raises
    ------
    GibbonError
        The state holds an object that cannot be distinguished from another of its kind.
    """
    found = hashlib.sha256(repr((module, *parts)).encode())
    if isinstance(module, torch.jit.ScriptModule):  # a ScriptModule's repr does not show its structure
        found.update("".join(str(child.code) for child in module.modules() if hasattr(child, "code")).encode())
    for name, value in sorted(module.state_dict().items()):
        for part in _parts(name, value):
            found.update(part)
    return found.hexdigest()


def identity(function: Callable[[Tensor], Tensor]) -> str:
    """Return the name of a preprocessing or an activation in a fingerprint: a module's weights, or a function's full name.

    Raises
    ------
    GibbonError
        The function has no name that means the same in another process: a lambda, an inner function, an object without a ``repr``.
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


def _parts(name: str, value: Any) -> Iterator[bytes]:
    """Yield the bytes of one entry of a state: a tensor of any kind, or another object that a module stores."""
    if isinstance(value, Tensor):
        yield from _tensor_parts(name, value)
    elif isinstance(value, np.ndarray) and value.dtype != object:
        yield f"{name}{value.dtype}{value.shape}".encode()
        yield np.ascontiguousarray(value).tobytes()
    elif isinstance(value, Mapping):
        yield f"{name}{type(value).__name__}{len(value)}".encode()
        for key, inner in sorted(value.items(), key=lambda item: repr(item[0])):
            yield from _parts(f"{name}[{key!r}]", inner)
    elif isinstance(value, (list, tuple)):
        yield f"{name}{type(value).__name__}{len(value)}".encode()
        for index, inner in enumerate(value):
            yield from _parts(f"{name}[{index}]", inner)
    elif isinstance(value, (set, frozenset)):
        yield f"{name}{type(value).__name__}{sorted(map(repr, value))}".encode()
    else:
        yield f"{name}{type(value).__name__}".encode() + _bytes_of(name, value)


def _tensor_parts(name: str, value: Tensor) -> Iterator[bytes]:
    value = value.detach()
    kind = f"{value.dtype}{tuple(value.shape)}"
    if value.is_quantized:
        yield f"{name}{kind}{value.qscheme()}".encode()
        if value.qscheme() in (torch.per_tensor_affine, torch.per_tensor_symmetric):
            scale: list[Any] = [value.q_scale(), value.q_zero_point()]
        else:
            scale = [value.q_per_channel_scales(), value.q_per_channel_zero_points(), value.q_per_channel_axis()]
        yield from _parts(f"{name}.scale", scale)
        yield from _tensor_parts(f"{name}.levels", value.int_repr())
    elif value.layout is torch.sparse_coo:
        value = value.coalesce()
        yield f"{name}{kind}{value.layout}".encode()
        yield from _parts(name, [value.indices(), value.values()])
    elif value.layout in (torch.sparse_csr, torch.sparse_bsr):
        yield f"{name}{kind}{value.layout}".encode()
        yield from _parts(name, [value.crow_indices(), value.col_indices(), value.values()])
    elif value.layout in (torch.sparse_csc, torch.sparse_bsc):
        yield f"{name}{kind}{value.layout}".encode()
        yield from _parts(name, [value.ccol_indices(), value.row_indices(), value.values()])
    elif value.layout is not torch.strided:
        yield f"{name}{value.layout}".encode()
        yield from _tensor_parts(name, value.to_dense())
    elif hasattr(value, "__tensor_flatten__"):
        inner, context = value.__tensor_flatten__()
        yield f"{name}{type(value).__name__}{kind}".encode()
        yield from _parts(name, [*(getattr(value, part) for part in inner), repr(context)])
    else:
        yield f"{name}{kind}".encode()
        plain = value.resolve_conj().resolve_neg().cpu().contiguous()
        yield plain.view(-1).view(torch.uint8).numpy().tobytes()


def _bytes_of(name: str, value: Any) -> bytes:
    if isinstance(value, (bytes, bytearray)):
        return bytes(value)
    if isinstance(value, io.BytesIO):
        return value.getvalue()
    text = repr(value)
    if " at 0x" not in text:
        return text.encode()
    try:
        return pickle.dumps(value, protocol=4)
    except Exception as error:
        raise GibbonError(
            f"The state of the model holds “{name}”, a {type(value).__name__} that cannot be told from another, so the model has no "
            "fingerprint. Give its class a repr that says its values."
        ) from error
