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

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

_IN_PLACE: dict[Any, str] = {torch.relu_: "relu", Tensor.relu_: "relu"}
_RECTIFIERS: dict[Any, str] = {
    F.relu: "relu", torch.relu: "relu", Tensor.relu: "relu", **_IN_PLACE,
    F.relu6: "relu6", F.hardtanh: "hardtanh", F.leaky_relu: "leaky_relu", F.prelu: "prelu", F.rrelu: "rrelu",
    F.elu: "elu", F.selu: "selu", F.celu: "celu", F.gelu: "gelu", F.silu: "silu", F.mish: "mish",
    F.softplus: "softplus", F.hardswish: "hardswish",
}  # fmt: skip
_KERNELS = frozenset(
    f"{name}{suffix}"
    for name in (
        "relu",
        "hardtanh",
        "leaky_relu",
        "_prelu_kernel",
        "rrelu_with_noise",
        "elu",
        "gelu",
        "silu",
        "mish",
        "softplus",
        "hardswish",
    )
    for suffix in ("", "_")
)
"""Names of the rectifiers' kernels below torch's functions; ReLU6 is a hardtanh there, SELU and CELU are ELUs."""

_CHANNEL_AXIS: dict[Any, int] = {
    F.linear: -1, F.layer_norm: -1, F.rms_norm: -1,
    torch.conv1d: 0, torch.conv2d: 0, torch.conv3d: 0,
    F.conv_transpose1d: 0, F.conv_transpose2d: 0, F.conv_transpose3d: 0,
    F.batch_norm: 0, F.group_norm: 0, F.instance_norm: 0,
}  # fmt: skip
"""Layers before a rectifier, with the axis of one image's activation that counts the channels."""


def register_rectifier(function: Callable[..., Tensor], kind: str) -> None:
    """Make calls of ``function`` sites. The function must go through ``torch.overrides.handle_torch_function``."""
    _RECTIFIERS[function] = kind


@dataclass(frozen=True)
class Site:
    """One call of a rectifier in a network."""

    index: int
    """Position in the order of calls, counted from 0."""
    name: str
    """The module that made the call, with ``#k`` from its second call on; unique within a classifier."""
    kind: str
    """The rectifier: relu, leaky_relu, bounded, ..."""
    shape: tuple[int, ...]
    """Shape of one image's activation, such as ``(C, H, W)``, ``(H, W, C)`` after a linear layer of a ConvNeXt, or ``(units,)``."""
    channel_axis: int = 0
    """The axis of ``shape`` that counts the channels; the others are rows and columns, or tokens."""

    def place(self, index: int) -> tuple[int, int | None, int | None]:
        """Return channel, row and column of the unit at ``index`` of the flattened activation; None where there is no such axis."""
        where = [int(number) for number in np.unravel_index(index, self.shape)]
        channel = where.pop(self.channel_axis)
        row, column = (*where, None, None)[:2]
        return channel, row, column


