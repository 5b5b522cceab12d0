"""Rectifiers with an upper limit, which block activations that a small sticker drives far above their clean range."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import handle_torch_function, has_torch_function_unary

from engine.sites import register_rectifier


def bounded(x: Tensor, bound: float) -> Tensor:
    """Bounded ReLU: ``min(max(x, 0), bound)``, element by element (Liew et al. 2016; arXiv 1707.06728).

    Its gradient is 1 strictly between 0 and ``bound`` and 0 elsewhere. Saturated units hide the gradient, so test a model that uses it with
    an attack that needs no gradients, too.

    It is a separate function so that a ``TorchFunctionMode`` sees each call.
    """
    if has_torch_function_unary(x):
        return handle_torch_function(bounded, (x,), x, bound)
    return functional.hardtanh(x, 0.0, bound)


def bounded_leaky(x: Tensor, bound: Tensor, slope: float = 0.01, sign: int = -1) -> Tensor:
    """Bounded leaky ReLU with a trainable upper bound.

    ``slope * x`` where x < 0, ``x`` where 0 <= x <= bound, ``bound + sign * slope * (x - bound)`` where x > bound.

    Parameters
    ----------
    x
        Pre-activations, any shape.
    bound
        The upper bound, > 0: a scalar, or a shape that broadcasts against ``x``. It receives a gradient:
        ``1 - sign * slope`` for every element above it.
    slope
        The slope below 0, and the size of the slope above ``bound``.
    sign
        -1: decreases above the bound (reaches 0 at ``bound * (1 + 1 / slope)`` and is negative beyond). +1: continues to rise slowly
        (Liew et al. 2016).
    """
    if has_torch_function_unary(x):
        return handle_torch_function(bounded_leaky, (x,), x, bound, slope, sign)
    return _BoundedLeaky.apply(x, bound, slope, sign)  # type: ignore[no-any-return]


class _BoundedLeaky(torch.autograd.Function):
    """Autograd function with one node instead of a chain of two ``torch.where``: only ``x`` is saved, the rest is recomputed."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor, bound: Tensor, slope: float, sign: int) -> Tensor:
        excess = (x - bound).clamp_min_(0.0)
        return functional.leaky_relu(x, slope).sub_(excess, alpha=1.0 - sign * slope)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor, float, int], output: Tensor) -> None:
        x, bound, ctx.slope, ctx.sign = inputs
        ctx.save_for_backward(x, bound)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None, None, None]:
        x, bound = ctx.saved_tensors
        drop = 1.0 - ctx.sign * ctx.slope
        above = grad * (x > bound)
        grad_x = grad_bound = None
        if ctx.needs_input_grad[0]:
            below = torch.ops.aten.leaky_relu_backward(grad, x, ctx.slope, False)
            grad_x = torch.sub(below, above, alpha=drop)
        if ctx.needs_input_grad[1]:
            grad_bound = above.sum_to_size(bound.shape) * drop
        return grad_x, grad_bound, None, None


class Bounded(nn.Module):
    """The module of `bounded` with a fixed bound, which is part of the state dict (arXiv 1707.06728)."""

    limit: Tensor

    def __init__(self, bound: float = 1.0) -> None:
        super().__init__()
        self.register_buffer("limit", torch.empty(()))
        self.set_bound(bound)

    @property
    def bound(self) -> float:
        """The upper limit, in the units of the activation."""
        return self._bound

    def set_bound(self, bound: float) -> None:
        """Set the upper limit, which must be finite and above 0."""
        # A float beside the buffer, since reading the buffer at each call would wait for the device.
        self._bound = _checked(bound)
        with torch.no_grad():
            self.limit.fill_(self._bound)

    def forward(self, x: Tensor) -> Tensor:
        """Apply `bounded` with this module's bound."""
        return bounded(x, self._bound)

    def extra_repr(self) -> str:
        """Return the values for ``repr``, from which a classifier's fingerprint takes them."""
        return f"bound={self._bound:.6g}"

    def _load_from_state_dict(self, state_dict: Mapping[str, Any], prefix: str, *args: Any) -> None:
        super()._load_from_state_dict(state_dict, prefix, *args)
        if f"{prefix}limit" in state_dict:
            self._bound = _checked(float(state_dict[f"{prefix}limit"]))


class BoundedLeaky(nn.Module):
    """The module of `bounded_leaky` with one bound per layer, kept above 0 by softplus and trained with the weights.

    Optimisers should not decay ``raw_bound``: decay would pull the bound towards softplus(0) = 0.69 whatever the data.
    """

    def __init__(self, bound: float = 1.0, slope: float = 0.01, sign: int = -1, trainable: bool = True) -> None:
        super().__init__()
        if sign not in (-1, 1):
            raise ValueError(f"sign is {sign}: it must be -1 (falls above the bound) or +1 (rises).")
        if not 0.0 <= slope < 1.0:
            raise ValueError(f"slope is {slope}: it must be at least 0 and less than 1.")
        self.slope, self.sign = slope, sign
        self.raw_bound = nn.Parameter(torch.empty(()), requires_grad=trainable)
        self.set_bound(bound)

    @property
    def bound(self) -> Tensor:
        """The upper bound as a scalar tensor, in the units of the activation."""
        # Softplus by formula, since its function is a rectifier call and would become a site.
        return torch.logaddexp(self.raw_bound, torch.zeros_like(self.raw_bound))

    def set_bound(self, bound: float) -> None:
        """Set the upper bound, which must be finite and above 0."""
        with torch.no_grad():
            self.raw_bound.fill_(_inverse_softplus(_checked(bound)))

    def forward(self, x: Tensor) -> Tensor:
        """Apply `bounded_leaky` with this module's bound."""
        return bounded_leaky(x, self.bound, self.slope, self.sign)

    def extra_repr(self) -> str:
        """Return the values for ``repr``, from which a classifier's fingerprint takes them."""
        return f"bound={float(self.bound.detach()):.6g}, slope={self.slope:g}, sign={self.sign:+d}"


def _inverse_softplus(value: float) -> float:
    """Invert softplus: above 20 it equals x in float32's precision; the other branch avoids exp's overflow there."""
    return value if value > 20.0 else math.log(math.expm1(value))


def _checked(bound: float) -> float:
    if not (math.isfinite(bound) and bound > 0.0):
        raise ValueError(f"bound is {bound}: it must be a finite number above 0.")
    return float(bound)


# Sites are calls of registered rectifiers: importing this module, which any use requires, registers these two.
register_rectifier(bounded, "bounded")
register_rectifier(bounded_leaky, "bounded_leaky")
