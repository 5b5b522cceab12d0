"""Replacement of a network's rectifiers before training."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args

from torch import nn

from engine.defenses.activations import Bounded, BoundedLeaky
from engine.errors import GibbonError
from engine.text.nearest import did_you_mean

Activation = Literal["relu", "bounded", "bounded-leaky"]
MakeActivation = Callable[[], nn.Module]

_REPLACEABLE = (nn.ReLU, nn.ReLU6, nn.LeakyReLU, Bounded, BoundedLeaky)
_NORMALISATION = (nn.modules.batchnorm._BatchNorm, nn.GroupNorm, nn.LayerNorm)


def check_activation(name: str) -> None:
    """Refuse a name that no rectifier has.

    Raises
    ------
    GibbonError
        There is no such rectifier; the nearest name is suggested.
    """
    known = get_args(Activation)
    if name not in known:
        cure = did_you_mean(name, known, f"There are: {', '.join(known)}.")
        raise GibbonError(f"There is no activation “{name}”. {cure}")


def maker(activation: str, *, bound: float | None = None, slope: float = 0.01, sign: int = -1) -> MakeActivation:
    """Return a function that makes one rectifier: "relu", "bounded" or "bounded-leaky". ``bound`` None: 1.

    Raises
    ------
    GibbonError
        No rectifier has that name.
    """
    check_activation(activation)
    first = 1.0 if bound is None else bound
    makers: dict[str, MakeActivation] = {
        "relu": nn.ReLU,
        "bounded": lambda: Bounded(first),
        "bounded-leaky": lambda: BoundedLeaky(first, slope=slope, sign=sign),
    }
    return makers[activation]


def swap_rectifiers(network: nn.Module, make: MakeActivation) -> list[str]:
    """Replace every rectifier module of ``network`` in place by a new one each, and return their names.

    Rectifiers that the network calls as functions are no modules, and stay unchanged.
    """
    names = [name for name, module in network.named_modules() if isinstance(module, _REPLACEABLE)]
    for name in names:
        parent, _, child = name.rpartition(".")
        setattr(network.get_submodule(parent), child, make())
    return names


def normalises(network: nn.Module) -> bool:
    """Return whether a layer normalises, so that pre-activations have unit size and a bound of 1 is a good start."""
    return any(isinstance(module, _NORMALISATION) for module in network.modules())


def bounds_of(network: nn.Module) -> dict[str, float]:
    """Return the upper bound of every bounded rectifier, by the module's name."""
    bounds: dict[str, float] = {}
    for name, module in network.named_modules():
        if isinstance(module, Bounded):
            bounds[name] = module.bound
        elif isinstance(module, BoundedLeaky):
            bounds[name] = float(module.bound.detach())
    return bounds