class SiteMode(TorchFunctionMode):
    """While active, replaces, bounds and records the rectifier calls of one forward pass.

    Parameters
    ----------
    replacements
        Site index to the function that replaces the rectifier and is called with the pre-activation.
    bounds
        Site index to the value at which the activation is clamped from above.
    wanted
        Indices of the sites whose activation is kept in ``recorded``.
    graph
        Whether recorded activations stay part of the graph from the images to the logits, for gradients with respect to them. Otherwise
        they are clones.
    """

    def __init__(
        self,
        replacements: Mapping[int, Callable[[Tensor], Tensor]],
        bounds: Mapping[int, float],
        wanted: Iterable[int] = (),
        graph: bool = False,
    ) -> None:
        super().__init__()
        self._graph = graph
        self._replacements, self._bounds, self._wanted = replacements, bounds, frozenset(wanted)
        self.calls = 0
        """Number of rectifier calls so far."""
        self.recorded: dict[int, Tensor] = {}

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Call ``func``; where it is a rectifier, also replace, bound and record as requested for this site."""
        kwargs = kwargs or {}
        if func not in _RECTIFIERS:
            return func(*args, **kwargs)
        index, self.calls = self.calls, self.calls + 1
        replace, bound = self._replacements.get(index), self._bounds.get(index)
        if replace is None and bound is None:
            out = func(*args, **kwargs)
        else:
            out = _changed(func, args, kwargs, replace, bound)
        return self._kept(index, out, _is_in_place(func, args, kwargs)) if index in self._wanted else out

    def _kept(self, index: int, out: Tensor, in_place: bool) -> Tensor:
        """Record an activation, and return the tensor with which the network continues.

        A later in-place layer must not overwrite the record.
        """
        if not self._graph:
            self.recorded[index] = out.clone(memory_format=torch.contiguous_format)
            return out
        self.recorded[index] = out if out.requires_grad else out.requires_grad_()  # the images themselves may need no gradient
        # After `x.relu_()` as a statement the network continues with x, not with the returned value.
        return out if in_place else out.clone()


def _is_in_place(func: Any, args: Any, kwargs: Any) -> bool:
    # True among the arguments can only be "inplace": in evaluation mode no rectifier takes another flag.
    return func in _IN_PLACE or bool(kwargs.get("inplace", False)) or any(value is True for value in args[1:])


def _changed(func: Any, args: Any, kwargs: Any, replace: Callable[[Tensor], Tensor] | None, bound: float | None) -> Tensor:
    pre: Tensor = args[0] if args else kwargs["input"]
    in_place = _is_in_place(func, args, kwargs)
    x = pre.clone() if in_place else pre  # backward needs this tensor, which must not be overwritten below
    if replace is not None:
        out = replace(x)
    else:
        rest = {name: value for name, value in kwargs.items() if name != "input"}
        out = func(x, *args[1:], **rest)
    out = out if bound is None else out.clamp_max(bound)
    # `x.relu_()` as a statement, or a shortcut around it: what follows reads x, not the value returned.
    return pre.copy_(out) if in_place else out


class CallsAgain(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Mode that notes whether any rectifier is computed; in a backward pass this means that layers are computed again.

    A function mode such as `SiteMode` is not active there.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.seen = False

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Return False: otherwise torch would import its compiler at the first operation, which takes seconds at every start."""
        return False

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Call ``func``, and note it where it is a rectifier's forward pass."""
        self.seen = self.seen or func.overloadpacket.__name__ in _KERNELS
        return func(*args, **(kwargs or {}))


class _Discovery(TorchFunctionMode):
    """Mode that lists the rectifier calls of one forward pass, each with the module that made it."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self._names = {id(child): name for name, child in module.named_modules()}
        self._seen: dict[str, int] = {}
        self._producer: tuple[torch.Size, int] = torch.Size(), 0
        """Shape and channel axis of the newest output of a layer that has channels."""
        self.sites: list[Site] = []

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Call ``func``, and note it where it is a rectifier."""
        out = func(*args, **(kwargs or {}))
        if func in _CHANNEL_AXIS:
            self._producer = out.shape, _CHANNEL_AXIS[func]
        if func in _RECTIFIERS:
            owner = self._owner() or _RECTIFIERS[func]
            self._seen[owner] = count = self._seen.get(owner, 0) + 1
            name = owner if count == 1 else f"{owner}#{count}"
            shape = tuple(out.shape[1:])
            self.sites.append(Site(len(self.sites), name, _RECTIFIERS[func], shape, self._channel_axis(out.shape)))
        return out

    def _channel_axis(self, shape: torch.Size) -> int:
        """Return the axis of one image's activation that counts channels, as in the layer before the rectifier."""
        axes = len(shape) - 1
        seen, axis = self._producer
        if seen != shape:  # no known layer precedes it: images have channels first, tokens have them last
            axis = 0 if axes != 2 else -1
        return max(axis % axes, 0) if axes else 0

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
    """Return the sites of ``module`` in calling order, and its output for ``example``."""
    with _Discovery(module) as mode:
        output = module(example)
    return tuple(mode.sites), output
