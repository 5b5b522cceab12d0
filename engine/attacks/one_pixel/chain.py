"""Networks as a chain of layers that each depend on a window of the previous map, as far as they are one."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import takewhile

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

from engine.defenses.activations import Bounded, BoundedLeaky

Pair = tuple[int, int]
_BY_ITSELF = {
    nn.Identity, nn.Dropout, nn.Dropout2d, nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.PReLU, nn.Hardtanh, nn.ELU, nn.SELU, nn.CELU, nn.GELU,
    nn.SiLU, nn.Mish, nn.Softplus, nn.Hardswish, nn.Sigmoid, nn.Tanh, Bounded, BoundedLeaky,
}  # fmt: skip
"""Layers that change every value independently in evaluation mode."""


@dataclass(frozen=True, eq=False)
class Link:
    """A layer whose outputs each depend on a window of its input, with the element-wise layers after it."""

    own: tuple[nn.Module, ...]
    """The network's own layers in this link."""
    whole: Callable[[Tensor], Tensor]
    """The same function up to rounding, in fewer passes over memory."""
    inner: Callable[[Tensor], Tensor]
    """The same function for windows that already contain their padding."""
    kernel: Pair = (1, 1)
    """Extent of a window, its dilation included."""
    stride: Pair = (1, 1)
    padding: Pair = (0, 0)
    beyond: float = 0.0
    """Value of the padding."""
    costly: bool = False
    """Whether it is a convolution: other layers take little time."""


def chain(module: nn.Module) -> tuple[list[Link], list[nn.Module]]:
    """Split ``module`` into links from its input on, and its layers from the first that is none."""
    if any(map(_unsafe, module.modules())):
        return [], [module]
    layers = list(_layers(module))
    links: list[Link] = []
    while layers and (link := _link(layers)) is not None:
        links.append(link)
        layers = layers[len(link.own) :]
    return links, layers


def through(layers: Sequence[Callable[[Tensor], Tensor]], maps: Tensor) -> Tensor:
    """Apply layers one after the other."""
    for layer in layers:
        maps = layer(maps)
    return maps


def _unsafe(module: nn.Module) -> bool:
    """Return whether a call may differ from the class's definition, or depends on the other images of the batch."""
    hooked = bool(module._forward_hooks or module._forward_pre_hooks) or not vars(module).keys().isdisjoint(("forward", "_conv_forward"))
    by_batch = isinstance(module, nn.modules.batchnorm._BatchNorm) and module.running_mean is None
    return module.training or hooked or by_batch or type(module).__call__ is not nn.Module.__call__


def _layers(module: nn.Module) -> Iterator[nn.Module]:
    if type(module).forward is nn.Sequential.forward:
        for child in module._modules.values():  # children() would list a layer that is used twice only once
            if child is not None:
                yield from _layers(child)
    else:
        yield module


def _link(layers: Sequence[nn.Module]) -> Link | None:
    """Return the link that ``layers`` begin with; None where the first layer is none."""
    first, *later = layers
    own = (first, *takewhile(_pointwise, later))
    after: list[Callable[[Tensor], Tensor]] = [torch.relu_ if type(layer) is nn.ReLU else layer for layer in own[1:]]
    if _pointwise(first):
        return Link(own, partial(through, own), partial(through, own))
    if type(first) is nn.Conv2d and first.padding_mode == "zeros" and not isinstance(first.padding, str):
        weight, bias = first.weight, first.bias
        if isinstance(norm := own[min(1, len(own) - 1)], nn.BatchNorm2d):
            assert norm.running_mean is not None
            assert norm.running_var is not None
            weight, bias = fuse_conv_bn_weights(weight, bias, norm.running_mean, norm.running_var, norm.eps, norm.weight, norm.bias)
            after = after[1:]
        stride, dilation = _pair(first.stride), _pair(first.dilation)
        laid = weight.contiguous(memory_format=torch.channels_last)
        conv = partial(F.conv2d, weight=laid, bias=bias, stride=stride, dilation=dilation, groups=first.groups)
        whole = partial(through, (partial(conv, padding=first.padding), *after))
        inner, extent = partial(through, (conv, *after)), _extent(first.kernel_size, dilation)
        return Link(own, whole, inner, extent, stride, _pair(first.padding), costly=True)
    if type(first) is nn.MaxPool2d and not (first.ceil_mode or first.return_indices):
        kernel, stride, dilation = _pair(first.kernel_size), _pair(first.stride), _pair(first.dilation)
        pool = partial(F.max_pool2d, kernel_size=kernel, stride=stride, dilation=dilation)
        inner, extent = partial(through, (pool, *after)), _extent(kernel, dilation)
        return Link(own, partial(through, own), inner, extent, stride, _pair(first.padding), -math.inf)
    if type(first) is nn.AvgPool2d and not first.ceil_mode and (first.count_include_pad or _pair(first.padding) == (0, 0)):
        kernel, stride = _pair(first.kernel_size), _pair(first.stride)
        mean = partial(F.avg_pool2d, kernel_size=kernel, stride=stride, divisor_override=first.divisor_override)
        return Link(own, partial(through, own), partial(through, (mean, *after)), kernel, stride, _pair(first.padding))
    return None


def _pointwise(module: nn.Module) -> bool:
    return type(module) in _BY_ITSELF or (type(module) is nn.BatchNorm2d and module.running_mean is not None)


def _pair(value: int | tuple[int, ...]) -> Pair:
    return (value, value) if isinstance(value, int) else (value[0], value[1])


def _extent(kernel: int | tuple[int, ...], dilation: Pair) -> Pair:
    (height, width), (down, across) = _pair(kernel), dilation
    return down * (height - 1) + 1, across * (width - 1) + 1
