"""Sites: the calls of rectifiers in a network, seen without module hooks.

A *site* is one call of a rectifier, whether a module or a function made it: torchvision's GoogLeNet has no ``nn.ReLU`` module at all,
and ResNet-50 has 17 modules but 49 calls. A ``TorchFunctionMode`` sees every call, is local to its thread, and leaves nothing behind
in the module, so two threads can record one model at once.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import FrameType
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

_IN_PLACE: dict[Any, str] = {torch.relu_: "relu", Tensor.relu_: "relu"}
_RECTIFIERS: dict[Any, str] = {
    F.relu: "relu", torch.relu: "relu", Tensor.relu: "relu", **_IN_PLACE,
    F.relu6: "relu6", F.hardtanh: "hardtanh", F.leaky_relu: "leaky_relu", F.prelu: "prelu", F.rrelu: "rrelu",
    F.elu: "elu", F.selu: "selu", F.celu: "celu", F.gelu: "gelu", F.silu: "silu", F.mish: "mish",
    F.softplus: "softplus", F.hardswish: "hardswish",
}  # fmt: skip


def register_rectifier(function: Callable[..., Tensor], kind: str) -> None:
    """Make calls of ``function`` sites. It must go through ``torch.overrides.handle_torch_function``."""
    _RECTIFIERS[function] = kind


@dataclass(frozen=True)
class Site:
    """One call of a rectifier."""

    index: int
    """Its place in the order of calls, from 0."""
    name: str
    """The module that made the call, with ``#k`` from its second call on; unique within a classifier."""
    kind: str
    """The rectifier: relu, leaky_relu, bounded, ..."""
    shape: tuple[int, ...]
    """Shape of one image's activation, ``(C, H, W)`` or ``(units,)``."""


class SiteMode(TorchFunctionMode):
    """While active, replaces, bounds and records the rectifier calls of one forward pass.

    Parameters
    ----------
    replacements
        Site index to the function that is called with the pre-activation instead of the rectifier.
    bounds
        Site index to the value at which the activation is clamped from above.
    wanted
        Indices of the sites whose activation is cloned into ``recorded``.
    """

    def __init__(
        self,
        replacements: Mapping[int, Callable[[Tensor], Tensor]],
        bounds: Mapping[int, float],
        wanted: Iterable[int] = (),
    ) -> None:
        super().__init__()
        self._replacements, self._bounds, self._wanted = replacements, bounds, frozenset(wanted)
        self._next = 0
        self.recorded: dict[int, Tensor] = {}

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run ``func``; where it is a rectifier, also do what was asked for at this site."""
        kwargs = kwargs or {}
        if func not in _RECTIFIERS:
            return func(*args, **kwargs)
        index, self._next = self._next, self._next + 1
        replace, bound = self._replacements.get(index), self._bounds.get(index)
        if replace is None and bound is None:
            out = func(*args, **kwargs)
        else:
            out = _changed(func, args, kwargs, replace, bound)
        if index in self._wanted:
            self.recorded[index] = out.clone(
                memory_format=torch.contiguous_format
            )  # a later in-place layer would overwrite what was recorded
        return out


def _changed(func: Any, args: Any, kwargs: Any, replace: Callable[[Tensor], Tensor] | None, bound: float | None) -> Tensor:
    pre: Tensor = args[0] if args else kwargs["input"]
    # True among the arguments can only be "inplace": in evaluation mode no rectifier takes another flag.
    in_place = func in _IN_PLACE or kwargs.get("inplace", False) or any(value is True for value in args[1:])
    x = pre.clone() if in_place else pre  # what backward needs of it must not be written over below
    if replace is not None:
        out = replace(x)
    else:
        rest = {name: value for name, value in kwargs.items() if name != "input"}
        out = func(x, *args[1:], **rest)
    out = out if bound is None else out.clamp_max(bound)
    # `x.relu_()` as a statement, or a shortcut around it: what follows reads x, not the value returned.
    return pre.copy_(out) if in_place else out


class _Discovery(TorchFunctionMode):
    """Lists the rectifier calls of one forward pass with the module that made each."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self._names = {id(child): name for name, child in module.named_modules()}
        self._seen: dict[str, int] = {}
        self.sites: list[Site] = []

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run ``func`` and note it where it is a rectifier."""
        out = func(*args, **(kwargs or {}))
        if func in _RECTIFIERS:
            owner = self._owner() or _RECTIFIERS[func]
            self._seen[owner] = count = self._seen.get(owner, 0) + 1
            name = owner if count == 1 else f"{owner}#{count}"
            self.sites.append(Site(len(self.sites), name, _RECTIFIERS[func], tuple(out.shape[1:])))
        return out

    def _owner(self) -> str:
        # The innermost module on the stack made the call. Read once, at load; recording needs no frames.
        frame: FrameType | None = sys._getframe(2)
        while frame is not None:
            owner = frame.f_locals.get("self")
            name = self._names.get(id(owner), "") if isinstance(owner, nn.Module) else ""
            if name:
                return name
            frame = frame.f_back
        return ""


@torch.no_grad()
def discover(module: nn.Module, example: Tensor) -> tuple[tuple[Site, ...], Tensor]:
    """The sites of ``module`` in calling order, and its output for ``example``."""
    with _Discovery(module) as mode:
        output = module(example)
    return tuple(mode.sites), output
